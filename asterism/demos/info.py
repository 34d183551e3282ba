"""`asterism demos info FOLDER`: what is inside a folder of recorded games."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from asterism.demos.header import Header, read_header
from asterism.demos.reader import Demos, Entry, open_shard, shard_paths
from asterism.errors import UserError
from asterism.interface.description import GameDescription
from asterism.interface.observation import Strategy


@dataclass(frozen=True)
class InfoConfig:
    """Shows what is inside a folder of recorded games, and checks every record of it."""

    folder: tyro.conf.Positional[Path]
    """Folder of recorded games."""
    strategies: int = 3
    """How many examples of z to show."""

    def run(self) -> None:
        """Prints the summary. Raises UserError, after printing, when a shard is corrupt."""
        console = Console(markup=False)  # Names are data, brackets and all.
        header = read_header(self.folder)
        shards = [scan_shard(path, header) for path in shard_paths(self.folder)]
        if intact := [shard for shard in shards if shard.entries]:
            entries = tuple(entry for shard in intact for entry in shard.entries)
            actions = sum((shard.actions for shard in intact), np.zeros(len(header.game.actions), int))
            demos = Demos(self.folder, header, entries)
            console.print(summary_table(demos, actions, sum(shard.bytes for shard in shards)))
            console.print(players_table(demos))
            console.print(actions_table(header.game, actions))
            for entry in entries[: self.strategies]:
                console.print(
                    f"z of {' '.join(entry.info.player(entry.player))}: {describe_strategy(entry.z, header.game)}"
                )
        console.print(shards_table(shards))
        _raise_for(shards, self.folder)


class ShardScan(NamedTuple):
    """What reading a whole shard has shown."""

    path: Path
    bytes: int
    entries: tuple[Entry, ...]
    """Empty when the shard is corrupt."""
    actions: np.ndarray
    """[A] How often each action type was taken."""
    problem: str
    """Empty when the shard is intact."""


def scan_shard(path: Path, header: Header) -> ShardScan:
    """Reads every record of a shard; a defect is noted, not raised."""
    actions = np.zeros(len(header.game.actions), int)
    size = path.stat().st_size
    try:
        entries = tuple(open_shard(path, header))
        demos = Demos(path.parent, header, entries)
        for entry in entries:
            for number in range(demos.chunks(entry)):
                actions += np.bincount(demos.chunk(entry, number).action.action_type, minlength=len(actions))
    except UserError as error:
        return ShardScan(path, size, (), actions * 0, str(error))
    return ShardScan(path, size, entries, actions, "")


def summary_table(demos: Demos, actions: np.ndarray, size: int) -> Table:
    """Counts, game lengths in minutes, actions per minute of one player (without no_op), size on disk."""
    header = demos.header
    loops = np.array([entry.info.game_loops for entry in demos.entries])
    minutes = loops / header.game.loops_per_second / 60
    low, median, high = np.percentile(minutes, [10, 50, 90])
    table = Table(title=str(demos.folder), show_header=False)
    table.add_row("game", f"{header.game.name}, interface {header.size.name}")
    table.add_row("maps", ", ".join(sorted({entry.info.map for entry in demos.entries})))
    table.add_row("games", f"{demos.games:,}")
    table.add_row("steps", f"{demos.steps:,} ({demos.steps / len(demos.entries):,.0f} a player and game)")
    table.add_row("length", f"{minutes.min():.1f} to {minutes.max():.1f} min; 10% / median / 90%: "
                  f"{low:.1f} / {median:.1f} / {high:.1f} min")  # fmt: skip
    table.add_row("actions per minute", f"{actions[1:].sum() / max(minutes.sum(), 1e-9):.0f}")
    table.add_row("on disk", f"{size / 1e6:,.1f} MB ({size / demos.steps:,.0f} bytes a step)")
    return table


def players_table(demos: Demos) -> Table:
    """Wins, draws and losses of each player by race and name."""
    results = Counter((entry.info.player(entry.player), entry.outcome) for entry in demos.entries)
    table = Table("race", "player", "games", "wins", "draws", "losses")
    for player in sorted({player for player, _ in results}):
        counts = [results[player, outcome] for outcome in (1, 0, -1)]
        table.add_row(*player, *map(str, (sum(counts), *counts)))
    return table


def actions_table(game: GameDescription, actions: np.ndarray, most: int = 15) -> Table:
    """The most frequent action types."""
    table = Table("action", "times", "share")
    for index in np.argsort(-actions, kind="stable")[:most]:
        if actions[index]:
            table.add_row(game.actions[index].name, f"{actions[index]:,}", f"{actions[index] / actions.sum():.1%}")
    return table


def shards_table(shards: list[ShardScan]) -> Table:
    """One line a shard."""
    table = Table("shard", "games", "steps", "MB", "state")
    for shard in shards:
        counts = (len(shard.entries) // 2, sum(entry.steps for entry in shard.entries))
        state = Text("corrupt", "red") if shard.problem else "intact"
        table.add_row(shard.path.name, *(f"{count:,}" for count in counts), f"{shard.bytes / 1e6:.1f}", state)
    return table


def describe_strategy(z: Strategy, game: GameDescription) -> str:
    """z in names: the build order in order, then the upgrades."""
    names = [unit.name for unit in game.unit_types] + list(game.upgrades)
    order = " > ".join(names[index] for index in z.build_order if index)
    upgrades = ", ".join(game.upgrades[index] for index in np.flatnonzero(z.upgrades))
    return (order or "no build order") + (f"; upgrades: {upgrades}" if upgrades else "")


def _raise_for(shards, folder):
    """Raises UserError when there is nothing, or something corrupt."""
    if not shards:
        raise UserError(f"{folder}: no shard is complete yet")
    problems = [shard.problem for shard in shards if shard.problem]
    if problems:
        more = f" (and {len(problems) - 1} more corrupt shards)" if len(problems) > 1 else ""
        raise UserError(problems[0] + more)
