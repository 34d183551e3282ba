"""Transports and bunkers: who gets in and out, and what becomes of those inside."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from asterism.game import buffs
from asterism.game.accounting import finished
from asterism.game.geometry import length
from asterism.game.skipping import when
from asterism.game.state import State, by_player, owners, pop_orders
from asterism.game.tasks import Kind
from asterism.game.world import World, is_kind, on_ground, order_kind

EXTRA = {"TerranBuildingArmor": {"Bunker": 2, "CommandCenter": 5, "PlanetaryFortress": 5}}
"""Cargo that upgrades add."""
UNLOAD_REACH = 3.0
"""Cells from a transport's middle within which those it lets out find ground."""


def used(world: World, state: State) -> Int[Array, " N"]:
    """Cargo that each unit carries."""
    count, inside = len(state.units.type), state.spells.inside
    size = jnp.where(state.units.type > 0, world.units.cargo[state.units.type], 0)
    at = jnp.where(inside >= 0, inside, count)
    return jnp.zeros(count, jnp.int32).at[at].add(size, mode="drop")


def capacity(world: World, state: State) -> Int[Array, " N"]:
    """Cargo that each unit can carry."""
    units, named = state.units, world.magic.named
    most = world.units.cargo_capacity[units.type]
    known = state.players.upgrades[owners(len(units.type)), named["TerranBuildingArmor upgrade"]]
    for extra in EXTRA.values():
        for name, more in extra.items():
            most = most + jnp.where(known & (units.type == named[name]), more, 0)
    return jnp.where(finished(units), most, 0)


def carry(world: World, state: State, dt: int) -> State:
    """Units get in and out of transports, and go where those go."""
    kind = order_kind(world, state.units)
    loads = is_kind(kind, Kind.LOAD, Kind.BOARD).any()
    state = when(loads, lambda state: _load(world, state), state)
    return when((kind == Kind.UNLOAD).any(), lambda state: _unload(world, state, dt), state)


def _load(world: World, state: State) -> State:
    """One unit a transport and tick gets in: one that the transport was sent for, or that was sent to it."""
    units, spells, count = state.units, state.spells, len(state.units.type)
    kind, target = order_kind(world, units), units.order_target[:, 0]
    is_unit = (target >= 0) & (target < count) & (target // (count // 2) == owners(count))
    at = jnp.clip(target, 0, count - 1)
    loads, boards = is_unit & (kind == Kind.LOAD), is_unit & (kind == Kind.BOARD)
    slot = jnp.arange(count)
    passenger = jnp.where(loads, at, slot)
    carrier = jnp.where(loads, slot, at)
    fit = buffs.outside(world, state, finished(units))
    reach = world.units.radius[units.type[passenger]] + world.units.radius[units.type[carrier]]
    reach = reach + world.magic.load_range[units.type[carrier]] + 0.2
    near = length(units.position[passenger] - units.position[carrier]) <= reach
    size, room = world.units.cargo[units.type[passenger]], capacity(world, state) - used(world, state)
    suits = _suits(world, units.type[carrier], units.type[passenger])
    wants = (loads | boards) & fit[passenger] & fit[carrier] & (size > 0) & suits
    enters = wants & near & (size <= room[carrier])
    # One of those that want into each transport, and each into one.
    first = jnp.full(count, count).at[jnp.where(enters, carrier, count)].min(passenger, mode="drop")
    goes = jnp.zeros(count, bool).at[jnp.where(enters, passenger, count)].set(True, mode="drop")
    into = jnp.full(count, -1).at[jnp.where(enters, passenger, count)].max(carrier, mode="drop")
    goes &= first[jnp.maximum(into, 0)] == slot
    inside = jnp.where(goes, into, spells.inside)
    units = units._replace(
        order_action=jnp.where(goes[:, None], 0, units.order_action),
        order_target=jnp.where(goes[:, None], -1, units.order_target),
        working=units.working & ~goes,
        seeking=units.seeking & ~goes,
    )
    over = (loads & (~wants | goes[at])) | (boards & ~wants & ~goes) | (boards & (size > room[carrier]) & ~goes)
    return state._replace(units=pop_orders(units, over), spells=spells._replace(inside=inside))


def _suits(world: World, carrier: Int[Array, " N"], passenger: Int[Array, " N"]) -> Bool[Array, " N"]:
    """Bunkers take infantry and SCVs, command centres SCVs only."""
    magic, table = world.magic, world.units
    infantry = (table.attributes[passenger] & magic.biological) > 0
    infantry &= passenger != magic.named["HellionTank"]
    halls = table.townhall[carrier]
    return jnp.where(magic.bunker[carrier], infantry, jnp.where(halls, table.worker[passenger], True))


def _unload(world: World, state: State, dt: int) -> State:
    """Transports told to unload let out one passenger in each period, where there is ground."""
    units, spells, count = state.units, state.spells, len(state.units.type)
    kind = order_kind(world, units)
    place, still = units.order_position[:, 0], world.units.speed[units.type] <= 0
    there = still | (length(units.position - place) <= 1.0)
    unloads = (kind == Kind.UNLOAD) & finished(units) & there
    timer = jnp.where(unloads, jnp.maximum(units.timer - dt, 0.0), units.timer)
    ready = unloads & (timer <= 0)
    slot = jnp.arange(count)
    inside = spells.inside
    network = world.magic.shared_cargo
    # A passenger of one end of a network comes out at the first of its ends that lets out.
    carrier = jnp.where(inside >= 0, inside, count)
    ends = by_player(ready & network[units.type])
    end = jnp.where(ends.any(1), ends.argmax(1), -1)
    end = jnp.where(end >= 0, end + jnp.arange(2) * (count // 2), -1)[owners(count)]
    shared = (inside >= 0) & network[units.type[jnp.maximum(inside, 0)]]
    carrier = jnp.where(shared, jnp.where(end >= 0, end, count), carrier)
    asked = ready[jnp.minimum(carrier, count - 1)] & (carrier < count)
    first = jnp.full(count, count).at[jnp.where(asked, carrier, count)].min(slot, mode="drop")
    out = asked & (first[jnp.minimum(carrier, count - 1)] == slot)
    at = jnp.minimum(carrier, count - 1)
    spot = on_ground(world, _doorstep(world, state, at))
    room = length(spot - units.position[at]) <= UNLOAD_REACH + world.units.radius[units.type[at]]
    out &= room
    left = jnp.zeros(count, bool).at[jnp.where((inside >= 0) & ~out, carrier, count)].set(True, mode="drop")
    busy = jnp.zeros(count, bool).at[jnp.where(out, carrier, count)].set(True, mode="drop")
    timer = jnp.where(busy, world.magic.unload_period[units.type], timer)
    units = units._replace(timer=timer, position=jnp.where(out[:, None], spot, units.position))
    done = unloads & ~left
    inside = jnp.where(out, -1, inside)
    return state._replace(units=pop_orders(units, done), spells=spells._replace(inside=inside))


def _doorstep(world: World, state: State, carrier: Int[Array, " N"]):
    """Where each passenger gets out: under a transport in the air, beside a structure, those of player 1 opposite."""
    units, count = state.units, len(state.units.type)
    angle = 2.4 * (jnp.arange(count) % (count // 2))
    side = jnp.where(owners(count) == 0, 1.0, -1.0)[:, None]
    gap = jnp.where(world.units.structure[units.type[carrier]], world.units.radius[units.type[carrier]] + 0.5, 0.3)
    return units.position[carrier] + side * gap[:, None] * jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)


def ride(world: World, state: State) -> State:
    """Those inside are where their transport is. They die with one that is shot down in the air, or with the last end
    of a network; out of a bunker or a command centre they come alive."""
    if state.spells is None:
        return state
    return when((state.spells.inside >= 0).any(), lambda state: _ride(world, state), state)


def _ride(world: World, state: State) -> State:
    units, spells, count = state.units, state.spells, len(state.units.type)
    at = jnp.maximum(spells.inside, 0)
    rides = (spells.inside >= 0) & (units.type > 0)
    gone = rides & ((units.health[at] <= 0) | (units.type[at] == 0))
    network = by_player(world.magic.shared_cargo[units.type] & (units.health > 0) & finished(units))
    other = jnp.where(network.any(1), network.argmax(1) + jnp.arange(2) * (count // 2), -1)[owners(count)]
    moves_on = gone & world.magic.shared_cargo[units.type[at]] & (other >= 0)
    lives = gone & world.magic.survives[units.type[at]]
    dies = gone & ~moves_on & ~lives
    place = jnp.where(rides[:, None], units.position[at], units.position)
    spot = on_ground(world, _doorstep(world, state, at))
    place = jnp.where((lives | dies)[:, None], spot, place)
    return state._replace(
        units=units._replace(position=place, health=jnp.where(dies, 0.0, units.health)),
        spells=spells._replace(inside=jnp.where(moves_on, other, jnp.where(lives | dies, -1, spells.inside))),
    )
