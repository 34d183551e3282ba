"""Scripted players of the three races, as data: what each builds, in which order, and with what it attacks."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.errors import UserError
from asterism.game.rules import Rules
from asterism.game.tasks import Kind

GOALS, TYPES = 48, 8
"""Most goals of a style, and most unit types of its army."""


@dataclass(frozen=True)
class RaceStyle:
    """One scripted player; pairs are ranges from which each game draws."""

    race: str
    worker: str
    supply: str
    """What it makes when supply runs short."""
    goals: tuple[tuple[int, str, int], ...]
    """(own supply, unit type or upgrade, how many): from that supply on it wants to have so many; the first that is
    missing is next."""
    army: dict[str, float]
    """Preference for each unit type; the type with most of it for each unit owned is made next."""
    stays_home: tuple[str, ...] = ()
    """Armed types that defend and do not attack."""
    workers: tuple[int, int] = (40, 44)
    """Most workers."""
    attack_supply: tuple[int, int] = (40, 50)
    """Army supply with which an attack begins."""
    attack_loop: tuple[int, int] = (7000, 8500)
    """Game loop before which no attack begins."""
    retreat_share: float = 0.4
    """An attack ends when the army falls below this share of the supply with which it begins."""
    guard: float = 4.0
    """Army supply to have for each 1000 game loops after the first 3000; below it the army comes before all else."""
    delay: tuple[int, int] = (8, 16)
    """Game loops from one look to the next."""


TERRAN = RaceStyle(
    race="terran",
    worker="SCV",
    supply="SupplyDepot",
    goals=(
        (15, "Barracks", 1),
        (16, "Refinery", 1),
        (19, "OrbitalCommand", 1),
        (19, "CommandCenter", 2),
        (20, "BarracksReactor", 1),
        (22, "Factory", 1),
        (26, "FactoryTechLab", 1),
        (28, "Barracks", 2),
        (30, "Refinery", 2),
        (32, "BarracksTechLab", 1),
        (34, "OrbitalCommand", 2),
        (36, "Stimpack", 1),
        (38, "EngineeringBay", 1),
        (40, "Starport", 1),
        (44, "Barracks", 3),
        (46, "TerranInfantryWeaponsLevel1", 1),
        (48, "BarracksTechLab", 2),
        (50, "ShieldWall", 1),
        (52, "StarportReactor", 1),
        (56, "Refinery", 3),
        (62, "TerranInfantryArmorsLevel1", 1),
        (64, "CommandCenter", 3),
        (70, "Armory", 1),
        (74, "Barracks", 5),
        (78, "BarracksReactor", 2),
        (80, "PunisherGrenades", 1),
        (84, "TerranInfantryWeaponsLevel2", 1),
        (90, "TerranVehicleWeaponsLevel1", 1),
        (96, "Refinery", 4),
        (100, "BarracksReactor", 3),
        (110, "TerranInfantryArmorsLevel2", 1),
    ),
    army={"Marine": 6.0, "Marauder": 3.0, "SiegeTank": 2.5, "Medivac": 1.5, "VikingFighter": 0.5},
)
ZERG = RaceStyle(
    race="zerg",
    worker="Drone",
    supply="Overlord",
    goals=(
        (16, "Hatchery", 2),
        (17, "SpawningPool", 1),
        (18, "Extractor", 1),
        (20, "Queen", 2),
        (24, "zerglingmovementspeed", 1),
        (26, "Zergling", 6),
        (28, "RoachWarren", 1),
        (32, "Extractor", 2),
        (36, "Hatchery", 3),
        (38, "Lair", 1),
        (40, "Queen", 3),
        (42, "EvolutionChamber", 1),
        (44, "Extractor", 3),
        (46, "ZergMissileWeaponsLevel1", 1),
        (52, "GlialReconstitution", 1),
        (56, "HydraliskDen", 1),
        (62, "Extractor", 4),
        (66, "EvolveMuscularAugments", 1),
        (70, "EvolveGroovedSpines", 1),
        (76, "ZergGroundArmorsLevel1", 1),
        (84, "ZergMissileWeaponsLevel2", 1),
        (96, "Queen", 4),
        (110, "ZergGroundArmorsLevel2", 1),
    ),
    army={"Zergling": 5.0, "Roach": 5.0, "Hydralisk": 5.0},
    stays_home=("Queen",),
    guard=3.0,
)
PROTOSS = RaceStyle(
    race="protoss",
    worker="Probe",
    supply="Pylon",
    goals=(
        (14, "Pylon", 1),
        (15, "Gateway", 1),
        (16, "Assimilator", 1),
        (19, "Nexus", 2),
        (20, "CyberneticsCore", 1),
        (21, "Assimilator", 2),
        (24, "WarpGateResearch", 1),
        (26, "Gateway", 2),
        (32, "RoboticsFacility", 1),
        (38, "Gateway", 3),
        (42, "Forge", 1),
        (46, "TwilightCouncil", 1),
        (50, "ProtossGroundWeaponsLevel1", 1),
        (54, "Charge", 1),
        (58, "Gateway", 4),
        (62, "Assimilator", 3),
        (66, "Nexus", 3),
        (70, "RoboticsFacility", 2),
        (74, "ProtossGroundArmorsLevel1", 1),
        (76, "Assimilator", 4),
        (78, "RoboticsBay", 1),
        (82, "Gateway", 6),
        (86, "ProtossGroundWeaponsLevel2", 1),
        (90, "ExtendedThermalLance", 1),
        (96, "BlinkTech", 1),
        (110, "ProtossGroundArmorsLevel2", 1),
    ),
    army={"Zealot": 4.0, "Stalker": 5.0, "Sentry": 0.6, "Immortal": 4.0, "Colossus": 3.0},
)
RACE_STYLES = {"terran": TERRAN, "zerg": ZERG, "protoss": PROTOSS}


class RacePlan(NamedTuple):
    """One scripted player in one game. G goals, C types of the army, U unit types; times in game loops."""

    goal: Int[Array, " G"]
    """Tasks (index into `Rules.tasks`), 0 for none."""
    count: Int[Array, " G"]
    """How many of what each goal makes are wanted."""
    from_supply: Int[Array, " G"]
    """Own supply from which on it is wanted."""
    army: Int[Array, " C"]
    """Tasks that make soldiers, 0 for none."""
    weight: Float[Array, " C"]
    stays_home: Bool[Array, " U"]
    worker: Int[Array, ""]
    """The task that makes a worker."""
    supply: Int[Array, ""]
    workers: Int[Array, ""]
    attack_supply: Int[Array, ""]
    attack_loop: Int[Array, ""]
    retreat_share: Float[Array, ""]
    guard: Float[Array, ""]
    delay: Int[Array, ""]


def race_style(name: str) -> RaceStyle:
    """The style called `name`; raises UserError when there is none."""
    if name not in RACE_STYLES:
        raise UserError(f"unknown bot {name!r}: choose one of {', '.join(RACE_STYLES)}")
    return RACE_STYLES[name]


def tasks_for(rules: Rules, name: str) -> list[int]:
    """The tasks that make the unit type or upgrade called `name` for something, the usual way first."""
    game, tasks = rules.description, rules.tasks
    if name in game.upgrades:
        made = (tasks.upgrade == game.upgrades.index(name)) & (tasks.kind == Kind.RESEARCH)
    else:
        made = (tasks.product == game.unit_index[name]) & (tasks.minerals + tasks.vespene > 0)
    return np.flatnonzero(made).tolist()


def draw_plan(key: PRNGKeyArray, rules: Rules, style: RaceStyle) -> RacePlan:
    """A scripted player for one game: the style, with numbers from its ranges."""
    keys = iter(jax.random.split(key, 5))
    between = lambda pair: jax.random.randint(next(keys), (), pair[0], pair[1] + 1)  # noqa: E731
    supply, names, counts = zip(*style.goals, strict=True)
    soldiers = [(task, weight) for name, weight in style.army.items() for task in tasks_for(rules, name)]
    home = np.isin([unit.name for unit in rules.description.unit_types], style.stays_home)

    def row(values, length, dtype=np.int32):
        return jnp.asarray(np.pad(np.array(values, dtype), (0, length - len(values))))

    tasks, weights = zip(*soldiers, strict=True)
    noise = jax.random.uniform(next(keys), (TYPES,), minval=0.8, maxval=1.2)
    return RacePlan(
        goal=row([tasks_for(rules, name)[0] for name in names], GOALS),
        count=row(counts, GOALS),
        from_supply=row(supply, GOALS),
        army=row(tasks, TYPES),
        weight=row(weights, TYPES, np.float32) * noise,
        stays_home=jnp.asarray(home),
        worker=jnp.int32(tasks_for(rules, style.worker)[0]),
        supply=jnp.int32(tasks_for(rules, style.supply)[0]),
        workers=between(style.workers),
        attack_supply=between(style.attack_supply),
        attack_loop=between(style.attack_loop),
        retreat_share=jnp.float32(style.retreat_share),
        guard=jnp.float32(style.guard),
        delay=between(style.delay),
    )
