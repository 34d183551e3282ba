"""Which of a league's players becomes the agent: all play the teacher, the better half plays on, until one is left.

Reinforcement learning on few games wanders: an earlier copy of the main agent is often stronger than the last. These
games decide it; they are not those of the evaluation.
"""

import json
from pathlib import Path
from typing import Any

from asterism.files import write_atomic
from asterism.runtime.matches import Matches, Score
from asterism.runtime.progress import stage
from asterism.runtime.report import read_json

FIRST_SEED = 1_000_000
"""Far from the seeds with which people evaluate."""


def rounds(players: int) -> list[int]:
    """How many play in each round: 7, 4, 2."""
    return [] if players < 2 else [players, *rounds(-(-players // 2))]


def playoff(
    path: Path,
    matches: Matches,
    candidates: dict[str, Any],
    opponent: Any,
    games: int,
    seed: int,
    races: tuple[int, int] = (0, 0),
) -> tuple[str, dict[str, Score]]:
    """Plays it and returns the winner's name, and everybody's games.

    Args:
      path: file of the results so far; the same call goes on after the last of them.
      candidates: policies by name; of equals the first is preferred.
      opponent: the policy that all of them play.
      games: of each candidate in each round.
      races: as in `Matches.score`.
    """
    played = read_json(path)
    scores = {name: Score(0, 0, 0) for name in candidates}
    left = list(candidates)
    deficit = lambda name: scores[name].losses - scores[name].wins  # noqa: E731
    with stage("playoff", games * sum(rounds(len(left))), "games") as bar:
        for number, size in enumerate(rounds(len(left))):
            left = sorted(left, key=deficit)[:size]
            for name in left:
                key = f"{name} {number}"
                if key in played:
                    bar.advance(games)
                else:
                    # The same games for all who play in a round.
                    chance = FIRST_SEED + 1000 * seed + number
                    played[key] = matches.score(candidates[name], opponent, games, chance, bar, races)
                    write_atomic(path, json.dumps(played))
                scores[name] = Score(*(a + b for a, b in zip(scores[name], played[key], strict=True)))
    return min(left, key=deficit), scores
