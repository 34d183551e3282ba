"""The openings of each style: build orders of real players that were played as the style is.

A build order belongs to a style by what stands in it, in which order and how early; see `FITS`.
"""

from collections.abc import Callable
from functools import cache

from asterism.bots.build_orders import BuildItem, BuildOrder, load_build_orders
from asterism.bots.styles import RACES

ITEMS = 20
"""Most items of an opening."""
LEFT_OUT = ("WarpGate", "MULE")
"""What the game makes by itself, or what is no choice of a build order."""


def starts(order: BuildOrder, *units: str) -> list[int]:
    """Game loops at which units or structures of these names were started."""
    return [item.loop for item in order.items if item.unit in units]


def before(order: BuildOrder, unit: str, other: str) -> int:
    """How many of `unit` were started before the first `other`, or at all if that never came."""
    end = min(starts(order, other), default=order.loops)
    return sum(loop < end for loop in starts(order, unit))


def by(order: BuildOrder, loop: int, *units: str) -> int:
    """How many of these were started by a game loop."""
    return sum(start <= loop for start in starts(order, *units))


def one_base(order: BuildOrder) -> bool:
    """A Protoss with two gateways before its second base, and no cannons."""
    return before(order, "Gateway", "Nexus") >= 2 and by(order, 2200, "Gateway") >= 2 and not starts(order, "Forge")


FITS: dict[tuple[str, str], Callable[[BuildOrder], bool]] = {
    ("terran", "rush"): lambda o: before(o, "Barracks", "CommandCenter") >= 2 and by(o, 1700, "Barracks") >= 2,
    ("terran", "timing"): lambda o: (
        by(o, 3400, "CommandCenter") == 1 == len(starts(o, "CommandCenter")) and not starts(o, "Banshee", "FusionCore")
    ),
    ("terran", "macro"): lambda o: len(starts(o, "CommandCenter")) >= 2,
    ("terran", "air"): lambda o: bool(starts(o, "Banshee", "Liberator", "Raven", "FusionCore", "StarportTechLab")),
    ("zerg", "rush"): lambda o: by(o, 1060, "SpawningPool") == 1 and before(o, "SpawningPool", "Hatchery") == 1,
    ("zerg", "timing"): lambda o: by(o, 5000, "RoachWarren") == 1 and before(o, "Hatchery", "SpawningPool") == 1,
    ("zerg", "macro"): lambda o: by(o, 3900, "Hatchery") >= 2 and not starts(o, "BanelingNest", "RoachWarren"),
    ("zerg", "air"): lambda o: o.counts.get("Mutalisk", 0) >= 3 and before(o, "Hatchery", "SpawningPool") == 1,
    ("protoss", "rush"): one_base,
    ("protoss", "timing"): lambda o: before(o, "Nexus", "TwilightCouncil") == 1 and not starts(o, "Stargate"),
    ("protoss", "macro"): lambda o: len(starts(o, "Nexus")) >= 2,
    ("protoss", "air"): lambda o: by(o, 4200, "Stargate") == 1 and not starts(o, "Forge"),
}


@cache
def openings(race: str, kind: str) -> tuple[tuple[BuildItem, ...], ...]:
    """The openings of a style, each by loop, without what the game makes by itself; of rushes the first base only."""
    orders = [order for order in load_build_orders(race) if FITS[race, kind](order) and len(order.items) >= 10]
    return tuple(_items(order, kind)[:ITEMS] for order in orders)


def _items(order: BuildOrder, kind: str) -> tuple[BuildItem, ...]:
    """What is followed of a build order: of a rush all before its next base but one, of a Terran's and a Protoss's all
    before the next."""
    items = tuple(item for item in order.items if item.unit not in LEFT_OUT)
    halls = [place for place, item in enumerate(items) if item.unit == RACES[order.race].hall]
    bases = 2 if order.race == "zerg" else 1
    return items[: halls[bases - 1]] if kind == "rush" and len(halls) >= bases else items
