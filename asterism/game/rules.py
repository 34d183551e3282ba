"""The rules of a game version as arrays: which units, actions and upgrades of the tables it has and what they do."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from asterism.game.tables import ATTRIBUTES, UnitRow, UpgradeRow, Weapon, load_units, load_upgrades
from asterism.interface.description import ActionType, GameDescription, UnitType, raw_functions

MINERAL_FIELD, GEYSER = "MineralField", "VespeneGeyser"


class Kind(IntEnum):
    """What an action does in this game."""

    NO_OP = 0
    CAMERA = 1
    SMART = 2
    MOVE = 3
    ATTACK = 4
    STOP = 5
    HOLD = 6
    PATROL = 7
    GATHER = 8
    RETURN = 9
    BUILD = 10
    ADDON = 11
    TRAIN = 12
    RESEARCH = 13
    RALLY = 14
    CANCEL = 15


# Raw functions that are not derived from what a unit makes: name, kind, who can take it.
COMMON_ACTIONS = (
    ("raw_move_camera", Kind.CAMERA, "none"),
    ("Smart_pt", Kind.SMART, "mobile"),
    ("Smart_unit", Kind.SMART, "mobile"),
    ("Move_pt", Kind.MOVE, "mobile"),
    ("Attack_pt", Kind.ATTACK, "armed"),
    ("Attack_unit", Kind.ATTACK, "armed"),
    ("Stop_quick", Kind.STOP, "mobile"),
    ("HoldPosition_quick", Kind.HOLD, "mobile"),
    ("Patrol_pt", Kind.PATROL, "mobile"),
    ("Harvest_Gather_unit", Kind.GATHER, "worker"),
    ("Harvest_Return_quick", Kind.RETURN, "worker"),
    ("Rally_Units_pt", Kind.RALLY, "barracks"),
    ("Rally_Workers_pt", Kind.RALLY, "townhall"),
    ("Cancel_Last_quick", Kind.CANCEL, "trainer"),
)


class WeaponTable(NamedTuple):
    """One weapon a unit type, [U] each: the one against the ground, or the one against the air. Damage 0 is none."""

    damage: np.ndarray
    attacks: np.ndarray
    bonus: np.ndarray
    bonus_attribute: np.ndarray  # bit of the attribute
    cooldown: np.ndarray  # loops
    range: np.ndarray  # cells, edge to edge
    min_range: np.ndarray
    upgrade_damage: np.ndarray  # [U, K] added a level
    upgrade_bonus: np.ndarray


class UnitTable(NamedTuple):
    """Columns by unit type index [U]."""

    health: np.ndarray
    shield: np.ndarray
    energy: np.ndarray
    armor: np.ndarray
    upgrade_armor: np.ndarray  # [U, K]
    attributes: np.ndarray
    speed: np.ndarray  # cells a loop
    radius: np.ndarray
    sight: np.ndarray
    supply: np.ndarray
    supply_provided: np.ndarray
    value: np.ndarray  # minerals + vespene
    build_time: np.ndarray
    structure: np.ndarray
    worker: np.ndarray
    townhall: np.ndarray
    refinery: np.ndarray
    flying: np.ndarray
    addon: np.ndarray
    footprint: np.ndarray  # side in cells
    takes_addon: np.ndarray
    cargo: np.ndarray
    in_build_order: np.ndarray  # neither worker nor supply (AlphaStar, Methods: z)
    ground: WeaponTable
    air: WeaponTable


class ActionTable(NamedTuple):
    """Columns by action index [A]."""

    kind: np.ndarray
    product: np.ndarray  # unit type index, 0 for none
    upgrade: np.ndarray  # upgrade index, -1 for none
    minerals: np.ndarray
    vespene: np.ndarray
    supply: np.ndarray
    time: np.ndarray
    requires: np.ndarray  # [A, U]
    needs_addon: np.ndarray
    repeat: np.ndarray


@dataclass(frozen=True)
class Rules:
    """A game version: its description for agents and its tables for the stages of a step."""

    description: GameDescription
    units: UnitTable
    actions: ActionTable


def _weapon_table(units: list[UnitRow | None], upgrades: list[UpgradeRow], plane: str) -> WeaponTable:
    none = Weapon("", "ground", 0.0, 1, 1.0, 0.0)

    def pick(unit):
        fitting = [w for w in (unit.weapons if unit else ()) if w.target in (plane, "any")]
        return fitting[0] if fitting else none

    weapons = [pick(unit) for unit in units]
    levels = [[_effects(upgrade, unit, "damage") > 0 for upgrade in upgrades] for unit in units]
    levels = np.array(levels, np.float32).reshape(len(units), len(upgrades))
    bits = [1 << ATTRIBUTES.index(w.bonus_attribute) if w.bonus_attribute else 0 for w in weapons]

    def column(name):
        return np.array([getattr(w, name) for w in weapons], np.float32)

    return WeaponTable(
        damage=column("damage"),
        attacks=column("attacks"),
        bonus=column("bonus_damage"),
        bonus_attribute=np.array(bits, np.int32),
        cooldown=np.maximum(column("cooldown"), 1.0),
        range=column("range"),
        min_range=column("min_range"),
        upgrade_damage=levels * column("upgrade_damage")[:, None],
        upgrade_bonus=levels * column("upgrade_bonus_damage")[:, None],
    )


def _effects(upgrade: UpgradeRow, unit: UnitRow | None, field: str) -> float:
    if unit is None:
        return 0.0
    return sum(e.value for e in upgrade.effects if e.unit == unit.id and e.field == field and e.operation == "add")


def _unit_table(units: list[UnitRow | None], upgrades: list[UpgradeRow], addon_takers: set[int]) -> UnitTable:
    def column(get, dtype=np.float32):
        return np.array([get(unit) if unit else 0 for unit in units], dtype)

    armor = [[_effects(upgrade, unit, "armor") for upgrade in upgrades] for unit in units]
    return UnitTable(
        health=column(lambda u: u.max_health),
        shield=column(lambda u: u.max_shield),
        energy=column(lambda u: u.max_energy),
        armor=column(lambda u: u.armor),
        upgrade_armor=np.array(armor, np.float32).reshape(len(units), len(upgrades)),
        attributes=column(lambda u: sum(1 << ATTRIBUTES.index(a) for a in u.attributes), np.int32),
        speed=column(lambda u: u.speed),
        radius=column(lambda u: u.radius),
        sight=column(lambda u: u.sight),
        supply=column(lambda u: u.supply),
        supply_provided=column(lambda u: u.supply_provided),
        value=column(lambda u: u.total_minerals + u.total_vespene),
        build_time=column(lambda u: u.build_time),
        structure=column(lambda u: u.is_structure, bool),
        worker=column(lambda u: u.is_worker, bool),
        townhall=column(lambda u: u.is_townhall, bool),
        refinery=column(lambda u: u.needs_geyser, bool),
        flying=column(lambda u: u.is_flying, bool),
        addon=column(lambda u: u.is_addon, bool),
        footprint=column(lambda u: max(u.footprint)),
        takes_addon=column(lambda u: u.id in addon_takers, bool),
        cargo=column(lambda u: u.cargo_size, np.int32),
        in_build_order=column(lambda u: not u.is_worker and not (u.supply_provided and not u.is_townhall), bool),
        ground=_weapon_table(units, upgrades, "ground"),
        air=_weapon_table(units, upgrades, "air"),
    )


def _can_take(who: str, unit: UnitRow, units: list[UnitRow], trainers: set[int]) -> bool:
    barracks = {p for made in units if not made.is_structure for p in made.producers}
    return {
        "none": False,
        "mobile": unit.speed > 0,
        "armed": unit.speed > 0 and bool(unit.weapons),
        "worker": unit.is_worker,
        "trainer": unit.id in trainers,
        "barracks": unit.id in barracks and not unit.is_townhall,
        "townhall": unit.is_townhall,
    }[who]


def _action(name: str, units: tuple[str, ...], repeat: bool = False) -> ActionType:
    row = raw_functions()[name]
    return ActionType(
        id=row["id"],
        name=name,
        ability_id=row["ability_id"],
        general_id=row["general_id"],
        queued=row["queued"] and not repeat,
        selects=row["units"],
        target_unit=row["target_unit"],
        location=row["location"],
        repeat=repeat,
        units=units,
    )


def _maker(row: UnitRow | UpgradeRow, functions: dict[str, dict]) -> str | None:
    """Name of the raw function that makes a unit or upgrade: the general one where there is one."""
    for ability in (getattr(row, "general_id", 0), row.ability_id):
        names = [f["name"] for f in functions.values() if ability and f["ability_id"] == ability]
        fitting = [n for n in names if n.split("_")[0] in ("Train", "Research", "Build")]
        fitting.sort(key=lambda n: not n.endswith("_quick"))
        if fitting:
            return fitting[0]
    return None


def _kind(row: UnitRow | UpgradeRow) -> Kind:
    if isinstance(row, UpgradeRow):
        return Kind.RESEARCH
    if row.is_addon:
        return Kind.ADDON
    return Kind.BUILD if row.is_structure else Kind.TRAIN


def make_rules(name: str, unit_names: tuple[str, ...], upgrade_names: tuple[str, ...], map_cells: int) -> Rules:
    """Rules of a game with the given rows of the tables; actions follow from what the units can make."""
    by_name = {row.name: row for row in load_units()}
    units = [by_name[n] for n in unit_names]
    upgrades = [row for n in upgrade_names for row in load_upgrades() if row.name == n]
    here = {unit.id: unit.name for unit in units}
    makers: dict[str, list] = {}
    for row in (*units, *upgrades):
        function = _maker(row, raw_functions())
        if function and any(p in here for p in row.producers):
            makers.setdefault(function, []).append(row)
    trainers = {p for row in (*units, *upgrades) if _kind(row) in (Kind.TRAIN, Kind.RESEARCH) for p in row.producers}
    actions = [_action("no_op", ())]
    kinds = [Kind.NO_OP]
    for function, kind, who in COMMON_ACTIONS:
        actions.append(_action(function, tuple(u.name for u in units if _can_take(who, u, units, trainers))))
        kinds.append(kind)
    for function, rows in makers.items():
        takers = tuple(sorted({here[p] for row in rows for p in row.producers if p in here}))
        kind = _kind(rows[0])
        actions.append(_action(function, takers, repeat=kind is Kind.TRAIN))
        kinds.append(kind)
    neutral = (UnitType(341, MINERAL_FIELD), UnitType(342, GEYSER))
    description = GameDescription(
        name=name,
        unit_types=(UnitType(0, "none"), *(UnitType(u.id, u.name) for u in units), *neutral),
        actions=tuple(actions),
        upgrades=upgrade_names,
        effects=("none",),
        map_cells=map_cells,
    )
    addon_takers = {p for unit in units if unit.is_addon for p in unit.producers}
    rows = [None, *units, None, None]
    table = _action_table(description, kinds, makers, upgrade_names)
    return Rules(description, _unit_table(rows, upgrades, addon_takers), table)


def _action_table(game: GameDescription, kinds, makers, upgrade_names) -> ActionTable:
    count, index = len(game.actions), game.unit_index
    by_id = {unit.id: i for i, unit in enumerate(game.unit_types)}
    product, upgrade = np.zeros(count, np.int32), np.full(count, -1, np.int32)
    minerals, vespene, supply, time = (np.zeros(count, np.float32) for _ in range(4))
    requires = np.zeros((count, len(game.unit_types)), bool)
    needs_addon = np.zeros(count, bool)
    for function, rows in makers.items():
        a, row = game.action_index[function], rows[0]
        minerals[a], vespene[a] = row.minerals, row.vespene
        requires[a, [by_id[r] for r in row.requires if r in by_id]] = True
        if isinstance(row, UpgradeRow):
            upgrade[a], time[a] = upgrade_names.index(row.name), row.time
        else:
            product[a], time[a], supply[a] = index[row.name], row.build_time, row.supply
            needs_addon[a] = row.needs_addon
    return ActionTable(
        kind=np.array(kinds, np.int32),
        product=product,
        upgrade=upgrade,
        minerals=minerals,
        vespene=vespene,
        supply=supply,
        time=time,
        requires=requires,
        needs_addon=needs_addon,
        repeat=np.array([a.repeat for a in game.actions], bool),
    )


TERRAN_V1 = (
    "SCV Marine Marauder Reaper Hellion SiegeTank CommandCenter SupplyDepot Refinery Barracks BarracksTechLab "
    "EngineeringBay Factory FactoryTechLab MissileTurret"
).split()
UPGRADES_V1 = ("TerranInfantryWeaponsLevel1", "TerranInfantryArmorsLevel1")


def terran_v1(map_cells: int = 64) -> Rules:
    """Terran against Terran on the ground: the first version of the embedded game."""
    return make_rules("terran_v1", tuple(TERRAN_V1), UPGRADES_V1, map_cells)
