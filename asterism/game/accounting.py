"""What players own and may do: supply, counts, requirements, available actions."""

from functools import reduce
from operator import and_
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs
from asterism.game.castable import castable
from asterism.game.skipping import chosen
from asterism.game.state import State, Units, by_player, owners
from asterism.game.tasks import QUEUED, Kind
from asterism.game.world import World, is_kind, order_task


def counts(world: World, units: Units, which: Bool[Array, " N"]) -> Int[Array, "2 U"]:
    """How many units of each type each player has among `which`."""
    types = by_player(jnp.where(which, units.type, 0))
    found = jnp.zeros((2, world.units.health.shape[0]), jnp.int32)
    return found.at[jnp.arange(2)[:, None], types].add(1).at[:, 0].set(0)


def on_field(units: Units) -> Bool[Array, " N"]:
    """Units that can be seen, hit and run into: not the dead that wait for their burial."""
    return (units.type > 0) & (units.health > 0)


def finished(units: Units) -> Bool[Array, " N"]:
    """Units that stand complete."""
    return (units.type > 0) & (units.build_left <= 0)


def supply(world: World, state: State) -> tuple[Float[Array, " 2"], Float[Array, " 2"]]:
    """Supply used, units in training and in eggs included, and supply provided, with what spells have added.

    Hallucinations and the dead that wait for their burial use and provide none.
    """
    units = state.units
    real = on_field(units) & ~buffs.hallucinated(world, state)
    task = order_task(world, units)
    living = world.units.supply[units.type]
    morphing = units.working & world.tasks.morphs[task]
    used = jnp.where(morphing, world.tasks.occupies[task], living)
    used = used + jnp.where(units.working & ~morphing, world.tasks.supply[task], 0.0)
    used = jnp.where(real, used, 0.0)
    provided = jnp.where(finished(units) & real, world.units.supply_provided[units.type], 0.0)
    cap = jnp.minimum(by_player(provided).sum(1) + buffs.supply_added(world, state), world.economics.supply_cap)
    return by_player(used).sum(1), cap


def units_with_queue(world: World, units: Units) -> Bool[Array, " N"]:
    """Finished structures with room for one more order."""
    return finished(units) & world.units.structure[units.type] & (units.order_action[:, -1] == 0)


def at_work(world: World, units: Units) -> Bool[Array, " N"]:
    """Units that another order would cost what they have in hand: a change of form that has begun, paid production."""
    kinds = world.tasks.kind[world.task[units.order_action, units.type[:, None]]]
    changes = units.working & is_kind(kinds[:, 0], Kind.MORPH, Kind.LAND)
    return changes | is_kind(kinds, *QUEUED, Kind.ADDON).any(1)


def has_techlab(world: World, units: Units) -> Bool[Array, " N"]:
    """Structures whose tech lab stands complete."""
    addon = jnp.maximum(units.addon, 0)
    return (units.addon >= 0) & (finished(units) & world.units.techlab[units.type])[addon]


def leveled(world: World, task: Int[Array, "*n"], known: Bool[Array, "*n K"]) -> Int[Array, "*n"]:
    """The task that an order stands for: of an upgrade with levels, the first that is not among the `known`."""
    following = np.asarray(world.tasks.next_level)
    depth = 0
    while (following > 0).any():
        depth, following = depth + 1, np.where(following > 0, np.asarray(world.tasks.next_level)[following], 0)
    for _ in range(depth):
        upgrade = world.tasks.upgrade[task]
        done = jnp.take_along_axis(known, jnp.maximum(upgrade, 0)[..., None], -1)[..., 0] & (upgrade >= 0)
        task = jnp.where(done & (world.tasks.next_level[task] > 0), world.tasks.next_level[task], task)
    return task


def current_task(world: World, state: State, place: int = 0) -> Int[Array, " N"]:
    """What each unit's order at `place` of its queue is, with the level that its player is at."""
    units = state.units
    task = world.task[units.order_action[:, place], units.type]
    return leveled(world, task, state.players.upgrades[owners(len(units.type))])


class Conditions(NamedTuple):
    """What a player needs to begin each task [2, T], and has."""

    tech: Bool[Array, "2 T"]
    """Structures and the upgrade before it stand, its own upgrade is not known yet."""
    minerals: Bool[Array, "2 T"]
    vespene: Bool[Array, "2 T"]
    food: Bool[Array, "2 T"]


def conditions(world: World, state: State) -> Conditions:
    """Which of the conditions of each task are met now."""
    have = counts(world, state.units, finished(state.units)) > 0
    # What counts as a type stands for it: a Lair for a Hatchery.
    tech = have if _is_identity(world.units.counts_as) else chosen(have, world.units.counts_as, False).any(-1)
    tasks = world.tasks

    def of_player(tech, minerals, vespene, upgrades, used, cap):
        met = chosen(tech, tasks.requires, True).all(-1)
        met &= (tasks.requires_upgrade < 0) | upgrades[jnp.maximum(tasks.requires_upgrade, 0)]
        met &= (tasks.upgrade < 0) | ~upgrades[jnp.maximum(tasks.upgrade, 0)]
        food = (tasks.supply <= 0) | (used + tasks.supply <= cap)
        return Conditions(met, tasks.minerals <= minerals, tasks.vespene <= vespene, food)

    players = state.players
    money = (players.minerals, players.vespene, players.upgrades)
    return jax.vmap(of_player)(tech, *money, *supply(world, state))


def available_tasks(world: World, state: State) -> Bool[Array, "2 T"]:
    """Tasks all of whose conditions are met."""
    return reduce(and_, conditions(world, state))


def available_actions(world: World, state: State, selectable: Bool[np.ndarray, "A U"]) -> Bool[Array, "2 A"]:
    """Actions that would be taken now: some own unit can, requirements stand, and the cost and supply are there."""
    units, players, tasks = state.units, state.players, world.tasks
    done = finished(units)
    idle = units.order_action[:, 0] == 0
    have = counts(world, units, done) > 0
    equipped = counts(world, units, done & has_techlab(world, units)) > 0
    free = counts(world, units, done & (units.addon < 0) & idle) > 0
    unused = counts(world, units, done & idle) > 0
    allowed = available_tasks(world, state)
    # Pairs of an action and a unit type that can take it.
    actions, types = np.nonzero(selectable)
    common = np.asarray(world.task)[actions, types]
    kind = np.asarray(tasks.kind)[common]
    alone = np.asarray(tasks.morphs)[common] & np.asarray(world.units.structure)[types]

    def of_player(have, equipped, free, unused, allowed, upgrades):
        able = jnp.where(np.asarray(tasks.needs_addon)[common], equipped[types], have[types])
        able = jnp.where(kind == Kind.ADDON, free[types], jnp.where(alone, unused[types], able))
        known = jnp.broadcast_to(upgrades, (len(allowed), len(upgrades)))
        can = able & allowed[leveled(world, jnp.arange(len(allowed)), known)][common]
        return jnp.zeros(len(selectable), bool).at[actions].max(can) | ~selectable.any(1)

    result = jax.vmap(of_player)(have, equipped, free, unused, allowed, players.upgrades)
    of_kind = np.zeros(len(selectable), np.int32)
    of_kind[np.asarray(tasks.action)] = np.asarray(tasks.kind)
    research = np.flatnonzero(of_kind == Kind.RESEARCH)
    ordered = by_player((units.order_action[:, :, None] == research).any(1)).any(1)
    result = result.at[:, research].set(result[:, research] & ~ordered)
    return result if state.spells is None else result & castable(world, state, selectable)


def _is_identity(table) -> bool:
    return bool((np.asarray(table) == np.eye(len(table), dtype=bool)).all())
