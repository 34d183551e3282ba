"""Parts of the network taken out, without another network: weights that are held at zero, or inputs left out."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from asterism.interface.network import Params
from asterism.interface.observation import Observation


def _same(tree):
    return tree


class Removal(NamedTuple):
    """How a part is taken out."""

    weights: Callable[[Params], Params] = _same
    """Sets the part's weights to zero: after the start and after each update, so that they never count."""
    sees: Callable[[Observation], Observation] = _same
    """Hides what the part would bring."""
    forgets: bool = False
    """The core begins each step anew."""


def zeroed(pick: Callable[[Any], Any]) -> Callable[[Params], Params]:
    """Sets the weights that `pick` finds in a policy to zero."""
    return lambda params: eqx.tree_at(lambda p: jax.tree.leaves(pick(p.policy)), params, replace_fn=jnp.zeros_like)


def _without_z(observation: Observation) -> Observation:
    return observation._replace(z=jax.tree.map(jnp.zeros_like, observation.z))


WHOLE = Removal()
"""Nothing is taken out."""
REMOVALS = {
    "scatter": Removal(weights=zeroed(lambda policy: policy.spatial_encoder.mix)),
    "attention": Removal(
        weights=zeroed(lambda policy: [layer.attention.output for layer in policy.entity_encoder.transformer.layers])
    ),
    "pointers": Removal(weights=zeroed(lambda policy: policy.units.keys)),
    "memory": Removal(forgets=True),
    "z": Removal(sees=_without_z),
}
"""Without `scatter` entities write nothing into the map; without `attention` they see nothing of each other but the
mean of all; without `pointers` all entities look alike to the heads that point."""
