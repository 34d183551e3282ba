"""Acting and scoring as one: the network as a record of functions."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.agent import AGENT_SIZES, agent_config, make_network
from asterism.errors import UserError
from asterism.interface.observation import Alliance, EntityField
from asterism.interface.sizes import SIZES, InterfaceSize
from asterism.interface.spec import action_spec, selectable_entities, validate
from asterism.runtime.describe_agent import block_weights
from asterism.runtime.league_settings import LeagueTraining

STEPS = 6
RESET = jnp.arange(STEPS) == 3


@pytest.fixture(scope="module")
def unroll(network, params):
    """(params, observation, privileged, action) -> (carry, UnrollOutput)."""
    compiled = jax.jit(network.unroll)
    return lambda observation, privileged, action: compiled(
        params, network.initial_carry(), observation, privileged, action, RESET
    )


@pytest.fixture(scope="module")
def output(unroll, batch):
    return unroll(*batch)[1]


@pytest.fixture(scope="module")
def played(network, params, batch):
    """Four runs over the observations: [(carry, actions, log_probs)], the latter two stacked over time."""
    step = jax.jit(network.step)
    zero = network.initial_carry()

    def run(seed):
        carry, outcomes = zero, []
        for time, key in enumerate(jax.random.split(jax.random.key(seed), STEPS)):
            observation = jax.tree.map(lambda leaf, time=time: leaf[time], batch[0])
            carry, *outcome = step(params.policy, zero if RESET[time] else carry, observation, key)
            outcomes.append(outcome)
        return carry, *jax.tree.map(lambda *leaves: jnp.stack(leaves), *outcomes)

    return [run(seed) for seed in range(4)]


def test_step_and_unroll_give_the_same_log_probabilities(played, unroll, batch):
    observation, privileged, _ = batch
    for carry, actions, log_probs in played:
        unrolled_carry, output = unroll(observation, privileged, actions)
        for part, acted, scored in zip(log_probs._fields, log_probs, output.log_probs, strict=True):
            np.testing.assert_allclose(acted, scored, atol=1e-4, err_msg=part)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), carry, unrolled_carry)


def test_actions_fit_their_spec_and_obey_the_masks(played, game, size, batch):
    observation = batch[0]
    for _, actions, _ in played:
        for time in range(STEPS):
            seen, action = jax.tree.map(lambda leaf, time=time: np.asarray(leaf[time]), (observation, actions))
            validate(action_spec(game, size), action)
            kind, uses = action.action_type, game.uses
            assert seen.scalars.available_actions[kind]
            allowed = np.asarray(selectable_entities(game, seen, kind))
            chosen = action.units[action.units >= 0]
            assert allowed[chosen].all()
            assert len(set(chosen.tolist())) == len(chosen)
            assert (action.units[len(chosen) :] == -1).all()
            assert bool(len(chosen)) == bool(uses.units[kind] and allowed.any())
            if uses.target_unit[kind]:
                assert seen.entities[action.target_unit, EntityField.ALLIANCE] != Alliance.ABSENT


def test_parts_that_the_action_does_not_use_are_zero(played, game):
    for _, actions, log_probs in played:
        for part, used in zip(game.uses._fields, game.uses, strict=True):
            unused = ~used[np.asarray(actions.action_type)]
            assert (np.asarray(getattr(log_probs, part))[unused] == 0).all()
            assert (np.asarray(getattr(actions, part))[unused] == (-1 if part == "units" else 0)).all()


def test_shapes(output, game, size):
    expected = {
        "action_type": (len(game.actions),),
        "delay": (size.delays,),
        "queued": (2,),
        "repeat": (size.repeats,),
        "units": (size.selected, size.entities + 1),
        "target_unit": (size.entities,),
        "location": (size.location**2,),
    }
    for part, shape in expected.items():
        assert getattr(output.logits, part).shape == (STEPS, *shape)
        assert getattr(output.log_probs, part).shape == (STEPS,)
    assert output.unit_rounds.shape == (STEPS, size.selected)
    assert output.values.shape == (STEPS, 5)
    assert (jnp.abs(output.values) < 1).all()


def test_log_probabilities_are_those_of_the_logits(output, batch, game):
    """For the parts that are one choice; a random action's log-probability is finite and below zero."""
    action = batch[2]
    for part in ("action_type", "delay", "queued", "repeat", "target_unit", "location"):
        logits, chosen = getattr(output.logits, part), getattr(action, part)
        expected = jnp.take_along_axis(jax.nn.log_softmax(logits), chosen[:, None], 1)[:, 0]
        used = getattr(game.uses, part)[action.action_type]
        np.testing.assert_allclose(getattr(output.log_probs, part), jnp.where(used, expected, 0), atol=1e-4)
        assert (expected[used] > -100).all()


def test_rounds_end_with_the_selection(output, batch, game, size):
    action = batch[2]
    count = (action.units >= 0).sum(1)
    rounds = jnp.minimum(count + 1, size.selected) * game.uses.units[action.action_type]
    np.testing.assert_array_equal(output.unit_rounds.sum(1), rounds)
    assert (output.log_probs.units[rounds == 0] == 0).all()


def test_permuting_the_entities_permutes_the_pointers_and_nothing_else(output, unroll, batch, size):
    observation, privileged, action = batch
    order = jax.random.permutation(jax.random.key(7), size.entities)
    place = jnp.argsort(order)
    action = action._replace(
        units=jnp.where(action.units >= 0, place[action.units], -1), target_unit=place[action.target_unit]
    )
    permuted = unroll(observation._replace(entities=observation.entities[:, order]), privileged, action)[1]
    units = jnp.concatenate([output.logits.units[..., order], output.logits.units[..., -1:]], -1)
    logits = output.logits._replace(units=units, target_unit=output.logits.target_unit[:, order])
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-3, rtol=1e-4), output._replace(logits=logits), permuted
    )


def test_rows_without_an_entity_never_matter(output, unroll, batch):
    observation, privileged, action = batch
    absent = observation.entities[..., EntityField.ALLIANCE : EntityField.ALLIANCE + 1] == Alliance.ABSENT
    assert absent.any()
    garbage = (
        jnp.where(absent, 77, observation.entities)
        .at[..., EntityField.ALLIANCE]
        .set(observation.entities[..., EntityField.ALLIANCE])
    )
    dirty = unroll(observation._replace(entities=garbage), privileged, action)[1]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), output, dirty)


def test_only_values_see_the_opponent(output, unroll, batch):
    observation, privileged, action = batch
    for player in range(2):
        changed = privileged._replace(unit_counts=privileged.unit_counts.at[:, player].add(20))
        other = unroll(observation, changed, action)[1]
        jax.tree.map(np.testing.assert_array_equal, output._replace(values=0), other._replace(values=0))
        assert (jnp.abs(other.values - output.values) > 1e-4).any(0).all()


def gradient_of_everything(network, params, batch, prepare=lambda params: params):
    """The gradient of all outputs' sum; `prepare` comes between the weights and the network."""

    def loss(params):
        _, output = network.unroll(prepare(params), network.initial_carry(), *batch, RESET)
        return sum(part.sum() for part in output.log_probs) + output.values.sum()

    return jax.jit(jax.grad(loss))(params)


def test_gradients_are_finite_and_reach_every_block(network, params, batch):
    gradient = gradient_of_everything(network, params, batch)
    for part in gradient:
        blocks = {path[0].name for path, _ in jax.tree.leaves_with_path(part)}
        assert len(blocks) >= 3
        for name in blocks:
            leaves = jax.tree.leaves(getattr(part, name))
            assert all(jnp.isfinite(leaf).all() for leaf in leaves), name
            assert any((leaf != 0).any() for leaf in leaves), name


def test_only_the_blocks_that_learn_get_a_gradient_and_the_same_as_ever(network, params, batch):
    learning = ("core", "location")
    free = gradient_of_everything(network, params, batch)
    only = gradient_of_everything(network, params, batch, lambda params: network.learn_only(params, learning))
    close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
    jax.tree.map(close, only.value, free.value)
    for name, expected in vars(free.policy).items():
        expected = expected if name in learning else jax.tree.map(jnp.zeros_like, expected)
        jax.tree.map(close, getattr(only.policy, name), expected)


def test_learning_blocks_are_checked_and_none_means_all(network, params):
    assert network.learn_only(params, ()) is params
    with pytest.raises(UserError, match="no block 'legs'"):
        network.learn_only(params, ("core", "legs"))


def test_a_league_is_told_at_once_of_a_block_that_is_none():
    """Not after minutes of recording and imitation."""
    with pytest.raises(UserError, match="no block 'legs'"):
        LeagueTraining(learn=("action_type", "legs"))


def test_sampled_action_types_are_as_frequent_as_their_probabilities(network, params, batch, output):
    """The first step, whose core starts from zero in both; five standard errors."""
    observation = jax.tree.map(lambda leaf: leaf[0], batch[0])
    keys = jax.random.split(jax.random.key(3), 4000)
    act = jax.vmap(lambda key: network.step(params.policy, network.initial_carry(), observation, key)[1])
    actions = jax.jit(act)(keys).action_type
    probability = jax.nn.softmax(output.logits.action_type[0])
    frequency = jnp.bincount(actions, length=len(probability)) / len(keys)
    error = jnp.sqrt(probability * (1 - probability) / len(keys))
    assert (jnp.abs(frequency - probability) <= 5 * error + 1e-6).all()


def test_temperature_divides_all_logits_but_those_of_the_delay(game, size, params, batch, output):
    warm = make_network(game, size, AGENT_SIZES["tiny"], temperature=1.6)
    _, other = jax.jit(warm.unroll)(params, warm.initial_carry(), *batch, RESET)
    np.testing.assert_allclose(other.logits.delay, output.logits.delay, atol=1e-5)
    for part in ("action_type", "queued", "repeat", "units", "target_unit", "location"):
        hot, cold = getattr(other.logits, part), getattr(output.logits, part)
        allowed = cold > -1e6
        np.testing.assert_allclose(jnp.where(allowed, 2 * hot - cold, 0), 0, atol=1e-4, err_msg=part)


def test_sharpness_is_a_temperature_of_the_policys_own(game, size, network, params, batch):
    """Acting twice as sure is acting at half the temperature; imitation neither sees nor learns it."""
    sharp = network.cooled(params, 0.5)
    assert network.temperature(sharp.policy) == pytest.approx(0.5 * network.temperature(params.policy))
    inputs = network.initial_carry(), *batch, RESET
    expected = make_network(game, size, AGENT_SIZES["tiny"], temperature=0.4).unroll(params, *inputs)[1]
    close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4)
    jax.tree.map(close, network.unroll(sharp, *inputs)[1], expected)
    imitator = make_network(game, size, AGENT_SIZES["tiny"], learns_sharpness=False)
    jax.tree.map(np.testing.assert_array_equal, imitator.unroll(sharp, *inputs), imitator.unroll(params, *inputs))
    assert gradient_of_everything(imitator, params, batch).policy.sharpness == 0


def test_params_are_arrays_alone_and_add_up(params):
    leaves = jax.tree.leaves(params)
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    counts = block_weights(params)
    assert sum(counts.values()) == sum(leaf.size for leaf in leaves)
    assert {"policy.core", "policy.location", "value.networks"} <= set(counts)


def test_presets_fit_the_interfaces_of_their_names(game):
    for name, config in AGENT_SIZES.items():
        network = make_network(game, SIZES[name], config)
        assert block_weights(jax.eval_shape(network.init, jax.random.key(0)))["policy.core"] > 0


def replaced(block, **values):
    tiny = AGENT_SIZES["tiny"]
    return dataclasses.replace(tiny, **{block: dataclasses.replace(getattr(tiny, block), **values)})


@pytest.mark.parametrize(
    ("block", "values", "named"),
    [
        ("core", {"layers": 0}, "agent.core.layers"),
        ("spatial", {"downsample": (16, -1)}, r"agent.spatial.downsample\[1\]"),
        ("spatial", {"kernel": 3}, "agent.spatial.kernel"),
        ("location", {"upsample": (16, 8)}, "agent.location.upsample"),
    ],
)
def test_nonsense_is_refused_by_name(block, values, named):
    with pytest.raises(UserError, match=named):
        replaced(block, **values)


def test_what_does_not_fit_the_interface_is_refused(game, size):
    def make(config, interface=size, temperature=1.0):
        make_network(game, interface, config, temperature)

    odd = InterfaceSize("odd", entities=8, map=15, location=30, selected=2)
    for arguments, named in (
        ((replaced("head", embedding=100),), "agent.head.embedding"),
        ((replaced("location", upsample=(1,)),), "agent.location.upsample"),
        ((AGENT_SIZES["tiny"], odd), "agent.spatial.downsample"),
        ((AGENT_SIZES["tiny"], size, 0.0), "temperature"),
    ):
        with pytest.raises(UserError, match=named):
            make(*arguments)
    with pytest.raises(UserError, match="tiny, small, full"):
        agent_config("huge")
