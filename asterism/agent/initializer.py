"""Initial weights, handed out of one pool of random numbers: one generator to compile instead of a hundred."""

import math
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

T = TypeVar("T")


class Initializer:
    """What modules take their weights from while they are built, one piece after the other."""

    def __init__(self, pool: Float[Array, " n"] | None):
        """`pool`: numbers in [-1, 1); without one, weights are zero and only counted."""
        self.pool = pool
        self.used = 0

    def uniform(self, shape: tuple[int, ...], inputs: int, gain: float = 1.0) -> Float[Array, "..."]:
        """Uniform weights of variance `gain` / `inputs`."""
        start, self.used = self.used, self.used + math.prod(shape)
        if self.pool is None:
            return jnp.zeros(shape)
        return self.pool[start : self.used].reshape(shape) * (3 * gain / max(inputs, 1)) ** 0.5


def initialize(build: Callable[[Initializer], T], key: PRNGKeyArray) -> T:
    """Builds a module with fresh random weights."""
    counter = Initializer(None)
    jax.eval_shape(lambda: build(counter))
    return build(Initializer(jax.random.uniform(key, (counter.used,), minval=-1.0)))
