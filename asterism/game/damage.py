"""What attacks do: the area that they reach, and what shields and armor leave of them."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs
from asterism.game.accounting import on_field
from asterism.game.modifiers import EXACT, Modifiers
from asterism.game.skipping import over_chunks, when
from asterism.game.state import State, Units, by_player, owners
from asterism.game.tables import ATTRIBUTES
from asterism.game.targets import MELEE
from asterism.game.weapons import RINGS
from asterism.game.world import World

LEAST_DAMAGE = 0.5
"""A hit takes at least this much, whatever the armor."""


class Blows(NamedTuple):
    """Attacks that fall in one tick. N attackers."""

    target: Int[Array, " N"]
    """Slot of the enemy; -1 for none."""
    weapon: Int[Array, " N"]
    """Row of `WeaponTable`."""
    count: Float[Array, " N"]
    """Attacks; each may be of several hits."""


class Pairing(NamedTuple):
    """Attackers and their victims in arrays of one shape, or of shapes that broadcast."""

    mine: Callable[[Array], Array]
    """Values [N] of the attackers."""
    theirs: Callable[[Array], Array]
    """Values [N] of the victims."""
    total: Callable[[Array], Float[Array, " N"]]
    """Sum over the attackers of each victim."""
    real: Bool[Array, "..."]
    """Which attackers count."""
    own: bool = False
    """Victims are on the attackers' side."""


class Hits(NamedTuple):
    """What equal hits of each attacker do to each victim, arrays as in a `Pairing`."""

    number: Array
    damage: Array
    """Of one hit, before armor."""
    to_shield: Array
    """Of one hit on shields."""
    to_health: Array
    """Of one hit where there are no shields."""
    armor: Array


def on_targets(target: Int[Array, " N"], real: Bool[Array, " N"]) -> Pairing:
    """Each attacker and its target, -1 for none: arrays [N]."""
    count = len(target)
    at = jnp.maximum(target, 0)
    total = lambda values: jnp.zeros(count).at[jnp.where(target >= 0, at, count)].add(values, mode="drop")  # noqa: E731
    return Pairing(lambda values: values, lambda values: values[at], total, real)


def of_listed(at: Int[Array, "2 C"], real: Bool[Array, "2 C"], own: bool = False) -> Pairing:
    """A few units of each player (indices among its own) and each enemy, or with `own` each unit of their side: arrays
    [2, victims, attackers], by the attackers' player."""
    mine = lambda values: by_player(values)[jnp.arange(2)[:, None], at][:, None]  # noqa: E731
    theirs = lambda values: (by_player(values) if own else by_player(values)[::-1])[..., None]  # noqa: E731

    def total(pairs):
        # A product, since XLA's CPU code computes what it sums along the last axis one by one.
        sums = jnp.matmul(pairs, jnp.ones(pairs.shape[2]), precision=EXACT)
        return (sums if own else sums[::-1]).reshape(-1)

    return Pairing(mine, theirs, total, real[:, None], own)


def strike(world: World, state: State, mods: Modifiers, blows: Blows) -> Units:
    """The units after the attacks of a tick: those on the enemy, then what they do to their own side."""
    # Weapons that reach more than their target.
    spreads = (np.asarray(world.units.weapons.ring_radius) >= 0).any(1)

    def land(units):
        wide = jnp.asarray(spreads)[blows.weapon] & (blows.count > 0)
        units = wound(world, state, mods, blows, wide, units)
        if not np.asarray(world.units.weapons.friendly_fire).any():
            return units
        careless = wide & world.units.weapons.friendly_fire[blows.weapon]
        return when(careless.any(), partial(wound, world, state, mods, blows, careless, own=True), units)

    return when((blows.count > 0).any(), land, state.units)


def wound(
    world: World,
    state: State,
    mods: Modifiers,
    blows: Blows,
    wide: Bool[Array, " N"],
    units: Units,
    own: bool = False,
) -> Units:
    """`units` after the attacks: of those in `wide` on all in their area, of the others on their targets; or with `own`
    after what those in `wide` do to their side."""
    state = state._replace(units=units)
    plain = plain_damage(world, state)
    hits = lambda pairs: hits_on(world, state, mods, blows, plain, pairs)  # noqa: E731

    def over(amounts):
        """Sums of `amounts(pairs)` over all attackers of each victim [N]."""
        total = lambda pairs: tuple(map(pairs.total, amounts(pairs)))  # noqa: E731
        aimed = on_targets(blows.target, ~wide)
        start = jax.tree.map(jnp.zeros_like, jax.eval_shape(lambda: total(aimed))) if own else total(aimed)
        body = lambda at, real, found: jax.tree.map(jnp.add, found, total(of_listed(at, real, own)))  # noqa: E731
        return over_chunks(by_player(wide), body, start)

    if not np.asarray(world.units.shield).any():
        (wounds,) = over(lambda pairs: [(h := hits(pairs)).number * h.to_health])
        return units._replace(health=units.health - wounds, quiet=jnp.where(wounds > 0, 0.0, units.quiet))
    (wanted,) = over(lambda pairs: [(h := hits(pairs)).number * h.to_shield])
    lost, wounds = over(lambda pairs: absorb(hits(pairs), pairs.theirs(units.shield), pairs.theirs(wanted)))
    hit = lost + wounds > 0
    return units._replace(
        health=units.health - wounds,
        shield=jnp.where(hit, jnp.maximum(units.shield - lost, 0.0), units.shield),
        quiet=jnp.where(hit, 0.0, units.quiet),
    )


def hits_on(world: World, state: State, mods: Modifiers, blows: Blows, plain, pairs: Pairing) -> Hits:
    """The hits on the victims in `pairs`. `plain`: `plain_damage`."""
    weapons, mine, theirs = world.units.weapons, pairs.mine, pairs.theirs
    share = shares(world, state, blows, pairs)
    damage, bonus_shield, pierces = figures(world, state, blows, plain, pairs)
    damage, bonus_shield = share * _buffed(world, state, mods, damage, pairs), share * bonus_shield
    number = jnp.where((share > 0) & pairs.real, mine(blows.count * weapons.attacks[blows.weapon]), 0.0)
    armor = jnp.where(pierces, 0.0, theirs(mods.armor))
    if state.spells is not None:
        guarded = mine(weapons.range[blows.weapon] > MELEE) & ~pierces
        armor = armor + jnp.where(guarded, theirs(mods.ranged_armor), 0.0)
    plate = jnp.where(pierces, 0.0, theirs(mods.shield_armor))
    to_shield = jnp.maximum(damage + bonus_shield - plate, LEAST_DAMAGE)
    return Hits(number, damage, to_shield, jnp.maximum(damage - armor, LEAST_DAMAGE), armor)


def _buffed(world: World, state: State, mods: Modifiers, damage: Array, pairs: Pairing) -> Array:
    """Damage of one hit with what the attackers' buffs do to it."""
    if state.spells is None:
        return damage
    armored = (pairs.theirs(world.units.attributes[state.units.type]) & (1 << ATTRIBUTES.index("armored"))) > 0
    more = jnp.where(armored, pairs.mine(mods.armored_bonus), 0.0)
    return (damage + more) * pairs.mine(mods.dealt)


def absorb(hits: Hits, shield: Array, whole: Array) -> tuple[Array, Array]:
    """What equal hits of each attacker take from shields and from health. `whole`: what the hits of all attackers
    together would take from the victim's `shield`.

    Attackers that hit one target in the same tick share its shields in proportion to what they would take: this is
    exact for one attacker, and for several wrong by at most the armor of one hit of each, in the tick in which the
    shields break. What is left of the hit that breaks them goes on to health, less the armor.
    """
    wanted = hits.number * hits.to_shield
    part = jnp.minimum(jnp.where(whole > shield, shield * (wanted / jnp.maximum(whole, 1e-6)), wanted), wanted)
    absorbed = jnp.minimum(jnp.floor(part / hits.to_shield + 1e-4), hits.number)
    # Of the hit that breaks the shields, this much is left.
    taken = part - absorbed * hits.to_shield
    breaks = (absorbed < hits.number) & (taken > 1e-4 * hits.to_shield)
    spill = jnp.where(breaks, jnp.maximum(jnp.minimum(hits.to_shield - taken, hits.damage) - hits.armor, 0.0), 0.0)
    return part, spill + (hits.number - absorbed - breaks) * hits.to_health


def plain_damage(world: World, state: State) -> tuple[Float[Array, "2 W"], Float[Array, "2 W"]]:
    """Damage of one hit of each weapon and its bonus against what it is good against, with each player's upgrades."""
    weapons, known = world.units.weapons, state.players.upgrades.astype(jnp.float32)
    plain = tuple(jnp.broadcast_to(values, (2, len(values))) for values in (weapons.damage, weapons.bonus))

    def upgraded(plain):
        levels = weapons.upgrade_damage, weapons.upgrade_bonus
        return tuple(v + jnp.matmul(known, more.T, precision=EXACT) for v, more in zip(plain, levels, strict=True))

    return when(known.any(), upgraded, plain)


def figures(world: World, state: State, blows: Blows, plain, pairs: Pairing) -> tuple[Array, Array, Array]:
    """Damage of one hit on each possible victim before armor, what it has more against shields, and whether armor does
    not count. `plain`: `plain_damage`."""
    units, weapons, (damage, bonus) = state.units, world.units.weapons, plain
    player = owners(len(units.type))
    mine, attributes = pairs.mine, pairs.theirs(world.units.attributes[units.type])

    def of(weapon):
        liked = (attributes & mine(weapons.bonus_attribute[weapon])) > 0
        hit = mine(damage[player, weapon]) + jnp.where(liked, mine(bonus[player, weapon]), 0.0)
        return hit, mine(weapons.bonus_shield[weapon]), mine(weapons.ignores_armor[weapon])

    used = of(blows.weapon)
    target_class = pairs.theirs(weapons.target_class[units.type])
    for c in blast_classes(world):
        # The same explosion has another weapon for each class of victims.
        blast = mine(weapons.suicide[blows.weapon]) & (target_class == c)
        used = tuple(jnp.where(blast, new, old) for new, old in zip(of(weapons.of[units.type, c]), used, strict=True))
    return used


def blast_classes(world: World) -> list[int]:
    """Classes of victims that suicide weapons reach."""
    weapons = world.units.weapons
    return np.flatnonzero(np.asarray(weapons.suicide)[np.asarray(weapons.of)].any(0)).tolist()


def shares(world: World, state: State, blows: Blows, pairs: Pairing) -> Array:
    """The share of an attack's damage that each victim in `pairs` takes: all of it the target, by distance what else is
    in the weapon's area and could be attacked with it."""
    units, weapons, slot = state.units, world.units.weapons, jnp.arange(len(state.units.type))
    mine, theirs, own = pairs.mine, pairs.theirs, pairs.own
    target = mine(blows.target)
    aimed = (target == theirs(slot)) & (target >= 0)
    share = jnp.where(aimed & (not own), 1.0, 0.0)
    if share.ndim == 1:
        return share
    row = blows.weapon
    gap, toward = area_distance(world, state, blows, pairs)
    splash = jnp.zeros_like(share)
    for ring in reversed(range(RINGS)):
        radius, cosine = mine(weapons.ring_radius[row, ring]), mine(weapons.ring_cosine[row, ring])
        part = mine(weapons.ring_fraction[row, ring])
        splash = jnp.where((gap <= radius) & (toward >= cosine), part, splash)
    reached = theirs(buffs.outside(world, state, on_field(units))) & can_hit(world, units, row, pairs)
    reached &= (mine(slot) != theirs(slot)) if own else True
    return jnp.maximum(share, jnp.where(reached, splash, 0.0))


def can_hit(world: World, units: Units, row: Int[Array, " N"], pairs: Pairing):
    """Whether the weapon in use is one for the class of each possible victim."""
    weapons = world.units.weapons
    target_class = pairs.theirs(weapons.target_class[units.type])
    able = jnp.zeros((), bool)
    for c in range(weapons.of.shape[1]):
        other = weapons.of[units.type, c]
        fits = (other > 0) & ((other == row) | (weapons.suicide[row] & weapons.suicide[other]))
        able = jnp.where(target_class == c, pairs.mine(fits), able)
    return able


def area_distance(world: World, state: State, blows: Blows, pairs: Pairing) -> tuple[Array, Array]:
    """Cells from the axis of each attack's area (a point for circles and cones) to the edge of each possible victim,
    and the cosine of the angle between the attack's direction and the way to the victim."""
    units, weapons, row = state.units, world.units.weapons, blows.weapon
    position, kind, mine, theirs = units.position, units.type, pairs.mine, pairs.theirs
    goal = jnp.where((blows.target >= 0)[:, None], position[jnp.maximum(blows.target, 0)], position)
    way_x, way_y = goal[:, 0] - position[:, 0], goal[:, 1] - position[:, 1]
    norm = jnp.maximum(jnp.sqrt(way_x**2 + way_y**2), 1e-6)
    way_x, way_y = way_x / norm, way_y / norm
    sideways = weapons.sideways[row]
    axis_x, axis_y = mine(jnp.where(sideways, -way_y, way_x)), mine(jnp.where(sideways, way_x, way_y))
    origin = jnp.where(weapons.from_attacker[row][:, None], position, goal)
    x = theirs(position[:, 0]) - mine(origin[:, 0])
    y = theirs(position[:, 1]) - mine(origin[:, 1])
    along = x * axis_x + y * axis_y
    known = state.players.upgrades.astype(jnp.float32)
    more = jnp.matmul(known, weapons.upgrade_along.T, precision=EXACT)[owners(len(kind)), row]
    start, end = mine(weapons.along[row, 0]), mine(weapons.along[row, 1] + more)
    past = along - jnp.clip(along, start, end)
    square = x**2 + y**2
    gap = jnp.sqrt(jnp.maximum(square - along**2, 0.0) + past**2) - theirs(world.units.radius[kind])
    # A cone begins at the attacker's edge.
    cone = weapons.ring_cosine[row, 0] > -1
    gap = gap - mine(jnp.where(cone, world.units.radius[kind], 0.0))
    return gap, along / jnp.maximum(jnp.sqrt(square), 1e-6)
