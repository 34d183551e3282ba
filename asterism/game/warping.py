"""Warp gates bring units to places in a power field."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import supply
from asterism.game.payment import pay, record_build, within
from asterism.game.power import fast_sources, in_power, powered
from asterism.game.skipping import running
from asterism.game.spawning import spawn
from asterism.game.state import State, by_player, nearest, owners
from asterism.game.tasks import Kind
from asterism.game.world import World, walkable

APART = 1.2
"""Cells between units that are warped in together."""


def warp_in(
    world: World,
    state: State,
    task: Int[Array, " N"],
    place: Float[Array, "2 2"],
    repeat: Int[Array, " 2"],
    radius: int,
) -> tuple[State, Bool[Array, " N"]]:
    """Selected warp gates that are ready bring a unit each, `1 + repeat` a player, as far as money and supply go.

    Args:
      task: what each selected unit is told; those that are no warp-in are none of this function's.
      place: where the players want them; the nearest powered ground within `radius` cells is taken, or nothing is done.
    Returns:
      The state, and the gates that brought a unit.
    """
    tasks, units, count = world.tasks, state.units, len(state.units.type)
    if not (np.asarray(tasks.kind) == Kind.WARP).any():
        return state, jnp.zeros(count, bool)
    site, found = jax.vmap(lambda place, player: powered_ground(world, state, place, radius, player))(
        place, jnp.arange(2)
    )
    player = owners(count)
    ready = (tasks.kind[task] == Kind.WARP) & (units.cooldown <= 0) & powered(world, units) & found[player]
    rank = running(by_player(ready)) - 1
    ready = by_player(ready) & (rank <= repeat[:, None])
    used, cap = supply(world, state)
    budgets = (
        (state.players.minerals, tasks.minerals),
        (state.players.vespene, tasks.vespene),
        (cap - used, tasks.supply),
    )
    for budget, cost in budgets:
        ready &= within(budget, jnp.where(ready, by_player(cost[task]), 0.0))
    ready = ready.reshape(-1)
    position = _spread(world, state, site[player], rank.reshape(-1))
    quick = in_power(world, units, position, player, fast_sources(world, units))
    time = jnp.where(quick, tasks.fast_time[task], tasks.time[task])
    spawned, child = spawn(world, units, ready, tasks.product[task], position, time)
    done = child >= 0
    spent = [by_player(jnp.where(done, cost[task], 0.0)).sum(1) for cost in (tasks.minerals, tasks.vespene)]
    players = record_build(world, state, done, tasks.product[task], position)
    cooldown = jnp.where(done, tasks.cooldown[task], spawned.cooldown)
    return state._replace(units=spawned._replace(cooldown=cooldown), players=pay(players, *spent)), done


def powered_ground(
    world: World, state: State, place: Float[Array, " 2"], radius: int, player: Int[Array, ""]
) -> tuple[Float[Array, " 2"], Bool[Array, ""]]:
    """The place in the player's power nearest to `place` that can be walked on, and whether there is one."""
    side = jnp.where(player == 0, 1.0, -1.0)  # equals are resolved alike for both players
    span = side * jnp.arange(-radius, radius + 1)
    offset = jnp.stack(jnp.meshgrid(span, span), -1).reshape(-1, 2)
    sites = place + offset
    good = walkable(world, sites) & in_power(world, state.units, sites, player)
    best = nearest(jnp.where(good, offset[:, 0] ** 2 + offset[:, 1] ** 2, jnp.inf))
    return sites[best], good.any()


def _spread(world: World, state: State, site: Float[Array, "N 2"], rank: Int[Array, " N"]) -> Float[Array, "N 2"]:
    """`site` for the first, and places about it for those after it, where there is power."""
    player = owners(len(rank))
    angle = 2.4 * rank
    away = APART * jnp.sqrt(jnp.maximum(rank, 0)) * jnp.where(player == 0, 1.0, -1.0)
    place = site + away[:, None] * jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    good = walkable(world, place) & in_power(world, state.units, place, player)
    return jnp.where(good[:, None], place, site)
