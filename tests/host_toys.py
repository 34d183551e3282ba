"""Environments and networks for tests of host games: NumPy only, and telling who did what when."""

import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
from toys import toy_game

from asterism.interface.action import Action, ActionParts
from asterism.interface.network import Network
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import observation_spec, zeros

GAME = toy_game(unit_types=3, actions=4)
SIZE = InterfaceSize("toy", entities=2, map=2, location=4, selected=1, delays=100, repeats=2, build_order=2)
BLANK = jax.device_get(zeros(observation_spec(GAME, SIZE)))
LONG = 50.0
"""Seconds after which a test that waits gives up."""


def until(condition):
    """Waits for something that another thread does."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < LONG, "it did not happen"
        time.sleep(0.001)


def moment(number):
    """An observation that tells which moment it is, as its game loop."""
    return BLANK._replace(scalars=BLANK.scalars._replace(game_loop=np.int32(number)))


class Counting:
    """Games of `length` steps; moments are numbered on and on over all games. The last step pays its moment's number.

    `before_step(number of the step)` may wait, or raise.
    """

    def __init__(self, length=3, before_step=lambda steps: None):
        self.length, self.before_step = length, before_step
        self.moment, self.steps, self.closed = -1, 0, threading.Event()
        self.actions = []

    def reset(self, *, seed=None):
        self.moment += 1
        return moment(self.moment), {}

    def step(self, action):
        self.steps += 1
        self.before_step(self.steps)
        self.actions.append(action)
        if self.steps % self.length == 0:
            return moment(0), float(self.moment), True, False, {"last": self.moment}
        self.moment += 1
        return moment(self.moment), 0.0, False, False, {}

    def close(self):
        self.closed.set()


def telling_network():
    """Acts alike always: its delay is the number that its weights are, its carry counts the steps of the game."""

    def step(policy, carry, observation, key):
        zero = jnp.zeros((), jnp.int32)
        action = Action(zero, policy.astype(jnp.int32), zero, zero, jnp.full(SIZE.selected, -1), zero, zero)
        return carry + 1, action, ActionParts(*[jnp.zeros(())] * 7)

    return Network(None, lambda: jnp.zeros((), jnp.int32), step, None, None, None, None)
