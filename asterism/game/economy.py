"""Mining: workers go to a resource, work on it, carry it to the nearest town hall and go again.

Work and ways do not end at the end of a tick. The `timer` of a worker that works is what is left of its work; of one
that does not, it is minus the loops since it arrived. What is left over of a tick is so used in the next, and income
hardly depends on how long a tick is: by a hundredth and a trip a minute between 1 and 8 loops (docs/game.md).
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished
from asterism.game.geometry import length, span
from asterism.game.skipping import over_chunks, when
from asterism.game.state import State, Units, by_player, give_orders, nearest, owners, pop_orders
from asterism.game.tasks import Kind
from asterism.game.world import World, is_kind, order_kind

REACH = 1e-4
"""Cells from where it wants to stand at which a worker can work and hand over."""
HALL_RADIUS = 2.75
"""Cells from the middle of a town hall of any race, all of 5 x 5 cells, to the edge of a worker at it."""
HOP = 14.0
"""A worker changes to another mineral field within this many cells."""
HOME = 10.0
"""Mineral fields within this many cells of a town hall belong to it."""
CREEP = 1 / 64
"""Least share of its speed at which a worker goes: it would not leave a town hall along its edge otherwise."""


def townhall_distance(world: World, units: Units, places: Float[Array, "n 2"]) -> Float[Array, "2 n"]:
    """Distance of each place to each player's nearest finished town hall; infinite without one."""
    halls = finished(units) & world.units.townhall[units.type]
    distance = length(units.position[:, None] - places)
    return by_player(jnp.where(halls[:, None], distance, jnp.inf)).min(1)


def nearest_townhall(world: World, units: Units) -> Int[Array, " N"]:
    """Slot of each unit's nearest own finished town hall, or -1."""
    return nearest_own(units, finished(units) & world.units.townhall[units.type])[0]


def nearest_own(units: Units, which: Bool[Array, " N"]) -> tuple[Int[Array, " N"], Float[Array, " N"]]:
    """Slot of the unit in `which` that is nearest to each unit of the same player, the first of equals, and the square
    of the distance; -1 and infinity where there is none."""
    which, places = by_player(which), by_player(units.position)
    (x, y), rows, slots = jnp.moveaxis(places, -1, 0), jnp.arange(2)[:, None], which.shape[1]

    def compare(at, real, found):
        best, slot = found
        square = (x[rows, at][..., None] - x[:, None]) ** 2 + (y[rows, at][..., None] - y[:, None]) ** 2
        square = jnp.where(real[..., None], square, jnp.inf)  # [2, chunk, unit]
        least = square.min(1)
        first = jnp.where(square == least[:, None], at[..., None], slots).min(1)
        return jnp.minimum(best, least), jnp.where(least < best, first, slot)

    nobody = jnp.full(which.shape, jnp.inf), jnp.full(which.shape, -1)
    best, slot = over_chunks(which, compare, nobody)
    return jnp.where(slot >= 0, slot + rows * slots, -1).reshape(-1), best.reshape(-1)


def mines(world: World, units: Units) -> Bool[Array, " N"]:
    """Workers that gather or bring home."""
    return is_kind(order_kind(world, units), Kind.GATHER, Kind.RETURN) & (units.type > 0)


def workers_at(world: World, units: Units) -> Bool[Array, "N R"]:
    """Which resource each mining worker is sent to."""
    resource = jnp.where(mines(world, units), units.order_target[:, 0] - len(units.type), -1)
    return resource[:, None] == jnp.arange(len(world.terrain.resources))


def worker_load(world: World, units: Units) -> Int[Array, "2 R"]:
    """Own workers sent to each resource, MULEs left out: they stand in nobody's way."""
    return by_player(workers_at(world, units) & ~world.mule[units.type][:, None]).sum(1)


def refineries(world: World, units: Units) -> Bool[Array, "2 R"]:
    """Geysers on which each player has a finished refinery."""
    there = finished(units) & world.units.refinery[units.type]
    fields = int((~np.asarray(world.terrain.is_geyser)).sum())  # geysers come after the mineral fields
    near = span(units.position[:, None] - world.terrain.resources[fields:]) < 1.0
    return jnp.pad(by_player(there[:, None] & near).any(1), ((0, 0), (fields, 0)))


def send_to_minerals(units: Units, which: Bool[Array, " N"]) -> Units:
    """The units in `which` look for a field to mine (`assign_fields` finds it within a few ticks)."""
    return units._replace(seeking=units.seeking | which)


def assign_fields(world: World, state: State, load: Int[Array, "2 R"], waiting, exhausted, dt: int) -> State:
    """Sends one worker of each player to another field: one that seeks, or whose field is exhausted, or that waits
    while a near field has fewer workers. Workers that find none stop.

    The best field is near, has few workers, and lies at an own town hall; a third worker goes to another town hall.
    MULEs do not mind workers.
    """
    needed = (state.units.seeking | waiting | exhausted).any()
    return when(needed, lambda state: _assign_fields(world, state, load, waiting, exhausted, dt), state)


def _assign_fields(world: World, state: State, load: Int[Array, "2 R"], waiting, exhausted, dt: int) -> State:
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
    crowd = 4.0 * load + jnp.where(load >= world.economics.workers_per_field, 60.0, 0.0)
    crowd = jnp.where(world.mule[units.type[chosen]][:, None], 0.0, crowd)
    wild = jnp.where(townhall_distance(world, units, world.terrain.resources) < HOME, 0.0, 120.0)
    score = jnp.where(usable, distance + crowd + wild, jnp.inf)
    field = nearest(score)
    rows = jnp.arange(2)
    better = load[rows, field] + 2 <= load[rows, here]
    stays = ~seeking[chosen] & ~exhausted[chosen]
    goes = called & usable.any(1) & (better | ~stays)
    which = jnp.zeros(count, bool).at[chosen].set(goes)
    target = jnp.zeros(count, jnp.int32).at[chosen].set(count + field)
    place = world.terrain.resources[jnp.maximum(target - count, 0)]
    units = give_orders(units, which, world.unit_action["Harvest_Gather_unit"], target, place)
    units = units._replace(timer=jnp.where(which, -float(dt), units.timer))  # it goes in this tick
    lost = jnp.zeros(count, bool).at[chosen].set(exhausted[chosen] & ~goes)
    handled = jnp.zeros(count, bool).at[chosen].set(called)
    return state._replace(units=pop_orders(units, lost)._replace(seeking=seeking & ~handled))


def mine(world: World, state: State, hall: Int[Array, " N"], dt: int) -> State:
    """One tick of all mining but the ways. `hall`: slot of each unit's nearest town hall, -1 for none."""
    units, count, terrain = state.units, len(state.units.type), world.terrain
    gathers = (order_kind(world, units) == Kind.GATHER) & (units.type > 0)
    resource = jnp.clip(units.order_target[:, 0] - count, 0, len(state.amounts) - 1)
    gas = terrain.is_geyser[resource].astype(jnp.int32)
    mule = world.mule[units.type]
    open_geyser = refineries(world, units)[owners(count), resource] | (gas == 0)
    timer = jnp.where(mines(world, units), units.timer - dt, units.timer)
    at = workers_at(world, units) & ~mule[:, None]

    # Work that ends. What is left of a resource is shared by the few that end in the same tick.
    ends = gathers & units.working & (timer <= 0)
    takes = ends & open_geyser
    takers = jnp.zeros(len(state.amounts)).at[resource].add(takes.astype(jnp.float32))
    share = jnp.floor(state.amounts / jnp.maximum(takers, 1.0))
    trip = jnp.where(mule, world.economics.mule_trip, terrain.trip[resource])
    taken = jnp.where(takes, jnp.minimum(trip, share[resource]), 0.0)
    amounts = state.amounts - jnp.zeros_like(state.amounts).at[resource].add(taken)
    carrying = jnp.where(taken > 0, 1 + gas, units.carrying)
    working = units.working & ~ends
    # Loops for which each resource has been without a worker, at the end of this tick.
    idle = jnp.minimum(state.idle + dt, jnp.where(at & ends[:, None], -timer[:, None], jnp.inf).min(0))

    # Work that begins, of one worker a resource beside the MULEs: the first of those who have come.
    contact = world.units.radius[units.type] + terrain.resource_radius[resource]
    at_resource = length(units.position - terrain.resources[resource]) <= contact + REACH
    left = amounts[resource] > 0
    ready = gathers & ~working & (carrying == 0) & at_resource & open_geyser & left
    # A resource that both players mine is that of the nearer, so that the order of players does not matter.
    far = owners(count) != terrain.nearer[resource]
    place = jnp.where(gathers & working, -1, jnp.where(ready, jnp.arange(count) + count * far, 2 * count))
    first = jnp.where(at, place[:, None], 2 * count).min(0)
    begins = ready & ((first[resource] == place) | mule)
    since = jnp.where(mule, -timer, jnp.minimum(-timer, idle[resource]))
    time = jnp.where(mule, world.economics.mule_time, world.economics.time[gas])
    units = units._replace(
        timer=jnp.where(begins, time - since, timer),
        carrying=carrying,
        load=jnp.where(taken > 0, taken, units.load),
        working=working | begins,
    )
    state = deliver(world, state._replace(units=units, amounts=amounts, idle=idle), hall)
    gone = gathers & (state.units.carrying == 0) & ~state.units.working & (~left | ~open_geyser)
    load = by_player(at).sum(1)
    return assign_fields(world, state, load, ready & ~begins & (gas == 0), gone, dt)


def deliver(world: World, state: State, hall: Int[Array, " N"]) -> State:
    """Workers at their town hall hand over what they carry; those that were called home go back to their field.

    An order that waits behind mining is taken up once the worker has its load, behind bringing home when that is done.
    """
    units, count = state.units, len(state.units.type)
    kinds = order_kind(world, units)
    carries = mines(world, units) & (units.carrying > 0)
    reach = world.units.radius[units.type] + HALL_RADIUS + REACH
    home = length(units.position - units.position[jnp.maximum(hall, 0)]) <= reach
    delivers = carries & (hall >= 0) & home
    load = lambda kind: by_player(jnp.where(delivers & (units.carrying == kind), units.load, 0.0)).sum(1)  # noqa: E731
    players, income = state.players, state.players.income
    players = players._replace(minerals=players.minerals + income * load(1), vespene=players.vespene + income * load(2))
    back = delivers & (kinds == Kind.RETURN)
    has_field, more = units.order_target[:, 0] >= count, units.order_action[:, 1] > 0
    first = jnp.where(back & has_field, world.unit_action["Harvest_Gather_unit"], units.order_action[:, 0])
    units = units._replace(
        carrying=jnp.where(delivers, 0, units.carrying),
        load=jnp.where(delivers, 0.0, units.load),
        order_action=units.order_action.at[:, 0].set(first),
    )
    units = pop_orders(units, jnp.where(kinds == Kind.GATHER, carries & more, back & (more | ~has_field)))
    return state._replace(units=send_to_minerals(units, back & ~has_field & ~more), players=players)


def way_to_go(
    world: World, units: Units, hall: Int[Array, " N"]
) -> tuple[Float[Array, "N 2"], Float[Array, " N"], Float[Array, " N"], Float[Array, " N"]]:
    """Where each mining worker goes, how near it must come, how far it gets, and its timer then.

    Between town hall and resource it gains speed and loses it again, both at its acceleration.
    """
    count, terrain = len(units.type), world.terrain
    resource = jnp.clip(units.order_target[:, 0] - count, 0, len(terrain.resources) - 1)
    radius = world.units.radius[units.type]
    has_resource = units.order_target[:, 0] >= count
    field, at_field = terrain.resources[resource], radius + terrain.resource_radius[resource]
    home, at_home = units.position[jnp.maximum(hall, 0)], radius + HALL_RADIUS
    from_field = jnp.where(has_resource, length(units.position - field) - at_field, jnp.inf)
    from_home = jnp.where(hall >= 0, length(units.position - home) - at_home, jnp.inf)
    returns = (units.carrying > 0) & (hall >= 0)
    left = jnp.maximum(jnp.where(returns, from_home, from_field), 0.0)
    gone = jnp.minimum(jnp.abs(jnp.where(returns, from_field, from_home)), 100.0)
    gone = jnp.where(gone <= REACH, 0.0, gone)  # rounding would count much at so low a speed
    speed, acceleration = world.units.speed[units.type], world.economics.acceleration
    budget = jnp.where(units.working, 0.0, -units.timer)
    stride, rest = run(gone, left, jnp.maximum(speed, 1e-6), acceleration, budget)
    goal = jnp.where(returns[:, None], home, field)
    # Who stood there already has waited: only the loops since an arrival are kept for what follows.
    timer = jnp.where(units.working, units.timer, jnp.where(left <= REACH, 0.0, -rest))
    return goal, jnp.where(returns, at_home, at_field), stride, timer


def run(
    gone: Float[Array, " N"], left: Float[Array, " N"], speed, acceleration, time: Float[Array, " N"]
) -> tuple[Float[Array, " N"], Float[Array, " N"]]:
    """Cells that a worker runs in `time` loops, and loops left over. It was at rest `gone` cells ago, and will be in
    `left` cells.

    The result is exact: two runs of half the time make one of the whole.
    """
    ramp = speed / acceleration  # loops to full speed

    def time_for(way):
        return jnp.where(way < speed * ramp / 2, jnp.sqrt(2 * way / acceleration), way / speed + ramp / 2)

    def way_in(time):
        return jnp.where(time < ramp, acceleration * time**2 / 2, speed * (time - ramp / 2))

    whole = gone + left
    half = time_for(whole / 2)
    now = jnp.where(gone < left, time_for(gone), 2 * half - time_for(left))
    then = now + time
    reached = jnp.where(then < half, way_in(then), whole - way_in(jnp.maximum(2 * half - then, 0.0)))
    stride = jnp.clip(reached - gone, jnp.minimum(CREEP * speed * time, left), left)
    return stride, jnp.maximum(then - 2 * half, 0.0)
