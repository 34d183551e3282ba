"""Mining against real games: what their players decided is imposed, the minerals are compared with those recorded.

python benchmarks/economy.py --games FOLDER

Each file is a game as `asterism.runtime.economies.read_economy` and `asterism.runtime.productions.read_production` read
it. Errors are of the minerals that the game's own mining brings by 2, 3, 4 and 5 minutes, relative to the integral of
the recorded collection rate. What began within 5 minutes is made by the game's own production: supply is compared at
every sample before a player's first loss, build times where their starts are no estimates.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import jax
import making
import numpy as np
import tyro
from batches import in_batches
from rich.console import Console
from rich.table import Table

from asterism.errors import UserError
from asterism.runtime.devices import EACH, games_mesh, over_games, use_every_core
from asterism.runtime.economies import MINUTE, WINDOW, GameEconomy, mined, read_economy, read_layouts
from asterism.runtime.imposed import CONTROL, make_schedules, miner, mining_game

MINUTES = (2, 3, 4, 5)
LEAST_VESPENE = 100
"""Games with less gas say nothing about geysers."""


@dataclass(frozen=True)
class Settings:
    """Prints a table by race, the worst games, and `economy.NAME: value %` lines."""

    games: Path
    """Folder of games, one JSON file each."""
    layouts: Path | None = None
    """Resources of maps by name (JSON); by default maps/replay_layouts.json beside the folder, if there is one."""
    version: str = "5.0"
    """Only games whose version begins so."""
    tick: int = 8
    """Game loops of a tick: 1, 2, 4, 8 or 16."""
    batch: int = 16
    """Games at a time."""
    worst: int = 8
    """Games named."""


@dataclass(frozen=True)
class Error:
    """Of one player at one time: what was mined over what was recorded, less one."""

    game: str
    race: str
    minute: int
    minerals: float
    vespene: float
    """NaN where next to none was recorded."""


def read_games(settings: Settings) -> list[GameEconomy]:
    """The games of a folder; raises UserError where there are none or one is bad."""
    if not settings.games.is_dir():
        raise UserError(f"{settings.games} is no folder of games")
    beside = settings.games.resolve().parent / "maps" / "replay_layouts.json"
    path = settings.layouts or (beside if beside.exists() else None)
    layouts = read_layouts(path) if path else {}
    games = [read_economy(file, layouts, settings.version) for file in sorted(settings.games.glob("*.json"))]
    found = [game for game in games if game is not None]
    if not found:
        raise UserError(f"{settings.games} holds no game of version {settings.version} (*.json)")
    return found


def play_all(games: list[GameEconomy], settings: Settings, imposed: bool, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Minerals and vespene [G, T, 2] by control step."""
    loops = MINUTES[-1] * MINUTE + CONTROL
    schedules, game = make_schedules(games, loops, imposed), mining_game(settings.tick)
    mine = over_games(jax.vmap(miner(game, schedules)), games_mesh(settings.batch), (EACH,), (EACH, EACH))
    return in_batches(mine, schedules, len(games), settings.batch, label)


def errors(games: list[GameEconomy], minerals: np.ndarray, vespene: np.ndarray) -> list[Error]:
    """Of every player whose recorded rates reach that far."""
    found = []
    for game, both_minerals, both_vespene in zip(games, minerals, vespene, strict=True):
        for i, player in enumerate(game.players):
            for minute in MINUTES:
                loop = minute * MINUTE
                if player.times[-1] < loop + WINDOW / 2:
                    continue
                recorded = mined(player.times, player.mineral_rate, loop)
                gas = mined(player.times, player.vespene_rate, loop)
                found.append(
                    Error(
                        game=game.name,
                        race=player.race,
                        minute=minute,
                        minerals=float(both_minerals[loop // CONTROL, i]) / recorded - 1,
                        vespene=float(both_vespene[loop // CONTROL, i]) / gas - 1 if gas > LEAST_VESPENE else np.nan,
                    )
                )
    return found


def figures(values: np.ndarray) -> tuple[float, float, float]:
    """Bias (the median), median and 90th percentile of the absolute errors, in percent."""
    size = np.abs(values)
    return tuple(100 * float(x) for x in (np.median(values), np.median(size), np.percentile(size, 90)))


def table(title: str, found: list[Error], resource: str) -> Table:
    """Errors by race and minute."""
    shown = Table(title=title)
    for name in ("race", "minute", "players", "bias %", "median %", "90th percentile %"):
        shown.add_column(name, justify="right")
    for race in [*sorted({e.race for e in found}), "all"]:
        for minute in MINUTES:
            values = select(found, resource, minute, race)
            if len(values):
                shown.add_row(race, str(minute), str(len(values)), *(f"{x:.1f}" for x in figures(values)))
    return shown


def select(found: list[Error], resource: str, minute: int, race: str) -> np.ndarray:
    """Errors of one race, or of all, at one minute."""
    values = np.array([getattr(e, resource) for e in found if e.minute == minute and race in (e.race, "all")])
    return values[~np.isnan(values)]


def report(found: list[Error], resource: str, name: str) -> None:
    """Prints the last lines."""
    for race in ["all", *sorted({e.race for e in found})]:
        part = "" if race == "all" else f".{race.lower()}"
        for minute in MINUTES:
            values = select(found, resource, minute, race)
            if len(values):
                _, median, p90 = figures(values)
                print(f"economy.{name}{part}.{minute}min.median_error: {median:.1f} %")
                print(f"economy.{name}{part}.{minute}min.p90_error: {p90:.1f} %")


def main(settings: Settings) -> None:
    """Plays and prints."""
    use_every_core()
    games, console = read_games(settings), Console()
    unknown = Counter(game.default_layout for game in games)[True]
    console.print(f"{len(games)} games of version {settings.version}; resources of the map unknown: {unknown}")
    found = errors(games, *play_all(games, settings, True, "workers as recorded"))
    free = errors(games, *play_all(games, settings, False, "default policy"))
    console.print(table("minerals, workers as recorded", found, "minerals"))
    console.print(table("vespene, workers as recorded", found, "vespene"))
    console.print(table("minerals, default worker policy (information)", free, "minerals"))
    last = sorted((e for e in found if e.minute == MINUTES[-1]), key=lambda e: -abs(e.minerals))
    for error in last[: settings.worst]:
        console.print(f"{error.game} {error.race}: {100 * error.minerals:+.1f} % at {error.minute} minutes")
    files = sorted(settings.games.glob("*.json"))
    made = making.make_all(files, settings.version, MINUTES[-1] * MINUTE, settings.batch)
    making.show(made, settings.worst, console)
    making.report(made)
    report(found, "vespene", "vespene")
    report(free, "minerals", "default_policy.minerals")
    report(found, "minerals", "minerals")


if __name__ == "__main__":
    try:
        main(tyro.cli(Settings))
    except UserError as error:
        sys.exit(f"error: {error}")
