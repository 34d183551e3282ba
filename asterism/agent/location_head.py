"""Location head: the map's skips, gated by what has been chosen so far, back to full resolution."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from asterism.agent.config import AgentConfig
from asterism.agent.convolution import Convolution, Upsample
from asterism.agent.layers import Linear


class GatedConvolution(eqx.Module):
    """A residual block whose channels are scaled and shifted by the embedding (FiLM, Perez et al. 2018)."""

    first: Convolution
    second: Convolution
    film: Linear

    def __init__(self, key: PRNGKeyArray, channels: int, embedding: int):
        first, second, film = jax.random.split(key, 3)
        self.first = Convolution(first, channels, channels)
        self.second = Convolution(second, channels, channels)
        self.film = Linear(film, embedding, 4 * channels)

    def __call__(self, x: Float[Array, "h h c"], embedding: Float[Array, " e"]) -> Float[Array, "h h c"]:
        scale1, shift1, scale2, shift2 = jnp.split(self.film(embedding), 4)
        branch = jax.nn.relu((1 + scale1) * self.first(x) + shift1)
        return jax.nn.relu(x + (1 + scale2) * self.second(branch) + shift2)


class LocationHead(eqx.Module):
    """Logits over the cells of the location grid."""

    mix: Linear
    blocks: tuple[GatedConvolution, ...]
    upsample: tuple[Upsample, ...]

    def __init__(self, key: PRNGKeyArray, coarse: int, config: AgentConfig):
        """`coarse`: side of the skips."""
        embedding, channels = config.head.embedding, config.spatial.downsample[-1]
        keys = iter(jax.random.split(key, 1 + config.spatial.blocks + len(config.location.upsample)))
        self.mix = Linear(next(keys), embedding // coarse**2 + channels, channels, gain=2.0)
        self.blocks = tuple(GatedConvolution(next(keys), channels, embedding) for _ in range(config.spatial.blocks))
        widths = (channels, *config.location.upsample)
        self.upsample = tuple(Upsample(next(keys), *pair) for pair in zip(widths, widths[1:], strict=False))

    def logits(
        self, embedding: Float[Array, " e"], skips: tuple[Float[Array, "h h c"], ...]
    ) -> Float[Array, " cells"]:
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
