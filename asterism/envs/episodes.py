"""How games end, and games that begin anew by themselves: pure functions, whose `vmap` is JAX's vectorised form."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from asterism.interface.description import TimeStep

Reset = Callable[[Any], tuple[Any, Any]]
Step = Callable[[Any, Any], tuple[Any, Any]]


def auto_reset(reset: Reset, step: Step) -> Callable[[Any, Any, Any], tuple[Any, Any, Any]]:
    """A step after which a game that has ended begins anew at once.

    Args:
      reset: key -> (state, view), unbatched.
      step: (state, action) -> (state, view), unbatched. `view.done` says that the game has ended.
    Returns:
      A pure function (state, action, key) -> (state, view, reached). `reached` is what the action led to: the reward
      is there, and the last observation of a game that has ended. `view` is what to act on next: the same, or the
      first of a new game. `vmap` it for many games; under `vmap` each step pays for a reset of all of them.
    """

    def step_on(state, action, key):
        state, reached = step(state, action)
        state, view = jax.tree.map(partial(jnp.where, reached.done), reset(key), (state, reached))
        return state, view, reached

    return step_on


def ending(timestep: TimeStep, time_limit: int) -> tuple[Bool[Array, "*b"], Bool[Array, "*b"]]:
    """Whether a game was decided (terminated), and whether it only ran out of time (truncated).

    Where both players lose their last structures at once it is decided too; in the very step in which time runs out as
    well, that cannot be told from here and counts as truncated.
    """
    decided = (timestep.reward != 0).any(-1) | (timestep.observation.scalars.game_loop[..., 0] < time_limit)
    return timestep.done & decided, timestep.done & ~decided
