"""The league: its records, its state and its decisions in one place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from threading import Lock
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from asterism.league.checkpoints import ready_to_checkpoint, resets_after_checkpoint
from asterism.league.matchmaking import choose_opponent
from asterism.league.payoff import Result
from asterism.league.player import Player, PlayerKind, Snapshot, learner_id
from asterism.league.ratings import Interval, elo, elo_error, nash, wilson
from asterism.league.settings import LeagueSettings
from asterism.league.store import Store

RESULTS_PER_COUNTS = 100_000
"""Results from one time that the payoff's counts are stored to the next: opening a league plays back fewer."""


class Match(NamedTuple):
    """A game to play. `home` learns; `away` is itself, another learner or a historical player."""

    home: str
    away: str


class Checkpoint(NamedTuple):
    """A copy that joined the league, and the weights to which its learner must now return (None: go on)."""

    copy: Player
    reset_to: Snapshot | None


class Worst(NamedTuple):
    """Whom a player does worst against, and how often it wins there: of all games, with the 95% Wilson interval."""

    opponent: str
    interval: Interval


class LeagueReport(NamedTuple):
    """The league in figures, one row for each player in order of entry."""

    players: tuple[Player, ...]
    steps: dict[str, int]
    """Agent steps of each learner."""
    resets: dict[str, int]
    """Resets of each learner."""
    win_rates: Float[np.ndarray, "n n"]
    """Decayed win rate of the row's player against the column's."""
    games: Float[np.ndarray, "n n"]
    """Decayed number of games behind each win rate."""
    elo: Float[np.ndarray, " n"]
    """Elo points above the first player, which is the supervised teacher."""
    elo_error: Float[np.ndarray, " n"]
    """Half the width of the 95% interval of each."""
    nash: Float[np.ndarray, " n"]
    """Nash distribution of the frozen players, from which the paper draws the final agent; 0 for learners, which have
    few games as they are now."""
    robustness: tuple[Worst | None, ...]
    """The frozen player that each does worst against, of those it has met."""


def founding_players(settings: LeagueSettings, teachers: Mapping[str, Snapshot | None]) -> list[Player]:
    """The players of a new league: for each race its teacher, then the learners that start from it."""
    players = []
    for race, weights in teachers.items():
        teacher = Player(f"teacher_{race}", PlayerKind.HISTORICAL, race, weights=weights)
        players.append(teacher)
        for kind, count in settings.learners_per_race().items():
            ids = [learner_id(kind, race, number) for number in range(count)]
            players += [Player(learner, kind, race, parent=teacher.id) for learner in ids]
    return players


class League:
    """A league that remembers: all is in the store before it counts, and opening the store again gives the same league.

    To resume a run from a training checkpoint of update u, open the league and call `truncate_after(u)`; hence write
    whatever belongs to update u here before that checkpoint. Given the same random generators the same things happen
    again. Threads may share it. Methods raise UserError if the store cannot be read or written, ValueError or KeyError
    for players that are not there.
    """

    def __init__(self, store: Store, settings: LeagueSettings | None = None):
        self.store = store
        self.settings = settings or LeagueSettings()
        self.state = store.load(self.settings.decay)
        self._uncounted = store.uncounted()
        # Matches need not wait for the disk: a writer holds the second lock only while it changes the state.
        self._writing, self._changing = Lock(), Lock()

    def populate(self, teachers: Mapping[str, Snapshot], update: int = 0) -> None:
        """Found the league: for each race its teacher, with its weights, and the learners of the settings.

        Everybody gets in, or nobody. Raises ValueError in a league that has players.
        """
        if self.state.players:
            raise ValueError("the league has players already")
        self._enter(founding_players(self.settings, teachers), update)

    def add_teacher(self, player_id: str, race: str, weights: Snapshot, update: int = 0) -> Player:
        """Add a supervised agent as a historical player without parent."""
        teacher = Player(player_id, PlayerKind.HISTORICAL, race, weights=weights)
        self._enter([teacher], update)
        return teacher

    def add_learner(self, player_id: str, kind: PlayerKind, teacher: str, update: int = 0) -> Player:
        """Add a learner that starts from a teacher, plays its race, and is reset to its weights."""
        parent = self.state.players[teacher]
        if kind is PlayerKind.HISTORICAL or parent.is_learner:
            raise ValueError(f"{player_id!r} must be of a learner's kind, and start from a historical player")
        learner = Player(player_id, kind, parent.race, parent=teacher)
        self._enter([learner], update)
        return learner

    def add_historical(self, learner_id: str, weights: Snapshot, steps: int, update: int) -> Player:
        """Let in a copy of a learner as it is after `steps` agent steps."""
        return self._add_copy(learner_id, weights, steps, update, reset_to=None)

    def checkpoint(
        self, learner_id: str, weights: Snapshot, steps: int, update: int, rng: np.random.Generator
    ) -> Checkpoint:
        """`add_historical`, and with it, in one transaction, whether the learner goes back to its teacher."""
        learner = self.state.learner(learner_id)
        resets = resets_after_checkpoint(learner.kind, self.settings, rng)
        reset_to = self.state.players[learner.parent].weights if resets else None
        return Checkpoint(self._add_copy(learner_id, weights, steps, update, reset_to), reset_to)

    def ready_to_checkpoint(self, learner_id: str) -> bool:
        """Whether a learner should add a copy of itself now, by its win rates and the steps noted last."""
        with self._changing:
            return ready_to_checkpoint(self.state, learner_id, self.settings)

    def match(self, learner_id: str, rng: np.random.Generator) -> Match:
        """A learner's next game."""
        with self._changing:
            return Match(learner_id, choose_opponent(self.state, learner_id, self.settings, rng))

    def check_players(self, results: Iterable[Result]) -> None:
        """Raises KeyError for a result of somebody who is not in the league."""
        for result in results:
            for player in (result.home, result.away):
                if player not in self.state.players:
                    raise KeyError(f"match {result.match_id!r} names the unknown player {player!r}")

    def record_results(self, results: Sequence[Result]) -> list[bool]:
        """Count finished games in their order, each match id once, and say which of them were new."""
        self.check_players(results)
        with self._writing:
            is_new = self.store.add_results(results)
            with self._changing:
                for result in compress(results, is_new):
                    self.state.record(result.home, result.away, result.outcome)
            self._uncounted += sum(is_new)
            if self._uncounted >= RESULTS_PER_COUNTS:
                self.store.add_counts(self.state)
                self._uncounted = 0
        return is_new

    def record_steps(self, steps: Mapping[str, int], update: int) -> None:
        """Note how many agent steps learners have taken since the beginning; a reset does not set them back."""
        for learner in steps:
            self.state.learner(learner)
        with self._writing:
            self.store.add_steps(steps, update)
            self.state.steps.update(steps)

    def truncate_after(self, update: int) -> None:
        """Take the league back to what it was at the end of a learner update."""
        with self._writing, self._changing:
            self.store.truncate_after(update)
            self.state = self.store.load(self.settings.decay)
            self._uncounted = self.store.uncounted()

    def report(self) -> LeagueReport:
        """The league in figures. Raises ValueError in a league without players."""
        state = self.state
        with self._changing:
            players, steps, resets = tuple(state.players.values()), dict(state.steps), dict(state.resets)
            win_rates, games = state.payoff.matrix(), state.payoff.games_matrix()
            all_rates, all_games = state.totals.matrix(), state.totals.games_matrix()
        points = elo(win_rates, games)
        frozen = np.array([not player.is_learner for player in players])
        mixture = np.zeros(len(players))
        mixture[frozen] = nash(win_rates[np.ix_(frozen, frozen)])
        # Whoever still learns, or has not been met, is nobody's worst opponent.
        worst = np.where(frozen & (all_games > 0), all_rates, np.inf)
        return LeagueReport(
            players=players,
            steps=steps,
            resets=resets,
            win_rates=win_rates,
            games=games,
            elo=points,
            elo_error=elo_error(points, games),
            nash=mixture,
            robustness=tuple(self._worst(player.id, row) for player, row in zip(players, worst, strict=True)),
        )

    def _worst(self, player: str, win_rates: Float[np.ndarray, " n"]) -> Worst | None:
        """The opponent with the lowest win rate, if one is finite."""
        place = int(np.argmin(win_rates))
        if np.isinf(win_rates[place]):
            return None
        opponent = self.state.ids[place]
        return Worst(opponent, wilson(*self.state.totals.counts(player, opponent)))

    def _enter(self, players: Sequence[Player], update: int) -> None:
        with self._writing:
            taken = [player.id for player in players if player.id in self.state.players]
            if taken:
                raise ValueError(f"players {', '.join(taken)} are in the league already")
            self.store.add_players(players, update)
            with self._changing:
                for player in players:
                    self.state.add(player)

    def _add_copy(
        self, learner_id: str, weights: Snapshot, steps: int, update: int, reset_to: Snapshot | None
    ) -> Player:
        learner = self.state.learner(learner_id)
        with self._writing:
            copy = replace(
                learner,
                id=f"{learner_id}.{len(self.state.copies(learner_id)) + 1}",
                kind=PlayerKind.HISTORICAL,
                parent=learner_id,
                weights=weights,
                steps=steps,
                of_kind=learner.kind,
            )
            self.store.add_copy(copy, update, reset_to)
            with self._changing:
                self.state.add(copy)
                self.state.steps[learner_id] = steps
                if reset_to is not None:
                    self.state.reset(learner_id, steps)
        return copy
