"""Construction: workers lay foundations, structures and what is warped in grow."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from asterism.game.economy import send_to_minerals
from asterism.game.geometry import span
from asterism.game.payment import pay, record_build
from asterism.game.placement import can_stand
from asterism.game.skipping import running, when
from asterism.game.spawning import START_HEALTH, renew, spawn
from asterism.game.state import Loops, State, Units, by_player, nearest, owners, pop_orders
from asterism.game.tasks import Builder, Kind
from asterism.game.world import World, is_kind, order_kind, order_task
from asterism.interface.action import ActionResult
from asterism.interface.observation import Race

BUILD_REACH = 0.5
"""Cells between a worker and the edge of what it builds."""


def place_structures(world: World, state: State) -> State:
    """Workers that have come to their building site lay the foundation, one a player and tick.

    An SCV stays with it, a Probe leaves it, a Drone becomes it. Without ground or money they give up.
    """
    units, tasks = state.units, world.tasks
    task, site = order_task(world, units), units.order_position[:, 0]
    kind = tasks.product[task]
    waiting = (tasks.kind[task] == Kind.BUILD) & (units.order_target[:, 0] < 0) & (units.type > 0)
    reach = world.rectangle[kind][:, 2] + world.units.radius[units.type] + BUILD_REACH
    # A corner of the footprint is farther from its centre than half a side.
    ready = waiting & (span(units.position - site) <= reach)
    return when(ready.any(), lambda state: _lay_foundations(world, state, by_player(ready)), state)


def _lay_foundations(world: World, state: State, ready: Bool[Array, "2 P"]) -> State:
    units, tasks = state.units, world.tasks
    task, site = order_task(world, units), units.order_position[:, 0]
    kind, builder = tasks.product[task], tasks.builder[task]
    first = (ready & (running(ready) == 1)).reshape(-1)
    owner = owners(len(task))
    minerals, vespene = (
        (tasks.minerals[task] <= state.players.minerals[owner]),
        (tasks.vespene[task] <= state.players.vespene[owner]),
    )
    chosen = nearest(by_player(~first).astype(jnp.float32)) + jnp.arange(2) * (len(task) // 2)
    fits = jax.vmap(lambda b, player: can_stand(world, state, kind[b], site[b], player))(chosen, jnp.arange(2))
    room = by_player(units.type == 0).any(1)
    consumed = builder == Builder.IS_CONSUMED
    laid = first & minerals & vespene & fits[owner] & (room[owner] | consumed)
    spawned, child = spawn(world, units, laid & ~consumed, kind, site, world.units.build_time[kind])
    cost = lambda amounts: by_player(jnp.where(laid, amounts[task], 0.0)).sum(1)  # noqa: E731
    players = pay(record_build(world, state, laid, kind, site), cost(tasks.minerals), cost(tasks.vespene))
    target = jnp.where(laid & ~consumed, child, spawned.order_target[:, 0])
    spawned = spawned._replace(order_target=spawned.order_target.at[:, 0].set(target))
    spawned = become_structures(world, spawned, laid & consumed, kind, site)
    over = (first & ~laid) | (laid & (builder == Builder.LEAVES))
    units = pop_orders(spawned, over)
    units = send_to_minerals(units, over & (units.order_action[:, 0] == 0))
    why = jnp.where(vespene, ActionResult.CANT_BUILD_LOCATION_INVALID, ActionResult.NOT_ENOUGH_VESPENE)
    why = by_player(jnp.where(first & ~laid, jnp.where(minerals, why, ActionResult.NOT_ENOUGH_MINERALS), 0)).max(1)
    turn = state.turn._replace(result=jnp.where(why > 0, why, state.turn.result))
    return state._replace(units=units, players=players, turn=turn)


def become_structures(world: World, units: Units, which: Bool[Array, " N"], kind, site) -> Units:
    """Drones turn into the structures of type `kind` that they were sent to build at `site`."""
    if not (np.asarray(world.tasks.builder) == Builder.IS_CONSUMED).any():
        return units
    return renew(world, units, which, kind, site, world.units.build_time[kind])


def construct(world: World, state: State, dt: Loops) -> State:
    """Structures grow, those of Terrans while their builder is at work; a worker whose structure is done goes back to
    the minerals."""
    needed = ((state.units.build_left > 0) | is_kind(order_kind(world, state.units), Kind.BUILD, Kind.ADDON)).any()
    return when(needed, lambda state: _construct(world, state, dt), state)


def _construct(world: World, state: State, dt: Loops) -> State:
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
