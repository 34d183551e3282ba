"""Path finding by tables, made once a map: where to walk next, from any cell towards any other.

A cell *sees* another when every cell that a straight line from anywhere in the one to anywhere in the other touches is
walkable and sees the other too: a unit anywhere in the cell can walk straight to what the cell sees, and sees it all
the way. The next corner of a shortest way is the farthest of its cells that is seen. A unit goes straight to a goal
that its cell sees. Where it sees it not but is near, it follows the ways to the goal itself; from farther away it goes
to the goal's landmark, which lies near the goal. Who sees the goal or is near it stays so, and what is left of a way
only ever shrinks, so no unit goes round in circles.
"""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt8, UInt16
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from asterism.errors import UserError

NEAR = 10
"""Length of way, in cells, within which the table for each single goal leads."""
LANDMARK_REACH = 7.0
"""A goal's landmark lies at most this long a way from it."""
VIEW = 24
"""Cells farther apart than this along x or y do not count as seeing each other."""
NOWHERE = 65535
STEPS = tuple((x, y) for x in range(-2, 3) for y in range(-2, 3) if np.gcd(x, y) == 1)
"""From one cell to the next on a way: to the eight around it, and as a knight moves."""
CHUNK = 32
"""Goals that are worked out together."""


class Paths(NamedTuple):
    """The tables. C cells of the map, n walkable cells in the order of their flat index, L landmarks."""

    ground: Int[Array, " C"]
    """The walkable cell (0..n-1) that lies nearest to each cell."""
    cell: Int[Array, " n"]
    """Flat index of each walkable cell."""
    landmark: Int[Array, " n"]
    far: UInt16[Array, "L n"]
    """The walkable cell to go to on the way to each landmark; the cell itself where no way leads there."""
    sees: UInt8[Array, "n V"]
    """Whether each cell sees those in the square of 2 * VIEW + 1 cells around, in bits."""
    near: UInt16[Array, "n W"]
    """The same on the way to each goal in the square of 2 * NEAR + 1 cells around; NOWHERE if that is beyond NEAR."""


class _Ground(NamedTuple):
    """Walkable cells while tables are made."""

    xy: Int[np.ndarray, "n 2"]
    index: Int[np.ndarray, "h w"]
    """Number of each walkable cell, -1 for a cliff."""
    sees: Bool[np.ndarray, "V n"]
    """Whether each cell sees the one at each offset in the square of 2 * VIEW + 1 cells around it."""
    graph: csr_array


@cache
def between(dx: int, dy: int) -> Int[np.ndarray, "m 2"]:
    """Offsets (x, y) of all cells that straight lines from anywhere in cell (0, 0) to anywhere in (dx, dy) touch."""
    sx, sy = (-1 if dx < 0 else 1), (-1 if dy < 0 else 1)
    x, y = np.mgrid[0 : abs(dx) + 1, 0 : abs(dy) + 1]
    touched = np.abs(abs(dy) * x - abs(dx) * y) < max(abs(dx) + abs(dy), 1)
    return np.stack([sx * x[touched], sy * y[touched]], 1)


def walk_graph(pathable: Bool[np.ndarray, "h w"]) -> csr_array:
    """Lengths of STEPS between walkable cells (in the order of their flat index) that see each other."""
    h, w = pathable.shape
    padded = np.pad(pathable, 2)
    index = np.cumsum(pathable).reshape(h, w) - 1
    rows, columns, lengths = [], [], []
    for dx, dy in STEPS:
        free = pathable.copy()
        for x, y in between(dx, dy).tolist():
            free &= padded[2 + y : 2 + y + h, 2 + x : 2 + x + w]
        ys, xs = np.nonzero(free)
        rows.append(index[ys, xs])
        columns.append(index[ys + dy, xs + dx])
        lengths.append(np.full(len(xs), np.hypot(dx, dy)))
    n = int(pathable.sum())
    return csr_array((np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n))


def ground_distance(pathable: Bool[np.ndarray, "h w"], places: Float[np.ndarray, "k 2"]) -> Float[np.ndarray, "k h w"]:
    """Length of the way on the ground from each place (x, y) to each cell; infinite where there is none."""
    x, y = np.floor(places).astype(int).T
    index = np.cumsum(pathable).reshape(pathable.shape) - 1
    distance = np.full((len(places), *pathable.shape), np.inf)
    walkable = np.flatnonzero(pathable[y, x])
    found = dijkstra(walk_graph(pathable), indices=index[y, x][walkable])
    for row, lengths in zip(walkable, found, strict=True):
        distance[row][pathable] = lengths
    return distance


def _sight(pathable: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "V n"]:
    """`_Ground.sees`: all cells on the way are walkable and see the other in their turn. Near ones are worked out
    first, the others from them."""
    h, w = pathable.shape
    side = 2 * VIEW + 1
    sees = np.zeros((side, side, h + 2 * VIEW, w + 2 * VIEW), bool)
    sees[VIEW, VIEW, VIEW:-VIEW, VIEW:-VIEW] = pathable
    offsets = np.stack(np.mgrid[-VIEW : VIEW + 1, -VIEW : VIEW + 1], -1).reshape(-1, 2)
    for dx, dy in offsets[np.argsort(np.abs(offsets).sum(1), kind="stable")][1:].tolist():
        here = pathable.copy()
        for x, y in between(dx, dy)[1:].tolist():
            here &= sees[VIEW + dy - y, VIEW + dx - x, VIEW + y : VIEW + y + h, VIEW + x : VIEW + x + w]
        sees[VIEW + dy, VIEW + dx, VIEW:-VIEW, VIEW:-VIEW] = here
    return sees[:, :, VIEW:-VIEW, VIEW:-VIEW][:, :, pathable].reshape(side * side, -1)


def _survey(pathable: Bool[np.ndarray, "h w"]) -> _Ground:
    ys, xs = np.nonzero(pathable)
    n = len(xs)
    if not 0 < n < NOWHERE:
        raise UserError(f"a map must have between 1 and {NOWHERE - 1} walkable cells: this one has {n}")
    index = np.full(pathable.shape, -1)
    index[ys, xs] = np.arange(n)
    return _Ground(np.stack([xs, ys], 1), index, _sight(pathable), walk_graph(pathable))


def _offset(dx, dy, reach: int):
    """Place of an offset in the flattened square of 2 * reach + 1 cells."""
    return (dy + reach) * (2 * reach + 1) + dx + reach


def _ways(ground: _Ground, goals: Int[np.ndarray, " g"], limit: float):
    """All pairs (goal, cell) that a way of at most `limit` joins: row of the goal, cell, next corner, length."""
    distance, before = dijkstra(ground.graph, indices=goals, limit=limit, return_predecessors=True)
    rows, cells = np.nonzero(np.isfinite(distance))
    corner = np.where(cells == goals[rows], cells, before[rows, cells])
    going = np.flatnonzero(corner != goals[rows])
    while len(going):
        farther = before[rows[going], corner[going]]
        step = ground.xy[farther] - ground.xy[cells[going]]
        inside = (np.abs(step) <= VIEW).all(1)
        going, farther, step = going[inside], farther[inside], step[inside]
        seen = ground.sees[_offset(step[:, 0], step[:, 1], VIEW), cells[going]]
        going, farther = going[seen], farther[seen]
        corner[going] = farther
        going = going[farther != goals[rows[going]]]
    return rows, cells, corner, distance[rows, cells]


def _with_images(goal, cell, corner, image: Int[np.ndarray, " n"]):
    """Ways and their images. A goal that is its own image takes from one half of the map what holds for the other."""
    half = (goal != image[goal]) | (cell <= image[cell])
    goal, cell, corner = goal[half], cell[half], corner[half]
    return (goal, cell, corner), (image[goal], image[cell], np.where(cell == image[cell], corner, image[corner]))


def _near_ways(ground: _Ground, image: Int[np.ndarray, " n"]):
    """The table `near`, and the pairs of cells within LANDMARK_REACH with the lengths of their ways."""
    n = len(image)
    near = np.full((n, (2 * NEAR + 1) ** 2), NOWHERE, np.uint16)
    firsts, seconds, lengths = [], [], []
    goals = np.flatnonzero(np.arange(n) <= image)
    for chunk in np.split(goals, range(CHUNK, len(goals), CHUNK)):
        rows, cells, corner, length = _ways(ground, chunk, NEAR)
        for goal, cell, towards in _with_images(chunk[rows], cells, corner, image):
            offset = ground.xy[goal] - ground.xy[cell]
            near[cell, _offset(offset[:, 0], offset[:, 1], NEAR)] = towards
        close = length <= LANDMARK_REACH
        for turn in (np.arange(n), image):
            firsts.append(turn[chunk[rows[close]]])
            seconds.append(turn[cells[close]])
            lengths.append(length[close])
    return near, np.concatenate(firsts), np.concatenate(seconds), np.concatenate(lengths)


def _choose_landmarks(close: csr_array, image: Int[np.ndarray, " n"]) -> Int[np.ndarray, " L"]:
    """Cells, with their images, such that every cell is close to one: always the one that most others still need."""
    needed = np.ones(len(image), bool)
    gain = np.diff(close.indptr)
    chosen = []
    while needed.any():
        best = int(gain.argmax())
        for mark in dict.fromkeys((best, int(image[best]))):
            chosen.append(mark)
            found = close.indices[close.indptr[mark] : close.indptr[mark + 1]]
            found = found[needed[found]]
            needed[found] = False
            gain = gain - np.bincount(close[found].indices, minlength=len(gain))
    return np.array(chosen)


def _nearest_landmark(marks, image, first, second, length) -> Int[np.ndarray, " n"]:
    """Number of each cell's landmark; that of its image is the image."""
    number = np.full(len(image), -1)
    number[marks] = np.arange(len(marks))
    to_mark = number[second] >= 0
    first, mark, length = first[to_mark], number[second[to_mark]], length[to_mark]
    order = np.lexsort((mark, length, first))
    cells, place = np.unique(first[order], return_index=True)
    landmark = np.zeros(len(image), np.int32)
    landmark[cells] = mark[order][place]
    half = np.flatnonzero(np.arange(len(image)) < image)
    landmark[image[half]] = number[image[marks[landmark[half]]]]
    return landmark


def _far_ways(ground: _Ground, marks: Int[np.ndarray, " L"], image: Int[np.ndarray, " n"]) -> UInt16[np.ndarray, "L n"]:
    n = len(image)
    far = np.broadcast_to(np.arange(n, dtype=np.uint16), (len(marks), n)).copy()
    number = np.full(n, -1)
    number[marks] = np.arange(len(marks))
    goals = marks[marks <= image[marks]]
    for chunk in np.split(goals, range(CHUNK, len(goals), CHUNK)):
        rows, cells, corner, _ = _ways(ground, chunk, np.inf)
        for goal, cell, towards in _with_images(chunk[rows], cells, corner, image):
            far[number[goal], cell] = towards
    return far


def nearest_ground(pathable: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, " C"]:
    """Flat index of the walkable cell nearest to each cell."""
    rows, columns = distance_transform_edt(~pathable, return_distances=False, return_indices=True)
    return (rows * pathable.shape[1] + columns).reshape(-1).astype(np.int32)


def find_paths(pathable: Bool[np.ndarray, "h w"], image: Int[np.ndarray, " C"] | None = None) -> Paths:
    """The tables of a map.

    Args:
      pathable: cells that can be walked on.
      image: for a symmetric map, the flat index of the cell onto which its symmetry (its own inverse) takes each cell;
        both players then go the same ways.

    Raises:
      UserError: there is no ground, or too much for the tables.
    """
    ground = _survey(pathable)
    cell = np.flatnonzero(pathable)
    image = np.arange(pathable.size) if image is None else image
    nearest = nearest_ground(pathable)
    half = np.flatnonzero(np.arange(len(image)) < image)
    nearest[image[half]] = image[nearest[half]]
    number = ground.index.reshape(-1)
    turned = number[image[cell]]
    near, first, second, length = _near_ways(ground, turned)
    close = csr_array((np.ones(len(first), bool), (first, second)), shape=ground.graph.shape)
    marks = _choose_landmarks(close, turned)
    return Paths(
        ground=number[nearest].astype(np.int32),
        cell=cell.astype(np.int32),
        landmark=_nearest_landmark(marks, turned, first, second, length),
        far=_far_ways(ground, marks, turned),
        sees=np.packbits(ground.sees.T, axis=1),
        near=near,
    )


def next_corner(paths: Paths, side: int, here: Int[Array, "*k"], goal: Int[Array, "*k"]) -> Int[Array, "*k"]:
    """The flat cell to walk straight to, from cell `here` on the way to cell `goal`, on a map `side` cells wide.

    It is the goal's own cell, or the ground nearest to it, once that can be seen.
    """
    start, end = paths.ground[here], paths.ground[goal]
    here, goal = paths.cell[start], paths.cell[end]
    dx, dy = goal % side - here % side, goal // side - here // side
    reach = jnp.maximum(jnp.abs(dx), jnp.abs(dy))
    bit = jnp.where(reach <= VIEW, _offset(dx, dy, VIEW), 0)
    seen = (reach <= VIEW) & ((paths.sees[start, bit >> 3] >> (7 - (bit & 7)).astype(jnp.uint8)) & 1 > 0)
    near = paths.near[start, jnp.where(reach <= NEAR, _offset(dx, dy, NEAR), 0)].astype(jnp.int32)
    far = paths.far[paths.landmark[end], start].astype(jnp.int32)
    towards = jnp.where((reach <= NEAR) & (near < NOWHERE), near, far)
    return jnp.where(seen, goal, paths.cell[towards])


def cached_paths(pathable: Bool[np.ndarray, "h w"], image: Int[np.ndarray, " C"] | None = None) -> Paths:
    """`find_paths`, kept in the user's cache folder under a hash of the map."""
    symmetry = b"" if image is None else np.asarray(image, np.int32).tobytes()
    method = f"{pathable.shape} {NEAR} {LANDMARK_REACH} {VIEW} {STEPS}".encode()
    digest = hashlib.sha256(pathable.tobytes() + symmetry + method).hexdigest()[:16]
    path = Path.home() / ".cache" / "asterism" / "maps" / f"{digest}.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Paths(**{name: stored[name] for name in Paths._fields})
    except (OSError, ValueError, KeyError, BadZipFile):
        pass
    paths = find_paths(pathable, image)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{digest}.{os.getpid()}.tmp.npz")
        np.savez(temporary, **paths._asdict())
        temporary.replace(path)
    except OSError:
        pass  # a cache is a convenience: without a place for it the tables are made again
    return paths
