"""kill -9 at random moments: started again, a run ends with the weights and the records of one that was not killed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asterism.league import Store

SCRIPT = Path(__file__).with_name("run_to_kill.py")
KILLS = 2


def start(stage: str, folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, SCRIPT, stage, folder], stdout=subprocess.PIPE, text=True)


def to_the_end(stage: str, folder: Path) -> tuple[str, int, float]:
    """The hash of the weights, the rows that were logged, and the seconds from the first to the end."""
    rows, began, weights = 0, time.monotonic(), ""
    with start(stage, folder) as process:
        for line in process.stdout:
            kind, value = line.split()[:2] if line.startswith(("update", "weights")) else ("", "")
            began = time.monotonic() if kind == "update" and not rows else began
            rows += kind == "update"
            weights = value if kind == "weights" else weights
    assert process.returncode == 0
    return weights, rows, time.monotonic() - began


def killed(stage: str, folder: Path, seconds: float) -> bool:
    """Starts it, and kills it so long after its first row; whether it had not yet ended."""
    with start(stage, folder) as process:
        next(line for line in process.stdout if line.startswith(("update", "weights")))
        time.sleep(seconds)
        alive = process.poll() is None
        process.kill()
    return alive


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
    weights, rows, seconds = to_the_end(stage, whole)
    chance = random.Random(0)
    kills = sum(killed(stage, again, chance.uniform(0.1, 0.6) * seconds) for _ in range(KILLS))
    ended, left, _ = to_the_end(stage, again)
    assert kills and left < rows, "it was killed, and went on where it had been"
    assert ended == weights and records(again) == records(whole)
