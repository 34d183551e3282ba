"""Which units and upgrades of the tables a version of the embedded game has, and why others are not in it."""

from asterism.game.tables import RACES, load_units, load_upgrades

TERRAN_V1 = tuple(
    (
        "SCV Marine Marauder Reaper Hellion SiegeTank CommandCenter SupplyDepot Refinery Barracks BarracksTechLab "
        "EngineeringBay Factory FactoryTechLab MissileTurret"
    ).split()
)
UPGRADES_V1 = ("TerranInfantryWeaponsLevel1", "TerranInfantryArmorsLevel1")

NOT_1V1 = frozenset(
    (
        "InfestorTerran InfestorTerranBurrowed InfestedTerransEgg InfestedTerransEggPlacement WarHound TowerMine "
        "HERC HERCPlacement GhostNova Elsecaro_Colonist_Hut GuardianMP GuardianCocoonMP DevourerMP DevourerCocoonMP "
        "DefilerMP DefilerMPBurrowed ScourgeMP QueenMP CorsairMP ScoutMP ArbiterMP Replicant MothershipCore "
        "IceProtossCrates ProtossCrates BypassArmorDrone RavenRepairDrone PointDefenseDrone ThorAALance Viking "
        "VoidMPImmortalReviveCorpse ReleaseInterceptorsBeacon PylonOvercharged ResourceBlocker NydusCanalAttacker "
        "NydusCanalCreeper TechLab Reactor"
    ).split()
)
"""Rows of the tables that no player of a ranked game can have: units of the campaign, of co-op, of older versions, and
types that only stand for others."""

LEFT_OUT = {
    "Interceptor": "the Carrier attacks with its interceptors' weapons itself",
    "ChangelingZealot": "a Changeling keeps its own shape",
    "ChangelingMarineShield": "a Changeling keeps its own shape",
    "ChangelingMarine": "a Changeling keeps its own shape",
    "ChangelingZerglingWings": "a Changeling keeps its own shape",
    "ChangelingZergling": "a Changeling keeps its own shape",
    "RefineryRich": "a Refinery on a rich geyser brings what a rich one does",
    "ExtractorRich": "an Extractor on a rich geyser brings what a rich one does",
    "AssimilatorRich": "an Assimilator on a rich geyser brings what a rich one does",
}
"""Units of the ranked game that the embedded game does not have, and why."""


SIMPLIFIED = {
    "Mutalisk": "its glaive does not bounce",
    "Mothership": "attacks one target at a time, and has no cloaking field",
    "Carrier": "always has eight interceptors, which cannot be shot down",
    "Thor": "against a Colossus it uses the first of its weapons",
    "ThorAP": "against a Colossus it uses the first of its weapons",
    "LiberatorAG": "fires at what is within its range of itself, not only in its zone",
    "WidowMineBurrowed": "its missile is a weapon that takes 640 loops to load, during which it stays cloaked",
    "Phoenix": "stands still while it shoots",
    "Battlecruiser": "stands still while it shoots",
    "VoidRay": "stands still while it shoots",
    "Changeling": "keeps its own shape",
    "Reaper": "does not jump cliffs",
    "Nuke": "is in store and goes with the calldown",
    "CreepTumor": "burrows the moment it is grown",
    "CreepTumorQueen": "burrows the moment it is grown",
    "LocustMPFlying": "is there for its id: locusts hatch on the ground",
    "Larva": "lies still",
}
"""Units that differ from the real game's beyond what all do (docs/game.md), and how."""


def full_units() -> tuple[str, ...]:
    """Every unit of the ranked game but those in `LEFT_OUT`, Terran first, then Zerg and Protoss, each by id."""
    absent = NOT_1V1 | LEFT_OUT.keys()
    return tuple(row.name for race in RACES for row in load_units() if row.race == race and row.name not in absent)


def full_upgrades() -> tuple[str, ...]:
    """Every upgrade of the ranked game."""
    return tuple(row.name for race in RACES for row in load_upgrades() if row.race == race)
