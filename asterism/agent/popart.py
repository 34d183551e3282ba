"""PopArt: values in units of the running mean and deviation of their targets (van Hasselt et al. 2016; Hessel et al.
2018).

The statistics lie with the weights, since weights of a normalised output mean nothing without them: copies in a league,
files and checkpoints have both.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from asterism.agent.layers import Linear

LOWEST, HIGHEST = 1e-4, 1e6
"""Bounds of the deviation (Hessel et al. 2018)."""


class PopArt(eqx.Module):
    """Mean and second moment of each of n outputs' targets. No gradient reaches them."""

    mean: Float[Array, " n"]
    square: Float[Array, " n"]

    @property
    def scale(self) -> Float[Array, " n"]:
        """Standard deviations."""
        return jnp.sqrt(jnp.clip(self.square - self.mean**2, LOWEST**2, HIGHEST**2))

    def unnormalise(self, outputs: Float[Array, "*b n"]) -> Float[Array, "*b n"]:
        """Outputs of the network in the units of the targets."""
        return jax.lax.stop_gradient(self.scale) * outputs + jax.lax.stop_gradient(self.mean)

    def follow(self, targets: Float[Array, "*b n"], mask: Bool[Array, "*b"], step: Float[ArrayLike, ""]) -> "PopArt":
        """Moves the statistics by `step` towards those of the targets that `mask` lets count; none: no move."""
        real = mask[..., None]
        count = jnp.maximum(mask.sum(), 1)
        over = tuple(range(mask.ndim))
        moments = [(jnp.where(real, x, 0.0).sum(over) / count) for x in (targets, targets**2)]
        step = step * mask.any()
        return PopArt(*(old + step * (new - old) for old, new in zip((self.mean, self.square), moments, strict=True)))


def initial_statistics(outputs: int) -> PopArt:
    """Mean 0 and deviation 1: outputs are values as they are."""
    return PopArt(jnp.zeros(outputs), jnp.ones(outputs))


def rescaled(output: Linear, old: PopArt, new: PopArt) -> Linear:
    """The last layers of n networks, [n, w, 1], as changed as is needed for the values to stay what they were."""
    ratio, shift = old.scale / new.scale, (old.mean - new.mean) / new.scale
    weight = output.weight * ratio[:, None, None]
    return eqx.tree_at(
        lambda layer: (layer.weight, layer.bias), output, (weight, output.bias * ratio[:, None] + shift[:, None])
    )
