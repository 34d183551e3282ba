"""Games that begin anew by themselves, on a toy game that counts (examples/jax_games.py plays the real one)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.envs import auto_reset, ending
from asterism.game.game import EmbeddedGame


class View(NamedTuple):
    """What a player of the toy game sees."""

    count: jax.Array
    done: jax.Array


def reset(key):
    """A count that begins anywhere below 5, and ends at 10."""
    count = jax.random.randint(key, (), 0, 5)
    return {"count": count, "key": key}, View(count, jnp.bool_(False))


def step(state, action):
    """Adds the action."""
    count = state["count"] + action
    return state | {"count": count}, View(count, count >= 10)


def test_a_game_that_has_ended_begins_anew_at_once():
    """As a loop over single games that resets by hand."""
    many = jax.jit(jax.vmap(auto_reset(reset, step)))
    state, view = jax.vmap(reset)(jax.random.split(jax.random.key(0), 4))
    expected, ended = np.array(view.count), 0
    for i in range(20):
        action = np.random.default_rng(i).integers(0, 4, 4)
        keys = jax.random.split(jax.random.key(i), 4)
        state, view, reached = many(state, jnp.asarray(action), keys)
        expected = expected + action
        assert (reached.count == expected).all() and (reached.done == (expected >= 10)).all()
        fresh = np.array([reset(key)[1].count for key in keys])
        ended += (expected >= 10).sum()
        expected = np.where(expected >= 10, fresh, expected)
        assert (view.count == expected).all() and (state["count"] == expected).all() and not view.done.any()
    assert ended > 4


@pytest.fixture(scope="module")
def at():
    """(loop, reward, done) -> what `ending` says with a time limit of 640."""
    game = EmbeddedGame()
    _, shapes = jax.eval_shape(lambda: game.reset(jax.random.key(0), game.no_strategy()))
    timestep = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    def ends(loop, reward, done):
        scalars = timestep.observation.scalars._replace(game_loop=jnp.full(2, loop))
        observation = timestep.observation._replace(scalars=scalars)
        now = timestep._replace(observation=observation, reward=jnp.array(reward), done=jnp.array(done))
        return tuple(map(bool, ending(now, 640)))

    return ends


def test_time_truncates_and_a_decision_terminates(at):
    assert at(320, [0.0, 0.0], False) == (False, False)
    assert at(640, [0.0, 0.0], True) == (False, True)
    assert at(320, [1.0, -1.0], True) == (True, False)
    assert at(320, [0.0, 0.0], True) == (True, False), "both lost at once"
    assert at(640, [-1.0, 1.0], True) == (True, False), "decided as time ran out"
