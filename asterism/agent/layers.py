"""Layers that several blocks share. All work on the last axis and take any number of leading ones.

Equinox's own layers expect one vector and are batched by vmap; acting on the last axis instead turns the tokens of a
set and the cells of a map into the rows of one matrix product.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


def uniform_scaled(key: PRNGKeyArray, shape: tuple[int, ...], inputs: int, gain: float = 1.0) -> Float[Array, "..."]:
    """Uniform weights of variance `gain` / `inputs`."""
    limit = (3 * gain / max(inputs, 1)) ** 0.5
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


class Linear(eqx.Module):
    """x @ weight + bias."""

    weight: Float[Array, "*n i o"]
    bias: Float[Array, "*n o"]

    def __init__(self, key: PRNGKeyArray, inputs: int, outputs: int, gain: float = 1.0):
        self.weight = uniform_scaled(key, (inputs, outputs), inputs, gain)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "*b i"]) -> Float[Array, "*b o"]:
        return x @ self.weight + self.bias


class LayerNorm(eqx.Module):
    """Normalises the last axis to mean 0 and variance 1, then scales and shifts it (Ba et al. 2016)."""

    scale: Float[Array, "*n w"]
    shift: Float[Array, "*n w"]

    def __init__(self, width: int):
        self.scale = jnp.ones(width)
        self.shift = jnp.zeros(width)

    def __call__(self, x: Float[Array, "*b w"]) -> Float[Array, "*b w"]:
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * self.scale + self.shift


class GatedLinearUnit(eqx.Module):
    """Linear(sigmoid(Linear(context)) * x)."""

    gate: Linear
    output: Linear

    def __init__(self, key: PRNGKeyArray, inputs: int, context: int, outputs: int):
        gate, output = jax.random.split(key)
        self.gate = Linear(gate, context, inputs)
        self.output = Linear(output, inputs, outputs)

    def __call__(self, x: Float[Array, "*b i"], context: Float[Array, "*b c"]) -> Float[Array, "*b o"]:
        return self.output(jax.nn.sigmoid(self.gate(context)) * x)


class ResidualBlock(eqx.Module):
    """x + f(x), f two fully connected layers with layer norm."""

    norms: tuple[LayerNorm, LayerNorm]
    linears: tuple[Linear, Linear]

    def __init__(self, key: PRNGKeyArray, width: int):
        first, second = jax.random.split(key)
        self.norms = (LayerNorm(width), LayerNorm(width))
        self.linears = (Linear(first, width, width, gain=2.0), Linear(second, width, width))

    def __call__(self, x: Float[Array, "*b w"]) -> Float[Array, "*b w"]:
        branch = x
        for norm, linear in zip(self.norms, self.linears, strict=True):
            branch = linear(jax.nn.relu(norm(branch)))
        return x + branch


class ResidualTower(eqx.Module):
    """Linear, then residual blocks, then ReLU."""

    first: Linear
    blocks: tuple[ResidualBlock, ...]

    def __init__(self, key: PRNGKeyArray, inputs: int, width: int, blocks: int):
        first, *rest = jax.random.split(key, blocks + 1)
        self.first = Linear(first, inputs, width)
        self.blocks = tuple(ResidualBlock(block, width) for block in rest)

    def __call__(self, x: Float[Array, "*b i"]) -> Float[Array, "*b w"]:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return jax.nn.relu(x)
