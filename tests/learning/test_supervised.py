"""Imitation: what it counts, and that a rule can be learned from its examples."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from asterism.errors import UserError
from asterism.interface.action import Action, ActionParts
from asterism.interface.network import UnrollOutput
from asterism.learning.supervised import (
    Imitation,
    Learner,
    SupervisedWeights,
    imitation_loss,
    imitation_update,
    part_accuracies,
    used_parts,
)

LANES, STEPS = 8, 10


def ruled(toy, seed):
    """Moments in which a player with more than 1000 minerals takes action 7, else action 5, and a delay of 2 or 6."""
    observation, privileged, action = toy.moments(seed, LANES, STEPS)
    rich = observation.scalars.statistics[..., 0] > 1000
    whole = np.int32
    action = action._replace(
        action_type=np.where(rich, 7, 5).astype(whole), delay=np.where(rich, 6, 2).astype(whole), units=action.units * 0
    )
    outcome = np.where(np.arange(LANES) % 2, 1.0, -1.0).astype(np.float32)[:, None] * np.ones(STEPS, np.float32)
    reset = np.zeros((LANES, STEPS), bool)
    return jax.tree.map(jnp.asarray, Imitation(observation, action, privileged, outcome, reset))


def test_a_rule_is_learned_from_its_examples(toy):
    """Loss falls below a tenth and hardly a choice is wrong, on moments that were never shown."""
    optimizer, weights = optax.adam(0.3), SupervisedWeights(l2=0.0)
    update = jax.jit(imitation_update(toy.network, toy.game.uses, weights, optimizer))
    carry = jnp.zeros(LANES, jnp.int32)
    learner, batches = Learner(toy.params, optimizer.init(toy.params), carry), [ruled(toy, seed) for seed in range(3)]
    _, before = update(learner, batches[2])
    for number in range(150):
        learner, _ = update(learner, batches[number % 2])
    _, after = update(learner, batches[2])
    for part in ("action_type", "delay"):
        assert after[f"loss/{part}"] < 0.1 * before[f"loss/{part}"]
        assert after[f"accuracy/{part}"] > 0.95
    assert after["loss/total"] < before["loss/total"] and after["gradient_norm"] > 0
    # One count for each step of each lane, from one window to the next.
    assert (learner.carry == 150 * STEPS).all()


@pytest.fixture(scope="module")
def losses(toy):
    """The loss of any batch, compiled once for each choice of weights."""
    compiled = {}

    def loss(params, batch, **weights):
        key = tuple(sorted(weights.items()))
        if key not in compiled:
            setting = SupervisedWeights(**weights)
            compiled[key] = jax.jit(lambda p, c, b: imitation_loss(toy.network, toy.game.uses, setting, p, c, b))
        return compiled[key](params, jnp.zeros(LANES, jnp.int32), batch)

    return loss


def test_the_loss_is_the_mean_negative_log_likelihood(toy, losses):
    """Of the whole action: the parts that its type does not use count nothing."""
    observation, privileged, action = toy.moments(5, LANES, STEPS)
    batch = ruled(toy, 5)._replace(observation=observation, privileged=privileged, action=action)
    loss, (_, metrics) = losses(toy.params, batch, l2=0.0, value=0.0)
    carry, reset = jnp.zeros(LANES, jnp.int32), batch.reset
    unroll = jax.jit(jax.vmap(toy.network.unroll, (None, 0, 0, 0, 0, 0)))
    _, output = unroll(toy.params, carry, observation, privileged, action, reset)
    log_likelihood = sum(np.asarray(part) for part in output.log_probs)
    assert loss == pytest.approx(-log_likelihood.mean(), rel=1e-5) and metrics["loss/total"] == pytest.approx(loss)


def test_weights_multiply_their_terms(toy, losses):
    """Squared norm of the policy's weights, and half the squared error of the win/loss value."""
    batch = ruled(toy, 5)
    plain, full = (losses(toy.params, batch, l2=l2, value=value)[0] for l2, value in ((0.0, 0.0), (0.5, 2.0)))
    norm = sum(float((leaf**2).sum()) for leaf in toy.params.policy)
    statistics = np.asarray(batch.observation.scalars.statistics[..., :3]) / 1000
    features = np.append(statistics, np.ones((LANES, STEPS, 1)), -1)
    values = (features @ np.asarray(toy.params.value))[..., 0]
    squared = ((values - np.asarray(batch.outcome)) ** 2).mean()
    assert full - plain == pytest.approx(0.5 * norm + 2.0 * 0.5 * squared, rel=1e-4)


def test_used_parts_are_the_rows_of_the_table(toy):
    """Action by action, for any shape of actions."""
    count = len(toy.game.actions)
    types = np.arange(count).repeat(2).reshape(count, 2)
    used = used_parts(toy.game.uses, toy.moments(0, count, 2)[2]._replace(action_type=types))
    for index, row in enumerate(toy.game.actions):
        flags = True, True, row.queued, row.repeat, row.selects, row.target_unit, row.location
        for part, flag in zip(used, flags, strict=True):
            np.testing.assert_array_equal(part[index], flag)


def perfect(toy, action):
    """Logits that favour the given actions ([T]), units in their rounds; elsewhere the first choice."""
    widths = ActionParts(len(toy.game.actions), toy.size.delays, 2, toy.size.repeats, None, 6, 64)
    ends = np.where(action.units >= 0, action.units, toy.size.entities)
    logits = jax.tree.map(lambda width, choice: 5 * np.eye(width)[choice], widths[:4], tuple(action[:4]))
    places = [5 * np.eye(width)[choice] for width, choice in zip(widths[5:], action[5:], strict=True)]
    rounds = (action.units >= 0).sum(-1, keepdims=True) >= np.arange(toy.size.selected)
    count = len(action.delay)
    parts = jax.tree.map(jnp.asarray, ActionParts(*logits, 5 * np.eye(toy.size.entities + 1)[ends], *places))
    zero = ActionParts(*[np.zeros(count, np.float32)] * 7)
    return UnrollOutput(parts, zero, jnp.asarray(rounds), jnp.zeros((count, 5)))


@pytest.fixture
def actions(toy):
    """20 actions: in turn with 0, 1, 2 and 3 units."""
    action = jax.tree.map(lambda leaf: leaf[0], toy.moments(6, 1, 20)[2])
    units = np.where(np.arange(3) < (np.arange(20) % 4)[:, None], np.arange(3), -1)
    return action._replace(units=units.astype(np.int32))


def test_perfect_logits_are_always_right(toy, actions):
    for part in part_accuracies(perfect(toy, actions), actions):
        np.testing.assert_array_equal(part, 1.0)


def test_opposite_logits_are_never_right(toy, actions):
    output = perfect(toy, actions)
    output = output._replace(logits=jax.tree.map(lambda logits: -logits, output.logits))
    for part in part_accuracies(output, actions):
        np.testing.assert_array_equal(part, 0.0)


def test_units_are_right_by_the_round(toy, actions):
    """The player took units 0 and 1 and ended; with 4 in the second round two rounds of three are right."""
    output, two = perfect(toy, actions), 2
    wrong = np.array(output.logits.units)
    wrong[two, 1] = np.eye(toy.size.entities + 1)[4]
    accuracy = part_accuracies(output._replace(logits=output.logits._replace(units=jnp.asarray(wrong))), actions).units
    assert accuracy[two] == pytest.approx(2 / 3) and (np.delete(accuracy, two) == 1).all()


@pytest.mark.parametrize("field", ["l2", "value"])
def test_negative_weights_are_refused(field):
    with pytest.raises(UserError, match=f"negative.*{field}"):
        SupervisedWeights(**{field: -1.0})


def test_actions_have_as_many_parts_as_the_table():
    assert Action._fields == ActionParts._fields
