"""What stands for each unit type in a picture: an outline with a mark on it, and the letters on a structure."""

import math
import re
from functools import cache
from typing import NamedTuple

Points = tuple[tuple[float, float], ...]
"""Corners in units of the unit's radius from its middle, y down; none for a disc."""


class Shape(NamedTuple):
    """A unit's picture. Its colour is its player's."""

    outline: Points
    mark: str
    """One of `MARKS`."""


MARKS = ("", "dot", "ring", "bar", "pipe", "cross", "eyes", "cap", "stripes")
"""What is drawn on the outline, in dark."""


def _regular(sides: int, turn: float = 0.0) -> Points:
    """A regular polygon that is flat below, turned clockwise by `turn` degrees, as large as a disc looks."""
    size = 1.3 if sides == 3 else 1.15
    angles = (math.radians(90 - 180 / sides - turn + 360 * k / sides) for k in range(sides))
    return tuple((size * math.cos(angle), size * math.sin(angle)) for angle in angles)


def _star(points: int, inner: float, turn: float = 0.0) -> Points:
    """A star whose notches lie at `inner` of its radius, one point up."""
    angles = [math.radians(-90 + turn + 180 * k / points) for k in range(2 * points)]
    return tuple(
        (1.25 * (inner if k % 2 else 1.0) * math.cos(angle), 1.25 * (inner if k % 2 else 1.0) * math.sin(angle))
        for k, angle in enumerate(angles)
    )


def _both_sides(*right: tuple[float, float]) -> Points:
    """The outline of which these corners, from top to bottom, are the right side."""
    return (*right, *((-x, y) for x, y in reversed(right)))


OUTLINES: dict[str, Points] = {
    "disc": (),
    "triangle": _regular(3),
    "wedge": _regular(3, 180),
    "diamond": _regular(4, 45),
    "square": _regular(4),
    "pentagon": _regular(5),
    "hexagon": _regular(6),
    "octagon": _regular(8),
    "star": _star(5, 0.5),
    "spark": _star(4, 0.45),
    "burr": _star(8, 0.65),
    "trefoil": _star(3, 0.5),
    "fang": _both_sides((0.0, -1.2), (0.75, 0.2), (0.35, 1.0), (0.0, 0.45)),
    "dart": _both_sides((0.0, -1.25), (1.05, 1.0), (0.0, 0.5)),
    "kite": _both_sides((0.0, -1.3), (0.85, -0.15), (0.0, 1.2)),
    "shield": _both_sides((0.95, -0.95), (0.95, 0.2), (0.0, 1.2)),
    "beetle": _both_sides((0.45, -1.15), (0.95, -0.3), (0.8, 0.75), (0.35, 1.1)),
    "slab": _both_sides((0.75, -1.1), (0.75, 1.1)),
    "plank": _both_sides((1.2, -0.65), (1.2, 0.65)),
    "cross": _both_sides((0.4, -1.15), (0.4, -0.4), (1.15, -0.4), (1.15, 0.4), (0.4, 0.4), (0.4, 1.15)),
    "wings": _both_sides((0.0, -0.9), (0.35, -0.2), (1.35, 0.35), (1.1, 0.8), (0.25, 0.45), (0.0, 1.0)),
    "bat": _both_sides((0.2, -0.6), (1.35, -0.75), (1.0, 0.35), (0.5, 0.25), (0.0, 1.05)),
    "hull": _both_sides((0.4, -1.3), (0.6, -0.2), (1.0, 0.3), (0.8, 1.1), (0.3, 0.9)),
    "crab": _both_sides((0.3, -0.7), (1.25, -1.0), (1.0, 0.1), (1.25, 0.9), (0.4, 0.8)),
    "hammer": _both_sides((1.15, -1.0), (1.15, -0.1), (0.5, 0.1), (0.6, 1.1)),
    "hook": ((-0.5, -1.2), (0.9, -0.5), (1.0, 0.6), (0.1, 1.2), (0.25, 0.2), (-0.7, 0.3)),
    "drop": _both_sides((0.0, -1.3), (0.6, -0.3), (0.8, 0.4), (0.45, 1.0)),
    "arch": _both_sides((0.6, -1.0), (1.2, 0.1), (1.0, 1.1), (0.5, 0.4)),
    "pod": _both_sides((0.55, -0.95), (1.0, 0.0), (0.55, 0.95)),
}

KINDS = {
    # Terran
    "SCV": "diamond",
    "MULE": "diamond cross",
    "Marine": "disc",
    "Marauder": "hexagon",
    "Reaper": "triangle",
    "Ghost": "kite eyes",
    "Hellion": "wedge",
    "HellionTank": "wedge bar",
    "WidowMine": "burr dot",
    "WidowMineBurrowed": "burr ring",
    "Cyclone": "pentagon dot",
    "SiegeTank": "square",
    "SiegeTankSieged": "square cross",
    "Thor": "hammer bar",
    "ThorAP": "hammer cross",
    "VikingFighter": "wings bar",
    "VikingAssault": "hammer",
    "Medivac": "plank cross",
    "Liberator": "arch",
    "LiberatorAG": "arch ring",
    "Banshee": "bat bar",
    "Raven": "cross ring",
    "Battlecruiser": "hull stripes",
    "Nuke": "drop cross",
    # Zerg
    "Larva": "pod",
    "Egg": "drop",
    "Drone": "beetle",
    "DroneBurrowed": "beetle ring",
    "Overlord": "octagon eyes",
    "OverlordCocoon": "octagon ring",
    "TransportOverlordCocoon": "octagon cap",
    "OverlordTransport": "octagon bar",
    "Overseer": "octagon dot",
    "OverseerSiegeMode": "octagon cross",
    "Queen": "crab eyes",
    "QueenBurrowed": "crab ring",
    "Zergling": "fang",
    "ZerglingBurrowed": "fang ring",
    "Baneling": "disc ring",
    "BanelingCocoon": "drop ring",
    "BanelingBurrowed": "disc cross",
    "Roach": "beetle stripes",
    "RoachBurrowed": "beetle cross",
    "Ravager": "beetle cap",
    "RavagerCocoon": "drop cap",
    "RavagerBurrowed": "beetle bar",
    "Hydralisk": "hook",
    "HydraliskBurrowed": "hook ring",
    "LurkerMP": "crab",
    "LurkerMPEgg": "drop stripes",
    "LurkerMPBurrowed": "crab cross",
    "Infestor": "drop eyes",
    "InfestorBurrowed": "drop bar",
    "SwarmHostMP": "crab stripes",
    "SwarmHostBurrowedMP": "crab bar",
    "LocustMP": "trefoil",
    "LocustMPFlying": "trefoil ring",
    "Ultralisk": "arch eyes",
    "UltraliskBurrowed": "arch cross",
    "Mutalisk": "wings",
    "Corruptor": "star eyes",
    "BroodLordCocoon": "pod ring",
    "BroodLord": "bat",
    "Broodling": "triangle dot",
    "Viper": "bat eyes",
    "Changeling": "disc cap",
    # Protoss
    "Probe": "diamond dot",
    "Zealot": "dart",
    "Stalker": "spark dot",
    "Sentry": "octagon pipe",
    "Adept": "kite",
    "AdeptPhaseShift": "kite ring",
    "HighTemplar": "shield dot",
    "DarkTemplar": "dart bar",
    "Archon": "burr eyes",
    "Immortal": "shield bar",
    "Colossus": "cross",
    "Disruptor": "disc dot",
    "DisruptorPhased": "disc stripes",
    "Observer": "trefoil dot",
    "ObserverSiegeMode": "trefoil cross",
    "WarpPrism": "diamond pipe",
    "WarpPrismPhasing": "diamond ring",
    "Phoenix": "wings dot",
    "VoidRay": "trefoil eyes",
    "Oracle": "arch dot",
    "Carrier": "hull",
    "Tempest": "hull cross",
    "Mothership": "star ring",
}
"""Outline and mark of each unit type that is no structure."""

LABELS = {
    "Hive": "HV",
    "Spire": "SI",
    "CreepTumorBurrowed": "CT",
    "CreepTumorQueen": "CT",
    "LurkerDenMP": "LD",
    "GreaterSpire": "GS",
    "Armory": "AR",
    "Assimilator": "AS",
    "Nexus": "NX",
    "Forge": "FO",
    "SpineCrawler": "SC",
    "SporeCrawler": "SK",
    "SpineCrawlerUprooted": "SC",
    "SporeCrawlerUprooted": "SK",
    "StarportFlying": "S",
    "FactoryFlying": "F",
    "BarracksFlying": "B",
    "RoboticsBay": "RY",
    "Stargate": "SG",
    "PhotonCannon": "PC",
    "FleetBeacon": "FB",
    "TwilightCouncil": "TC",
    "SensorTower": "ST",
    "CommandCenterFlying": "CC",
    "OrbitalCommandFlying": "OC",
    "Bunker": "BU",
}
"""Letters of the structures for which their capitals do not do."""


@cache
def shape(name: str) -> Shape:
    """The picture of a unit type that is no structure; raises KeyError for one that has none."""
    outline, _, mark = KINDS[name].partition(" ")
    return Shape(OUTLINES[outline], mark)


@cache
def label(name: str) -> str:
    """The letters on a structure."""
    return LABELS.get(name) or "".join(re.findall("[A-Z]", name))[-2:]


def buried(name: str) -> bool:
    """Whether the type lies under the ground."""
    return "Burrowed" in name and not name.startswith("CreepTumor")
