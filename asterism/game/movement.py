"""Where units want to go, the way there, and how they keep apart."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs, casting, fields
from asterism.game.combat import Fights
from asterism.game.economy import REACH
from asterism.game.geometry import length, span
from asterism.game.navigation import GOAL_CELLS
from asterism.game.state import State, Units, owners, pop_orders
from asterism.game.tasks import Kind
from asterism.game.world import World, cell_index, is_kind, order_kind, order_task, walkable

ARRIVED = 1.0
"""Cells from its goal at which a unit's order is done."""
CROWDED = 4.0
"""Within this many cells a unit has also arrived once the others leave it no room."""
MINING_PACE = 0.65
"""Share of its speed at which a worker goes to and fro while mining.

It stands for the time to gain speed: with it 12 workers bring what they do in StarCraft II (tests/game)."""
PUSH = 0.5
"""Most cells that units push one another apart in one game loop, per loop of overlap."""

EXACT = jax.lax.Precision.HIGHEST
"""GPUs would round the factors of a product to 10 bits."""
WAYS = np.array([[[1, 0], [0, 1]], [[1, 0], [0, 0]], [[0, 0], [0, 1]]], np.float32)
"""What a unit tries in turn: its whole step, its part along x, its part along y.

They are matrices, since XLA computes a product once but would find the way anew for each option of a sum."""


def goals(
    world: World, units: Units, fights: Fights, hall: Int[Array, " N"]
) -> tuple[Float[Array, "N 2"], Float[Array, " N"], Bool[Array, " N"]]:
    """Where each unit wants to go, how near it needs to come, and whether it moves at all."""
    task, count = order_task(world, units), len(units.type)
    kind = world.tasks.kind[task]
    radius = world.units.radius[units.type]
    resource = jnp.clip(units.order_target[:, 0] - count, 0, len(world.terrain.resources) - 1)
    home = jnp.maximum(hall, 0)
    returns = (units.carrying > 0) & (hall >= 0)
    mining = jnp.where(returns[:, None], units.position[home], world.terrain.resources[resource])
    contact = jnp.where(returns, world.units.radius[units.type[home]], world.terrain.resource_radius[resource])
    gathers = is_kind(kind, Kind.GATHER, Kind.RETURN)
    builds = kind == Kind.BUILD
    goal = jnp.where(gathers[:, None], mining, units.order_position[:, 0])
    goal = jnp.where(fights.chases[:, None], units.position[jnp.maximum(fights.target, 0)], goal)
    stop = jnp.where(gathers, radius + contact + REACH / 2, 0.0)
    stop = jnp.where(builds, world.rectangle[world.tasks.product[task]][:, 2] + radius, stop)
    ordered = is_kind(kind, Kind.MOVE, Kind.ATTACK, Kind.PATROL, Kind.GATHER, Kind.BUILD)
    ordered |= (kind == Kind.RETURN) & returns
    stands = (fights.target >= 0) & fights.in_range
    moves = (ordered | fights.chases) & ~stands & ~(gathers & units.working)
    moves &= (units.type > 0) & (world.units.speed[units.type] > 0)
    return goal, jnp.where(fights.chases, 0.0, stop), moves


def heading(world: World, units: Units, goal: Float[Array, "N 2"]) -> Float[Array, "N 2"]:
    """The point to walk straight to on the way to `goal`: the next corner, or the goal once near or for a flyer."""
    h, w = world.terrain.level.shape
    block = cell_index(goal / GOAL_CELLS, w // GOAL_CELLS)
    point = world.terrain.waypoint[block, cell_index(units.position, w)].astype(jnp.int32)
    corner = jnp.stack([point % w, point // w], -1) + 0.5
    direct = (span(corner - goal) < GOAL_CELLS) | world.units.flying[units.type]
    return jnp.where(direct[:, None], goal, corner)


def slide(world: World, state: State, units: Units, step: Float[Array, "N 2"]) -> Float[Array, "N 2"]:
    """Positions after `step`: along the cliff or force field where it stands in the way."""
    flying = world.units.flying[units.type]
    start = units.position
    options = start + jnp.matmul(step, WAYS, precision=EXACT)
    free = walkable(world, options)
    if state.spells is not None:
        free &= ~fields.blocked(world, state, start, options)
    straight, along_x, along_y = free | flying
    position = jnp.where(along_y[:, None], options[2], start)
    position = jnp.where(along_x[:, None], options[1], position)
    return jnp.where(straight[:, None], options[0], position)


def separation(world: World, units: Units, bodies: Bool[Array, " N"]) -> Float[Array, "N 2"]:
    """How far overlapping ground units push one another, each by half of the overlap."""
    count = len(bodies)
    radius = jnp.where(bodies, world.units.radius[units.type], -100.0)
    # Units on one spot part in directions of their own, those of player 1 opposite to those of player 0.
    angle = 2.4 * (jnp.arange(count) % (count // 2))
    side = jnp.where(owners(count) == 0, 0.01, -0.01)[:, None]
    place = units.position + side * jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    x, y = place[:, 0], place[:, 1]
    square = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    inverse = jax.lax.rsqrt(jnp.maximum(square, 1e-6))
    weight = 0.5 * jnp.maximum((radius[:, None] + radius) * inverse - 1.0, 0.0)
    weight = jnp.where(jnp.eye(count, dtype=bool), 0.0, weight)
    return weight.sum(1)[:, None] * place - jnp.matmul(weight, place, precision=EXACT)


def move(world: World, state: State, fights: Fights, hall: Int[Array, " N"], dt: int) -> State:
    """One tick of movement: along the way, apart from each other, orders that are done dropped."""
    units = state.units
    kind = order_kind(world, units)
    goal, stop, moves = casting.approach(world, state, *goals(world, units, fights, hall))
    towards = heading(world, units, goal) - units.position
    to_corner = length(towards)
    left = length(goal - units.position)
    last = to_corner >= left - 1e-3
    mines = is_kind(kind, Kind.GATHER, Kind.RETURN)
    pace = buffs.speed(world, state, world.units.speed[units.type] * jnp.where(mines, MINING_PACE, 1.0) * dt)
    stride = jnp.minimum(pace, jnp.where(last, jnp.maximum(left - stop, 0.0), to_corner))
    step = jnp.where(moves[:, None], towards / jnp.maximum(to_corner, 1e-6)[:, None] * stride[:, None], 0.0)
    moved = units._replace(position=slide(world, state, units, step))
    works = mines | (kind == Kind.BUILD)
    bodies = (
        buffs.outside(world, state, units.type > 0)
        & ~world.units.structure[units.type]
        & ~works
        & ~world.units.flying[units.type]
    )
    push = jnp.clip(separation(world, moved, bodies), -PUSH, PUSH)
    moved = moved._replace(position=slide(world, state, moved, push))
    remaining = length(goal - moved.position)
    crowded = (remaining < CROWDED) & (remaining > left - 0.25 * pace) & (span(push) > 0)
    goes = is_kind(kind, Kind.MOVE, Kind.ATTACK) & moves & ~fights.chases & ~fights.follows
    arrived = goes & ((remaining < ARRIVED) | crowded)
    patrols = (kind == Kind.PATROL) & (units.type > 0)
    return state._replace(units=pop_orders(turn_patrols(moved, units.position, patrols, remaining < ARRIVED), arrived))


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
