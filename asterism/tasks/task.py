"""What a task is: episodes on the game's interface, and a judge of each action."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.interface.action import Action
from asterism.interface.observation import Observation


class Verdict(NamedTuple):
    """What an action was worth."""

    reward: Float[Array, "*b"]
    """In [-1, 1]."""
    success: Bool[Array, "*b"]
    """Whether it was right. An episode succeeds when its last action does."""


def right_or_wrong(success: Bool[Array, "*b"]) -> Verdict:
    """1 or -1."""
    return Verdict(jnp.where(success, 1.0, -1.0), success)


class Task(NamedTuple):
    """Episodes of `steps` steps, as pure functions, unbatched. What is seen does not depend on what was done before."""

    name: str
    ability: str
    """What it takes, in a few words."""
    steps: int
    draw: Callable[[PRNGKeyArray], Any]
    """A random scene, a pytree: all that the episode is about."""
    observe: Callable[[Any, Int[Array, ""]], Observation]
    """(scene, step) -> what the agent sees at that step, counted from 0."""
    judge: Callable[[Any, Int[Array, ""], Action], Verdict]
    """(scene, step, action) -> what the action was worth."""
