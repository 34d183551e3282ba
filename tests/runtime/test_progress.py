"""What the progress of a stage says."""

import io

import jax.numpy as jnp
import pytest
from rich.console import Console

from asterism.runtime.progress import stage


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def plain() -> Console:
    return Console(file=io.StringIO(), force_terminal=False)


def test_lines_now_and_then_where_there_is_no_terminal():
    clock, console = Clock(), plain()
    with stage("league", 100, "games", console=console, clock=clock, every=20) as bar:
        for _ in range(100):
            clock.now += 0.5
            bar.advance(1, loss=jnp.float32(0.25), player="main")
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 3
    # 40 games in 20 seconds are 2 games/s; 60 are left.
    assert lines[0] == "league: 40/100 games  2 games/s  0:00:20 elapsed  0:00:30 left  loss 0.25  player main"
    assert lines[-1].startswith("league: 100/100 games  2") and "0:00:00 left" in lines[-1]


def test_what_an_earlier_run_did_counts_as_done_but_not_in_the_rate():
    clock, console = Clock(), plain()
    with stage("record", 1_000_000, "decisions", start=999_000, console=console, clock=clock) as bar:
        for _ in range(5):
            clock.now += 1
            bar.advance(100)
    line = console.file.getvalue().splitlines()[-1]
    assert line == "record: 999,500/1,000,000 decisions  100 decisions/s  0:00:05 elapsed  0:00:05 left"


def test_a_bar_on_a_terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with stage("supervised", 3, "steps", console=console) as bar:
        bar.advance(3, accuracy=0.5)
    text = console.file.getvalue()
    assert "supervised" in text and "3/3 steps" in text and "accuracy 0.5" in text


def test_an_error_passes_and_leaves_the_terminal_clean():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with pytest.raises(RuntimeError), stage("s", 3, "steps", console=console):
        raise RuntimeError
    assert console.file.getvalue().endswith("\x1b[?25h")  # the cursor is shown again
