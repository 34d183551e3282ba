"""Figures of a report as inline SVG that takes its ink from the page, so that it reads in light and in dark."""

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Integer
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

Numbers = Sequence[float] | np.ndarray
Line = tuple[Numbers, Numbers]
"""(x, y) of a curve."""

INK = "#010203"
"""A colour that no figure uses: replaced by the page's text colour."""
PALETTE = ("#4c8bf5", "#e8710a", "#12a594", "#d6409f", "#a38b00", "#8e6cef", "#e5484d", "#5a9e2f", "#7d8590", "#a1662f")
"""Legible on white and on near-black."""
MOST_POINTS = 200
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "asterism",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "grid.color": "#888888",
    "grid.alpha": 0.25,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
}


def curves(
    lines: Mapping[str, Line],
    *,
    title: str,
    x: str,
    y: str,
    limits: tuple[float | None, float | None] = (None, None),
    percent: bool = False,
    legend: bool = True,
) -> str:
    """A line chart. `x` and `y`: axis titles with units; `limits` of y; `percent`: y is a share of 1."""
    with rc_context(STYLE):
        figure = Figure(figsize=(5.4, 3.1), layout="constrained")
        axes = figure.subplots()
        for index, (name, (xs, ys)) in enumerate(lines.items()):
            style = ("-", "--", ":")[index // len(PALETTE) % 3]
            thin_x, thin_y = thin(xs, ys)
            marker = "o" if len(thin_x) == 1 else None
            axes.plot(thin_x, thin_y, style, marker=marker, color=PALETTE[index % len(PALETTE)], label=name)
        axes.set(title=title, xlabel=x, ylabel=y)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=x.startswith("step")))
        axes.set_ylim(*limits)
        if percent:
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if legend and lines:
            columns = 1 if len(lines) <= 8 else 2
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), ncols=columns, handlelength=1.5)
        return _svg(figure, title)


def intervals(
    points: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    title: str,
    x: str,
) -> str:
    """Shares of 1 with intervals, {series: {row: (low, middle, high)}}; the series of a row are side by side."""
    rows = list(dict.fromkeys(row for values in points.values() for row in values))
    with rc_context(STYLE):
        figure = Figure(figsize=(5.4, 1.3 + 0.12 * len(rows) * (len(points) + 1.5)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0.5, color=INK, linewidth=0.8, linestyle=":")
        for index, (name, values) in enumerate(points.items()):
            offset = (index - (len(points) - 1) / 2) * 0.75 / len(points)
            low, middle, high = np.array(list(values.values())).T.reshape(3, -1)
            at = [rows.index(row) + offset for row in values]
            errors = (middle - low, high - middle)
            colour = PALETTE[index % len(PALETTE)]
            axes.errorbar(middle, at, xerr=errors, fmt="o", color=colour, markersize=4, elinewidth=1.6, label=name)
        axes.set(title=title, xlabel=x, xlim=(-0.02, 1.02), ylim=(len(rows) - 0.5, -0.5))
        axes.set_yticks(range(len(rows)), rows)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.5)
        return _svg(figure, title)


def lineages(lines: Mapping[str, Sequence[tuple[int, float, float]]], *, title: str) -> str:
    """Ratings of learners' copies over their agent steps, {learner: [(steps, Elo, half its interval)]}."""
    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.subplots()
        for index, (name, points) in enumerate(lines.items()):
            steps, elo, error = np.array(points, float).T
            colour = PALETTE[index % len(PALETTE)]
            axes.errorbar(steps, elo, yerr=error, fmt="o-", color=colour, markersize=4, elinewidth=1, label=name)
        axes.set(title=title, xlabel="agent steps", ylabel="Elo above the teacher")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if lines:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.5)
        return _svg(figure, title)


def heat_map(
    names: Sequence[str],
    matrix: Float[np.ndarray, "n m"],
    games: Integer[np.ndarray, "n m"],
    *,
    title: str,
    against: Sequence[str] | None = None,
) -> str:
    """The payoff: how often the row's player beats the column's, NaN where they have not met. `against`: players of the
    columns, if they are others. Raises ValueError for a matrix of another shape."""
    columns = names if against is None else against
    if matrix.shape != (len(names), len(columns)):
        raise ValueError(f"a matrix of {matrix.shape} for {len(names)} players against {len(columns)}")
    size = max(len(names), len(columns))
    wide, high = (min(2.4 + 0.62 * count, 11.0) for count in (len(columns), len(names)))
    with rc_context(STYLE | {"axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}):
        figure = Figure(figsize=(wide + 1.2, high), layout="constrained")
        axes = figure.subplots()
        colours = colormaps["RdBu"]
        image = axes.imshow(np.ma.masked_invalid(matrix), cmap=colours, vmin=0, vmax=1)
        axes.set(title=title, xlabel="against", ylabel="player")
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        if size <= 16:
            _annotate(axes, matrix, games, colours)
        bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1))
        bar.set_label("win rate of the row's player (a draw counts half)")
        bar.outline.set_visible(False)
        return _svg(figure, title)


def share_map(rows: Sequence[str], columns: Sequence[str], shares: Float[np.ndarray, "n m"], *, title: str) -> str:
    """Shares of each row that fall to each column, with those of at least 1% written out."""
    with rc_context(STYLE | {"axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}):
        figure = Figure(figsize=(4.2 + 0.42 * len(columns), 2.2 + 0.34 * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.imshow(shares, cmap=colormaps["Blues"], vmin=0, vmax=1, aspect="auto")
        axes.set(title=title, xlabel="likeliest", ylabel="recorded")
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.01:
                ink = "white" if share > 0.5 else "black"
                axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=7, color=ink)
        return _svg(figure, title)


def thin(xs: Numbers, ys: Numbers, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """A curve of at most `most` points: means of equal stretches; NaNs are left out."""
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    if len(x) <= most:
        return x, y
    starts = np.linspace(0, len(x), most, endpoint=False).astype(int)
    counts = np.diff(np.append(starts, len(x)))
    return np.add.reduceat(x, starts) / counts, np.add.reduceat(y, starts) / counts


def _annotate(axes: Axes, matrix: np.ndarray, games: np.ndarray, colours) -> None:
    for (row, column), value in np.ndenumerate(matrix):
        if math.isnan(value):
            axes.text(column, row, "–", ha="center", va="center")
            continue
        dark = np.dot(colours(value)[:3], (0.299, 0.587, 0.114)) < 0.55
        text = f"{value:.0%}\n{games[row, column]}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")


def _svg(figure: Figure, title: str) -> str:
    """The figure as an <svg> element, with its title for those who cannot see it."""
    from xml.sax.saxutils import quoteattr

    stream = io.StringIO()
    # Dates and versions would make the same data give another page.
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    return svg.replace("<svg", f"<svg role='img' aria-label={quoteattr(title)}", 1)
