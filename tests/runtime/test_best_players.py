"""Whose wins imitation ends with."""

from types import SimpleNamespace

from asterism.runtime.supervised import best_players


def demos(*results):
    """Recorded games from (winner, loser, times)."""
    entries = []
    for winner, loser, times in results:
        info = SimpleNamespace(players=(winner, loser))
        for player, outcome in ((0, 1), (1, -1)):
            entries += [SimpleNamespace(info=info, player=player, outcome=outcome)] * times
    return SimpleNamespace(entries=entries)


def test_who_wins_against_the_strong_is_best_not_who_wins_most():
    games = demos(("rush", "random", 90), ("macro", "rush", 16), ("rush", "macro", 4))
    assert best_players(games, 100.0) == {"macro"}


def test_players_rated_within_the_gap_count_too():
    games = demos(("macro", "rush", 11), ("rush", "macro", 9), ("rush", "easy", 20))
    assert best_players(games, 100.0) == {"macro", "rush"}
    assert best_players(games, 1.0) == {"macro"}
    assert best_players(games, 1e6) == {"macro", "rush", "easy"}
