"""The table of raw functions: pysc2's numbers, and that it can order whatever Terran can make."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asterism.game.tables import load_abilities, load_units, load_upgrades
from asterism.interface.description import raw_functions

ROOT = Path(__file__).parents[2]
TECH = ROOT.parent / "shared" / "data" / "tech"
FUNCTIONS = raw_functions()


def test_numbers_and_names_are_pysc2s():
    assert [row["id"] for row in FUNCTIONS.values()] == list(range(564))
    known = {"no_op": 0, "Smart_pt": 1, "Attack_pt": 2, "Attack_unit": 3, "raw_move_camera": 168}
    assert {name: FUNCTIONS[name]["id"] for name in known} == known
    assert FUNCTIONS["Train_Marine_quick"]["ability_id"] == 560


def test_parts_follow_from_the_kind():
    for row in FUNCTIONS.values():
        kind = row["kind"]
        assert row["location"] == (kind in ("raw_cmd_pt", "raw_move_camera")), row["name"]
        assert row["target_unit"] == (kind == "raw_cmd_unit"), row["name"]
        assert row["units"] == (kind not in ("raw_no_op", "raw_move_camera")), row["name"]
        assert row["queued"] == kind.startswith("raw_cmd"), row["name"]


def test_general_functions_stand_for_functions_with_the_same_parts():
    kinds = {(row["ability_id"], row["kind"]) for row in FUNCTIONS.values() if not row["general_id"]}
    special = [row for row in FUNCTIONS.values() if row["general_id"]]
    assert len(special) > 200
    assert {row["name"] for row in special if (row["general_id"], row["kind"]) not in kinds} == set()


ORDERABLE = {row["ability_id"] for row in FUNCTIONS.values()} - {0}


def can_order(row):
    return row.ability_id in ORDERABLE or row.general_id in ORDERABLE


def test_every_unit_that_is_made_has_an_action():
    """All of Terran's and Protoss's; of Zerg's not the Baneling, whose ability 5.0 replaced."""
    made = [row for row in load_units() if row.ability_id]
    assert len([row for row in made if row.race == "terran"]) > 50
    assert {row.name for row in made if not can_order(row)} == {"Baneling"}


def test_upgrades_that_came_after_pysc2_have_no_action():
    """pysc2 numbered its functions for 4.10; what 5.0 added or moved cannot be ordered through them."""
    missing = {row.name for row in load_upgrades() if not can_order(row)}
    assert missing == {"MedivacCaduceusReactor", "LiberatorAGRangeUpgrade", "LurkerRange", "VoidRaySpeedUpgrade"}


def test_what_builds_on_the_ground_takes_a_location():
    by_ability = {}
    for row in FUNCTIONS.values():
        by_ability.setdefault(row["ability_id"], []).append(row)
    structures = {row.id: row for row in load_units() if row.is_structure}
    for ability in load_abilities():
        product = structures.get(ability.product)
        if ability.kind == "build" and product and not product.is_addon and ability.id in by_ability:
            part = "target_unit" if product.needs_geyser else "location"
            assert any(row[part] for row in by_ability[ability.id]), ability.name


@pytest.mark.skipif(not TECH.is_dir(), reason="../shared/data/tech is absent: it is no part of the project")
def test_the_table_is_what_the_script_makes(tmp_path):
    script = [sys.executable, str(ROOT / "scripts" / "make_actions.py"), "--tech", str(TECH), "--out", str(tmp_path)]
    subprocess.run(script, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    carried = ROOT / "asterism" / "interface" / "data" / "actions.json"
    assert (tmp_path / "actions.json").read_text() == carried.read_text()
