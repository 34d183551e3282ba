"""Maps from a seed: fair, since half a turn takes one player's half onto the other's.

A plan says where bases and open fields lie, which parts the map into regions of a level each. Cliffs stand between
regions; some are joined by ramps, by openings on one level, or have no cliff between them. The main is the highest and
has one ramp, down to the natural, which has one opening to the rest.
"""

from itertools import count
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import binary_opening, gaussian_filter, maximum_filter, minimum_filter
from scipy.sparse.csgraph import connected_components

from asterism.errors import UserError
from asterism.game.map import GEYSER_OFFSETS, MINERAL_OFFSETS, Map, hall_places, normal_contents, order_bases
from asterism.game.navigation import walk_graph
from asterism.game.tables import load_economy

FLIPS = np.array([(1, 1), (-1, 1), (1, -1), (-1, -1)], float)

BASES = {80: 3, 96: 4, 112: 5, 128: 6, 144: 7, 160: 8}
"""Bases of each player, by the side of the map in cells."""
APART = 25.0
"""Cells between two town halls, at least."""
CLEARING = 10.5
"""Around a town hall borders are straight this far."""
EDGE = 2
"""Cells of cliff along the edge of the map."""
CLIFF = 3.0
"""Width of a cliff between two regions, in cells."""
RAMP = 8.0
"""Length of a ramp of one level, in cells."""
STEEPEST = 0.5
"""Levels by which the ground can differ from cell to next but one."""
VOID = 0.5
"""Share of the open fields along the edge that are no ground at all."""
RICH = 0.3
"""Share of rich ones among the bases after a player's third."""
MAIN, NATURAL = 0, 1


class _Plan(NamedTuple):
    """Regions, in the map's own cells: those of player 0, then their images in the same order."""

    side: int
    bases: int
    """The first so many regions of each player have a base at their centre: main, natural and others."""
    centres: Float[np.ndarray, "k 2"]
    levels: Int[np.ndarray, " k"]
    """-1 is no ground."""

    def image(self, region: int) -> int:
        return (region + len(self.centres) // 2) % len(self.centres)


class _Ground(NamedTuple):
    """The ground while it is drawn."""

    height: Float[np.ndarray, "s s"]
    pathable: Bool[np.ndarray, "s s"]
    buildable: Bool[np.ndarray, "s s"]
    exits: dict[int, list[np.ndarray]]
    """Middles of the passages of each region."""


def generate_map(seed: int, side: int | None = None, name: str | None = None) -> Map:
    """The map of a seed.

    Args:
      seed: 0 or more; each gives a map of its own, the same everywhere.
      side: cells along a side, one of BASES; None leaves it to the seed.
      name: what the map is called; `seed:` and the number by default.

    Raises:
      UserError: there is no such seed or side.
    """
    if seed < 0:
        raise UserError(f"a map's seed must be at least 0: it is {seed}")
    if side is not None and side not in BASES:
        raise UserError(f"a map of {side} cells cannot be made: choose one of {', '.join(map(str, BASES))}")
    for attempt in count():
        random = np.random.default_rng([seed, attempt])
        size = side or int(random.choice([96, 112, 128, 144]))
        plan = _plan(random, size)
        found = plan and _build(random, plan, name or f"seed:{seed}")
        if found:
            return found


def _plan(random: np.random.Generator, side: int) -> _Plan | None:
    """Where regions lie; None where the bases found no room."""
    main = np.floor(random.uniform(13, 18, 2)) + 0.5
    angle = np.radians(random.choice([random.uniform(-5, 25), random.uniform(65, 95)]))
    natural = np.floor(main + random.uniform(APART + 1, APART + 6) * np.array([np.cos(angle), np.sin(angle)])) + 0.5
    centres = [main, np.clip(natural, 12.5, side - 12.5)]
    while len(centres) < BASES[side]:
        places = [place for _ in range(40) if (place := _draw_place(random, side, centres, 12, APART)) is not None]
        if not places:
            return None
        beside = centres[NATURAL] if len(centres) == 2 else random.uniform(0, side, 2)
        centres.append(min(places, key=lambda place: np.hypot(*(place - beside))))
    bases = len(centres)
    for _ in range(60):
        place = _draw_place(random, side, centres, 7, 19.0)
        if place is not None:
            centres.append(place)
    levels = np.where(
        np.arange(len(centres)) < bases, random.random(len(centres)) < 0.6, random.random(len(centres)) < 0.2
    )
    levels = levels.astype(int)
    levels[MAIN], levels[NATURAL] = 2, 1
    half = np.array(centres)
    rim = np.minimum(half, side - half).min(1) < 16
    levels[(np.arange(len(half)) >= bases) & rim & (random.random(len(half)) < VOID)] = -1
    if random.random() < 0.5:
        half[:, 0] = side - half[:, 0]
    return _Plan(side, bases, np.concatenate([half, side - half]), np.concatenate([levels, levels]))


def _draw_place(random, side: int, centres: list[np.ndarray], edge: float, apart: float) -> np.ndarray | None:
    """A place on the first player's half, that far from the edge, the other centres and all images; or None."""
    place = np.floor(random.uniform(edge, side - edge, 2)) + 0.5
    others = np.array([*centres, *(side - centre for centre in centres), side - place])
    near = np.hypot(*(others - place).T)
    mine = near[MAIN] < near[len(centres)] - 4
    return place if mine and near.min() >= apart else None


def _distances(random, plan: _Plan) -> tuple[Float[np.ndarray, "k s s"], Bool[np.ndarray, "s s"]]:
    """How far each cell is from each region's centre, and which lie on the map, on ground that is warped so that
    borders wind; but not around town halls, where resources and structures need room."""
    side = plan.side
    warp = gaussian_filter(random.standard_normal((2, side, side)), (0, 4, 4))
    warp = warp - warp[:, ::-1, ::-1]
    y, x = np.mgrid[:side, :side] + 0.5
    far = np.hypot(x - plan.centres[:, 0, None, None], y - plan.centres[:, 1, None, None])
    based = np.arange(len(far)) % (len(far) // 2) < plan.bases
    warp *= 2.5 / warp.std() * np.clip((far[based].min(0) - CLEARING) / 5, 0, 1)
    x, y = x + warp[0], y + warp[1]
    far = np.hypot(x - plan.centres[:, 0, None, None], y - plan.centres[:, 1, None, None])
    room = np.where(based, 3.0, 0.0)
    room[[MAIN, plan.image(MAIN)]] = 5.0
    inner = np.minimum(np.minimum(x, side - x), np.minimum(y, side - y)) > EDGE + 1
    inner &= np.pad(np.ones((side - 2 * EDGE,) * 2, bool), EDGE)
    return far - room[:, None, None], inner


def _build(random, plan: _Plan, name: str) -> Map | None:
    """Draws the plan; None where a base cannot be reached or built on."""
    far, inner = _distances(random, plan)
    order = np.argsort(far, axis=0)[:3]
    nearest, second, third = np.take_along_axis(far, order, 0)
    height = plan.levels[order[0]].astype(float)
    gap = second - nearest
    borders = _borders(order, gap < 1.2, third - nearest > 5.0)
    joined = _join(random, plan, borders)
    if joined is None:
        return None
    merged = np.eye(len(far), dtype=bool)
    for pair in (pair for pair, way in joined.items() if way == "open"):
        for a, b in (pair, map(plan.image, pair)):
            merged[a, b] = merged[b, a] = True
    pathable = inner & ((gap > CLIFF) | merged[order[0], order[1]]) & (height >= 0)
    ground = _Ground(height, pathable, pathable.copy(), {region: [] for region in range(len(far))})
    for (a, b), way in joined.items():
        if way != "open":
            _draw_passage(ground, plan, a, b, borders[a, b][random.integers(len(borders[a, b]))], way)
    return _finish(random, plan, ground, name)


def _borders(order, border, clear) -> dict[tuple[int, int], Int[np.ndarray, "m 2"]]:
    """Cells (x, y) in the middle of the cliff between each two regions a < b, away from all others."""
    ys, xs = np.nonzero(border & clear)
    a, b = order[0][ys, xs], order[1][ys, xs]
    pairs = np.stack([np.minimum(a, b), np.maximum(a, b)], 1)
    return {
        (int(a), int(b)): np.stack([xs, ys], 1)[(pairs == (a, b)).all(1)]
        for a, b in np.unique(pairs, axis=0)
        if (pairs == (a, b)).all(1).sum() >= 4
    }


def _join(random, plan: _Plan, borders) -> dict[tuple[int, int], str] | None:
    """How neighbours are joined, first of each pair and its image: "ramp", "choke" or "open"; None if not all can be.

    All but mains and naturals are joined by a random tree and some more.
    """
    half = len(plan.centres) // 2
    closed = {MAIN, NATURAL, MAIN + half, NATURAL + half, *np.flatnonzero(plan.levels < 0).tolist()}
    if (MAIN, NATURAL) not in borders:
        return None
    joined = {(MAIN, NATURAL): "ramp"}
    gates = [pair for pair in borders if NATURAL in pair and not closed - {NATURAL} & set(pair)]
    if not gates:
        return None
    gate = gates[random.integers(len(gates))]
    joined[gate] = "choke" if plan.levels[gate[0]] == plan.levels[gate[1]] else "ramp"
    group = {region: region for region in range(len(plan.centres)) if region not in closed}
    rest = [pair for pair in borders if not closed & set(pair) and pair not in joined]
    for pair in [rest[i] for i in random.permutation(len(rest))]:
        mirrored = tuple(sorted(map(plan.image, pair)))
        if mirrored in joined or mirrored not in borders:
            continue
        new = group[pair[0]] != group[pair[1]] or group[mirrored[0]] != group[mirrored[1]]
        if new or random.random() < 0.5:
            level = plan.levels[pair[0]] == plan.levels[pair[1]]
            joined[pair] = ("open" if random.random() < 0.7 else "choke") if level else "ramp"
            for a, b in (pair, mirrored):
                group = {region: group[b] if mark == group[a] else mark for region, mark in group.items()}
    return joined if len(set(group.values())) == 1 else None


def _draw_passage(ground: _Ground, plan: _Plan, a: int, b: int, middle, way: str):
    """A ramp or an opening through the cliff between two regions; the other player has its image."""
    if plan.levels[a] > plan.levels[b]:
        a, b = b, a
    direction = plan.centres[b] - plan.centres[a]
    direction = direction / np.hypot(*direction)
    width = 10.0 if way == "choke" else 5.0 if plan.levels[b] == 2 else 8.0
    y, x = np.mgrid[: plan.side, : plan.side] + 0.5
    for centre, up, low, high in (
        (middle + 0.5, direction, a, b),
        (plan.side - middle - 0.5, -direction, plan.image(a), plan.image(b)),
    ):
        along = (x - centre[0]) * up[0] + (y - centre[1]) * up[1]
        across = np.abs((y - centre[1]) * up[0] - (x - centre[0]) * up[1])
        band = (across <= width / 2) & (np.abs(along) <= RAMP / 2 + 1.5)
        band[:EDGE], band[-EDGE:], band[:, :EDGE], band[:, -EDGE:] = False, False, False, False
        slope = plan.levels[low] + (plan.levels[high] - plan.levels[low]) * np.clip(along / RAMP + 0.5, 0, 1)
        ground.height[band] = slope[band]
        ground.pathable[band] = True
        ground.buildable[band] = way == "choke"
        ground.exits[low].append(centre)
        ground.exits[high].append(centre)


def _finish(random, plan: _Plan, ground: _Ground, name: str) -> Map | None:
    """Places resources and checks that each base can be reached and built on."""
    height = _mirrored(ground.height)
    low = minimum_filter(np.where(ground.pathable, height, np.inf), 3)
    high = maximum_filter(np.where(ground.pathable, height, -np.inf), 3)
    cliffs = high - low > STEEPEST  # as at the side of a ramp
    pathable = _mirrored(binary_opening(ground.pathable & ~cliffs, np.ones((3, 3))))
    x, y = np.floor(plan.centres[MAIN]).astype(int)
    part = np.zeros(pathable.shape, int)
    part[pathable] = connected_components(walk_graph(pathable))[1] + 1
    pathable = part == part[y, x]
    buildable = _mirrored(ground.buildable) & pathable
    halls = plan.centres[: plan.bases]
    laid = [_lay_resources(hall, ground.exits[region], buildable) for region, hall in enumerate(halls)]
    if any(base is None for base in laid):
        return None
    fields, geysers = (np.concatenate(kind) for kind in zip(*laid, strict=True))
    rich = (random.random(plan.bases) < RICH) & (np.arange(plan.bases) > 2)
    fields = np.concatenate([fields, plan.side - fields])
    geysers = np.concatenate([geysers, plan.side - geysers])
    both = np.concatenate([halls, plan.side - halls])
    free = hall_places(buildable, fields, geysers)
    if not free[both[:, 1].astype(int), both[:, 0].astype(int)].all():
        return None
    contents = normal_contents(len(fields), len(geysers))
    small = {row.name: row.contents for row in load_economy().resources}["MineralField750"]
    contents[: len(fields)][np.arange(len(fields)) % 2 == 1] = small
    starts = np.stack([halls[MAIN], plan.side - halls[MAIN]])
    return Map(
        name=name,
        height=np.where(pathable, height, 0.0),
        pathable=pathable,
        buildable=buildable,
        starts=starts,
        bases=order_bases(pathable, starts, both),
        minerals=fields,
        geysers=geysers,
        contents=contents,
        rich=np.concatenate([np.tile(np.repeat(rich, len(MINERAL_OFFSETS)), 2), np.tile(np.repeat(rich, 2), 2)]),
    )


def _mirrored(grid):
    """The grid with its upper half made the image of the lower."""
    lower = grid[: len(grid) // 2]
    return np.concatenate([lower, lower[::-1, ::-1]])


def _lay_resources(hall, exits, buildable):
    """Mineral fields and geysers of a base, on the side away from its exits; None where they find no ground."""
    away = [sum(float(flip @ (hall - place)) for place in exits) for flip in FLIPS]
    for flip in FLIPS[np.argsort(away, kind="stable")]:
        fields, geysers = hall + MINERAL_OFFSETS * flip, hall + GEYSER_OFFSETS * flip
        taken = [
            buildable[int(y - h) : int(y + h), int(x - w) : int(x + w)]
            for places, w, h in ((fields, 1, 0.5), (geysers, 1.5, 1.5))
            for x, y in places
        ]
        if all(cells.all() for cells in taken):
            return fields, geysers
    return None
