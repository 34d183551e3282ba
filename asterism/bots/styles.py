"""The styles of the scripted players of the three races, as data: rush, timing, macro and air for each.

Rules that lack some of the units leave of each style what they have.

A game begins with an opening that real players have played (`asterism.bots.openings`). After it come the goals here.
"""

from dataclasses import dataclass

KINDS = ("rush", "timing", "macro", "air")
"""What each race has a style of."""
SPARRING = ("worker-rush", "random")
"""What else can sit opposite an agent: one whose workers all attack, and one that takes random valid actions."""
ALL_KINDS = (*KINDS, *SPARRING)


@dataclass(frozen=True)
class Race:
    """What is the same in all styles of a race."""

    worker: str
    supply: str
    """What it makes when supply runs short."""
    hall: str
    """The town hall that it begins with."""
    stays_home: tuple[str, ...] = ()
    """Armed types that defend and do not attack."""


@dataclass(frozen=True)
class Style:
    """How one scripted player plays; pairs are ranges from which each game draws. Supplies are those of the army."""

    race: str
    kind: str
    about: str
    goals: str
    """What it wants after its opening, in the order in which it wants it, apart by commas: the own supply from which on
    it is wanted, the unit type or upgrade, and how many (1 if nothing is said)."""
    army: dict[str, float]
    """Preference for each unit type; the type with most of it for each unit owned is made next."""
    attack_supply: tuple[int, int]
    """Supply with which an attack begins."""
    attack_loop: tuple[int, int]
    """Game loop before which no attack begins."""
    workers: tuple[int, int] = (60, 66)
    """Most workers."""
    raiders: tuple[str, ...] = ()
    """Types that go for the enemy's workers by themselves, in packs, while no attack is on."""
    pack: int = 3
    """How many raiders must be there for that."""
    guard: float = 3.0
    """Supply to have for each 1000 game loops after the first 3000; below it the army comes before all else."""


RACES = {
    "terran": Race("SCV", "SupplyDepot", "CommandCenter"),
    "zerg": Race("Drone", "Overlord", "Hatchery", stays_home=("Queen",)),
    "protoss": Race("Probe", "Pylon", "Nexus"),
}

TERRAN = (
    Style(
        race="terran",
        kind="rush",
        about="marines or reapers of two or three early barracks, before there is a second base",
        goals="""14 Barracks 3, 18 OrbitalCommand, 24 BarracksReactor, 28 Refinery, 30 BarracksTechLab,
            32 CommandCenter 2, 34 Stimpack, 36 OrbitalCommand 2, 38 BarracksReactor 2, 40 Factory, 42 Refinery 2,
            44 EngineeringBay, 46 Starport, 48 TerranInfantryWeaponsLevel1, 50 ShieldWall, 56 Barracks 5,
            60 MissileTurret, 64 Refinery 3, 70 TerranInfantryArmorsLevel1, 76 CommandCenter 3, 80 StarportReactor""",
        army={"Marine": 8.0, "Reaper": 0.5, "Marauder": 2.0, "Medivac": 1.5},
        attack_supply=(6, 8),
        attack_loop=(2600, 3200),
        workers=(34, 40),
        guard=0.0,
    ),
    Style(
        race="terran",
        kind="timing",
        about="marines, marauders, tanks and medivacs of two bases, with stimpack, as soon as that is known",
        goals="""15 Barracks, 16 Refinery, 20 CommandCenter 2, 22 OrbitalCommand, 24 Factory, 26 BarracksTechLab,
            28 Stimpack, 30 Barracks 3, 32 Refinery 2, 34 OrbitalCommand 2, 36 FactoryTechLab, 38 Starport,
            42 BarracksReactor, 46 ShieldWall, 50 EngineeringBay, 52 TerranInfantryWeaponsLevel1,
            54 BarracksTechLab 2, 56 Barracks 5, 60 MissileTurret 2, 64 Refinery 3, 66 StarportReactor,
            72 CommandCenter 3, 78 BarracksReactor 2, 84 PunisherGrenades, 90 TerranInfantryArmorsLevel1, 94 Armory,
            98 TerranInfantryWeaponsLevel2""",
        army={"Marine": 7.0, "Marauder": 3.0, "SiegeTank": 1.5, "Medivac": 1.5},
        attack_supply=(24, 32),
        attack_loop=(5600, 6400),
        workers=(42, 46),
    ),
    Style(
        race="terran",
        kind="macro",
        about="three bases and upgrades first, then marines, marauders, tanks and medivacs in number",
        goals="""15 Barracks, 16 Refinery, 19 CommandCenter 2, 20 OrbitalCommand, 22 Factory, 24 Refinery 2,
            26 OrbitalCommand 2, 28 Starport, 30 FactoryTechLab, 34 BarracksReactor, 38 CommandCenter 3,
            40 Barracks 3, 44 BarracksTechLab, 46 Stimpack, 48 EngineeringBay, 50 TerranInfantryWeaponsLevel1,
            52 OrbitalCommand 3, 54 Refinery 3, 56 MissileTurret 2, 58 BarracksTechLab 2, 60 ShieldWall,
            64 Barracks 5, 68 StarportReactor, 72 TerranInfantryArmorsLevel1, 76 Refinery 4, 80 BarracksReactor 3,
            84 Armory, 88 PunisherGrenades, 92 TerranInfantryWeaponsLevel2, 96 TerranVehicleWeaponsLevel1,
            104 Barracks 7, 110 TerranInfantryArmorsLevel2""",
        army={"Marine": 6.0, "Marauder": 3.0, "SiegeTank": 2.5, "Medivac": 1.5, "VikingFighter": 0.5},
        attack_supply=(44, 54),
        attack_loop=(7600, 8800),
    ),
    Style(
        race="terran",
        kind="air",
        about="banshees that cloak and raid workers, then battlecruisers and vikings",
        goals="""15 Barracks, 16 Refinery, 19 CommandCenter 2, 20 OrbitalCommand, 22 Factory, 24 Refinery 2,
            26 Starport, 28 StarportTechLab, 30 BansheeCloak, 32 BarracksReactor, 34 OrbitalCommand 2,
            40 Starport 2, 42 Refinery 3, 44 StarportTechLab 2, 48 FusionCore, 52 Refinery 4, 54 EngineeringBay,
            56 MissileTurret 2, 60 CommandCenter 3, 64 Armory, 66 BansheeSpeed, 70 TerranShipWeaponsLevel1,
            74 Starport 3, 76 StarportTechLab 3, 80 Barracks 3, 90 TerranVehicleAndShipArmorsLevel1""",
        army={"Marine": 5.0, "Banshee": 3.0, "Battlecruiser": 2.0, "VikingFighter": 1.0},
        attack_supply=(34, 42),
        attack_loop=(7000, 8200),
        workers=(48, 54),
        raiders=("Banshee",),
        pack=1,
    ),
)
ZERG = (
    Style(
        race="zerg",
        kind="rush",
        about="zerglings of an early spawning pool, more of them for as long as it works, then roaches",
        goals="""12 SpawningPool, 14 Queen, 16 Hatchery 2, 18 Extractor, 20 zerglingmovementspeed, 26 Queen 2,
            26 RoachWarren, 30 Extractor 2, 40 Lair, 44 Hatchery 3, 48 HydraliskDen, 50 Extractor 4,
            54 EvolutionChamber, 56 ZergMissileWeaponsLevel1, 60 GlialReconstitution, 64 Overseer, 70 Queen 3""",
        army={"Zergling": 3.0, "Roach": 8.0, "Hydralisk": 4.0},
        attack_supply=(3, 5),
        attack_loop=(1500, 2000),
        workers=(30, 36),
        guard=0.0,
    ),
    Style(
        race="zerg",
        kind="timing",
        about="roaches and ravagers of two or three bases, all at once before the enemy has its third",
        goals="""17 Hatchery 2, 18 SpawningPool, 20 Extractor, 22 Queen 2, 28 RoachWarren, 30 Extractor 2,
            34 Extractor 3, 40 Lair, 44 GlialReconstitution, 50 Hatchery 3, 54 EvolutionChamber,
            56 ZergMissileWeaponsLevel1, 60 Overseer, 64 Extractor 4, 68 HydraliskDen, 74 Queen 3,
            80 EvolveMuscularAugments, 90 ZergGroundArmorsLevel1""",
        army={"Roach": 8.0, "Ravager": 1.5, "Zergling": 1.0, "Hydralisk": 3.0},
        attack_supply=(28, 36),
        attack_loop=(5200, 6000),
        workers=(36, 42),
    ),
    Style(
        race="zerg",
        kind="macro",
        about="three bases of drones first, then roaches, hydralisks and zerglings in number",
        goals="""16 Hatchery 2, 17 SpawningPool, 18 Extractor, 20 Queen 2, 24 zerglingmovementspeed, 30 Hatchery 3,
            34 Queen 3, 38 RoachWarren, 42 Extractor 2, 44 Lair, 48 EvolutionChamber, 50 Extractor 4,
            52 ZergMissileWeaponsLevel1, 56 HydraliskDen, 58 Overseer, 60 GlialReconstitution,
            66 EvolveMuscularAugments, 70 EvolveGroovedSpines, 76 ZergGroundArmorsLevel1, 80 Hatchery 4,
            84 ZergMissileWeaponsLevel2, 90 Extractor 6, 96 Queen 4, 110 ZergGroundArmorsLevel2""",
        army={"Zergling": 2.0, "Roach": 6.0, "Hydralisk": 5.0},
        attack_supply=(44, 54),
        attack_loop=(7200, 8400),
    ),
    Style(
        race="zerg",
        kind="air",
        about="mutalisks that raid workers, with zerglings, then roaches on the ground and corruptors",
        goals="""16 Hatchery 2, 17 SpawningPool, 18 Extractor, 20 Queen 2, 24 zerglingmovementspeed, 28 Lair,
            30 Extractor 2, 32 Hatchery 3, 34 Queen 3, 36 Extractor 4, 40 Spire, 44 SpineCrawler 2,
            46 RoachWarren, 50 EvolutionChamber, 54 Overseer, 60 ZergFlyerWeaponsLevel1, 64 BanelingNest,
            70 ZergMeleeWeaponsLevel1, 76 Extractor 6, 84 ZergFlyerArmorsLevel1, 96 Hatchery 4""",
        army={"Mutalisk": 6.0, "Roach": 6.0, "Zergling": 2.0, "Corruptor": 1.0},
        attack_supply=(38, 46),
        attack_loop=(7600, 8600),
        workers=(48, 54),
        raiders=("Mutalisk",),
        pack=5,
    ),
)
PROTOSS = (
    Style(
        race="protoss",
        kind="rush",
        about="zealots, stalkers and adepts of four gateways and one base",
        goals="""16 Gateway 2, 18 CyberneticsCore, 20 Assimilator, 22 WarpGateResearch, 26 Gateway 4, 40 Nexus 2,
            44 Assimilator 3, 48 TwilightCouncil, 50 Charge, 54 RoboticsFacility, 58 Forge, 62 Observer,
            66 ProtossGroundWeaponsLevel1, 72 Gateway 6, 80 Assimilator 4""",
        army={"Zealot": 5.0, "Stalker": 4.0, "Adept": 1.5, "Immortal": 2.0},
        attack_supply=(10, 14),
        attack_loop=(3400, 4200),
        workers=(30, 36),
        guard=0.0,
    ),
    Style(
        race="protoss",
        kind="timing",
        about="stalkers that blink and immortals, of two bases, as soon as there are enough",
        goals="""17 Gateway, 19 Nexus 2, 20 CyberneticsCore, 21 Assimilator 2, 24 WarpGateResearch,
            30 TwilightCouncil, 32 BlinkTech, 36 Gateway 3, 40 RoboticsFacility, 44 Gateway 5, 52 Assimilator 3,
            56 Forge, 60 Observer, 62 ProtossGroundWeaponsLevel1, 66 Charge, 70 Nexus 3, 74 Assimilator 4,
            80 Gateway 7, 90 ProtossGroundArmorsLevel1""",
        army={"Stalker": 7.0, "Immortal": 3.0, "Zealot": 2.0, "Sentry": 0.6},
        attack_supply=(28, 36),
        attack_loop=(5800, 6600),
        workers=(40, 46),
    ),
    Style(
        race="protoss",
        kind="macro",
        about="three bases and upgrades first, then zealots, immortals and colossi in number",
        goals="""14 Pylon, 15 Gateway, 16 Assimilator, 19 Nexus 2, 20 CyberneticsCore, 21 Assimilator 2,
            24 WarpGateResearch, 28 Gateway 2, 32 RoboticsFacility, 40 Nexus 3, 42 Gateway 4, 44 Forge,
            46 TwilightCouncil, 48 Assimilator 4, 50 ProtossGroundWeaponsLevel1, 54 Charge, 58 RoboticsBay,
            62 RoboticsFacility 2, 66 Observer, 70 ProtossGroundArmorsLevel1, 74 ExtendedThermalLance, 78 Gateway 7,
            86 ProtossGroundWeaponsLevel2, 90 Assimilator 6, 96 BlinkTech, 110 ProtossGroundArmorsLevel2""",
        army={"Zealot": 4.0, "Stalker": 4.0, "Sentry": 0.6, "Immortal": 4.0, "Colossus": 3.0},
        attack_supply=(44, 54),
        attack_loop=(7600, 8800),
    ),
    Style(
        race="protoss",
        kind="air",
        about="oracles that raid workers, then void rays and carriers",
        goals="""15 Gateway, 16 Assimilator, 19 Nexus 2, 20 CyberneticsCore, 21 Assimilator 2, 24 Stargate,
            28 WarpGateResearch, 34 Gateway 2, 36 Stargate 2, 40 ShieldBattery 2, 44 FleetBeacon, 48 Assimilator 4,
            52 Forge, 54 PhotonCannon 2, 56 ProtossAirWeaponsLevel1, 60 Nexus 3, 66 Stargate 3, 70 Gateway 4,
            76 ProtossAirArmorsLevel1, 80 Assimilator 6, 86 Observer""",
        army={"Stalker": 2.0, "Zealot": 2.0, "Oracle": 5.0, "VoidRay": 4.0, "Carrier": 3.0, "Phoenix": 0.4},
        attack_supply=(36, 44),
        attack_loop=(7200, 8400),
        workers=(48, 54),
        raiders=("Oracle",),
        pack=1,
    ),
)
STYLES = {(style.race, style.kind): style for style in (*TERRAN, *ZERG, *PROTOSS)}


def parse_goals(style: Style) -> list[tuple[int, str, int]]:
    """(own supply, unit type or upgrade, how many) of each goal of a style, in order."""
    rows = [goal.split() for goal in style.goals.split(",")]
    return [(int(supply), name, int(count[0]) if count else 1) for supply, name, *count in rows]
