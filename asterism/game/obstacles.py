"""What stands in the way on the ground: cliffs, structures, mineral fields and geysers.

A unit is a point here: it may stand in any cell that is open, and goes through a gap of one cell. Each player reckons
in its own frame, that of player 1 turned by half a turn, so that both go alike.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs
from asterism.game.accounting import on_field
from asterism.game.geometry import length, span
from asterism.game.state import State, owners
from asterism.game.world import World

STRIDE = 4
"""Most cells that a unit walks in one tick."""
MARGIN = 0.01
"""Cells at which units stop before what is in their way."""
CORNER = 1e-4
"""Cells off a straight way within which the corner of a cell lies on it."""
WORD = 32
SIDES = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)


class Ground(NamedTuple):
    """The ground of one tick. S structures and resources, N units, P cells of the map with a border of one."""

    open: Bool[Array, "2 P"]
    """Cells that can be walked on, in each player's frame."""
    upon: Int[Array, " P"]
    """What stands on each cell, in the frame of player 0; S for nothing."""
    place: Float[Array, "S+1 2"]
    """Middle of what stands there."""
    half: Float[Array, "S+1 2"]
    """Half its width and height."""
    bound: Bool[Array, " N"]
    """Units that it stops."""

    @property
    def side(self) -> int:
        """Of the map without its border, in cells."""
        return math.isqrt(self.open.shape[1]) - 2


def survey(world: World, state: State, passing: Bool[Array, " N"]) -> Ground:
    """The ground as it is now. `passing`: units that nothing but a cliff stops."""
    units, table, terrain = state.units, world.units, world.terrain
    blocks = on_field(units) & table.blocks[units.type]
    side = jnp.where(blocks, table.footprint[units.type] / 2, -1.0)
    left = (state.amounts > 0)[:, None]
    size = jnp.where(terrain.is_geyser[:, None], jnp.array([1.5, 1.5]), jnp.array([1.0, 0.5]))
    nothing = jnp.zeros((1, 2))
    place = jnp.concatenate([units.position, terrain.resources, nothing])
    half = jnp.concatenate([jnp.stack([side, side], 1), jnp.where(left, size, -1.0), nothing])
    upon = covering(place[:-1], half[:-1], len(terrain.pathable)).reshape(-1)
    open_ = jnp.pad(terrain.pathable, 1).reshape(-1) & (upon == len(place) - 1)
    fixed = table.structure[units.type] & (table.speed[units.type] <= 0)
    bound = buffs.outside(world, state, on_field(units)) & ~table.flying[units.type] & ~fixed & ~passing
    return Ground(jnp.stack([open_, open_[::-1]]), upon, place, half, bound)


def covering(place: Float[Array, "S 2"], half: Float[Array, "S 2"], side: int) -> Int[Array, "b b"]:
    """The first rectangle over each cell, S for none, on a map `side` cells wide with a border of one.

    The rows and the columns of `WORD` rectangles at a time are bits of one number.
    """
    count = len(place)
    groups = -(-count // WORD)
    low, high = (jnp.floor(edge + 0.5) for edge in (place - half, place + half))
    cells = jnp.arange(-1, side + 1)

    def bits(axis):
        inside = (cells >= low[:, axis, None]) & (cells < high[:, axis, None])
        inside = jnp.pad(inside, ((0, groups * WORD - count), (0, 0))).reshape(groups, WORD, -1)
        return (inside.astype(jnp.uint32) << jnp.arange(WORD, dtype=jnp.uint32)[:, None]).sum(1, dtype=jnp.uint32)

    over = bits(1)[:, :, None] & bits(0)[:, None, :]
    first = jax.lax.population_count((over & -over) - 1).astype(jnp.int32) + WORD * jnp.arange(groups)[:, None, None]
    return jnp.where(over > 0, first, count).min(0)


def framed(ground: Ground, place: Float[Array, "*k N 2"]) -> Float[Array, "*k N 2"]:
    """Places in the frame of each unit's player, and back."""
    turned = (owners(place.shape[-2]) == 1)[:, None]
    return jnp.where(turned, ground.side - place, place)


def cell_of(ground: Ground, place: Float[Array, "*k N 2"]) -> Int[Array, "*k N"]:
    """Index into both players' cells together ([2 * P]) of each place, in the frame of the unit's player."""
    x, y = (jnp.clip(jnp.floor(place[..., axis]).astype(jnp.int32), -1, ground.side) for axis in (0, 1))
    return owners(place.shape[-2]) * ground.open.shape[1] + (y + 1) * (ground.side + 2) + x + 1


def is_open(ground: Ground, place: Float[Array, "*k N 2"]) -> Bool[Array, "*k N"]:
    """Whether each place, in the frame of the unit's player, can be stood on."""
    return ground.open.reshape(-1)[cell_of(ground, place)]


def _wall(ground: Ground, start, way, axis: int, lines: int) -> Float[Array, "*k N"]:
    """Share of each way at which it stops before the first cell that it may not enter across a grid line of `axis`."""
    along, across = way[..., axis], way[..., 1 - axis]
    forth, moves = along > 0, along != 0
    along = jnp.where(moves, along, 1.0)
    number = jnp.arange(lines).reshape(-1, *([1] * along.ndim))
    line = jnp.floor(start[..., axis]) + jnp.where(forth, number + 1, -number)
    share = (line - start[..., axis]) / along
    # A way through a corner enters the cell beside it first, then the one behind.
    other = start[..., 1 - axis] + share * across + (CORNER if axis else -CORNER) * jnp.sign(across)
    entered = line + jnp.where(forth, 0.5, -0.5)
    cell = jnp.stack([other, entered] if axis else [entered, other], -1)
    closed = moves & (share <= 1.0) & ~is_open(ground, cell)
    return jnp.where(closed, jnp.maximum(share - MARGIN / jnp.abs(along), 0.0), 1.0).min(0)


def free_share(
    ground: Ground, start: Float[Array, "*#k N 2"], way: Float[Array, "*#k N 2"], lines: int
) -> Float[Array, "*k N"]:
    """How much of each straight way, at most `lines` cells along x and y, can be gone; 1 for all. In own frames."""
    return jnp.minimum(_wall(ground, start, way, 0, lines), _wall(ground, start, way, 1, lines))


def walk(
    ground: Ground, start: Float[Array, "N 2"], step: Float[Array, "N 2"], slides: Bool[Array, " N"], lines: int
) -> Float[Array, "3 N 2"]:
    """Where a step leads: straight on as far as that is free (those that slide: or along x or y, if they get farther
    so), only along x, only along y.

    Who stands where nothing can stand goes where it likes.
    """
    begin, sign = framed(ground, start), jnp.where(owners(len(start)) == 1, -1.0, 1.0)[:, None]
    ways = step * np.array([[[1, 1]], [[1, 0]], [[0, 1]]], np.float32)
    x, y = (_wall(ground, begin, ways[1 + axis] * sign, axis, lines) for axis in (0, 1))
    share = jnp.stack([free_share(ground, begin, step * sign, lines), x, y])
    gone = ways * share[..., None]
    far = span(gone)
    farther = jnp.where((far[1] >= far[2])[:, None], gone[1], gone[2])
    turns = slides & (share[0] < 1.0) & (far[1:].max(0) > far[0])
    ends = start + gone.at[0].set(jnp.where(turns[:, None], farther, gone[0]))
    ends = jnp.where(is_open(ground, framed(ground, ends))[..., None], ends, start)
    loose = ~(ground.bound & is_open(ground, begin))
    return jnp.where(loose[:, None], start + ways, ends)


def under(ground: Ground, place: Float[Array, "N 2"]) -> tuple[Float[Array, "N 2"], Float[Array, "N 2"]]:
    """Middle and half the size of what each place lies under; the place itself and zero where it is free."""
    x, y = (jnp.clip(jnp.floor(place[:, axis]).astype(jnp.int32), -1, ground.side) for axis in (0, 1))
    what = ground.upon[(y + 1) * (ground.side + 2) + x + 1]
    free = (what == len(ground.place) - 1)[:, None]
    return jnp.where(free, place, ground.place[what]), ground.half[what]


def gap(place: Float[Array, "N 2"], middle: Float[Array, "N 2"], half: Float[Array, "N 2"]) -> Float[Array, " N"]:
    """Cells from each place to the edge of a rectangle."""
    return length(jnp.maximum(jnp.abs(place - middle) - half, 0.0))


def push_out(ground: Ground, place: Float[Array, "N 2"]) -> Float[Array, "N 2"]:
    """Units that something has come to stand on step out of it on the nearest side that is free."""
    middle, half = under(ground, place)
    own, centre = framed(ground, place), framed(ground, middle)
    edge = centre + SIDES[:, None] * (half + 2 * MARGIN)
    exits = jnp.where(SIDES[:, None] != 0, edge, own)
    far = jnp.where(is_open(ground, exits), span(exits - own), jnp.inf)
    best = far.min(0)
    first = jnp.where(far == best, jnp.arange(len(SIDES))[:, None], len(SIDES)).min(0)
    leaves = ground.bound & (half[:, 0] > 0) & jnp.isfinite(best)
    out = jnp.take_along_axis(exits, first[None, :, None], 0)[0]
    return jnp.where(leaves[:, None], framed(ground, out), place)
