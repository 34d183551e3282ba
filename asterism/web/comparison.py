"""Variants of an agent side by side: one page without any file beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asterism.files import write_atomic
from asterism.web.figures import Line, curves, intervals
from asterism.web.page import render_page
from asterism.web.report import WinRate


@dataclass(frozen=True)
class Comparison:
    """What the page shows."""

    title: str
    summary: str
    win_rates: Mapping[str, Sequence[WinRate]]
    """By variant, one for each opponent, of the games of all seeds."""
    each: Mapping[str, Mapping[str, Sequence[float]]]
    """By variant and opponent, the win rate with each seed."""
    settings: Mapping[str, Mapping[str, Any]]
    """By variant, what sets it apart."""
    curves: Mapping[str, Mapping[str, Line]]
    """By title, a line for each variant over the updates."""


def write_comparison(path: Path, data: Comparison) -> None:
    """Writes the page to `path`, atomically; raises UserError when the disk is full."""
    write_atomic(path, render_page("comparison.html.j2", data=data, figures=comparison_figures(data)))


def comparison_figures(data: Comparison) -> list[str]:
    """Win rates of all variants by opponent, then the curves, as SVG."""
    points = {
        variant: {row.opponent: (row.low, row.mid, row.high) for row in rows}
        for variant, rows in data.win_rates.items()
    }
    figures = [intervals(points, title="Win rate, with 95% interval", x="win rate (a draw counts half)")]
    for title, lines in data.curves.items():
        limits = (-0.02, 1.02) if "in rate" in title else (None, None)
        share = limits[0] is not None
        figures.append(curves(lines, title=title, x="step (updates)", y=title, limits=limits, percent=share))
    return figures
