"""kill -9 at random moments: started again, a run ends with the weights and the records of one that was not killed."""

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from asterism.league import Store

SCRIPT = Path(__file__).with_name("run_to_kill.py")
KILLS = 2


def start(stage: str, folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, SCRIPT, stage, folder], stdout=subprocess.PIPE, text=True)


def to_the_end(stage: str, folder: Path) -> tuple[str, int]:
    """The hash of the weights, and the rows that were logged."""
    rows, weights = 0, ""
    with start(stage, folder) as process:
        for line in process.stdout:
            rows += line.startswith("update")
            weights = line.split()[1] if line.startswith("weights") else weights
    assert process.returncode == 0
    return weights, rows


def killed(stage: str, folder: Path, rows: int) -> bool:
    """Starts it, and kills it when it has logged so many rows; whether it had not yet ended."""
    with start(stage, folder) as process:
        logged = sum(1 for _ in islice((line for line in process.stdout if line.startswith("update")), rows))
        process.kill()
    return logged == rows


def records(folder: Path):
    """The league, if there is one."""
    path = folder / "run" / "league.sqlite"
    if not path.exists():
        return None
    state = Store(path, create=False).load(0.99)
    return state.players, state.steps, state.resets, state.payoff.matrix().tolist()


@pytest.mark.parametrize("stage", ["supervised", "league"])
def test_a_killed_run_ends_as_one_that_was_not(stage, tmp_path):
    whole, again = tmp_path / "whole", tmp_path / "again"
    weights, rows = to_the_end(stage, whole)
    chance = random.Random(0)
    assert all(killed(stage, again, chance.randint(rows // 8, rows // 4)) for _ in range(KILLS))
    ended, left = to_the_end(stage, again)
    assert left < rows, "it went on where it had been"
    assert ended == weights and records(again) == records(whole)
