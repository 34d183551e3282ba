"""Each part that can be left out: what no longer has an influence without it, and still has with it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.agent import AGENT_SIZES
from asterism.agent.config import Parts
from asterism.agent.initializer import initialize
from asterism.agent.policy import Policy
from asterism.agent.popart import PopArt
from asterism.agent.value import Values, follow
from asterism.interface.observation import Alliance, EntityField

KEY = jax.random.key(3)


def config(balanced=True, **parts):
    tiny = AGENT_SIZES["tiny"]
    return replace(tiny, parts=Parts(**parts), value=replace(tiny.value, balanced=balanced))


@pytest.fixture(scope="module")
def moment(batch):
    """One observation, and the same with another second entity."""
    seen = jax.tree.map(lambda leaf: leaf[0], batch[0])
    entities = seen.entities.at[:2, EntityField.ALLIANCE].set(Alliance.SELF)
    other = entities.at[1, EntityField.HEALTH].add(100).at[1, EntityField.X].set(entities[1, EntityField.X] // 2)
    return seen._replace(entities=entities), seen._replace(entities=other)


def encoded(game, size, moment, **parts):
    """Both observations as the policy with these parts encodes them, and the keys of their entities."""
    policy = initialize(lambda init: Policy(init, game, size, config(**parts)), KEY)
    codes = [policy.encode(seen) for seen in moment]
    return codes, [policy.units.keys(code.entities.each) for code in codes]


def differs(one, other) -> bool:
    return any(bool(jnp.abs(a - b).max() > 1e-6) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other)))  # noqa: B905


def test_entities_reach_the_map_by_the_scatter_connection_alone(game, size, moment):
    for scatter in (True, False):
        (one, other), _ = encoded(game, size, moment, scatter=scatter)
        assert differs(one.map, other.map) == scatter
        assert differs(one.entities.each[1], other.entities.each[1])


def test_entities_see_each_other_in_the_transformer_alone(game, size, moment):
    for transformer in (True, False):
        (one, other), _ = encoded(game, size, moment, transformer=transformer)
        assert differs(one.entities.each[0], other.entities.each[0]) == transformer
        assert differs(one.entities.each[1], other.entities.each[1])
        assert differs(one.entities.summary, other.entities.summary)


def test_without_pointers_the_keys_are_those_of_the_places(game, size, moment):
    for pointer in (True, False):
        _, (one, other) = encoded(game, size, moment, pointer=pointer)
        assert one.shape == (size.entities, AGENT_SIZES["tiny"].pointer.key)
        assert differs(one[1], other[1]) == pointer and differs(one[0], one[1])


@pytest.mark.parametrize("balanced", [True, False])
def test_values_see_the_opponent_or_not(game, size, batch, balanced):
    privileged = batch[1]
    changed = jax.tree.map(lambda leaf: leaf.at[:, 1].set(leaf[::-1, 1]), privileged)
    core = jnp.ones((6, AGENT_SIZES["tiny"].core.width))
    own = jax.tree.map(lambda leaf: leaf.at[:, 0].set(leaf[::-1, 0]), privileged)
    for opponent in (True, False):
        value = jax.vmap(initialize(lambda i: Values(i, game, size, config(balanced, opponent=opponent)), KEY))  # noqa: B023
        before = value(core, privileged)
        assert ((jnp.abs(value(core, changed) - before) > 1e-6).any(0) == opponent).all()
        assert (jnp.abs(value(core, own) - before) > 1e-6).any(0).all()


# PopArt


@pytest.mark.parametrize("balanced", [True, False])
def test_values_stay_when_their_units_change(game, size, batch, balanced):
    values = initialize(lambda init: Values(init, game, size, config(balanced, popart=True)), KEY)
    core = jnp.ones((6, AGENT_SIZES["tiny"].core.width))
    before = jax.vmap(values)(core, batch[1])
    targets = 3 + 2 * jax.random.normal(KEY, (6, 4, 5))
    moved = follow(values, targets, jnp.ones((6, 4), bool), 0.3)
    assert (jnp.abs(moved.popart.scale - values.popart.scale) > 0.1).all()
    np.testing.assert_allclose(jax.vmap(moved)(core, batch[1]), before, rtol=1e-4, atol=1e-4)


def test_targets_in_their_own_units_have_mean_0_and_deviation_1():
    """Of a stream that does not change; and padding, however wild, does not count."""
    statistics = PopArt(jnp.zeros(2), jnp.ones(2))
    mean, deviation = np.array([5.0, -0.2]), np.array([0.3, 4.0])
    rng = np.random.default_rng(0)
    mask = jnp.arange(64) < 50

    @jax.jit
    def step(statistics, targets):
        return statistics.follow(targets, mask, 0.02)

    for _ in range(1000):
        targets = np.where(np.asarray(mask)[:, None], rng.normal(mean, deviation, (64, 2)), 1e6)
        statistics = step(statistics, jnp.asarray(targets, jnp.float32))
    seen = (rng.normal(mean, deviation, (10_000, 2)) - statistics.mean) / statistics.scale
    np.testing.assert_allclose(seen.mean(0), 0, atol=0.1)
    np.testing.assert_allclose(seen.std(0), 1, atol=0.1)
    nothing = statistics.follow(jnp.full((4, 2), jnp.nan), jnp.zeros(4, bool), 0.5)
    np.testing.assert_array_equal(nothing.mean, statistics.mean)


def test_statistics_agree_with_rlax():
    import rlax

    targets = jax.random.normal(KEY, (8, 2)) * jnp.array([0.5, 3.0]) + 1
    old = PopArt(jnp.array([0.1, 0.2]), jnp.array([1.5, 2.5]))
    reference = rlax.art(
        rlax.PopArtState(old.mean, old.scale, old.square), targets, jnp.arange(16).reshape(8, 2) % 2, 0.4 / 8, 1e-4, 1e6
    )
    new = old.follow(targets, jnp.ones(8, bool), 0.4)
    for ours, theirs in (
        (new.mean, reference.shift),
        (new.scale, reference.scale),
        (new.square, reference.second_moment),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
