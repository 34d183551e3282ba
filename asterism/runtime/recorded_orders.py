"""Gives the orders of a record to a game, each to somebody who can carry it out. Arrays are [2, ...] by player.

Which unit was told is not in the record: of those that are free it is the nearest to where the product appeared. What
the record leaves out and the order needs is seen to: a builder comes to its site, an add-on is carried over to who uses
it, a larva that an injection brought is lent. Whether the order is taken is for the game's own rules.
"""

from enum import IntEnum
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game import warping
from asterism.game.accounting import conditions, finished, has_techlab
from asterism.game.geometry import span
from asterism.game.larvae import larva_offset
from asterism.game.spawning import renew
from asterism.game.state import State, Units, by_player, give_orders, nearest
from asterism.game.tasks import Kind
from asterism.game.world import ADDON_OFFSET, World, order_task

NEAR = 3.0
"""Cells from the place of a structure in the record within which it stands in the game."""
BUSY = 1e4
"""Cells that a unit which is busy seems farther away, and one that has an add-on where it needs none or another."""


class Verdict(IntEnum):
    """What became of an order."""

    OPEN = 0
    TAKEN = 1
    REQUIREMENT = 2
    BUILDER = 3
    SUPPLY = 4
    GROUND = 5


class Help(IntEnum):
    """What was seen to for an order."""

    NONE = 0
    LARVA = 1
    """A larva was lent."""
    LIFTED = 2
    """A structure left its add-on to build another."""
    CARRIED = 3
    """An add-on came to another structure."""
    HURRIED = 4
    """A warp gate was ready before its time."""


class Order(NamedTuple):
    """One order of each player, or none."""

    due: Bool[Array, " 2"]
    task: Int[Array, " 2"]
    """Index into `World.tasks`; 0 for none."""
    place: Float[Array, "2 2"]
    """Where the product appeared."""
    avoid: Float[Array, "2 2"]
    """Where a structure stands that will soon morph: somebody else trains."""


class Given(NamedTuple):
    """What became of an order at once."""

    slot: Int[Array, " 2"]
    """Who was told."""
    verdict: Int[Array, " 2"]
    """OPEN for an order that was given."""
    help: Int[Array, " 2"]


def nothing_given() -> Given:
    """Of orders that are not due."""
    zero = jnp.zeros(2, jnp.int32)
    return Given(zero, zero, zero)


def slots_of(mask: Bool[Array, "2 S"]) -> Bool[Array, " N"]:
    """[2, S] by player -> [N]."""
    return mask.reshape(-1)


def one(score: Float[Array, "2 S"]) -> Bool[Array, "2 S"]:
    """The unit of each player with the smallest finite score, if there is any."""
    first = nearest(score)[:, None] == jnp.arange(score.shape[1])
    return first & jnp.isfinite(score.min(1))[:, None]


def able(world: World, state: State, order: Order) -> Bool[Array, "2 S"]:
    """Who can carry out each order now or when it has done what it is at."""
    units, tasks = state.units, world.tasks
    task = order.task[:, None]
    kind = tasks.kind[task]
    fits = (world.task[tasks.action[task], by_player(units.type)] == task) & (task > 0)
    fits &= by_player(finished(units)) & (by_player(has_techlab(world, units)) | ~tasks.needs_addon[task])
    fits &= (kind != Kind.ADDON) | (by_player(units.addon) < 0)
    # Only what is trained can wait behind something else, and one at a time.
    waiting = by_player(units.order_action[:, 1] > 0)
    return fits & (idle(units) | ((kind == Kind.TRAIN) & ~waiting))


def idle(units: Units) -> Bool[Array, "2 S"]:
    """Units without orders."""
    return by_player(units.order_action[:, 0] == 0)


def distance(units: Units, order: Order) -> Float[Array, "2 S"]:
    """Cells from each unit to where its player's product appeared."""
    return span(by_player(units.position) - order.place[:, None])


def give(world: World, state: State, order: Order) -> tuple[State, Given]:
    """Gives each player's order if requirements and supply are there and somebody can carry it out."""
    kind = world.tasks.kind[order.task]
    rows, met = jnp.arange(2), conditions(world, state)
    allowed = order.due & met.tech[rows, order.task]
    state, helped = make_ready(world, state, order._replace(due=allowed))
    units = state.units
    can = able(world, state, order)
    left = jnp.where(by_player(units.working), by_player(units.timer), BUSY)
    wait = jnp.where(idle(units), 0.0, BUSY + left)
    reserved = span(by_player(units.position) - order.avoid[:, None]) < NEAR
    wait += jnp.where(reserved & (kind == Kind.TRAIN)[:, None], BUSY, 0.0)
    # Of gates the one that is ready first: it may have been hurried.
    wait = jnp.where((kind == Kind.WARP)[:, None], by_player(units.cooldown), wait)
    score = jnp.where(can, distance(units, order) + wait, jnp.inf)
    chosen, found = nearest(score), jnp.isfinite(score.min(1))
    fed = met.food[rows, order.task] | (kind == Kind.TRAIN)  # training waits for supply
    gives = allowed & found & fed & (kind != Kind.RESEARCH)
    state, hurried = tell(world, state, order, one(score) & gives[:, None])
    found |= kind == Kind.RESEARCH  # of which only the requirements are checked
    verdict = jnp.where(found, jnp.where(fed, Verdict.OPEN, Verdict.SUPPLY), Verdict.BUILDER)
    verdict = jnp.where(met.tech[rows, order.task], verdict, Verdict.REQUIREMENT)
    slot = chosen + rows * (len(units.type) // 2)
    given = Given(slot, verdict, jnp.where(hurried, Help.HURRIED, helped))
    return state, jax.tree.map(lambda leaf: leaf.astype(jnp.int32), given)


def tell(world: World, state: State, order: Order, chosen: Bool[Array, "2 S"]) -> tuple[State, Bool[Array, " 2"]]:
    """The chosen units take the order; a builder is at its site. Also who was not ready yet."""
    units, kind = state.units, world.tasks.kind[order.task][:, None]
    count = len(units.type)
    each = lambda values: jnp.repeat(values, count // 2, axis=0)  # noqa: E731
    site = each(order.place)
    which = slots_of(chosen & (kind != Kind.WARP))
    builds = slots_of(chosen & (kind == Kind.BUILD))
    units = units._replace(position=jnp.where(builds[:, None], site, units.position))
    action, queued = each(world.tasks.action[order.task]), each(kind[:, 0] == Kind.TRAIN)
    units = give_orders(units, which, action, -1, site, queued)
    warps = chosen & (kind == Kind.WARP)
    hurried = (warps & (by_player(units.cooldown) > 0)).any(1)
    units = units._replace(cooldown=jnp.where(slots_of(warps), 0.0, units.cooldown))
    task = jnp.where(slots_of(warps), each(order.task), 0)
    state = state._replace(units=units)
    warp = lambda: warping.warp_in(world, state, task, order.place, jnp.zeros(2, jnp.int32), 0)[0]  # noqa: E731
    return jax.lax.cond(warps.any(), warp, lambda: state), hurried


def make_ready(world: World, state: State, order: Order) -> tuple[State, Int[Array, " 2"]]:
    """What the record leaves out and the orders that are due need, and which `Help` it was."""
    kind = world.tasks.kind[order.task]
    free = (able(world, state, order) & idle(state.units)).any(1)
    needs = order.due & ~free
    larva = needs & (world.tasks.user[order.task] == world.larva)
    lifts = needs & (kind == Kind.ADDON)
    units = lend_larva(world, state.units, larva)
    units, lifted = lift(world, units, order, lifts)
    units, carried = carry_addon(world, units, order, needs & (kind == Kind.TRAIN))
    helped = jnp.where(larva, Help.LARVA, jnp.where(lifted, Help.LIFTED, jnp.where(carried, Help.CARRIED, Help.NONE)))
    return state._replace(units=units), helped


def lend_larva(world: World, units: Units, which: Bool[Array, " 2"]) -> Units:
    """A larva at the first town hall of each player in `which`."""
    count = len(units.type)
    slot = slots_of(one(jnp.where(by_player(units.type == 0), 0.0, jnp.inf)) & which[:, None])
    place = jnp.repeat(world.terrain.starts, count // 2, axis=0) + larva_offset(count)
    return renew(world, units, slot, jnp.full(count, world.larva), place, jnp.zeros(count))


def lift(world: World, units: Units, order: Order, which: Bool[Array, " 2"]) -> tuple[Units, Bool[Array, " 2"]]:
    """The nearest idle structure that can build the add-on leaves the one that it has. Also for whom there was one."""
    task = order.task[:, None]
    fits = (world.task[world.tasks.action[task], by_player(units.type)] == task) & idle(units)
    fits &= by_player(finished(units)) & which[:, None]
    chosen = one(jnp.where(fits, distance(units, order), jnp.inf))
    return units._replace(addon=jnp.where(slots_of(chosen), -1, units.addon)), chosen.any(1)


def carry_addon(world: World, units: Units, order: Order, which: Bool[Array, " 2"]) -> tuple[Units, Bool[Array, " 2"]]:
    """A structure that could train what is wanted takes an add-on that nobody works with: a tech lab where one is
    needed, else a reactor, which trains beside it. Also for whom there were both."""
    task, count = order.task[:, None], len(units.type)
    away, lab = distance(units, order), world.tasks.needs_addon[task]
    there = by_player(finished(units)) & which[:, None]
    ready, without = there & idle(units), by_player(units.addon) < 0
    host = there & (world.task[world.tasks.action[task], by_player(units.type)] == task)
    host &= by_player(world.units.takes_addon[units.type]) & (lab | without)
    wait = jnp.where(idle(units), 0.0, by_player(units.timer)) + jnp.where(without, 0.0, BUSY)
    host = one(jnp.where(host, away + wait, jnp.inf))
    used = world.tasks.needs_addon[order_task(world, units)] & (units.addon >= 0)
    in_use = jnp.zeros(count, bool).at[jnp.where(used, units.addon, count)].set(True, mode="drop")
    spare = ready & by_player(world.units.addon[units.type] & ~in_use)
    spare &= by_player(world.units.techlab[units.type]) == lab
    spare = one(jnp.where(spare, away, jnp.inf))
    both = host.any(1) & spare.any(1)
    first = jnp.arange(2) * (count // 2)
    host_slot, spare_slot = (mask.argmax(1) + first for mask in (host, spare))
    taken = slots_of(spare & both[:, None])
    takes = slots_of(host & both[:, None])
    loses = (units.addon >= 0) & taken[jnp.maximum(units.addon, 0)]
    addon = jnp.where(takes, jnp.repeat(spare_slot, count // 2), jnp.where(loses, -1, units.addon))
    new = jnp.repeat(world.addon_for[units.type[host_slot], units.type[spare_slot]], count // 2)
    place = jnp.repeat(units.position[host_slot] + jnp.array(ADDON_OFFSET), count // 2, axis=0)
    return units._replace(
        addon=addon,
        type=jnp.where(taken, new, units.type),
        position=jnp.where(taken[:, None], place, units.position),
    ), both
