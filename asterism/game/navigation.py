"""Path finding by a table: for each goal and each cell, the next corner on a shortest path. Made once a map.

Goals are blocks of 2 x 2 cells. A unit walks straight to the waypoint of its cell: the farthest point of the shortest
grid path that can be seen in a straight line, so paths bend only at corners.
"""

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

GOAL_CELLS = 2
"""Side of a goal block in cells."""

STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))


def _graph(pathable: Bool[np.ndarray, "h w"], index):
    """Grid graph of the walkable cells; a diagonal needs both of its neighbours free."""
    h, w = pathable.shape
    rows, columns, lengths = [], [], []
    ys, xs = np.nonzero(pathable)
    for dx, dy in STEPS:
        x, y = xs + dx, ys + dy
        inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
        x, y, from_x, from_y = x[inside], y[inside], xs[inside], ys[inside]
        free = pathable[y, x] & pathable[from_y, x] & pathable[y, from_x]
        rows.append(index[from_y, from_x][free])
        columns.append(index[y, x][free])
        lengths.append(np.full(free.sum(), np.hypot(dx, dy)))
    n = len(xs)
    return csr_array((np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n))


def line_of_sight(pathable: Bool[np.ndarray, "h w"], points: Int[np.ndarray, "n 2"]) -> Bool[np.ndarray, "n n"]:
    """Which pairs of cells see each other: every cell on the straight line between them is walkable."""
    n = len(points)
    steps = 2 * int(np.ceil(np.hypot(*pathable.shape)))
    fractions = np.linspace(0, 1, steps)[:, None, None]
    seen = np.ones((n, n), bool)
    for i, point in enumerate(points):
        cells = np.floor(point + 0.5 + (points[i:] - point) * fractions).astype(int)
        seen[i, i:] = pathable[cells[..., 1], cells[..., 0]].all(0)
        seen[i:, i] = seen[i, i:]
    return seen


def waypoints(pathable: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, "goals cells"]:
    """Table [goal block, cell] -> flat cell to walk to (int16). A goal in a cliff leads to the nearest cell."""
    h, w = pathable.shape
    ys, xs = np.nonzero(pathable)
    points = np.stack([xs, ys], 1)
    index = np.full((h, w), -1)
    index[ys, xs] = np.arange(len(points))
    gy, gx = np.mgrid[0:h:GOAL_CELLS, 0:w:GOAL_CELLS]
    centres = np.stack([gx.ravel(), gy.ravel()], 1) + (GOAL_CELLS - 1) / 2
    goals = cKDTree(points).query(centres)[1]
    unique, inverse = np.unique(goals, return_inverse=True)
    _, before = dijkstra(_graph(pathable, index), indices=unique, return_predecessors=True)
    here = np.arange(len(points))
    following = np.where(before < 0, here, before)
    seen = line_of_sight(pathable, points)
    rows = np.arange(len(unique))[:, None]
    waypoint = following
    while True:
        farther = following[rows, waypoint]
        better = seen[here[None], farther] & (farther != waypoint)
        if not better.any():
            break
        waypoint = np.where(better, farther, waypoint)
    flat = (points[:, 1] * w + points[:, 0])[waypoint][inverse]
    nearest = cKDTree(points).query(np.stack(np.meshgrid(np.arange(w), np.arange(h)), -1).reshape(-1, 2))[1]
    return flat[:, nearest].astype(np.int16)


def symmetric(table: Int[np.ndarray, "goals cells"]) -> Int[np.ndarray, "goals cells"]:
    """The table of a map that half a turn leaves as it is, with ways of equal length chosen alike for both players."""
    half = len(table) // 2
    turned = table.shape[1] - 1 - table[:half][::-1, ::-1]
    return np.concatenate([table[:half], turned])


def cached_waypoints(pathable: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, "goals cells"]:
    """`waypoints`, kept in the user's cache folder under a hash of the map."""
    digest = hashlib.sha256(pathable.tobytes() + str(pathable.shape).encode()).hexdigest()[:16]
    path = Path.home() / ".cache" / "asterism" / "maps" / f"{digest}.npy"
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        pass
    table = waypoints(pathable)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npy")
        np.save(temporary, table)
        temporary.replace(path)
    except OSError:
        pass  # a cache is a convenience: without a place for it the table is made again
    return table
