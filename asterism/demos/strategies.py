"""The library of z: strategies that were really played, to be sampled in compiled code."""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from asterism.demos.reader import Demos
from asterism.errors import UserError
from asterism.interface.observation import Strategy


class StrategyLibrary(NamedTuple):
    """Z strategies, a pytree of device arrays."""

    strategies: Strategy
    """[Z, ...]"""

    @property
    def size(self) -> int:
        """How many strategies there are (Z)."""
        return self.strategies.build_order.shape[0]

    def sample(self, key: PRNGKeyArray) -> Strategy:
        """One strategy, each with the same probability; what was played more often is there more often."""
        index = jax.random.randint(key, (), 0, self.size)
        return jax.tree.map(lambda values: values[index], self.strategies)


def strategy_library(strategies: Iterable[Strategy]) -> StrategyLibrary:
    """The library of the given unbatched strategies. Raises UserError when there are none."""
    strategies = list(strategies)
    if not strategies:
        raise UserError("a library of strategies needs at least one: record games first")
    stacked = jax.tree.map(lambda *values: jnp.asarray(np.stack(values)), *strategies)
    return StrategyLibrary(stacked)


def recorded_strategies(demos: Demos) -> list[Strategy]:
    """What the players of recorded games executed."""
    return [entry.z for entry in demos.entries]


def mask_strategy(z: Strategy, build_order: bool, statistics: bool) -> Strategy:
    """z with the build order, the cumulative statistics (units, effects, upgrades), both or none kept; else zero."""
    keep = Strategy(build_order, build_order, statistics, statistics, statistics)
    return jax.tree.map(lambda values, kept: values if kept else np.zeros_like(values), z, keep)
