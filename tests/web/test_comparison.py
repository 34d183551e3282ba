"""The comparison is one page, shows what it is given and runs nothing that it is given."""

import re

import pytest

from asterism.web.comparison import Comparison, write_comparison
from asterism.web.figures import intervals
from asterism.web.report import WinRate

EVIL = "<script>alert('x')</script>"


def test_the_page_shows_every_variant(tmp_path):
    row = WinRate("easy", 6, 2, 2, 0.39, 0.7, 0.89)
    data = Comparison(
        title=f"Ablation {EVIL}",
        summary="What it is for.",
        win_rates={"off": [row], EVIL: [row._replace(wins=7)]},
        each={"off": {"easy": [0.6, 0.8]}, EVIL: {"easy": [0.75]}},
        settings={"off": {}, EVIL: {"setup.parts.popart": True}},
        curves={"Win rate in training": {"off": ([1, 2], [0.1, 0.2])}, "Loss": {"off": ([1, 2], [3.0, 2.0])}},
    )
    write_comparison(tmp_path / "page.html", data)
    page = (tmp_path / "page.html").read_text()
    assert EVIL not in page and page.count("&lt;script&gt;") >= 4
    assert (
        page.count("<svg") == 3
        and "--setup.parts.popart True" in page
        and "39.0–89.0%" in page
        and "60.0%, 80.0%" in page
    )


def test_intervals_stand_at_their_shares():
    """A point at a quarter is a quarter of the way from 0% to 100%; a variant that lacks a row has no point there."""
    points = {"one": {"easy": (0.1, 0.25, 0.4), "hard": (0.0, 0.0, 0.2)}, "two": {"hard": (0.5, 1.0, 1.0)}}
    svg = intervals(points, title="t", x="x")
    quarter, none, all_, *legend = (float(x) for x in re.findall(r'<use [^>]*x="([\d.]+)"[^>]*fill: #', svg))
    assert (quarter - none) / (all_ - none) == pytest.approx(0.25, abs=1e-3)
    assert len(legend) == 2 and svg.count(">hard<") == 1 and ">two<" in svg
