"""The tables of the site say of StarCraft II's units what is known of them, and leave none of the rules' out."""

import importlib
import inspect
import re
import sys
from enum import IntEnum
from pathlib import Path

import pytest

from asterism.cli import parse
from asterism.game.rosters import full_units, full_upgrades
from asterism.game.rules import load_rules
from asterism.game.tables import RACES
from asterism.interface import observation
from asterism.interface.observation import EntityField
from asterism.runtime.ablations import ABLATIONS, variants
from asterism.runtime.config_file import setting
from asterism.runtime.train import TrainConfig

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def tables():
    """The module of the same name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("tables")
        del sys.modules["tables"]


@pytest.fixture(scope="module")
def interface_tables(tables):
    """The module of the same name."""
    return importlib.import_module("interface_tables")


@pytest.fixture(scope="module")
def learning_tables(tables):
    """The module of the same name."""
    return importlib.import_module("learning_tables")


@pytest.fixture(scope="module")
def bot_tables(tables):
    """The module of the same name."""
    return importlib.import_module("bot_tables")


@pytest.fixture(scope="module")
def agent_tables(tables):
    """The module of the same name."""
    return importlib.import_module("agent_tables")


def rows(text: str) -> list[list[str]]:
    """Cells of a Markdown table, without its head; no-break spaces are spaces."""
    lines = text.replace("\N{NO-BREAK SPACE}", " ").splitlines()[2:]
    return [[cell.strip() for cell in line.split(" | ")] for line in (line.strip("|") for line in lines)]


def row(text: str, name: str) -> list[str]:
    """The row that begins with `name`."""
    (found,) = [cells[1:] for cells in rows(text) if cells[0] == name]
    return found


def test_units_as_they_are_known(tables):
    found = tables.substitutions()
    marine = ["50", "1", "400 (17.9 s)", "Barracks", "", "45 / 0 / 0", "", "3.15", "9", "biological, light"]
    assert row(found["units_terran"], "Marine") == marine
    assert row(found["units_protoss"], "Stalker")[:5] == ["125 / 50", "2", "608 (27.1 s)", "Gateway", "CyberneticsCore"]
    assert row(found["structures_terran"], "SupplyDepot")[:2] == ["100", "+8"]
    lair = ["150 / 100", "1280 (57.1 s)", "Hatchery"]
    assert [cell for i, cell in enumerate(row(found["structures_zerg"], "Lair")) if i in (0, 2, 3)] == lair
    hellion = ["InfernalFlameThrower", "8 (+1), +6 (+1) to light", "ground", "5"]
    assert row(found["weapons_terran"], "Hellion")[:4] == hellion


def test_upgrades_say_what_the_game_changes(tables):
    found = tables.substitutions()
    assert row(found["upgrades_terran"], "BansheeSpeed")[2] == "speed +1.4: Banshee"
    assert row(found["upgrades_zerg"], "CentrificalHooks")[3] == "BanelingNest"
    # Faster burrowing, which the embedded game does not have.
    assert row(found["upgrades_terran"], "DrillClaws")[2] == ""


def test_nothing_of_the_rules_is_left_out(tables):
    found = tables.substitutions()
    names = [r[0] for race in RACES for kind in ("units", "structures") for r in rows(found[f"{kind}_{race}"])]
    assert sorted(names) == sorted(full_units())
    assert sorted(r[0] for race in RACES for r in rows(found[f"upgrades_{race}"])) == sorted(full_upgrades())


def test_actions_have_their_numbers(interface_tables):
    found = interface_tables.substitutions()
    for rules in ("terran_v1", "full"):
        names = [r[1].strip("`") for r in rows(found[f"actions_{rules}"])]
        assert names == [action.name for action in load_rules(rules, 64).description.actions]
    fields = {r[1].strip("`"): int(r[0]) for r in rows(interface_tables.enum_table(EntityField))}
    assert fields == {field.name: field.value for field in EntityField}


def test_every_enum_of_the_observation_is_shown(interface_tables):
    shown = re.findall(r"\*\*`(\w+)`", interface_tables.enum_tables(observation))
    text = inspect.getsource(observation)
    assert shown == re.findall(r"class (\w+)\(IntEnum\)", text) and "EntityField" in shown


def test_the_page_of_coverage_is_what_its_script_writes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(DOCS.parent / "scripts")
    script = importlib.import_module("make_coverage")
    monkeypatch.setattr(script, "OUT", tmp_path / "coverage.md")
    script.main()
    assert script.OUT.read_text(encoding="utf-8") == (DOCS / "coverage.md").read_text(encoding="utf-8")


def test_levels_say_what_they_can_do(bot_tables):
    """In the order of their numbers; what a level cannot do is left empty."""
    text = bot_tables.substitutions()["levels"]
    assert [int(r[1]) for r in rows(text)] == list(range(1, 11))
    top = "10 16 x1 66 20 4 0 yes 0.5 yes yes all".split()
    assert row(text, "CheatInsane") == [*top, "vision, income x2"]
    assert row(text, "VeryEasy")[-6:] == ["", "", "", "", "timing, macro", ""]


def test_every_style_is_told_of(bot_tables):
    text = bot_tables.substitutions()["styles"]
    assert [r[0] for r in rows(text)] == ["Terran", "Zerg", "Protoss"] and not [r for r in rows(text) if "" in r]
    assert "mutalisks" in row(text, "Zerg")[-1]


def test_every_table_is_on_a_page(tables, interface_tables, bot_tables):
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    modules = (tables, interface_tables, bot_tables)
    names = {name for module in modules for name in module.substitutions()}
    assert {name for name in names if f"{{{{ {name} }}}}" in pages} == names


class Sample(IntEnum):
    FIRST = 1  # said behind
    SECOND = 2
    """Said
    below."""
    THIRD = 3


def test_what_is_said_of_a_field_is_found_behind_it_or_below(tables):
    said = tables.commented(Sample)
    assert said == {"FIRST": "said behind", "SECOND": "Said below.", "THIRD": ""}


def test_the_full_agent_has_every_number_of_the_paper(agent_tables):
    """Of the transformer for build orders it gives two."""
    found = rows(agent_tables.sizes_table())
    assert len(found) == 20
    for name, paper, full, small, tiny in found:
        assert paper == full or name == "build order's transformer"
        assert small and tiny


@pytest.mark.parametrize("name", ABLATIONS)
def test_the_flags_of_an_ablation_are_its_settings(learning_tables, name):
    """As the page has them, `asterism train` takes them, and its run is the variant's."""
    ablation = ABLATIONS[name]
    for variant, config in variants(name, TrainConfig()).items():
        text = learning_tables.flags({**ablation.common, **ablation.variants[variant]}).replace("`", "")
        assert parse("train", TrainConfig, ["--name", variant, *text.split()]) == config


def test_every_weight_of_the_loss_is_in_the_table(learning_tables):
    named = " ".join(row[1] for row in learning_tables.loss_rows())
    assert all(f".{setting((name,))}`" in named for name in ("policy", "value", "upgo", "entropy", "kl"))
    assert ("1, 4, 6, 6, 6", "1, 0.02, 0.02, 0.02, 0.02") == learning_tables.loss_rows()[0][2:]
