"""How a learner's games went, by opponent, between two entries in the metrics."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Tally:
    """Games of one learner."""

    player: str
    """The learner."""
    games: dict[str, tuple[float, int]] = field(default_factory=dict)
    """By opponent, the rewards of the games since the last entry, added up, and their number."""

    def count(self, opponent: str, reward: float) -> None:
        """A game has ended."""
        total, games = self.games.get(opponent, (0.0, 0))
        self.games[opponent] = total + reward, games + 1

    def win_rates(self) -> dict[str, float]:
        """Win rates since the last call: against the learner itself (`self`), and against others, each together with
        its frozen copies."""
        lines: dict[str, np.ndarray] = {}
        for opponent, added in self.games.items():
            line = "self" if opponent == self.player else opponent.partition(".")[0]
            lines[line] = lines.get(line, np.zeros(2)) + added
        self.games.clear()
        return {line: float(total / games + 1) / 2 for line, (total, games) in lines.items()}
