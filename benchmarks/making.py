"""The part of `economy.py` that makes what real games' players made: supply, build times and refusals, and how they are
shown."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
from batches import in_batches
from rich.console import Console
from rich.table import Table

from asterism.runtime.agreement import Product, Sample, products, samples, unknown_items
from asterism.runtime.devices import EACH, games_mesh, over_games
from asterism.runtime.produced import producer, production_game
from asterism.runtime.productions import COCOON, GameProduction, read_production
from asterism.runtime.recorded_orders import Help, Verdict
from asterism.runtime.tapes import make_tapes

ENDS = 2400
"""Loops after the last order within which everything is done."""
LATE = 22
"""Loops by which training may begin after its estimated start without being named."""


@dataclass(frozen=True)
class Making:
    """All that was compared."""

    products: list[Product]
    samples: list[Sample]
    unknown: Counter[str]
    """Items by type that the game cannot make."""
    others: list[GameProduction]
    """Games that begin otherwise: those of another balance patch."""


def make_all(files: list[Path], version: str, loops: int, batch: int) -> Making:
    """Plays what began within `loops` in the games of some files whose version begins with `version`."""
    found = [game for file in files if (game := read_production(file, version)) is not None]
    games = [game for game in found if game.same_rules]
    others = [game for game in found if not game.same_rules]
    if not games:
        return Making([], [], Counter(), others)
    game = production_game(games, loops)
    tapes, items = make_tapes(games, game.rules, loops)
    make = over_games(partial(jax.lax.map, producer(game, loops + ENDS)), games_mesh(batch), (EACH,), EACH)
    played = in_batches(make, tapes, len(games), batch, "production as recorded")
    both = (tapes, items, played)
    return Making(
        products(game.rules, games, *both),
        samples(game.rules, games, *both),
        unknown_items(game.rules, games),
        others,
    )


def percent(good) -> float:
    """Share of what is true, in percent; NaN of nothing."""
    good = list(good)
    return 100 * sum(good) / len(good) if good else float("nan")


def timed(made: list[Product], cocoons: bool) -> list[Product]:
    """Items whose time can be compared: those that were in a cocoon, or the others."""
    return [p for p in made if p.is_timed and (p.item.source == COCOON) == cocoons]


def figures(making: Making, race: str) -> list[tuple[str, float, str]]:
    """Name, value and unit of what is printed of one race, or of all."""
    own = [s for s in making.samples if race in (s.race, "all")]
    made = [p for p in making.products if race in (p.race, "all")]
    certain = [s for s in own if s.is_certain]
    refused = Counter(p.verdict for p in made if not p.harmed or p.verdict is Verdict.REQUIREMENT)
    return [
        ("samples", len(own), ""),
        ("samples.exact_starts", len(certain), ""),
        ("samples.exact_starts.all_recorded", sum(s.complete for s in certain), ""),
        ("supply.used.agreement", percent(s.used == s.recorded_used for s in own), "%"),
        ("supply.used.exact_starts.agreement", percent(s.used == s.recorded_used for s in certain), "%"),
        ("supply.used.all_recorded.agreement", percent(s.used == s.recorded_used for s in certain if s.complete), "%"),
        ("supply.used.within_bounds", percent(s.low <= s.recorded_used <= s.high for s in own), "%"),
        ("supply.made.agreement", percent(s.made == s.recorded_made for s in own), "%"),
        ("build_times.compared", len(timed(made, False)), "items"),
        ("build_times.within_1_loop", percent(abs(p.took - p.recorded) <= 1 for p in timed(made, False)), "%"),
        ("build_times.cocoons.within_1_loop", percent(abs(p.took - p.recorded) <= 1 for p in timed(made, True)), "%"),
        ("build_times.interrupted", sum(p.interrupted for p in made), "items"),
        ("build_times.equal", percent(p.took == p.recorded for p in timed(made, False)), "%"),
        ("refused.builder", refused[Verdict.BUILDER], "items"),
        ("refused.supply", refused[Verdict.SUPPLY], "items"),
        ("refused.ground", refused[Verdict.GROUND], "items"),
        ("refused.requirement", refused[Verdict.REQUIREMENT], "items"),
    ]


def show(making: Making, worst: int, console: Console) -> None:
    """A table by race, and what does not agree by name."""
    races = [*sorted({s.race for s in making.samples}), "all"]
    columns = [figures(making, race) for race in races]
    shown = Table(title="production as recorded")
    for name in ("", *races):
        shown.add_column(name, justify="right" if name else "left")
    for row in zip(*columns, strict=True):
        shown.add_row(f"{row[0][0]} {row[0][2]}", *(f"{v:.2f}" if unit == "%" else str(v) for _, v, unit in row))
    console.print(shown)
    for name in (game.name for game in making.others):
        console.print(f"{name} begins otherwise: the rules of another balance patch, left out")
    for kind, count in making.unknown.most_common():
        console.print(f"{count} x {kind}: the game cannot make it")
    _name_refused(making.products, console)
    _name_times(making.products, console)
    helps = Counter(p.help.name.lower() for p in making.products if p.help is not Help.NONE)
    late = sum(p.item is not None and p.verdict is Verdict.TAKEN and (p.late is None or p.late > LATE)
               for p in making.products)  # fmt: skip
    console.print(f"seen to: {dict(helps)}; begun more than {LATE} loops after an estimated start: {late}")
    wrong = Counter(s.game + " " + s.race for s in making.samples if s.is_certain and s.used != s.recorded_used)
    for name, count in wrong.most_common(worst):
        console.print(f"{name}: supply used differs in {count} samples")


def _name_refused(made: list[Product], console: Console) -> None:
    for p in made:
        if p.verdict is Verdict.REQUIREMENT or (p.verdict is not Verdict.TAKEN and not p.harmed):
            console.print(f"{p.game} {p.race}: {p.name} at {p.start} refused: {p.verdict.name.lower()}")
    later = Counter(p.verdict.name.lower() for p in made if p.harmed and p.verdict > Verdict.REQUIREMENT)
    console.print(f"refused after the first loss, which is not imposed: {dict(later)}")


def _name_times(made: list[Product], console: Console) -> None:
    for cocoons in (False, True):
        differ = Counter((p.name, p.took, p.recorded) for p in timed(made, cocoons) if p.took != p.recorded)
        for (name, took, recorded), count in differ.most_common():
            games = {p.game for p in timed(made, cocoons) if (p.name, p.took, p.recorded) == (name, took, recorded)}
            console.print(f"{count} x {name}: {took} loops for {recorded} recorded ({min(games)}, {len(games)} games)")


def report(making: Making) -> None:
    """Prints the last lines."""
    for name, value, unit in figures(making, "all"):
        if unit:
            print(f"economy.{name}: {value:.2f} {unit}" if unit == "%" else f"economy.{name}: {value} {unit}")
