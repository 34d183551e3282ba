"""Maps: what can be walked and built on, how high it lies, where players and resources are. Cells are game units."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from asterism.errors import UserError

# Eight mineral fields (2 x 1 cells) and two geysers (3 x 3) as they lie around a town hall at (0, 0), for a base in
# the lower left corner: as in StarCraft II some fields touch the three cells that a town hall keeps free, the others
# lie a cell farther.
MINERAL_OFFSETS = np.array(
    [(-6.5, 3), (-7.5, 1), (-7.5, -1), (-6.5, -3), (-3.5, -6), (-1.5, -7), (0.5, -7), (2.5, -6)], float
)
MINERAL_FIELD, GEYSER = 341, 342
"""Ids of the common kinds."""
GEYSER_OFFSETS = np.array([(-2, 7), (7, -2)], float)


@dataclass(frozen=True)
class Map:
    """A map for two players. Grids are indexed [y, x]; bases of player 0 come first, mains before naturals."""

    name: str
    height: Int[np.ndarray, "h w"]
    """Terrain level; 0 is the lowest. A unit sees no higher level than its own."""
    pathable: Bool[np.ndarray, "h w"]
    buildable: Bool[np.ndarray, "h w"]
    starts: Float[np.ndarray, "2 2"]
    """Centre (x, y) of each player's first town hall."""
    bases: Float[np.ndarray, "2 n 2"]
    """Centres (x, y) where town halls belong, main, natural, third, for each player."""
    minerals: Float[np.ndarray, "m 2"]
    geysers: Float[np.ndarray, "g 2"]
    mineral_types: Int[np.ndarray, " m"]
    """Ids of `tables.Economy.resources`, of each field: how much it holds and yields."""
    geyser_types: Int[np.ndarray, " g"]

    @property
    def cells(self) -> int:
        """Side of the map in cells."""
        return self.height.shape[0]


def _resources(hall, flip_x: bool, flip_y: bool):
    flip = np.array([-1 if flip_x else 1, -1 if flip_y else 1])
    return hall + MINERAL_OFFSETS * flip, hall + GEYSER_OFFSETS * flip


def _mirror(points, cells):
    return cells - np.asarray(points, float)


def _draw(height, pathable, buildable, x, y, level, build=True):
    """Makes the rectangle x, y = (from, to) walkable, and its image under half a turn."""
    for rows, columns in ((slice(*y), slice(*x)), (slice(-y[1], -y[0]), slice(-x[1], -x[0]))):
        height[rows, columns] = level
        pathable[rows, columns] = True
        buildable[rows, columns] = build


def first_light() -> Map:
    """A map of 64 x 64 cells, symmetric under half a turn.

    The main lies on the highest ground, a ramp leads down to the natural and another to the low centre, where a block
    of cliffs stands; the third base opens to the centre by a ramp of its own.
    """
    cells = 64
    height = np.zeros((cells, cells), np.int32)
    pathable = np.zeros((cells, cells), bool)
    buildable = np.zeros((cells, cells), bool)
    draw = lambda *area, **kwargs: _draw(height, pathable, buildable, *area, **kwargs)  # noqa: E731
    draw((20, 44), (20, 44), 0)  # the centre
    draw((1, 23), (1, 23), 2)  # main
    draw((25, 44), (1, 18), 1)  # natural
    draw((1, 18), (25, 44), 1)  # third
    draw((23, 25), (11, 17), 1, build=False)  # ramp main to natural
    draw((29, 37), (18, 20), 0, build=False)  # ramp natural to centre
    draw((18, 20), (29, 37), 0, build=False)  # ramp third to centre
    main = np.index_exp[20:23, 20:23]  # the corner that main and centre share belongs to the cliff
    for area in (main, np.index_exp[-23:-20, -23:-20], np.index_exp[30:34, 30:34]):
        pathable[area] = buildable[area] = False
    halls = np.array([(11.5, 11.5), (34.5, 9.5), (9.5, 34.5)])
    flips = ((False, False), (True, False), (False, True))
    fields, geysers = zip(*(_resources(hall, *flip) for hall, flip in zip(halls, flips, strict=True)), strict=True)
    fields, geysers = np.concatenate(fields), np.concatenate(geysers)
    return Map(
        name="first_light",
        height=height,
        pathable=pathable,
        buildable=buildable,
        starts=np.stack([halls[0], _mirror(halls[0], cells)]),
        bases=np.stack([halls, _mirror(halls, cells)]),
        minerals=np.concatenate([fields, _mirror(fields, cells)]),
        geysers=np.concatenate([geysers, _mirror(geysers, cells)]),
        mineral_types=np.full(2 * len(fields), MINERAL_FIELD),
        geyser_types=np.full(2 * len(geysers), GEYSER),
    )


MAPS = {"first_light": first_light}


def load_map(name: str) -> Map:
    """The built-in map called `name`; raises UserError when there is none."""
    if name not in MAPS:
        raise UserError(f"unknown map {name!r}: choose one of {', '.join(MAPS)}")
    return MAPS[name]()


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


def free_ground(game_map: Map, townhall: bool) -> Bool[np.ndarray, "h w"]:
    """Cells on which a structure may stand: buildable and not under a resource; a town hall keeps 3 cells away."""
    free = game_map.buildable.copy()
    margin = 3 if townhall else 0
    for points, half_width, half_height in ((game_map.minerals, 1.0, 0.5), (game_map.geysers, 1.5, 1.5)):
        for x, y in points:
            rows = slice(max(int(np.floor(y - half_height - margin)), 0), int(np.ceil(y + half_height + margin)))
            columns = slice(max(int(np.floor(x - half_width - margin)), 0), int(np.ceil(x + half_width + margin)))
            free[rows, columns] = False
    return free
