"""What players own and may do: supply, counts, requirements, available actions."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.rules import Kind
from asterism.game.state import State, Units, by_player
from asterism.game.world import World


def counts(world: World, units: Units, which: Bool[Array, " N"]) -> Int[Array, "2 U"]:
    """How many units of each type each player has among `which`."""
    types = by_player(jnp.where(which, units.type, 0))
    found = jnp.arange(world.units.health.shape[0])[None, :, None] == types[:, None, :]
    return found.sum(2).at[:, 0].set(0)


def finished(units: Units) -> Bool[Array, " N"]:
    """Units that stand complete."""
    return (units.type > 0) & (units.build_left <= 0)


def supply(world: World, units: Units) -> tuple[Float[Array, " 2"], Float[Array, " 2"]]:
    """Supply used, units in training included, and supply provided."""
    living = world.units.supply[units.type]
    training = jnp.where(units.working, world.actions.supply[units.order_action[:, 0]], 0.0)
    provided = jnp.where(finished(units), world.units.supply_provided[units.type], 0.0)
    cap = jnp.minimum(by_player(provided).sum(1), world.economics.supply_cap)
    return by_player(living + training).sum(1), cap


def units_with_queue(world: World, units: Units) -> Bool[Array, " N"]:
    """Finished structures with room for one more order."""
    return finished(units) & world.units.structure[units.type] & (units.order_action[:, -1] == 0)


def has_addon(world: World, units: Units) -> Bool[Array, " N"]:
    """Structures whose add-on stands complete."""
    addon = jnp.maximum(units.addon, 0)
    return (units.addon >= 0) & finished(units)[addon]


def available_actions(world: World, state: State, selectable: Bool[Array, "A U"]) -> Bool[Array, "2 A"]:
    """Actions that would be taken now: some own unit can, requirements stand, and the cost and supply are there."""
    units, players, table = state.units, state.players, world.actions
    done = finished(units)
    have = counts(world, units, done) > 0
    equipped = counts(world, units, done & has_addon(world, units)) > 0
    free = counts(world, units, done & (units.addon < 0) & (units.order_action[:, 0] == 0)) > 0

    def of_player(have, equipped, free, minerals, vespene, upgrades, used, cap):
        able = jnp.where(table.needs_addon[:, None], equipped, have)
        able = jnp.where((table.kind == Kind.ADDON)[:, None], free, able)
        can = (selectable & able).any(1) | ~selectable.any(1)
        met = (~table.requires | have).all(1)
        paid = (table.minerals <= minerals) & (table.vespene <= vespene)
        room = (table.supply == 0) | (used + table.supply <= cap)
        new = (table.upgrade < 0) | ~upgrades[jnp.maximum(table.upgrade, 0)]
        return can & met & paid & room & new

    used, cap = supply(world, units)
    money = (players.minerals, players.vespene, players.upgrades)
    result = jax.vmap(of_player)(have, equipped, free, *money, used, cap)
    research = np.flatnonzero(np.asarray(table.kind) == Kind.RESEARCH)
    ordered = by_player((units.order_action[:, :, None] == research).any(1)).any(1)
    return result.at[:, research].set(result[:, research] & ~ordered)
