"""Training, research, construction and add-ons: the first order of a structure or worker is its work."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs
from asterism.game.accounting import available_tasks, current_task, finished, supply
from asterism.game.economy import send_to_minerals
from asterism.game.geometry import length, span
from asterism.game.spawning import START_HEALTH, renew, spawn
from asterism.game.state import Players, State, Units, by_player, give_orders, nearest, owners, pop_orders
from asterism.game.tasks import QUEUED, TIMED, Builder, Kind
from asterism.game.world import ADDON_OFFSET, World, is_kind, order_kind, order_task, walkable
from asterism.interface.observation import Race

BUILD_REACH = 0.5
"""Cells between a worker and the edge of what it builds."""


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

    An SCV stays with it, a Probe leaves it, a Drone becomes it. Without ground or money they give up.
    """
    units, tasks = state.units, world.tasks
    task, site = order_task(world, units), units.order_position[:, 0]
    kind, builder = tasks.product[task], tasks.builder[task]
    waiting = (tasks.kind[task] == Kind.BUILD) & (units.order_target[:, 0] < 0) & (units.type > 0)
    reach = world.rectangle[kind][:, 2] + world.units.radius[units.type] + BUILD_REACH
    # A corner of the footprint is farther from its centre than half a side.
    ready = by_player(waiting & (span(units.position - site) <= reach))
    first = (ready & (jnp.cumsum(ready, 1) == 1)).reshape(-1)
    owner = owners(len(task))
    money = (tasks.minerals[task] <= state.players.minerals[owner]) & (
        tasks.vespene[task] <= state.players.vespene[owner]
    )
    chosen = nearest(by_player(~first).astype(jnp.float32)) + jnp.arange(2) * (len(task) // 2)
    fits = jax.vmap(lambda b, player: can_stand(world, kind[b], site[b], units, player))(chosen, jnp.arange(2))
    room = by_player(units.type == 0).any(1)
    consumed = builder == Builder.IS_CONSUMED
    laid = first & money & fits[owner] & (room[owner] | consumed)
    spawned, child = spawn(world, units, laid & ~consumed, kind, site, world.units.build_time[kind])
    cost = lambda amounts: by_player(jnp.where(laid, amounts[task], 0.0)).sum(1)  # noqa: E731
    players = _pay(record_build(world, state, laid, kind, site), cost(tasks.minerals), cost(tasks.vespene))
    target = jnp.where(laid & ~consumed, child, spawned.order_target[:, 0])
    spawned = spawned._replace(order_target=spawned.order_target.at[:, 0].set(target))
    spawned = become_structures(world, spawned, laid & consumed, kind, site)
    over = (first & ~laid) | (laid & (builder == Builder.LEAVES))
    units = pop_orders(spawned, over)
    return state._replace(units=send_to_minerals(units, over & (units.order_action[:, 0] == 0)), players=players)


def become_structures(world: World, units: Units, which: Bool[Array, " N"], kind, site) -> Units:
    """Drones turn into the structures of type `kind` that they were sent to build at `site`."""
    if not (np.asarray(world.tasks.builder) == Builder.IS_CONSUMED).any():
        return units
    return renew(world, units, which, kind, site, world.units.build_time[kind])


def construct(world: World, state: State, dt: int) -> State:
    """Structures grow, those of Terrans while their builder is at work; a worker whose structure is done goes back to
    the minerals."""
    units, count = state.units, len(state.units.type)
    kinds = order_kind(world, units)
    target = units.order_target[:, 0]
    on_site = is_kind(kinds, Kind.BUILD, Kind.ADDON) & (target >= 0) & (target < count) & (units.type > 0)
    site = jnp.clip(target, 0, count - 1)
    reach = world.rectangle[units.type[site]][:, 2] + world.units.radius[units.type] + 2 * BUILD_REACH
    near = (span(units.position - units.position[site]) <= reach) | (kinds == Kind.ADDON)
    worked = jnp.zeros(count, bool).at[jnp.where(on_site & near, site, count)].set(True, mode="drop")
    worked |= world.units.race[units.type] != Race.TERRAN
    worked &= (units.build_left > 0) & (units.type > 0)
    step = jnp.where(worked, jnp.minimum(dt, units.build_left), 0.0)
    share = (1 - START_HEALTH) * step / jnp.maximum(world.units.build_time[units.type], 1.0)
    most, most_shield = world.units.health[units.type], world.units.shield[units.type]
    units = units._replace(
        build_left=units.build_left - step,
        health=jnp.minimum(units.health + most * share, most),
        shield=jnp.minimum(units.shield + most_shield * share, most_shield),
    )
    done = on_site & (units.build_left[site] <= 0)
    attached = done & (kinds == Kind.ADDON)
    units = pop_orders(units._replace(addon=jnp.where(attached, target, units.addon)), done)
    idle = done & (kinds == Kind.BUILD) & (units.order_action[:, 0] == 0)
    return state._replace(units=send_to_minerals(units, idle))


def _within(budget: Float[Array, " 2"], cost: Float[Array, "2 S"]) -> Bool[Array, "2 S"]:
    """Who can be served in the order of slots. What the budget does not reach for by itself stands in nobody's way."""
    cost = jnp.where(cost <= budget[:, None], cost, jnp.inf)
    sum_to_here = jnp.cumsum(jnp.where(jnp.isfinite(cost), cost, 0.0), 1)
    return (cost <= 0) | (jnp.isfinite(cost) & (sum_to_here <= budget[:, None]))


def begin_work(world: World, state: State) -> State:
    """Units start on their first order: training where there is supply, research, an add-on, a morph that is paid."""
    units, tasks = state.units, world.tasks
    task = current_task(world, state)
    kind = tasks.kind[task]
    idle = finished(units) & ~units.working
    new_addon = (kind == Kind.ADDON) & (units.order_target[:, 0] < 0)
    morphs = idle & (kind == Kind.MORPH)
    wants = idle & (is_kind(kind, *QUEUED) | new_addon) | morphs
    used, cap = supply(world, units, buffs.supply_added(world, state))
    fed = _within(cap - used, by_player(jnp.where(wants, tasks.supply[task], 0.0)))
    living = by_player(units.type > 0).sum(1) + by_player(units.working & (kind == Kind.TRAIN)).sum(1)
    growing = by_player(wants & (is_kind(kind, Kind.TRAIN, Kind.ADDON)))
    room = ~growing | (living[:, None] + jnp.cumsum(growing, 1) <= growing.shape[1])
    starts = wants & (fed & room).reshape(-1)
    starts, players = _begin_morphs(world, state, task, starts, morphs)
    product = tasks.product[task]
    place = units.position + jnp.array(ADDON_OFFSET)
    laid = starts & (kind == Kind.ADDON)
    spawned, child = spawn(world, units, laid, product, place, world.units.build_time[product])
    target = jnp.where(laid & (child >= 0), child, spawned.order_target[:, 0])
    timer = jnp.where(starts, tasks.time[task], spawned.timer)
    # The child took over a slot: what it wrote there stands.
    spawned = spawned._replace(
        order_target=spawned.order_target.at[:, 0].set(target),
        working=spawned.working | (starts & (kind != Kind.ADDON)),
        timer=jnp.where(is_kind(kind, *TIMED), timer, spawned.timer),
    )
    spawned = change_type(world, spawned, starts & morphs & (tasks.cocoon[task] > 0), tasks.cocoon[task])
    listed = starts & (is_kind(kind, Kind.TRAIN, Kind.ADDON) | (morphs & (tasks.minerals[task] > 0)))
    players = record_build(world, state._replace(players=players), listed, product, units.position)
    refused = morphs & ~starts
    return state._replace(units=pop_orders(spawned, refused), players=players)


def _begin_morphs(world: World, state: State, task, starts, morphs) -> tuple[Bool[Array, " N"], Players]:
    """Which of `starts` begin, now that morphs have to be paid for, and the players when they are."""
    tasks, players = world.tasks, state.players
    if not (np.asarray(tasks.kind) == Kind.MORPH).any():
        return starts, players
    tech = available_tasks(world, state)[owners(len(task)), task]
    morphs = morphs & starts & tech
    cost = [by_player(jnp.where(morphs, amounts[task], 0.0)) for amounts in (tasks.minerals, tasks.vespene)]
    paid = _within(players.minerals, cost[0]) & _within(players.vespene, cost[1])
    begins = morphs & paid.reshape(-1)
    spent = [jnp.where(paid, amounts, 0.0).sum(1) for amounts in cost]
    return jnp.where(is_kind(tasks.kind[task], Kind.MORPH), begins, starts), _pay(players, *spent)


def change_type(world: World, units: Units, which: Bool[Array, " N"], kind: Int[Array, " N"]) -> Units:
    """The units in `which` become of type `kind` and keep their share of health and shields."""
    table = world.units
    share = lambda have, most: have / jnp.maximum(most[units.type], 1.0) * most[kind]  # noqa: E731
    gains_energy = which & (table.energy[kind] > 0) & (table.energy[units.type] <= 0)
    return units._replace(
        type=jnp.where(which, kind, units.type),
        health=jnp.where(which, share(units.health, table.health), units.health),
        shield=jnp.where(which, share(units.shield, table.shield), units.shield),
        energy=jnp.where(gains_energy, table.start_energy[kind], units.energy),
    )


def finish_work(world: World, state: State, dt: int) -> State:
    """Training, research and morphs go on; what is trained appears beside its structure and follows the rally point."""
    units, tasks = state.units, world.tasks
    task, count = current_task(world, state), len(state.units.type)
    kind, product = tasks.kind[task], tasks.product[task]
    busy = finished(units) & units.working & is_kind(kind, *TIMED)
    # Without a free slot what is finished waits.
    timer = jnp.where(busy, jnp.maximum(units.timer - dt, 0.0), units.timer)
    done = busy & (timer <= 0)
    morphed = done & (kind == Kind.MORPH)
    spawns = done & ((kind == Kind.TRAIN) | (morphed & (tasks.count[task] > 1)))
    place = jnp.where(morphed[:, None], units.position, _exits(world, units, product))
    rally = units.rally
    spawned, child = spawn(world, units._replace(timer=timer), spawns, product, place, jnp.zeros(count))
    waits = spawns & (child < 0)
    spawned = pop_orders(spawned, done & ~waits)
    spawned = change_type(world, spawned, morphed & ~waits, product)
    born = jnp.zeros(count, bool).at[jnp.where(child >= 0, child, count)].set(True, mode="drop")
    goal = jnp.zeros((count, 2)).at[jnp.where(child >= 0, child, count)].set(rally, mode="drop")
    rallied = born & (goal[:, 0] >= 0)
    spawned = give_orders(spawned, rallied, world.unit_action["Move_pt"], -1, goal)
    researched = by_player(done & (kind == Kind.RESEARCH))
    which = by_player(tasks.upgrade[task])
    known = jnp.arange(state.players.upgrades.shape[1])
    found = ((which[:, :, None] == known) & researched[:, :, None]).any(1)
    players = state.players._replace(upgrades=state.players.upgrades | found)
    hatched = morphed & ~waits & (tasks.cocoon[task] > 0)
    free = (born & ~rallied) | (hatched & (spawned.order_action[:, 0] == 0))
    units = send_to_minerals(spawned, free & world.units.worker[spawned.type])
    return state._replace(units=units, players=players)


def _exits(world: World, units: Units, product: Int[Array, " N"]) -> Float[Array, "N 2"]:
    """Where what a structure has trained appears: at its edge towards the middle of the map."""
    centre = jnp.array(world.terrain.level.shape[::-1]) / 2.0
    outward = centre - units.position
    outward = outward / jnp.maximum(length(outward), 1e-3)[:, None]
    gap = world.units.radius[units.type] + world.units.radius[product]
    place = units.position + outward * gap[:, None]
    return jnp.where(walkable(world, place)[:, None], place, units.position)


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
