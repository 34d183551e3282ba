"""The map planes of an observation."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt8

from asterism.game import buffs
from asterism.game.accounting import on_field
from asterism.game.limits import camera_cells
from asterism.game.skipping import any_of
from asterism.game.state import State, by_player, owners
from asterism.game.world import World, cell_index, inward
from asterism.interface.observation import POSITION_SCALE, EntityField, MapPlane


def plane_share(cells: int, side: int) -> Float[np.ndarray, "H h"]:
    """How much of each row of a plane of `side` cells each row of the map covers; a plane's rows may be finer."""
    edge = np.arange(side + 1)[:, None] * (cells / side)
    row = np.arange(cells)
    overlap = np.minimum(edge[1:], row + 1) - np.maximum(edge[:-1], row)
    return (np.maximum(overlap, 0) * side / cells).astype(np.float32)


def ground_planes(world: World, side: int) -> dict[MapPlane, np.ndarray]:
    """The planes that never change."""
    share = plane_share(world.terrain.level.shape[1], side)
    mean = lambda grid: share @ np.asarray(grid, np.float32) @ share.T  # noqa: E731
    return {
        MapPlane.HEIGHT: np.minimum(np.floor(mean(world.terrain.level) * 100 + 1e-3), 255),
        MapPlane.PATHABLE: mean(world.terrain.pathable) > 0.5,
        MapPlane.BUILDABLE: mean(world.terrain.buildable) > 0.5,
    }


def creep_cells(world: World, state: State, side: int) -> Bool[Array, "H H"]:
    """Cells of the planes whose middle has creep, of whichever player."""
    cells = world.terrain.level.shape[1]
    if state.zerg is None:
        return jnp.zeros((side, side), bool)
    middle = (jnp.arange(side) + 0.5) * (cells / side)
    reach = jnp.where(state.zerg.creep > 0, state.zerg.creep**2, -1.0)
    dx, dy = ((state.units.position[:, axis, None] - middle) ** 2 for axis in range(2))
    covers = lambda at: dy[at][:, :, None] + dx[at][:, None, :] <= reach[at][:, None, None]  # noqa: E731
    near = any_of(reach >= 0, covers, (side, side))
    row = jnp.floor(inward(middle, cells)).astype(jnp.int32)
    return near & world.terrain.pathable[row][:, row]


def alert_cells(world: World, state: State, side: int) -> Bool[Array, "2 H H"]:
    """Cells in which own units were damaged since each player last acted."""
    units, cells = state.units, world.terrain.level.shape[1]
    since = (state.loop - state.turn.looked)[owners(len(units.type))]
    hit = buffs.outside(world, state, on_field(units)) & (units.quiet <= since)
    cell = cell_index(units.position * (side / cells), side)
    planes = jnp.zeros((2, side * side), bool)
    return planes.at[jnp.arange(2)[:, None], by_player(cell)].max(by_player(hit)).reshape(2, side, side)


def map_planes(
    world: World,
    state: State,
    player: int,
    visible: Bool[Array, "H H"],
    alerts: Bool[Array, "H H"],
    entities: Int[Array, "E F"],
) -> UInt8[Array, "P H H"]:
    """One player's map planes. Creep is as it was last seen.

    Args:
      visible: cells that the player sees now.
      alerts: cells in which it was hit.
      entities: its entity list.
    """
    cells, side = world.terrain.level.shape[1], len(visible)
    cell = entities[:, EntityField.X : EntityField.Y + 1].astype(jnp.int32) * side // (POSITION_SCALE * cells)
    cell = jnp.clip(cell, 0, side - 1)
    owner = jnp.zeros((side, side), jnp.uint8)
    planes = ground_planes(world, side) | {
        MapPlane.VISIBILITY: jnp.where(visible, 2, jnp.where(state.players.explored[player], 1, 0)),
        MapPlane.CREEP: state.players.creep[player],
        MapPlane.OWNER: owner.at[cell[:, 1], cell[:, 0]].max(entities[:, EntityField.ALLIANCE].astype(jnp.uint8)),
        MapPlane.ALERTS: alerts,
        MapPlane.CAMERA: camera_cells(state.players.camera[player], cells, side),
    }
    return jnp.stack([jnp.asarray(planes[plane]).astype(jnp.uint8) for plane in MapPlane])
