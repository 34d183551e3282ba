"""Learners that play and learn together, as the league's loop carries them along between two iterations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from asterism.learning.reinforcement import WHOLE, Factors, LearnerState
from asterism.runtime.quota import Quota
from asterism.runtime.rollout import Workers
from asterism.runtime.tally import Tally


class Group(NamedTuple):
    """What one group of a learner's games plays."""

    opponent: str
    race: int
    """`Race` of the opponent; 0: that of its side."""
    quota: Quota
    """Of the match against this opponent."""
    version: int | None = None
    """Updates that the opponent had made when its weights were put in; None: they are not in yet."""


def unpack_group(opponent: str, race: int, each: int, ended: list[int]) -> Group:
    """A group as a checkpoint holds it."""
    return Group(opponent, race, Quota(each, tuple(ended)))


@dataclass
class Member:
    """What is known of one learner beside its weights and games."""

    name: str
    race: int
    """`Race` that it plays; 0: that of its side."""
    groups: list[Group | None]
    updates: int = 0
    """Made so far; being given other weights counts as one."""
    turns: int = 0
    """Iterations that it has taken part in."""
    factors: Factors = WHOLE
    """Of its settings."""
    tally: Tally = field(init=False)
    """Of its games since the last entry in the metrics."""

    def __post_init__(self):
        self.tally = Tally(self.name)

    def pack(self) -> dict[str, Any]:
        """What a checkpoint holds of it, in JSON's types."""
        groups = [group and [group.opponent, group.race, *group.quota] for group in self.groups]
        own = {"updates": self.updates, "turns": self.turns, "factors": [float(value) for value in self.factors]}
        return own | {"groups": groups, "tally": self.tally.games}

    def unpack(self, packed: dict[str, Any]) -> None:
        """Goes back to what a checkpoint holds."""
        self.updates, self.turns = packed["updates"], packed["turns"]
        self.groups = [group and unpack_group(*group) for group in packed["groups"]]
        self.factors = Factors(*packed["factors"])
        self.tally.games = {opponent: tuple(added) for opponent, added in packed["tally"].items()}


@dataclass
class Cohort:
    """K learners of one compiled program. Arrays have the population axis first."""

    members: list[Member]
    states: LearnerState
    workers: Workers
    opponents: Float[Array, "K groups N"]
    """Policies of the opponents, each a vector."""

    def factors(self, rates: Factors) -> Factors:
        """Those of the members, times `rates`: [K] each."""
        rows = [member.factors.times(rates) for member in self.members]
        return Factors(*jnp.asarray(np.array(rows, np.float32).T))

    @property
    def versions(self) -> np.ndarray:
        """Updates that each member has made. [K]"""
        return np.array([member.updates for member in self.members], np.int32)


def turns(shares: Iterable[int]) -> list[int]:
    """A round in which the i-th of several has `shares[i]` turns, spread evenly over it: their indices in order."""
    due = [((turn + 0.5) / share, index) for index, share in enumerate(shares) for turn in range(share)]
    return [index for _, index in sorted(due)]


def staggered(count: int, length: int) -> Int[np.ndarray, " count"]:
    """In which of `length` rounds each of `count` games begins anew, a few in each: or else all would end together."""
    return np.arange(count) * length // count
