"""The coordinator: the league and its records, for all processes of a cluster."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asterism.league import (
    League,
    LeagueSettings,
    Player,
    PlayerKind,
    PopulationBasedTraining,
    Result,
    Snapshot,
    Store,
)
from asterism.league.pbt import model_for


class Standing(NamedTuple):
    """What a learner is told when it reports."""

    done: int
    """Updates of all learners, without their warm-ups."""
    finished: bool
    """All updates are done."""
    due: bool
    """It is to add a frozen copy of itself."""


class Progress(NamedTuple):
    """How far training is."""

    done: dict[str, int]
    """Updates of each learner that has reported to the coordinator's process."""
    steps: int
    """Agent steps of all learners."""
    results: int
    """New results since the coordinator's process started."""
    players: int
    rows: list[tuple[int, dict[str, float]]]
    """What learners have logged since the last question, by updates done."""


class Coordinator:
    """One process of the cluster owns the league. Each method returns when what it wrote is on the disk, and may be
    called again when nobody knows whether it was: a result counts once by its match id, a copy by its weights.

    Everything else is told again by the others after a restart.
    """

    def __init__(
        self, where: str, owner: str | None, settings: LeagueSettings, teachers: dict[str, Snapshot], updates: int
    ):
        """Opens the records (as `Store` does), and founds the league if it is new.

        Args:
          teachers: the founder's weights by race.
          updates: after which training is finished.
        """
        self.league = League(Store(where, owner=owner), settings)
        if not self.league.state.players:
            self.league.populate(teachers)
        self.updates = updates
        self.done = self.league.store.learner_updates()
        self.results = 0
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.rng = np.random.default_rng()

    def learners(self) -> list[Player]:
        """The learners, the first main agent first."""
        return [player for player in self.league.state.players.values() if player.is_learner]

    def record(self, results: Sequence[Result]) -> None:
        """Counts results, each match id once."""
        self.results += sum(self.league.record_results(results))

    def matches(self, learner: str, count: int) -> list[Player]:
        """Opponents of a learner's next matches."""
        return [self.league.state.players[self.league.match(learner, self.rng).away] for _ in range(count)]

    def report(self, learner: str, done: int, steps: int, row: dict[str, float] | None = None) -> Standing:
        """Notes how far a learner is; `row`: metrics to be logged."""
        self.done[learner] = done
        # A learner that has lost its machine is some way behind what is on record.
        if steps > self.league.state.steps[learner]:
            self.league.record_steps({learner: steps}, done)
        total = sum(self.done.values())
        if row is not None:
            self.rows.append((total, row))
        return Standing(total, total >= self.updates, self.league.ready_to_checkpoint(learner))

    def checkpoint(self, learner: str, weights: Snapshot, steps: int, done: int) -> int:
        """Adds a frozen copy of a learner; returns how often the learner has been reset since it was born.

        The learner is to start over whenever that is more than it knows of.
        """
        state = self.league.state
        if all(state.players[copy].weights != weights for copy in state.copies(learner)):
            self.league.checkpoint(learner, weights, steps, done, self.rng)
        return state.resets[learner]

    def history(self, learner: str) -> tuple[int, int]:
        """Agent steps and resets of a learner, as they are on record."""
        return self.league.state.steps[learner], self.league.state.resets[learner]

    def model(self, learner: str, rule: PopulationBasedTraining) -> str | None:
        """The learner from which another takes over, if one is enough better."""
        return model_for(self.league.state, learner, rule)

    def thin_pair(self, games: int) -> tuple[Player, Player, int] | None:
        """A pair of frozen players that has met less than `games` times, drawn evenly, and the games that are missing.
        None if there is no such pair."""
        state = self.league.state
        frozen = state.of_kind(PlayerKind.HISTORICAL)
        pairs = [(one, other) for i, one in enumerate(frozen) for other in frozen[i + 1 :]]
        thin = [pair for pair in pairs if state.totals.games(*pair) < games]
        if not thin:
            return None
        home, away = thin[self.rng.integers(len(thin))]
        return state.players[home], state.players[away], games - int(state.totals.games(home, away))

    def progress(self) -> Progress:
        """How far training is."""
        rows, self.rows = self.rows, []
        state = self.league.state
        return Progress(dict(self.done), sum(state.steps.values()), self.results, len(state.players), rows)
