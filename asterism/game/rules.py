"""The rules of a game version as arrays: which units, actions and upgrades of the tables it has and what they do."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from asterism.errors import require_choice
from asterism.game.rosters import TERRAN_V1, UPGRADES_V1, full_units, full_upgrades
from asterism.game.spellbook import EFFECTS, Magic, make_magic
from asterism.game.tables import (
    ATTRIBUTES,
    SpellRow,
    UnitRow,
    UpgradeRow,
    Weapon,
    load_spells,
    load_units,
    load_upgrades,
)
from asterism.game.tasks import Kind, Task, make_tasks, moves
from asterism.interface.description import ActionType, GameDescription, UnitType, raw_functions
from asterism.interface.observation import Race

MINERAL_FIELD, GEYSER = "MineralField", "VespeneGeyser"


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
    start_energy: np.ndarray
    health_regen: np.ndarray  # a loop
    shield_regen: np.ndarray  # a loop, out of combat
    energy_regen: np.ndarray  # a loop
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
    race: np.ndarray  # `Race`
    needs_power: np.ndarray
    power_radius: np.ndarray  # cells
    creep_radius: np.ndarray  # cells
    needs_creep: np.ndarray
    blocked_by_creep: np.ndarray
    creep_speed: np.ndarray  # factor on creep
    detection: np.ndarray  # cells
    cargo_capacity: np.ndarray
    normal_mode: np.ndarray  # unit type index of the type whose mode this is; its own if none
    larva_home: np.ndarray  # larvae come of it
    counts_as: np.ndarray  # [U, U] the second type fulfils what asks for the first
    ground: WeaponTable
    air: WeaponTable


class TaskTable(NamedTuple):
    """Columns by task index [T]; task 0 is none."""

    kind: np.ndarray
    action: np.ndarray  # action index
    product: np.ndarray  # unit type index, 0 for none
    user: np.ndarray  # unit type index of the first that does it
    upgrade: np.ndarray  # upgrade index, -1 for none
    minerals: np.ndarray
    vespene: np.ndarray
    supply: np.ndarray  # of the products less that of what turns into them
    occupies: np.ndarray  # supply of the unit while it does the task
    time: np.ndarray  # loops
    count: np.ndarray  # units that come of it
    requires: np.ndarray  # [T, U] unit types that must stand, each itself or one that counts as it
    requires_upgrade: np.ndarray  # upgrade index, -1 for none
    needs_addon: np.ndarray
    morphs: np.ndarray  # the unit itself becomes the product
    cocoon: np.ndarray  # unit type index of what the unit is meanwhile, 0 for what it was
    builder: np.ndarray  # `Builder`
    next_level: np.ndarray  # the task in its place once its upgrade is known, 0 for none
    fast_time: np.ndarray  # loops of a warp-in beside a warp gate or nexus
    cooldown: np.ndarray  # loops until a warp gate can warp in another
    spell: np.ndarray  # index into the spell table, 0 for none


@dataclass(frozen=True)
class Rules:
    """A game version: its description for agents and its tables for the stages of a step."""

    description: GameDescription
    units: UnitTable
    tasks: TaskTable
    task: np.ndarray
    """[A, U] index of the task that an action is for a unit type; of the first level where there are several."""
    magic: Magic | None = None
    """Spells and buffs, if the rules have any."""


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
        start_energy=column(lambda u: u.start_energy),
        health_regen=column(lambda u: u.health_regen),
        shield_regen=column(lambda u: u.shield_regen),
        energy_regen=column(lambda u: u.energy_regen),
        armor=column(lambda u: u.armor),
        upgrade_armor=np.array(armor, np.float32).reshape(len(units), len(upgrades)),
        attributes=column(lambda u: sum(1 << ATTRIBUTES.index(a) for a in u.attributes), np.int32),
        speed=column(lambda u: u.speed if moves(u) else 0.0),
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
        takes_addon=column(lambda u: u.id in addon_takers and not u.is_flying, bool),
        cargo=column(lambda u: u.cargo_size, np.int32),
        in_build_order=column(lambda u: not u.is_worker and not (u.supply_provided and not u.is_townhall), bool),
        race=column(lambda u: Race[u.race.upper()], np.int32),
        needs_power=column(lambda u: u.needs_power, bool),
        power_radius=column(lambda u: u.power_radius),
        creep_radius=column(lambda u: u.creep_radius),
        needs_creep=column(lambda u: u.needs_creep, bool),
        blocked_by_creep=column(lambda u: u.blocked_by_creep, bool),
        creep_speed=column(lambda u: u.creep_speed),
        detection=column(lambda u: u.detection_range),
        cargo_capacity=column(lambda u: u.cargo_capacity, np.int32),
        normal_mode=_normal_modes(units),
        larva_home=column(lambda u: u.is_townhall and u.race == "zerg", bool),
        counts_as=_counts_as(units),
        ground=_weapon_table(units, upgrades, "ground"),
        air=_weapon_table(units, upgrades, "air"),
    )


def _normal_modes(units: list[UnitRow | None]) -> np.ndarray:
    index = {unit.id: u for u, unit in enumerate(units) if unit}
    return np.array([index.get(unit.normal_mode, u) if unit else u for u, unit in enumerate(units)], np.int32)


def _counts_as(units: list[UnitRow | None]) -> np.ndarray:
    index = {unit.id: u for u, unit in enumerate(units) if unit}
    table = np.eye(len(units), dtype=bool)
    for u, unit in enumerate(units):
        table[[index[i] for i in (unit.tech_alias if unit else ()) if i in index], u] = True
    return table


def _action(name: str, tasks: list[Task], shown: list[str]) -> ActionType:
    row = raw_functions()[name]
    repeats = any(task.repeats for task in tasks)
    return ActionType(
        id=row["id"],
        name=name,
        ability_id=row["ability_id"],
        general_id=row["general_id"],
        queued=row["queued"] and not repeats,
        selects=row["units"],
        target_unit=row["target_unit"],
        location=row["location"],
        repeat=repeats,
        units=tuple(dict.fromkeys(name for name in shown if any(name in task.users for task in tasks))),
    )


def make_rules(
    name: str,
    unit_names: tuple[str, ...],
    upgrade_names: tuple[str, ...],
    map_cells: int,
    spells: tuple[SpellRow, ...] = (),
) -> Rules:
    """Rules of a game with the given rows of the tables; actions follow from what the units can make."""
    by_name = {row.name: row for row in load_units()}
    units = tuple(by_name[n] for n in unit_names)
    upgrades = tuple(row for n in upgrade_names for row in load_upgrades() if row.name == n)
    tasks = make_tasks(units, upgrades, spells)
    functions: dict[str, list[Task]] = {"no_op": [Task("no_op", Kind.NO_OP)]}
    for task in tasks:
        functions.setdefault(task.function, []).append(task)
    neutral = (UnitType(341, MINERAL_FIELD), UnitType(342, GEYSER))
    description = GameDescription(
        name=name,
        unit_types=(UnitType(0, "none"), *(UnitType(u.id, u.name) for u in units), *neutral),
        actions=tuple(_action(function, rows, list(unit_names)) for function, rows in functions.items()),
        upgrades=upgrade_names,
        effects=("none", *EFFECTS) if spells else ("none",),
        map_cells=map_cells,
    )
    addon_takers = {p for unit in units if unit.is_addon for p in unit.producers}
    rows = [None, *units, None, None]
    listed = (functions["no_op"][0], *tasks)
    return Rules(
        description,
        _unit_table(rows, list(upgrades), addon_takers),
        _task_table(description, listed, spells),
        _task_index(description, listed),
        make_magic(description, units, spells) if spells else None,
    )


def _task_index(game: GameDescription, tasks: tuple[Task, ...]) -> np.ndarray:
    index = np.zeros((len(game.actions), len(game.unit_types)), np.int32)
    for t, task in reversed(list(enumerate(tasks))):
        if task.level == 0:
            # What turns into a cocoon goes on with the same task in it.
            names = (*task.users, *task.passes_to, *([task.cocoon] if task.cocoon else []))
            index[game.action_index[task.function], [game.unit_index[name] for name in names]] = t
    return index


def _task_table(game: GameDescription, tasks: tuple[Task, ...], spells: tuple[SpellRow, ...]) -> TaskTable:
    def column(get, dtype=np.float32):
        return np.array([get(task) for task in tasks], dtype)

    upgrades = {name: i for i, name in enumerate(game.upgrades)}
    spell_index = {spell.name: i + 1 for i, spell in enumerate(spells)}
    places = {(task.function, task.users, task.level): t for t, task in enumerate(tasks)}
    unit = lambda name: game.unit_index[name] if name else 0  # noqa: E731
    requires = np.zeros((len(tasks), len(game.unit_types)), bool)
    for row, task in zip(requires, tasks, strict=True):
        row[[game.unit_index[name] for name in task.requires]] = True
    return TaskTable(
        kind=column(lambda t: t.kind, np.int32),
        action=column(lambda t: game.action_index[t.function], np.int32),
        product=column(lambda t: unit(t.product), np.int32),
        user=column(lambda t: unit(t.users[0]) if t.users else 0, np.int32),
        upgrade=column(lambda t: upgrades.get(t.upgrade, -1), np.int32),
        minerals=column(lambda t: t.minerals),
        vespene=column(lambda t: t.vespene),
        supply=column(lambda t: t.supply),
        occupies=column(lambda t: t.supply + t.turned),
        time=column(lambda t: t.time),
        count=column(lambda t: t.count, np.int32),
        requires=requires,
        requires_upgrade=column(lambda t: upgrades.get(t.requires_upgrade, -1), np.int32),
        needs_addon=column(lambda t: t.needs_addon, bool),
        morphs=column(lambda t: t.kind in (Kind.MORPH, Kind.LAND), bool),
        cocoon=column(lambda t: unit(t.cocoon), np.int32),
        builder=column(lambda t: t.builder, np.int32),
        next_level=column(lambda t: places.get((t.function, t.users, t.level + 1), 0), np.int32),
        fast_time=column(lambda t: t.fast_time),
        cooldown=column(lambda t: t.cooldown),
        spell=column(lambda t: spell_index.get(t.spell, 0), np.int32),
    )


def terran_v1(map_cells: int = 64) -> Rules:
    """Terran against Terran on the ground: the first version of the embedded game."""
    return make_rules("terran_v1", TERRAN_V1, UPGRADES_V1, map_cells)


def full(map_cells: int = 64) -> Rules:
    """All three races of the ranked game, version 5.0.14."""
    return make_rules("full", full_units(), full_upgrades(), map_cells, load_spells())


RULES = {"terran_v1": terran_v1, "full": full}


def load_rules(name: str, map_cells: int) -> Rules:
    """The rules called `name`; raises UserError when there are none."""
    return RULES[require_choice("game setting rules", name, tuple(RULES))](map_cells)
