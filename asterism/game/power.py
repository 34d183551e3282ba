"""Power fields of pylons and phasing warp prisms."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished
from asterism.game.skipping import any_of
from asterism.game.state import Units, owners
from asterism.game.tables import load_economy
from asterism.game.world import World, cell_index


def _level(world: World, place: Float[Array, "*n 2"]) -> Int[Array, "*n"]:
    return world.terrain.level.reshape(-1)[cell_index(place, world.terrain.level.shape[1])]


def in_power(
    world: World,
    units: Units,
    place: Float[Array, "*n 2"],
    player: Int[Array, "*#n"],
    sources: Bool[Array, " N"] | None = None,
) -> Bool[Array, "*n"]:
    """Whether each place lies in a power field of the player's, which does not reach higher ground.

    `sources`: the units that give power; default all that do.
    """
    gives = finished(units) & (world.units.power_radius[units.type] > 0)
    gives = gives if sources is None else gives & sources
    radius, high, level = world.units.power_radius[units.type], _level(world, units.position), _level(world, place)
    owner, player = owners(len(units.type)), jnp.broadcast_to(player, level.shape)

    def lights(at):
        each = lambda values: values[at].reshape(-1, *[1] * level.ndim)  # noqa: E731
        x, y = place[..., 0] - each(units.position[:, 0]), place[..., 1] - each(units.position[:, 1])
        return (x**2 + y**2 <= each(radius) ** 2) & (each(high) >= level) & (each(owner) == player)

    return any_of(gives, lights, level.shape)


def powered(world: World, units: Units) -> Bool[Array, " N"]:
    """Whether each unit works: those that need no power always do."""
    count = len(units.type)
    if not np.asarray(world.units.needs_power).any():
        return jnp.ones(count, bool)
    lit = in_power(world, units, units.position, owners(count))
    return lit | ~world.units.needs_power[units.type]


def fast_sources(world: World, units: Units) -> Bool[Array, " N"]:
    """Sources of power in which warping in is fast: phasing prisms, and pylons beside a warp gate or a nexus."""
    count = len(units.type)
    anchors = finished(units) & (world.units.townhall[units.type] | (units.type == world.warp_gate))
    radius = jnp.where(world.units.townhall[units.type], 7.0, load_economy().power_fast_radius)
    x = units.position[:, 0, None] - units.position[:, 0]
    y = units.position[:, 1, None] - units.position[:, 1]
    beside = (x**2 + y**2 <= radius**2) & anchors & (owners(count)[:, None] == owners(count))
    return beside.any(1) | (world.units.speed[units.type] > 0) | ~world.units.structure[units.type]
