"""Mining: workers go to a resource, work on it, carry it to the nearest town hall and go again."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished
from asterism.game.geometry import length, span
from asterism.game.state import State, Units, by_player, give_orders, nearest, owners, pop_orders
from asterism.game.tasks import Kind
from asterism.game.world import World, is_kind, order_kind

REACH = 0.2
"""Cells between the bodies of a worker and what it works on."""
HOP = 14.0
"""A worker changes to another mineral field within this many cells."""


def townhall_distance(world: World, units: Units, places: Float[Array, "n 2"]) -> Float[Array, "2 n"]:
    """Distance of each place to each player's nearest finished town hall; infinite without one."""
    halls = finished(units) & world.units.townhall[units.type]
    distance = length(units.position[:, None] - places)
    return by_player(jnp.where(halls[:, None], distance, jnp.inf)).min(1)


def nearest_townhall(world: World, units: Units) -> Int[Array, " N"]:
    """Slot of each unit's nearest own finished town hall, or -1."""
    halls = by_player(finished(units) & world.units.townhall[units.type])
    places = by_player(units.position)
    x, y = places[..., 0], places[..., 1]
    square = (x[:, :, None] - x[:, None]) ** 2 + (y[:, :, None] - y[:, None]) ** 2  # [2, hall, unit]
    square = jnp.where(halls[:, :, None], square, jnp.inf)
    slots = halls.shape[1]
    found = nearest(square, axis=1) + (jnp.arange(2) * slots)[:, None]
    return jnp.where(halls.any(1)[:, None], found, -1).reshape(-1)


def workers_at(world: World, units: Units) -> Bool[Array, "N R"]:
    """Which resource each gathering worker is sent to."""
    count = units.type.shape[0]
    gathering = is_kind(order_kind(world, units), Kind.GATHER, Kind.RETURN) & (units.type > 0)
    resource = jnp.where(gathering, units.order_target[:, 0] - count, -1)
    return resource[:, None] == jnp.arange(len(world.terrain.resources))


def worker_load(world: World, units: Units) -> Int[Array, "2 R"]:
    """Own workers sent to each resource."""
    return by_player(workers_at(world, units)).sum(1)


def refineries(world: World, units: Units) -> Bool[Array, "2 R"]:
    """Geysers on which each player has a finished refinery."""
    there = finished(units) & world.units.refinery[units.type]
    fields = int((~np.asarray(world.terrain.is_geyser)).sum())  # geysers come after the mineral fields
    near = span(units.position[:, None] - world.terrain.resources[fields:]) < 1.0
    return jnp.pad(by_player(there[:, None] & near).any(1), ((0, 0), (fields, 0)))


def send_to_minerals(units: Units, which: Bool[Array, " N"]) -> Units:
    """The units in `which` look for a field to mine (`assign_fields` finds it within a few ticks)."""
    return units._replace(seeking=units.seeking | which)


def assign_fields(world: World, state: State, load: Int[Array, "2 R"], waiting, exhausted) -> State:
    """Sends one worker of each player to another field: one that seeks, or whose field is exhausted, or that waits
    while a near field has fewer workers. Workers that find none stop."""
    units, count = state.units, len(state.units.type)
    slots = count // 2
    seeking = units.seeking & (units.type > 0)
    # Those that wait take turns, so that one who cannot better itself does not stand in the way of others.
    turn = (jnp.arange(count) - state.loop) % slots
    rank = jnp.where(seeking, 0, jnp.where(exhausted, slots, jnp.where(waiting, 2 * slots, 9 * slots))) + turn
    chosen = nearest(by_player(rank).astype(jnp.float32)) + jnp.arange(2) * slots
    called = seeking[chosen] | exhausted[chosen] | waiting[chosen]
    here = jnp.clip(units.order_target[chosen, 0] - count, 0, len(state.amounts) - 1)
    distance = length(units.position[chosen][:, None] - world.terrain.resources)
    usable = (state.amounts > 0) & ~world.terrain.is_geyser & (seeking[chosen][:, None] | (distance < HOP))
    score = jnp.where(usable, distance + 4.0 * load, jnp.inf)
    field = nearest(score)
    rows = jnp.arange(2)
    better = load[rows, field] + 2 <= load[rows, here]
    stays = ~seeking[chosen] & ~exhausted[chosen]
    goes = called & usable.any(1) & (better | ~stays)
    which = jnp.zeros(count, bool).at[chosen].set(goes)
    target = jnp.zeros(count, jnp.int32).at[chosen].set(count + field)
    place = world.terrain.resources[jnp.maximum(target - count, 0)]
    units = give_orders(units, which, world.unit_action["Harvest_Gather_unit"], target, place)
    lost = jnp.zeros(count, bool).at[chosen].set(exhausted[chosen] & ~goes)
    handled = jnp.zeros(count, bool).at[chosen].set(called)
    return state._replace(units=pop_orders(units, lost)._replace(seeking=seeking & ~handled))


def mine(world: World, state: State, hall: Int[Array, " N"], dt: int) -> State:
    """One tick of all mining. `hall`: slot of each unit's nearest town hall, -1 for none."""
    units, count = state.units, len(state.units.type)
    kinds = order_kind(world, units)
    gathers = (kinds == Kind.GATHER) & (units.type > 0)
    resource = jnp.clip(units.order_target[:, 0] - count, 0, len(state.amounts) - 1)
    gas = world.terrain.is_geyser[resource].astype(jnp.int32)
    open_geyser = refineries(world, units)[owners(count), resource] | (gas == 0)
    at = workers_at(world, units)
    load = by_player(at).sum(1)

    # Work that ends. One worker at most works at a resource.
    timer = jnp.where(gathers & units.working, units.timer - dt, units.timer)
    ends = gathers & units.working & (timer <= 0)
    carrying = jnp.where(ends & open_geyser, 1 + gas, units.carrying)
    mined = (at & (ends & open_geyser)[:, None]).any(0)
    trip = world.economics.trip[world.terrain.is_geyser.astype(jnp.int32)]
    amounts = jnp.maximum(state.amounts - jnp.where(mined, trip, 0.0), 0.0)
    working = units.working & ~ends

    # Work that begins: the first in the list, where none is at work.
    radius = world.units.radius[units.type]
    distance = length(units.position - world.terrain.resources[resource])
    at_resource = distance <= radius + world.terrain.resource_radius[resource] + REACH
    left = amounts[resource] > 0
    ready = gathers & ~working & (carrying == 0) & at_resource & open_geyser & left
    turn = jnp.where(gathers & working, -1, jnp.where(ready, jnp.arange(count), count))
    first = jnp.where(at, turn[:, None], count).min(0)
    begins = ready & (first[resource] == jnp.arange(count))
    timer = jnp.where(begins, world.economics.time[gas], timer)
    units = units._replace(timer=timer, carrying=carrying, working=working | begins)
    state = deliver(world, state._replace(units=units, amounts=amounts), hall)
    gone = gathers & (state.units.carrying == 0) & ~working & ~begins & (~left | ~open_geyser)
    return assign_fields(world, state, load, ready & ~begins & (gas == 0), gone)


def deliver(world: World, state: State, hall: Int[Array, " N"]) -> State:
    """Workers at their town hall hand over what they carry; those that were called home go back to their field.

    An order that waits behind mining is taken up once the worker has its load, behind bringing home when that is done.
    """
    units, count = state.units, len(state.units.type)
    kinds = order_kind(world, units)
    carries = is_kind(kinds, Kind.GATHER, Kind.RETURN) & (units.carrying > 0) & (units.type > 0)
    at_hall = jnp.maximum(hall, 0)
    reach = world.units.radius[units.type] + world.units.radius[units.type[at_hall]] + REACH
    home = length(units.position - units.position[at_hall]) <= reach
    delivers = carries & (hall >= 0) & home
    brought = jnp.where(delivers, world.economics.trip[jnp.maximum(units.carrying - 1, 0)], 0.0)
    load = lambda kind: by_player(jnp.where(units.carrying == kind, brought, 0.0)).sum(1)  # noqa: E731
    players = state.players._replace(minerals=state.players.minerals + load(1), vespene=state.players.vespene + load(2))
    back = delivers & (kinds == Kind.RETURN)
    has_field, more = units.order_target[:, 0] >= count, units.order_action[:, 1] > 0
    first = jnp.where(back & has_field, world.unit_action["Harvest_Gather_unit"], units.order_action[:, 0])
    units = units._replace(
        carrying=jnp.where(delivers, 0, units.carrying), order_action=units.order_action.at[:, 0].set(first)
    )
    units = pop_orders(units, jnp.where(kinds == Kind.GATHER, carries & more, back & (more | ~has_field)))
    return state._replace(units=send_to_minerals(units, back & ~has_field & ~more), players=players)
