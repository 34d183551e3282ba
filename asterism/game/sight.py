"""What each player sees of the other. Arrays of pairs are [2, targets, attackers]."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from asterism.game import buffs
from asterism.game.accounting import finished, on_field
from asterism.game.power import powered
from asterism.game.skipping import over_chunks
from asterism.game.state import State, Units, by_player
from asterism.game.world import World, cell_index, inward

BLOCKS = 16
"""The map is divided into so many rows and columns of blocks, to find out quickly who is nowhere near."""


def across(values: Array) -> tuple[Array, Array]:
    """Values of attackers [2, 1, slots] and of their possible targets, enemy units [2, slots, 1], by the attackers'
    player."""
    mine = by_player(values)
    return mine[:, None, :], mine[::-1][:, :, None]


def enemy_distance(units: Units) -> Float[Array, "2 P P"]:
    """Distance between the centres of enemy units (rows) and own (columns) of each player."""
    x, y = units.position[:, 0], units.position[:, 1]
    (my_x, their_x), (my_y, their_y) = across(x), across(y)
    return jnp.sqrt((my_x - their_x) ** 2 + (my_y - their_y) ** 2)


def within_blocks(
    world: World, position: Float[Array, "2 P 2"], reach: Float[Array, "2 P"], place: Float[Array, "2 M 2"]
) -> Bool[Array, "2 M"]:
    """Which places could be within `reach` of a position of the same player, by the blocks of the map that they lie in.

    None that is within reach is left out. Those with negative reach are not looked at.
    """
    side = jnp.array(world.terrain.level.shape[::-1]) / BLOCKS
    block = lambda places: jnp.clip(jnp.floor(places / side).astype(jnp.int32), 0, BLOCKS - 1)  # noqa: E731
    far = reach[..., None] + 1e-3
    low, high = block(position - far), block(position + far)
    # The columns that each unit reaches are bits; each row has those of all units that reach it.
    columns = jnp.where(reach >= 0, (2 << high[..., 0]) - (1 << low[..., 0]), 0)
    row = jnp.arange(BLOCKS)[:, None]
    crossed = (low[:, None, :, 1] <= row) & (row <= high[:, None, :, 1])
    rows = jax.lax.reduce(jnp.where(crossed, columns[:, None], 0), jnp.int32(0), jax.lax.bitwise_or, (2,))
    x, y = jnp.moveaxis(block(place), -1, 0)
    return (jnp.take_along_axis(rows, y, 1) >> x) & 1 > 0


def watched(world: World, state: State, place: Float[Array, "2 M 2"], which: Bool[Array, "2 M"]) -> Bool[Array, "2 M"]:
    """Which places, of those in `which`, each player sees: those within sight of an own unit that is not lower, or
    flies, and those in its scans."""
    units = state.units
    grid, w = world.terrain.level.reshape(-1), world.terrain.level.shape[1]
    sight = jnp.where(finished(units) | world.units.structure[units.type], world.units.sight[units.type], 0.0)
    sight = jnp.where(buffs.outside(world, state, on_field(units)), sight, -1.0)
    above = jnp.where(world.units.flying[units.type], 100, grid[cell_index(units.position, w)])
    level = grid[cell_index(place, w)]
    sight, above, position = by_player(sight), by_player(above), by_player(units.position)
    x, y, rows = position[..., 0], position[..., 1], jnp.arange(2)[:, None]

    def look(at, real, seen):
        dx, dy = (place[rows, at, axis][..., None] - own[:, None] for axis, own in ((0, x), (1, y)))
        near = (jnp.sqrt(dx**2 + dy**2) <= sight[:, None]) & (above[:, None] >= level[rows, at][..., None])
        return seen.at[rows, at].max(near.any(2) & real)

    near = which & within_blocks(world, position, sight, place)
    seen = over_chunks(near, look, jnp.zeros(which.shape, bool))
    return seen if state.spells is None else seen | (buffs.scanned(world, state, place) & which)


def visible_enemies(world: World, state: State) -> Bool[Array, "2 P"]:
    """Which enemy units each player sees: those within sight of an own unit that is not lower, or flies, and the
    structures of an enemy who is revealed; all of them if it has `Players.vision`. What is cloaked takes a detector
    that is near enough, too."""
    units = state.units
    present = by_player(buffs.outside(world, state, on_field(units)))[::-1]
    seen = watched(world, state, by_player(units.position)[::-1], present)
    structure = by_player(on_field(units) & world.units.structure[units.type])
    revealed = state.players.homeless > world.reveal_after
    visible = seen | (structure & revealed[:, None])[::-1] | (present & state.players.vision[:, None])
    if state.spells is not None:
        return buffs.truly_seen(world, state, visible)
    return visible & ~(by_player(cloaked(world, units))[::-1] & ~detected(world, units))


def cloaked(world: World, units: Units) -> Bool[Array, " N"]:
    """Units that only detection shows to the enemy."""
    return finished(units) & world.units.cloaked[units.type]


def detected(world: World, units: Units) -> Bool[Array, "2 P"]:
    """Which enemy units, cloaked or not, are within reach of a detector of each player's. It must have power."""
    if not np.asarray(world.units.cloaked).any():
        return jnp.zeros((2, len(units.type) // 2), bool)
    detects = finished(units) & on_field(units) & powered(world, units) & (world.units.detection[units.type] > 0)
    reach, _ = across(jnp.where(detects, world.units.detection[units.type], -1.0))
    return (enemy_distance(units) <= reach).any(2)


def count_homeless(world: World, state: State, dt: int) -> State:
    """How long each player has been without a town hall, even an unfinished one. After a while its structures are
    revealed to the enemy, so that nobody can draw out a lost game with one that is hidden."""
    units, players = state.units, state.players
    at_home = by_player((units.type > 0) & world.units.townhall[units.type]).any(1)
    return state._replace(players=players._replace(homeless=jnp.where(at_home, 0.0, players.homeless + dt)))


def visible_cells(world: World, state: State, side: int) -> Bool[Array, "2 H H"]:
    """Cells of the map planes that each player sees: their middle is within sight of a unit not lower, or flying."""
    units, kind = state.units, state.units.type
    h, w = world.terrain.level.shape
    scale = w / side
    centre = (jnp.arange(side) + 0.5) * scale
    row = jnp.floor(inward(centre, w)).astype(jnp.int32)
    level = world.terrain.level[row][:, row]
    sight = jnp.where(buffs.outside(world, state, on_field(units)), world.units.sight[kind], -1.0)
    here = world.terrain.level.reshape(-1)[cell_index(units.position, w)]
    here = jnp.where(world.units.flying[kind], 100, here)
    dx = (units.position[:, 0, None] - centre) ** 2
    dy = (units.position[:, 1, None] - centre) ** 2
    near = dy[:, :, None] + dx[:, None, :] <= (jnp.maximum(sight, 0.0) ** 2)[:, None, None]
    near &= (sight >= 0)[:, None, None] & (here[:, None, None] >= level)
    seen = by_player(near).any(1)
    seen |= state.players.vision[:, None, None]
    return seen if state.spells is None else seen | buffs.scanned_cells(world, state, centre)
