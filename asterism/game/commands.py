"""Turns the agents' actions into orders of units. Arrays are [2, ...] by player, or [N, ...] by unit."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs, casting, fog, limits
from asterism.game.accounting import at_work, finished, has_techlab, leveled, units_with_queue
from asterism.game.cancelling import cancel_work
from asterism.game.geometry import span
from asterism.game.payment import pay
from asterism.game.placement import snap
from asterism.game.power import powered
from asterism.game.results import action_results
from asterism.game.settings import GameSettings
from asterism.game.skipping import when
from asterism.game.state import Pace, State, Units, by_player, give_orders, nearest, owners
from asterism.game.tasks import QUEUED, Kind
from asterism.game.warping import warp_in
from asterism.game.world import World, is_kind, on_ground, order_kind, order_task
from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.sizes import InterfaceSize

STEERS = (Kind.SMART, Kind.MOVE, Kind.ATTACK, Kind.STOP, Kind.HOLD, Kind.PATROL, Kind.GATHER, Kind.RETURN)
"""Tasks that every selected unit takes as they are."""
PRETENDED = (Kind.SMART, Kind.MOVE, Kind.ATTACK, Kind.STOP, Kind.HOLD, Kind.PATROL)
"""Tasks that hallucinations take."""
BESIDE = (*QUEUED, Kind.ADDON, Kind.RALLY, Kind.CANCEL, Kind.CANCEL_WORK, Kind.WARP)
"""Tasks that leave the orders of a unit alone."""


class Command(NamedTuple):
    """Both players' actions in terms of the game."""

    action: Int[Array, " 2"]
    task: Int[Array, " N"]
    """What the action is for each unit that carries it out (index into `World.tasks`), 0 for the others."""
    wanted: Int[Array, " N"]
    """The same whether or not the action is available."""
    camera: Bool[Array, " 2"]
    """The player moves its camera."""
    queued: Bool[Array, " 2"]
    repeat: Int[Array, " 2"]
    named: Int[Array, " 2"]
    """The target as the entity list has it (`Turn.entities`); -1 for none."""
    target: Int[Array, " 2"]
    """Slot, or N plus resource; -1 for a place, and that of a snapshot is one."""
    place: Float[Array, "2 2"]
    selected: Bool[Array, " N"]
    """Units that carry it out."""


def location_to_place(location: Int[Array, "..."], size: InterfaceSize, cells: int) -> Float[Array, "... 2"]:
    """Centre of a cell of the location grid, in map cells."""
    scale = cells / size.location
    return (jnp.stack([location % size.location, location // size.location], -1) + 0.5) * scale


def place_to_location(place: Float[Array, "... 2"], size: InterfaceSize, cells: int) -> Int[Array, "..."]:
    """Flat cell of the location grid that holds a place."""
    cell = jnp.clip(jnp.floor(place * (size.location / cells)).astype(jnp.int32), 0, size.location - 1)
    return cell[..., 1] * size.location + cell[..., 0]


def per_unit(values: Array, count: int) -> Array:
    """[2, ...] by player -> [N, ...]: of each unit's owner."""
    return jnp.repeat(values, count // 2, axis=0)


def read_target(
    world: World, state: State, action: Action, size: InterfaceSize, needed: Bool[Array, " 2"]
) -> tuple[Int[Array, " 2"], Int[Array, " 2"], Float[Array, "2 2"]]:
    """`named`, `target` and `place` of the commands in actions, of which those in `needed` name an entity.

    A snapshot stands for the place where it was seen: what has become of the structure is not given away.
    """
    units, count, resources = state.units, len(state.units.type), world.terrain.resources
    row = jnp.clip(action.target_unit, 0, size.entities - 1)
    named = jnp.where(needed, state.turn.entities[jnp.arange(2), row], -1)
    at_unit = units.position[jnp.clip(named, 0, count - 1)]
    at_resource = resources[jnp.clip(named - count, 0, len(resources) - 1)]
    place = location_to_place(action.location, size, world.terrain.level.shape[1])
    place = jnp.where((named >= 0)[:, None], jnp.where((named >= count)[:, None], at_resource, at_unit), place)
    if state.snapshots is None:
        return named, named, place
    snapshot = fog.is_snapshot(state, named)
    index = jnp.clip(named - count - len(resources), 0, count // 2 - 1)
    place = jnp.where(snapshot[:, None], state.snapshots.position[jnp.arange(2), index], place)
    return named, jnp.where(snapshot, -1, named), place


def read_commands(
    world: World, state: State, action: Action, acting: Bool[Array, " 2"], size: InterfaceSize, game: GameDescription
) -> Command:
    """The commands in actions: entity indices become slots, units that cannot take the action are left out.

    An action that is not available, or that needs a target unit and has none, does nothing. A snapshot can be attacked
    and gone to, and that is all. Nothing can be queued behind a full queue, or take the place of work.
    """
    units, count = state.units, len(state.units.type)
    uses = jax.tree.map(jnp.asarray, game.uses)
    kind = action.action_type
    entities, rows = state.turn.entities, jnp.arange(2)
    chosen = jnp.take_along_axis(entities, jnp.clip(action.units, 0, size.entities - 1), 1)
    slots = jnp.where(action.units >= 0, chosen, -1)
    selected = (per_unit(slots, count) == jnp.arange(count)[:, None]).any(1)
    named, target, place = read_target(world, state, action, size, uses.target_unit[kind])
    takes = acting & state.turn.available[rows, kind] & ((named >= 0) | ~uses.target_unit[kind])
    able = jnp.asarray(game.selectable)[kind][owners(count), units.type]
    task = world.task[per_unit(kind, count), units.type]
    there = finished(units) | ((units.type > 0) & (world.tasks.kind[task] == Kind.CANCEL_WORK))
    there &= ~buffs.hallucinated(world, state) | is_kind(world.tasks.kind[task], *PRETENDED)
    there = buffs.outside(world, state, there)
    wanted = selected & able & there & per_unit(acting, count)
    steers = is_kind(world.tasks.kind[task], Kind.SMART, Kind.ATTACK)
    selected = wanted & per_unit(takes, count) & (steers | per_unit(~fog.is_snapshot(state, named), count))
    queued = (action.queued > 0) & uses.queued[kind] & (kind != game.action_index["Stop_quick"])
    beside = is_kind(world.tasks.kind[task], *BESIDE) | casting.is_beside(world, task)
    selected &= beside | jnp.where(per_unit(queued, count), units.order_action[:, -1] == 0, ~at_work(world, units))
    return Command(
        action=kind,
        task=jnp.where(selected, task, 0),
        wanted=jnp.where(wanted, task, 0),
        camera=takes & (kind == game.action_index["raw_move_camera"]),
        queued=queued,
        repeat=jnp.where(uses.repeat[kind], action.repeat, 0),
        named=named,
        target=target,
        place=place,
        selected=selected,
    )


def _geyser_under(world: World, units: Units, target: Int[Array, " 2"]) -> Int[Array, " 2"]:
    """An own finished refinery as a target of gathering stands for the geyser under it."""
    count = len(units.type)
    slot = jnp.clip(target, 0, count - 1)
    near = span(units.position[slot][:, None] - world.terrain.resources) < 1.0
    refinery = (target >= 0) & (target < count) & (slot // (count // 2) == jnp.arange(2))
    refinery &= (world.units.refinery[units.type] & finished(units))[slot]
    return jnp.where(refinery & near.any(1), count + near.argmax(1), target)


def _smart(world: World, state: State, at: Int[Array, " N"], snapshot: Bool[Array, " N"]) -> Int[Array, " N"]:
    """What Smart at `at` or at a snapshot means for each unit: gather, attack, go on with a structure, or walk."""
    units, count = state.units, len(state.units.type)
    slot = jnp.clip(at, 0, count - 1)
    is_unit = (at >= 0) & (at < count)
    own = is_unit & (slot // (count // 2) == owners(count))
    worker = world.units.worker[units.type] & ~buffs.hallucinated(world, state)
    armed = world.units.armed[units.type]
    # An unfinished structure is gone on with: the order is the one that builds its type.
    build = jnp.where(own & (units.build_left[slot] > 0), world.build_action[units.type[slot]], 0)
    build = jnp.where(world.task[build, units.type] > 0, build, 0)
    action = jnp.full(count, world.unit_action["Move_pt"])
    action = jnp.where((at >= count) & worker, world.unit_action["Harvest_Gather_unit"], action)
    action = jnp.where(((is_unit & ~own) | snapshot) & armed, world.unit_action["Attack_unit"], action)
    action = jnp.where(build > 0, build, action)
    return action if world.magic is None else casting.smart(world, units, jnp.where(own, slot, -1), action)


def order_units(world: World, state: State, command: Command) -> tuple[State, Bool[Array, " N"]]:
    """Orders for movement, attack, mining and morphs: every selected unit takes it. Smart becomes what its target asks
    for. Returns the state, and which units took it, as the other functions here do."""
    units, count = state.units, len(state.units.type)
    each = lambda values: per_unit(values, count)  # noqa: E731
    given = world.tasks.kind[command.task]
    gathers = is_kind(given, Kind.GATHER, Kind.SMART)
    at = jnp.where(gathers, each(_geyser_under(world, units, command.target)), each(command.target))
    smart = _smart(world, state, at, each(fog.is_snapshot(state, command.named)))
    action = jnp.where(given == Kind.SMART, smart, each(command.action))
    kind = world.tasks.kind[world.task[action, units.type]]
    enemy = (at >= 0) & (at < count) & (at // (count // 2) != owners(count))
    # A structure morphs only when it has nothing else to do.
    morphs = (given == Kind.MORPH) & ((units.order_action[:, 0] == 0) | ~world.units.structure[units.type])
    which = is_kind(given, *STEERS) | morphs
    which &= (kind != Kind.GATHER) | (at >= count)
    which &= (kind != Kind.ATTACK) | (at < 0) | enemy
    which &= (kind != Kind.RETURN) | (units.carrying > 0)
    # A worker that brings home what it carries goes back to its field.
    mines = is_kind(order_kind(world, units), Kind.GATHER, Kind.RETURN)
    field = jnp.where(mines, units.order_target[:, 0], -1)
    at = jnp.where(is_kind(kind, Kind.ATTACK, Kind.GATHER, Kind.BUILD, Kind.BOARD, Kind.REPAIR), at, -1)
    at = jnp.where(kind == Kind.RETURN, field, at)
    flying = world.units.flying[units.type][:, None]
    place = jnp.where(flying, each(command.place), each(on_ground(world, command.place)))
    action = jnp.where(given == Kind.STOP, 0, action)
    return state._replace(units=give_orders(units, which, action, at, place, each(command.queued))), which


def order_construction(world: World, state: State, command: Command, radius: int) -> tuple[State, Bool[Array, " N"]]:
    """The selected worker that is nearest goes to build, or the structure that flies to land, if there is ground; a
    refinery needs a geyser as target."""
    units, count = state.units, len(state.units.type)
    builds = is_kind(world.tasks.kind[command.task], Kind.BUILD, Kind.LAND)
    product = by_player(jnp.where(builds, world.tasks.product[command.task], 0)).max(1)
    refinery = world.units.refinery[product]
    sites, free = jax.vmap(lambda kind, place, player: snap(world, state, kind, place, radius, player))(
        product, command.place, jnp.arange(2)
    )
    site = jnp.where(refinery[:, None], command.place, sites)
    resource = jnp.clip(command.target - count, 0, len(world.terrain.resources) - 1)
    free = jnp.where(refinery, (command.target >= count) & world.terrain.is_geyser[resource], free)
    distance = ((by_player(units.position) - site[:, None]) ** 2).sum(-1)
    builder = nearest(jnp.where(by_player(builds), distance, jnp.inf))
    which = by_player(builds) & (jnp.arange(count // 2) == builder[:, None]) & free[:, None]
    each = lambda values: per_unit(values, count)  # noqa: E731
    which = which.reshape(-1)
    units = give_orders(units, which, each(command.action), -1, each(site), each(command.queued))
    return state._replace(units=units), which


def order_production(world: World, state: State, command: Command) -> tuple[State, Bool[Array, " N"]]:
    """Training, research and add-ons: the selected structures with the shortest queues take it, `repeat` more of them,
    as far as the money goes. Costs are paid now."""
    units, players, tasks = state.units, state.players, world.tasks
    count = len(units.type)
    each = lambda values: per_unit(values, count)  # noqa: E731
    task = with_reactors(world, units, command.task)
    task = leveled(world, task, players.upgrades[owners(count)])
    kind, idle = tasks.kind[task], units.order_action[:, 0] == 0
    able = units_with_queue(world, units) & is_kind(kind, *QUEUED, Kind.ADDON)
    able &= (~tasks.needs_addon[task] | has_techlab(world, units)) & powered(world, units)
    able &= (kind != Kind.ADDON) | ((units.addon < 0) & idle)
    # What is paid for behind a lift-off would be lost.
    leaving = order_task(world, units)
    able &= ~(tasks.morphs[leaving] & world.units.flying[tasks.product[leaving]])
    slots = count // 2
    key = by_player(jnp.where(able, (units.order_action > 0).sum(1), 100)) * slots + jnp.arange(slots)
    rank = (key[:, :, None] > key[:, None, :]).sum(2)
    cost = lambda amounts: by_player(jnp.where(able, amounts[task], 0.0)).max(1)  # noqa: E731
    minerals, vespene = cost(tasks.minerals), cost(tasks.vespene)
    share = lambda have, cost: jnp.where(cost > 0, have // jnp.maximum(cost, 1.0), 100.0)  # noqa: E731
    most = jnp.minimum(share(players.minerals, minerals), share(players.vespene, vespene))
    taken = by_player(able) & (rank < jnp.minimum(1 + command.repeat, most)[:, None])
    units = give_orders(units, taken.reshape(-1), each(command.action), -1, each(command.place), queued=True)
    rallies = kind == Kind.RALLY
    rally = each(on_ground(world, command.place))
    players = pay(players, taken.sum(1) * minerals, taken.sum(1) * vespene)
    units = units._replace(rally=jnp.where(rallies[:, None], rally, units.rally))
    return state._replace(units=units, players=players), taken.reshape(-1) | rallies


def with_reactors(world: World, units: Units, task: Int[Array, " N"]) -> Int[Array, " N"]:
    """What structures are told, told to their finished reactors too, which train beside them and share their rally."""
    count = len(units.type)
    if not (np.asarray(world.units.addon) & ~np.asarray(world.units.techlab)).any():
        return task
    addon = jnp.where(units.addon >= 0, units.addon, count)
    passed = jnp.zeros(count, jnp.int32).at[addon].set(task, mode="drop")
    fits = world.task[world.tasks.action[passed], units.type] == passed
    fits |= world.tasks.kind[passed] == Kind.RALLY
    return jnp.where((passed > 0) & fits & finished(units) & ~world.units.techlab[units.type], passed, task)


def cancel_last(world: World, state: State, command: Command) -> tuple[State, Bool[Array, " N"]]:
    """Cancels the last training or research of each selected structure; its cost comes back."""
    units, players, tasks = state.units, state.players, world.tasks
    count, depth = units.order_action.shape
    length = (units.order_action > 0).sum(1)
    last = jnp.arange(depth) == length[:, None] - 1
    task = world.task[(units.order_action * last).sum(1), units.type]
    task = leveled(world, task, players.upgrades[owners(count)])
    which = (tasks.kind[command.task] == Kind.CANCEL) & is_kind(tasks.kind[task], *QUEUED)
    cost = lambda amounts: by_player(jnp.where(which, amounts[task], 0.0)).sum(1)  # noqa: E731
    units = units._replace(
        order_action=jnp.where(which[:, None] & last, 0, units.order_action),
        working=units.working & ~(which & (length == 1)),
    )
    players = pay(players, -cost(tasks.minerals), -cost(tasks.vespene))
    return state._replace(units=units, players=players), which


def _admitted(
    world: World,
    state: State,
    action: Action,
    acting: Bool[Array, " 2"],
    size: InterfaceSize,
    game: GameDescription,
) -> tuple[Action, Int[Array, " 2"], Pace | None]:
    """`limits.admit`, where there are limits."""
    if state.turn.pace is None and not game.on_screen.any():
        return action, jnp.zeros(2, jnp.int32), None
    needed = jnp.asarray(game.uses.target_unit)[action.action_type]
    named, _, place = read_target(world, state, action, size, needed)
    return limits.admit(world, state, action, acting, named, place, size, game)


def _without_changed(state: State, before: State) -> State:
    """The state in which nobody can name the units that have died since `before`, or whose slot is another type's."""
    count, entities = len(state.units.type), state.turn.entities
    changed = (state.units.type != before.units.type)[jnp.clip(entities, 0, count - 1)]
    entities = jnp.where(changed & (entities < count), -1, entities)
    return state._replace(turn=state.turn._replace(entities=entities))


def carry_out(world: World, state: State, command: Command, radius: int) -> tuple[State, Bool[Array, " N"]]:
    """The state in which the units have their orders, and which took one."""
    kind = world.tasks.kind[command.task]
    parts = (
        (casting.ORDERED, lambda state: casting.order_spells(world, state, command)),
        ((*STEERS, Kind.MORPH), lambda state: order_units(world, state, command)),
        ((Kind.BUILD, Kind.LAND), lambda state: order_construction(world, state, command, radius)),
        ((*QUEUED, Kind.ADDON, Kind.RALLY), lambda state: order_production(world, state, command)),
        ((Kind.CANCEL,), lambda state: cancel_last(world, state, command)),
        ((Kind.CANCEL_WORK,), lambda state: cancel_work(world, state, command.task)),
        ((Kind.WARP,), lambda state: warp_in(world, state, command.task, command.place, command.repeat, radius)),
    )
    took = kind < 0
    for kinds, part in parts:

        def obey(given, part=part):
            state, more = part(given[0])
            return state, given[1] | more

        state, took = when(is_kind(kind, *kinds).any(), obey, (state, took))
    return state, took


def command_players(
    world: World,
    state: State,
    action: Action,
    acting: Bool[Array, " 2"],
    settings: GameSettings,
    size: InterfaceSize,
    game: GameDescription,
    decided: State | None = None,
) -> State:
    """Carries out the actions ([2, ...]) of the players that are `acting`, where they are available.

    `decided`: the state in which they were decided on, if that is an earlier one. Who has died or changed since then is
    not meant.
    """
    decided = state if decided is None else decided
    action, refusal, pace = _admitted(world, decided, action, acting, size, game)
    state = state if decided is state else _without_changed(state, decided)
    command = read_commands(world, state, action, acting, size, game)
    before, radius = state, settings.placement_snap
    state, took = carry_out(world, state, command, radius)
    taken = by_player(took).any(1)
    unselected = ~jnp.asarray(game.uses.units)[action.action_type]
    result = action_results(world, before, command.wanted, command.place, command.queued, taken, unselected)
    result = jnp.where(refusal > 0, refusal, result)
    turn, players = state.turn, state.players
    now = lambda new, old: jnp.where(acting, new, old)  # noqa: E731
    turn = turn._replace(
        next_loop=now(decided.loop + jnp.maximum(action.delay, 1), turn.next_loop),
        action_type=now(action.action_type, turn.action_type),
        delay=now(action.delay, turn.delay),
        queued=now(action.queued, turn.queued),
        repeat=now(action.repeat, turn.repeat),
        selected=jnp.where(per_unit(acting, len(state.units.type)), command.selected, turn.selected),
        target=now(command.named, turn.target),
        result=now(result, turn.result),
        looked=now(decided.loop, turn.looked),
        pace=pace,
    )
    camera = jnp.where(command.camera[:, None], command.place, players.camera)
    return state._replace(players=players._replace(camera=camera), turn=turn)
