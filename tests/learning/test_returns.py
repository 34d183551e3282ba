"""Returns against the equations of their papers, their limit cases, and padding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import rlax
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.learning.returns import segment, td_lambda_targets, upgo_returns, vtrace

T = 8


class Steps:
    """A random trajectory: T steps of which the first `length` are real, some of them the last of a game."""

    def __init__(self, seed: int, length: int = T, ends: bool = True):
        rng = np.random.default_rng(seed)
        self.values, self.rewards = rng.normal(size=(2, T)).astype(np.float32)
        self.bootstrap = np.float32(rng.normal())
        self.discounts = np.where(rng.random(T) < 0.25 * ends, 0.0, 0.9).astype(np.float32)
        self.rhos = rng.lognormal(size=T).astype(np.float32)
        self.length = length
        self.mask = np.arange(T) < length

    @property
    def segment(self):
        arrays = (self.values, self.bootstrap, self.rewards, self.discounts, self.mask)
        return segment(*(jnp.asarray(array) for array in arrays))

    @property
    def real(self):
        """Values (bootstrap last), rewards, discounts and ratios of the real steps, in double precision."""
        n = self.length
        values = np.append(self.values[:n], self.bootstrap).astype(float)
        return values, self.rewards[:n].astype(float), self.discounts[:n].astype(float), self.rhos[:n].astype(float)


def n_step_returns(values, rewards, discounts):
    """Rewards to the end of the segment, then its last value."""
    returns = [values[-1]]
    for reward, discount in zip(rewards[::-1], discounts[::-1], strict=True):
        returns.append(reward + discount * returns[-1])
    return np.array(returns[:0:-1])


def vtrace_equation(values, rewards, discounts, rhos, clip):
    """v_s = V_s + sum_t (prod_{i<t} gamma_i c_i) rho_t delta_t, term by term (Espeholt et al. 2018, equation 1)."""
    n = len(rewards)
    targets = values.copy()
    for s in range(n):
        for t in range(s, n):
            delta = min(clip, rhos[t]) * (rewards[t] + discounts[t] * values[t + 1] - values[t])
            targets[s] += np.prod(discounts[s:t] * np.minimum(1, rhos[s:t])) * delta
    advantages = np.minimum(clip, rhos) * (rewards + discounts * targets[1:] - values[:-1])
    return targets[:-1], advantages


def td_lambda_equation(values, rewards, discounts, lambda_):
    """(1 - lambda) sum_n lambda^(n-1) G^(n), the rest of the weight on the longest (Sutton and Barto, 12.3)."""
    n = len(rewards)
    targets = np.zeros(n)
    for t in range(n):
        for end in range(t + 1, n + 1):
            weight = lambda_ ** (end - t - 1) * (1 - lambda_ if end < n else 1)
            targets[t] += weight * n_step_returns(values[: end + 1], rewards[:end], discounts[:end])[t]
    return targets


def upgo_equation(values, rewards, discounts):
    """G_t as in AlphaStar, Methods; at the end G_{t+1} and V_{t+1} are both the bootstrap."""
    returns = values.copy()
    for t in reversed(range(len(rewards))):
        upgoing = t + 1 == len(rewards) or rewards[t + 1] + discounts[t + 1] * values[t + 2] >= values[t + 1]
        returns[t] = rewards[t] + discounts[t] * (returns[t + 1] if upgoing else values[t + 1])
    return returns[:-1]


jit_vtrace, jit_td_lambda, jit_upgo = jax.jit(vtrace), jax.jit(td_lambda_targets), jax.jit(upgo_returns)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(1, T), clip=st.sampled_from([1.0, 0.5, 3.0]))
def test_returns_follow_their_equations_with_padding_and_game_ends(seed, length, clip):
    steps = Steps(seed, length)
    values, rewards, discounts, rhos = steps.real
    targets, advantages = vtrace_equation(values, rewards, discounts, rhos, clip)
    result = jit_vtrace(steps.segment, jnp.asarray(steps.rhos), clip)
    assert_close(result.targets[:length], targets)
    assert_close(result.advantages[:length], advantages)
    assert_close(jit_td_lambda(steps.segment, 0.8)[:length], td_lambda_equation(values, rewards, discounts, 0.8))
    assert_close(jit_upgo(steps.segment)[:length], upgo_equation(values, rewards, discounts))


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("garbage", [1e6, np.nan])
def test_padding_changes_nothing_whatever_it_holds(length, garbage):
    short, long = Steps(3, length), Steps(3, length)
    for array in (long.values, long.rewards, long.discounts, long.rhos):
        array[length:] = garbage
    cut = jax.tree.map(lambda x: x[:length], (short.values, short.rewards, short.discounts, short.rhos, short.mask))
    values, rewards, discounts, rhos, mask = map(jnp.asarray, cut)
    unpadded = segment(values, jnp.asarray(short.bootstrap), rewards, discounts, mask)
    for function in (
        lambda s, rho: vtrace(s, rho, 1.0, 0.9),
        lambda s, _: td_lambda_targets(s),
        lambda s, _: upgo_returns(s),
    ):
        expected, actual = function(unpadded, rhos), function(long.segment, jnp.asarray(long.rhos))
        jax.tree.map(lambda e, a: np.testing.assert_array_equal(e, a[:length]), expected, actual)


def test_padded_tail_returns_the_bootstrap_and_has_no_advantage():
    steps = Steps(4, 5)
    result = vtrace(steps.segment, jnp.asarray(steps.rhos))
    assert_close(result.targets[5:], steps.bootstrap)
    assert_close(result.advantages[5:], 0)
    assert_close(td_lambda_targets(steps.segment)[5:], steps.bootstrap)
    assert_close(upgo_returns(steps.segment)[5:], steps.bootstrap)


def test_bootstrap_does_not_matter_after_the_end_of_a_game():
    one, other = Steps(5, 6), Steps(5, 6)
    one.discounts[5] = other.discounts[5] = 0
    other.bootstrap = np.float32(100)
    rhos = jnp.asarray(one.rhos)
    assert_close(vtrace(one.segment, rhos).targets[:6], vtrace(other.segment, rhos).targets[:6])
    assert_close(upgo_returns(one.segment)[:6], upgo_returns(other.segment)[:6])


def test_a_new_game_does_not_reach_back_into_the_last_one():
    one, other = Steps(6, ends=False), Steps(6, ends=False)
    for steps in (one, other):
        steps.discounts[3] = 0
    other.values[4:] += 5
    other.rewards[4:] -= 3
    rhos = jnp.asarray(one.rhos)
    for function in (lambda s: vtrace(s, rhos), td_lambda_targets, upgo_returns):
        jax.tree.map(lambda a, b: assert_close(a[:4], b[:4]), function(one.segment), function(other.segment))


@pytest.mark.parametrize("seed", range(3))
def test_on_policy_vtrace_is_the_n_step_return(seed):
    steps = Steps(seed)
    assert_close(vtrace(steps.segment, jnp.ones(T)).targets, n_step_returns(*steps.real[:3]))


def test_ratio_of_zero_learns_nothing():
    """An action that the policy would never take: the target is the value itself, the advantage 0."""
    steps = Steps(7)
    result = vtrace(steps.segment, jnp.zeros(T))
    assert_close(result.targets, steps.values)
    assert_close(result.advantages, 0)


def test_td_lambda_goes_from_one_step_to_n_step_targets():
    steps = Steps(8)
    values, rewards, discounts, _ = steps.real
    assert_close(td_lambda_targets(steps.segment, 0.0), rewards + discounts * values[1:])
    assert_close(td_lambda_targets(steps.segment, 1.0), n_step_returns(values, rewards, discounts))


@pytest.mark.parametrize("surprise", [2.0, -2.0])
def test_upgo_follows_good_luck_and_forgets_bad_luck(surprise):
    """All steps better than expected: the n-step return. All worse: one-step targets."""
    steps = Steps(9)
    values, _, discounts, _ = steps.real
    steps.rewards = (values[:-1] - discounts * values[1:] + surprise).astype(np.float32)
    rewards = steps.rewards.astype(float)
    expected = n_step_returns(values, rewards, discounts) if surprise > 0 else rewards + discounts * values[1:]
    assert_close(upgo_returns(steps.segment), expected)


def test_upgo_worked_by_hand():
    """Values 0, .5, .2, then .6 and no rewards: step 1 disappoints (.2 < .5), step 2 does not (.6 >= .2)."""
    steps = segment(jnp.array([0.0, 0.5, 0.2]), jnp.array(0.6), jnp.zeros(3), jnp.ones(3), jnp.ones(3, bool))
    assert_close(upgo_returns(steps), [0.5, 0.6, 0.6])


def test_upgo_is_never_below_the_one_step_target():
    for seed in range(20):
        steps = Steps(seed)
        values, rewards, discounts, _ = steps.real
        assert np.all(np.asarray(jit_upgo(steps.segment)) >= rewards + discounts * values[1:] - 1e-5)


def test_vtrace_with_lambda_agrees_with_leaky_vtrace_of_rlax():
    steps = Steps(10)
    s, rhos = steps.segment, jnp.asarray(steps.rhos)
    errors = rlax.leaky_vtrace(s.values_tm1, s.values_t, s.rewards_t, s.discounts_t, rhos, alpha_=1.0, lambda_=0.7)
    assert_close(vtrace(s, rhos, lambda_=0.7).targets, errors + s.values_tm1)


def test_no_gradient_flows_through_targets():
    steps = Steps(11)

    def total(values):
        s = segment(values, *(jnp.asarray(x) for x in (steps.bootstrap, steps.rewards, steps.discounts, steps.mask)))
        return sum(x.sum() for x in (*vtrace(s, jnp.asarray(steps.rhos)), td_lambda_targets(s), upgo_returns(s)))

    assert_close(jax.grad(total)(jnp.asarray(steps.values)), 0)


def test_returns_batch_under_vmap():
    batch = [Steps(seed, length) for seed, length in ((1, 3), (2, T))]
    segments = jax.tree.map(lambda *x: jnp.stack(x), *(steps.segment for steps in batch))
    rhos = jnp.stack([steps.rhos for steps in batch])
    together = jax.vmap(vtrace)(segments, rhos).targets
    for row, steps in zip(together, batch, strict=True):
        assert_close(row, vtrace(steps.segment, jnp.asarray(steps.rhos)).targets)
