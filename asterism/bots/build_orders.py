"""What players of real games built: openings for scripted players to follow.

`scripts/make_build_orders.py` writes `asterism/bots/data/build_orders.json` from 125 games of version 4.0 and later.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from asterism.errors import UserError
from asterism.game.tables import RACES


@dataclass(frozen=True)
class BuildItem:
    """One unit or structure that was started."""

    unit: str  # base name: a raised, lowered, burrowed, sieged or flying form counts as its base
    unit_id: int
    loop: int  # game loop of the start: exact for structures and eggs, an estimate for Queens and what others train
    position: tuple[int, int] | None  # of a placed structure: x, y in cells from `BuildOrder.start`


@dataclass(frozen=True)
class UpgradeItem:
    """One upgrade that was finished."""

    upgrade: str
    upgrade_id: int
    loop: int  # game loop of completion


@dataclass(frozen=True)
class BuildOrder:
    """One player of one game."""

    game: str  # start of the replay's SHA-1
    version: str
    map: str
    race: str
    enemy: str  # the other player's race
    won: bool | None  # None if unknown
    mmr: int | None  # None if unknown
    loops: int  # length of the game
    start: tuple[int, int]  # cell of the own town hall
    enemy_start: tuple[int, int]
    items: tuple[BuildItem, ...]  # the first 20 by loop, without workers, supply and what was cancelled
    upgrades: tuple[UpgradeItem, ...]  # by loop
    counts: dict[str, int]  # base name -> how many the player made in the whole game, beside those at the start


@cache
def load_build_orders(race: str) -> tuple[BuildOrder, ...]:
    """The build orders of all players of `race`, in the order of the file.

    Args:
      race: "terran", "zerg" or "protoss".

    Raises:
      UserError: no such race, or the file of the installed package is damaged.
    """
    if race not in RACES:
        raise UserError(f"no race {race!r}: choose one of {', '.join(RACES)}")
    text = (resources.files("asterism.bots") / "data" / "build_orders.json").read_text(encoding="utf-8")
    try:
        ids, *rows = json.loads(text)
        return tuple(_build_order(row, ids) for row in rows if row["race"] == race)
    except (ValueError, TypeError, KeyError) as error:
        message = f"asterism/bots/data/build_orders.json is damaged ({error}): run scripts/make_build_orders.py"
        raise UserError(message) from error


def _build_order(row: dict[str, Any], ids: dict[str, dict[str, int]]) -> BuildOrder:
    units, upgrades = ids["units"], ids["upgrades"]
    items = (BuildItem(name, units[name], loop, tuple(cell) or None) for name, loop, *cell in row["items"])
    done = (UpgradeItem(name, upgrades[name], loop) for name, loop in row["upgrades"])
    cells = {"start": tuple(row["start"]), "enemy_start": tuple(row["enemy_start"])}
    return BuildOrder(**{**row, **cells, "items": tuple(items), "upgrades": tuple(done)})
