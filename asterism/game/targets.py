"""Whom each unit attacks. Arrays of pairs are [2, targets, attackers], by the attackers' player."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished, on_field
from asterism.game.modifiers import Modifiers
from asterism.game.power import powered
from asterism.game.rules import TargetRank
from asterism.game.sight import across
from asterism.game.state import State, Units, nearest
from asterism.game.tasks import Kind
from asterism.game.world import World, is_kind, order_kind

ACQUIRE = 5.0
"""Cells beyond its weapon's range in which a unit on attack-move, on patrol or idle takes up a fight."""
RANK_PENALTY = {
    TargetRank.WORKER: 3.0,
    TargetRank.HARMLESS: 25.0,
    TargetRank.STRUCTURE: 50.0,
    TargetRank.LARVA: 75.0,
}
"""Cells by which targets count as farther: ranks come one after another, then the nearest. A worker that fights is a
fighter, others come only somewhat later."""
MELEE = 1.0
"""Weapons of no more range than this, in cells, are melee."""
BESIDE = 0.3
"""Cells from the edge of a footprint, at the middle of a side, within which the edge of a unit in melee must come."""
SLOP = 1.0
"""Cells that a target may get out of range between the start of an attack and its hit."""


class Fights(NamedTuple):
    """What each unit fights this tick. N units."""

    target: Int[Array, " N"]
    """Slot of the enemy, -1 for none."""
    weapon: Int[Array, " N"]
    """Row of `WeaponTable` that it uses against it, 0 for none."""
    in_range: Bool[Array, " N"]
    """It may begin an attack."""
    held: Bool[Array, " N"]
    """An attack that it has begun goes on."""
    chases: Bool[Array, " N"]
    """It goes after a target that is out of range."""
    follows: Bool[Array, " N"]
    """Its target is the one it was told to attack, and it sees it."""


def choose_targets(
    world: World, state: State, mods: Modifiers, distance: Float[Array, "2 P P"], seen: Bool[Array, "2 P"]
) -> Fights:
    """Each armed unit's target: that of the attack it has begun, else the one it was told, else the best that it may
    take up by itself."""
    units, count = state.units, len(state.units.type)
    slots = count // 2
    player, within = jnp.arange(count) // slots, jnp.arange(count) % slots
    kind, told = order_kind(world, units), units.order_target[:, 0]
    radius = across(world.units.radius[units.type])
    edge = distance - radius[0] - radius[1]
    reach, least = reaches(world, units, mods)
    if state.routes is not None:  # footprints keep melee farther from the middle than the body does
        melee, more = _melee(world)
        edge -= across(jnp.asarray(melee)[units.type])[0] * across(jnp.asarray(more)[units.type])[1]
    valid = seen[:, :, None] & (reach > 0) & across(able(world, units, mods))[0]
    fits = valid & (edge >= least)
    of = lambda pairs, target: pairs[player, target % slots, within] & (target >= 0)  # noqa: E731

    foe = (kind == Kind.ATTACK) & (told >= 0) & (told < count) & (told // slots != player)
    follows = foe & of(valid, told)
    free = by_itself(world, units, kind)
    stays = (kind == Kind.HOLD) | (mods.speed <= 0)
    held = (units.windup > 0) & of(fits & (edge <= reach + SLOP), units.aim) & (free | (foe & (told == units.aim)))
    auto = best_target(world, units, fits & across(free)[0], edge, jnp.where(across(stays)[0], reach, reach + ACQUIRE))
    target = jnp.where(held, units.aim, jnp.where(follows, told, auto))
    in_range = of(fits & (edge <= reach), target)
    chases = (target >= 0) & ~in_range & ~held & (kind != Kind.HOLD) & (mods.speed > 0)
    weapon = world.units.weapons.of[units.type, world.units.weapons.target_class[units.type[target]]]
    return Fights(target, jnp.where(target >= 0, weapon, 0), in_range, held, chases, follows)


def _melee(world: World) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, " U"]]:
    """Which types have no weapon but melee (1.0), and cells by which melee strikes each type from farther away."""
    table, weapons = world.units, world.units.weapons
    of = np.asarray(weapons.of)
    most = np.where(of > 0, np.asarray(weapons.range)[of], 0.0).max(1)
    edge = np.where(np.asarray(table.blocks), np.asarray(table.footprint) / 2 + BESIDE, 0.0)
    more = np.maximum(edge - np.asarray(table.radius), 0.0)
    return ((most > 0) & (most <= MELEE)).astype(np.float32), more.astype(np.float32)


def able(world: World, units: Units, mods: Modifiers) -> Bool[Array, " N"]:
    """Units that can attack now."""
    return finished(units) & on_field(units) & powered(world, units) & (mods.attack_rate > 0)


def by_itself(world: World, units: Units, kind: Int[Array, " N"]) -> Bool[Array, " N"]:
    """Units that take up fights by themselves: whoever is idle but workers, on hold, on attack-move or on patrol.
    Structures do, whatever they make."""
    idle = (kind == Kind.NO_OP) & ~world.units.worker[units.type]
    goes = is_kind(kind, Kind.ATTACK, Kind.PATROL) & (units.order_target[:, 0] < 0)
    return idle | goes | (kind == Kind.HOLD) | world.units.structure[units.type]


def reaches(world: World, units: Units, mods: Modifiers) -> tuple[Array, Array]:
    """Cells from edge to edge at which each unit can attack each enemy: at most (0 where it cannot) and at least."""
    weapons = world.units.weapons
    target_class = across(weapons.target_class[units.type])[1]
    most = least = jnp.zeros(())
    for c in sorted(set(np.asarray(weapons.target_class).tolist())):
        row = weapons.of[units.type, c]
        range_ = weapons.range[row]
        # Melee weapons lose no range.
        far = jnp.where(row > 0, jnp.maximum(range_ + mods.range, jnp.minimum(range_, MELEE)), 0.0)
        most = jnp.where(target_class == c, across(far)[0], most)
        if np.asarray(weapons.min_range).any():
            least = jnp.where(target_class == c, across(weapons.min_range[row])[0], least)
    return most, jnp.where(least > 0, least, -jnp.inf)


def best_target(world: World, units: Units, fits, edge, reach) -> Int[Array, " N"]:
    """Slot of the enemy of the first rank that is nearest, -1 where none is within `reach`."""
    slots = len(units.type) // 2
    penalty = jnp.zeros(len(TargetRank)).at[jnp.array(list(RANK_PENALTY))].set(jnp.array(list(RANK_PENALTY.values())))
    fights = world.units.worker[units.type] & (order_kind(world, units) == Kind.ATTACK)
    far = jnp.where(fights, 0.0, penalty[world.units.rank[units.type]])
    score = jnp.where(fits & (edge <= reach), edge + across(far)[1], jnp.inf)
    enemies = (jnp.arange(2)[::-1] * slots)[:, None]
    return jnp.where(jnp.isfinite(score.min(1)), nearest(score, axis=1) + enemies, -1).reshape(-1)
