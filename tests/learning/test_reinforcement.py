"""The reinforcement loss as a whole: what moves the policy, what does not, and what padding may hold."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from asterism.interface.action import ActionParts
from asterism.interface.network import ValueUnits
from asterism.learning.losses import LossWeights, RewardWeights
from asterism.learning.pseudo_rewards import StrategyValues
from asterism.learning.reinforcement import (
    REWARDS,
    Factors,
    Scale,
    Trajectory,
    all_rewards,
    behaviour_shares,
    distances_to_z,
    fresh_learner,
    reinforcement_loss,
    reinforcement_update,
    weight_table,
)

LANES, STEPS = 2, 6
WEIGHTS = LossWeights(entropy=0.01, td_lambda=1.0)
SCALE = Scale(location=8, map_cells=64, loops_per_second=22.4)


class Case:
    """A batch of trajectories of the toy game, and every term of the loss with its gradient, compiled once."""

    def __init__(self, toy):
        self.toy = toy
        observation, privileged, action = toy.moments(0, LANES, STEPS + 1)
        flags = np.zeros((LANES, STEPS + 1), bool)
        carry = np.zeros(LANES, np.int32)
        batch = Trajectory(
            observation=observation,
            privileged=privileged,
            action=action,
            behaviour=None,
            reset=flags,
            enabled=StrategyValues(*[flags] * 4),
            reward=np.zeros((LANES, STEPS), np.float32),
            ended=flags[:, 1:],
            mask=~flags[:, 1:],
            version=np.zeros((LANES, STEPS), np.int32),
            carry=carry,
            teacher_carry=carry,
        )
        unroll = jax.vmap(toy.network.unroll, (None, 0, 0, 0, 0, 0))
        self.unroll = jax.jit(lambda params: unroll(params, carry, observation, privileged, action, flags)[1])
        # The policy that acts and the teacher are the learner's own; values are 0.
        self.params = toy.params._replace(value=0 * toy.params.value)
        behaviour = jax.tree.map(np.array, self.unroll(self.params).log_probs)
        self.batch = batch._replace(behaviour=behaviour)

        def terms(params, teacher, batch):
            _, learned = reinforcement_loss(toy.network, toy.game.uses, WEIGHTS, SCALE, params, teacher, batch)
            losses = {name: value for name, value in learned.metrics.items() if name.startswith("loss/")}
            return losses, (learned.teacher_carry, losses)

        self.terms = jax.jit(jax.jacrev(terms, has_aux=True))

    def __call__(self, batch, params=None):
        """Every term, its gradient, and the teacher's carries."""
        params = self.params if params is None else params
        gradients, (carries, metrics) = self.terms(params, self.params, batch)
        return jax.tree.map(float, metrics), jax.tree.map(np.asarray, gradients), carries


@pytest.fixture(scope="module")
def case(toy):
    return Case(toy)


def size_of(gradient):
    return max(np.abs(leaf).max() for leaf in jax.tree.leaves(gradient))


def descend(params, gradients, rate):
    """Parameters after a step of the policy alone."""
    return params._replace(policy=jax.tree.map(lambda p, g: p - rate * g, params.policy, gradients.policy))


def decided(batch, result):
    """The batch, if the last step had ended the games with this result."""
    last = np.arange(STEPS) == STEPS - 1
    return batch._replace(reward=np.tile(np.float32(result) * last, (LANES, 1)), ended=np.tile(last, (LANES, 1)))


def test_without_rewards_and_at_the_teacher_only_entropy_moves_the_policy(case):
    metrics, gradients, _ = case(case.batch)
    assert {name for name, value in metrics.items() if abs(value) > 1e-6} == {"loss/entropy", "loss/total"}
    for name, gradient in gradients.items():
        moves = name in ("loss/entropy", "loss/total")
        assert (size_of(gradient.policy) > 1e-6) == moves and size_of(gradient.value) < 1e-6, name
    # A step against the gradient makes the policy less sure.
    assert (
        case(case.batch, descend(case.params, gradients["loss/total"], 10))[0]["loss/entropy"] < metrics["loss/entropy"]
    )


def test_a_policy_away_from_its_teacher_is_drawn_back(case):
    """A step against the gradient of the divergence brings it nearer."""
    away = case.params._replace(policy=jax.tree.map(lambda p: 2.0 * p, case.params.policy))
    metrics, gradients, _ = case(case.batch, away)
    assert metrics["loss/kl"] > 1e-4
    assert case(case.batch, descend(away, gradients["loss/kl"], 0.01))[0]["loss/kl"] < metrics["loss/kl"]


@pytest.mark.parametrize("result", [1.0, -1.0])
def test_a_won_game_makes_its_actions_likelier_and_a_lost_one_less_likely(case, result):
    """The reward comes with the last step; with values of 0 and lambda 1, half the squared error is 1/2 everywhere."""
    metrics, gradients, _ = case(decided(case.batch, result))
    assert metrics["loss/value/win_loss"] == pytest.approx(0.5)
    for name in ("loss/policy/win_loss", "loss/upgo"):
        if name == "loss/upgo" and result < 0:
            continue
        step = descend(case.params, gradients[name], 0.001)
        before, after = (sum(p[:, :-1].sum() for p in case.unroll(q).log_probs) for q in (case.params, step))
        assert (after - before) * result > 0, name


def test_the_value_moves_towards_the_outcome(case):
    gradient = case(decided(case.batch, 1.0))[1]["loss/total"]
    step = case.params._replace(value=case.params.value - 0.01 * gradient.value)
    values = np.asarray(case.unroll(step).values)[:, :-1]
    assert (values[..., 0] > 0).all() and (values[..., 1:] == 0).all()


def test_padding_does_not_matter(case):
    """Four real steps and the entry after them: what follows may hold anything, for the loss, gradients and teacher."""
    batch = case.batch._replace(mask=np.arange(STEPS) < np.array([[4], [6]]))
    batch = batch._replace(reward=np.linspace(-1, 1, LANES * STEPS, dtype=np.float32).reshape(LANES, STEPS))
    params = case.params._replace(value=case.params.value + 0.3)
    other = case.toy.moments(9, LANES, STEPS + 1)

    def spoil(leaf, wrong, first):
        spoilt = leaf.copy()
        spoilt[0, first:] = np.asarray(wrong)[0, first:]
        return spoilt

    spoilt = batch._replace(
        **{
            name: jax.tree.map(lambda leaf, wrong: spoil(leaf, wrong, 5), getattr(batch, name), wrong)
            for name, wrong in zip(("observation", "privileged", "action"), other, strict=True)
        },
        behaviour=jax.tree.map(lambda leaf: spoil(leaf, leaf - 3.0, 4), batch.behaviour),
        reset=spoil(batch.reset, ~batch.reset, 5),
        reward=spoil(batch.reward, batch.reward + 5.0, 4),
        ended=spoil(batch.ended, ~batch.ended, 4),
    )
    metrics, gradients, carries = case(batch, params)
    metrics_spoilt, gradients_spoilt, carries_spoilt = case(spoilt, params)
    assert metrics == pytest.approx(metrics_spoilt, rel=1e-4, abs=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5), gradients, gradients_spoilt)
    # The teacher has looked on at the real steps alone.
    np.testing.assert_array_equal(carries, [4, 6])
    np.testing.assert_array_equal(carries_spoilt, [4, 6])
    # A real step does matter.
    changed = batch._replace(reward=spoil(batch.reward, batch.reward + 5.0, 3))
    assert case(changed, params)[0]["loss/total"] != pytest.approx(metrics["loss/total"], rel=1e-3)


def test_every_step_counts_the_same_however_long_its_trajectory_is(case):
    """The entropies of 2 and 6 steps: the mean over 8 steps, not over two trajectories."""
    rows = [case.batch._replace(mask=np.arange(STEPS) < np.array(steps)[:, None]) for steps in ((2, 6), (2, 0), (0, 6))]
    both, short, long = (case(row)[0]["loss/entropy"] for row in rows)
    assert both == pytest.approx((2 * short + 6 * long) / 8, rel=1e-5) and short != pytest.approx(long, rel=1e-3)


def test_every_weight_is_in_the_table(case):
    """All terms have one, and each of the 14 weights is that of one term."""
    numbers = iter(range(1, 15))
    rewards = [RewardWeights(*[float(next(numbers)) for _ in REWARDS]) for _ in range(2)]
    rest = {name: float(next(numbers)) for name in ("upgo", "entropy", "kl", "kl_action_type_early")}
    table = weight_table(LossWeights(policy=rewards[0], value=rewards[1], **rest))
    assert sorted(table.values()) == list(range(1, 15))
    assert (table["policy/upgrades"], table["value/win_loss"], table["kl_early"]) == (4, 6, 14)
    metrics = case(case.batch, case.params._replace(value=case.params.value + 0.3))[0]
    assert {f"loss/{name}" for name in table} | {"loss/total"} == set(metrics)
    terms = sum(weight * metrics[f"loss/{name}"] for name, weight in weight_table(WEIGHTS).items())
    assert metrics["loss/total"] == pytest.approx(terms, rel=1e-4)


def test_pseudo_rewards_are_paid_with_the_step_that_earned_them(case):
    """One unit type of the z is made between step 2 and 3: step 2 earns 1 for units, if the game has that reward."""
    one = jax.tree.map(lambda leaf: leaf[0], case.batch)
    blank = jax.tree.map(np.zeros_like, one.observation.z)
    wanted = np.zeros_like(blank.units)
    wanted[:, 4] = True
    made = np.zeros((STEPS + 1, 2, wanted.shape[1]), bool)
    made[3:, 0, 4] = True
    executed = jax.tree.map(np.zeros_like, one.privileged.executed)._replace(units=made)
    one = one._replace(
        observation=one.observation._replace(z=blank._replace(units=wanted)),
        privileged=one.privileged._replace(executed=executed),
        reward=np.eye(STEPS, dtype=np.float32)[5],
    )
    on = one._replace(enabled=StrategyValues(*[np.ones(STEPS + 1, bool)] * 4))
    expected = np.zeros((STEPS, 5))
    expected[5, 0] = 1

    @jax.jit
    def rewards(trajectory):
        discounts = jnp.where(trajectory.ended, 0.0, 1.0)
        return all_rewards(trajectory, distances_to_z(trajectory, SCALE), SCALE, discounts)

    np.testing.assert_allclose(rewards(one), expected)
    expected[2, REWARDS.index("units")] = 1
    np.testing.assert_allclose(rewards(on), expected)
    # Where a game ends the next entry is of another.
    np.testing.assert_allclose(rewards(on._replace(ended=np.arange(STEPS) == 2))[:, 1:], 0)


def test_values_are_learned_in_their_units_which_follow_the_targets(case):
    """In units of 2 the value losses are a quarter and all else is the same; the targets are in units of 1, and the
    statistics rest while the values do."""
    units = jnp.array([2.0, 1.0, 1.0, 1.0, 1.0])

    def follow(params, targets, mask, step):
        first = jnp.where(mask, targets[..., 0], 0.0).sum() / mask.sum()
        return params._replace(value=jnp.full_like(params.value, step * first))

    network = case.toy.network._replace(value_units=ValueUnits(lambda params: units, follow))
    batch = decided(case.batch, 1.0)
    update = jax.jit(
        reinforcement_update(network, case.toy.game.uses, WEIGHTS, SCALE, optimizer := optax.sgd(0.1)),
    )
    state = fresh_learner(case.params, optimizer)
    learned, _, metrics = update(state, case.params, batch, Factors())
    plain = case(batch)[0]
    for name, value in plain.items():
        if name != "loss/total":
            share = 0.25 if name == "loss/value/win_loss" else 1.0
            assert metrics[name] == pytest.approx(share * value, rel=1e-5, abs=1e-7), name
    # lambda is 1: every target is the result.
    np.testing.assert_allclose(learned.params.value, WEIGHTS.popart_step, rtol=1e-5)
    resting, _, _ = update(state, case.params, batch, Factors(value_rate=0.0))
    np.testing.assert_array_equal(resting.params.value, 0)


def test_factors_scale_their_terms_and_steps(case):
    """The total with factors is the sum of the terms, each by its own; a rate of 0 leaves the policy as it is."""
    params = case.params._replace(value=case.params.value + 0.3)
    factors = Factors(upgo=2.0, entropy=3.0, kl=5.0)
    loss = jax.jit(partial(reinforcement_loss, case.toy.network, case.toy.game.uses, WEIGHTS, SCALE))
    batch = decided(case.batch, 1.0)
    total, learned = loss(params, case.params, batch, factors)
    plain, _ = loss(params, case.params, batch, Factors())
    own = {"upgo": 2.0, "entropy": 3.0, "kl": 5.0, "kl_early": 5.0}
    terms = [
        weight * own.get(name, 1.0) * learned.metrics[f"loss/{name}"] for name, weight in weight_table(WEIGHTS).items()
    ]
    assert total == pytest.approx(float(sum(terms)), rel=1e-4)
    assert total != pytest.approx(float(plain), rel=1e-3)


def test_lag_is_the_updates_between_acting_and_learning(case):
    """Half of the steps acted two updates ago, the others three; the learner counts its updates."""
    network, optimizer = case.toy.network, optax.sgd(0.1)
    update = jax.jit(reinforcement_update(network, case.toy.game.uses, WEIGHTS, SCALE, optimizer))
    state = fresh_learner(case.params, optimizer)._replace(updates=jnp.int32(7))
    batch = case.batch._replace(version=np.tile(np.int32([4, 5]), (LANES, STEPS // 2)))
    state, _, metrics = update(state, case.params, batch)
    assert metrics["lag"] == 2.5 and state.updates == 8


def test_what_is_watched_by_hand(case):
    """Lane 0: steps at loops 0, 32, 64, ... act, but for the no-ops of steps 1 and 2; its game ends with step 3."""
    one = jax.tree.map(lambda leaf: leaf[0], case.batch)
    scalars = one.observation.scalars._replace(game_loop=32 * np.arange(STEPS + 1))
    kinds = np.where(np.isin(np.arange(STEPS + 1), (1, 2)), 0, 3)
    z = jax.tree.map(np.zeros_like, one.observation.z)
    z = z._replace(units=np.ones_like(z.units))
    one = one._replace(
        observation=one.observation._replace(scalars=scalars, z=z),
        action=one.action._replace(action_type=kinds),
        ended=np.arange(STEPS) == 3,
        mask=np.arange(STEPS) < 5,
    )
    steps = np.arange(STEPS, dtype=np.float32)
    parts = len(ActionParts._fields)
    used = ActionParts(*[steps < 2] * parts)._replace(delay=steps > 9)
    distances = StrategyValues(*[np.arange(STEPS + 1.0) * factor for factor in (1, 2, 3, 4)])
    shares = behaviour_shares(
        one, used, ActionParts(*[steps] * parts), ActionParts(*[steps**2] * parts), distances, SCALE
    )
    means = {name: float(np.sum(share.of) / np.sum(share.by)) for name, share in shares.items()}
    assert means["entropy/units"] == 0.5 and means["kl/units"] == 0.5
    assert np.isnan(means["entropy/delay"])
    # Of the five real steps the fourth ends the game: what follows it is another's. Two actions in 4 x 32 loops.
    assert means["apm"] == pytest.approx(2 * 60 * 22.4 / 128)
    assert [means[f"from_z/{name}"] for name in StrategyValues._fields] == [3, 6, 9, 12]
