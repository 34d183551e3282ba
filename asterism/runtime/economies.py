"""Economies of real games: what their players decided, sampled, and the income that was recorded.

A game is a JSON file of facts from a replay (`read_economy` says what it needs). Times in game loops (22.4 a second),
places in cells. The collection rate of a replay's PlayerStats is what was brought home in the last 240 loops (since the
start in the first of them), a Faster minute of 1344 loops: counted at 480 it tells the mean income from 240 to 480.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from asterism.errors import UserError
from asterism.game.map import GEYSER_OFFSETS, MINERAL_OFFSETS
from asterism.game.tables import load_economy, load_units

MINUTE = 1344
WINDOW = 240
"""Loops that a recorded rate looks back on."""
SAMPLES = 160
"""Loops from one sample of a game's statistics to the next."""
MINERAL_FIELD, GEYSER = 341, 342
"""Ids of the common kinds (`tables.Economy.resources`)."""
GAS_A_WORKER = 54.3
"""Vespene that one of three workers on a geyser brings a minute."""
NEAR_HALL = 9.5
"""Cells from a town hall within which resources are its own."""
LEG = 8.0
"""Cells from a town hall that a worker goes in any case: a site this near takes no time on the way. Supply structures,
whose places the files leave out, are taken for such."""


@dataclass(frozen=True)
class Layout:
    """Resources of a map: centres and kinds (`tables.Economy.resources`)."""

    minerals: Float[np.ndarray, "m 2"]
    mineral_types: np.ndarray
    geysers: Float[np.ndarray, "g 2"]
    geyser_types: np.ndarray


@dataclass(frozen=True)
class PlayerEconomy:
    """One player of a real game."""

    race: str
    times: np.ndarray
    """Loops of the samples [S]; so are the next three."""
    workers: np.ndarray
    mineral_rate: np.ndarray
    vespene_rate: np.ndarray
    halls: list[tuple[float, float, float]]
    """x, y and the loop from which it stands, of each town hall."""
    refineries: list[tuple[float, float, float]]
    mules: list[float]
    builders: list[tuple[float, float]]
    """From when to when a worker was away to build."""


@dataclass(frozen=True)
class GameEconomy:
    """One real game."""

    name: str
    layout: Layout
    default_layout: bool
    """The resources of its map are unknown: they lie round each town hall as on the built-in maps."""
    players: tuple[PlayerEconomy, ...]


def read_layouts(path: Path) -> dict[str, Layout]:
    """Layouts by map name from a JSON file {map: {"resources": {kind: [[x, y], ...]}}}.

    Places are those of a replay's events: a field is half a cell above its own, a geyser half a cell up and right.

    Raises:
      UserError: the file cannot be read as one.
    """
    ids = {row.name: (row.id, row.kind) for row in load_economy().resources}
    try:
        layouts = {}
        for name, entry in json.loads(path.read_text(encoding="utf-8")).items():
            found: dict[str, list] = {"minerals": [], "vespene": []}
            for kind, places in entry["resources"].items():
                if kind in ids:
                    number, resource = ids[kind]
                    shift = 0.0 if resource == "minerals" else 0.5  # fields are 2 x 1 cells, geysers 3 x 3
                    found[resource] += [(x + shift, y + 0.5, number) for x, y in places]
            fields, geysers = (np.array(found[k], float).reshape(-1, 3) for k in ("minerals", "vespene"))
            layouts[name] = Layout(fields[:, :2], fields[:, 2].astype(int), geysers[:, :2], geysers[:, 2].astype(int))
        return layouts
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is no file of map layouts: {error}") from error


def default_layout(halls: list[tuple[float, float]]) -> Layout:
    """Eight fields and two geysers at each town hall, on the side away from the middle of all."""
    halls_xy = np.array(halls, float)
    flips = np.where(halls_xy > halls_xy.mean(0), -1.0, 1.0)[:, None]
    minerals = (halls_xy[:, None] + MINERAL_OFFSETS * flips).reshape(-1, 2)
    geysers = (halls_xy[:, None] + GEYSER_OFFSETS * flips).reshape(-1, 2)
    return Layout(minerals, np.full(len(minerals), MINERAL_FIELD), geysers, np.full(len(geysers), GEYSER))


def base_places(layout: Layout) -> Float[np.ndarray, "b 2"]:
    """Where town halls belong: of the places that keep their distance, the nearest to each group of fields."""
    places, free = [], np.ones(len(layout.minerals), bool)
    while free.any():
        first = layout.minerals[free][0]
        group = layout.minerals[np.hypot(*(layout.minerals - first).T) < 15]
        near_geysers = layout.geysers[np.hypot(*(layout.geysers - first).T) < 15]
        middle = np.floor(group.mean(0)) + 0.5
        offsets = np.stack(np.meshgrid(np.arange(-12, 13), np.arange(-12, 13)), -1).reshape(-1, 2)
        spots = middle + offsets
        gap = np.abs(spots[:, None] - group) - np.array([6.5, 6.0])  # 3 cells free between the two footprints
        fits = (gap >= 0).any(-1).all(1)
        if len(near_geysers):
            fits &= (np.abs(spots[:, None] - near_geysers) >= 7.0).any(-1).all(1)
        reach = np.hypot(*np.moveaxis(spots[:, None] - group, -1, 0))
        score = np.where(fits, -(reach < NEAR_HALL).sum(1) + reach.mean(1) / 100, np.inf)
        best = spots[score.argmin()]
        places.append(best)
        free &= np.hypot(*(layout.minerals - best).T) >= NEAR_HALL
        free &= np.hypot(*(layout.minerals - first).T) >= 1e-6
    return np.array(places).reshape(-1, 2)


def read_economy(path: Path, layouts: dict[str, Layout], version: str = "") -> GameEconomy | None:
    """One game from its JSON file, or None if its version does not begin with `version`.

    It needs `version`, `map` and for each of two `players`: `race`, `start_location`, `production` (items of `type`,
    `kind`, `start`, `done`, `x`, `y`), `workers_supply` (type, start, done) and `playerstats`, whose columns the
    game's or the player's `playerstats_fields` names.

    Raises:
      UserError: the file cannot be read as a game.
    """
    try:
        game = json.loads(path.read_text(encoding="utf-8"))
        if not str(game["version"]).startswith(version):
            return None
        layout = layouts.get(game["map"])
        if len(game["players"]) != 2:
            raise ValueError("it has not two players")
        known = layout is not None
        if layout is None:
            halls = [(x, y) for player in game["players"] for x, y, _ in _stands(player, _TOWNHALLS, True)]
            layout = default_layout(halls)
        players = tuple(_read_player(game, player, layout) for player in game["players"])
        return GameEconomy(path.stem, layout, not known, players)
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise UserError(f"{path} is no game of the kind this reads: {type(error).__name__} {error}") from error


_ROWS = {row.name: row for row in load_units()}
_TOWNHALLS = {row.name for row in _ROWS.values() if row.is_townhall}
_REFINERIES = {row.name for row in _ROWS.values() if row.needs_geyser}


def _stands(player: dict[str, Any], kinds: set[str], first: bool) -> list[tuple[float, float, float]]:
    begun = [
        (i["x"] + 0.5, i["y"] + 0.5, i["done"])
        for i in player["production"]
        if i["type"] in kinds and i["kind"] == "init"
    ]
    start = [(player["start_location"][0] + 0.5, player["start_location"][1] + 0.5, 0.0)] if first else []
    return start + [(float(x), float(y), float(done)) for x, y, done in begun if done is not None]


def _settle(halls: list[tuple[float, float, float]], layout: Layout) -> list[tuple[float, float, float]]:
    """Town halls that stand at no resources fly to the nearest base that has none yet."""
    bases, settled = base_places(layout), []
    for x, y, done in halls:
        away = np.hypot(*(bases - (x, y)).T)
        if away.min() > 2.0:
            taken = [np.hypot(*(bases - hall[:2]).T) < 2.0 for hall in settled]
            away = np.where(np.any(taken, axis=0), np.inf, away) if taken else away
            (x, y), done = bases[away.argmin()], done + away.min() / _ROWS["CommandCenterFlying"].speed
        settled.append((float(x), float(y), float(done)))
    return settled


def statistics(game: dict[str, Any], player: dict[str, Any]) -> dict[str, np.ndarray]:
    """A player's PlayerStats by name, one value a sample."""
    fields = player.get("playerstats_fields") or game["playerstats_fields"]
    stats = np.array(player["playerstats"], float)
    return {name: stats[:, i] for i, name in enumerate(fields)}


def _read_player(game: dict[str, Any], player: dict[str, Any], layout: Layout) -> PlayerEconomy:
    column = statistics(game, player)
    halls = _settle(_stands(player, _TOWNHALLS, True), layout)
    return PlayerEconomy(
        race=str(player["race"]),
        times=column["loop"],
        workers=column["workers_active_count"],
        mineral_rate=column["minerals_collection_rate"],
        vespene_rate=column["vespene_collection_rate"],
        halls=halls,
        refineries=_stands(player, _REFINERIES, False),
        mules=[float(start) for kind, start, _ in player["workers_supply"] if kind == "MULE"],
        builders=_builders(player, halls),
    )


def _builders(player: dict[str, Any], halls: list[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """When workers were away to build.

    Each walks to its site from the nearest town hall that stands; an SCV stays and walks back, a Probe walks back at
    once, a Drone is gone. Who would have to leave again before it is back goes straight on to the next site.
    """
    speed = _ROWS["SCV"].speed
    items = [(i["type"], i["start"], i["done"], i["x"], i["y"]) for i in player["production"] if i["kind"] == "init"]
    items += [(kind, start, done, None, None) for kind, start, done in player["workers_supply"]]
    away: list[tuple[float, float]] = []
    back: list[float] = []
    for kind, start, done, x, y in sorted(items, key=lambda item: item[1] or 0):
        row = _ROWS.get(kind)
        if row is None or not row.is_structure or row.is_addon or start is None:
            continue
        standing = [hall for hall in halls if hall[2] <= start] or halls[:1]
        walk = 0.0 if x is None else min(np.hypot(x + 0.5 - h[0], y + 0.5 - h[1]) for h in standing)
        walk = max(walk - LEG, 0.0) / speed
        busy = {"terran": done or start + row.build_time, "protoss": start, "zerg": start}[row.race]
        home = busy + (0.0 if row.race == "zerg" or row.needs_geyser else walk)  # its builder goes on to gather gas
        on_way = [i for i, (_, until) in enumerate(away) if until <= start and start - walk < back[i]]
        if on_way and row.race != "zerg":
            last = max(on_way, key=lambda i: away[i][1])
            away[last], back[last] = (away[last][0], busy), home
        else:
            away.append((start - walk, busy))
            back.append(home)
    return [(left, until) for (left, _), until in zip(away, back, strict=True)]


def mined(times: np.ndarray, rates: np.ndarray, until: float) -> float:
    """What was mined by loop `until`: the integral of the recorded rate, each at the middle of the loops it counts."""
    whole = times >= WINDOW
    times, rates = times[whole], rates[whole]
    start = rates[0] * WINDOW / MINUTE  # all there was: nobody is back from a field within the first 80 loops
    middle, known = times[1:] - WINDOW / 2, rates[1:]
    points = np.unique(np.concatenate([[times[0], until], middle[(middle > times[0]) & (middle < until)]]))
    return float(start + np.trapezoid(np.interp(points, middle, known), points) / MINUTE)


def recorded_rate(total: Float[np.ndarray, " t"], step: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and rates that a replay would record of the sum mined after each `step` loops (from 0 on)."""
    times = np.arange(SAMPLES, (len(total) - 1) * step + 1, SAMPLES)
    back = np.minimum(times, WINDOW)
    return times, (total[times // step] - total[(times - back) // step]) * MINUTE / back
