"""What the players of real games made: their items with the loops at which they began and were done, and their supply.

A game is a JSON file of facts from a replay (see `read_production`). Times in game loops (22.4 a second),
places in cells. PlayerStats are taken before what happens in their loop.
"""

import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from asterism.errors import UserError
from asterism.game.tables import RACES, load_economy, load_units
from asterism.runtime.economies import statistics

FIRST_UNITS = load_economy().start_workers
ROWS = {row.name: row for row in load_units()}
EXACT, EGG, COCOON, ESTIMATE = "exact", "egg", "cocoon", "est"
"""Where an item's start is known from: its placing, its egg, its cocoon, or only from its end."""
SUMMONED = frozenset({"MULE"})
"""Comes of a spell, not of production."""


@dataclass(frozen=True)
class Item:
    """One thing that a player made. A pair of Zerglings is one."""

    kind: str
    """Unit type."""
    how: str
    """"init" for what is placed, "born", "morph", or "" where the file does not tell."""
    start: int
    done: int | None
    """None if it never was."""
    over: int | None
    """When it was called off or killed before it was done."""
    source: str
    """EXACT, EGG, COCOON or ESTIMATE."""
    place: tuple[float, float] | None

    @property
    def exact(self) -> bool:
        """Whether its start is no estimate."""
        return self.source != ESTIMATE


@dataclass(frozen=True)
class PlayerProduction:
    """One player of a real game."""

    race: str
    start: tuple[float, float]
    """Middle of the first town hall."""
    items: tuple[Item, ...]
    upgrades: dict[str, int]
    """Loop from which each is known."""
    unharmed: float
    """The first sample by which it had lost something; infinite if it never did."""
    times: np.ndarray
    """Loops of the samples [S]; so are the next three."""
    used: np.ndarray
    made: np.ndarray
    in_progress: np.ndarray
    """Minerals spent on what was under way."""


@dataclass(frozen=True)
class GameProduction:
    """One real game."""

    name: str
    version: str
    loops: int
    """Its length."""
    players: tuple[PlayerProduction, ...]

    @property
    def same_rules(self) -> bool:
        """Whether it begins with as many workers as this game: other balance patches differ in more than that."""
        return all(player.used[0] == FIRST_UNITS for player in self.players)


def read_production(path: Path, version: str = "") -> GameProduction | None:
    """One game from its JSON file, or None if its version does not begin with `version`.

    It needs `version`, `game_loops` and for each of two `players`: `race`, `start_location`, `production` (items of
    `type`, `kind`, `start`, `done`, `x`, `y`, `start_src`), `workers_supply` (type, start, done), `upgrades` (`name`,
    `loop`) and `playerstats`, whose columns the game's or the player's `playerstats_fields` names.

    Raises:
      UserError: the file cannot be read as a game.
    """
    try:
        game = json.loads(path.read_text(encoding="utf-8"))
        if not str(game["version"]).startswith(version):
            return None
        if len(game["players"]) != 2:
            raise ValueError("it has not two players")
        first, second = game["players"]
        players = (_read_player(game, first, second), _read_player(game, second, first))
        return GameProduction(path.stem, str(game["version"]), int(game["game_loops"]), players)
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise UserError(f"{path} is no game of the kind this reads: {type(error).__name__} {error}") from error


def _total(column: dict[str, np.ndarray], part: str) -> np.ndarray:
    """Sum of the columns whose name has `part`, [S]."""
    return np.sum([values for name, values in column.items() if part in name], 0)


def _first(column: dict[str, np.ndarray], part: str) -> float:
    """The first sample at which one of those columns is above zero."""
    return float(np.append(column["loop"][_total(column, part) > 0], np.inf)[0])


def _read_player(game: dict[str, Any], player: dict[str, Any], enemy: dict[str, Any]) -> PlayerProduction:
    column = statistics(game, player)
    race, (x, y) = str(player["race"]), player["start_location"]
    if race.lower() not in RACES:
        raise ValueError(f"race {race}")
    items = [_made(item) for item in player["production"]] + [_plain(*entry) for entry in player["workers_supply"]]
    return PlayerProduction(
        race=race,
        start=(float(x) + 0.5, float(y) + 0.5),
        items=tuple(sorted(_in_batches(items), key=lambda item: item.start)),
        upgrades={str(entry["name"]): int(entry["loop"]) for entry in player["upgrades"]},
        # Not all losses are in one's own columns.
        unharmed=min(_first(column, "_lost_"), _first(statistics(game, enemy), "_killed_")),
        times=column["loop"],
        used=column["food_used"],
        made=column["food_made"],
        in_progress=_total(column, "minerals_used_in_progress"),
    )


def _kind(name: str) -> str:
    """The type that makes no difference between rich geysers and others."""
    return name if name in ROWS and not name.endswith("Rich") else name.removesuffix("Rich")


def _made(item: dict[str, Any]) -> Item:
    x, y = item.get("x"), item.get("y")
    return Item(
        kind=_kind(item["type"]),
        how=item["kind"],
        start=int(item["start"]),
        done=item["done"],
        over=item.get("cancelled_or_killed"),
        source=source if (source := item.get("start_src")) in (EXACT, EGG, COCOON) else ESTIMATE,
        place=None if x is None or y is None else (float(x), float(y)),
    )


def _plain(kind: str, start: int, done: int | None) -> Item:
    row = ROWS.get(kind)
    source = ESTIMATE if row is None else EXACT if row.is_structure else EGG if row.race == "zerg" else ESTIMATE
    return Item(_kind(kind), "", int(start), done, None, source, None)


def _in_batches(items: list[Item]) -> list[Item]:
    """Units of which an order makes several are one item."""
    key = lambda item: (item.kind, item.start, item.done or 0)  # noqa: E731
    batches = []
    for (kind, *_), group in groupby(sorted(items, key=key), key):
        batches += list(group)[:: ROWS[kind].count if kind in ROWS else 1]
    return batches
