"""Choosing among masked logits."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

NEVER = -1e30
"""Logit of a choice that is not allowed: finite, so that p * log p is 0 and not NaN, and so low that none is allowed
when it is divided by a temperature."""


def masked(logits: Float[Array, "*n"], allowed: Bool[Array, "*n"]) -> Float[Array, "*n"]:
    """Rules out what is not allowed."""
    return jnp.where(allowed, logits, NEVER)


def log_prob(logits: Float[Array, " n"], choice: Int[Array, ""]) -> Float[Array, ""]:
    """Log-probability of one choice."""
    return logits[choice] - jax.nn.logsumexp(logits)


def sample(key: PRNGKeyArray, logits: Float[Array, " n"]) -> Int[Array, ""]:
    """One choice."""
    return jax.random.categorical(key, logits).astype(jnp.int32)


def sample_cell(key: PRNGKeyArray, logits: Float[Array, " n"]) -> Int[Array, ""]:
    """One cell of a square grid: its row, then its column given the row, for far fewer random numbers than `sample`."""
    rows = logits.reshape(int(logits.size**0.5), -1)
    row_key, column_key = jax.random.split(key)
    row = sample(row_key, jax.nn.logsumexp(rows, axis=1))
    return row * rows.shape[1] + sample(column_key, rows[row])
