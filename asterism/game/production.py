"""Training, research, add-ons and morphs: the first order of a unit is its work."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs
from asterism.game.accounting import available_tasks, current_task, finished, supply
from asterism.game.economy import send_to_minerals
from asterism.game.geometry import length, span
from asterism.game.payment import pay, record_build, within
from asterism.game.power import powered
from asterism.game.skipping import running, when
from asterism.game.spawning import change_type, spawn
from asterism.game.state import Loops, Players, State, Units, by_player, give_orders, owners, pop_orders
from asterism.game.tasks import QUEUED, TIMED, Kind
from asterism.game.world import ADDON_OFFSET, World, is_kind, walkable

RALLY_REACH = 1.0
"""Cells along x and y from a rally point within which a mineral field is meant by it."""


def order_warp_gates(world: World, state: State) -> State:
    """Idle gateways become warp gates by themselves once that is known, as StarCraft II's autocast has it."""
    action = world.unit_action.get("Morph_WarpGate_quick")
    if action is None:
        return state
    units = state.units
    task = world.task[action, units.type]
    upgrade = np.asarray(world.tasks.requires_upgrade)[np.asarray(world.tasks.action) == action]
    knows = state.players.upgrades[:, upgrade[0]]
    could = knows[owners(len(task))] & (task > 0) & finished(units) & (units.order_action[:, 0] == 0)

    def order(state):
        which = could & available_tasks(world, state)[owners(len(task)), task]
        return state._replace(units=give_orders(units, which, action, -1, units.position))

    return when(could.any(), order, state)


def begin_work(world: World, state: State) -> State:
    """Units start on their first order: training where there is supply, research, an add-on, a morph that is paid."""
    units, tasks = state.units, world.tasks
    task = current_task(world, state)
    kind = tasks.kind[task]
    idle = finished(units) & ~units.working & powered(world, units)
    new_addon = (kind == Kind.ADDON) & (units.order_target[:, 0] < 0)
    morphs = idle & (kind == Kind.MORPH)
    wants = idle & (is_kind(kind, *QUEUED) | new_addon) | morphs
    return when(wants.any(), lambda state: _begin(world, state, task, wants, morphs), state)


def _begin(world: World, state: State, task: Int[Array, " N"], wants: Bool[Array, " N"], morphs) -> State:
    units, tasks = state.units, world.tasks
    kind = tasks.kind[task]
    used, cap = supply(world, state)
    fed = within(cap - used, by_player(jnp.where(wants, tasks.supply[task], 0.0)))
    living = by_player(units.type > 0).sum(1) + by_player(units.working & (kind == Kind.TRAIN)).sum(1)
    growing = by_player(wants & (is_kind(kind, Kind.TRAIN, Kind.ADDON)))
    room = ~growing | (living[:, None] + running(growing) <= growing.shape[1])
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

    def begin(given):
        starts, players = given
        changes = morphs & starts & available_tasks(world, state)[owners(len(task)), task]
        cost = [by_player(jnp.where(changes, amounts[task], 0.0)) for amounts in (tasks.minerals, tasks.vespene)]
        paid = within(players.minerals, cost[0]) & within(players.vespene, cost[1])
        spent = [jnp.where(paid, amounts, 0.0).sum(1) for amounts in cost]
        begins = jnp.where(morphs, changes & paid.reshape(-1), starts)
        return begins, pay(players, *spent)

    return when(morphs.any(), begin, (starts, players))


def finish_work(world: World, state: State, dt: Loops) -> State:
    """Training, research and morphs go on; what is trained appears beside its structure and follows the rally point."""
    units, tasks = state.units, world.tasks
    task = current_task(world, state)
    kind = tasks.kind[task]
    busy = finished(units) & units.working & is_kind(kind, *TIMED) & powered(world, units)
    # Without a free slot what is finished waits.
    timer = jnp.where(busy, jnp.maximum(units.timer - dt * buffs.work_rate(world, state), 0.0), units.timer)
    done = busy & (timer <= 0)
    state = state._replace(units=units._replace(timer=timer))
    return when(done.any(), lambda state: _finish(world, state, task, done), state)


def _finish(world: World, state: State, task: Int[Array, " N"], done: Bool[Array, " N"]) -> State:
    units, tasks, count = state.units, world.tasks, len(state.units.type)
    kind, product = tasks.kind[task], tasks.product[task]
    morphed = done & tasks.morphs[task]
    spawns = done & ((kind == Kind.TRAIN) | (morphed & (tasks.count[task] > 1)))
    place = jnp.where(morphed[:, None], units.position, _exits(world, units, product))
    rally = units.rally
    spawned, child = spawn(world, units, spawns, product, place, jnp.zeros(count))
    waits = spawns & (child < 0)
    spawned = pop_orders(spawned, done & ~waits)
    spawned = change_type(world, spawned, morphed & ~waits, product)
    born = jnp.zeros(count, bool).at[jnp.where(child >= 0, child, count)].set(True, mode="drop")
    goal = jnp.zeros((count, 2)).at[jnp.where(child >= 0, child, count)].set(rally, mode="drop")
    rallied = born & (goal[:, 0] >= 0)
    spawned = _rally(world, spawned, rallied, goal)
    researched = by_player(done & (kind == Kind.RESEARCH))
    which = by_player(tasks.upgrade[task])
    known = jnp.arange(state.players.upgrades.shape[1])
    found = ((which[:, :, None] == known) & researched[:, :, None]).any(1)
    players = state.players._replace(upgrades=state.players.upgrades | found)
    hatched = morphed & ~waits & (tasks.cocoon[task] > 0)
    free = (born & ~rallied) | (hatched & (spawned.order_action[:, 0] == 0))
    units = send_to_minerals(spawned, free & world.units.worker[spawned.type])
    return state._replace(units=units, players=players)


def _rally(world: World, units: Units, which: Bool[Array, " N"], goal: Float[Array, "N 2"]) -> Units:
    """The units in `which` go to their goals; workers whose goal is a mineral field gather there."""
    count, terrain = len(which), world.terrain
    at = (span(goal[:, None] - terrain.resources) <= RALLY_REACH) & ~terrain.is_geyser
    gathers = which & at.any(1) & world.units.worker[units.type]
    field = at.argmax(1)
    units = give_orders(units, which & ~gathers, world.unit_action["Move_pt"], -1, goal)
    gather = world.unit_action["Harvest_Gather_unit"]
    return give_orders(units, gathers, gather, count + field, terrain.resources[field])


def _exits(world: World, units: Units, product: Int[Array, " N"]) -> Float[Array, "N 2"]:
    """Where what a structure has trained appears: at its edge towards the middle of the map."""
    centre = jnp.array(world.terrain.level.shape[::-1]) / 2.0
    outward = centre - units.position
    outward = outward / jnp.maximum(length(outward), 1e-3)[:, None]
    gap = world.units.radius[units.type] + world.units.radius[product]
    place = units.position + outward * gap[:, None]
    return jnp.where(walkable(world, place)[:, None], place, units.position)
