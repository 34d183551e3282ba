"""Mining: workers go to a resource, work on it, carry it to the nearest town hall and go again."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished
from asterism.game.rules import Kind
from asterism.game.state import State, Units, by_player, nearest, owners, pop_orders, set_orders
from asterism.game.world import World, is_kind, order_kind

REACH = 0.2
"""Cells between the bodies of a worker and what it works on."""
HOP = 10.0
"""A worker changes to another mineral field within this many cells."""


def townhall_distance(world: World, units: Units, places: Float[Array, "n 2"]) -> Float[Array, "2 n"]:
    """Distance of each place to each player's nearest finished town hall; infinite without one."""
    halls = finished(units) & world.units.townhall[units.type]
    distance = jnp.linalg.norm(units.position[:, None] - places[None], axis=-1)
    return by_player(jnp.where(halls[:, None], distance, jnp.inf)).min(1)


def nearest_townhall(world: World, units: Units) -> Int[Array, " N"]:
    """Slot of each unit's nearest own finished town hall, or -1."""
    halls = by_player(finished(units) & world.units.townhall[units.type])
    places = by_player(units.position)
    square = ((places[:, :, None] - places[:, None, :]) ** 2).sum(-1)
    square = jnp.where(halls[:, None, :], square, jnp.inf)
    slots = halls.shape[1]
    found = nearest(square) + (jnp.arange(2) * slots)[:, None]
    return jnp.where(jnp.isfinite(square.min(2)), found, -1).reshape(-1)


def worker_load(world: World, units: Units) -> Int[Array, "2 R"]:
    """Own workers sent to each resource."""
    count = units.type.shape[0]
    gathering = is_kind(order_kind(world, units.order_action[:, 0]), Kind.GATHER, Kind.RETURN)
    resource = by_player(jnp.where(gathering, units.order_target[:, 0] - count, -1))
    return (resource[:, :, None] == jnp.arange(len(world.terrain.resources))).sum(1)


def refineries(world: World, units: Units) -> Bool[Array, "2 R"]:
    """Geysers on which each player has a finished refinery."""
    there = finished(units) & world.units.refinery[units.type]
    near = jnp.abs(units.position[:, None] - world.terrain.resources[None]).max(-1) < 1.0
    return by_player(there[:, None] & near).any(1) & world.terrain.is_geyser


def send_to_minerals(units: Units, which: Bool[Array, " N"]) -> Units:
    """The units in `which` look for a field to mine (`assign_fields` finds it within a few ticks)."""
    return units._replace(seeking=units.seeking | which)


def assign_fields(world: World, state: State, waiting, exhausted) -> State:
    """Sends one worker of each player to another field: one that seeks, or whose field is exhausted, or that waits while a near
    field has fewer workers. Workers that find none stop."""
    units, count = state.units, len(state.units.type)
    slots = count // 2
    seeking = units.seeking & (units.type > 0)
    # Those that wait take turns, so that one who cannot better itself does not stand in the way of others.
    turn = (jnp.arange(count) - state.loop) % slots
    rank = jnp.where(seeking, 0, jnp.where(exhausted, slots, jnp.where(waiting, 2 * slots, 9 * slots))) + turn
    chosen = nearest(by_player(rank).astype(jnp.float32)) + jnp.arange(2) * slots
    called = seeking[chosen] | exhausted[chosen] | waiting[chosen]
    load = worker_load(world, units)
    here = jnp.clip(units.order_target[chosen, 0] - count, 0, len(state.amounts) - 1)
    distance = jnp.linalg.norm(units.position[chosen][:, None] - world.terrain.resources[None], axis=-1)
    usable = (state.amounts > 0) & ~world.terrain.is_geyser
    score = jnp.where(usable, distance + 4.0 * load, jnp.inf)
    field = nearest(score)
    rows = jnp.arange(2)
    near = usable.any() & (distance[rows, field] < HOP)
    better = load[rows, field] + 2 <= load[rows, here]
    stays = ~seeking[chosen] & ~exhausted[chosen]
    goes = called & jnp.where(stays, near & better, usable.any() & (seeking[chosen] | near))
    which = jnp.zeros(count, bool).at[chosen].set(goes)
    target = jnp.zeros(count, jnp.int32).at[chosen].set(count + field)
    place = world.terrain.resources[jnp.maximum(target - count, 0)]
    units = set_orders(units, which, world.unit_action["Harvest_Gather_unit"], target, place)
    lost = jnp.zeros(count, bool).at[chosen].set(exhausted[chosen] & ~goes)
    handled = jnp.zeros(count, bool).at[chosen].set(called)
    return state._replace(units=pop_orders(units, lost)._replace(seeking=seeking & ~handled))


def mine(world: World, state: State, dt: int) -> State:
    """One tick of all mining."""
    units, count = state.units, len(state.units.type)
    kinds = order_kind(world, units.order_action[:, 0])
    gathering = is_kind(kinds, Kind.GATHER, Kind.RETURN) & (units.type > 0)
    resource = jnp.clip(units.order_target[:, 0] - count, 0, len(state.amounts) - 1)
    gas = world.terrain.is_geyser[resource].astype(jnp.int32)
    radius = world.units.radius[units.type]
    distance = jnp.linalg.norm(units.position - world.terrain.resources[resource], axis=-1)
    at_resource = distance <= radius + world.terrain.resource_radius[resource] + REACH
    open_geyser = refineries(world, units)[owners(count), resource] | (gas == 0)

    # Work that ends.
    timer = jnp.where(gathering & units.working, units.timer - dt, units.timer)
    ends = gathering & units.working & (timer <= 0)
    carrying = jnp.where(ends & open_geyser, 1 + gas, units.carrying)
    trip = world.economics.trip[gas]
    taken = jnp.zeros_like(state.amounts).at[resource].add(jnp.where(ends & open_geyser, trip, 0.0))
    working = units.working & ~ends

    # Work that begins: one worker at a resource.
    ready = gathering & (kinds == Kind.GATHER) & ~working & (carrying == 0) & at_resource & open_geyser
    ready &= state.amounts[resource] > 0
    slots = jnp.arange(count)
    at = resource[:, None] == jnp.arange(len(state.amounts))
    busy = (at & (gathering & working)[:, None]).any(0)
    first = jnp.where(at & ready[:, None], slots[:, None], count).min(0)
    begins = ready & ~busy[resource] & (first[resource] == slots)
    timer = jnp.where(begins, world.economics.time[gas], timer)

    # Delivery.
    hall = nearest_townhall(world, units)
    reach = radius + world.units.radius[units.type[jnp.maximum(hall, 0)]] + REACH
    home = jnp.linalg.norm(units.position - units.position[jnp.maximum(hall, 0)], axis=-1) <= reach
    delivers = gathering & (carrying > 0) & (hall >= 0) & home
    brought = by_player(jnp.where(delivers, world.economics.trip[jnp.maximum(carrying - 1, 0)], 0.0))
    kind = by_player(carrying)
    players = state.players._replace(
        minerals=state.players.minerals + jnp.where(kind == 1, brought, 0.0).sum(1),
        vespene=state.players.vespene + jnp.where(kind == 2, brought, 0.0).sum(1),
    )
    state = state._replace(
        units=units._replace(timer=timer, carrying=jnp.where(delivers, 0, carrying), working=working | begins),
        amounts=jnp.maximum(state.amounts - taken, 0.0),
        players=players,
    )
    gone = gathering & (carrying == 0) & ~begins & ((state.amounts[resource] <= 0) | ~open_geyser)
    return assign_fields(world, state, ready & ~begins & (gas == 0), gone)
