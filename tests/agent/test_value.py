"""The value networks: what each sees, and what it makes of swapped players."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.agent import AGENT_SIZES
from asterism.agent.initializer import initialize
from asterism.agent.value import Values

TINY = AGENT_SIZES["tiny"]


def make_values(game, size, balanced):
    config = dataclasses.replace(TINY, value=dataclasses.replace(TINY.value, balanced=balanced))
    return initialize(lambda init: Values(init, game, size, config), jax.random.key(3))


@pytest.fixture(scope="module")
def privileged(batch):
    return batch[1]


@pytest.fixture(scope="module")
def cores():
    return jax.random.normal(jax.random.key(4), (6, TINY.core.width))


def swap(privileged):
    return jax.tree.map(lambda leaf: leaf[:, ::-1], privileged)


def test_what_one_player_may_hope_for_the_other_must_fear(game, size, privileged, cores):
    value = jax.vmap(make_values(game, size, balanced=True))
    own, other = value(cores, privileged), value(cores, swap(privileged))
    assert (jnp.abs(own[:, 0]) > 1e-3).all()
    np.testing.assert_allclose(own[:, 0], -other[:, 0], atol=1e-5)
    assert (jnp.abs(own[:, 1:] + other[:, 1:]) > 1e-4).all()


def test_equal_players_are_worth_nothing(game, size, privileged, cores):
    twins = jax.tree.map(lambda leaf: jnp.repeat(leaf[:, :1], 2, 1), privileged)
    np.testing.assert_array_equal(jax.vmap(make_values(game, size, balanced=True))(cores, twins)[:, 0], 0)


@pytest.mark.parametrize("balanced", [True, False])
def test_only_a_balanced_win_value_is_blind_to_core_and_history(game, size, privileged, cores, balanced):
    value = jax.vmap(make_values(game, size, balanced))
    executed = privileged.executed._replace(units=~privileged.executed.units)
    seen = value(cores, privileged)
    for changed in (value(cores + 1, privileged), value(cores, privileged._replace(executed=executed))):
        moved = jnp.abs(changed - seen) > 1e-5
        assert moved[:, 1:].all() and moved[:, 0].any() != balanced
