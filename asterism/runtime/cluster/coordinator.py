"""The coordinator: the league and its records, for all processes of a cluster."""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from asterism.league import (
    League,
    LeagueSettings,
    LeagueState,
    Player,
    PlayerKind,
    PopulationBasedTraining,
    Result,
    Snapshot,
    Store,
)
from asterism.league.pbt import model_for

AWAITED_SECONDS = 60.0
"""How long a coordinator that has started waits for learners to say how far they are."""
LENT_SECONDS = 600.0
"""How long an evaluator may take for its games before another gets the pair."""
DRAWN = 1024
"""Pairs that are drawn at a time."""


class Standing(NamedTuple):
    """What a learner is told when it reports."""

    done: int
    """Updates of all learners, without their warm-ups."""
    finished: bool
    """All updates are done."""
    due: bool
    """It is to add a frozen copy of itself."""
    resets: int = 0
    """How often it has been reset since it was born; it is to start over whenever that is more than it knows of."""


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
        self.updates, self.began = updates, time.monotonic()
        self.done = self.league.store.learner_updates()
        self.heard: set[str] = set()
        """Learners that have reported to this process."""
        self.lent: dict[frozenset[str], float] = {}
        """Thin pairs that an evaluator plays, and since when."""
        self.results = 0
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.rng = np.random.default_rng()

    def learners(self) -> list[Player]:
        """The learners, the first main agent first."""
        return [player for player in self.league.state.players.values() if player.is_learner]

    def record(self, results: Sequence[Result]) -> None:
        """Counts results, each match id once."""
        self.results += sum(self.league.record_results(results))
        for pair in self.lent.keys() & {frozenset((result.home, result.away)) for result in results}:
            del self.lent[pair]

    def matches(self, learner: str, count: int) -> list[Player]:
        """Opponents of a learner's next matches."""
        return [self.league.state.players[self.league.match(learner, self.rng).away] for _ in range(count)]

    def report(self, learner: str, done: int, steps: int, row: dict[str, float] | None = None) -> Standing:
        """Notes how far a learner is; `row`: metrics to be logged."""
        behind, known = done < self.done.get(learner, 0), self.league.state.steps[learner]
        self.done[learner] = done
        self.heard.add(learner)
        # Updates of a learner that has lost its machine are lost with it; its steps were taken all the same.
        if steps > known or behind:
            self.league.record_steps({learner: max(steps, known)}, done)
        total = sum(self.done.values())
        if row is not None:
            self.rows.append((total, row))
        due, resets = self.league.ready_to_checkpoint(learner), self.league.state.resets[learner]
        return Standing(total, total >= self.updates and self.all_heard(), due, resets)

    def all_heard(self) -> bool:
        """Whether it is known how far all learners are: who has not reported may have fallen behind what is on record.
        One that does not come back is not waited for."""
        return len(self.heard) == len(self.learners()) or time.monotonic() - self.began > AWAITED_SECONDS

    def checkpoint(self, learner: str, weights: Snapshot, steps: int, done: int) -> int:
        """Adds a frozen copy of a learner; returns how often the learner has been reset since it was born."""
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
        """A pair of frozen players that has met less than `games` times and that no evaluator plays, drawn evenly, and
        the games that are missing. None if there is no such pair."""
        state, now = self.league.state, time.monotonic()
        self.lent = {pair: since for pair, since in self.lent.items() if now - since < LENT_SECONDS}
        pair = draw_thin_pair(state, games, self.lent, self.rng)
        if pair is None:
            return None
        self.lent[frozenset(pair)] = now
        home, away = pair
        return state.players[home], state.players[away], games - int(state.totals.games(home, away))

    def progress(self) -> Progress:
        """How far training is."""
        rows, self.rows = self.rows, []
        state = self.league.state
        done = {learner: self.done[learner] for learner in self.heard}
        return Progress(done, sum(state.steps.values()), self.results, len(state.players), rows)


def draw_thin_pair(
    state: LeagueState, games: int, taken: Iterable[frozenset[str]], rng: np.random.Generator
) -> tuple[str, str] | None:
    """Two frozen players that have met less than `games` times, drawn evenly but for the pairs that are taken.

    Thousands of players have millions of pairs, so these are drawn until one fits, rather than listed.
    """
    frozen = state.of_kind(PlayerKind.HISTORICAL)
    places = frozen.places
    number, key = len(frozen), np.array([len(state.players), 1])
    pairs, counts = state.totals.pairs()
    met = pairs[np.isin(pairs, places).all(1) & (counts.sum(1) >= games)]
    place = dict(zip(frozen, places.tolist(), strict=True))
    lent = np.array([sorted(place[name] for name in pair) for pair in taken], int).reshape(-1, 2)
    out = np.unique(np.concatenate([met, lent]) @ key)
    if len(out) == number * (number - 1) // 2:
        return None
    while True:
        low, high = np.sort(rng.integers(number, size=(2, DRAWN)), axis=0)
        fits = (low < high) & ~np.isin(np.stack([places[low], places[high]], 1) @ key, out)
        if fits.any():
            first = int(np.argmax(fits))
            return frozen[int(low[first])], frozen[int(high[first])]
