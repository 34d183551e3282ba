"""The standings of a league: one page without any file beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from asterism.files import write_atomic
from asterism.web.figures import heat_map, lineages
from asterism.web.page import render_page
from asterism.web.report import PAYOFF, Payoff


class Standing(NamedTuple):
    """One player of the league."""

    name: str
    parent: str
    """Empty for a teacher."""
    steps: int
    """Agent steps in its weights."""
    elo: float
    """Points above the teacher."""
    elo_error: float
    """Half the width of their 95% interval."""
    nash: float
    """Its share of the Nash distribution."""
    worst: str
    """The frozen player that it does worst against; empty if it has met none."""
    worst_rate: tuple[float, float, float]
    """How often it wins there, with the 95% interval: rate, low, high."""
    learner: bool


class LeagueMap(NamedTuple):
    """Who beats whom between two leagues."""

    summary: str
    home: Sequence[str]
    away: Sequence[str]
    win_rates: Float[np.ndarray, "n m"]
    games: Int[np.ndarray, "n m"]


@dataclass(frozen=True)
class StandingsData:
    """What the page shows."""

    title: str
    summary: str
    standings: Sequence[Standing]
    """In order of entry."""
    payoff: Payoff
    match: LeagueMap | None = None


Point = tuple[int, float, float]
"""Agent steps, Elo, half the width of its interval."""


def lines_of_descent(standings: Sequence[Standing]) -> dict[str, list[Point]]:
    """For each learner its teacher, its frozen copies, and itself as it is."""
    by_name = {one.name: one for one in standings}
    point = lambda one: (one.steps, one.elo, one.elo_error)  # noqa: E731
    lines = {
        one.name: [point(by_name[one.parent])] if one.parent in by_name else [] for one in standings if one.learner
    }
    for one in standings:
        if one.parent in lines:
            lines[one.parent].append(point(one))
    for name in lines:
        lines[name].append(point(by_name[name]))
    return lines


def write_standings(path: Path, data: StandingsData) -> None:
    """Writes the page to `path`, atomically; raises UserError when the disk is full."""
    figures = [
        lineages(lines_of_descent(data.standings), title="Elo of each learner and its copies, with 95% intervals"),
        heat_map(*data.payoff, title=PAYOFF),
    ]
    if data.match:
        match = data.match
        figures.append(heat_map(match.home, match.win_rates, match.games, title=match.summary, against=match.away))
    rows = sorted(data.standings, key=lambda one: -one.elo)
    write_atomic(path, render_page("standings.html.j2", data=data, rows=rows, figures=figures))
