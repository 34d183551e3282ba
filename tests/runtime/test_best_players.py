"""Whose wins imitation ends with."""

from pathlib import Path

from asterism.demos import GameInfo, RecordedPlayer
from asterism.demos.reader import Entry
from asterism.runtime.supervised import best_players, has_a_plan

TERRANS = "terran", "terran"


def recorded(*results, races=TERRANS):
    """Recorded games from (winner, loser, times)."""
    entries = []
    for winner, loser, times in results:
        info = GameInfo(0, "first_light", 1, (winner, loser), races)
        for player, outcome in ((0, 1), (1, -1)):
            entries += [Entry(Path(), 0, 1, 0, player, outcome, None, info)] * times
    return entries


def terrans(*names):
    return {RecordedPlayer("terran", name) for name in names}


def test_who_wins_against_the_strong_is_best_not_who_wins_most():
    games = recorded(("rush", "random", 90), ("macro", "rush", 16), ("rush", "macro", 4))
    assert best_players(games, 100.0) == terrans("macro")


def test_players_rated_within_the_gap_count_too():
    games = recorded(("macro", "rush", 11), ("rush", "macro", 9), ("rush", "easy", 20))
    assert best_players(games, 100.0) == terrans("macro", "rush")
    assert best_players(games, 1.0) == terrans("macro")
    assert best_players(games, 1e6) == terrans("macro", "rush", "easy")


def test_sparring_partners_are_rated_but_never_the_best():
    """A worker rush that wins most of its games neither is imitated nor hides the player who comes next to it."""
    games = recorded(
        ("worker-rush", "macro", 19), ("macro", "worker-rush", 1), ("macro", "rush", 18), ("rush", "macro", 2)
    )
    assert best_players(games, 100.0) == terrans("macro")
    assert best_players(recorded(("random", "worker-rush", 3)), 100.0) == set()


def test_only_who_follows_a_plan_is_imitated():
    """Whatever the level of a sparring partner."""
    assert [has_a_plan(name) for name in ("easy", "Hard:macro", "rush")] == [True] * 3
    assert [has_a_plan(name) for name in ("random", "worker-rush", "Easy:worker-rush")] == [False] * 3


def test_each_race_has_its_best():
    """A race that loses to another is imitated too, by those of its players who lose least."""
    games = recorded(("rush", "rush", 9), ("rush", "macro", 20), races=("terran", "zerg"))
    games += recorded(("rush", "macro", 9), ("macro", "rush", 1), races=("zerg", "zerg"))
    assert best_players(games, 50.0) == {RecordedPlayer("terran", "rush"), RecordedPlayer("zerg", "rush")}
