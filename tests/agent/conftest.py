"""A toy game, its network, and random moments of it."""

import jax
import pytest
from toys import random_observation, random_privileged, toy_game

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
    """(observation, privileged, action), [6, ...]: six moments."""

    @jax.vmap
    def draw(key):
        keys = jax.random.split(key, 3)
        observation = random_observation(keys[0], game, size)
        return observation, random_privileged(keys[1], game, size), random_action(keys[2], observation, game, size)

    return jax.jit(draw)(jax.random.split(jax.random.key(1), 6))
