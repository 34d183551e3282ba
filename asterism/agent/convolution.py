"""Convolutions over maps [height, width, channels].

Strides are done by folding 2x2 cells into channels and back: exactly a convolution of kernel 4 and stride 2 and its
transpose, but without the dilated gradients that are slow on CPUs.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from asterism.agent.layers import uniform_scaled


def convolve(x: Float[Array, "h w i"], weight: Float[Array, "k k i o"], padding: str) -> Float[Array, "h2 w2 o"]:
    """Cross-correlation with stride 1."""
    dimensions = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x[None], weight, (1, 1), padding, dimension_numbers=dimensions)[0]


def fold(x: Float[Array, "h w c"]) -> Float[Array, "h/2 w/2 4*c"]:
    """Each 2x2 cells become one cell of four times the channels."""
    height, width, channels = x.shape
    x = x.reshape(height // 2, 2, width // 2, 2, channels)
    return x.transpose(0, 2, 1, 3, 4).reshape(height // 2, width // 2, 4 * channels)


def unfold(x: Float[Array, "h w 4*c"]) -> Float[Array, "2*h 2*w c"]:
    """The inverse of `fold`."""
    height, width, channels = x.shape
    x = x.reshape(height, width, 2, 2, channels // 4)
    return x.transpose(0, 2, 1, 3, 4).reshape(2 * height, 2 * width, channels // 4)


class Convolution(eqx.Module):
    """Kernel 3, stride 1: the map keeps its size."""

    weight: Float[Array, "3 3 i o"]
    bias: Float[Array, " o"]

    def __init__(self, key: PRNGKeyArray, inputs: int, outputs: int, gain: float = 1.0):
        self.weight = uniform_scaled(key, (3, 3, inputs, outputs), 9 * inputs, gain)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "h w i"]) -> Float[Array, "h w o"]:
        return convolve(x, self.weight, "SAME") + self.bias


class Downsample(eqx.Module):
    """Kernel 4, stride 2: half the resolution."""

    weight: Float[Array, "2 2 4*i o"]
    bias: Float[Array, " o"]

    def __init__(self, key: PRNGKeyArray, inputs: int, outputs: int):
        self.weight = uniform_scaled(key, (2, 2, 4 * inputs, outputs), 16 * inputs, gain=2.0)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "h w i"]) -> Float[Array, "h2 w2 o"]:
        padded = jnp.pad(x, ((1, 1), (1, 1), (0, 0)))
        return convolve(fold(padded), self.weight, "VALID") + self.bias


class Upsample(eqx.Module):
    """Transposed convolution of kernel 4 and stride 2: twice the resolution."""

    weight: Float[Array, "2 2 i 4*o"]
    bias: Float[Array, " o"]

    def __init__(self, key: PRNGKeyArray, inputs: int, outputs: int, gain: float = 2.0):
        self.weight = uniform_scaled(key, (2, 2, inputs, 4 * outputs), 4 * inputs, gain)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "h w i"]) -> Float[Array, "h2 w2 o"]:
        padded = jnp.pad(x, ((1, 1), (1, 1), (0, 0)))
        return unfold(convolve(padded, self.weight, "VALID"))[1:-1, 1:-1] + self.bias
