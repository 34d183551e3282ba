"""Plays each level of the scripted players against the level two below, and draws up the table of `docs/bots.md`.

Each game that ends is a line of a file; the same command goes on where a stopped one ended, and plays more with more
games. Both play the same race, each of them on both sides equally often; styles are drawn.
"""

import json
from pathlib import Path

import tyro

from asterism.bots.levels import Difficulty
from asterism.bots.names import BotName
from asterism.bots.styles import RACES
from asterism.errors import UserError
from asterism.league import wilson
from asterism.runtime.bot_games import BotGames, Bout
from asterism.runtime.race_films import race_game
from asterism.runtime.setup import start_jax

BELOW = 2
"""Levels between the two that play."""


def main(
    out: Path,
    games: int = 40,
    races: tuple[str, ...] = tuple(RACES),
    minutes: int = 15,
    slots: int = 64,
    lanes: int = 8,
    map: str = "first_light",
    seed: int = 0,
    table: bool = False,
) -> None:
    """Plays what is still missing in the file, then prints the table.

    Args:
      out: file of JSON lines, one a game.
      games: games for each race and pair of levels.
      races: terran, zerg, protoss.
      minutes: length after which a game is a tie.
      slots: most units and structures that a player can own.
      lanes: games side by side.
      map: name of the map.
      seed: seed of the games.
      table: only print the table of what has been played.
    """
    settings = {"minutes": minutes, "slots": slots, "map": map, "seed": seed}
    played = read(out, settings)
    if not table:
        with out.open("a", encoding="utf-8") as file:
            if not played and not out.stat().st_size:
                print(json.dumps(settings), file=file, flush=True)
            play(played, [row for row in pairings(races, games) if row not in played], settings, lanes, file)
    print(ladder_table(played, races))


def read(path: Path, settings: dict) -> dict[tuple, float]:
    """Games of a file, by (race, lower level, number): 1, 0 or -1 for the higher level."""
    if not path.exists():
        return {}
    first, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines() or ["{}"])
    if first and first != settings:
        raise UserError(f"{path} has games with {first}, not {settings}: give another file")
    return {(row["race"], row["low"], row["game"]): row["reward"] for row in rows}


def pairings(races: tuple[str, ...], games: int) -> list[tuple[str, int, int]]:
    """(race, lower level, number) of all games, so that each pair of levels has a few before any has many."""
    lows = [int(level) for level in Difficulty][:-BELOW]
    return [(race, low, game) for game in range(games) for low in lows for race in races]


def play(played: dict, missing: list, settings: dict, lanes: int, file) -> None:
    """Plays the missing games, writes each as it ends, and notes it among those played."""
    start_jax()
    game = race_game(settings["map"], settings["minutes"], settings["slots"])
    bouts = []
    for race, low, number in missing:
        pair = [BotName(Difficulty(low + offset), "", race) for offset in (BELOW, 0)]
        own = ((settings["seed"] * 100 + low) * 10 + list(RACES).index(race)) * 10_000 + number
        bouts.append(Bout(tuple(pair[:: -1 if number % 2 else 1]), own))
    for ended in BotGames(game, lanes).play(bouts):
        race, low, number = missing[ended.index]
        reward = -ended.reward if number % 2 else ended.reward
        played[missing[ended.index]] = reward
        row = {"race": race, "low": low, "game": number, "reward": reward, "loops": ended.loops}
        print(json.dumps(row), file=file, flush=True)
        print(
            f"{len(played)}: {race} {Difficulty(low + BELOW).name} - {Difficulty(low).name} {reward:+.0f}", flush=True
        )


def cell(counts: tuple[int, int, int]) -> str:
    """Wins, draws and losses as the table has them."""
    rate, least, most = wilson(*counts)
    return f"{rate:.0%}, {least:.0%} to {most:.0%} ({'-'.join(map(str, counts))})"


def ladder_table(played: dict[tuple, float], races: tuple[str, ...]) -> str:
    """The win rates (a draw is half a win) of each level against the one two below, with 95% Wilson intervals and, in
    brackets, wins, draws and losses."""
    lines = [
        "| level | against | " + " | ".join(race.capitalize() for race in races) + " |",
        "|---" * (2 + len(races)) + "|",
    ]
    for low in [int(level) for level in Difficulty][:-BELOW]:
        cells = []
        for race in races:
            rewards = [reward for key, reward in played.items() if key[:2] == (race, low)]
            counts = tuple(rewards.count(value) for value in (1.0, 0.0, -1.0))
            cells.append(cell(counts) if rewards else "not played")
        lines.append(f"| {Difficulty(low + BELOW).name} | {Difficulty(low).name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    tyro.cli(main)
