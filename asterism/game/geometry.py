"""Distances in the plane. Written out, since XLA's CPU code for sums over an axis of two is ten times slower."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def length(vector: Float[Array, "*n 2"]) -> Float[Array, "*n"]:
    """Euclidean length of each vector."""
    return jnp.sqrt(vector[..., 0] ** 2 + vector[..., 1] ** 2)


def span(vector: Float[Array, "*n 2"]) -> Float[Array, "*n"]:
    """The larger of the two sides of each vector: how far a square around its start must reach."""
    return jnp.maximum(jnp.abs(vector[..., 0]), jnp.abs(vector[..., 1]))
