"""The opponents that an actor plays at the moment, and their policies."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
from jaxtyping import Bool
from ray.exceptions import ObjectLostError

from asterism.league import Snapshot

MOST_KEPT = 16
"""Policies of frozen players that a process keeps."""


@dataclass
class Match:
    """What a group of lanes plays."""

    opponent: str
    weights: Snapshot | None
    """Of the opponent; None for a learner."""
    games: int = 0
    """Games finished."""


class Policies:
    """Policies of players, fetched from the vault once: those of learners as they are now."""

    def __init__(self, vault: Any):
        self.vault = vault
        self.learners: dict[str, tuple[int, Any]] = {}
        self.frozen: OrderedDict[Snapshot, Any] = OrderedDict()

    def of(self, player: str, weights: Snapshot | None) -> Any:
        """The policy of a frozen player, or the newest one of a learner (no snapshot)."""
        return self._learner(player) if weights is None else self._frozen(weights)

    def _learner(self, name: str) -> Any:
        version, policy = self.learners.get(name, (None, None))
        newest = ray.get(self.vault.learner.remote(name, version))
        if newest is not None:
            try:
                self.learners[name] = newest.version, ray.get(newest.policy[0])
            except ObjectLostError:
                # The vault has died since it answered.
                return self._learner(name)
        return self.learners[name][1]

    def _frozen(self, weights: Snapshot) -> Any:
        while weights not in self.frozen:
            try:
                self.frozen[weights] = ray.get(ray.get(self.vault.frozen_policy.remote(weights)).policy[0])
            except ObjectLostError:
                continue
        self.frozen.move_to_end(weights)
        while len(self.frozen) > MOST_KEPT:
            self.frozen.popitem(last=False)
        return self.frozen[weights]


class Opponents:
    """Opponents of the groups of one actor's lanes: a new one, from the coordinator, after `match_games` games."""

    def __init__(self, learner: str, groups: int, lanes: int, match_games: int, coordinator: Any, vault: Any):
        self.learner, self.match_games, self.coordinator = learner, match_games, coordinator
        self.per_group = lanes // groups
        self.matches: list[Match | None] = [None] * groups
        self.policies = Policies(vault)

    def choose(self, alone: bool) -> Bool[np.ndarray, " B"]:
        """Gives opponents to the groups that need one, the learner itself if `alone`: lanes that begin anew."""
        need = [i for i, match in enumerate(self.matches) if match is None or match.games >= self.match_games]
        if need:
            itself = [(self.learner, None)] * len(need)
            drawn = itself if alone else ray.get(self.coordinator.matches.remote(self.learner, len(need)))
            for i, (name, weights) in zip(need, drawn, strict=True):
                self.matches[i] = Match(name, weights)
        return np.isin(np.arange(len(self.matches)), need).repeat(self.per_group)

    def current(self, own: Any) -> list[Any]:
        """Policies of the groups' opponents; `own` is that of the learner."""
        players = {match.opponent: match.weights for match in self.matches}
        policies = {name: own if name == self.learner else self.policies.of(name, w) for name, w in players.items()}
        return [policies[match.opponent] for match in self.matches]

    def finish(self, lane: int) -> str:
        """Notes that a game in a lane is over; returns the opponent's id."""
        match = self.matches[lane // self.per_group]
        match.games += 1
        return match.opponent
