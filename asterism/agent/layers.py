"""Layers that several blocks share. All work on the last axis and take any number of leading ones.

Equinox's own layers expect one vector and are batched by vmap; acting on the last axis instead turns the tokens of a
set and the cells of a map into the rows of one matrix product.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from asterism.agent.initializer import Initializer


def product(x: Float[Array, "*b i"], factor: Float[Array, "*n i o"]) -> Float[Array, "*c o"]:
    """x @ factor, computed in the number format of `factor`; the result is float32 at least."""
    return (x.astype(factor.dtype) @ factor).astype(jnp.result_type(x, factor, jnp.float32))


class Linear(eqx.Module):
    """x @ weight + bias."""

    weight: Float[Array, "*n i o"]
    bias: Float[Array, "*n o"]

    def __init__(self, init: Initializer, inputs: int, outputs: int, gain: float = 1.0):
        self.weight = init.uniform((inputs, outputs), inputs, gain)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "*b i"]) -> Float[Array, "*b o"]:
        return product(x, self.weight) + self.bias


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

    def __init__(self, init: Initializer, inputs: int, context: int, outputs: int):
        self.gate = Linear(init, context, inputs)
        self.output = Linear(init, inputs, outputs)

    def __call__(self, x: Float[Array, "*b i"], context: Float[Array, "*b c"]) -> Float[Array, "*b o"]:
        return self.output(jax.nn.sigmoid(self.gate(context)) * x)


class ResidualBlock(eqx.Module):
    """x + f(x), f two fully connected layers with layer norm."""

    norms: tuple[LayerNorm, LayerNorm]
    linears: tuple[Linear, Linear]

    def __init__(self, init: Initializer, width: int):
        self.norms = (LayerNorm(width), LayerNorm(width))
        self.linears = (Linear(init, width, width, gain=2.0), Linear(init, width, width))

    def __call__(self, x: Float[Array, "*b w"]) -> Float[Array, "*b w"]:
        branch = x
        for norm, linear in zip(self.norms, self.linears, strict=True):
            branch = linear(jax.nn.relu(norm(branch)))
        return x + branch


class ResidualTower(eqx.Module):
    """Linear, then residual blocks, then ReLU."""

    first: Linear
    blocks: tuple[ResidualBlock, ...]

    def __init__(self, init: Initializer, inputs: int, width: int, blocks: int):
        self.first = Linear(init, inputs, width)
        self.blocks = tuple(ResidualBlock(init, width) for _ in range(blocks))

    def __call__(self, x: Float[Array, "*b i"]) -> Float[Array, "*b w"]:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return jax.nn.relu(x)
