"""Where structures may stand."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from asterism.game.creep import on_creep
from asterism.game.geometry import span
from asterism.game.power import in_power
from asterism.game.state import State, Units, nearest, owners
from asterism.game.world import ADDON_OFFSET, World

CORNERS = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1), (0, 0)], np.float32)


def clear_ground(world: World, state: State, kind, x, y, player) -> Bool[Array, "..."]:
    """Whether a structure of type `kind` of the player centred at `x`, `y` (shapes that broadcast) has free ground to
    itself, and the power, the creep or the absence of creep that it needs."""
    terrain = world.terrain
    h, w = terrain.level.shape
    column, row = (jnp.floor(value + 0.01).astype(jnp.int32) for value in (x, y))
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    ground = terrain.placeable[world.footprint[kind], jnp.clip(row, 0, h - 1), jnp.clip(column, 0, w - 1)]
    free = inside & ground & ~overlaps(world, kind, x, y, state.units).any(-1)
    return free & _fed(world, state, kind, x, y, player)


def _fed(world: World, state: State, kind, x, y, player) -> Bool[Array, "..."]:
    """Whether power and creep are as a structure of type `kind` needs them."""
    fed = jnp.ones(jnp.broadcast_shapes(jnp.shape(x), jnp.shape(y)), bool)
    centre = jnp.stack(jnp.broadcast_arrays(x, y), -1)
    if np.asarray(world.units.needs_power).any():
        fed &= in_power(world, state.units, centre, player) | ~world.units.needs_power[kind]
    if state.zerg is not None:
        side = world.rectangle[kind, 2:] - 0.5
        corners = centre[..., None, :] + side * CORNERS
        creep = on_creep(world, state, corners)
        fed &= creep.all(-1) | ~world.units.needs_creep[kind]
        fed &= ~creep.any(-1) | ~world.units.blocked_by_creep[kind]
    return fed


def overlaps(world: World, kind, x, y, units: Units) -> Bool[Array, "... N"]:
    """Whether a structure of type `kind` centred at `x`, `y` would stand on the ground of each existing structure."""
    mine, theirs = world.rectangle[kind], world.rectangle[units.type]
    standing = (units.type > 0) & world.units.structure[units.type] & ~world.units.flying[units.type]

    def touches(place, axis):
        gap = jnp.abs(place[..., None] + mine[axis] - (units.position[:, axis] + theirs[:, axis]))
        return gap < mine[2 + axis] + theirs[:, 2 + axis] - 0.01

    # A structure may come down beside an add-on that waits for one.
    beside = (jnp.abs(x[..., None] + ADDON_OFFSET[0] - units.position[:, 0]) < 0.1) & (
        jnp.abs(y[..., None] + ADDON_OFFSET[1] - units.position[:, 1]) < 0.1
    )
    taken = ~(beside & world.units.addon[units.type] & world.units.takes_addon[kind])
    return touches(x, 0) & touches(y, 1) & standing & taken


def can_stand(world: World, state: State, kind, place: Float[Array, " 2"], player) -> Bool[Array, ""]:
    """Whether the player may put a structure of type `kind` at `place`: free ground without enemy units, or for
    a refinery a free geyser. Own units make way."""
    units = state.units
    geyser = ((span(place - world.terrain.resources) < 0.5) & world.terrain.is_geyser).any()
    taken = overlaps(world, kind, *place, units).any()
    near = (jnp.abs(place - units.position) < world.rectangle[kind, 2:] + world.units.radius[units.type][:, None]).all(
        -1
    )
    mobile = (units.type > 0) & ~world.units.structure[units.type] & ~world.units.flying[units.type]
    blocked = (near & mobile & (owners(len(units.type)) != player)).any()
    free = jnp.where(world.units.refinery[kind], geyser & ~taken, clear_ground(world, state, kind, *place, player))
    return free & ~blocked


def snap(
    world: World, state: State, kind, place: Float[Array, " 2"], radius: int, player
) -> tuple[Array, Bool[Array, ""]]:
    """The free site for a structure of type `kind` nearest to `place`, within `radius` cells, and whether there is one.

    For player 1 the search runs in its own frame, so that equals are resolved alike for both players.
    """
    width = world.terrain.level.shape[1]
    turned = lambda value: jnp.where(player == 1, width - value, value)  # noqa: E731
    span = jnp.arange(-radius, radius + 1)
    odd = (world.units.footprint[kind] % 2) == 1
    own = turned(place)
    base = jnp.where(odd, jnp.floor(own) + 0.5, jnp.round(own))
    x, y = turned(base[0] + span), turned(base[1] + span)
    free = clear_ground(world, state, kind, x[None, :], y[:, None], player)
    distance = jnp.where(free, (x - place[0])[None, :] ** 2 + (y - place[1])[:, None] ** 2, jnp.inf)
    best = nearest(distance.reshape(-1))
    return jnp.stack([x[best % len(span)], y[best // len(span)]]), free.any()
