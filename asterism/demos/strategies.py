"""The library of z: strategies that were really played, to be sampled in compiled code."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from asterism.demos.reader import Demos
from asterism.errors import UserError
from asterism.interface.observation import Strategy


class StrategyLibrary(NamedTuple):
    """Z strategies, a pytree of device arrays."""

    strategies: Strategy
    """[Z, ...]"""
    fits: Bool[Array, "2 Z"]
    """Which can be asked of the player on each side."""
    races: Int[Array, " Z"]
    """`Race` of whom each can be asked; 0: of anybody."""

    @property
    def size(self) -> int:
        """How many strategies there are (Z)."""
        return self.strategies.build_order.shape[0]

    def sample(
        self, key: PRNGKeyArray, side: Int[Array, ""], race: Int[Array, ""] | int = 0
    ) -> tuple[Strategy, Bool[Array, ""]]:
        """One strategy for the player of a race on a side (race 0: whatever its race), each with the same probability;
        what was played more often is there more often. Whether there is any: if not, what is given is of no use."""
        fits = self.fits[side] & ((race == 0) | (self.races == 0) | (self.races == race))
        index = jax.random.categorical(key, jnp.where(fits, 0.0, -jnp.inf))
        return jax.tree.map(lambda values: values[index], self.strategies), fits.any()


def strategy_library(
    strategies: Iterable[Strategy], others: Iterable[Strategy] | None = None, races: Sequence[int] | None = None
) -> StrategyLibrary:
    """The library of unbatched strategies, for both sides, or with `others` those for the first side and the second.

    Args:
      races: `Race` of each, those of `others` last; None: any.
    Raises:
      UserError: when there are none.
    """
    lists = [list(strategies), *([] if others is None else [list(others)])]
    if not all(lists):
        raise UserError("a library of strategies needs at least one for each side: record games first")
    stacked = jax.tree.map(lambda *values: jnp.asarray(np.stack(values)), *sum(lists, []))
    first = np.arange(sum(map(len, lists))) < len(lists[0])
    fits = np.stack([first, first if others is None else ~first])
    kinds = np.zeros(len(first), np.int32) if races is None else np.array(races, np.int32)
    return StrategyLibrary(stacked, jnp.asarray(fits), jnp.asarray(kinds))


def recorded_strategies(demos: Demos) -> list[Strategy]:
    """What the players of recorded games executed."""
    return [entry.z for entry in demos.entries]


def mask_strategy(z: Strategy, build_order: bool, statistics: bool) -> Strategy:
    """z with the build order, the cumulative statistics (units, effects, upgrades), both or none kept; else zero."""
    keep = Strategy(build_order, build_order, statistics, statistics, statistics)
    return jax.tree.map(lambda values, kept: values if kept else np.zeros_like(values), z, keep)
