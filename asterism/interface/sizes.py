"""The sizes of the interface, as data: how many entities, how fine a map, how many choices."""

from dataclasses import dataclass

from asterism.errors import UserError


@dataclass(frozen=True)
class InterfaceSize:
    """How much an agent sees and how finely it acts (`full` is AlphaStar's own, Methods: Interface)."""

    name: str
    entities: int
    """Entities in one observation."""
    map: int
    """Side of the map planes, in cells of the plane."""
    location: int
    """Side of the grid on which target locations are chosen."""
    selected: int
    """Most units that one action can select."""
    delays: int = 128
    """Choices of the delay until the next observation: 0..delays-1 game loops."""
    repeats: int = 4
    """Choices of how often an action is repeated: 0..repeats-1 more times."""
    build_order: int = 20
    """Entries of a build order in z."""

    def __post_init__(self):
        for field in ("entities", "map", "location", "selected", "delays", "repeats", "build_order"):
            if getattr(self, field) < 1:
                raise UserError(f"interface size {self.name}: {field} is {getattr(self, field)}, it must be at least 1")
        if self.location % self.map:
            raise UserError(
                f"interface size {self.name}: location ({self.location}) must be a multiple of map ({self.map})"
            )


SIZES = {
    size.name: size
    for size in (
        InterfaceSize("tiny", entities=64, map=16, location=32, selected=12),
        InterfaceSize("small", entities=256, map=64, location=128, selected=32),
        InterfaceSize("full", entities=512, map=128, location=256, selected=64),
    )
}


def interface_size(name: str) -> InterfaceSize:
    """The size called `name`; raises UserError when there is none."""
    if name not in SIZES:
        raise UserError(f"unknown size {name!r}: choose one of {', '.join(SIZES)}")
    return SIZES[name]
