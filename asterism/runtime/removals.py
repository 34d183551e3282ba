"""Parts of the network taken out, without another network: weights that are held at zero, or inputs left out."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from asterism.interface.network import Params
from asterism.interface.observation import Observation


class Removal(NamedTuple):
    """How a part is taken out."""

    weights: Callable[[Params], Params] = lambda params: params
    """Sets the part's weights to zero: after the start and after each update, so that they never count."""
    sees: Callable[[Observation], Observation] = lambda observation: observation
    """Hides what the part would bring."""
    forgets: bool = False
    """The core begins each step anew."""


WHOLE = Removal()
