"""Structures that fly come down and take an add-on that stands there; spine and spore crawlers root."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from asterism.game.geometry import span
from asterism.game.placement import clear_ground
from asterism.game.skipping import running, when
from asterism.game.spawning import change_type
from asterism.game.state import State, by_player, nearest, owners, pop_orders
from asterism.game.tasks import Kind
from asterism.game.world import ADDON_OFFSET, World, order_task

OVER = 0.1
"""Cells from its site at which a structure begins to land."""


def land(world: World, state: State) -> State:
    """Those that are over their site begin to land, one a player and tick; without free ground they give up.

    They are of their new type at once, so that nobody else builds there, and at work until they have landed.
    """
    units, tasks = state.units, world.tasks
    if not (np.asarray(tasks.kind) == Kind.LAND).any():
        return state
    task, site = order_task(world, units), units.order_position[:, 0]
    over = (tasks.kind[task] == Kind.LAND) & ~units.working & (span(units.position - site) < OVER)
    return when(over.any(), lambda state: _land(world, state, over), state)


def _land(world: World, state: State, over: Bool[Array, " N"]) -> State:
    units, tasks, count = state.units, world.tasks, len(state.units.type)
    task, site = order_task(world, units), units.order_position[:, 0]
    product = tasks.product[task]
    first = (by_player(over) & (running(by_player(over)) == 1)).reshape(-1)
    chosen = nearest(by_player(~first).astype(jnp.float32)) + jnp.arange(2) * (count // 2)
    free = jax.vmap(lambda u, player: clear_ground(world, state, product[u], *site[u], player))(chosen, jnp.arange(2))
    lands = first & free[owners(count)]
    units = change_type(world, units, lands, product)
    units = units._replace(
        position=jnp.where(lands[:, None], site, units.position),
        working=units.working | lands,
        timer=jnp.where(lands, tasks.time[task], units.timer),
    )
    return state._replace(units=pop_orders(attach(world, units, lands), first & ~lands))


def attach(world: World, units, lands):
    """Structures in `lands` take the add-on that stands beside them without a structure of its own."""
    count = len(units.type)
    orphan = (units.type > 0) & world.units.addon[units.type]
    orphan &= ~(units.addon[:, None] == jnp.arange(count)).any(0)
    place = units.position + jnp.array(ADDON_OFFSET)
    there = span(place[:, None] - units.position) < 0.5
    there &= orphan & (owners(count)[:, None] == owners(count)) & (lands & world.units.takes_addon[units.type])[:, None]
    found = there.any(1)
    addon = there.argmax(1)
    kind = world.addon_for[units.type, units.type[addon]]
    new = jnp.zeros(count, jnp.int32).at[jnp.where(found, addon, count)].set(kind, mode="drop")
    return units._replace(addon=jnp.where(found, addon, units.addon), type=jnp.where(new > 0, new, units.type))
