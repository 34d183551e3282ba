"""The report of a run: one page without any file beside it."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Integer, UInt8

from asterism.files import write_atomic
from asterism.web.figures import Line, curves, heat_map, share_map
from asterism.web.page import render_page


class WinRate(NamedTuple):
    """Games against one opponent."""

    opponent: str
    wins: int
    draws: int
    losses: int
    low: float
    """Lower end of the 95% interval of the win rate."""
    mid: float
    """Win rate, a draw counting half."""
    high: float


PAYOFF = "Payoff: win rate, and under it the games that count, old ones less"
"""Title of the map."""


class Payoff(NamedTuple):
    """Who beats whom in the league."""

    names: Sequence[str]
    matrix: Float[np.ndarray, "n n"]
    """Win rate of the row's player, a draw counting half; NaN where the two have not met."""
    games: Integer[np.ndarray, "n n"]


class TypeRow(NamedTuple):
    """How well one action type was imitated."""

    name: str
    steps: int
    right: float
    """Share of its steps in which it was the likeliest."""
    losses: Mapping[str, float]
    """Mean cross-entropy (nats) of each part that it uses."""


class Confusion(NamedTuple):
    """Which action types an imitator takes for which."""

    names: Sequence[str]
    shares: Float[np.ndarray, "n m"]
    """Of the steps of each of `names` (row), those in which each of them, and last any other, was the likeliest."""
    types: Sequence[TypeRow]


class Frame(NamedTuple):
    """One picture of the game strip."""

    image: bytes | UInt8[np.ndarray, "height width 3"]
    """PNG bytes, or pixels."""
    caption: str


class GameCurves(NamedTuple):
    """The game of the strip over time, for both players."""

    players: tuple[str, str]
    minutes: Float[np.ndarray, " t"]
    """Game time."""
    supply: Float[np.ndarray, "2 t"]
    value: Float[np.ndarray, "2 t"]
    """The value network's estimate of win/loss, -1..1, NaN where a player has none."""


@dataclass(frozen=True)
class ReportData:
    """What a report shows; whatever is empty is left out."""

    title: str
    summary: str = ""
    """A sentence or two under the title."""
    config: Sequence[tuple[str, Any]] = ()
    """Settings and their values."""
    metrics: Mapping[str, Mapping[str, Line]] = field(default_factory=dict)
    """{stage: {name: (steps, values)}}; names with '/' form groups, a figure each: loss/units, accuracy/delay."""
    win_rates: Sequence[WinRate] = ()
    payoff: Payoff | None = None
    confusion: Confusion | None = None
    strip: Sequence[Frame] = ()
    game: GameCurves | None = None
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """{stage: {fact: text}}: time, memory, rate, machine."""
    commands: Sequence[tuple[str, str]] = ()
    """(what it does, command line), the seeds in them."""


class Group(NamedTuple):
    """How a group of metrics is drawn."""

    title: str
    axis: str
    fraction: bool = False


GROUPS = {
    "loss": Group("Loss by part", "loss (nats)"),
    "loss_by_part": Group("Loss by action part", "loss (nats)"),
    "loss_by_reward": Group("Loss by reward", "loss"),
    "held_out_loss": Group("Loss on held-out games", "loss (nats)"),
    "accuracy": Group("Accuracy by head", "share predicted right", True),
    "held_out_accuracy": Group("Accuracy on held-out games", "share predicted right", True),
    "win_rate": Group("Win rate by opponent", "win rate (a draw counts half)", True),
    "reward": Group("Reward", "reward per game"),
    "entropy": Group("Entropy by head", "entropy (nats)"),
    "kl": Group("Distance from the teacher", "KL divergence (nats)"),
    "value": Group("Value estimate", "value"),
    "rate": Group("Speed", "per second"),
}
"""Known groups; any other is drawn under its own name."""


def write_report(path: Path, data: ReportData) -> None:
    """Writes the page to `path`, atomically; raises UserError when the disk is full."""
    write_atomic(path, render(data))


def render(data: ReportData) -> str:
    """The page as HTML, every text escaped."""
    types = data.confusion.types if data.confusion else ()
    return render_page(
        "report.html.j2",
        data=data,
        stages={stage: stage_figures(stage, series) for stage, series in data.metrics.items()},
        payoff=heat_map(*data.payoff, title=PAYOFF) if data.payoff else None,
        strip=[(data_url(frame.image), frame.caption) for frame in data.strip],
        game=game_figures(data.game) if data.game else [],
        confusion=confusion_map(data.confusion) if data.confusion else None,
        parts=list(dict.fromkeys(part for row in types for part in row.losses)),
        fact_names=list(dict.fromkeys(name for facts in data.facts.values() for name in facts)),
    )


def stage_figures(stage: str, series: Mapping[str, Line]) -> list[str]:
    """One figure for each group of a stage's metrics, as SVG; the first names of the groups' order come first."""
    groups: dict[str, dict[str, Line]] = {}
    for name, line in series.items():
        group, _, label = name.rpartition("/")
        groups.setdefault(group or name, {})[label] = line
    order = {name: index for index, name in enumerate(GROUPS)}
    figures = []
    for name in sorted(groups, key=lambda name: order.get(name, len(order))):
        plain = name.replace("_", " ").replace("/", ", ")
        group = GROUPS.get(name, Group(plain.capitalize(), plain))
        lines = {label.replace("_", " "): line for label, line in groups[name].items()}
        alone = list(groups[name]) == [name]
        title = f"{group.title} ({stage})"
        limits = (-0.02, 1.02) if group.fraction else (None, None)
        figures.append(
            curves(lines, title=title, x="step", y=group.axis, limits=limits, percent=group.fraction, legend=not alone)
        )
    return figures


def confusion_map(confusion: Confusion) -> str:
    """The table of action types as SVG."""
    columns = [*confusion.names, "any other"]
    return share_map(confusion.names, columns, confusion.shares, title="Action types: recorded and likeliest")


def game_figures(game: GameCurves) -> list[str]:
    """Supply and value estimate of both players over game time, as SVG."""
    figures = []
    for title, axis, rows, limits in (
        ("Supply", "supply used", game.supply, (0, None)),
        ("Value estimate", "estimate of win (1) or loss (-1)", game.value, (-1.05, 1.05)),
    ):
        lines = {
            name: (game.minutes, row) for name, row in zip(game.players, rows, strict=True) if np.isfinite(row).any()
        }
        if lines:
            figures.append(curves(lines, title=title, x="game time (minutes)", y=axis, limits=limits))
    return figures


def data_url(image: bytes | np.ndarray) -> str:
    """A picture as a data: URL, PNG."""
    if not isinstance(image, bytes):
        from PIL import Image

        stream = io.BytesIO()
        Image.fromarray(np.asarray(image)).save(stream, "PNG", optimize=True)
        image = stream.getvalue()
    return "data:image/png;base64," + base64.b64encode(image).decode()
