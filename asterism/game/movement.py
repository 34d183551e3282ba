"""Where units want to go, the way there, and how they keep apart."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs, casting, detours, fields, obstacles
from asterism.game.accounting import on_field
from asterism.game.economy import mines, way_to_go
from asterism.game.geometry import length, span
from asterism.game.modifiers import Modifiers
from asterism.game.navigation import next_corner
from asterism.game.obstacles import STRIDE, Ground
from asterism.game.skipping import over_chunks
from asterism.game.state import Routes, State, Units, owners, pop_orders
from asterism.game.targets import Fights
from asterism.game.tasks import Kind
from asterism.game.world import World, cell_index, inward, is_kind, on_ground, order_kind, order_task, walkable

ARRIVED = 1.0
"""Cells from its goal at which a unit's order is done."""
CROWDED = 4.0
"""Within this many cells a unit has also arrived once the others leave it no room."""
PUSH = 0.5
"""Most cells that units push one another apart in one game loop, per loop of overlap."""

STUCK = 0.25
"""Share of its step: who has no way to its goal, and comes less far than this, has arrived."""

EXACT = jax.lax.Precision.HIGHEST
"""GPUs would round the factors of a product to 10 bits."""
WAYS = np.array([[[1, 0], [0, 1]], [[1, 0], [0, 0]], [[0, 0], [0, 1]]], np.float32)
"""What a unit tries in turn: its whole step, its part along x, its part along y.

They are matrices, since XLA computes a product once but would find the way anew for each option of a sum."""


def goals(
    world: World, units: Units, mods: Modifiers, fights: Fights, hall: Int[Array, " N"]
) -> tuple[Float[Array, "N 2"], Float[Array, " N"], Bool[Array, " N"]]:
    """Where each unit that does not mine wants to go, how near it needs to come, and whether a unit moves at all."""
    task = order_task(world, units)
    kind = world.tasks.kind[task]
    returns = (units.carrying > 0) & (hall >= 0)
    builds = kind == Kind.BUILD
    goal = units.order_position[:, 0]
    goal = jnp.where(fights.chases[:, None], units.position[jnp.maximum(fights.target, 0)], goal)
    radius = world.units.radius[units.type]
    stop = jnp.where(builds, world.rectangle[world.tasks.product[task]][:, 2] + radius, 0.0)
    ordered = is_kind(kind, Kind.MOVE, Kind.ATTACK, Kind.PATROL, Kind.GATHER, Kind.BUILD, Kind.LAND)
    ordered |= (kind == Kind.RETURN) & returns
    stands = fights.in_range | fights.held
    moves = (ordered | fights.chases) & ~stands & ~units.working
    moves &= on_field(units) & (mods.speed > 0)
    return goal, jnp.where(fights.chases, 0.0, stop), moves


def inner_cell(world: World, place: Float[Array, "N 2"]) -> Int[Array, " N"]:
    """Flat index of the cell of each place; on the border of two it is that towards the middle of the map, if it can be
    walked on. So the image of a place lies in the image of its cell, and both players go alike."""
    w = world.terrain.pathable.shape[1]
    inner = inward(place, w)
    return cell_index(jnp.where(walkable(world, inner)[:, None], inner, place), w)


def heading(world: World, units: Units, goal: Float[Array, "N 2"]) -> Float[Array, "N 2"]:
    """The point to walk straight to on the way to `goal`: the next corner, or the goal once it is seen or for a flyer.

    Those who walk to a goal in a cliff go to the ground nearest to it.
    """
    w, paths = world.terrain.level.shape[1], world.terrain.paths
    cell = inner_cell(world, goal)
    corner = next_corner(paths, w, inner_cell(world, units.position), cell)
    direct = (corner == cell) | world.units.flying[units.type]
    return jnp.where(direct[:, None], goal, jnp.stack([corner % w, corner // w], -1) + 0.5)


class Path(NamedTuple):
    """What structures and resources make of the ways of N units in one tick."""

    goal: Float[Array, "N 2"]
    towards: Float[Array, "N 2"]
    """Where each unit goes straight to."""
    ground: Ground | None = None
    """None where nothing but cliffs stops anybody."""
    routes: Routes | None = None
    hopeless: Bool[Array, " N"] | bool = False
    """No way leads to the goal."""
    middle: Float[Array, "N 2"] | None = None
    """Of what the goal lies under, or the goal."""
    half: Float[Array, "N 2"] | None = None
    """Half its size."""

    def left(self, place: Float[Array, "N 2"]) -> Float[Array, " N"]:
        """Cells from each place to the goal, or to the edge of what it lies under."""
        return length(self.goal - place) if self.ground is None else obstacles.gap(place, self.middle, self.half)


def find_path(
    world: World, state: State, goal: Float[Array, "N 2"], moves: Bool[Array, " N"], passing: Bool[Array, " N"]
) -> tuple[Units, Path]:
    """The next stretch of each unit's way to its goal; who has had something set on its place steps out of it first.

    `passing`: units that walk through everything.
    """
    units = state.units
    if state.routes is None:
        return units, Path(goal, once(heading(world, units, goal)))
    ground = obstacles.survey(world, state, passing)
    units = units._replace(position=obstacles.push_out(ground, units.position))
    middle, half = obstacles.under(ground, goal)
    reached = jnp.where(half > 0, goal, on_ground(world, goal))
    towards = heading(world, units, goal)
    routes, towards, hopeless = detours.steer(
        ground, state.routes, units.position, reached, middle, half, towards, moves, state.loop
    )
    return units, Path(goal, once(towards), ground, routes, hopeless, middle, half)


def once(place: Float[Array, "N 2"]) -> Float[Array, "N 2"]:
    """The same places, worked out once: XLA's CPU code would find them anew for each pair of units that reads them."""
    return jnp.matmul(place, np.eye(2, dtype=np.float32), precision=EXACT)


def slide(
    world: World,
    units: Units,
    step: Float[Array, "N 2"],
    state: State | None = None,
    ground: Ground | None = None,
    straight: Bool[Array, " N"] | bool = False,
    most: int = 1,
) -> Float[Array, "N 2"]:
    """Positions after `step`: along the cliff, the force field in `state` or the structure on `ground`, where it stands
    in the way.

    Who goes `straight` stops at a structure. A step on `ground` is at most `most` cells long.
    """
    flying = world.units.flying[units.type]
    start = units.position
    if ground is None:
        options = start + jnp.matmul(step, WAYS, precision=EXACT)
    else:
        options = obstacles.walk(ground, start, step, ~jnp.broadcast_to(straight, len(start)), most)
    free = walkable(world, options)
    if state is not None and state.spells is not None:
        free &= ~fields.blocked(world, state, start, options)
    straight, along_x, along_y = free | flying
    position = jnp.where(along_y[:, None], options[2], start)
    position = jnp.where(along_x[:, None], options[1], position)
    return jnp.where(straight[:, None], options[0], position)


def approach(
    world: World,
    units: Units,
    goal: Float[Array, "N 2"],
    stop: Float[Array, " N"],
    pace: Float[Array, " N"],
    state: State | None = None,
    path: Path | None = None,
) -> Float[Array, "N 2"]:
    """Where units are that have gone `pace` cells along the way to their goal, but no nearer to it than `stop`."""
    path = path or Path(goal, heading(world, units, goal))
    if path.ground is not None:
        pace = jnp.where(path.ground.bound, jnp.minimum(pace, STRIDE), pace)
    towards = path.towards - units.position
    to_corner = length(towards)
    left = length(goal - units.position)
    last = to_corner >= left - 1e-3
    stride = jnp.minimum(pace, jnp.where(last, jnp.maximum(left - stop, 0.0), to_corner))
    step = towards / jnp.maximum(to_corner, 1e-6)[:, None] * stride[:, None]
    place = slide(world, units, step, state, path.ground, path.hopeless, STRIDE)
    return place if path.ground is None else once(place)


def bodies(world: World, units: Units) -> Bool[Array, " N"]:
    """Units that keep others of their plane off: all that walk or fly, and what stands where it was set."""
    table, kind = world.units, units.type
    return (
        on_field(units) & (~table.structure[kind] | table.flying[kind]) & ~table.burrowed[kind] & (table.body[kind] > 0)
    )


def separation(world: World, units: Units, bodies: Bool[Array, " N"]) -> Float[Array, "N 2"]:
    """How far overlapping units of one plane push one another, each by half of the overlap."""
    count = len(bodies)
    radius = jnp.where(bodies, world.units.body[units.type], -100.0)
    # Units on one spot part in directions of their own, those of player 1 opposite to those of player 0.
    angle = 2.4 * (jnp.arange(count) % (count // 2))
    side = jnp.where(owners(count) == 0, 0.01, -0.01)[:, None]
    place = units.position + side * jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    x, y, slot, flying = place[:, 0], place[:, 1], jnp.arange(count), world.units.flying[units.type]

    def push(at, real, pushed):
        away_x, away_y = x - x[at][:, None], y - y[at][:, None]
        inverse = jax.lax.rsqrt(jnp.maximum(away_x**2 + away_y**2, 1e-6))
        weight = 0.5 * jnp.maximum((radius[at][:, None] + radius) * inverse - 1.0, 0.0)
        beside = real[:, None] & (at[:, None] != slot) & (flying[at][:, None] == flying)
        weight, one = jnp.where(beside, weight, 0.0), jnp.ones(len(at))
        # Sums as products: XLA's CPU code hands sums to a library that takes twice as long.
        more = [jnp.matmul(one, weight * away, precision=EXACT) for away in (away_x, away_y)]
        return pushed[0] + more[0], pushed[1] + more[1]

    return jnp.stack(over_chunks(bodies, push, (jnp.zeros(count), jnp.zeros(count)), chunk=32), 1)


def move(world: World, state: State, mods: Modifiers, fights: Fights, hall: Int[Array, " N"], dt: int) -> State:
    """One tick of movement: along the way, apart from each other, orders that are done dropped."""
    units = state.units
    kind = order_kind(world, units)
    goal, stop, moves = casting.approach(world, state, *goals(world, units, mods, fights, hall))
    mining = mines(world, units) & ~fights.chases
    field, contact, way, timer = way_to_go(world, units, hall)
    goal = jnp.where(mining[:, None], field, goal)
    stop = jnp.where(mining, contact, stop)
    pace = jnp.where(moves, jnp.where(mining, way, mods.speed * dt), 0.0)
    works = mining | (kind == Kind.BUILD)
    units, path = find_path(world, state, goal, moves, works | units.seeking)
    units = units._replace(timer=jnp.where(mining, timer, units.timer))
    left = path.left(units.position)
    moved = units._replace(position=approach(world, units, goal, stop, pace, state, path))
    push = jnp.clip(separation(world, moved, buffs.outside(world, state, bodies(world, units)) & ~works), -PUSH, PUSH)
    push = jnp.where((mods.speed > 0)[:, None], push, 0.0)
    moved = moved._replace(position=slide(world, moved, push, state, path.ground))
    remaining = path.left(moved.position)
    crowded = (remaining < CROWDED) & (remaining > left - 0.25 * pace) & (span(push) > 0)
    goes = is_kind(kind, Kind.MOVE, Kind.ATTACK) & moves & ~fights.chases & ~fights.follows
    arrived = goes & ((remaining < ARRIVED) | crowded)
    if path.ground is not None:
        due = jnp.minimum(pace, length(path.towards - units.position))
        arrived |= goes & path.hopeless & (length(moved.position - units.position) <= STUCK * due)
    patrols = (kind == Kind.PATROL) & (units.type > 0)
    units = pop_orders(turn_patrols(moved, units.position, patrols, remaining < ARRIVED), arrived)
    return state._replace(units=units, routes=path.routes)


def turn_patrols(
    units: Units, before: Float[Array, "N 2"], patrols: Bool[Array, " N"], there: Bool[Array, " N"]
) -> Units:
    """A patrol goes back to where it began (`before` its first move) and forth: `rally` holds the other end."""
    goal = units.order_position[:, 0]
    other = jnp.where((patrols & (units.rally[:, 0] < 0))[:, None], before, units.rally)
    turn = (patrols & there)[:, None]
    return units._replace(
        order_position=units.order_position.at[:, 0].set(jnp.where(turn, other, goal)),
        rally=jnp.where(turn, goal, other),
    )
