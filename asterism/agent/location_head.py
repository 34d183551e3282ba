"""Location head: the map's skips, gated by what has been chosen so far, back to full resolution."""

from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from asterism.agent.config import AgentConfig
from asterism.agent.convolution import Convolution, Upsample
from asterism.agent.initializer import Initializer
from asterism.agent.layers import Linear


class GatedConvolution(eqx.Module):
    """A residual block whose channels are scaled and shifted by the embedding (FiLM, Perez et al. 2018)."""

    first: Convolution
    second: Convolution
    film: Linear

    def __init__(self, init: Initializer, channels: int, embedding: int):
        self.first = Convolution(init, channels, channels)
        self.second = Convolution(init, channels, channels)
        self.film = Linear(init, embedding, 4 * channels)

    def __call__(self, x: Float[Array, "h h c"], embedding: Float[Array, " e"]) -> Float[Array, "h h c"]:
        scale1, shift1, scale2, shift2 = jnp.split(self.film(embedding), 4)
        branch = jax.nn.relu((1 + scale1) * self.first(x) + shift1)
        return jax.nn.relu(x + (1 + scale2) * self.second(branch) + shift2)


class LocationHead(eqx.Module):
    """Logits over the cells of the location grid."""

    mix: Linear
    blocks: tuple[GatedConvolution, ...]
    upsample: tuple[Upsample, ...]

    def __init__(self, init: Initializer, coarse: int, config: AgentConfig):
        """`coarse`: side of the skips."""
        embedding, channels = config.head.embedding, config.spatial.downsample[-1]
        self.mix = Linear(init, embedding // coarse**2 + channels, channels, gain=2.0)
        self.blocks = tuple(GatedConvolution(init, channels, embedding) for _ in range(config.spatial.blocks))
        widths = (channels, *config.location.upsample)
        self.upsample = tuple(Upsample(init, *pair, config.location.kernel) for pair in pairwise(widths))

    def logits(self, embedding: Float[Array, " e"], skips: tuple[Float[Array, "h h c"], ...]) -> Float[Array, " cells"]:
        """One for each cell, row by row."""
        side = len(skips[-1])
        x = jnp.concatenate([embedding.reshape(side, side, -1), skips[-1]], -1)
        x = jax.nn.relu(self.mix(x))
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = block(x + skip, embedding)
        *inner, last = self.upsample
        for layer in inner:
            x = jax.nn.relu(layer(x))
        return last(x).reshape(-1)
