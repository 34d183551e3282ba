"""How a network computes, whatever its sizes: number format of its products, and what learning keeps in memory."""

from dataclasses import dataclass

import equinox as eqx
import jax

from asterism.errors import require_choice

FORMATS = ("float32", "bfloat16")
LOWERED = ("weight", "recurrent")
"""Names of the arrays that are factors of matrix products and convolutions."""


@dataclass(frozen=True)
class Computation:
    """How the network computes. Weights are the same, and are kept in float32, whatever is chosen here."""

    products: str = "float32"
    """Number format in which matrix products and convolutions take their factors: float32, or bfloat16 for a GPU.
    All else, what gives logits and values included, is float32 in either case."""
    rematerialise: bool = False
    """Learning goes through a window moment by moment, and computes encoders and heads a second time on the way back,
    instead of keeping in memory what they computed on the way for all moments."""

    def __post_init__(self):
        require_choice("compute.products", self.products, FORMATS)

    def lowered(self, params):
        """Weights with those of the products in their number format, through which gradients reach the float32 ones."""
        if self.products == "float32":
            return params

        def lower(path, leaf):
            return leaf.astype(self.products) if getattr(path[-1], "name", "") in LOWERED else leaf

        return eqx.tree_at(_exact, jax.tree.map_with_path(lower, params), _exact(params))

    def over_moments(self, function, *inputs):
        """`function` of each moment of a window; a moment at a time if its results on the way are not to be kept."""
        if self.rematerialise:
            return jax.lax.map(jax.checkpoint(lambda moment: function(*moment)), inputs)
        return jax.vmap(function)(*inputs)


def _exact(policy) -> list:
    """Layers that stay in float32: they give logits, where a rounded 10 is off by up to 0.02, and are small. The
    pointer network also, whose state rounds would add up."""
    choices = [head.output for head in (policy.delay, policy.queued, policy.repeat)]
    location = policy.location.upsample[-1]
    return [policy.action_type.logit_gate.output, *choices, policy.units, policy.target_unit, location]
