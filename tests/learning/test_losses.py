"""Losses: gradients, masks, and what each part of an action is credited with."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.stats import entropy

from asterism.agent.choice import masked
from asterism.errors import UserError
from asterism.interface.action import ActionParts
from asterism.learning import losses
from asterism.learning.losses import LossWeights, RewardWeights
from asterism.learning.returns import Segment, segment, td_lambda_targets, upgo_returns, vtrace

T = 6
PARTS = ActionParts._fields


def make_segment(seed: int = 0, length: int = T) -> Segment:
    rng = np.random.default_rng(seed)
    values, rewards = (jnp.asarray(x, jnp.float32) for x in rng.normal(size=(2, T)))
    return segment(values, jnp.array(0.3), rewards, jnp.full(T, 0.9), jnp.arange(T) < length)


def random_parts(seed: int, low: float = -3.0, high: float = 0.0) -> ActionParts:
    rng = np.random.default_rng(seed)
    return ActionParts(*(jnp.asarray(rng.uniform(low, high, T), jnp.float32) for _ in PARTS))


def all_parts(value: bool) -> ActionParts:
    return ActionParts(*(jnp.full(T, value) for _ in PARTS))


def random_used(seed: int) -> ActionParts:
    """Action type and delay always, the others at random."""
    rng = np.random.default_rng(seed)
    return ActionParts(*(jnp.asarray((rng.random(T) < 0.5) | (i < 2)) for i in range(len(PARTS))))


def check_gradient(function, argument):
    """Autodiff against finite differences in single precision."""
    check_grads(jax.jit(function), (argument,), order=1, modes=["rev"], eps=1e-2, atol=1e-3, rtol=1e-3)


# Policy gradients


def test_policy_gradient_adds_three_groups_each_with_its_own_ratio():
    target, behaviour, used, steps = random_parts(1), random_parts(2), random_used(3), make_segment()
    expected = 0.0
    for group in (PARTS[:1], PARTS[1:2], PARTS[2:]):
        log_pi = sum(getattr(target, part) * getattr(used, part) for part in group)
        log_mu = sum(getattr(behaviour, part) * getattr(used, part) for part in group)
        expected -= vtrace(steps, jnp.exp(log_pi - log_mu)).advantages * log_pi
    actual = losses.split_policy_gradient_loss(target, behaviour, used, steps)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_upgo_loss_adds_three_groups_each_with_its_own_ratio():
    target, behaviour, used, steps = random_parts(1), random_parts(2), random_used(3), make_segment()
    expected = 0.0
    for group in (PARTS[:1], PARTS[1:2], PARTS[2:]):
        log_pi = sum(getattr(target, part) * getattr(used, part) for part in group)
        log_mu = sum(getattr(behaviour, part) * getattr(used, part) for part in group)
        rho = np.minimum(1, np.exp(log_pi - log_mu))
        expected -= rho * (upgo_returns(steps) - steps.values_tm1) * log_pi
    actual = losses.split_upgo_loss(target, behaviour, used, steps)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", [losses.split_policy_gradient_loss, losses.split_upgo_loss])
def test_policy_losses_match_finite_differences(loss):
    """Where the ratios are clipped they are constant, so the loss itself has the gradient that autodiff reports."""
    behaviour, used, steps = random_parts(2, -6.0, -4.0), random_used(3), make_segment()
    check_gradient(lambda log_probs: loss(log_probs, behaviour, used, steps).sum(), random_parts(1, -0.6, 0.0))


def test_no_gradient_flows_through_ratios_below_one():
    """The gradient to a log-probability is minus the weighted advantage, and nothing else."""
    target, behaviour, steps = random_parts(1, -6.0, -4.0), random_parts(2, -0.6), make_segment()
    args = behaviour, all_parts(True), steps
    rho = jnp.exp(target.action_type - behaviour.action_type)
    vtrace_gradient = jax.grad(lambda lp: losses.split_policy_gradient_loss(lp, *args).sum())(target).action_type
    upgo_gradient = jax.grad(lambda lp: losses.split_upgo_loss(lp, *args).sum())(target).action_type
    np.testing.assert_allclose(vtrace_gradient, -vtrace(steps, rho).advantages, rtol=1e-5)
    np.testing.assert_allclose(upgo_gradient, -rho * (upgo_returns(steps) - steps.values_tm1), rtol=1e-5)


@pytest.mark.parametrize("loss", [losses.split_policy_gradient_loss, losses.split_upgo_loss])
def test_unused_parts_and_padding_get_no_gradient(loss):
    used, length = random_used(4), 4
    nan_tail = lambda parts: jax.tree.map(lambda x: x.at[length:].set(jnp.nan), parts)  # noqa: E731
    target, behaviour = nan_tail(random_parts(1)), nan_tail(random_parts(2))
    gradient = jax.grad(lambda lp: loss(lp, behaviour, used, make_segment(length=length)).sum())(target)
    for part_gradient, use in zip(gradient, used, strict=True):
        live = np.asarray(use) & (np.arange(T) < length)
        assert np.all(np.asarray(part_gradient)[~live] == 0)
        assert np.all(np.asarray(part_gradient)[live] != 0)


def test_ratio_of_one_group_does_not_touch_the_others():
    target, behaviour, used, steps = random_parts(1), random_parts(2), all_parts(True), make_segment()
    other = behaviour._replace(delay=behaviour.delay + 1.0)
    gradient = jax.grad(lambda lp, mu: losses.split_policy_gradient_loss(lp, mu, used, steps).sum())
    before, after = gradient(target, behaviour), gradient(target, other)
    assert not np.allclose(before.delay, after.delay)
    for part in set(PARTS) - {"delay"}:
        np.testing.assert_array_equal(getattr(before, part), getattr(after, part))


def test_off_policy_gradient_is_the_gradient_of_the_expected_reward():
    """A one-step game with four actions: with unclipped ratios it does not matter who acted."""
    rewards, behaviour = jnp.array([1.0, -1.0, 0.5, 0.0]), jax.nn.log_softmax(jnp.array([0.1, 1.0, -0.5, 0.3]))
    logits = jnp.array([0.4, -0.2, 0.0, 0.7])
    zeros, one = jnp.zeros(1), jnp.ones(1, bool)
    used = ActionParts(one, *(~one,) * 6)

    def loss(logits, action):
        log_prob = jax.nn.log_softmax(logits)[action][None]
        steps = segment(jnp.array([0.2]), jnp.array(0.0), rewards[action][None], zeros, one)
        pi, mu = (ActionParts(x, *(zeros,) * 6) for x in (log_prob, behaviour[action][None]))
        return losses.split_policy_gradient_loss(pi, mu, used, steps, rho_clip=100.0).sum()

    sampled = jax.grad(lambda x: jnp.exp(behaviour) @ jax.vmap(loss, (None, 0))(x, jnp.arange(4)))(logits)
    exact = jax.grad(lambda x: -jax.nn.softmax(x) @ rewards)(logits)
    np.testing.assert_allclose(sampled, exact, atol=1e-6)


def test_without_correction_it_does_not_matter_who_acted():
    """The advantage is that of the lambda-return; on the policy's own data V-trace says the same."""
    target, used, steps = random_parts(1), random_used(3), make_segment(length=4)

    def loss(behaviour, corrected):
        return losses.split_policy_gradient_loss(target, behaviour, used, steps, lambda_=0.6, corrected=corrected)

    log_pi = losses.split_log_probs(target, used, steps.mask).sum(0)
    expected = -(td_lambda_targets(steps, 0.6) - steps.values_tm1) * log_pi
    for behaviour in (target, random_parts(2)):
        np.testing.assert_allclose(loss(behaviour, False), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss(target, True), expected, rtol=1e-5, atol=1e-6)
    assert np.abs(loss(random_parts(2), True) - expected).max() > 0.1


# Values


def test_value_gradient_is_the_error_to_fixed_targets():
    steps = make_segment(length=4)
    gradient = jax.grad(lambda v: losses.value_loss(steps._replace(values_tm1=v)).sum())(steps.values_tm1)
    np.testing.assert_allclose(gradient[:4], (steps.values_tm1 - td_lambda_targets(steps))[:4], rtol=1e-5)
    np.testing.assert_array_equal(gradient[4:], 0)


def test_masked_mean_counts_each_real_step_once():
    """Two segments with 1 and 3 real steps: the mean of the four, not the mean of two means."""
    values = jnp.array([[4.0, 9.0, 9.0], [1.0, 2.0, 3.0]])
    mask = jnp.array([[True, False, False], [True, True, True]])
    assert losses.masked_mean(values, mask) == 2.5
    assert losses.masked_mean(values, jnp.zeros_like(mask)) == 0


# Entropy and KL


def test_entropy_counts_available_choices_only():
    logits = jnp.array([[0.0, 0.0, losses.MASKED_LOGIT, -jnp.inf], [0.0, -jnp.inf, -jnp.inf, -jnp.inf]])
    np.testing.assert_allclose(losses.normalised_entropy(logits), [1.0, 0.0], atol=1e-6)
    assert losses.normalised_entropy(jnp.full(4, losses.MASKED_LOGIT)) == 0


@pytest.mark.parametrize("temperature", [0.01, 1.0, 3.0, 1e3])
def test_what_is_ruled_out_stays_so_at_any_temperature(temperature):
    logits = masked(jnp.zeros(31), jnp.arange(31) < 5) / temperature
    assert losses.normalised_entropy(logits) == pytest.approx(1.0)
    assert losses.normalised_entropy(masked(logits, jnp.arange(31) < 1)) == 0


def test_entropy_and_kl_agree_with_scipy():
    p, q = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
    probs_p, probs_q = np.exp(p) / np.exp(p).sum(), np.exp(q) / np.exp(q).sum()
    assert losses.normalised_entropy(jnp.asarray(p)) == pytest.approx(entropy(probs_p) / np.log(5), rel=1e-5)
    assert losses.categorical_kl(jnp.asarray(p), jnp.asarray(q)) == pytest.approx(entropy(probs_p, probs_q), rel=1e-5)
    assert losses.categorical_kl(jnp.asarray(p), jnp.asarray(p) + 3.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("masked", [losses.MASKED_LOGIT, -jnp.inf])
def test_masked_logits_have_finite_gradients_and_get_none(masked):
    logits, teacher = jnp.array([0.3, -1.0, masked, 0.5]), jnp.array([1.0, 0.2, masked, -0.4])
    for function in (losses.normalised_entropy, lambda x: losses.categorical_kl(teacher, x)):
        gradient = jax.grad(function)(logits)
        assert np.all(np.isfinite(gradient))
        assert gradient[2] == 0 and np.all(gradient[jnp.array([0, 1, 3])] != 0)


def test_entropy_and_kl_match_finite_differences():
    logits, teacher = jnp.array([0.3, -1.0, 0.5]), jnp.array([1.0, 0.2, -0.4])
    check_gradient(losses.normalised_entropy, logits)
    check_gradient(lambda x: losses.categorical_kl(teacher, x), logits)
    assert np.all(np.asarray(jax.grad(losses.categorical_kl)(teacher, logits)) == 0), "the teacher learns nothing"


def test_unit_rounds_that_did_not_take_place_do_not_count():
    rng = np.random.default_rng(1)
    logits, teacher = (
        ActionParts(
            *(jnp.asarray(rng.normal(size=(T, 3, 5) if part == "units" else (T, 4)), jnp.float32) for part in PARTS)
        )
        for _ in range(2)
    )
    rounds = jnp.arange(3) < jnp.array([0, 1, 2, 3, 1, 2])[:, None]
    entropies, kls = losses.part_entropies(logits, rounds), losses.part_kls(teacher, logits, rounds)
    each = losses.categorical_kl(teacher.units, logits.units)
    assert entropies.units[0] == 0 and kls.units[0] == 0
    np.testing.assert_allclose(kls.units[2], each[2, :2].sum(), rtol=1e-5)
    np.testing.assert_allclose(entropies.units[2], losses.normalised_entropy(logits.units)[2, :2].mean(), rtol=1e-5)
    assert all(part.shape == (T,) for part in (*entropies, *kls))


def test_entropy_and_kl_losses_sum_the_parts_in_use():
    parts, used, mask = random_parts(5, 0.0, 1.0), random_used(6), jnp.arange(T) < 4
    expected = [sum(float(part[t]) for part, use in zip(parts, used, strict=True) if use[t]) for t in range(4)] + [0, 0]
    np.testing.assert_allclose(losses.kl_loss(parts, used, mask), expected, rtol=1e-5)
    np.testing.assert_allclose(losses.entropy_loss(parts, used, mask), -np.array(expected), rtol=1e-5)


def test_early_kl_holds_for_four_minutes_of_games_that_follow_a_z():
    """Four minutes are 4 * 60 * 22.4 = 5,376 game loops."""
    game_loop = jnp.array([0, 5375, 5376, 9000, 0, 0])
    follows_z = jnp.array([True, True, True, True, False, True])
    mask = jnp.arange(T) < 5
    actual = losses.early_action_type_kl_loss(jnp.ones(T), game_loop, follows_z, mask)
    np.testing.assert_array_equal(actual, [1, 1, 0, 0, 0, 0])


# Weights


def test_default_weights_are_those_of_the_paper():
    weights = LossWeights()
    np.testing.assert_array_equal(weights.policy.array(), [1, 4, 6, 6, 6])
    np.testing.assert_array_equal(weights.value.array(), [10, 1, 1, 1, 1])


@pytest.mark.parametrize(
    "change",
    [
        {"entropy": -1e-4},
        {"kl": float("nan")},
        {"discount": 1.1},
        {"td_lambda": 2.0},
        {"vtrace_lambda": 1.5},
        {"rho_clip": 0.0},
        {"upgo": float("inf")},
    ],
)
def test_weights_that_make_no_sense_are_refused_by_name(change):
    with pytest.raises(UserError, match=f"LossWeights.{next(iter(change))} is"):
        replace(LossWeights(), **change)


def test_negative_reward_weight_is_refused_by_name():
    with pytest.raises(UserError, match="RewardWeights.units is -1.0"):
        RewardWeights(units=-1.0)
