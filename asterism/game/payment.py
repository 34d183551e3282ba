"""What is begun is paid for, and written into the record of what each player has begun."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from asterism.game.skipping import running
from asterism.game.state import Players, State, by_player
from asterism.game.world import World


def pay(players: Players, minerals: Float[Array, " 2"], vespene: Float[Array, " 2"]) -> Players:
    """The players with that much less."""
    return players._replace(minerals=players.minerals - minerals, vespene=players.vespene - vespene)


def within(budget: Float[Array, " 2"], cost: Float[Array, "2 S"]) -> Bool[Array, "2 S"]:
    """Who can be served in the order of slots. What the budget does not reach for by itself stands in nobody's way, and
    what costs nothing is served by a budget that is overdrawn, too (supply, after a construction was called off)."""
    free, within_reach = cost <= 0, cost <= budget[:, None]
    sum_to_here = running(jnp.where(within_reach, cost, 0.0))
    return free | (within_reach & (sum_to_here <= budget[:, None]))


def record_build(world: World, state: State, made: Bool[Array, " N"], kind, place) -> Players:
    """Writes what was begun this tick into the executed build orders. `kind`, `place`: type and place for each slot."""
    players = state.players
    size = players.executed.build_order.shape[1]
    listed = by_player(made & world.units.in_build_order[kind])
    rank = running(listed) - 1 + players.executed_count[:, None]
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
