"""Weapons as arrays: which one a unit type uses against which, what it does and where it reaches."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from asterism.game.tables import ATTRIBUTES, UnitRow, UpgradeRow, Weapon, load_units

INTERCEPTORS = 8
"""Of a Carrier. It attacks with their weapons itself, one interceptor after the other."""
CARRIER_RANGE = 8.0
"""Cells in which a Carrier sends them out."""
RINGS = 3
NONE = Weapon("", "ground", 0.0, 1, 1.0, 0.0)


class WeaponTable(NamedTuple):
    """Columns by weapon [W]; row 0 is none. Types are put into classes [C] that the same weapons are used against."""

    of: np.ndarray  # [U, C] the weapon of each type against each class, 0 for none
    target_class: np.ndarray  # [U]
    damage: np.ndarray
    attacks: np.ndarray
    bonus: np.ndarray
    bonus_attribute: np.ndarray  # bit of the attribute
    bonus_shield: np.ndarray
    cooldown: np.ndarray  # loops
    damage_point: np.ndarray  # loops
    range: np.ndarray  # cells, edge to edge
    min_range: np.ndarray
    ignores_armor: np.ndarray
    suicide: np.ndarray
    melee: np.ndarray
    upgrade_damage: np.ndarray  # [W, K]
    upgrade_bonus: np.ndarray  # [W, K]
    friendly_fire: np.ndarray
    from_attacker: np.ndarray  # the area lies at the attacker, not at its target
    along: np.ndarray  # [W, 2] the area's axis: cells behind and before that place, in the direction of the attack
    sideways: np.ndarray  # the axis lies across that direction
    upgrade_along: np.ndarray  # [W, K] cells by which the axis grows
    ring_radius: np.ndarray  # [W, 3] cells from the axis to a victim's edge; negative for no ring
    ring_fraction: np.ndarray  # [W, 3]
    ring_cosine: np.ndarray  # [W, 3] of half the arc around the direction of the attack; -2 for a full circle


def weapons_of(unit: UnitRow) -> tuple[Weapon, ...]:
    """The unit's weapons: a Carrier's are its interceptors'."""
    if unit.name != "Carrier":
        return unit.weapons
    lent = next(row for row in load_units() if row.name == "Interceptor").weapons
    return tuple(replace(w, range=CARRIER_RANGE, cooldown=w.cooldown / INTERCEPTORS) for w in lent)


def weapon_against(unit: UnitRow, plane: str, structure: bool) -> Weapon | None:
    """What `unit` attacks structures or other units of a plane with: the first weapon that fits. Others that do the
    same at another distance (the Roach's claws) are one with it."""
    planes = {"ground": ("ground", "any"), "air": ("air", "any"), "any": ("ground", "air", "any"), "none": ()}
    kinds = ("", "structures" if structure else "units")
    fits = [w for w in unit.weapons if w.target in planes[plane] and w.targets in kinds and w.damage > 0]
    if not fits:
        return None
    same = [w for w in fits if _effect(w) == _effect(fits[0])]
    return replace(fits[0], range=max(w.range for w in same), min_range=min(w.min_range for w in same))


def _effect(weapon: Weapon) -> tuple:
    return weapon.damage, weapon.attacks, weapon.cooldown, weapon.bonus_attribute, weapon.bonus_damage


def weapon_effect(upgrade: UpgradeRow, unit: UnitRow, weapon: Weapon, field: str) -> float:
    """What an upgrade adds to `field` of a weapon. The data state what a weapon does in several places (each missile,
    each ring) and so an upgrade several times: the first is what one hit gains."""
    users = {unit.id} | {row.id for row in load_units() if row.name == "Interceptor" and unit.name == "Carrier"}
    found = [
        e.value for e in upgrade.effects if e.unit in users and e.field == field and e.of == f"weapon:{weapon.name}"
    ]
    return float(found[0]) if found else 0.0


def weapon_table(units: list[UnitRow | None], upgrades: list[UpgradeRow]) -> WeaponTable:
    """The weapons of the unit types `units`, None for types that are no units."""
    rows: dict[tuple[str, Weapon], int] = {("", NONE): 0}
    kinds = [(unit.plane, unit.is_structure) if unit else ("none", False) for unit in units]
    index = np.zeros((len(units), len(units)), np.int32)
    for a, unit in enumerate(units):
        for kind in dict.fromkeys(kinds) if unit else ():
            weapon = weapon_against(unit, *kind)
            if weapon:
                index[a, [k == kind for k in kinds]] = rows.setdefault((unit.name, weapon), len(rows))
    of, target_class = np.unique(index, axis=1, return_inverse=True)
    by_name = {unit.name: unit for unit in units if unit}
    users = [by_name.get(name) for name, _ in rows]
    weapons = [_with_bonus(weapon, user, upgrades) for (_, weapon), user in zip(rows, users, strict=True)]

    def column(get, dtype=np.float32):
        return np.array([get(weapon) for weapon in weapons], dtype)

    def levels(field):
        rows = [
            [weapon_effect(k, u, w, field(w)) if u else 0.0 for k in upgrades]
            for w, u in zip(weapons, users, strict=True)
        ]
        return np.array(rows, np.float32).reshape(len(weapons), len(upgrades))

    def rings(get, empty):
        return np.array([([get(r) for r in _rings(w)] + RINGS * [empty])[:RINGS] for w in weapons], np.float32)

    return WeaponTable(
        of=of.astype(np.int32),
        target_class=target_class.reshape(-1).astype(np.int32),
        damage=column(lambda w: w.damage),
        attacks=column(lambda w: w.attacks),
        bonus=column(lambda w: w.bonus_damage),
        bonus_attribute=column(_bonus_bit, np.int32),
        bonus_shield=column(lambda w: w.bonus_shield_damage),
        cooldown=column(lambda w: max(w.cooldown, 1.0)),
        damage_point=column(lambda w: w.damage_point),
        range=column(lambda w: w.range),
        min_range=column(lambda w: w.min_range),
        ignores_armor=column(lambda w: w.ignores_armor, bool),
        suicide=column(lambda w: w.suicide, bool),
        melee=column(lambda w: w.melee, bool),
        upgrade_damage=levels(lambda w: "damage"),
        upgrade_bonus=levels(lambda w: f"damage_bonus:{w.bonus_attribute.capitalize()}"),
        friendly_fire=column(lambda w: w.friendly_fire, bool),
        from_attacker=column(lambda w: w.splash_shape in ("line", "cone") or w.suicide, bool),
        along=column(_axis),
        sideways=column(lambda w: w.splash_shape == "across", bool),
        upgrade_along=levels(lambda w: "other:PeriodCount"),
        ring_radius=rings(lambda r: r.radius, -100.0),
        ring_fraction=rings(lambda r: r.fraction, 0.0),
        ring_cosine=rings(lambda r: np.cos(np.radians(r.arc / 2)) if r.arc < 360 else -2.0, -2.0),
    )  # fmt: skip


def _with_bonus(weapon: Weapon, user: UnitRow | None, upgrades: list[UpgradeRow]) -> Weapon:
    """The weapon with the attribute of its bonus, where only an upgrade gives it one (the Hellbat's)."""
    if weapon.bonus_attribute or not user:
        return weapon
    for name in ATTRIBUTES:
        if any(weapon_effect(k, user, weapon, f"damage_bonus:{name.capitalize()}") for k in upgrades):
            return replace(weapon, bonus_attribute=name)
    return weapon


def _bonus_bit(weapon: Weapon) -> int:
    return 1 << ATTRIBUTES.index(weapon.bonus_attribute) if weapon.bonus_attribute else 0


def _rings(weapon: Weapon) -> list:
    return list(weapon.splash) if weapon.splash_shape != "none" else []


def _axis(weapon: Weapon) -> tuple[float, float]:
    """A circle and a cone have none."""
    if weapon.splash_shape == "line":
        return 0.0, weapon.splash_length
    half = weapon.splash_length / 2 if weapon.splash_shape == "across" else 0.0
    return -half, half
