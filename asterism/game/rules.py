"""The rules of a game version as arrays: which units, actions and upgrades of the tables it has and what they do."""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
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
    load_spells,
    load_units,
    load_upgrades,
)
from asterism.game.tasks import Kind, Task, make_tasks, moves
from asterism.game.weapons import WeaponTable, weapon_table, weapons_of
from asterism.interface.description import ActionType, GameDescription, UnitType, raw_functions
from asterism.interface.observation import Race

MINERAL_FIELD, GEYSER = "MineralField", "VespeneGeyser"
CLOAKED = ("DarkTemplar", "Observer", "ObserverSiegeMode", "OracleStasisTrap")
"""Types that only detection shows, beside all that are burrowed."""


class TargetRank(IntEnum):
    """In which order a unit that looks for a target by itself takes them (StarCraft II's attack priorities)."""

    FIGHTER = 0
    """What can attack or cast."""
    WORKER = 1
    HARMLESS = 2
    STRUCTURE = 3
    LARVA = 4
    """Larvae and their eggs."""


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
    minerals: np.ndarray  # of the step that makes it
    vespene: np.ndarray
    value: np.ndarray  # minerals + vespene of all that was spent on it
    build_time: np.ndarray
    structure: np.ndarray
    worker: np.ndarray
    townhall: np.ndarray
    refinery: np.ndarray
    flying: np.ndarray
    addon: np.ndarray
    techlab: np.ndarray
    footprint: np.ndarray  # side in cells
    blocks: np.ndarray  # nobody walks through its footprint
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
    body: np.ndarray  # cells: what keeps units apart
    armed: np.ndarray
    burrowed: np.ndarray
    cloaked: np.ndarray  # by nature: what only detection shows
    rank: np.ndarray  # `TargetRank`
    acceleration: np.ndarray  # cells a loop, gained a loop; what has none cannot move
    upgrade_acceleration: np.ndarray  # [U, K]
    upgrade_speed: np.ndarray  # [U, K]
    upgrade_creep_speed: np.ndarray  # [U, K]
    upgrade_health: np.ndarray  # [U, K]
    upgrade_shield_armor: np.ndarray  # [U, K]
    upgrade_range: np.ndarray  # [U, K]
    upgrade_attack_rate: np.ndarray  # [U, K] added to the factor
    upgrade_energy_regen: np.ndarray  # [U, K] a loop
    weapons: WeaponTable


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


def _effect(upgrade: UpgradeRow, unit: UnitRow, field: str, scale: float, base: float) -> float:
    """What an upgrade adds to `field` of a unit, whose value is `base` without it. `scale` turns the data's unit of
    measure into that of the table."""
    total = 0.0
    for effect in upgrade.effects:
        if effect.unit == unit.id and effect.field == field:
            total += {
                "add": lambda e: e.value * scale,
                "subtract": lambda e: -e.value * scale,
                "set": lambda e: e.value * scale - base,
                "multiply": lambda e: (e.value - 1.0) * base,
            }[effect.operation](effect)
    return total


def _rank(unit: UnitRow) -> TargetRank:
    if unit.name in ("Larva", "Egg"):
        return TargetRank.LARVA
    if unit.is_worker:
        return TargetRank.WORKER
    if unit.weapons or (unit.max_energy and not unit.is_structure):
        return TargetRank.FIGHTER
    return TargetRank.STRUCTURE if unit.is_structure else TargetRank.HARMLESS


def _unit_table(units: list[UnitRow | None], upgrades: list[UpgradeRow], addon_takers: set[int]) -> UnitTable:
    def column(get, dtype=np.float32):
        return np.array([get(unit) if unit else 0 for unit in units], dtype)

    def levels(field, scale=1.0, base=lambda unit: 0.0):
        rows = [
            [_effect(upgrade, unit, field, scale, base(unit)) if unit else 0.0 for upgrade in upgrades]
            for unit in units
        ]
        return np.array(rows, np.float32).reshape(len(units), len(upgrades))

    return UnitTable(
        health=column(lambda u: u.max_health),
        shield=column(lambda u: u.max_shield),
        energy=column(lambda u: u.max_energy),
        start_energy=column(lambda u: u.start_energy),
        health_regen=column(lambda u: u.health_regen),
        shield_regen=column(lambda u: u.shield_regen),
        energy_regen=column(lambda u: u.energy_regen),
        armor=column(lambda u: u.armor),
        upgrade_armor=levels("armor"),
        attributes=column(lambda u: sum(1 << ATTRIBUTES.index(a) for a in u.attributes), np.int32),
        speed=column(lambda u: u.speed if moves(u) else 0.0),
        radius=column(lambda u: u.radius),
        sight=column(lambda u: u.sight),
        supply=column(lambda u: u.supply),
        supply_provided=column(lambda u: u.supply_provided),
        minerals=column(lambda u: u.minerals),
        vespene=column(lambda u: u.vespene),
        value=column(lambda u: u.total_minerals + u.total_vespene),
        build_time=column(lambda u: u.build_time),
        structure=column(lambda u: u.is_structure, bool),
        worker=column(lambda u: u.is_worker, bool),
        townhall=column(lambda u: u.is_townhall, bool),
        refinery=column(lambda u: u.needs_geyser, bool),
        flying=column(lambda u: u.is_flying, bool),
        addon=column(lambda u: u.is_addon, bool),
        techlab=column(lambda u: u.name.endswith("TechLab"), bool),
        footprint=column(lambda u: max(u.footprint)),
        blocks=column(lambda u: u.blocks_pathing, bool),
        takes_addon=column(lambda u: u.id in addon_takers and not u.is_flying, bool),
        cargo=column(lambda u: u.cargo_size, np.int32),
        in_build_order=column(lambda u: not u.is_worker and not (u.supply_provided and not u.is_townhall), bool),
        race=column(lambda u: Race.named(u.race), np.int32),
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
        body=column(lambda u: u.separation_radius),
        armed=column(lambda u: bool(u.weapons), bool),
        burrowed=column(lambda u: "Burrowed" in u.name and not u.is_structure, bool),
        cloaked=column(lambda u: "Burrowed" in u.name or u.name in CLOAKED, bool),
        rank=column(_rank, np.int32),
        acceleration=column(lambda u: u.acceleration),
        upgrade_acceleration=levels("acceleration", 1 / 16),
        upgrade_speed=levels("speed_per_normal_s", 1 / 16, lambda u: u.speed),
        upgrade_creep_speed=levels("creep_speed_multiplier", 1.0, lambda u: u.creep_speed),
        upgrade_health=levels("health"),
        upgrade_shield_armor=levels("shield_armor"),
        upgrade_range=levels("range"),
        upgrade_attack_rate=levels("attack_rate_multiplier_add"),
        upgrade_energy_regen=levels("energy_regen_per_normal_s", 1 / 16, lambda u: u.energy_regen),
        weapons=weapon_table(units, upgrades),
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
    units = tuple(replace(by_name[n], weapons=weapons_of(by_name[n])) for n in unit_names)
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


def _who_does(game: GameDescription, task: Task) -> list[str]:
    """Types that are at a task: its users, what they are meanwhile, and reactors for the structures that they serve."""
    names = [
        *task.users,
        *task.passes_to,
        *([task.cocoon] if task.cocoon else []),
        *([task.product] if task.kind is Kind.LAND else []),
    ]
    if task.kind is Kind.TRAIN and not task.needs_addon:
        names += [name for user in task.users if (name := f"{user}Reactor") in game.unit_index]
    return names


def _task_index(game: GameDescription, tasks: tuple[Task, ...]) -> np.ndarray:
    index = np.zeros((len(game.actions), len(game.unit_types)), np.int32)
    for t, task in reversed(list(enumerate(tasks))):
        if task.level == 0:
            index[game.action_index[task.function], [game.unit_index[name] for name in _who_does(game, task)]] = t
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


@cache
def load_rules(name: str, map_cells: int) -> Rules:
    """The rules called `name`, made once in a process; raises UserError when there are none."""
    return RULES[require_choice("game setting rules", name, tuple(RULES))](map_cells)
