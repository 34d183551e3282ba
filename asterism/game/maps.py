"""The built-in maps, and how a map is found by its name."""

import numpy as np

from asterism.errors import UserError
from asterism.game.map import Map, normal_contents

# Eight mineral fields (2 x 1 cells) and two geysers (3 x 3) as they lie around a town hall at (0, 0), for a base in
# the lower left corner: as in StarCraft II some fields touch the three cells that a town hall keeps free, the others
# lie a cell farther.
MINERAL_OFFSETS = np.array(
    [(-6.5, 3), (-7.5, 1), (-7.5, -1), (-6.5, -3), (-3.5, -6), (-1.5, -7), (0.5, -7), (2.5, -6)], float
)
GEYSER_OFFSETS = np.array([(-2, 7), (7, -2)], float)


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
    height = np.zeros((cells, cells))
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
    resources = 2 * (len(fields) + len(geysers))
    return Map(
        name="first_light",
        height=height,
        pathable=pathable,
        buildable=buildable,
        starts=np.stack([halls[0], _mirror(halls[0], cells)]),
        bases=np.stack([halls, _mirror(halls, cells)]),
        minerals=np.concatenate([fields, _mirror(fields, cells)]),
        geysers=np.concatenate([geysers, _mirror(geysers, cells)]),
        contents=normal_contents(2 * len(fields), 2 * len(geysers)),
        rich=np.zeros(resources, bool),
    )


MAPS = {"first_light": first_light}


def load_map(name: str) -> Map:
    """The built-in map called `name`; raises UserError when there is none."""
    if name not in MAPS:
        raise UserError(f"unknown map {name!r}: choose one of {', '.join(MAPS)}")
    return MAPS[name]()
