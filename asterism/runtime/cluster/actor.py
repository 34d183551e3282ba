"""An actor: plays a learner's games, when and as the learner asks, and sends their results to the coordinator."""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from asterism.league import Outcome, Player, Result
from asterism.runtime.cluster.opponents import Opponents
from asterism.runtime.cluster.outbox import Outbox
from asterism.runtime.cluster.processes import begin
from asterism.runtime.cluster.program import Entrant, Games
from asterism.runtime.cluster.settings import Schedule


class Collection(NamedTuple):
    """What an actor hands to its learner."""

    version: int
    """The learner's update after which its policy was as it played."""
    batch: Any
    games: list[tuple[str, float]]
    """Opponent and reward of each game that ended and counts."""


class Actor:
    """Games in progress of one learner. A match id names the process (a new one has a new id), the game's place in it,
    and so a game once and for all."""

    def __init__(
        self,
        program: list,
        learner: Player,
        races: Sequence[str],
        schedule: Schedule,
        devices: int,
        coordinator: Any,
        vault: Any,
    ):
        """`races`: all of the league."""
        self.program, self.learner, self.schedule = begin(program, devices), learner, schedule
        self.id = uuid.uuid4().hex
        self.key = jax.random.key(int(self.id[:8], 16))
        lanes, groups = self.program.lanes, self.program.groups
        self.workers = self.program.start(jax.random.split(self.key, lanes))
        self.opponents = Opponents(learner, races, groups, lanes, schedule.match_games, coordinator, vault)
        self.outbox = Outbox(coordinator, self.acknowledged)
        self.collections, self.games = 0, 0

    def collect(self, version: int, policy: Any, fresh: bool) -> Collection:
        """Plays on with the learner's policy after its update number `version`.

        Args:
          fresh: all games begin anew: the learner does not remember them, or was another one.
        """
        self.collections += 1
        lanes, alone = self.program.lanes, version < self.schedule.warm_up
        if fresh:
            self.opponents.end_matches()
        # Beyond the warm-up a game that is cut would be one of a match, and more often a long one.
        restart = self.opponents.choose(alone) | (self.spread() & alone)
        own, opponents = Entrant(policy, self.learner.race), self.opponents.current(policy)
        keys = jax.random.split(jax.random.fold_in(self.key, self.collections), lanes)
        self.workers, batch, games = self.program.collect(own, opponents, self.workers, restart, keys)
        results = self.results(games, version)
        self.outbox.add(results)
        return Collection(version, jax.device_get(batch), [(one.away, float(one.outcome)) for one in results])

    def flush(self) -> None:
        """Waits until all results are on the coordinator's disk."""
        self.outbox.empty()

    def spread(self) -> np.ndarray:
        """Lanes that begin anew in a collection of the burn-in, a few in each: or else all games end together."""
        lanes = np.arange(self.program.lanes)
        return lanes * self.schedule.burn_in // len(lanes) == self.collections - 1

    def results(self, games: Games, version: int) -> list[Result]:
        """The games that ended and count, in their order."""
        done, reward = np.asarray(games.done), np.asarray(games.reward)
        found = []
        for step, lane in zip(*np.nonzero(done), strict=True):
            outcome, opponent = Outcome(int(np.sign(reward[step, lane]))), self.opponents.finish(int(lane))
            if opponent is not None:
                found.append(Result(f"{self.id}/{self.games}", self.learner.id, opponent, outcome, version))
                self.games += 1
        return found

    def acknowledged(self, results: Sequence[Result]) -> None:
        """Called with results that are on the coordinator's disk."""
