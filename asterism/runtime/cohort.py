"""Learners that play and learn together, as the league's loop carries them along between two iterations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from asterism.learning.reinforcement import WHOLE, Factors, LearnerState
from asterism.runtime.rollout import Workers


class Group(NamedTuple):
    """What one group of a learner's games plays."""

    opponent: str
    race: int
    """`Race` of the opponent; 0: that of its side."""
    games: int = 0
    """Games finished against this opponent."""
    version: int | None = None
    """Updates that the opponent had made when its weights were put in; None: they are not in yet."""


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
    tally: dict[str, tuple[float, int]] = field(default_factory=dict)
    """By opponent, the rewards of the games since the last entry in the metrics, added up, and their number."""

    def count(self, opponent: str, reward: float) -> None:
        """A game has ended."""
        total, games = self.tally.get(opponent, (0.0, 0))
        self.tally[opponent] = total + reward, games + 1

    def win_rates(self, kind_of) -> dict[str, float]:
        """Win rates by kind of opponent since the last call. `kind_of`: name of a player -> its kind."""
        kinds: dict[str, np.ndarray] = {}
        for opponent, added in self.tally.items():
            kind = "self" if opponent == self.name else kind_of(opponent)
            kinds[kind] = kinds.get(kind, np.zeros(2)) + added
        self.tally.clear()
        return {kind: float(total / games + 1) / 2 for kind, (total, games) in kinds.items()}

    def pack(self) -> dict[str, Any]:
        """What a checkpoint holds of it, in JSON's types."""
        groups = [group and [group.opponent, group.race, group.games] for group in self.groups]
        factors = [float(value) for value in self.factors]
        return {"updates": self.updates, "turns": self.turns, "groups": groups, "factors": factors, "tally": self.tally}

    def unpack(self, packed: dict[str, Any]) -> None:
        """Goes back to what a checkpoint holds."""
        self.updates, self.turns = packed["updates"], packed["turns"]
        self.groups = [group and Group(*group) for group in packed["groups"]]
        self.factors = Factors(*packed["factors"])
        self.tally = {opponent: tuple(added) for opponent, added in packed["tally"].items()}


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
        rows = [[own * rate for own, rate in zip(member.factors, rates, strict=True)] for member in self.members]
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
