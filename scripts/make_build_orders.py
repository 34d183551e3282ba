"""Writes `asterism/bots/data/build_orders.json` from the folder `z` of the project's data.

The first line holds the ids of all names; each line after it is one player of one game. Names are folded to base names.
Upgrades that 5.0.14 does not have are left out.
"""

import json
from pathlib import Path
from typing import Any

import tyro
from rows import write_rows

from asterism.game.tables import load_units, load_upgrades

OUT = Path(__file__).parents[1] / "asterism" / "bots" / "data"
SKINS = {"GhostAlternate": "Ghost", "GhostNova": "Ghost"}
UNITS = {row.name: row for row in load_units()}
UPGRADES = {row.name: row for row in load_upgrades()}


def main(z: Path, out: Path = OUT) -> None:
    """Makes build_orders.json.

    Args:
      z: folder with one JSON file a game.
      out: folder to write to.
    """
    games = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(z.glob("*.json"))]
    rows = [player_row(game, *players) for game in games for players in (game["players"], game["players"][::-1])]
    units = {name for row in rows for name in (*row["counts"], *(item[0] for item in row["items"]))}
    upgrades = {name for row in rows for name, _ in row["upgrades"]}
    ids = {
        "units": {name: UNITS[name].id for name in sorted(units)},
        "upgrades": {name: UPGRADES[name].id for name in sorted(upgrades)},
    }
    write_rows(out / "build_orders.json", [ids, *rows])


def player_row(game: dict[str, Any], player: dict[str, Any], enemy: dict[str, Any]) -> dict[str, Any]:
    """One player of one game, as `asterism.bots.build_orders.BuildOrder` describes."""
    start = player["start_location"]
    counts: dict[str, int] = {}
    for name, count in player["cumulative"]["units"].items():
        counts[fold(name)] = counts.get(fold(name), 0) + count
    upgrades = [(row["name"], row["loop"]) for row in player["upgrades"] if row["name"] in UPGRADES]
    return {
        "game": game["sha1"][:8],
        "version": game["version"],
        "map": game["map"],
        "race": player["race"].lower(),
        "enemy": enemy["race"].lower(),
        "won": {"Win": True, "Loss": False}.get(player["result"]),
        "mmr": player["mmr"],
        "loops": game["game_loops"],
        "start": start,
        "enemy_start": enemy["start_location"],
        "items": [item_row(item, start) for item in player["build_order"]],
        "upgrades": sorted(upgrades, key=lambda upgrade: upgrade[1]),
        "counts": counts,
    }


def item_row(item: dict[str, Any], start: list[int]) -> list[Any]:
    """Name, loop and, of a structure that was placed, the cell seen from the start location."""
    name = fold(item["type"])
    placed = item["kind"] == "init" and UNITS[name].is_structure
    return [name, item["start"], *([item["x"] - start[0], item["y"] - start[1]] if placed else [])]


def fold(name: str) -> str:
    """The base name: of a skin, a rich geyser's building, a mode that costs nothing. A Warp Gate stays one."""
    name = SKINS.get(name, name).removesuffix("Rich")
    mode = UNITS[name]
    if not mode.normal_mode or mode.minerals or name == "WarpGate":
        return name
    return next(row.name for row in UNITS.values() if row.id == mode.normal_mode)


if __name__ == "__main__":
    tyro.cli(main)
