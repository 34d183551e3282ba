"""The payoff: one game is one fact, seen from two sides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterism.league import Outcome, Payoff

PLAYERS = ["a", "b", "c"]
GAMES = st.lists(
    st.tuples(st.sampled_from(PLAYERS), st.sampled_from(PLAYERS), st.sampled_from(list(Outcome))), max_size=60
)


def payoff_of(games, decay=0.99, players=PLAYERS):
    payoff = Payoff(decay)
    for player in players:
        payoff.add(player)
    for game in games:
        payoff.record(*game)
    return payoff


def test_a_pair_without_games_counts_as_one_half():
    assert payoff_of([]).win_rate("a", "b") == 0.5
    assert (payoff_of([]).matrix() == 0.5).all()


def test_nobody_against_whom_gives_no_rates():
    assert payoff_of([]).win_rates("a", []).shape == (0,)
    assert Payoff().matrix().shape == (0, 0)


def test_win_draw_loss_by_hand():
    payoff = payoff_of([("a", "b", Outcome.WIN), ("a", "b", Outcome.DRAW), ("b", "a", Outcome.WIN)], decay=0.5)
    # Win 1 -> 0.5 -> 0.25, draw 1 -> 0.5, loss 1: 0.25 + 0.25 of 1.75.
    assert payoff.counts("a", "b") == (0.25, 0.5, 1.0)
    assert payoff.games("a", "b") == 1.75
    assert payoff.win_rate("a", "b") == pytest.approx(0.5 / 1.75)


def test_a_game_of_another_pair_decays_nothing():
    payoff = payoff_of([("a", "b", Outcome.WIN), ("a", "c", Outcome.LOSS)], decay=0.5)
    assert payoff.counts("a", "b") == (1.0, 0.0, 0.0)


def test_decayed_games_approach_one_hundred():
    assert payoff_of([("a", "b", Outcome.WIN)] * 2000).games("a", "b") == pytest.approx(100, rel=1e-6)


def test_a_game_against_oneself_counts_for_nothing():
    payoff = payoff_of([("a", "a", Outcome.WIN)])
    assert payoff.win_rate("a", "a") == 0.5
    assert payoff.games("a", "a") == 0


@given(GAMES)
def test_both_orders_of_a_pair_agree(games):
    payoff = payoff_of(games)
    matrix, played = payoff.matrix(), payoff.games_matrix()
    np.testing.assert_allclose(matrix + matrix.T, 1, atol=1e-12)
    assert (played == played.T).all()
    for i, home in enumerate(PLAYERS):
        assert (payoff.win_rates(home, PLAYERS) == matrix[i]).all()


@given(GAMES)
def test_home_and_away_are_names_only(games):
    swapped = [(away, home, Outcome(-outcome)) for home, away, outcome in games]
    assert (payoff_of(games).matrix() == payoff_of(swapped).matrix()).all()


@given(GAMES)
def test_a_late_player_changes_no_earlier_count(games):
    late = payoff_of(games)
    late.add("d")
    assert (late.matrix()[:3, :3] == payoff_of(games).matrix()).all()


def test_who_is_forgotten_has_no_games(a_payoff_of_three):
    payoff = a_payoff_of_three
    payoff.forget("a")
    assert payoff.row("a").tolist() == [0.5, 0.5, 0.5] and payoff.games("a", "b") == payoff.games("a", "c") == 0
    assert payoff.win_rate("b", "a") == 0.5 and payoff.counts("b", "c") == (1, 0, 0)
    payoff.record("b", "a", Outcome.WIN)
    assert payoff.counts("a", "b") == (0, 0, 1) and payoff.win_rate("a", "b") == 0


@pytest.fixture
def a_payoff_of_three():
    payoff = Payoff()
    for player in "abc":
        payoff.add(player)
    for home, away in ("ab", "ca", "bc"):
        payoff.record(home, away, Outcome.WIN)
    return payoff


def test_strangers_and_twins_are_refused():
    with pytest.raises(KeyError):
        payoff_of([("a", "stranger", Outcome.WIN)])
    with pytest.raises(ValueError, match="already"):
        payoff_of([], players=["a", "a"])
