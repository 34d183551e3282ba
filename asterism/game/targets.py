"""Whom each unit attacks."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished, on_field
from asterism.game.modifiers import Modifiers
from asterism.game.power import powered
from asterism.game.rules import TargetRank
from asterism.game.skipping import over_chunks
from asterism.game.state import State, Units, by_player
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


class Sides(NamedTuple):
    """What a fight asks of attackers and their possible targets. Arrays of one shape, or of shapes that broadcast."""

    x: Float[Array, "*p"]
    y: Float[Array, "*p"]
    radius: Float[Array, "*p"]
    melee: Float[Array, "*p"]
    """1 for an attacker that has no weapon but melee."""
    edge: Float[Array, "*p"]
    """Cells by which melee strikes a target from farther away."""
    able: Bool[Array, "*p"]
    """Of attackers: they can attack now."""
    target_class: Int[Array, "*p"]
    most: tuple[Array, ...]
    """Of attackers, for each class of targets: cells from edge to edge at which they attack it, 0 where they cannot."""
    least: tuple[Array, ...]
    """... and nearer than which they cannot."""


def sides(world: World, state: State, mods: Modifiers) -> Sides:
    """Of each unit [N], as an attacker and as a target."""
    units, weapons = state.units, world.units.weapons
    melee, edge = (jnp.asarray(column)[units.type] for column in _melee(world))
    classes = range(np.asarray(weapons.of).shape[1])
    rows = [weapons.of[units.type, c] for c in classes]
    # Melee weapons lose no range.
    far = [jnp.maximum(weapons.range[row] + mods.range, jnp.minimum(weapons.range[row], MELEE)) for row in rows]
    return Sides(
        x=units.position[:, 0],
        y=units.position[:, 1],
        radius=world.units.radius[units.type],
        melee=melee if state.routes is not None else jnp.zeros_like(melee),
        edge=edge,
        able=able(world, units, mods),
        target_class=weapons.target_class[units.type],
        most=tuple(jnp.where(row > 0, value, 0.0) for row, value in zip(rows, far, strict=True)),
        least=tuple(weapons.min_range[row] for row in rows),
    )


def bounds(mine: Sides, theirs: Sides) -> tuple[Array, Array, Array]:
    """Cells from edge to edge of attackers and targets, those at which they attack them, and whether they can (but for
    being too far away)."""
    distance = jnp.sqrt((mine.x - theirs.x) ** 2 + (mine.y - theirs.y) ** 2)
    edge = distance - mine.radius - theirs.radius - mine.melee * theirs.edge
    reach, least = mine.most[0], mine.least[0]
    for c in range(1, len(mine.most)):
        reach = jnp.where(theirs.target_class == c, mine.most[c], reach)
        least = jnp.where(theirs.target_class == c, mine.least[c], least)
    return edge, reach, mine.able & (reach > 0) & ((least <= 0) | (edge >= least))


def choose_targets(world: World, state: State, mods: Modifiers, seen: Bool[Array, "2 P"]) -> Fights:
    """Each armed unit's target: that of the attack it has begun, else the one it was told, else the best that it may
    take up by itself."""
    units, count = state.units, len(state.units.type)
    slots = count // 2
    player = jnp.arange(count) // slots
    kind, told = order_kind(world, units), units.order_target[:, 0]
    each = sides(world, state, mods)
    shown = seen[::-1].reshape(-1)  # by slot: its enemy sees it

    def against(target):
        at = jnp.clip(target, 0, count - 1)
        foe = (target >= 0) & (target < count) & (at // slots != player) & shown[at]
        edge, reach, can = bounds(each, jax.tree.map(lambda values: values[at], each))
        return edge, reach, can & foe, foe & each.able & (reach > 0)

    foe = (kind == Kind.ATTACK) & (told >= 0) & (told < count) & (told // slots != player)
    follows = foe & against(told)[3]
    free = by_itself(world, units, kind)
    stays = (kind == Kind.HOLD) | (mods.speed <= 0)
    edge, reach, can = against(units.aim)[:3]
    held = (units.windup > 0) & can & (edge <= reach + SLOP) & (free | (foe & (told == units.aim)))
    auto = best_target(world, units, each, seen, free, stays)
    target = jnp.where(held, units.aim, jnp.where(follows, told, auto))
    edge, reach, can = against(target)[:3]
    in_range = can & (edge <= reach)
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


def best_target(
    world: World, units: Units, each: Sides, seen: Bool[Array, "2 P"], free: Bool[Array, " N"], stays: Bool[Array, " N"]
) -> Int[Array, " N"]:
    """Slot of the enemy of the first rank that is nearest among those `seen`, -1 where none is within reach.

    Units in `free` take up fights by themselves, those that are not to stay also with enemies some way off.
    """
    slots = len(units.type) // 2
    penalty = jnp.zeros(len(TargetRank)).at[jnp.array(list(RANK_PENALTY))].set(jnp.array(list(RANK_PENALTY.values())))
    fights = world.units.worker[units.type] & (order_kind(world, units) == Kind.ATTACK)
    far = by_player(jnp.where(fights, 0.0, penalty[world.units.rank[units.type]]))[::-1]
    mine = jax.tree.map(lambda values: by_player(values)[:, None], each._replace(able=each.able & free))
    foes = jax.tree.map(lambda values: by_player(values)[::-1], each)
    more, rows = jnp.where(by_player(stays)[:, None], 0.0, ACQUIRE), jnp.arange(2)[:, None]

    def compare(at, real, found):
        best, slot = found
        edge, reach, can = bounds(mine, jax.tree.map(lambda values: values[rows, at][..., None], foes))
        near = can & (edge <= reach + more) & real[..., None]
        score = jnp.where(near, edge + far[rows, at][..., None], jnp.inf)
        least = score.min(1)
        first = jnp.where(score == least[:, None], at[..., None], slots).min(1)
        return jnp.minimum(best, least), jnp.where(least < best, first, slot)

    nobody = jnp.full((2, slots), jnp.inf), jnp.full((2, slots), -1)
    best, slot = over_chunks(seen, compare, nobody)
    return jnp.where(jnp.isfinite(best), slot + jnp.arange(2)[::-1, None] * slots, -1).reshape(-1)
