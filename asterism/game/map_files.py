"""Reads maps from .npz files: what StarCraft II's own interface says of a map before the game begins.

A file holds `size` (width, height), `playable` (x, y of the lower left corner, x, y of the upper right), the grids
`pathing` and `placement` (bits, row by row from y = 0, eight to a byte) and `height` (bytes [y, x]; sixteen make a
cliff level), `start` (where enemies may begin) and `units`: rows of type id, owner, x, y and more.
"""

import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from asterism.errors import UserError
from asterism.game.map import MULTIPLE, SYMMETRIES, Map, hall_places, order_bases
from asterism.game.navigation import walk_graph
from asterism.game.tables import load_economy, load_units

LEVEL = 16
"""Steps of the height grid that make a cliff level."""
SPREAD = 8.5
"""Resources no farther from each other than this belong to one base, if they lie on one level."""
FEWEST = 4
"""A base has at least this many mineral fields: fewer are a wall."""
REACH = 10
"""Cells from the middle of its resources within which a town hall is placed."""
LARGEST = 256
"""Most cells along a side of a file's grids."""
SHAPES = {"size": (2,), "playable": (4,), "start": (None, 2), "units": (None, None), "height": (None, None)}


class _Sheet(NamedTuple):
    """A file's contents, cut to the playable area, with the halves of its places made cells."""

    pathable: Bool[np.ndarray, "h w"]
    buildable: Bool[np.ndarray, "h w"]
    height: Int[np.ndarray, "h w"]
    halls: Float[np.ndarray, "k 2"]
    """Where players may begin; the first is the place of the player who looked."""
    kinds: Int[np.ndarray, " r"]
    """Type id of each resource, mineral fields first."""
    resources: Float[np.ndarray, "r 2"]


def read_map(path: Path | str) -> Map:
    """The map in a file.

    What is not in the playable area, and ground that cannot be walked to, become cliffs; so does ground under rocks
    that the file's `pathing` leaves out. All else among the neutral units, mineral walls aside, is left out. A map for
    more than two players becomes one for two.

    Raises:
      UserError: there is no such file, or it holds no such map.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no map file {path}")
    try:
        sheet = _cut(_load(path))
        return _lay_out(sheet, path.stem)
    except (ValueError, KeyError, IndexError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        reason = (
            f"it has no {error}" if isinstance(error, KeyError) else str(error).splitlines()[0] if str(error) else ""
        )
        raise UserError(f"{path} is no map that can be read: {reason or type(error).__name__}") from error


def _load(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file, of the right shapes; raises ValueError and others where they are not."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no .npz archive")
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in ("pathing", "placement", *SHAPES)}
    for name, shape in SHAPES.items():
        found = arrays[name]
        fits = found.ndim == len(shape) and all(b in (None, a) for a, b in zip(found.shape, shape, strict=True))
        if not fits or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
            raise ValueError(f"{name} is {found.dtype}{list(found.shape)}")
    w, h = arrays["size"].tolist()
    if not (0 < w <= LARGEST and 0 < h <= LARGEST and arrays["height"].shape == (h, w)):
        raise ValueError(f"size {w} x {h} does not fit height {arrays['height'].shape} or is above {LARGEST}")
    for name in ("pathing", "placement"):
        if arrays[name].dtype != np.uint8 or arrays[name].size != -(-w * h // 8):
            raise ValueError(f"{name} has {arrays[name].size} bytes: {w} x {h} bits are due")
    x0, y0, x1, y1 = arrays["playable"].tolist()
    if not (0 <= x0 < x1 <= w and 0 <= y0 < y1 <= h):
        raise ValueError(f"playable area {x0, y0, x1, y1} is not inside {w} x {h}")
    if arrays["units"].shape[1] < 4:
        raise ValueError("units have fewer than 4 columns")
    return arrays


def _cut(arrays: dict[str, np.ndarray]) -> _Sheet:
    w, h = (int(side) for side in arrays["size"])
    x0, y0, x1, y1 = (int(edge) for edge in arrays["playable"])
    bits = lambda name: np.unpackbits(arrays[name])[: w * h].reshape(h, w)[y0:y1, x0:x1].astype(bool)  # noqa: E731
    origin = np.array([x0, y0])
    kinds, places = np.rint(arrays["units"][:, 0]).astype(int), arrays["units"][:, 2:4].astype(float) - origin
    townhalls = [unit.id for unit in load_units() if unit.is_townhall]
    halls = np.concatenate([places[np.isin(kinds, townhalls)], arrays["start"].astype(float).reshape(-1, 2) - origin])
    rows = {resource.id: resource for resource in load_economy().resources}
    area = np.array([x1 - x0, y1 - y0])
    inside = ((places >= 0) & (places < area)).all(1)
    fields, geysers = (
        np.flatnonzero(inside & np.isin(kinds, [id for id, row in rows.items() if row.kind == kind]))
        for kind in ("minerals", "vespene")
    )
    if len(halls) == 0 or len(fields) == 0:
        raise ValueError("no place to begin" if len(halls) == 0 else "no mineral fields")
    chosen = np.concatenate([fields, geysers])
    buildable = bits("placement")
    return _Sheet(
        pathable=bits("pathing") | buildable,  # the file's player has a town hall, which is in its way
        buildable=buildable,
        height=arrays["height"][y0:y1, x0:x1].astype(int),
        halls=halls,
        kinds=kinds[chosen],
        resources=places[chosen],
    )


def _lay_out(sheet: _Sheet, name: str) -> Map:
    first, second, turn = _starts(sheet)
    pathable = _connected(sheet.pathable, first)
    buildable = sheet.buildable & pathable
    rows = {resource.id: resource for resource in load_economy().resources}
    geyser = np.array([rows[kind].kind == "vespene" for kind in sheet.kinds.tolist()])
    bases = _bases(sheet, buildable, geyser)
    free = hall_places(buildable, sheet.resources[~geyser], sheet.resources[geyser])
    halls = np.concatenate([_hall(sheet.resources[base], free) for base in bases])
    starts = np.stack([first, second])
    middle = starts.mean(0)
    shape = np.array(pathable.shape[::-1])
    middle = np.where(
        [turn in ("half turn", "left and right"), turn in ("half turn", "top and bottom")], middle, shape / 2
    )
    side = -(-int(shape.max()) // MULTIPLE) * MULTIPLE
    offset = np.clip(np.rint(side / 2 - middle).astype(int), 0, side - shape)
    level = np.clip((sheet.height - np.percentile(sheet.height[buildable], 1)) / LEVEL, 0, None)
    grid = lambda values: _padded(values, offset, side)  # noqa: E731
    pathable = grid(pathable)
    fields = sheet.resources + offset
    return Map(
        name=name,
        height=grid(np.where(sheet.pathable, level, 0.0)),
        pathable=pathable,
        buildable=grid(buildable),
        starts=starts + offset,
        bases=order_bases(pathable, starts + offset, halls + offset),
        minerals=fields[~geyser],
        geysers=fields[geyser],
        contents=np.array([rows[kind].contents for kind in sheet.kinds.tolist()], float),
        rich=np.array(["Rich" in rows[kind].name for kind in sheet.kinds.tolist()]),
    )


def _padded(values, offset, side: int):
    (x, y), (h, w) = offset.tolist(), values.shape
    return np.pad(values, ((y, side - h - y), (x, side - w - x)))


def _connected(pathable: Bool[np.ndarray, "h w"], start: Float[np.ndarray, " 2"]) -> Bool[np.ndarray, "h w"]:
    """The ground that can be walked to from the start."""
    x, y = np.floor(start).astype(int)
    if not (0 <= y < pathable.shape[0] and 0 <= x < pathable.shape[1] and pathable[y, x]):
        raise ValueError(f"a player would begin at {start.tolist()}, which is no ground")
    part = np.zeros(pathable.shape, int)
    part[pathable] = connected_components(walk_graph(pathable))[1] + 1
    return part == part[y, x]


def _starts(sheet: _Sheet):
    """Both players' starts, and the symmetry that takes the one to the other.

    Among the places of the file it is the image of the first under the symmetry that the ground shows best; where the
    file tells one place only, it is that image itself.
    """
    h, w = sheet.pathable.shape
    first, others = sheet.halls[0], [hall for hall in sheet.halls[1:] if np.hypot(*(hall - sheet.halls[0])) > 2 * REACH]
    images = {"half turn": (w - first[0], h - first[1]), "left and right": (w - first[0], first[1])}
    images |= {"top and bottom": (first[0], h - first[1])}
    if h == w:
        images |= {"diagonal": (first[1], first[0]), "other diagonal": (w - first[1], h - first[0])}
    alike = lambda name: float((SYMMETRIES[name](sheet.pathable) == sheet.pathable).mean())  # noqa: E731
    turn = max(images, key=lambda name: round(alike(name), 2))
    image = np.array(images[turn], float)
    second = min(others, key=lambda hall: np.hypot(*(hall - image))) if others else image
    return first, second, turn


def _bases(sheet: _Sheet, buildable, geyser) -> list[Int[np.ndarray, " k"]]:
    """Resources of each base: those that lie near each other on one level."""
    x, y = np.floor(sheet.resources).astype(int).T
    level = sheet.height[np.minimum(y, sheet.height.shape[0] - 1), np.minimum(x, sheet.height.shape[1] - 1)]
    pairs = cKDTree(sheet.resources).query_pairs(SPREAD, output_type="ndarray")
    pairs = pairs[np.abs(level[pairs[:, 0]] - level[pairs[:, 1]]) < LEVEL // 2]
    joined = np.zeros((len(x), len(x)), bool)
    joined[pairs[:, 0], pairs[:, 1]] = True
    count, number = connected_components(joined)
    groups = [np.flatnonzero(number == i) for i in range(count)]
    return [group for group in groups if (~geyser[group]).sum() >= FEWEST]


def _hall(resources: Float[np.ndarray, "k 2"], free: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "b 2"]:
    """Where a town hall has the shortest ways to the resources of its base; nowhere if none fits beside them."""
    places = np.stack(np.nonzero(free)[::-1], 1) + 0.5
    places = places[np.abs(places - resources.mean(0)).max(1) <= REACH]
    far = np.hypot(*(places[:, None] - resources).transpose(2, 0, 1)).sum(1)
    return places[far.argmin()][None] if len(places) else places
