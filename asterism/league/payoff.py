"""Who beats whom: decayed counts of wins and draws for every pair of players."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float


class Outcome(IntEnum):
    """How a game ended for its home player: the reward at its end."""

    LOSS = -1
    DRAW = 0
    WIN = 1


@dataclass(frozen=True)
class Result:
    """One finished game.

    `match_id` names the game once and for all: of two results with one id the first counts. It should follow from the
    game's place in the run (update, slot), so that a replayed run names its games alike. `update` is the index of the
    learner update at which the result came in.
    """

    match_id: str
    home: str
    away: str
    outcome: Outcome
    update: int


class Payoff:
    """Win rates between players, old games counting less (Vinyals et al. 2019, supplementary pseudocode, `Payoff`).

    Every new game of a pair first multiplies the pair's counts by `decay`. A loss is kept as the win of the other side,
    so the two orders of a pair cannot disagree. A game of a player against itself says nothing, and is not counted.
    """

    def __init__(self, decay: float = 0.99):
        self.decay = decay
        self._index: dict[str, int] = {}
        self._wins = np.zeros((0, 0))
        self._draws = np.zeros((0, 0))

    @property
    def players(self) -> tuple[str, ...]:
        """Ids of the players in the order in which they came, which is that of the rows and columns."""
        return tuple(self._index)

    def add(self, player: str) -> None:
        """Give a player a row and a column. Raises ValueError if it has one."""
        if player in self._index:
            raise ValueError(f"player {player!r} is in the payoff already")
        self._index[player] = len(self._index)
        self._wins = np.pad(self._wins, (0, 1))
        self._draws = np.pad(self._draws, (0, 1))

    def record(self, home: str, away: str, outcome: Outcome) -> None:
        """Count one game. Raises KeyError for a player that is not here."""
        i, j = self._index[home], self._index[away]
        if i == j:
            return
        for counts in (self._wins, self._draws):
            counts[i, j] *= self.decay
            counts[j, i] *= self.decay
        if outcome == Outcome.WIN:
            self._wins[i, j] += 1
        elif outcome == Outcome.LOSS:
            self._wins[j, i] += 1
        else:
            self._draws[i, j] += 1
            self._draws[j, i] += 1

    def win_rate(self, home: str, away: str) -> float:
        """(wins + draws / 2) / games of `home` against `away`; 0.5 for a pair without games."""
        return float(self.win_rates(home, [away])[0])

    def win_rates(self, home: str, away: Sequence[str]) -> Float[np.ndarray, " n"]:
        """`win_rate` against each of n opponents."""
        i, j = self._index[home], [self._index[player] for player in away]
        return _rate(self._wins[i, j], self._wins[j, i], self._draws[i, j])

    def counts(self, home: str, away: str) -> tuple[float, float, float]:
        """Decayed wins, draws and losses of `home` against `away`."""
        i, j = self._index[home], self._index[away]
        return float(self._wins[i, j]), float(self._draws[i, j]), float(self._wins[j, i])

    def games(self, home: str, away: str) -> float:
        """Decayed number of games of a pair, the same in both orders."""
        wins, draws, losses = self.counts(home, away)
        return wins + losses + draws

    def matrix(self) -> Float[np.ndarray, "players players"]:
        """Win rate of the row's player against the column's; 0.5 on the diagonal."""
        return _rate(self._wins, self._wins.T, self._draws)

    def games_matrix(self) -> Float[np.ndarray, "players players"]:
        """Decayed number of games of every pair; symmetric, 0 on the diagonal."""
        return self._wins + self._wins.T + self._draws


def _rate(wins: np.ndarray, losses: np.ndarray, draws: np.ndarray) -> np.ndarray:
    games = wins + losses + draws
    return np.where(games > 0, (wins + draws / 2) / np.where(games > 0, games, 1), 0.5)
