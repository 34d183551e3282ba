"""Convolutions over maps [height, width, channels].

Resolution changes by a kernel of 4, as in the paper, or of 2: without overlap it is a matrix product over cells of
2x2, which XLA runs several times faster on a CPU. Transposed convolutions are matrix products at either kernel: the
gradient of XLA's own took several times as long on a CPU.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from asterism.agent.initializer import Initializer
from asterism.agent.layers import product

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def convolve(x: Float[Array, "h w i"], weight: Float[Array, "k k i o"], stride: int, pad: int) -> Float[Array, "y x o"]:
    """A convolution, computed in the number format of `weight`; the result is float32 at least."""
    edges = [(pad, pad)] * 2
    factor = x[None].astype(weight.dtype)
    y = jax.lax.conv_general_dilated(factor, weight, (stride, stride), edges, dimension_numbers=DIMENSIONS)
    return y[0].astype(jnp.result_type(x, weight, jnp.float32))


class Convolution(eqx.Module):
    """Kernel 3, stride 1: the map keeps its size."""

    weight: Float[Array, "3 3 i o"]
    bias: Float[Array, " o"]

    def __init__(self, init: Initializer, inputs: int, outputs: int, gain: float = 1.0):
        self.weight = init.uniform((3, 3, inputs, outputs), 9 * inputs, gain)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "h w i"]) -> Float[Array, "h w o"]:
        return convolve(x, self.weight, stride=1, pad=1) + self.bias


class Downsample(eqx.Module):
    """Kernel 2 or 4, stride 2: half the resolution."""

    weight: Float[Array, "k k i o"]
    bias: Float[Array, " o"]

    def __init__(self, init: Initializer, inputs: int, outputs: int, kernel: int):
        self.weight = init.uniform((kernel, kernel, inputs, outputs), kernel**2 * inputs, gain=2.0)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "h w i"]) -> Float[Array, "h//2 w//2 o"]:
        kernel, _, inputs, outputs = self.weight.shape
        if kernel == 2:
            height, width, _ = x.shape
            rows = x.reshape(height // 2, 2, width // 2, 2 * inputs)
            weight = self.weight.reshape(2, 2 * inputs, outputs)
            return product(rows[:, 0], weight[0]) + product(rows[:, 1], weight[1]) + self.bias
        return convolve(x, self.weight, stride=2, pad=1) + self.bias


class Upsample(eqx.Module):
    """Transposed convolution of kernel 2 or 4 and stride 2: twice the resolution."""

    weight: Float[Array, "k k i o"]
    bias: Float[Array, " o"]

    def __init__(self, init: Initializer, inputs: int, outputs: int, kernel: int, gain: float = 2.0):
        self.weight = init.uniform((kernel, kernel, inputs, outputs), kernel**2 // 4 * inputs, gain)
        self.bias = jnp.zeros(outputs)

    def __call__(self, x: Float[Array, "h w i"]) -> Float[Array, "2*h 2*w o"]:
        kernel, _, inputs, outputs = self.weight.shape
        height, width, _ = x.shape
        taps = kernel // 2
        # Each cell adds to squares of 2x2 cells: its own and, at a kernel of 4, those below, to the right and between.
        weight = self.weight[::-1, ::-1].reshape(taps, 2, taps, 2, inputs, outputs)

        def row(within):
            """Every other row of the result: `within` says which of each square's two."""
            total = 0
            for down, right in np.ndindex(taps, taps):
                share = product(x, weight[down, within, right].transpose(1, 0, 2).reshape(inputs, 2 * outputs))
                total += jnp.pad(share, ((down, taps - 1 - down), (right, taps - 1 - right), (0, 0)))
            return total

        squares = height + taps - 1, width + taps - 1
        y = jnp.stack([row(0), row(1)], 1).reshape(2 * squares[0], 2 * squares[1], outputs)
        edge = taps - 1
        return y[edge : edge + 2 * height, edge : edge + 2 * width] + self.bias
