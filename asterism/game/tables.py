"""The rules of StarCraft II 5.0.14 as tables: units, upgrades, the abilities that make them, and the economy.

`scripts/make_tables.py` writes the files in `asterism/game/data`; this module reads and checks them. Units of measure
throughout: times in game loops (22.4 a second on "Faster"), distances in cells, speeds in cells a loop, energy and
regeneration a loop.
Ids are StarCraft II's own stable ids. A file leaves out a field that equals its default here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeVar, get_args

from asterism.errors import UserError

Row = TypeVar("Row")

RaceName = Literal["terran", "zerg", "protoss"]
RACES: tuple[RaceName, ...] = get_args(RaceName)
ATTRIBUTES = (
    *("light", "armored", "biological", "mechanical", "robotic", "psionic", "massive", "structure", "hover", "heroic"),
    *("summoned", "user1", "mapboss"),
)
KINDS = ("train", "build", "morph", "warp", "merge", "summon", "research")
PLANES = ("none", "ground", "air", "any")
SUBJECTS = ("caster", "target", "area")
SIDES = ("own", "enemy", "any")
SHAPES = ("none", "circle", "cone", "line", "across")


@dataclass(frozen=True)
class Splash:
    """One ring of area damage: `fraction` of the damage within `radius` cells, in an arc of `arc` degrees."""

    radius: float
    fraction: float
    arc: float = 360.0


@dataclass(frozen=True)
class Weapon:
    """One weapon. A unit may carry several, for different targets or distances."""

    name: str
    target: str  # "ground", "air" or "any"
    damage: float  # of one hit, before armor
    attacks: int  # hits a cooldown; armor counts against each
    cooldown: float  # loops from one attack to the next; 0 for a weapon that is used once
    range: float  # cells, from edge to edge
    min_range: float = 0.0  # cells, from edge to edge
    bonus_attribute: str = ""  # damage grows by `bonus_damage` against units with this attribute
    bonus_damage: float = 0.0
    bonus_shield_damage: float = 0.0  # extra damage to shields
    damage_point: float = 0.0  # loops from the start of an attack to its hit or launch
    backswing: float = 0.0  # loops of follow-through, which a command may cut short
    targets: str = ""  # "units": no structures; "structures": nothing else; "": both
    ignores_armor: bool = False
    melee: bool = False
    projectile: bool = False  # the hit comes when a missile arrives, not at the damage point
    suicide: bool = False  # the attacker dies
    upgrade_damage: float = 0.0  # each weapon level adds this to `damage`
    upgrade_bonus_damage: float = 0.0  # each weapon level adds this to `bonus_damage`
    splash_shape: str = "none"  # "circle" round the target, "cone" or "line" from the attacker, or "across" that line
    splash_length: float = 0.0  # cells, of a line
    splash: tuple[Splash, ...] = ()  # inner rings first; of a line, its half-width is the radius
    friendly_fire: bool = False


@dataclass(frozen=True)
class UnitRow:
    """One unit type.

    Costs are of the step that makes the unit: a Hatchery is 275 minerals beside the Drone, an Orbital Command 150
    beside the Command Center, a Baneling 25/25 beside the Zergling, a change of mode nothing. `total_minerals` and
    `total_vespene` count what was made before too, as StarCraft II's API and its scores do. `supply` is of the
    finished unit. An order for `count` units costs `count` times these figures.
    """

    id: int
    name: str
    race: str
    attributes: tuple[str, ...] = ()
    minerals: int = 0
    vespene: int = 0
    total_minerals: int = 0
    total_vespene: int = 0
    supply: float = 0.0
    supply_provided: int = 0
    count: int = 1  # units that one order makes: 2 for Zerglings
    build_time: int = 0  # loops, of the way in `ability_id`
    ability_id: int = 0  # the usual ability that makes it, 0 if none does; every way is in `load_abilities`
    general_id: int = 0  # the general ability that stands for `ability_id`, 0 if none
    producers: tuple[int, ...] = ()  # unit ids that can use `ability_id`
    requires: tuple[int, ...] = ()  # unit ids that must stand, each itself or one that has it in its `tech_alias`
    requires_upgrade: int = 0  # upgrade id, 0 if none
    needs_addon: bool = False  # the producer needs a tech lab
    normal_mode: int = 0  # unit id of the type whose mode or form this is, 0 if none
    tech_alias: tuple[int, ...] = ()  # unit ids whose requirement this one fulfils too
    max_health: float = 0.0
    max_shield: float = 0.0
    start_energy: float = 0.0
    max_energy: float = 0.0
    health_regen: float = 0.0  # a loop; the Reaper's only out of combat, see `Economy.regen_delay`
    shield_regen: float = 0.0  # a loop, after `Economy.regen_delay` loops without damage
    energy_regen: float = 0.0  # a loop
    armor: float = 0.0
    shield_armor: float = 0.0  # 0 for all, upgrades add
    speed: float = 0.0  # cells a loop
    creep_speed: float = 1.0  # factor on creep
    acceleration: float = 0.0  # cells a loop, gained a loop; above 3 means at once
    radius: float = 0.0  # cells: the body for range and clicks
    separation_radius: float = 0.0  # cells: the body for collision
    sight: float = 0.0
    detection_range: float = 0.0
    power_radius: float = 0.0  # of the power field it gives
    creep_radius: float = 0.0  # cells that its creep reaches
    footprint: tuple[int, int] = (0, 0)  # width, height in cells; zeros for what is not placed on the grid
    blocks_pathing: bool = False  # its footprint
    placement: str = ""  # the game's name of the placement rule
    needs_power: bool = False
    needs_creep: bool = False
    blocked_by_creep: bool = False
    needs_geyser: bool = False
    needs_distance_to_resources: bool = False  # town halls
    is_addon: bool = False
    cargo_size: int = 0
    cargo_capacity: int = 0
    plane: str = "ground"  # which weapons reach it: "ground", "air", "any" (Colossus), "none"
    is_flying: bool = False
    is_structure: bool = False
    is_worker: bool = False
    is_townhall: bool = False
    repair_time: int = 0  # loops of one SCV from nothing to full
    weapons: tuple[Weapon, ...] = ()


@dataclass(frozen=True)
class UpgradeEffect:
    """One effect of an upgrade as the game's data state it: `operation` `value` to `field` of `unit`."""

    unit: int  # unit id, 0 if the effect is on no unit of the table
    field: str  # e.g. "damage", "damage_bonus:Armored", "armor", "range", "health", "speed_per_normal_s" (16 loops)
    operation: str  # "add", "subtract", "multiply", "set", "enable", "text"
    value: float | str
    of: str = ""  # "weapon:NAME", "abil:NAME" or the like


@dataclass(frozen=True)
class UpgradeRow:
    """One upgrade that can be researched in a 1v1 game."""

    id: int
    name: str
    race: str
    minerals: int
    vespene: int
    time: int  # loops
    ability_id: int
    general_id: int = 0
    producers: tuple[int, ...] = ()  # unit ids that research it
    requires: tuple[int, ...] = ()  # unit ids, as in `UnitRow.requires`
    requires_upgrade: int = 0  # upgrade id, 0 if none
    effects: tuple[UpgradeEffect, ...] = ()


@dataclass(frozen=True)
class AbilityRow:
    """One ability that makes something: a unit, or for the kind "research" an upgrade."""

    id: int
    name: str
    kind: str  # one of KINDS
    product: int  # unit id or upgrade id
    producers: tuple[int, ...]  # unit ids
    time: int  # loops
    general_id: int = 0
    fast_time: int = 0  # loops of a warp-in beside a warp gate or nexus
    cooldown: int = 0  # loops until a warp gate can warp in another


@dataclass(frozen=True)
class Resource:
    """One type of mineral field or geyser."""

    id: int
    name: str
    kind: str  # "minerals" or "vespene"
    contents: int  # amount at the start
    per_trip: int  # amount a worker takes


@dataclass(frozen=True)
class Economy:
    """Constants of mining, larvae, supply and regeneration. Times in loops."""

    start_minerals: int
    start_workers: int
    supply_cap: int
    mineral_time: float  # at the field, a trip
    mineral_return_delay: float  # from the end of mining to the way back
    vespene_time: float  # inside the building, a trip
    workers_per_field: int  # that the game calls ideal
    workers_per_geyser: int
    townhall_gap: int  # cells that a town hall keeps from resources
    mule_per_trip: int
    mule_time: float  # at the field, a trip
    mule_life: int
    mule_energy: int
    supply_drop_bonus: int
    supply_drop_energy: int
    creep_period: float  # in which creep gains a cell
    power_fast_radius: float  # of a pylon from a warp gate or nexus, for fast warp-ins
    larva_time: int  # from one larva to the next
    larva_natural: int  # a hatchery that has these gets no more by itself
    larva_most: int
    larva_start: int
    inject_energy: int
    inject_larvae: int
    inject_time: int
    regen_delay: int  # without damage, before shields and Reapers regenerate
    burn_below: float  # fraction of health below which Terran structures burn
    burn_rate: float  # health a loop
    bunker_range: float  # added to the range of those inside
    addon_offset: tuple[float, float]  # centre of the add-on from the centre of its structure
    salvage_fraction: float
    repair_cost: float  # fraction of the cost, for a repair from nothing to full
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True)
class BuffRow:
    """What a buff does to the unit that has it; rates a loop. Factors of several buffs multiply, sums add."""

    name: str
    id: int = 0  # StarCraft II's, 0 for what it has no buff for
    speed: float = 1.0  # factor
    attack: float = 1.0  # factor on the rate of attacks
    armor: float = 0.0
    shield_armor: float = 0.0
    ranged_armor: float = 0.0  # against weapons that are not melee
    range: float = 0.0  # added to that of weapons that are not melee
    damage: float = 0.0
    heal: float = 0.0
    energy: float = 0.0
    taken: float = 1.0  # factor on damage
    dealt: float = 1.0  # factor on damage
    absorbs: float = 0.0  # damage, in all
    armored_bonus: float = 0.0  # damage of a hit on armored units
    rate: float = 1.0  # factor on production, research, morphs and cooldowns of a structure
    supply: int = 0  # provided
    toggle: bool = False  # lasts until its caster ends it or has no energy
    stuns: bool = False  # neither moves nor acts
    disarms: bool = False
    silences: bool = False
    cloaks: bool = False
    reveals: bool = False  # the enemy sees it, cloaked or not
    shields: bool = False  # cannot be damaged
    lifts: bool = False  # off the ground: weapons against the ground do not reach it


@dataclass(frozen=True)
class SpellRow:
    """One ability that is not production: who casts it at what, what it costs, and what it does to its subject.

    The subject is the caster, the target, or what lies in an area. What needs time or an area is an effect on the
    ground for a while: first `delay` loops in which nothing happens, then once what strikes, then for `duration` loops
    its buff for all within `radius`.
    """

    name: str
    functions: tuple[str, ...]  # raw functions that cast it; none for what the game casts itself
    casters: tuple[int, ...]  # unit ids
    subject: str  # "caster", "target" or "area"
    whose: str = "any"  # "own", "enemy" or "any" units
    plane: str = "any"  # "ground", "air" or "any" units
    needs: tuple[str, ...] = ()  # attributes, one of which the unit must have
    bars: tuple[str, ...] = ()  # attributes that it must not have
    energy: float = 0.0
    health: float = 0.0  # that it costs the caster
    minerals: float = 0.0
    vespene: float = 0.0
    cooldown: float = 0.0  # loops
    range: float = 0.0  # cells, from edge to edge
    upgrade: int = 0  # upgrade id that it requires, 0 if none
    consumes: int = 0  # unit id of what it uses up, 0 if nothing
    transient: bool = False  # at once, beside what the caster does
    every: bool = False  # each selected unit casts it, not only the nearest
    prep: float = 0.0  # loops that the caster stands before it
    shakes: bool = False  # damage to the caster breaks `prep`
    damage: float = 0.0
    bonus_attribute: str = ""
    bonus: float = 0.0
    shield_damage: float = 0.0
    structure_damage: float = 0.0  # in place of `damage`, if not 0
    per_energy: float = 0.0  # damage for each point of the target's energy, which it loses
    energy_change: float = 0.0
    heal: float = 0.0
    buff: str = ""
    buff_time: float = 0.0
    caster_buff: str = ""  # while it lasts
    ends: str = ""  # buff that the caster loses
    bond: float = 0.0  # loops for which the buff lasts while the caster is near
    break_range: float = 0.0  # cells, from edge to edge, that end the bond
    later: float = 0.0  # loops of the bond after which `later_buff` takes the place of `buff`
    later_buff: str = ""
    roots: bool = False  # the caster stands meanwhile, and another order ends the bond
    radius: float = 0.0  # cells
    rings: tuple[tuple[float, float], ...] = ()  # (cells, fraction of the damage)
    extends: bool = False  # a unit is within the radius by its edge
    delay: float = 0.0
    duration: float = 0.0
    follows: str = ""  # the area goes with the "caster" or the "target"
    detects: bool = False
    blocks: bool = False  # nothing walks through
    shatters: bool = False  # takes away what blocks
    teleport: str = ""  # the "caster" to the place, "recall" of units to the caster, or "pull" of the target
    summon: int = 0  # unit id
    count: int = 1  # units summoned
    life: float = 0.0  # of what is summoned, 0 for ever
    build_time: float = 0.0  # of what is summoned
    summon_buff: str = ""
    goal: str = ""  # what is summoned appears at the caster and is to "move" or "attack", or at the place to "gather"
    on_creep: bool = False  # the place
    stands_on_creep: bool = False  # the caster
    injects: bool = False
    salvages: bool = False
    dies: bool = False  # the caster
    effect: str = ""  # its name among the effects of AlphaStar's statistics


@cache
def load_units() -> tuple[UnitRow, ...]:
    """Every unit type of the 1v1 game in 5.0.14, all races, by id.

    Raises:
      UserError: the table of the installed package is damaged.
    """
    rows = _load("units.json", lambda r: UnitRow(**{**r, "weapons": tuple(_weapon(w) for w in r.get("weapons", ()))}))
    ids = {row.id for row in rows}
    for row in rows:
        _check("units.json", row, row.race in RACES, f"race {row.race}")
        _check("units.json", row, set(row.attributes) <= set(ATTRIBUTES), f"attributes {row.attributes}")
        _check("units.json", row, {*row.producers, *row.requires, *row.tech_alias} <= ids, "names a unit that is none")
        _check("units.json", row, min(row.minerals, row.vespene, row.supply, row.build_time) >= 0, "negative cost")
        _check("units.json", row, row.plane in PLANES, f"plane {row.plane}")
        for weapon in row.weapons:
            good = weapon.target in ("ground", "air", "any") and weapon.splash_shape in SHAPES
            _check("units.json", row, good, f"weapon {weapon.name}")
    return rows


@cache
def load_upgrades() -> tuple[UpgradeRow, ...]:
    """Every upgrade of the 1v1 game in 5.0.14, all races, by id.

    Raises:
      UserError: the table of the installed package is damaged.
    """
    rows = _load("upgrades.json", _upgrade)
    ids, units = {row.id for row in rows} | {0}, {row.id for row in load_units()} | {0}
    for row in rows:
        named = {*row.producers, *row.requires, *(effect.unit for effect in row.effects)}
        _check("upgrades.json", row, row.race in RACES, f"race {row.race}")
        _check("upgrades.json", row, named <= units, "names a unit that is none")
        _check("upgrades.json", row, row.requires_upgrade in ids, f"requires upgrade {row.requires_upgrade}")
        _check("upgrades.json", row, row.time > 0 and row.minerals > 0, "a cost or time that is not positive")
    return rows


@cache
def load_abilities() -> tuple[AbilityRow, ...]:
    """Every ability that trains, builds, morphs, summons or researches something, by id.

    Raises:
      UserError: the table of the installed package is damaged.
    """
    rows = _load("abilities.json", lambda r: AbilityRow(**r))
    units, upgrades = {row.id for row in load_units()}, {row.id for row in load_upgrades()}
    for row in rows:
        products = upgrades if row.kind == "research" else units
        _check("abilities.json", row, row.kind in KINDS, f"kind {row.kind}")
        _check("abilities.json", row, row.product in products, f"product {row.product}")
        _check("abilities.json", row, set(row.producers) <= units, "names a unit that is none")
    return rows


@cache
def load_buffs() -> tuple[BuffRow, ...]:
    """Every buff that a spell gives.

    Raises:
      UserError: the table of the installed package is damaged.
    """
    return _read("buffs.json", lambda r: BuffRow(**r))


@cache
def load_spells() -> tuple[SpellRow, ...]:
    """Every ability that is not production.

    Raises:
      UserError: the table of the installed package is damaged.
    """
    rows = _read("spells.json", lambda r: SpellRow(**r))
    units, buffs = {row.id for row in load_units()} | {0}, {row.name for row in load_buffs()} | {""}
    upgrades = {row.id for row in load_upgrades()} | {0}
    for row in rows:
        _check("spells.json", row, row.subject in SUBJECTS and row.whose in SIDES, "subject")
        _check("spells.json", row, {*row.casters, row.summon, row.consumes} <= units, "names a unit that is none")
        _check(
            "spells.json", row, {row.buff, row.later_buff, row.caster_buff, row.ends, row.summon_buff} <= buffs, "buff"
        )
        _check("spells.json", row, row.upgrade in upgrades, f"requires upgrade {row.upgrade}")
        _check("spells.json", row, {*row.needs, *row.bars} <= set(ATTRIBUTES), "attributes")
        _check("spells.json", row, min(row.energy, row.cooldown, row.range, row.radius) >= 0, "negative figure")
    return rows


@cache
def load_economy() -> Economy:
    """The constants of mining, larvae, supply and regeneration.

    Raises:
      UserError: the table of the installed package is damaged.
    """
    (row,) = _read("economy.json", _economy)
    return row


def _weapon(row: dict[str, Any]) -> Weapon:
    return Weapon(**{**row, "splash": tuple(Splash(*ring) for ring in row.get("splash", ()))})


def _upgrade(row: dict[str, Any]) -> UpgradeRow:
    return UpgradeRow(**{**row, "effects": tuple(UpgradeEffect(*effect) for effect in row.get("effects", ()))})


def _economy(row: dict[str, Any]) -> Economy:
    return Economy(**{**row, "resources": tuple(Resource(**resource) for resource in row["resources"])})


def _load(name: str, build: Callable[[dict[str, Any]], Row]) -> tuple[Row, ...]:
    """Rows of the file `name` of the package, each with an id of its own."""
    rows = _read(name, build)
    ids = [row.id for row in rows]
    for row, before in zip(rows[1:], ids, strict=False):
        _check(name, row, row.id > before, "ids are not in order")
    return rows


def _read(name: str, build: Callable[[dict[str, Any]], Row]) -> tuple[Row, ...]:
    text = (resources.files("asterism.game") / "data" / name).read_text(encoding="utf-8")
    try:
        return tuple(build({key: _frozen(value) for key, value in row.items()}) for row in json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"asterism/game/data/{name} is damaged ({error}): run scripts/make_tables.py") from error


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _check(name: str, row: Any, good: bool, what: str) -> None:
    if not good:
        raise UserError(f"asterism/game/data/{name} is damaged ({row.name}: {what}): run scripts/make_tables.py")
