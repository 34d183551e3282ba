"""Turns an agent's action into orders of units."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished, has_addon, units_with_queue
from asterism.game.production import snap
from asterism.game.rules import Kind
from asterism.game.settings import GameSettings
from asterism.game.state import State, Units, append_orders, owners, set_orders
from asterism.game.world import World, is_kind
from asterism.interface.action import Action
from asterism.interface.sizes import InterfaceSize


class Command(NamedTuple):
    """One player's action in terms of the game."""

    player: Int[Array, ""]
    action: Int[Array, ""]
    queued: Bool[Array, ""]
    repeat: Int[Array, ""]
    selected: Bool[Array, " N"]
    target: Int[Array, ""]
    """Slot, or N plus resource; -1 for a place."""
    place: Float[Array, " 2"]


def location_to_place(location: Int[Array, "..."], size: InterfaceSize, cells: int) -> Float[Array, "... 2"]:
    """Centre of a cell of the location grid, in map cells."""
    scale = cells / size.location
    return (jnp.stack([location % size.location, location // size.location], -1) + 0.5) * scale


def place_to_location(place: Float[Array, "... 2"], size: InterfaceSize, cells: int) -> Int[Array, "..."]:
    """Flat cell of the location grid that holds a place."""
    cell = jnp.clip(jnp.floor(place * (size.location / cells)).astype(jnp.int32), 0, size.location - 1)
    return cell[..., 1] * size.location + cell[..., 0]


def read_command(world: World, state: State, action: Action, player, size: InterfaceSize, selectable, uses) -> Command:
    """The command in an action: entity indices become slots, units that cannot take it are left out."""
    count = len(state.units.type)
    entities = state.turn.entities[player]
    slots = jnp.where(action.units >= 0, entities[jnp.clip(action.units, 0, size.entities - 1)], -1)
    slots = jnp.where((slots >= 0) & (slots < count), slots, count)
    selected = jnp.zeros(count, bool).at[slots].set(True, mode="drop")
    selected &= selectable[action.action_type][state.units.type] & finished(state.units)
    selected &= owners(count) == player
    target = jnp.where(uses.target_unit[action.action_type], entities[jnp.clip(action.target_unit, 0, size.entities - 1)], -1)
    place = location_to_place(action.location, size, world.terrain.level.shape[1])
    at_unit = jnp.where(target < count, state.units.position[jnp.clip(target, 0, count - 1)], 0.0)
    at_resource = world.terrain.resources[jnp.clip(target - count, 0, len(world.terrain.resources) - 1)]
    place = jnp.where(target >= count, at_resource, jnp.where(target >= 0, at_unit, place))
    queued = (action.queued > 0) & uses.queued[action.action_type]
    repeat = jnp.where(uses.repeat[action.action_type], action.repeat, 0)
    return Command(player, action.action_type, queued, repeat, selected, target, place)


def _geyser_under(world: World, units: Units, target):
    """A refinery as a target of gathering stands for the geyser under it."""
    count = len(units.type)
    slot = jnp.clip(target, 0, count - 1)
    near = jnp.abs(units.position[slot] - world.terrain.resources).max(1) < 1.0
    is_refinery = (target >= 0) & (target < count) & world.units.refinery[units.type[slot]]
    return jnp.where(is_refinery & near.any(), count + near.argmax(), target)


def order_units(world: World, state: State, command: Command) -> Units:
    """Orders for movement, attack and mining: every selected unit takes it. Smart becomes what its target asks for."""
    units, count = state.units, len(state.units.type)
    kind = world.actions.kind[command.action]
    target = _geyser_under(world, units, command.target)
    slot = jnp.clip(target, 0, count - 1)
    enemy = (target >= 0) & (target < count) & (slot // (count // 2) != command.player)
    own = (target >= 0) & (target < count) & ~enemy
    resource = target >= count
    smart = kind == Kind.SMART
    worker = world.units.worker[units.type]
    armed = (world.units.ground.damage + world.units.air.damage)[units.type] > 0
    given = world.unit_action
    action = jnp.broadcast_to(command.action, (count,))
    action = jnp.where(smart, given["Move_pt"], action)
    action = jnp.where(smart & resource & worker, given["Harvest_Gather_unit"], action)
    action = jnp.where(smart & enemy & armed, given["Attack_unit"], action)
    # An unfinished structure is gone on with: the order is the one that builds its type.
    makes = world.actions.product == units.type[slot]
    build = (makes & (world.actions.kind == Kind.BUILD)).argmax()
    resumes = smart & own & worker & (units.build_left[slot] > 0) & (makes & (world.actions.kind == Kind.BUILD)).any()
    action = jnp.where(resumes, build, action)
    new_kind = world.actions.kind[action]
    which = command.selected & is_kind(kind, Kind.SMART, Kind.MOVE, Kind.ATTACK, Kind.HOLD, Kind.PATROL, Kind.GATHER, Kind.RETURN)
    which &= ~((new_kind == Kind.GATHER) & ~resource)
    which &= ~((new_kind == Kind.ATTACK) & own)
    keeps = is_kind(new_kind, Kind.ATTACK, Kind.GATHER) | resumes
    own_target = jnp.where(new_kind == Kind.RETURN, units.order_target[:, 0], jnp.where(keeps, target, -1))
    # Bringing home goes over into gathering at the field the worker came from, or the nearest that has room.
    which &= ~((new_kind == Kind.RETURN) & (own_target < count))
    action = jnp.where(new_kind == Kind.RETURN, given["Harvest_Gather_unit"], action)
    now = set_orders(units, which, action, own_target, command.place)
    patrols = which & (new_kind == Kind.PATROL)
    back = jnp.where(patrols[:, None], units.position, now.order_position[:, 1])
    now = now._replace(order_position=now.order_position.at[:, 1].set(back))
    later = append_orders(units, which, action, own_target, command.place)
    later = later._replace(order_position=jnp.where(patrols[:, None, None], now.order_position, later.order_position))
    chosen = jax.tree.map(lambda a, b: jnp.where(command.queued, a, b), later, now)
    stopped = set_orders(units, command.selected & (kind == Kind.STOP), 0, -1, jnp.zeros(2))
    return jax.tree.map(lambda a, b: jnp.where(kind == Kind.STOP, a, b), stopped, chosen)


def order_construction(world: World, state: State, command: Command, radius: int) -> Units:
    """The selected worker that is nearest goes to build; a refinery needs a geyser as its target."""
    units, count = state.units, len(state.units.type)
    product = world.actions.product[command.action]
    refinery = world.units.refinery[product]
    site = jnp.where(refinery, command.place, snap(world, units, product, command.place, radius))
    distance = jnp.where(command.selected, ((units.position - site) ** 2).sum(1), jnp.inf)
    nearest = (jnp.arange(count) == distance.argmin()) & command.selected
    nearest &= (world.actions.kind[command.action] == Kind.BUILD) & (~refinery | (command.target >= count))
    now = set_orders(units, nearest, command.action, -1, site)
    later = append_orders(units, nearest, command.action, -1, site)
    return jax.tree.map(lambda a, b: jnp.where(command.queued, a, b), later, now)


def order_production(world: World, state: State, command: Command) -> State:
    """Training, research and add-ons: the selected structures with the shortest queues take it, `repeat` more of them, as far as
    the money goes. Costs are paid now."""
    units, players, table = state.units, state.players, world.actions
    action, kind = command.action, table.kind[command.action]
    able = command.selected & units_with_queue(world, units)
    able &= ~table.needs_addon[action] | has_addon(world, units)
    able &= (kind != Kind.ADDON) | (units.addon < 0)
    able &= is_kind(kind, Kind.TRAIN, Kind.RESEARCH, Kind.ADDON)
    length = jnp.where(able, (units.order_action > 0).sum(1), 100)
    rank = jnp.argsort(jnp.argsort(length))
    minerals, vespene = players.minerals[command.player], players.vespene[command.player]
    share = lambda have, cost: jnp.where(cost > 0, have // jnp.maximum(cost, 1.0), 100.0)  # noqa: E731
    most = jnp.minimum(share(minerals, table.minerals[action]), share(vespene, table.vespene[action]))
    taken = able & (rank < jnp.minimum(1 + command.repeat, most))
    number = taken.sum()
    units = append_orders(units, taken, action, -1, command.place)
    rallies = command.selected & (kind == Kind.RALLY)
    units = units._replace(rally=jnp.where(rallies[:, None], command.place, units.rally))
    players = players._replace(
        minerals=players.minerals.at[command.player].add(-number * table.minerals[action]),
        vespene=players.vespene.at[command.player].add(-number * table.vespene[action]),
    )
    return cancel_last(world, state._replace(units=units, players=players), command)


def cancel_last(world: World, state: State, command: Command) -> State:
    """Cancels the last training or research of each selected structure; its cost comes back."""
    units, players, table = state.units, state.players, world.actions
    length = (units.order_action > 0).sum(1)
    last = jnp.maximum(length - 1, 0)
    rows = jnp.arange(len(last))
    action = units.order_action[rows, last]
    which = command.selected & (table.kind[command.action] == Kind.CANCEL)
    which &= is_kind(table.kind[action], Kind.TRAIN, Kind.RESEARCH)
    refund = lambda cost: jnp.where(which, cost[action], 0.0).sum()  # noqa: E731
    units = units._replace(
        order_action=units.order_action.at[rows, last].set(jnp.where(which, 0, action)),
        working=units.working & ~(which & (length == 1)),
    )
    players = players._replace(
        minerals=players.minerals.at[command.player].add(refund(table.minerals)),
        vespene=players.vespene.at[command.player].add(refund(table.vespene)),
    )
    return state._replace(units=units, players=players)


def command_player(
    world: World, state: State, action: Action, player, acts, settings: GameSettings, size: InterfaceSize, game
) -> State:
    """Carries out one player's action if it `acts` and the action is available."""
    uses = jax.tree.map(jnp.asarray, game.uses)
    command = read_command(world, state, action, player, size, jnp.asarray(game.selectable), uses)
    available = state.turn.available[player, action.action_type]
    command = command._replace(selected=command.selected & acts & available)
    kind = world.actions.kind[command.action]
    built = order_construction(world, state, command, settings.placement_snap)
    ordered = order_units(world, state, command)
    units = jax.tree.map(lambda a, b: jnp.where(kind == Kind.BUILD, a, b), built, ordered)
    state = order_production(world, state._replace(units=units), command)
    camera = jnp.where(acts & (kind == Kind.CAMERA), command.place, state.players.camera[player])
    selected = jnp.where(acts & (owners(len(units.type)) == player), command.selected, state.turn.selected)
    keep = lambda new, old: old.at[player].set(jnp.where(acts, new, old[player]))  # noqa: E731
    turn = state.turn._replace(
        next_loop=keep(state.loop + jnp.maximum(action.delay, 1), state.turn.next_loop),
        action_type=keep(action.action_type, state.turn.action_type),
        delay=keep(action.delay, state.turn.delay),
        queued=keep(action.queued, state.turn.queued),
        repeat=keep(action.repeat, state.turn.repeat),
        selected=selected,
        target=keep(command.target, state.turn.target),
    )
    players = state.players._replace(camera=state.players.camera.at[player].set(camera))
    return state._replace(players=players, turn=turn)
