"""`asterism play`: what it refuses."""

from pathlib import Path

import pytest

from asterism.cli import VERBS, main, parse
from asterism.runtime.play import PlayConfig


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("", "needs a run's folder or --bots with two names"),
        ("--bots terran", "needs a run's folder or --bots with two names"),
        ("runs/x --bots terran zerg", "needs a run's folder or --bots with two names"),
        ("--bots terran orc", "unknown bot 'orc': name a level (VeryEasy, "),
        ("--bots terran zerg --fog 3", "--fog is 3: give 1 or 2"),
        ("--bots terran zerg --minutes 0", "--minutes is 0: it must be at least 1"),
        ("--bots terran zerg --render game.avi", "a name that ends in .gif or .mp4"),
        ("--bots terran zerg --sheet game.gif", "a name that ends in .png"),
        ("--bots terran zerg --map nowhere", "'nowhere'"),
        ("runs/x --sheet game.png", "--sheet goes with --bots only"),
    ],
)
def test_what_cannot_be_played_is_told_in_one_line(capsys, arguments, message):
    assert main(["play", *arguments.split()]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_match_up_needs_no_run():
    config = parse("play", PlayConfig, ["--bots", "zerg", "protoss", "--render", "a.mp4", "--fog", "2"])
    assert (config.bots, config.fog, config.render) == (("zerg", "protoss"), 2, Path("a.mp4"))
    assert "play" in VERBS
