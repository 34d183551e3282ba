"""Spells and buffs as arrays, for compiled code, and what of the real game's abilities is not as it is there."""

from typing import NamedTuple

import numpy as np

from asterism.game.tables import ATTRIBUTES, BuffRow, SpellRow, UnitRow, load_buffs
from asterism.interface.description import GameDescription

EFFECTS = (
    *("PsiStorm", "ScannerSweep", "Nuke", "ForceField", "BlindingCloud", "CorrosiveBile", "GuardianShield"),
    *("TemporalField", "LiberatorZone", "FungalGrowth"),
)
"""Spells that AlphaStar's statistics count."""
CASTER, TARGET, AREA = range(3)
OWN, ENEMY, ANY = range(3)
SLOTS_FOR_COOLDOWN = 3
"""Spells with a cooldown that one unit type has at most."""
ALWAYS_CLOAKED = ("Observer", "ObserverSiegeMode", "DarkTemplar", "OracleStasisTrap")
NEVER_DAMAGED = ("AdeptPhaseShift", "DisruptorPhased", "Nuke")
NAMED_UNITS = (
    *("AdeptPhaseShift", "BroodLord", "Broodling", "Zealot", "Immortal", "Marauder", "Ultralisk", "LiberatorAG"),
    *("Bunker", "CommandCenter", "PlanetaryFortress", "HellionTank", "HighTemplar", "DarkTemplar", "Archon"),
)
NAMED_UPGRADES = ("Charge", "PunisherGrenades", "TerranBuildingArmor")
NAMED_ACTIONS = ("Load_unit", "Effect_Repair_unit")
HEALERS = {
    "Medivac": (0.5625, 0.33, 4.0, 6.0),
    "ShieldBattery": (2.25, 0.33, 6.0, 6.0),
}
"""Loops heal so many points, each for so much energy, within so many cells; and from how far one comes by itself."""


class BuffTable(NamedTuple):
    """Columns of `BuffRow`, [B]."""

    id: np.ndarray
    speed: np.ndarray
    attack: np.ndarray
    armor: np.ndarray
    shield_armor: np.ndarray
    ranged_armor: np.ndarray
    range: np.ndarray
    damage: np.ndarray
    heal: np.ndarray
    energy: np.ndarray
    taken: np.ndarray
    dealt: np.ndarray
    absorbs: np.ndarray
    armored_bonus: np.ndarray
    rate: np.ndarray
    supply: np.ndarray
    toggle: np.ndarray
    stuns: np.ndarray
    disarms: np.ndarray
    silences: np.ndarray
    cloaks: np.ndarray
    reveals: np.ndarray
    shields: np.ndarray
    lifts: np.ndarray


class SpellTable(NamedTuple):
    """Columns of `SpellRow`, [S]; spell 0 is none. Buffs are indices, -1 for none."""

    subject: np.ndarray
    whose: np.ndarray
    plane: np.ndarray  # 0 ground, 1 air, 2 any
    needs: np.ndarray  # bits of attributes
    bars: np.ndarray
    energy: np.ndarray
    health: np.ndarray
    minerals: np.ndarray
    vespene: np.ndarray
    cooldown: np.ndarray
    cooldown_slot: np.ndarray  # column of `Spells.cooldown`
    range: np.ndarray
    reach: np.ndarray  # cells of a blink
    aimed: np.ndarray  # at a place or a unit
    consumes: np.ndarray  # unit type index, 0 for none
    transient: np.ndarray
    every: np.ndarray
    prep: np.ndarray
    shakes: np.ndarray
    damage: np.ndarray
    bonus_attribute: np.ndarray  # bit
    bonus: np.ndarray
    shield_damage: np.ndarray
    structure_damage: np.ndarray
    per_energy: np.ndarray
    energy_change: np.ndarray
    heal: np.ndarray
    buff: np.ndarray
    buff_time: np.ndarray
    caster_buff: np.ndarray
    ends: np.ndarray
    bond: np.ndarray
    break_range: np.ndarray
    later: np.ndarray
    later_buff: np.ndarray
    roots: np.ndarray
    radius: np.ndarray
    rings: np.ndarray  # [S, 3, 2] radius, fraction
    extends: np.ndarray
    delay: np.ndarray
    duration: np.ndarray
    follows_caster: np.ndarray
    follows_target: np.ndarray
    detects: np.ndarray
    blocks: np.ndarray
    shatters: np.ndarray
    blinks: np.ndarray
    recalls: np.ndarray
    pulls: np.ndarray
    summon: np.ndarray  # unit type index, 0 for none
    count: np.ndarray
    life: np.ndarray
    build_time: np.ndarray
    summon_buff: np.ndarray
    goal: np.ndarray  # action index of the order that is given to what is summoned, 0 for none
    at_caster: np.ndarray  # where it appears
    on_creep: np.ndarray
    stands_on_creep: np.ndarray
    injects: np.ndarray
    salvages: np.ndarray
    dies: np.ndarray
    effect: np.ndarray  # index into `GameDescription.effects`, 0 for none


class Magic(NamedTuple):
    """All that spells need of the rules. U unit types."""

    buffs: BuffTable
    spells: SpellTable
    cloaked: np.ndarray  # [U] always
    invulnerable: np.ndarray  # [U]
    absent: np.ndarray  # [U] stored, not on the field
    armed_by: np.ndarray  # [U] buff without which its weapon rests, -1 for none
    last_spell: np.ndarray  # [U] what happens where it is when its time is up, 0 for nothing
    trap: np.ndarray  # [U] what happens when an enemy comes near, 0 for nothing
    trap_radius: float
    becomes: np.ndarray  # [U] unit type index that it becomes once it is built, 0 for none
    heal_rate: np.ndarray  # [U]
    heal_energy: np.ndarray  # [U] a point
    heal_range: np.ndarray  # [U]
    heal_acquires: np.ndarray  # [U]
    heals_shield: np.ndarray  # [U]
    load_range: np.ndarray  # [U]
    unload_period: np.ndarray  # [U] loops from one passenger to the next
    shared_cargo: np.ndarray  # [U] what goes in at one comes out at another
    bunker: np.ndarray  # [U] passengers shoot
    biological: int  # bit of the attribute
    survives: np.ndarray  # [U] its passengers survive it
    repair_time: np.ndarray  # [U]
    minerals: np.ndarray  # [U] what repair and salvage reckon with
    vespene: np.ndarray  # [U]
    buff_index: dict[str, int]
    spell_index: dict[str, int]
    named: dict[str, int]
    """Indices of the unit types, upgrades, actions and effects that the stages know by name."""


def make_magic(game: GameDescription, units: tuple[UnitRow, ...], spells: tuple[SpellRow, ...]) -> Magic:
    """The arrays of the spells that a game has."""
    buffs = load_buffs()
    index = {row.name: i for i, row in enumerate(buffs)}
    table = _spell_table(game, {row.id: row.name for row in units}, spells, index)
    of = {row.name: row for row in units}
    rows = [of.get(unit.name) for unit in game.unit_types]

    def column(get, dtype=np.float32):
        return np.array([get(row) if row else 0 for row in rows], dtype)

    number = {spell.name: i + 1 for i, spell in enumerate(spells)}
    kinds = {name: game.unit_index[name] for name in NAMED_UNITS}
    kinds |= {f"{name} upgrade": game.upgrades.index(name) for name in NAMED_UPGRADES}
    becomes = dict.fromkeys(("CreepTumor", "CreepTumorQueen"), game.unit_index["CreepTumorBurrowed"])
    healer = lambda place: column(lambda u: HEALERS.get(u.name, (0.0,) * 4)[place])  # noqa: E731
    return Magic(
        buffs=_buff_table(buffs),
        spells=table,
        cloaked=column(lambda u: u.name in ALWAYS_CLOAKED or "Burrowed" in u.name, bool),
        invulnerable=column(lambda u: u.name in NEVER_DAMAGED, bool),
        absent=column(lambda u: u.name == "Nuke", bool),
        armed_by=column(lambda u: index["OracleWeapon"] if u.name == "Oracle" else -1, np.int32),
        last_spell=column(lambda u: number["PurificationNovaBurst"] if u.name == "DisruptorPhased" else 0, np.int32),
        trap=column(lambda u: number["StasisTrapTrigger"] if u.name == "OracleStasisTrap" else 0, np.int32),
        trap_radius=3.0,
        becomes=column(lambda u: becomes.get(u.name, 0), np.int32),
        heal_rate=healer(0),
        heal_energy=healer(1),
        heal_range=healer(2),
        heal_acquires=healer(3),
        heals_shield=column(lambda u: u.name == "ShieldBattery", bool),
        load_range=column(lambda u: 5.0 if u.name.startswith("WarpPrism") else 1.0),
        unload_period=column(lambda u: 8.0 if u.name.startswith("Nydus") else 0.0 if u.is_structure else 16.0),
        shared_cargo=column(lambda u: u.name.startswith("Nydus"), bool),
        bunker=column(lambda u: u.name == "Bunker", bool),
        biological=1 << ATTRIBUTES.index("biological"),
        survives=column(lambda u: u.name in ("Bunker", "CommandCenter", "PlanetaryFortress"), bool),
        repair_time=column(lambda u: u.repair_time),
        minerals=column(lambda u: u.total_minerals),
        vespene=column(lambda u: u.total_vespene),
        buff_index=index,
        spell_index=number,
        named=kinds
        | {name: game.action_index[name] for name in NAMED_ACTIONS}
        | {"LiberatorZone": game.effects.index("LiberatorZone")},
    )


def _buff_table(rows: tuple[BuffRow, ...]) -> BuffTable:
    columns = {field: np.array([getattr(row, field) for row in rows]) for field in BuffTable._fields}
    return BuffTable(**{k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in columns.items()})


def _spell_table(
    game: GameDescription, names: dict[int, str], spells: tuple[SpellRow, ...], buffs: dict[str, int]
) -> SpellTable:
    none = SpellRow("none", (), (), "caster")
    rows = (none, *spells)
    bits = lambda attributes: sum(1 << ATTRIBUTES.index(a) for a in attributes)  # noqa: E731
    unit = lambda i: game.unit_index[names[i]] if i in names else 0  # noqa: E731
    goals = {"move": "Move_pt", "attack": "Attack_pt", "gather": "Harvest_Gather_unit"}
    derived = {
        "subject": lambda r: ("caster", "target", "area").index(r.subject),
        "whose": lambda r: ("own", "enemy", "any").index(r.whose),
        "plane": lambda r: ("ground", "air", "any").index(r.plane),
        "needs": lambda r: bits(r.needs),
        "bars": lambda r: bits(r.bars),
        "bonus_attribute": lambda r: bits((r.bonus_attribute,)) if r.bonus_attribute else 0,
        "range": lambda r: 500.0 if r.teleport == "caster" else r.range,
        "reach": lambda r: r.range,
        "aimed": lambda r: not all(name.endswith("_quick") for name in r.functions),
        "consumes": lambda r: unit(r.consumes),
        "buff": lambda r: buffs.get(r.buff, -1),
        "later_buff": lambda r: buffs.get(r.later_buff, -1),
        "caster_buff": lambda r: buffs.get(r.caster_buff, -1),
        "ends": lambda r: buffs.get(r.ends, -1),
        "summon_buff": lambda r: buffs.get(r.summon_buff, -1),
        "rings": lambda r: ((r.rings or ((r.radius, 1.0),)) + ((-1.0, 0.0),) * 3)[:3],
        "follows_caster": lambda r: r.follows == "caster",
        "follows_target": lambda r: r.follows == "target",
        "blinks": lambda r: r.teleport == "caster",
        "recalls": lambda r: r.teleport == "recall",
        "pulls": lambda r: r.teleport == "pull",
        "summon": lambda r: unit(r.summon),
        "goal": lambda r: game.action_index[goals[r.goal]] if r.goal else 0,
        "at_caster": lambda r: r.goal in ("move", "attack") or (r.summon > 0 and not r.range),
        "effect": lambda r: game.effects.index(r.effect) if r.effect else 0,
    }
    slots = _cooldown_slots(rows)

    def column(field):
        values = [derived[field](row) if field in derived else getattr(row, field) for row in rows]
        array = np.array(values)
        return array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))

    return SpellTable(**{f: slots if f == "cooldown_slot" else column(f) for f in SpellTable._fields})


def _cooldown_slots(rows: tuple[SpellRow, ...]) -> np.ndarray:
    """A column of cooldowns for each spell, so that those of one unit type have columns of their own."""
    taken: dict[int, int] = {}
    slots = np.zeros(len(rows), np.int32)
    for i, row in enumerate(rows):
        if row.cooldown:
            slots[i] = max((taken.get(caster, 0) for caster in row.casters), default=0)
            taken |= dict.fromkeys(row.casters, int(slots[i]) + 1)
    assert slots.max() < SLOTS_FOR_COOLDOWN
    return slots
