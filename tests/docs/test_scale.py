"""The page on a league of AlphaStar's size says what its script works out."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from scale import Inputs, Sizes, rows, sizes, table  # noqa: E402

ROUND = Sizes(policy=100_000_000, weights=200_000_000, step=100_000, memory=800_000, operations=5 * 10**9)


def values(**changes):
    return {name: value for name, _, value in rows(replace(Inputs(), **changes), ROUND)}


def test_the_page_has_the_scripts_table():
    assert table(Inputs()) in (ROOT / "docs" / "scale.md").read_text()


def test_round_numbers_by_hand():
    found = values(batch=500, unroll=50, days=1, learner_steps=50_000, device_peak=1000)
    assert found["devices"] == "60" and found["device hours"] == "1,440 h"
    assert found["agent steps in all"] == "5.18e+10"  # 12 x 50,000 x 86,400.
    assert found["updates of a learner"] == "4.00 /s"  # 2 x 50,000 / 25,000.
    assert found["share of a device's peak"] == "50%"  # 10 x 5e9 x 10,000 of 1e15.
    assert found["results"] == "320 /s" and found["records"] == "2 GB"  # 320 x 86,400 x 80 bytes.
    assert found["frozen players"] == "180 GB"
    assert found["gradients, a device"] == "1.60 GB/s"
    assert found["weights, an actor's host"] == "10 MB/s"
    assert found["a trajectory"] == "6.60 MB" and found["trajectories, a learner"] == "6.60 GB/s"


def test_half_the_speed_takes_twice_the_devices():
    assert values(device_steps=5000)["devices of a learner"] == "10.0"
    assert values(device_steps=5000)["device hours"] == "126,720 h"


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_sizes_grow(name):
    larger = {"tiny": "small", "small": "full"}[name]
    assert all(one < other for one, other in zip(sizes(name), sizes(larger), strict=True))
