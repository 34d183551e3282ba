"""A toy game, a linear network for it, and random moments."""

import jax
import numpy as np
import pytest
from linear import linear_network
from toys import random_observation, random_privileged, stack, toy_game

from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import random_action

DRAWS = random_observation, random_privileged
MOMENTS = 80


class Toy:
    """A game of small numbers."""

    def __init__(self):
        self.game = toy_game()
        self.size = InterfaceSize("toy", entities=6, map=8, location=8, selected=3, delays=8, build_order=5)
        self.network = linear_network(self.game, self.size)
        self.params = self.network.init(jax.random.key(0))
        self._draw = jax.jit(jax.vmap(lambda key, seen: random_action(key, seen, self.game, self.size)))

    def moments(self, seed, lanes, steps):
        """Observations, privileged ones and random valid actions, [B, T, ...]; every action is available."""
        rng = np.random.default_rng(seed)
        # Always as many, so that they compile once.
        rows = [stack(draw(rng, self.game, self.size) for _ in range(MOMENTS)) for draw in DRAWS]
        rows[0].scalars.available_actions[:] = True
        rows.append(self._draw(jax.random.split(jax.random.key(seed), MOMENTS), rows[0]))
        shaped = lambda leaf: np.array(leaf)[: lanes * steps].reshape(lanes, steps, *leaf.shape[1:])  # noqa: E731
        return jax.tree.map(shaped, tuple(rows))


@pytest.fixture(scope="session")
def toy():
    return Toy()
