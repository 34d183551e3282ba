"""What is imposed on a game so that it makes what real players made: the orders of a record, as arrays.

Imposed are when each item begins, what was called off, when upgrades were known, and how long a work took where that
was its player's doing. Times in game loops, places in cells.
"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from asterism.game.rules import Rules
from asterism.game.tasks import Builder, Kind
from asterism.interface.observation import Race
from asterism.runtime.productions import ROWS, GameProduction, Item, PlayerProduction

NEVER = 1_000_000
NOWHERE = (-1000.0, -1000.0)
CHRONO = 1.5
"""Chrono boost makes work shorter by this factor at most."""


class Tape(NamedTuple):
    """What is imposed on one game. I items of each player in the order in which they begin, T samples."""

    task: Int[Array, "2 I"]
    """Index into `World.tasks`; 0 for none."""
    start: Int[Array, "2 I"]
    over: Int[Array, "2 I"]
    """When it is called off."""
    due: Int[Array, "2 I"]
    """When its work ends, where that was its player's doing; -1 where it is the game's."""
    place: Float[Array, "2 I 2"]
    avoid: Float[Array, "2 I 2"]
    known: Int[Array, "2 K"]
    """From which loop each upgrade is."""
    races: Int[Array, " 2"]
    starts: Float[Array, "2 2"]
    samples: Int[Array, " T"]
    """Loops, before what happens in which the supply is looked at."""


def task_of(rules: Rules, item: Item) -> int:
    """The task that makes an item (index into `Rules.tasks`); 0 if the game has none."""
    product = rules.description.unit_index.get(item.kind, -1)
    fits = (rules.tasks.product == product) & np.isin(rules.tasks.kind, MAKES.get(item.how, ()))
    # A change of mode, such as coming up from a burrow, costs nothing.
    return int((fits * (1 + rules.tasks.minerals)).argmax()) if fits.any() else 0


MAKES = {
    "init": (Kind.BUILD, Kind.ADDON, Kind.WARP),
    "born": (Kind.TRAIN, Kind.MORPH),
    "morph": (Kind.MORPH,),
    "": (Kind.BUILD, Kind.TRAIN, Kind.MORPH),
}


def is_interrupted(rules: Rules, item: Item, task: int) -> bool:
    """Whether a structure's builder left it for a while, or it stands unfinished for longer than it takes."""
    tasks = rules.tasks
    stays = tasks.kind[task] == Kind.BUILD and tasks.builder[task] == Builder.STAYS
    until = item.done or item.over or NEVER
    return bool(stays and item.exact and until - item.start > tasks.time[task])


def due_of(rules: Rules, item: Item, task: int) -> int:
    """When the work on an item ends where that was its player's doing; -1 where it takes the game's own time.

    Chrono boost shortens what an estimated start has before its end; builders leave; a warp-in is as fast as where the
    pylons stood, which the record does not tell; and what never was done is called off before it is.
    """
    tasks = rules.tasks
    if tasks.kind[task] == Kind.WARP and item.done:
        fast = item.done - item.start < (tasks.fast_time[task] + tasks.time[task]) / 2
        return item.start + int(tasks.fast_time[task] if fast else tasks.time[task])
    if item.done is None:
        return 2 * NEVER
    return item.done if not item.exact or is_interrupted(rules, item, task) else -1


def researched(rules: Rules, player: PlayerProduction) -> list[tuple[int, int]]:
    """Loop of the beginning and task of each upgrade, as late as it can have begun."""
    tasks, found = rules.tasks, []
    for name, known in player.upgrades.items():
        if name in rules.description.upgrades:
            which = (tasks.kind == Kind.RESEARCH) & (tasks.upgrade == rules.description.upgrades.index(name))
            found += [(known - int(tasks.time[task] / haste(player)), int(task)) for task in np.flatnonzero(which)[:1]]
    return found


def make_tapes(games: list[GameProduction], rules: Rules, loops: int) -> tuple[Tape, list[list[list[Item | None]]]]:
    """Tapes of games [G, ...], padded to the same lengths, and the items of each game and player in their order. None
    stands for research."""
    entries = [[_entries(rules, player, loops) for player in game.players] for game in games]
    most = max(1, *(len(player) for game in entries for player in game))
    times = [np.unique(np.concatenate([player.times for player in game.players])) for game in games]
    times = [found[found <= loops] for found in times]
    samples = max(len(found) for found in times)
    tapes = [_tape(rules, *each, most, samples) for each in zip(games, entries, times, strict=True)]
    items = [[[entry[-1] for entry in player] for player in game] for game in entries]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *tapes), items


def _entries(rules: Rules, player: PlayerProduction, loops: int) -> list[tuple]:
    """Start, task, end, due and item of what a player begins; who frees supply comes first."""
    entries = [
        (start, task, NEVER if item.over is None else item.over, due_of(rules, item, task), item)
        for item in player.items
        if (task := task_of(rules, item)) and (start := _start(rules, player, item, task)) < loops
    ]
    entries += [(start, task, NEVER, -1, None) for start, task in researched(rules, player) if 0 <= start < loops]
    return sorted(entries, key=lambda entry: (entry[0], rules.tasks.supply[entry[1]]))


def _start(rules: Rules, player: PlayerProduction, item: Item, task: int) -> int:
    """When an item begins. An estimated start is a loop early: the next in a queue begins in the loop that the last is
    done in. If no supply tells of it, it is taken as late as it can be."""
    if item.exact:
        return item.start
    latest = (item.done or NEVER) - int(rules.tasks.time[task] / haste(player))
    return 1 + (item.start if rules.tasks.supply[task] else max(item.start, latest))


def _avoid(player: PlayerProduction, item: Item | None) -> tuple[float, float]:
    """Where the structure stands that begins to morph while an item would be trained whose place is not known."""
    if item is None or item.place is not None:
        return NOWHERE
    until = item.done or item.start
    morphs = [i for i in player.items if i.how == "morph" and item.start < i.start < until and i.kind in ROWS]
    return next((i.place for i in morphs if i.place is not None and ROWS[i.kind].is_structure), NOWHERE)


def haste(player: PlayerProduction) -> float:
    """By how much a player can make work faster at most."""
    return CHRONO if player.race == "Protoss" else 1.0


def _tape(rules: Rules, game: GameProduction, entries, times: np.ndarray, most: int, samples: int) -> Tape:
    task, start, over, due = np.zeros((2, most), np.int32), *np.full((3, 2, most), NEVER, np.int32)
    starts = np.array([player.start for player in game.players], np.float32)
    place, avoid = np.repeat(starts[:, None], most, 1), np.full((2, most, 2), NOWHERE, np.float32)
    known = np.full((2, len(rules.description.upgrades)), NEVER, np.int32)
    for i, player in enumerate(game.players):
        for k, (*figures, item) in enumerate(entries[i]):
            start[i, k], task[i, k], over[i, k], due[i, k] = figures
            avoid[i, k] = _avoid(player, item)
            if item is not None and item.place is not None:
                place[i, k] = item.place
        for u, name in enumerate(rules.description.upgrades):
            known[i, u] = player.upgrades.get(name, NEVER)
    races = np.array([Race.named(player.race) for player in game.players], np.int32)
    padded = np.full(samples, NEVER, np.int32)
    padded[: len(times)] = times
    return Tape(task, start, over, due, place, avoid, known, races, starts, padded)
