"""The report is one page, shows what it is given and runs nothing that it is given."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from asterism.errors import UserError
from asterism.web.figures import MOST_POINTS, heat_map, thin
from asterism.web.report import (
    Confusion,
    Frame,
    GameCurves,
    Payoff,
    ReportData,
    TypeRow,
    WinRate,
    render,
    stage_figures,
    write_report,
)

EVIL = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.addresses, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def data() -> ReportData:
    steps = list(range(20))
    matrix = np.array([[np.nan, 0.75], [0.25, np.nan]])
    return ReportData(
        title=f"first-light {EVIL}",
        config=[("seed", 3), ("evil", EVIL)],
        metrics={
            "supervised": {f"loss/{EVIL}": (steps, steps), "accuracy/delay": (steps, [0.5] * 20), "x": ([], [])},
            "league": {"win_rate/teacher": ([1], [0.5])},
        },
        win_rates=[WinRate(EVIL, 8, 1, 1, 0.5, 0.85, 0.97)],
        payoff=Payoff(("main", EVIL), matrix, np.array([[0, 16], [16, 0]])),
        confusion=Confusion(
            (EVIL, "no_op"), np.array([[0.9, 0.1, 0.0], [0.25, 0.5, 0.25]]), [TypeRow(EVIL, 7, 0.9, {"delay": 1.25})]
        ),
        strip=[Frame(np.zeros((4, 4, 3), np.uint8), "0:00"), Frame(b"\x89PNG...", EVIL)],
        game=GameCurves(("main", "rush"), np.arange(3.0), np.ones((2, 3)), np.array([[0, 0.5, 1], [np.nan] * 3])),
        facts={"league": {"memory": "2 GB"}, "supervised": {"time": "6 min", "memory": "1 GB"}},
        commands=[("train", "make train ARGS='--seed 3'")],
    )


def test_nothing_given_is_run_or_fetched(data):
    html = render(data)
    page = Page(html)
    assert "script" not in page.tags and "alert('x')" in page.text
    assert page.addresses and all(address.startswith(("#", "data:image/png;base64,")) for address in page.addresses)
    assert not re.search(r"@import|url\((?!#)", html)


def test_everything_given_is_there(data):
    page = Page(render(data))
    for text in (
        "85.0%", "50.0–97.0%", "75%", "2 GB", "6 min", "make train ARGS='--seed 3'", "2 settings",
        "Accuracy by head (supervised)", "Win rate by opponent (league)", "game time (minutes)", "supply used", "0:00",
        "Loss of 1 action types by part", "1.25",
    ):  # fmt: skip
        assert text in page.text, text
    assert page.tags.count("svg") == 3 + 1 + 1 + 2 + 1  # stages, payoff, game, action types
    assert page.tags.count("img") == 2


def test_the_same_data_makes_the_same_page(data):
    assert render(data) == render(data)


def test_an_empty_run_has_a_page_too(tmp_path):
    write_report(tmp_path / "report.html", ReportData("nothing yet"))
    page = Page((tmp_path / "report.html").read_text())
    assert "nothing yet" in page.text and "svg" not in page.tags and "h2" not in page.tags


def test_groups_are_figures_in_a_fixed_order():
    line = ([1, 2], [0.1, 0.2])
    figures = stage_figures(
        "s", {"zeta": line, "accuracy/a": line, "loss/a": line, "accuracy/b": line, "own/deep/a": line}
    )
    titles = [re.search("aria-label='?\"?([^\"'>]*)", figure)[1] for figure in figures]
    assert titles == ["Loss by part (s)", "Accuracy by head (s)", "Zeta (s)", "Own, deep (s)"]


def test_thinning_keeps_mean_and_range_and_drops_nan():
    x = np.arange(10_000.0)
    y = np.sin(x / 500)
    thin_x, thin_y = thin(x, y)
    assert len(thin_x) == MOST_POINTS and (np.diff(thin_x) > 0).all()
    assert thin_x.mean() == pytest.approx(x.mean()) and thin_y.mean() == pytest.approx(y.mean())
    assert np.abs(thin_y - np.interp(thin_x, x, y)).max() < 1e-2
    assert [list(part) for part in thin([1, 2, 3], [5, np.nan, 7])] == [[1, 3], [5, 7]]


def test_a_payoff_that_is_not_square_is_refused():
    with pytest.raises(Exception, match="matrix"):
        heat_map(("a", "b"), np.zeros((2, 3)), np.zeros((2, 3), int), title="")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write .*file/report.html"):
        write_report(tmp_path / "file" / "report.html", ReportData("x"))
