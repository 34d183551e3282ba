"""What a map is: where one can walk and build, how high that lies, where players begin and what there is to mine."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from asterism.game.navigation import ground_distance
from asterism.game.tables import load_economy

MULTIPLE = 16
"""The side of a map is a multiple of this many cells."""

# Eight mineral fields (2 x 1 cells) and two geysers (3 x 3) as they lie around a town hall at (0, 0), for a base in
# the lower left corner: as in StarCraft II some fields touch the three cells that a town hall keeps free, the others
# lie a cell farther.
MINERAL_OFFSETS = np.array(
    [(-6.5, 3), (-7.5, 1), (-7.5, -1), (-6.5, -3), (-3.5, -6), (-1.5, -7), (0.5, -7), (2.5, -6)], float
)
GEYSER_OFFSETS = np.array([(-2, 7), (7, -2)], float)

Turn = Callable[[Shaped[np.ndarray, "s s"]], Shaped[np.ndarray, "s s"]]
SYMMETRIES: dict[str, Turn] = {
    "half turn": lambda grid: grid[::-1, ::-1],
    "left and right": lambda grid: grid[:, ::-1],
    "top and bottom": lambda grid: grid[::-1],
    "diagonal": lambda grid: grid.T,
    "other diagonal": lambda grid: grid[::-1, ::-1].T,
}
"""The ways in which one player's half can be the image of the other's. Each is its own inverse."""


@dataclass(frozen=True)
class Map:
    """A map for two players, in cells, which are StarCraft II's units of length.

    Grids are indexed [y, x] and square, with a side that is a multiple of 16: a map that is none is padded with cliffs.
    A resource is a mineral field (2 x 1 cells) or a geyser (3 x 3); fields come first in what lists resources.
    """

    name: str
    height: Float[np.ndarray, "h w"]
    """Height of the ground in cliff levels; 0 is the lowest, on ramps it lies between."""
    pathable: Bool[np.ndarray, "h w"]
    buildable: Bool[np.ndarray, "h w"]
    starts: Float[np.ndarray, "2 2"]
    """Centre (x, y) of each player's first town hall."""
    bases: Float[np.ndarray, "2 n 2"]
    """Centres (x, y) where each player's town halls belong: main, natural, third and so on, as far as the way is."""
    minerals: Float[np.ndarray, "m 2"]
    geysers: Float[np.ndarray, "g 2"]
    contents: Float[np.ndarray, " r"]
    """Minerals or vespene in each resource."""
    rich: Bool[np.ndarray, " r"]
    """Whether a trip to the resource brings more: 7 minerals, or 8 vespene."""

    @property
    def cells(self) -> int:
        """Side of the map in cells."""
        return self.height.shape[0]

    @cached_property
    def resources(self) -> Float[np.ndarray, "r 2"]:
        """Centres (x, y) of all resources."""
        return np.concatenate([self.minerals, self.geysers])

    @cached_property
    def base_of(self) -> Int[np.ndarray, " r"]:
        """Number of the base to which each resource belongs, the nearest."""
        halls = np.unique(self.bases.reshape(-1, 2), axis=0)
        return np.hypot(*(self.resources[:, None] - halls).transpose(2, 0, 1)).argmin(1)

    @cached_property
    def symmetry(self) -> str | None:
        """Which of SYMMETRIES takes the walkable ground onto itself and the first player's start onto the second's."""
        start = np.zeros((2, self.cells, self.cells), bool)
        for player, (x, y) in enumerate(self.starts):
            start[player, int(y), int(x)] = True
        for name, turn in SYMMETRIES.items():
            if (turn(self.pathable) == self.pathable).all() and (turn(start[0]) == start[1]).all():
                return name
        return None

    def image(self) -> Int[np.ndarray, " c"] | None:
        """The flat index of the cell onto which the map's symmetry takes each cell, None if it has no symmetry."""
        if self.symmetry is None:
            return None
        return SYMMETRIES[self.symmetry](np.arange(self.cells**2).reshape(self.cells, -1)).reshape(-1)


def normal_contents(minerals: int, geysers: int) -> Float[np.ndarray, " r"]:
    """What so many normal mineral fields and geysers hold."""
    full = {resource.name: resource.contents for resource in load_economy().resources}
    return np.repeat([full["MineralField"], full["VespeneGeyser"]], [minerals, geysers]).astype(float)


def order_bases(
    pathable: Bool[np.ndarray, "h w"], starts: Float[np.ndarray, "2 2"], halls: Float[np.ndarray, "b 2"]
) -> Float[np.ndarray, "2 n 2"]:
    """Each player's bases by the way from its start: those that it has the shorter way to, or with ways as long (within
    a cell) is not farther from.

    Where one player has fewer, the nearest of the other's follow, so that both have as many.
    """
    way = ground_distance(pathable, starts)[:, halls[:, 1].astype(int), halls[:, 0].astype(int)]
    far = np.hypot(*(starts[:, None] - halls).transpose(2, 0, 1))
    own = (way < way[::-1] - 1.0) | (np.abs(way - way[::-1]) <= 1.0) & (far <= far[::-1] + 0.01)
    order = np.lexsort((way, ~own), axis=1)[:, : own.sum(1).max()]
    return halls[order]


def free_rectangles(
    free: Bool[np.ndarray, "h w"], left: int, right: int, down: int, up: int
) -> Bool[np.ndarray, "h w"]:
    """For each cell, whether all cells from (x - left, y - down) to (x + right - 1, y + up - 1) are free."""
    padded = np.pad(free, ((down, up), (left, right)))
    result = np.ones_like(free)
    h, w = free.shape
    for dy in range(down + up):
        for dx in range(left + right):
            result &= padded[dy : dy + h, dx : dx + w]
    return result


def free_ground(
    buildable: Bool[np.ndarray, "h w"],
    minerals: Float[np.ndarray, "m 2"],
    geysers: Float[np.ndarray, "g 2"],
    townhall: bool,
) -> Bool[np.ndarray, "h w"]:
    """Cells on which a structure may stand: buildable and not under a resource; a town hall keeps 3 cells away.

    As in StarCraft II the ground kept from town halls lacks its corners: 1 cell around a field, 3 around a geyser.
    """
    free = buildable.copy()
    margin = 3 if townhall else 0
    for points, half_width, half_height, cut in ((minerals, 1.0, 0.5, 1), (geysers, 1.5, 1.5, 2)):
        w, h = int(2 * (half_width + margin)), int(2 * (half_height + margin))
        x, y = np.arange(w), np.arange(h)[:, None]
        corner = np.minimum(x, w - 1 - x) + np.minimum(y, h - 1 - y)
        taken = corner >= (cut if townhall else 0)
        for left, bottom in np.rint(points - (half_width + margin, half_height + margin)).astype(int).tolist():
            rows, columns = slice(max(bottom, 0), bottom + h), slice(max(left, 0), left + w)
            inside = free[rows, columns]
            skip_y, skip_x = max(-bottom, 0), max(-left, 0)
            inside &= ~taken[skip_y : skip_y + inside.shape[0], skip_x : skip_x + inside.shape[1]]
    return free


def hall_places(buildable, minerals, geysers) -> Bool[np.ndarray, "h w"]:
    """Cells in which a town hall can have its centre."""
    return free_rectangles(free_ground(buildable, minerals, geysers, townhall=True), 2, 3, 2, 3)
