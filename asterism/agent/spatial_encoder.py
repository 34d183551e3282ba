"""Spatial encoder: map planes and scattered entities through a residual network (AlphaStar, Methods: Architecture)."""

from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Integer

from asterism.agent.config import SpatialConfig
from asterism.agent.convolution import Convolution, Downsample
from asterism.agent.encodings import IntegerEncoder, plane_table
from asterism.agent.entity_encoder import EncodedEntities
from asterism.agent.initializer import Initializer
from asterism.agent.layers import Linear
from asterism.interface.description import GameDescription
from asterism.interface.observation import POSITION_SCALE, EntityField
from asterism.interface.sizes import InterfaceSize


class EncodedMap(NamedTuple):
    """What the rest of the network knows of the map."""

    skips: tuple[Float[Array, "*b h h c"], ...]
    """The map after each residual block, for the location head."""
    summary: Float[Array, "*b o"]


class ResidualConvolution(eqx.Module):
    """ReLU(x + f(x)), f two convolutions of kernel 3."""

    first: Convolution
    second: Convolution

    def __init__(self, init: Initializer, channels: int):
        self.first = Convolution(init, channels, channels, gain=2.0)
        self.second = Convolution(init, channels, channels)

    def __call__(self, x: Float[Array, "h h c"]) -> Float[Array, "h h c"]:
        return jax.nn.relu(x + self.second(jax.nn.relu(self.first(x))))


class SpatialEncoder(eqx.Module):
    """Map planes and entities to a stack of coarse maps and one vector."""

    scatter: Linear | None
    """None: entities leave no trace on the map."""
    planes: IntegerEncoder
    mix: Float[Array, "s c"] | None
    downsample: tuple[Downsample, ...]
    blocks: tuple[ResidualConvolution, ...]
    summary: Linear
    map_cells: int = eqx.field(static=True)

    def __init__(
        self,
        init: Initializer,
        game: GameDescription,
        size: InterfaceSize,
        entity_width: int,
        config: SpatialConfig,
        scatter: bool = True,
    ):
        self.map_cells = game.map_cells
        self.scatter = Linear(init, entity_width, config.scatter, gain=2.0) if scatter else None
        self.planes = IntegerEncoder(init, plane_table(), config.channels)
        self.mix = init.uniform((config.scatter, config.channels), config.scatter) if scatter else None
        channels = (config.channels, *config.downsample)
        self.downsample = tuple(Downsample(init, *pair, config.kernel) for pair in pairwise(channels))
        self.blocks = tuple(ResidualConvolution(init, channels[-1]) for _ in range(config.blocks))
        coarse = size.map // 2 ** len(config.downsample)
        self.summary = Linear(init, coarse**2 * channels[-1], config.output, gain=2.0)

    def __call__(
        self, planes: Integer[Array, "P h h"], entities: Int[Array, "E 43"], encoded: EncodedEntities
    ) -> EncodedMap:
        x = self.planes(planes.transpose(1, 2, 0))
        if self.scatter is not None:
            x = x + self._scatter(entities, encoded, planes.shape[-1])
        x = jax.nn.relu(x)
        for layer in self.downsample:
            x = jax.nn.relu(layer(x))
        skips = []
        for block in self.blocks:
            x = block(x)
            skips.append(x)
        return EncodedMap(tuple(skips), jax.nn.relu(self.summary(x.reshape(-1))))

    def _scatter(self, entities, encoded: EncodedEntities, side: int) -> Float[Array, "h h c"]:
        """Adds a projection of each entity's embedding at the entity's cell (the scatter connection).

        The 1x1 convolution that mixes it with the planes is linear, so it comes first: entities are fewer than cells.
        """
        written = jax.nn.relu(self.scatter(encoded.each)) @ self.mix * encoded.present[:, None]
        position = entities[:, EntityField.X : EntityField.Y + 1].astype(jnp.int32)
        x, y = jnp.clip(position * side // (self.map_cells * POSITION_SCALE), 0, side - 1).T
        return jnp.zeros((side, side, written.shape[-1])).at[y, x].add(written)
