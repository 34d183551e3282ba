"""The built-in maps, and how a map is found by its name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from asterism.errors import UserError
from asterism.game.map import GEYSER_OFFSETS, MINERAL_OFFSETS, Map, normal_contents
from asterism.game.map_files import read_map
from asterism.game.map_generator import generate_map


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


MAPS: dict[str, Callable[[], Map]] = {
    "first_light": first_light,
    "copper_basin": lambda: generate_map(14, 96, "copper_basin"),
    "broken_causeway": lambda: generate_map(0, 112, "broken_causeway"),
    "long_divide": lambda: generate_map(16, 128, "long_divide"),
}
SEED = "seed:"


def load_map(name: str) -> Map:
    """A map by its name: a built-in one, `seed:NUMBER` for what the generator makes of that seed, or the path of a file
    that `read_map` reads.

    Raises:
      UserError: there is none, or the file is damaged.
    """
    if name in MAPS:
        return MAPS[name]()
    if name.startswith(SEED):
        number = name.removeprefix(SEED)
        if not number.isascii() or not number.isdigit():
            raise UserError(f"map {name!r}: after {SEED} comes a whole number")
        return generate_map(int(number))
    if Path(name).suffix == ".npz":
        return read_map(name)
    raise UserError(f"unknown map {name!r}: choose {', '.join(MAPS)}, {SEED}NUMBER or the path of an .npz file")
