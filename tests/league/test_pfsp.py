"""Prioritised fictitious self-play: weights by hand, and what every weighting keeps to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterism.league import Weighting, pfsp


@pytest.mark.parametrize(
    ("weighting", "weights"),
    [
        (Weighting.HARD, [1, 0.5625, 0.25, 0.0625, 0]),
        (Weighting.VARIANCE, [0, 0.1875, 0.25, 0.1875, 0]),
        (Weighting.LINEAR, [1, 0.75, 0.5, 0.25, 0]),
        (Weighting.CAPPED, [0.5, 0.5, 0.5, 0.25, 0]),
        (Weighting.UNIFORM, [1, 1, 1, 1, 1]),
    ],
)
def test_weights_by_hand(weighting, weights):
    expected = np.array(weights) / sum(weights)
    np.testing.assert_allclose(pfsp(np.array([0, 0.25, 0.5, 0.75, 1]), weighting), expected)


@pytest.mark.parametrize("weighting", Weighting)
def test_uniform_where_all_are_beaten(weighting):
    np.testing.assert_allclose(pfsp(np.ones(4), weighting), 0.25)


def test_variance_is_uniform_where_none_is_ever_beaten():
    np.testing.assert_allclose(pfsp(np.zeros(4), Weighting.VARIANCE), 0.25)


@pytest.mark.parametrize("weighting", Weighting)
def test_without_opponents_nobody_can_be_drawn(weighting):
    with pytest.raises(ValueError, match="no opponents"):
        pfsp(np.zeros(0), weighting)


RATES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(RATES, st.sampled_from(Weighting))
def test_chances_are_chances(rates, weighting):
    chances = pfsp(np.array(rates), weighting)
    assert (chances >= 0).all()
    assert chances.sum() == pytest.approx(1)


@given(RATES, st.sampled_from([Weighting.HARD, Weighting.LINEAR, Weighting.CAPPED]))
def test_a_harder_opponent_is_never_drawn_less(rates, weighting):
    chances = pfsp(np.sort(rates), weighting)
    assert (np.diff(chances) <= 1e-12).all()
