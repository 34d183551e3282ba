"""Every example runs from the command line, as a newcomer would run it, and reports all of its games."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TINY = ["--games", "2", "--time-limit", "64"]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs_and_counts_its_games(name):
    command = [sys.executable, str(ROOT / "examples" / name), *TINY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    # In 64 game loops nobody has lost all structures: both games are ties.
    assert re.search(r"\b0 wins +2 draws +0 losses", done.stdout), done.stdout


def test_there_are_examples():
    assert len(EXAMPLES) >= 2
