"""Every example runs from the command line, as a newcomer would run it, and reports what it has played."""

import re
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from asterism.game.settings import GameSettings
from asterism.runtime.agents import save_agent
from asterism.runtime.setup import Setup, make_tools

ROOT = Path(__file__).parent.parent
# In 64 game loops, two steps, nobody has lost all structures: what ends ends because time is up.
TIES = r"\b0 wins +2 draws +0 losses"
CASES = {
    "cycles.py": (
        "--out /dev/null --updates 200 --seeds 1 --measures 1",
        # What self-play's past does not know, exploiters have found.
        r"self-play, Nash +0\.9\d\d .*\n.*\n.*\n +league, Nash +0\.[0-5]",
    ),
    "gymnasium_game.py": (
        "--games 2 --time-limit 64",
        r"game 2 as player [01]: time was up after [12] decisions, 64 loops",
    ),
    "host_games.py": (
        "--seeds 3",
        # Chance wins one game in five.
        r"(seed \d: .* (9\d|100)% of the last 200\n +\d+ games, [1-9]\d* environments crashed .*\n.*\n){3}",
    ),
    "jax_games.py": (
        "--games 2 --steps 5 --time-limit 64",
        "2 games side by side, 4 came to their end, 0 with a winner",
    ),
    "pettingzoo_game.py": ("--time-limit 64", r"player_1: time was up with \d+ minerals, supply 1[23]"),
    "play_a_game.py": ("--games 2 --time-limit 64", TIES),
    "use_an_agent.py": (
        "AGENT",
        r"time was up after [12] decisions, 64 loops\nestimated, .*: -?0.\d\d at first, -?0.\d\d at last",
    ),
    "vectorised_games.py": ("--games 2 --steps 6 --time-limit 64", r"2 games side by side, [4-6] came to their end"),
    "write_a_bot.py": ("--games 2 --time-limit 64", TIES),
}
"""Arguments of each example, and what it then says. AGENT is the folder of one."""


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    """An agent that has learned nothing."""
    folder, setup = tmp_path_factory.mktemp("agent"), Setup(game=GameSettings(time_limit=64))
    save_agent(folder, "agent", make_tools(setup).network.init(jax.random.key(0)), setup)
    return str(folder)


@pytest.mark.parametrize("name", CASES)
def test_example_runs_and_says_what_it_played(name, agent):
    arguments, expected = CASES[name]
    command = [sys.executable, str(ROOT / "examples" / name), *arguments.replace("AGENT", agent).split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(expected, done.stdout), done.stdout


def test_no_example_is_left_out():
    assert set(CASES) == {path.name for path in (ROOT / "examples").glob("*.py")}
