"""Which games of a match count: as many of each lane, those that it begins first.

Lanes play side by side, and all of them until the last has finished its share. If instead a match ended with the n-th
game that ends in any of them, long games would be cut off where short ones count, and win rates were those of players
who win quickly.
"""

from typing import NamedTuple


class Quota(NamedTuple):
    """The games of a match, in lanes that meet the same opponent."""

    each: int
    """Games that count in each lane."""
    ended: tuple[int, ...]
    """By lane, the games that have ended; -1 where one goes on that began before the match, and does not count."""

    def counts(self, lane: int) -> bool:
        """Whether the game that goes on in a lane is one of the match."""
        return 0 <= self.ended[lane] < self.each

    def end(self, lane: int) -> "Quota":
        """The same after the end of a lane's game."""
        return self._replace(ended=(*self.ended[:lane], self.ended[lane] + 1, *self.ended[lane + 1 :]))

    @property
    def met(self) -> bool:
        """Whether all games of the match have ended."""
        return min(self.ended) >= self.each


def new_quota(games: int, lanes: int, going_on: bool) -> Quota:
    """A match of at least so many games, in lanes that begin anew, or whose games go on."""
    return Quota(-(-games // lanes), (-1 if going_on else 0,) * lanes)
