"""Gradients of every head against finite differences, in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.interface.action import ActionParts

STEPS = 6
RESET = jnp.arange(STEPS) == 3
EPSILON = 1e-7
"""So small that hardly a ReLU changes sides."""
HEADS = ActionParts._fields


def double(tree):
    """The same arrays with 64 bits for each float."""
    widen = lambda x: x.astype(np.float64) if np.issubdtype(x.dtype, np.floating) else x  # noqa: E731
    return jax.tree.map(lambda x: jnp.asarray(widen(np.asarray(x))), tree)


@pytest.fixture(scope="module")
def slopes(network, params, batch):
    """Of each head, and of the values, along one random direction of all weights: (by the gradient, by differences)."""
    with jax.enable_x64(True):
        weights, carry, moments = double(params), double(network.initial_carry()), double(batch)
        rng = np.random.default_rng(0)
        noise, direction = (jax.tree.map(lambda x: rng.standard_normal(x.shape) * 0.05, weights) for _ in range(2))
        # New biases are 0, and so is what a ReLU gets where an input is all zero: right at its kink.
        weights = jax.tree.map(jnp.add, weights, noise)

        @jax.jit
        def heads(step):
            moved = jax.tree.map(lambda x, d: x + step * d, weights, direction)
            _, output = network.unroll(moved, carry, *moments, RESET)
            log_probs = [part.sum() for part in output.log_probs]
            return jnp.stack([*log_probs, *output.values.sum(0)])

        _, exact = jax.jit(lambda step: jax.jvp(heads, (step,), (jnp.ones_like(step),)))(jnp.zeros(()))
        differences = (heads(jnp.asarray(EPSILON)) - heads(jnp.asarray(-EPSILON))) / (2 * EPSILON)
        assert exact.dtype == jnp.float64
        return np.asarray(exact), np.asarray(differences)


@pytest.mark.parametrize("index,head", list(enumerate([*HEADS, *(f"value {i}" for i in range(5))])))
def test_the_gradient_is_the_limit_of_differences(slopes, index, head):
    exact, differences = (float(column[index]) for column in slopes)
    assert exact != 0 and exact == pytest.approx(differences, rel=1e-4), head
