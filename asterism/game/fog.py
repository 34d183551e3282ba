"""Structures of the enemy that were seen and are out of sight: snapshots. Without them in the state nothing is kept."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from asterism.game.sight import watched
from asterism.game.state import Snapshots, State, by_player
from asterism.game.world import World


def no_snapshots(slots: int) -> Snapshots:
    """Players, each with so many slots, who have seen nothing of each other."""
    zero = jnp.zeros((2, slots))
    return Snapshots(zero.astype(jnp.int32), jnp.zeros((2, slots, 2)), zero, zero, zero, zero > 0)


def remember(world: World, state: State, seen: Bool[Array, "2 P"]) -> State:
    """Both players note the structures among the enemies that they see now (`seen`), and drop the snapshots whose place
    they see without them."""
    if state.snapshots is None:
        return state
    units, old = state.units, state.snapshots
    dropped = watched(world, state, old.position, old.type > 0)
    fresh = seen & by_player(world.units.structure[units.type])[::-1]
    note = lambda now, before: jnp.where(  # noqa: E731
        fresh.reshape(*fresh.shape, *[1] * (before.ndim - 2)), by_player(now)[::-1], before
    )
    snapshots = Snapshots(
        type=note(units.type, jnp.where(dropped, 0, old.type)),
        position=note(units.position, old.position),
        health=note(units.health, old.health),
        shield=note(units.shield, old.shield),
        build_left=note(units.build_left, old.build_left),
        hidden=~fresh,
    )
    return state._replace(snapshots=snapshots)


def is_snapshot(state: State, entity: Int[Array, "*b"]) -> Bool[Array, "*b"]:
    """Which entities, numbered as in `Turn.entities`, are snapshots."""
    return entity >= len(state.units.type) + len(state.amounts)
