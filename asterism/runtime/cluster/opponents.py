"""The opponents that an actor plays at the moment, and their policies."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import ray
from jaxtyping import Bool
from ray.exceptions import ObjectLostError

from asterism.league import Player, Snapshot
from asterism.runtime.cluster.program import Entrant
from asterism.runtime.quota import Quota, new_quota

MOST_KEPT = 16
"""Policies of frozen players that a process keeps."""


@dataclass
class Match:
    """What a group of lanes plays."""

    opponent: Player
    quota: Quota


class Policies:
    """Policies of players, fetched from the vault once: those of learners as they are now."""

    def __init__(self, vault: Any):
        self.vault = vault
        self.learners: dict[str, tuple[int, Any]] = {}
        self.frozen: OrderedDict[Snapshot, Any] = OrderedDict()

    def of(self, player: Player) -> Any:
        """The policy of a frozen player, or the newest one of a learner."""
        return self._learner(player.id) if player.weights is None else self._frozen(player.weights)

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
    """Opponents of the groups of one actor's lanes: a new one, from the coordinator, for each match."""

    def __init__(
        self,
        learner: Player,
        races: Sequence[str],
        groups: int,
        lanes: int,
        match_games: int,
        coordinator: Any,
        vault: Any,
    ):
        """`races`: all of the league."""
        self.learner, self.races = learner, races
        self.match_games, self.coordinator = match_games, coordinator
        self.per_group = lanes // groups
        self.matches: list[Match | None] = [None] * groups
        self.policies = Policies(vault)

    def end_matches(self) -> None:
        """All games begin anew, in new matches: in one that went on, long games would be cut, short ones counted."""
        self.matches = [None] * len(self.matches)

    def choose(self, alone: bool) -> Bool[np.ndarray, " B"]:
        """Gives opponents to the groups whose matches are over, the learner itself, as each race in turn, if `alone`;
        returns the lanes that begin anew. Those with the same opponent go on."""
        need = [i for i, match in enumerate(self.matches) if match is None or match.quota.met]
        new = np.zeros(len(self.matches), bool)
        if need:
            if alone:
                drawn = [replace(self.learner, race=self.races[i % len(self.races)]) for i in need]
            else:
                drawn = ray.get(self.coordinator.matches.remote(self.learner.id, len(need)))
            for i, opponent in zip(need, drawn, strict=True):
                new[i] = self.matches[i] is None or self.matches[i].opponent != opponent
                self.matches[i] = Match(opponent, new_quota(self.match_games, self.per_group, going_on=not new[i]))
        return new.repeat(self.per_group)

    def current(self, own: Any) -> list[Entrant]:
        """The groups' opponents; `own` is the policy of the learner."""
        players = [match.opponent for match in self.matches]
        others = {player.id: player for player in players if player.id != self.learner.id}
        policies = {self.learner.id: own} | {name: self.policies.of(player) for name, player in others.items()}
        return [Entrant(policies[player.id], player.race) for player in players]

    def finish(self, lane: int) -> str | None:
        """Notes that a game in a lane is over; returns the opponent's id if the game counts."""
        group, place = divmod(lane, self.per_group)
        match = self.matches[group]
        counts, match.quota = match.quota.counts(place), match.quota.end(place)
        return match.opponent.id if counts else None
