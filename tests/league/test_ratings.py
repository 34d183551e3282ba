"""Ratings against hand values, limit cases and scipy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binomtest

from asterism.league import elo, elo_error, nash, relative_performance, wilson

ROCK_PAPER_SCISSORS = np.array([[0.5, 0, 1], [1, 0.5, 0], [0, 1, 0.5]])


def test_wilson_by_hand():
    # z = 1.959964, n = 10, p = 0.8: centre 0.99207, spread 0.31357, scale 1.38415.
    assert wilson(8, 0, 2) == pytest.approx((0.8, 0.490162, 0.943318), abs=1e-6)


def test_two_draws_are_a_win_and_a_loss():
    assert wilson(3, 4, 1) == wilson(5, 0, 3)


def test_wilson_limits():
    assert wilson(0, 0, 0) == (0.5, 0, 1)
    assert wilson(5, 0, 0).high == 1
    assert wilson(0, 0, 5).low == 0


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(wins, losses, confidence):
    theirs = binomtest(wins, wins + losses).proportion_ci(confidence, method="wilson")
    assert wilson(wins, 0, losses, confidence)[1:] == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def games_of(n, count=100.0):
    return count * (1 - np.eye(n))


def test_elo_of_two_is_the_log_of_their_odds():
    rates = np.array([[0.5, 0.25], [0.75, 0.5]])
    assert elo(rates, games_of(2), prior_games=0.0) == pytest.approx([0, 400 * np.log10(3)], abs=1e-3)


def test_elo_recovers_the_ratings_that_made_the_games():
    true = np.array([0.0, 120.0, -80.0, 400.0])
    rates = 1 / (1 + 10 ** ((true[None] - true[:, None]) / 400))
    assert elo(rates, games_of(4), prior_games=0.0) == pytest.approx(true, abs=0.01)
    assert elo(rates, games_of(4), anchor=3, prior_games=0.0) == pytest.approx(true - 400, abs=0.01)


def test_elo_without_games_is_level():
    assert elo(np.full((3, 3), 0.5), np.zeros((3, 3))) == pytest.approx([0, 0, 0])
    assert elo(np.zeros((0, 0)), np.zeros((0, 0))).shape == (0,)


def test_elo_of_a_cycle_is_level():
    assert elo(ROCK_PAPER_SCISSORS, games_of(3)) == pytest.approx([0, 0, 0], abs=1e-6)


def test_elo_with_prior_games_by_hand():
    # Two players s apart, one of whom won all of n games: n / (1 + e^s) = tanh(s / 4) / 2, and s = 2 ln 3 for n = 2.5.
    rates = np.array([[0.5, 0.0], [1.0, 0.5]])
    assert elo(rates, games_of(2, 2.5)) == pytest.approx([0, 400 * np.log10(9)], abs=1e-3)


def test_elo_of_a_player_that_never_lost_is_finite_and_grows_with_its_games():
    rates = np.array([[0.5, 0.0], [1.0, 0.5]])
    few, many = (elo(rates, games_of(2, count))[1] for count in (5.0, 50.0))
    assert 0 < few < many < 3000


def test_nash_of_rock_paper_scissors_is_uniform():
    assert nash(ROCK_PAPER_SCISSORS) == pytest.approx([1 / 3] * 3)


def test_nash_of_a_dominant_player_is_that_player():
    assert nash(np.array([[0.5, 0.9, 0.6], [0.1, 0.5, 0.7], [0.4, 0.3, 0.5]])) == pytest.approx([1, 0, 0])


def test_nash_of_nobody_is_refused():
    assert nash(np.array([[0.5]])) == pytest.approx([1])
    with pytest.raises(ValueError, match="no players"):
        nash(np.zeros((0, 0)))


@given(st.integers(1, 8).flatmap(lambda n: hnp.arrays(float, (n, n), elements=st.floats(0, 1))))
def test_nash_is_a_distribution_that_nobody_beats(numbers):
    rates = 0.5 + (numbers - numbers.T) / 2
    chances = nash(rates)
    assert (chances >= 0).all()
    assert chances.sum() == pytest.approx(1)
    assert (chances @ rates >= 0.5 - 1e-6).all()


def test_the_error_of_two_players_is_that_of_a_log_odds():
    """var(log odds) = 1 / (n p (1 - p)), by the delta method."""
    rates = np.array([[0.5, 0.25], [0.75, 0.5]])
    points = elo(rates, games_of(2, 48.0), prior_games=0.0)
    error = elo_error(points, games_of(2, 48.0), prior_games=0.0)
    by_hand = 1.959964 * (1 / (48 * 0.25 * 0.75)) ** 0.5 * 400 / np.log(10)
    assert error == pytest.approx([0, by_hand], rel=1e-3)


def test_intervals_of_elo_hold_the_truth_as_often_as_they_say():
    rng, true, n = np.random.default_rng(0), np.array([0.0, 100.0, -60.0, 200.0]), 60
    chance = 1 / (1 + 10 ** ((true[None] - true[:, None]) / 400))
    held = []
    for _ in range(300):
        wins = np.triu(rng.binomial(n, chance), 1)
        wins = wins + np.tril(n - wins.T, -1)
        points = elo(wins / n, games_of(4, n), prior_games=0.0)
        held.append(np.abs(points - true)[1:] < elo_error(points, games_of(4, n), prior_games=0.0)[1:])
    assert 0.92 < np.mean(held) < 0.98


def test_who_has_not_played_has_the_widest_interval():
    games = games_of(3)
    games[2] = games[:, 2] = 0
    error = elo_error(np.zeros(3), games)
    assert error[0] == 0 and error[2] > 5 * error[1] and np.isfinite(error).all()
    assert elo_error(np.zeros(0), np.zeros((0, 0))).shape == (0,)


def test_rock_alone_loses_to_paper_and_ties_with_all_three():
    assert relative_performance(ROCK_PAPER_SCISSORS[:1]) == pytest.approx(0.0)  # somebody always beats it
    assert relative_performance(ROCK_PAPER_SCISSORS) == pytest.approx(0.5)
    assert relative_performance(ROCK_PAPER_SCISSORS[:2, :2]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="without players"):
        relative_performance(np.zeros((0, 3)))


@given(hnp.arrays(float, (3, 4), elements=st.floats(0, 1)))
def test_the_two_populations_agree_who_is_stronger(rates):
    value = relative_performance(rates)
    assert value == pytest.approx(1 - relative_performance(1 - rates.T), abs=1e-6)
    assert rates.min(1).max() - 1e-9 <= value <= rates.max(0).min() + 1e-9


@given(hnp.arrays(float, (3, 4), elements=st.floats(0, 1)))
def test_another_copy_changes_nothing(rates):
    again = np.vstack([rates, rates[:1]])
    assert relative_performance(again) == pytest.approx(relative_performance(rates), abs=1e-6)
