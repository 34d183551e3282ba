"""A chain of three states whose values are known: where the learning targets lead when learned from again and again.

In each state one goes on (and after the last, out) or leaves at once. All trajectories are enumerated with their
probabilities, so that expectations are exact.
"""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.learning.returns import segment, td_lambda_targets, upgo_returns, vtrace

STATES, LEAVE, GO = 3, 0, 1
GAMMA = 0.9
REWARDS = np.array([[1.0, 0.0], [-1.0, 0.5], [0.3, 2.0]])
"""Of leaving and of going on, by state."""
BEHAVIOUR = np.array([[0.5, 0.5], [0.2, 0.8], [0.7, 0.3]])
TARGET = np.array([[0.1, 0.9], [0.5, 0.5], [0.4, 0.6]])


def exact_values(policy: np.ndarray) -> np.ndarray:
    """Values of a policy, from the last state to the first."""
    values = np.zeros(STATES + 1)
    for state in reversed(range(STATES)):
        returns = REWARDS[state] + GAMMA * np.array([0.0, values[state + 1]])
        values[state] = policy[state] @ returns
    return values[:STATES]


def clipped(clip: float) -> np.ndarray:
    """The policy to whose values V-trace leads: proportional to min(clip x behaviour, target) (Espeholt et al. 2018,
    section 4.1, equation 3)."""
    least = np.minimum(clip * BEHAVIOUR, TARGET)
    return least / least.sum(1, keepdims=True)


def trajectories():
    """Actions, rewards, discounts and masks of all trajectories, [4, T], and which states they end in going out."""
    for last, out in product(range(STATES), (LEAVE, GO)):
        if out == GO and last < STATES - 1:
            continue
        actions = np.array([GO] * last + [out] + [LEAVE] * (STATES - 1 - last))
        mask = np.arange(STATES) <= last
        rewards = np.where(mask, REWARDS[np.arange(STATES), actions], 99.0)
        yield actions, rewards, np.where(np.arange(STATES) == last, 0.0, GAMMA), mask


ACTIONS, *REST = (jnp.asarray(np.array(column)) for column in zip(*trajectories(), strict=True))
PLACES = np.arange(STATES)
MASK = REST[2]


def chances(policy: np.ndarray) -> jnp.ndarray:
    """Probability of each trajectory."""
    return jnp.where(MASK, policy[PLACES, ACTIONS], 1.0).prod(1)


def fixed_point(targets, policy: np.ndarray, turns: int = 400) -> np.ndarray:
    """Values that move to the mean target of their state, over the trajectories of `policy`, until they stay.
    `targets`: (segment, ratios) -> targets of one trajectory."""
    weight = chances(policy)[:, None] * MASK
    ratios = jnp.asarray(TARGET / BEHAVIOUR)[PLACES, ACTIONS]

    def of_one(values, rewards, discounts, mask, rhos):
        return targets(segment(values, 77.0, rewards, discounts, mask), rhos)

    @jax.jit
    def turn(_, values):
        found = jax.vmap(of_one, (None, 0, 0, 0, 0))(values, *REST, ratios)
        return (weight * jnp.where(MASK, found, 0.0)).sum(0) / weight.sum(0)

    return np.asarray(jax.lax.fori_loop(0, turns, turn, jnp.zeros(STATES)))


def test_every_trajectory_is_there_once():
    assert chances(BEHAVIOUR).sum() == pytest.approx(1.0) and len(ACTIONS) == 4


@pytest.mark.parametrize("lambda_", [0.0, 0.5, 1.0])
def test_td_lambda_finds_the_values_of_the_policy_that_acts(lambda_):
    found = fixed_point(lambda s, rhos: td_lambda_targets(s, lambda_), BEHAVIOUR)
    np.testing.assert_allclose(found, exact_values(BEHAVIOUR), atol=1e-5)


def test_on_policy_vtrace_finds_the_same():
    found = fixed_point(lambda s, rhos: vtrace(s, jnp.ones_like(rhos)).targets, BEHAVIOUR)
    np.testing.assert_allclose(found, exact_values(BEHAVIOUR), atol=1e-5)


@pytest.mark.parametrize("clip", [0.5, 1.0, 1.5, 100.0])
@pytest.mark.parametrize("lambda_", [0.3, 1.0])
def test_off_policy_vtrace_finds_the_values_of_the_clipped_policy(clip, lambda_):
    """Between those of the behaviour (clip near 0) and of the target policy (no clip), whatever lambda is."""
    found = fixed_point(lambda s, rhos: vtrace(s, rhos, clip, lambda_).targets, BEHAVIOUR)
    np.testing.assert_allclose(found, exact_values(clipped(clip)), atol=1e-5)
    assert not np.allclose(found, exact_values(BEHAVIOUR), atol=1e-2)
    assert np.allclose(found, exact_values(TARGET), atol=1e-5) == (clip == 100.0)


def test_upgo_hopes_for_more_than_the_policy_gets():
    """It follows the trajectory where that is good and the value where it is not, so that nothing is below."""
    values = exact_values(BEHAVIOUR)
    weight = chances(BEHAVIOUR)[:, None] * MASK
    found = jax.vmap(lambda r, d, m: upgo_returns(segment(jnp.asarray(values), 77.0, r, d, m)))(*REST)
    mean = np.asarray((weight * jnp.where(MASK, found, 0.0)).sum(0) / weight.sum(0))
    assert (mean >= values - 1e-6).all() and mean[0] > values[0] + 0.01
    # By hand, in the first state: leaving brings 1; going on is followed where the second step's one-step target is as
    # good as its value, there to the third state's outcome where that is.
    second = np.array([REWARDS[1, LEAVE], *[REWARDS[1, GO] + GAMMA * values[2]] * 2])
    onward = REWARDS[1, GO] + GAMMA * np.maximum(REWARDS[2], values[2])
    followed = np.where(second >= values[1], [REWARDS[1, LEAVE], *onward], values[1])
    chance = np.array([BEHAVIOUR[1, LEAVE], *(BEHAVIOUR[1, GO] * BEHAVIOUR[2])])
    by_hand = BEHAVIOUR[0] @ [REWARDS[0, LEAVE], REWARDS[0, GO] + GAMMA * (chance @ followed)]
    assert mean[0] == pytest.approx(by_hand, abs=1e-5)
