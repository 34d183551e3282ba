"""Ways round structures, of which the tables of `navigation` know nothing.

Who finds its way blocked asks for a route to its goal. A route is a wave that spreads over open cells from the goal,
some rings a tick, and leaves in every cell the direction from which it came. Units with the same goal share one. A unit
keeps to its route until it has another goal: so it never goes back into what it has just come out of.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt8

from asterism.game.geometry import length
from asterism.game.obstacles import MARGIN, Ground, cell_of, framed, free_share, is_open, under
from asterism.game.state import Routes, by_player, nearest, owners

ROUTES = 8
"""Of each player, at a time."""
RINGS = 8
"""By how many cells waves grow in one tick."""
LOOK = 16
"""Cells ahead in which a unit sees what is in its way."""
AHEAD = (1, 3, 6)
"""Cells along a route of which the farthest is walked to straight that can be."""
SAME = 1.0
"""Cells, along x and y together, between goals for which one route will do."""
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))
"""From each cell on; the first four lead across its sides."""


def no_routes(count: int, side: int) -> Routes:
    """No route yet, for `count` units on a map `side` cells wide."""
    cells = (side + 2) ** 2
    bits = jnp.zeros((2, cells), jnp.uint8)
    return Routes(
        goal=jnp.full((2, ROUTES, 2), -9.0),
        age=jnp.zeros((2, ROUTES), jnp.int32),
        open=jnp.zeros(cells, bool),
        front=bits,
        reached=bits,
        known=bits,
        direction=jnp.zeros((3, 2, cells), jnp.uint8),
        follows=jnp.zeros(count, bool),
    )


def steer(
    ground: Ground,
    routes: Routes,
    place: Float[Array, "N 2"],
    goal: Float[Array, "N 2"],
    middle: Float[Array, "N 2"],
    half: Float[Array, "N 2"],
    towards: Float[Array, "N 2"],
    moves: Bool[Array, " N"],
    loop: Int[Array, ""],
) -> tuple[Routes, Float[Array, "N 2"], Bool[Array, " N"]]:
    """Where units go for now that want to `goal`, and by the tables to `towards` on the way there.

    Args:
      middle, half: of what the goal lies under, as `obstacles.under` has it.
    Returns:
      The routes, the next place to walk straight to, and which units no way leads to their goal.
    """
    able = moves & ground.bound
    here, end, ahead = framed(ground, jnp.stack([place, _edge(place, goal, middle, half), towards]))
    fits = _fits(routes, framed(ground, goal))
    on = able & routes.follows & fits.any(1)
    direct = length(towards - goal) < 1e-3
    clear = _sees(ground, here, jnp.where((on | direct)[:, None], end, ahead), on)
    lost = able & ~clear & ~on
    routes, fresh = _ask(routes, framed(ground, goal), lost & ~fits.any(1), fits & on[:, None], loop)
    routes = begin(ground, routes, fresh)
    fits = _fits(routes, framed(ground, goal))
    on = (on | lost) & fits.any(1)
    slot, cell = jnp.where(on, fits.argmax(1), 0), cell_of(ground, here)
    waits = on & ~_bit(routes.reached, cell, slot)
    routes = spread(ground, routes, by_player(fits & waits[:, None]).any(1))
    via, known, hopeless = _along(ground, routes, here, slot)
    # What the goal lies under is not open: from the cell beside it the unit goes to the goal itself.
    via = framed(ground, jnp.where(is_open(ground, via)[:, None], via, framed(ground, goal)))
    via = jnp.where(clear[:, None], goal, jnp.where(known[:, None], via, towards))
    return routes._replace(follows=on), jnp.where(on[:, None], via, towards), on & hopeless


def _edge(
    place: Float[Array, "N 2"], goal: Float[Array, "N 2"], middle: Float[Array, "N 2"], half: Float[Array, "N 2"]
) -> Float[Array, "N 2"]:
    """Each goal, or where the straight way there comes to the edge of what it lies under."""
    way = goal - place
    outside = jnp.maximum(jnp.abs(place - middle) - half - 2 * MARGIN, 0.0)
    share = jnp.where(half > 0, outside / jnp.maximum(jnp.abs(way), 1e-6), 1.0)
    return place + way * jnp.clip(jnp.maximum(share[:, 0], share[:, 1]), 0.0, 1.0)[:, None]


def _sees(
    ground: Ground, here: Float[Array, "N 2"], there: Float[Array, "N 2"], whole: Bool[Array, " N"]
) -> Bool[Array, " N"]:
    """Whether the straight way is free as far as a unit looks, and where it must be `whole` ends before that."""
    way = there - here
    far = length(way)
    looked = way * jnp.minimum(1.0, LOOK / jnp.maximum(far, 1e-6))[:, None]
    return (free_share(ground, here, looked, LOOK) >= 1.0) & ((far <= LOOK) | ~whole)


def _fits(routes: Routes, goal: Float[Array, "N 2"]) -> Bool[Array, "N 8"]:
    """Which routes of its player lead to each unit's goal, or to the cell beside it."""
    there = jnp.repeat(jnp.floor(routes.goal), len(goal) // 2, axis=0)
    away = jnp.abs(there - jnp.floor(goal)[:, None])
    return away[..., 0] + away[..., 1] <= SAME


def _ask(
    routes: Routes, goal: Float[Array, "N 2"], wants: Bool[Array, " N"], used: Bool[Array, "N 8"], loop: Int[Array, ""]
) -> tuple[Routes, Bool[Array, "2 8"]]:
    """A new route for one of each player's units that want one, in turn: in place of one out of use, or of the oldest.
    Returns the routes, and which are new."""
    slots = len(goal) // 2
    turn = (jnp.arange(len(goal)) - loop) % slots
    chosen = nearest(by_player(jnp.where(wants, turn, len(goal))).astype(jnp.float32)) + jnp.arange(2) * slots
    spare = by_player(used).any(1) * 1e6 - routes.age
    fresh = (nearest(spare)[:, None] == jnp.arange(ROUTES)) & wants[chosen][:, None]
    return routes._replace(
        goal=jnp.where(fresh[..., None], goal[chosen][:, None], routes.goal),
        age=jnp.where(fresh, 0, routes.age + 1),
    ), fresh


def begin(ground: Ground, routes: Routes, fresh: Bool[Array, "2 8"]) -> Routes:
    """Waves of new routes begin; all do when the ground is not what it was. Old directions stay until a wave comes."""
    new, seeds = _bits(fresh)[:, None], _seeds(ground, routes)
    again = new | jnp.where((ground.open[0] != routes.open).any(), jnp.uint8(255), jnp.uint8(0))
    return routes._replace(
        open=ground.open[0],
        front=(routes.front & ~again) | (seeds & again),
        reached=(routes.reached & ~again) | (seeds & again),
        known=routes.known & ~new,
    )


def _bits(flags: Bool[Array, "2 8 *c"]) -> UInt8[Array, " 2 *c"]:
    number = jnp.arange(ROUTES, dtype=jnp.uint8).reshape(ROUTES, *([1] * (flags.ndim - 2)))
    return (flags.astype(jnp.uint8) << number).sum(1, dtype=jnp.uint8)


def _bit(cells: UInt8[Array, "2 P"], at: Int[Array, " N"], slot: Int[Array, " N"]) -> Bool[Array, " N"]:
    return ((cells.reshape(-1)[at] >> slot) & 1) > 0


def _seeds(ground: Ground, routes: Routes) -> UInt8[Array, "2 P"]:
    """The cell of each goal, or all cells of what it lies under."""
    goal = routes.goal.reshape(-1, 2)
    middle, half = under(ground, framed(ground, goal))
    free = half <= 0
    middle = framed(ground, middle)
    low = jnp.where(free, jnp.floor(goal), jnp.floor(middle - half + 0.5)).reshape(2, ROUTES, 2)
    high = jnp.where(free, jnp.floor(goal) + 1.0, jnp.floor(middle + half + 0.5)).reshape(2, ROUTES, 2)
    cells = jnp.arange(-1.0, ground.side + 1.0)
    inside = lambda axis: _bits((cells >= low[..., axis, None]) & (cells < high[..., axis, None]))  # noqa: E731
    return (inside(1)[:, :, None] & inside(0)[:, None, :]).reshape(2, -1)


def spread(ground: Ground, routes: Routes, wanted: Bool[Array, "2 8"]) -> Routes:
    """Waves that are `wanted` grow by `RINGS` cells, by turns across the sides of cells only and across their corners
    too: they come out nearly round."""
    side, cells = ground.side + 2, ground.open.shape[1]
    margin = side + 1
    full = jnp.where(ground.open, jnp.uint8(255), jnp.uint8(0))
    wide = lambda inner: jnp.pad(inner, ((0, 0), (margin, margin)))  # noqa: E731
    shifted = lambda outer, dx, dy: jax.lax.slice_in_dim(  # noqa: E731
        outer, margin + dy * side + dx, margin + dy * side + dx + cells, axis=1
    )
    corners = [shifted(wide(full), dx, 0) & shifted(wide(full), 0, dy) for dx, dy in DIRECTIONS[4:]]

    def ring(front, reached, known, direction, ways):
        room = full & ~reached
        new, codes = jnp.zeros_like(room), [jnp.zeros_like(room)] * 3
        for number, (dx, dy) in enumerate(DIRECTIONS[:ways]):
            found = shifted(front, dx, dy) & room
            found = found & corners[number - 4] if number >= 4 else found
            room, new = room & ~found, new | found
            codes = [code | found if number >> bit & 1 else code for bit, code in enumerate(codes)]
        direction = (direction & ~new) | jnp.stack(codes)
        front = jax.lax.dynamic_update_slice_in_dim(front, new, margin, 1)
        return front, reached | new, known | new, direction

    def rings(carry):
        number, *cells = carry
        return number + 2, *ring(*ring(*cells, 4), 8)

    def goes_on(carry):
        return (carry[0] < RINGS) & (carry[1] > 0).any()

    grows = _bits(wanted)[:, None]
    start = (0, wide(routes.front & grows), routes.reached, routes.known, routes.direction)
    _, front, reached, known, direction = jax.lax.while_loop(goes_on, rings, start)
    front = shifted(front, 0, 0) | (routes.front & ~grows)
    return routes._replace(front=front, reached=reached, known=known, direction=direction)


def _along(
    ground: Ground, routes: Routes, here: Float[Array, "N 2"], slot: Int[Array, " N"]
) -> tuple[Float[Array, "N 2"], Bool[Array, " N"], Bool[Array, " N"]]:
    """Where to walk straight to along each unit's route, whether it has one from here yet, and whether none is."""
    start, player = cell_of(ground, here), owners(len(slot))
    growing = jax.lax.reduce(routes.front, np.uint8(0), jax.lax.bitwise_or, (1,))[player] >> slot & 1 > 0
    hopeless = ~growing & ~_bit(routes.reached, start, slot)
    via, there = here, jnp.floor(here) + 0.5
    for step in range(1, max(AHEAD) + 1):
        at = cell_of(ground, there)
        code = sum(_bit(plane, at, slot).astype(jnp.int32) << b for b, plane in enumerate(routes.direction))
        goes = _bit(routes.known, at, slot)[:, None]
        there = there + jnp.where(goes, jnp.array(DIRECTIONS)[code], 0)
        if step in AHEAD:
            straight = (step == 1) | (free_share(ground, here, there - here, step) >= 1.0)
            via = jnp.where(straight[:, None], there, via)
    return via, _bit(routes.known, start, slot) & ~hopeless, hopeless
