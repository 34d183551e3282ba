"""A toy game, its network, and random moments of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import random_observation, random_privileged, stack, toy_game

from asterism.agent import AGENT_SIZES, make_network
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import random_action


@pytest.fixture(scope="session")
def game():
    return toy_game()


@pytest.fixture(scope="session")
def size():
    return InterfaceSize("toy", entities=24, map=16, location=32, selected=4)


@pytest.fixture(scope="session")
def network(game, size):
    return make_network(game, size, AGENT_SIZES["tiny"], temperature=0.8)


@pytest.fixture(scope="session")
def params(network):
    return network.init(jax.random.key(0))


@pytest.fixture(scope="session")
def batch(game, size):
    """(observation, privileged, action), [6, ...]: six moments, whose actions use every part."""

    rng = np.random.default_rng(5)
    observation = stack(random_observation(rng, game, size) for _ in range(6))
    privileged = stack(random_privileged(rng, game, size) for _ in range(6))
    draw = jax.jit(jax.vmap(lambda key, seen: random_action(key, seen, game, size)))
    action = draw(jax.random.split(jax.random.key(1), 6), observation)
    used = jax.tree.map(lambda column: column[action.action_type].any(), game.uses)
    assert all(used)
    return *jax.tree.map(jnp.asarray, (observation, privileged)), action
