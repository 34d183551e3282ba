"""Who beats whom: decayed counts of wins and draws for every pair of players."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Int


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

    Every new game of a pair first multiplies the pair's counts by `decay`. A pair is kept once, whatever its order, so
    the two orders cannot disagree; one that has not met takes no memory, since of a large league's pairs most never do.
    A game of a player against itself says nothing, and is not counted. The *place* of a player is the number of players
    that came before it.
    """

    def __init__(self, decay: float = 0.99):
        self.decay = decay
        self._places: dict[str, int] = {}
        # Arrays of the standard library: they grow in place, and change in one entry faster than NumPy's.
        self._pairs: dict[tuple[int, int], tuple[int, int, int]] = {}
        """Of the places of a pair, the lower first: where its counts begin, and where each has the other in `_met`."""
        self._ends = array("q")
        """Their places, pair after pair."""
        self._counts = array("d")
        """Wins of the lower place, draws, wins of the higher one, pair after pair."""
        self._met: list[array] = []
        """For each player the places of those that it has met."""
        self._rates: list[array] = []
        """In step with `_met`: its win rates against them."""

    @property
    def players(self) -> tuple[str, ...]:
        """Ids of the players in the order in which they came, which is that of the rows and columns."""
        return tuple(self._places)

    def add(self, player: str) -> None:
        """Give a player a row and a column. Raises ValueError if it has one."""
        if player in self._places:
            raise ValueError(f"player {player!r} is in the payoff already")
        self._places[player] = len(self._places)
        self._met.append(array("q"))
        self._rates.append(array("d"))

    def record(self, home: str, away: str, outcome: Outcome) -> None:
        """Count one game. Raises KeyError for a player that is not here."""
        i, j = self._places[home], self._places[away]
        if i == j:
            return
        low, high, outcome = (i, j, outcome) if i < j else (j, i, -outcome)
        at, in_low, in_high = self._pairs.get((low, high)) or self._new_pair(low, high)
        counts, decay = self._counts, self.decay
        counts[at] *= decay
        counts[at + 1] *= decay
        counts[at + 2] *= decay
        counts[at + 1 - outcome] += 1
        wins, draws, losses = counts[at], counts[at + 1], counts[at + 2]
        self._rates[low][in_low] = _rate(wins, draws, losses)
        self._rates[high][in_high] = _rate(losses, draws, wins)

    def forget(self, player: str) -> None:
        """Leave a player without games. Raises KeyError if it is not here."""
        place = self._places[player]
        for other in self._met[place]:
            low, high = min(place, other), max(place, other)
            at, in_low, in_high = self._pairs[low, high]
            self._counts[at : at + 3] = array("d", (0.0, 0.0, 0.0))
            self._rates[low][in_low] = self._rates[high][in_high] = 0.5

    def win_rate(self, home: str, away: str) -> float:
        """(wins + draws / 2) / games of `home` against `away`; 0.5 for a pair without games."""
        return _rate(*self.counts(home, away))

    def win_rates(self, home: str, away: Sequence[str]) -> Float[np.ndarray, " n"]:
        """`win_rate` against each of n opponents."""
        return self.row(home)[np.array([self._places[player] for player in away], int)]

    def row(self, home: str) -> Float[np.ndarray, " players"]:
        """`win_rate` against everybody, in order of entry; 0.5 against itself."""
        place = self._places[home]
        rates = np.full(len(self._places), 0.5)
        rates[np.array(self._met[place])] = self._rates[place]
        return rates

    def counts(self, home: str, away: str) -> tuple[float, float, float]:
        """Decayed wins, draws and losses of `home` against `away`."""
        i, j = self._places[home], self._places[away]
        pair = self._pairs.get((min(i, j), max(i, j)))
        if pair is None:
            return 0.0, 0.0, 0.0
        wins, draws, losses = self._counts[pair[0] : pair[0] + 3]
        return (wins, draws, losses) if i < j else (losses, draws, wins)

    def games(self, home: str, away: str) -> float:
        """Decayed number of games of a pair, the same in both orders."""
        wins, draws, losses = self.counts(home, away)
        return wins + losses + draws

    def matrix(self) -> Float[np.ndarray, "players players"]:
        """Win rate of the row's player against the column's; 0.5 on the diagonal."""
        n = len(self._places)
        return np.array([self.row(player) for player in self._places]).reshape(n, n)

    def games_matrix(self) -> Float[np.ndarray, "players players"]:
        """Decayed number of games of every pair; symmetric, 0 on the diagonal."""
        games = np.zeros((len(self._places), len(self._places)))
        pairs, counts = self.pairs()
        (low, high), (wins, draws, losses) = pairs.T, counts.T
        games[low, high] = games[high, low] = wins + losses + draws
        return games

    def pairs(self) -> tuple[Int[np.ndarray, "pairs 2"], Float[np.ndarray, "pairs 3"]]:
        """Places of the pairs that have met, the lower first; wins of the lower, draws, wins of the other."""
        return np.array(self._ends, int).reshape(-1, 2), np.array(self._counts, float).reshape(-1, 3)

    def restore(self, pairs: Int[np.ndarray, "pairs 2"], counts: Float[np.ndarray, "pairs 3"]) -> None:
        """Take over what `pairs` gave, among the same players without games."""
        for (low, high), (wins, draws, losses) in zip(pairs.tolist(), counts.tolist(), strict=True):
            at, in_low, in_high = self._new_pair(low, high)
            self._counts[at : at + 3] = array("d", (wins, draws, losses))
            self._rates[low][in_low] = _rate(wins, draws, losses)
            self._rates[high][in_high] = _rate(losses, draws, wins)

    def _new_pair(self, low: int, high: int) -> tuple[int, int, int]:
        pair = self._pairs[low, high] = len(self._counts), len(self._met[low]), len(self._met[high])
        self._ends.extend((low, high))
        self._counts.extend((0.0, 0.0, 0.0))
        for one, other in ((low, high), (high, low)):
            self._met[one].append(other)
            self._rates[one].append(0.5)
        return pair


def _rate(wins: float, draws: float, losses: float) -> float:
    games = wins + losses + draws
    return (wins + draws / 2) / games if games else 0.5
