"""Training, research, construction and add-ons: the first order of a structure or worker is its work."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from asterism.game.accounting import finished, supply
from asterism.game.economy import send_to_minerals
from asterism.game.geometry import length, span
from asterism.game.rules import Kind
from asterism.game.state import Players, State, Units, by_player, give_orders, nearest, owners, pop_orders, spawn
from asterism.game.world import ADDON_OFFSET, World, is_kind, order_kind, walkable

BUILD_REACH = 0.5
"""Cells between a worker and the edge of what it builds."""
START_HEALTH = 0.1
"""Share of the health with which construction begins."""


def clear_ground(world: World, kind, x, y, units: Units) -> Bool[Array, "..."]:
    """Whether a structure of type `kind` centred at `x`, `y` (shapes that broadcast) has free ground to itself."""
    terrain = world.terrain
    h, w = terrain.level.shape
    column, row = (jnp.floor(value + 0.01).astype(jnp.int32) for value in (x, y))
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    ground = terrain.placeable[world.footprint[kind], jnp.clip(row, 0, h - 1), jnp.clip(column, 0, w - 1)]
    return inside & ground & ~overlaps(world, kind, x, y, units).any(-1)


def overlaps(world: World, kind, x, y, units: Units) -> Bool[Array, "... N"]:
    """Whether a structure of type `kind` centred at `x`, `y` would stand on the ground of each existing structure."""
    mine, theirs = world.rectangle[kind], world.rectangle[units.type]
    standing = (units.type > 0) & world.units.structure[units.type]

    def touches(place, axis):
        gap = jnp.abs(place[..., None] + mine[axis] - (units.position[:, axis] + theirs[:, axis]))
        return gap < mine[2 + axis] + theirs[:, 2 + axis] - 0.01

    return touches(x, 0) & touches(y, 1) & standing


def can_stand(world: World, kind, place: Float[Array, " 2"], units: Units, player) -> Bool[Array, ""]:
    """Whether the player may put a structure of type `kind` at `place`: free ground without enemy units, or for
    a refinery a free geyser. Own units make way."""
    geyser = ((span(place - world.terrain.resources) < 0.5) & world.terrain.is_geyser).any()
    taken = overlaps(world, kind, *place, units).any()
    near = (jnp.abs(place - units.position) < world.rectangle[kind, 2:] + world.units.radius[units.type][:, None]).all(
        -1
    )
    mobile = (units.type > 0) & ~world.units.structure[units.type] & ~world.units.flying[units.type]
    blocked = (near & mobile & (owners(len(units.type)) != player)).any()
    free = jnp.where(world.units.refinery[kind], geyser & ~taken, clear_ground(world, kind, *place, units))
    return free & ~blocked


def record_build(world: World, state: State, made: Bool[Array, " N"], kind, place) -> Players:
    """Writes what was begun this tick into the executed build orders. `kind`, `place`: type and place for each slot."""
    players = state.players
    size = players.executed.build_order.shape[1]
    listed = by_player(made & world.units.in_build_order[kind])
    rank = jnp.cumsum(listed, 1) - 1 + players.executed_count[:, None]
    entry = jnp.where(listed, rank, size)
    rows = jnp.arange(2)[:, None]
    executed = players.executed
    # Locations are kept at the grain of the interface, which `observe` knows: here as flat map cells.
    h, w = world.terrain.level.shape
    cell = jnp.clip(jnp.floor(place).astype(jnp.int32), 0, w - 1)
    flat = by_player(cell[:, 1] * w + cell[:, 0])
    order = executed.build_order.at[rows, entry].set(by_player(kind).astype(jnp.int16), mode="drop")
    location = executed.build_order_location.at[rows, entry].set(flat, mode="drop")
    return players._replace(
        executed=executed._replace(build_order=order, build_order_location=location),
        executed_count=jnp.minimum(players.executed_count + listed.sum(1), size),
    )


def _pay(players: Players, minerals, vespene) -> Players:
    return players._replace(minerals=players.minerals - minerals, vespene=players.vespene - vespene)


def place_structures(world: World, state: State) -> State:
    """Workers that have come to their building site lay the foundation, one a player and tick.

    Without ground or money they give up.
    """
    units, table = state.units, world.actions
    action = units.order_action[:, 0]
    site = units.order_position[:, 0]
    kind = table.product[action]
    waiting = (table.kind[action] == Kind.BUILD) & (units.order_target[:, 0] < 0) & (units.type > 0)
    reach = world.rectangle[kind][:, 2] + world.units.radius[units.type] + BUILD_REACH
    # A corner of the footprint is farther from its centre than half a side.
    ready = by_player(waiting & (span(units.position - site) <= reach))
    first = (ready & (jnp.cumsum(ready, 1) == 1)).reshape(-1)
    owner = owners(len(action))
    money = (table.minerals[action] <= state.players.minerals[owner]) & (
        table.vespene[action] <= state.players.vespene[owner]
    )
    builder = nearest(by_player(~first).astype(jnp.float32)) + jnp.arange(2) * (len(action) // 2)
    fits = jax.vmap(lambda b, player: can_stand(world, kind[b], site[b], units, player))(builder, jnp.arange(2))
    room = by_player(units.type == 0).any(1)
    laid = first & money & fits[owner] & room[owner]
    health = START_HEALTH * world.units.health[kind]
    spawned, child = spawn(units, laid, kind, site, world.units.build_time[kind], health)
    cost = lambda amounts: by_player(jnp.where(laid, amounts[action], 0.0)).sum(1)  # noqa: E731
    players = _pay(record_build(world, state, laid, kind, site), cost(table.minerals), cost(table.vespene))
    target = jnp.where(laid, child, spawned.order_target[:, 0])
    spawned = spawned._replace(order_target=spawned.order_target.at[:, 0].set(target))
    refused = first & ~laid
    units = pop_orders(spawned, refused)
    return state._replace(units=send_to_minerals(units, refused & (units.order_action[:, 0] == 0)), players=players)


def construct(world: World, state: State, dt: int) -> State:
    """Structures grow while their builder is at work; a worker whose structure is done goes back to the minerals."""
    units, count = state.units, len(state.units.type)
    kinds = order_kind(world, units.order_action[:, 0])
    target = units.order_target[:, 0]
    on_site = is_kind(kinds, Kind.BUILD, Kind.ADDON) & (target >= 0) & (target < count) & (units.type > 0)
    site = jnp.clip(target, 0, count - 1)
    reach = world.rectangle[units.type[site]][:, 2] + world.units.radius[units.type] + 2 * BUILD_REACH
    near = (span(units.position - units.position[site]) <= reach) | (kinds == Kind.ADDON)
    worked = jnp.zeros(count, bool).at[jnp.where(on_site & near, site, count)].set(True, mode="drop")
    worked &= units.build_left > 0
    step = jnp.where(worked, jnp.minimum(dt, units.build_left), 0.0)
    total = world.units.build_time[units.type]
    grown = world.units.health[units.type] * (1 - START_HEALTH) * step / jnp.maximum(total, 1.0)
    units = units._replace(
        build_left=units.build_left - step,
        health=jnp.minimum(units.health + grown, world.units.health[units.type]),
    )
    done = on_site & (units.build_left[site] <= 0)
    attached = done & (kinds == Kind.ADDON)
    units = pop_orders(units._replace(addon=jnp.where(attached, target, units.addon)), done)
    idle = done & (kinds == Kind.BUILD) & (units.order_action[:, 0] == 0)
    return state._replace(units=send_to_minerals(units, idle))


def begin_work(world: World, state: State) -> State:
    """Structures start on their first order: training where there is supply, research, an add-on."""
    units, table = state.units, world.actions
    action = units.order_action[:, 0]
    kind = table.kind[action]
    idle = finished(units) & ~units.working
    new_addon = (kind == Kind.ADDON) & (units.order_target[:, 0] < 0)
    wants = idle & (is_kind(kind, Kind.TRAIN, Kind.RESEARCH) | new_addon)
    used, cap = supply(world, units)
    need = by_player(jnp.where(wants, table.supply[action], 0.0))
    # What finds no supply by itself does not stand in the way of what needs less.
    need = jnp.where(used[:, None] + need <= cap[:, None], need, jnp.inf)
    sum_to_here = jnp.cumsum(jnp.where(jnp.isfinite(need), need, 0.0), 1)
    fed = (need == 0) | (jnp.isfinite(need) & (used[:, None] + sum_to_here <= cap[:, None]))
    living = by_player(units.type > 0).sum(1) + by_player(units.working & (kind == Kind.TRAIN)).sum(1)
    growing = by_player(wants & (is_kind(kind, Kind.TRAIN, Kind.ADDON)))
    room = ~growing | (living[:, None] + jnp.cumsum(growing, 1) <= growing.shape[1])
    starts = wants & (fed & room).reshape(-1)
    product = jnp.where(kind == Kind.ADDON, world.addon_type[units.type], table.product[action])
    place = units.position + jnp.array(ADDON_OFFSET)
    laid = starts & (kind == Kind.ADDON)
    health = START_HEALTH * world.units.health[product]
    spawned, child = spawn(units, laid, product, place, world.units.build_time[product], health)
    target = jnp.where(laid & (child >= 0), child, spawned.order_target[:, 0])
    timer = jnp.where(starts, table.time[action], spawned.timer)
    # The child took over a slot: what it wrote there stands.
    spawned = spawned._replace(
        order_target=spawned.order_target.at[:, 0].set(target),
        working=spawned.working | (starts & (kind != Kind.ADDON)),
        timer=jnp.where(is_kind(kind, Kind.TRAIN, Kind.RESEARCH), timer, spawned.timer),
    )
    listed = starts & is_kind(kind, Kind.TRAIN, Kind.ADDON)
    players = record_build(world, state, listed, product, units.position)
    return state._replace(units=spawned, players=players)


def finish_work(world: World, state: State, dt: int) -> State:
    """Training and research go on; what is done appears beside its structure and follows the rally point."""
    units, table = state.units, world.actions
    action = units.order_action[:, 0]
    kind = table.kind[action]
    busy = finished(units) & units.working & is_kind(kind, Kind.TRAIN, Kind.RESEARCH)
    # Without a free slot what is finished waits.
    timer = jnp.where(busy, jnp.maximum(units.timer - dt, 0.0), units.timer)
    done = busy & (timer <= 0)
    trained = done & (kind == Kind.TRAIN)
    product = table.product[action]
    centre = jnp.array(world.terrain.level.shape[::-1]) / 2.0
    outward = centre - units.position
    outward = outward / jnp.maximum(length(outward), 1e-3)[:, None]
    gap = world.units.radius[units.type] + world.units.radius[product]
    place = units.position + outward * gap[:, None]
    place = jnp.where(walkable(world, place)[:, None], place, units.position)
    rally = units.rally
    spawned, child = spawn(
        units._replace(timer=timer), trained, product, place, jnp.zeros(len(action)), world.units.health[product]
    )
    spawned = pop_orders(spawned, done & ~(trained & (child < 0)))
    count = len(action)
    born = jnp.zeros(count, bool).at[jnp.where(child >= 0, child, count)].set(True, mode="drop")
    goal = jnp.zeros((count, 2)).at[jnp.where(child >= 0, child, count)].set(rally, mode="drop")
    rallied = born & (goal[:, 0] >= 0)
    spawned = give_orders(spawned, rallied, world.unit_action["Move_pt"], -1, goal)
    researched = by_player(done & (kind == Kind.RESEARCH))
    which = by_player(table.upgrade[action])
    known = jnp.arange(state.players.upgrades.shape[1])
    found = ((which[:, :, None] == known) & researched[:, :, None]).any(1)
    players = state.players._replace(upgrades=state.players.upgrades | found)
    units = send_to_minerals(spawned, born & ~rallied & world.units.worker[spawned.type])
    return state._replace(units=units, players=players)


def snap(
    world: World, units: Units, kind, place: Float[Array, " 2"], radius: int, flip
) -> tuple[Array, Bool[Array, ""]]:
    """The free site for a structure of type `kind` nearest to `place`, within `radius` cells, and whether there is one.

    With `flip` the search runs in the frame of player 1, so that equals are resolved alike for both players.
    """
    width = world.terrain.level.shape[1]
    turned = lambda value: jnp.where(flip, width - value, value)  # noqa: E731
    span = jnp.arange(-radius, radius + 1)
    odd = (world.units.footprint[kind] % 2) == 1
    own = turned(place)
    base = jnp.where(odd, jnp.floor(own) + 0.5, jnp.round(own))
    x, y = turned(base[0] + span), turned(base[1] + span)
    free = clear_ground(world, kind, x[None, :], y[:, None], units)
    distance = jnp.where(free, (x - place[0])[None, :] ** 2 + (y - place[1])[:, None] ** 2, jnp.inf)
    best = nearest(distance.reshape(-1))
    return jnp.stack([x[best % len(span)], y[best // len(span)]]), free.any()
