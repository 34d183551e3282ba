"""What an order comes down to. An action such as Build_TechLab_quick is one task for a Barracks and another for a
Factory; Research_TerranInfantryWeapons_quick is one task a level."""

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache

from asterism.game.tables import AbilityRow, SpellRow, UnitRow, UpgradeRow, load_abilities, load_upgrades
from asterism.interface.description import raw_functions


class Kind(IntEnum):
    """What a task is."""

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
    MORPH = 16
    LAND = 17
    WARP = 18
    MERGE = 19
    CANCEL_WORK = 20
    CAST = 21
    LOAD = 22
    UNLOAD = 23
    BOARD = 24
    REPAIR = 25


class Builder(IntEnum):
    """What becomes of a worker that has begun a structure."""

    STAYS = 0
    LEAVES = 1
    IS_CONSUMED = 2


QUEUED = (Kind.TRAIN, Kind.RESEARCH)
"""Tasks that wait in a structure's queue and are paid when they enter it."""
TIMED = (*QUEUED, Kind.MORPH, Kind.LAND)
"""Tasks whose end the unit's timer counts down to."""

COCOONS = {
    "BroodLord": "BroodLordCocoon",
    "Baneling": "BanelingCocoon",
    "Overseer": "OverlordCocoon",
    "OverlordTransport": "TransportOverlordCocoon",
    "Ravager": "RavagerCocoon",
    "LurkerMP": "LurkerMPEgg",
}
"""What a unit is while it becomes another; what hatches from a Larva is an Egg meanwhile."""

FUNCTIONS = {
    "Morphtobaneling Baneling": "Train_Baneling_quick",
    "LiberatorAGRangeUpgrade": "Research_AdvancedBallistics_quick",
    "MedivacCaduceusReactor": "Research_HighCapacityFuelTanks_quick",
    "VoidRaySpeedUpgrade": "Research_InterceptorGravitonCatapult_quick",
    "LurkerRange": "Research_PathogenGlands_quick",
}
"""Raw functions for what pysc2's list, older than 5.0.14, has no function of its own: that of the same structure whose
research the game no longer has."""

# Raw functions that make nothing: name, kind, who can take it.
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
FULL_ACTIONS = (("Cancel_quick", Kind.CANCEL_WORK, "made"),)
"""The same for games of all races only."""


@dataclass(frozen=True)
class Task:
    """One thing that units of the types `users` do when they are given the action `function`."""

    function: str
    kind: Kind
    users: tuple[str, ...] = ()
    product: str = ""
    upgrade: str = ""
    minerals: float = 0.0
    vespene: float = 0.0
    supply: float = 0.0
    """Of the products less that of the unit that turns into them."""
    turned: float = 0.0
    """Supply of the unit that turns into the products."""
    time: float = 0.0
    """Game loops."""
    count: int = 1
    """Units that come of it."""
    requires: tuple[str, ...] = ()
    """Unit types that must stand, each itself or one that counts as it."""
    requires_upgrade: str = ""
    needs_addon: bool = False
    cocoon: str = ""
    """What the unit is meanwhile; "" for what it was."""
    builder: Builder = Builder.STAYS
    fast_time: float = 0.0
    """Game loops of a warp-in beside a warp gate or nexus."""
    cooldown: float = 0.0
    """Game loops until a warp gate can warp in another."""
    spell: str = ""
    """Name of the spell that is cast."""
    passes_to: tuple[str, ...] = ()
    """Unit types that carry out the same order in their own way without being given it by the player."""
    level: int = 0
    """How many tasks of the same action and users come before it (levels of an upgrade)."""

    @property
    def repeats(self) -> bool:
        """Whether an action may ask for several at once."""
        return self.kind in (Kind.TRAIN, Kind.WARP)


def make_tasks(
    units: tuple[UnitRow, ...], upgrades: tuple[UpgradeRow, ...], spells: tuple[SpellRow, ...] = ()
) -> tuple[Task, ...]:
    """Every task of a game with the given rows: those of `COMMON_ACTIONS`, what makes each unit and upgrade, spells."""
    cast = {function for spell in spells for function in spell.functions}
    made = [task for row in (*units, *upgrades) for task in _making(row, units) if task.function not in cast]
    several = len({unit.race for unit in units}) > 1
    common = [
        Task(name, kind, _takers(who, units, made))
        for name, kind, who in (*COMMON_ACTIONS, *(FULL_ACTIONS if several else ()))
    ]
    order = {task.function: place for place, task in reversed(list(enumerate(made)))}
    made.sort(key=lambda task: order[task.function])
    seen: dict[tuple, int] = defaultdict(int)
    leveled = []
    for task in made:
        key = (task.function, task.users)
        leveled.append(replace(task, level=seen[key]))
        seen[key] += task.kind is Kind.RESEARCH
    return (*common, *leveled, *_casting(units, upgrades, spells), *(_carrying(units) if spells else ()))


def _casting(units: tuple[UnitRow, ...], upgrades: tuple[UpgradeRow, ...], spells: tuple[SpellRow, ...]) -> list[Task]:
    """The tasks that cast the spells."""
    names, known = {row.id: row.name for row in units}, {row.id: row.name for row in upgrades}
    return [
        Task(function, Kind.CAST, tuple(sorted(names[c] for c in spell.casters if c in names)), spell=spell.name,
             minerals=spell.minerals, vespene=spell.vespene, requires_upgrade=known.get(spell.upgrade, ""),
             requires=(names[spell.consumes],) if spell.consumes else ())
        for spell in spells for function in spell.functions
    ]  # fmt: skip


def _carrying(units: tuple[UnitRow, ...]) -> list[Task]:
    """The tasks of transports and their passengers, and of repair."""
    carriers = {unit.name: unit for unit in units if unit.cargo_capacity}
    passengers = tuple(unit.name for unit in units if unit.cargo_size)
    mobile = tuple(name for name, unit in carriers.items() if not unit.is_structure)
    menders = tuple(unit.name for unit in units if unit.name in ("SCV", "MULE"))
    return [
        Task("Load_unit", Kind.LOAD, tuple(carriers)),
        Task("Load_unit", Kind.BOARD, passes_to=passengers),
        Task("UnloadAllAt_pt", Kind.UNLOAD, mobile),
        Task("UnloadAllAt_unit", Kind.UNLOAD, mobile),
        Task("UnloadAll_quick", Kind.UNLOAD, tuple(name for name in carriers if name not in mobile)),
        Task("Effect_Repair_unit", Kind.REPAIR, menders),
    ]


def _making(row: UnitRow | UpgradeRow, units: tuple[UnitRow, ...]) -> list[Task]:
    """The tasks that make one unit or upgrade, the usual way first."""
    by_id = {unit.id: unit for unit in units}
    tasks = []
    for ability in _ways(row):
        if ability.kind == "summon":  # paid with energy: a spell
            continue
        producers = [by_id[p] for p in ability.producers if p in by_id]
        if isinstance(row, UnitRow) and row.is_addon:
            producers = [p for p in producers if not p.is_flying]  # which would have to land first
        function = _function(ability, row)
        if function and producers:
            tasks.append(_task(ability, row, producers, function, by_id))
    return tasks


@cache
def _abilities_of() -> dict[tuple[bool, int], list[AbilityRow]]:
    ways = defaultdict(list)
    for ability in load_abilities():
        ways[ability.kind == "research", ability.product].append(ability)
    return ways


def _ways(row: UnitRow | UpgradeRow) -> list[AbilityRow]:
    found = _abilities_of().get((isinstance(row, UpgradeRow), row.id), [])
    return sorted(found, key=lambda ability: ability.id != row.ability_id)


def _function(ability: AbilityRow, row: UnitRow | UpgradeRow) -> str | None:
    """Name of the raw function for an ability: the general one where there is one."""
    for name in (ability.name, row.name):
        if name in FUNCTIONS and not ability.general_id:
            return FUNCTIONS[name]
    for wanted in (ability.general_id, ability.id):
        names = [name for name, f in raw_functions().items() if wanted and f["ability_id"] == wanted]
        names = [name for name in names if not name.endswith("_autocast")]
        if names:
            return min(names, key=lambda name: not name.endswith("_quick"))
    return None


def _kind(ability: AbilityRow, row: UnitRow | UpgradeRow, producers: list[UnitRow]) -> Kind:
    if isinstance(row, UpgradeRow):
        return Kind.RESEARCH
    if row.is_addon:
        return Kind.ADDON
    if ability.kind == "morph" or producers[0].name == "Larva":
        lands = producers[0].is_flying and row.is_structure or row.name in ("SpineCrawler", "SporeCrawler")
        return Kind.LAND if lands else Kind.MORPH
    return {"build": Kind.BUILD, "train": Kind.TRAIN, "warp": Kind.WARP, "merge": Kind.MERGE}[ability.kind]


def _task(ability: AbilityRow, row, producers: list[UnitRow], function: str, by_id: dict[int, UnitRow]) -> Task:
    """The task of an ability. Only the usual way to a unit costs something: unsieging a tank does not."""
    kind = _kind(ability, row, producers)
    users = tuple(sorted(p.name for p in producers))
    if isinstance(row, UpgradeRow):
        before = [u.name for u in load_upgrades() if u.id == row.requires_upgrade]
        needs = tuple(by_id[r].name for r in row.requires if r in by_id)
        return Task(function, kind, users, upgrade=row.name, minerals=row.minerals, vespene=row.vespene, time=row.time,
                    requires=needs, requires_upgrade="".join(before))  # fmt: skip
    pays = ability.id == row.ability_id or ability.kind == "warp"
    turned = producers[0].supply if kind in (Kind.MORPH, Kind.LAND) or producers[0].name == "Drone" else 0.0
    turned = row.supply if kind is Kind.MERGE else turned
    upgrade = [u.name for u in load_upgrades() if pays and u.id == row.requires_upgrade]
    return Task(
        function,
        kind,
        users,
        product=row.name,
        minerals=row.minerals * row.count * pays,
        vespene=row.vespene * row.count * pays,
        supply=row.supply * (row.count if producers[0].name == "Larva" else 1) - turned,
        turned=turned,
        time=ability.time,
        fast_time=ability.fast_time,
        cooldown=ability.cooldown,
        count=row.count if producers[0].name == "Larva" else 1,
        requires=tuple(by_id[r].name for r in row.requires if pays and r in by_id),
        requires_upgrade="".join(upgrade),
        needs_addon=row.needs_addon and kind is Kind.TRAIN,
        cocoon=_cocoon(row, producers[0]),
        builder={"Probe": Builder.LEAVES, "Drone": Builder.IS_CONSUMED}.get(producers[0].name, Builder.STAYS),
    )


def _cocoon(row: UnitRow, producer: UnitRow) -> str:
    if producer.name == "Larva":
        return "Egg"
    return COCOONS.get(row.name, "") if producer.id in row.producers else ""


def moves(row: UnitRow) -> bool:
    """Whether a player can move the unit: a larva only crawls about by itself."""
    return row.speed > 0 and row.name != "Larva"


def _takers(who: str, units: tuple[UnitRow, ...], made: list[Task]) -> tuple[str, ...]:
    """Names of the unit types that can take a common action."""
    trainers = {name for task in made if task.kind in QUEUED for name in task.users}
    barracks = {name for task in made if task.kind is Kind.TRAIN for name in task.users}
    cocoons = {task.cocoon for task in made}
    fits = {
        "none": lambda unit: False,
        "mobile": moves,
        "armed": lambda unit: moves(unit) and bool(unit.weapons),
        "worker": lambda unit: unit.is_worker or unit.name == "MULE",
        "trainer": lambda unit: unit.name in trainers,
        "barracks": lambda unit: unit.is_structure and unit.name in barracks and not unit.is_townhall,
        "townhall": lambda unit: unit.is_townhall,
        "made": lambda unit: unit.is_structure or unit.name in cocoons,
    }[who]
    return tuple(unit.name for unit in units if fits(unit))
