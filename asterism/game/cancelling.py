"""Constructions and morphs are called off."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from asterism.game.accounting import current_task
from asterism.game.payment import pay
from asterism.game.spawning import change_type
from asterism.game.state import State, by_player, pop_orders
from asterism.game.tasks import Builder, Kind
from asterism.game.world import World

CONSTRUCTION_REFUND = 0.75
"""Share of its cost that comes back of a structure that is called off."""


def cancel_work(world: World, state: State, task: Int[Array, " N"]) -> tuple[State, Bool[Array, " N"]]:
    """Structures under construction go, Drones come out of theirs; units that morph stay what they were.

    Three quarters of the cost of a construction come back, all of that of a morph.

    Args:
      task: what each selected unit is told.
    Returns:
      The state, and which units had something to call off.
    """
    units, tasks = state.units, world.tasks
    if not (np.asarray(tasks.kind) == Kind.CANCEL_WORK).any():
        return state, jnp.zeros(len(task), bool)
    told = tasks.kind[task] == Kind.CANCEL_WORK
    doing = current_task(world, state)
    growing = told & (units.build_left > 0) & world.units.structure[units.type]
    morphing = told & units.working & (tasks.kind[doing] == Kind.MORPH)
    drone = _consumed(world)[units.type]
    back = [
        by_player(jnp.where(growing, CONSTRUCTION_REFUND * cost[units.type], 0.0)).sum(1)
        + by_player(jnp.where(morphing, paid[doing], 0.0)).sum(1)
        for cost, paid in ((world.units.minerals, tasks.minerals), (world.units.vespene, tasks.vespene))
    ]
    units = change_type(world, units, morphing & (tasks.cocoon[doing] > 0), tasks.user[doing])
    units = pop_orders(units, morphing)
    returns = growing & (drone > 0)
    units = change_type(world, units, returns, drone)
    units = units._replace(
        build_left=jnp.where(returns, 0.0, units.build_left),
        health=jnp.where(returns, world.units.health[drone], jnp.where(growing, 0.0, units.health)),
    )
    players = pay(state.players, *(-jnp.floor(amount) for amount in back))
    return state._replace(units=units, players=players), growing | morphing


def _consumed(world: World) -> Int[Array, " U"]:
    """Type of the worker that became a structure of each type, 0 for none."""
    table = np.zeros(len(world.units.health), np.int32)
    consumed = (np.asarray(world.tasks.kind) == Kind.BUILD) & (np.asarray(world.tasks.builder) == Builder.IS_CONSUMED)
    table[np.asarray(world.tasks.product)[consumed]] = np.asarray(world.tasks.user)[consumed]
    return jnp.asarray(table)
