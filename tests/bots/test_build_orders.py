"""The carried build orders: truths of every real game, whoever plays."""

import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from asterism.bots.build_orders import RACES, load_build_orders
from asterism.errors import UserError
from asterism.game.tables import load_units, load_upgrades

ROOT = Path(__file__).parents[2]
GAMES = ROOT.parent / "shared" / "data" / "z"
ALL = [order for race in RACES for order in load_build_orders(race)]
UNITS = {row.name: row for row in load_units()}
WORKERS_AND_SUPPLY = {"SCV", "Probe", "Drone", "SupplyDepot", "Pylon", "Overlord"}


def test_every_game_has_two_players_and_one_winner():
    games = {order.game: [o for o in ALL if o.game == order.game] for order in ALL}
    assert len(games) == 125
    for one, two in games.values():
        assert (one.race, one.enemy, one.start, one.loops) == (two.enemy, two.race, two.enemy_start, two.loops)
        assert {one.won, two.won} == {True, False}


def test_every_match_up_is_there():
    assert {(order.race, order.enemy) for order in ALL} == {(one, two) for one in RACES for two in RACES}


def test_items_are_of_the_race_and_in_order():
    for order in ALL:
        assert len(order.items) <= 20 and not {item.unit for item in order.items} & WORKERS_AND_SUPPLY
        loops = [item.loop for item in order.items]
        assert loops == sorted(loops) and 0 < loops[0] and loops[-1] < order.loops
        for item in order.items:
            row = UNITS[item.unit]
            assert (row.race, row.id) == (order.race, item.unit_id)
            assert order.counts.get(item.unit, 0) > 0 or item.loop + row.build_time > order.loops or row.is_structure
            assert item.position is None or row.is_structure


def test_requirements_come_before_what_requires_them():
    """Of what a build order lists: a Factory never starts before the first Barracks has had its build time."""
    first = {}
    for order in ALL:
        first = {item.unit: item.loop for item in reversed(order.items)}
        if {"Barracks", "Factory"} <= set(first):
            assert first["Factory"] >= first["Barracks"] + UNITS["Barracks"].build_time - 2
        if {"SpawningPool", "Queen"} <= set(first):
            assert first["Queen"] >= first["SpawningPool"] + UNITS["SpawningPool"].build_time - 16


def test_first_barracks_comes_when_players_build_it():
    """About 0:40 on Faster: after a Supply Depot at 14 supply."""
    loops = [{item.unit: item.loop for item in reversed(o.items)}.get("Barracks") for o in load_build_orders("terran")]
    assert 38 < median(loop for loop in loops if loop) / 22.4 < 44


def test_geysers_are_at_home():
    """A first geyser structure stands about 7 cells from the town hall."""
    for order in ALL:
        gas = next((i for i in order.items if i.unit in ("Refinery", "Extractor", "Assimilator")), None)
        if gas:
            assert 5 <= max(map(abs, gas.position)) <= 9 or gas.loop > 2000


def test_addons_stand_right_of_what_they_belong_to():
    """2.5 cells right and half a cell down, in whole cells of the map."""
    found = []
    for order in load_build_orders("terran"):
        for item in order.items:
            kind = re.sub("TechLab|Reactor", "", item.unit)
            parents = [other.position for other in order.items if other.unit == kind and other.loop < item.loop]
            if kind != item.unit and parents:
                offsets = [(item.position[0] - x, item.position[1] - y) for x, y in parents]
                found.append(any(dx in (2, 3) and dy in (-1, 0) for dx, dy in offsets))
    assert len(found) > 100 and sum(found) / len(found) > 0.6  # the others had flown elsewhere before


def test_upgrades_are_of_the_race():
    races = {row.name: row.race for row in load_upgrades()}
    for order in ALL:
        assert all(races[item.upgrade] == order.race and item.loop <= order.loops for item in order.upgrades)


def test_unknown_race():
    with pytest.raises(UserError, match="no race 'xelnaga'"):
        load_build_orders("xelnaga")


def test_size():
    assert (ROOT / "asterism" / "bots" / "data" / "build_orders.json").stat().st_size < 400_000


@pytest.mark.skipif(not GAMES.is_dir(), reason="../shared/data/z is absent: it is no part of the project")
def test_the_file_is_what_the_script_makes(tmp_path):
    script = [sys.executable, str(ROOT / "scripts" / "make_build_orders.py"), "--z", str(GAMES), "--out", str(tmp_path)]
    subprocess.run(script, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    carried = ROOT / "asterism" / "bots" / "data" / "build_orders.json"
    assert (tmp_path / "build_orders.json").read_text() == carried.read_text()
