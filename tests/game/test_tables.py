"""What a StarCraft II player knows of 5.0.14, against the tables. The game shows "Faster" seconds: 22.4 loops."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asterism.errors import UserError
from asterism.game import tables
from asterism.game.tables import load_abilities, load_economy, load_units, load_upgrades

ROOT = Path(__file__).parents[2]
TECH = ROOT.parent / "shared" / "data" / "tech"
UNITS = {row.name: row for row in load_units()}
IDS = {row.id: row for row in load_units()}
UPGRADES = {row.name: row for row in load_upgrades()}


def names(ids):
    return {IDS[i].name for i in ids}


# minerals, vespene, supply, build time in Faster seconds as displayed, health
COSTS = {
    "SCV": (50, 0, 1, 12, 45),
    "Marine": (50, 0, 1, 18, 45),
    "Marauder": (100, 25, 2, 21, 125),
    "Reaper": (50, 50, 1, 32, 60),
    "Hellion": (100, 0, 2, 21, 90),
    "SiegeTank": (150, 125, 3, 32, 175),
    "Medivac": (100, 100, 2, 30, 150),
    "Battlecruiser": (400, 300, 6, 64, 550),
    "Thor": (300, 200, 6, 43, 400),
    "CommandCenter": (400, 0, 0, 71, 1500),
    "OrbitalCommand": (150, 0, 0, 25, 1500),
    "PlanetaryFortress": (150, 150, 0, 36, 1500),
    "SupplyDepot": (100, 0, 0, 21, 400),
    "Refinery": (75, 0, 0, 21, 500),
    "RefineryRich": (75, 0, 0, 21, 500),
    "Barracks": (150, 0, 0, 46, 1000),
    "Factory": (150, 100, 0, 43, 1250),
    "Starport": (150, 100, 0, 36, 1300),
    "BarracksTechLab": (50, 25, 0, 18, 400),
    "BarracksReactor": (50, 50, 0, 36, 400),
    "EngineeringBay": (125, 0, 0, 25, 850),
    "Bunker": (100, 0, 0, 29, 400),
    "MissileTurret": (100, 0, 0, 18, 250),
    "Probe": (50, 0, 1, 12, 20),
    "Pylon": (100, 0, 0, 18, 200),
    "Nexus": (400, 0, 0, 71, 1000),
    "Zealot": (100, 0, 2, 27, 100),
    "Stalker": (125, 50, 2, 27, 80),
    "WarpGate": (0, 0, 0, 7, 500),
    "Archon": (0, 0, 4, 9, 10),
    "Drone": (50, 0, 1, 12, 40),
    "Overlord": (100, 0, 0, 18, 200),
    "Zergling": (25, 0, 0.5, 17, 35),
    "Baneling": (25, 25, 0.5, 14, 30),
    "Roach": (75, 25, 2, 19, 145),
    "Ravager": (25, 75, 3, 12, 120),
    "Queen": (175, 0, 2, 36, 175),
    "Hatchery": (275, 0, 0, 71, 1500),
    "Lair": (150, 100, 0, 57, 2000),
    "Hive": (200, 150, 0, 71, 2500),
    "SpawningPool": (200, 0, 0, 46, 1000),
    "Extractor": (25, 0, 0, 21, 500),
    "Overseer": (50, 50, 0, 12, 200),
    "BroodLord": (150, 150, 4, 24, 225),
}


@pytest.mark.parametrize("name", COSTS)
def test_costs_of_each_step(name):
    row = UNITS[name]
    minerals, vespene, supply, seconds, health = COSTS[name]
    assert (row.minerals, row.vespene, row.supply, row.max_health) == (minerals, vespene, supply, health)
    assert row.build_time / 22.4 == pytest.approx(seconds, abs=0.5)


def test_totals_count_what_was_used_up():
    assert (UNITS["Baneling"].total_minerals, UNITS["Baneling"].total_vespene) == (50, 25)
    assert UNITS["Hive"].total_minerals == 50 + 275 + 150 + 200
    for row in load_units():
        if row.minerals and row.name != "OverlordTransport":  # whose total the game's data leave at the Overlord's
            used_up = row.total_minerals - row.minerals
            assert used_up in {0, *(IDS[i].total_minerals for i in row.producers)}, row.name


def test_modes_cost_nothing_and_do_not_change_supply():
    for base, mode in {
        "SiegeTank": "SiegeTankSieged",
        "Zergling": "ZerglingBurrowed",
        "Barracks": "BarracksFlying",
    }.items():
        assert (UNITS[mode].minerals, UNITS[mode].vespene, UNITS[mode].supply) == (0, 0, UNITS[base].supply)
        assert UNITS[mode].normal_mode == UNITS[base].id


def test_supply_provided():
    provided = {"SupplyDepot": 8, "Pylon": 8, "Overlord": 8, "CommandCenter": 15, "Nexus": 15, "Hatchery": 6}
    assert {name: UNITS[name].supply_provided for name in provided} == provided
    assert not any(row.supply_provided and row.supply for row in load_units())


def test_tech_tree():
    tree = {
        "Barracks": ({"SCV"}, {"SupplyDepot"}),
        "Factory": ({"SCV"}, {"Barracks"}),
        "EngineeringBay": ({"SCV"}, {"CommandCenter"}),
        "MissileTurret": ({"SCV"}, {"EngineeringBay"}),
        "SupplyDepot": ({"SCV"}, set()),
        "SCV": ({"CommandCenter", "OrbitalCommand", "PlanetaryFortress"}, set()),
        "BarracksTechLab": ({"Barracks", "BarracksFlying"}, set()),
        "Stalker": ({"Gateway"}, {"CyberneticsCore"}),
        "Mutalisk": ({"Larva"}, {"Spire"}),
        "Roach": ({"Larva"}, {"RoachWarren"}),
        "Lair": ({"Hatchery"}, {"SpawningPool"}),
    }
    assert {name: (names(UNITS[name].producers), names(UNITS[name].requires)) for name in tree} == tree


def test_tech_lab_units():
    needy = {row.name for row in load_units() if row.needs_addon}
    assert needy == {"Marauder", "Ghost", "SiegeTank", "Thor", "Cyclone", "Banshee", "Raven", "Battlecruiser"}


def test_higher_forms_fulfil_the_requirements_of_lower_ones():
    assert names(UNITS["Hive"].tech_alias) == {"Lair", "Hatchery"}
    assert names(UNITS["OrbitalCommand"].tech_alias) == {"CommandCenter"}
    assert names(UNITS["SupplyDepotLowered"].tech_alias) == {"SupplyDepot"}


# target, damage, attacks, bonus attribute, bonus, range, cooldown in Faster seconds
WEAPONS = {
    "SCV": ("ground", 5, 1, "", 0, 0.2, 1.07),
    "Marine": ("any", 6, 1, "", 0, 5, 0.61),
    "Marauder": ("ground", 10, 1, "armored", 10, 6, 1.07),
    "Reaper": ("ground", 4, 2, "", 0, 5, 0.79),
    "Hellion": ("ground", 8, 1, "light", 6, 5, 1.79),
    "SiegeTank": ("ground", 15, 1, "armored", 10, 7, 0.74),
    "SiegeTankSieged": ("ground", 40, 1, "armored", 30, 13, 2.14),
    "MissileTurret": ("air", 12, 2, "", 0, 7, 0.61),
    "Zealot": ("ground", 8, 2, "", 0, 0.1, 0.86),
    "Stalker": ("any", 13, 1, "armored", 5, 6, 1.34),
    "Zergling": ("ground", 5, 1, "", 0, 0.1, 0.497),
    "Mutalisk": ("any", 9, 1, "", 0, 3, 1.09),
}


@pytest.mark.parametrize("name", WEAPONS)
def test_weapons(name):
    (weapon,) = UNITS[name].weapons
    *stats, cooldown = WEAPONS[name]
    bonus = weapon.bonus_attribute, weapon.bonus_damage
    assert [weapon.target, weapon.damage, weapon.attacks, *bonus, weapon.range] == stats
    assert weapon.cooldown / 22.4 == pytest.approx(cooldown, abs=0.006)


def test_area_damage():
    tank, hellion = UNITS["SiegeTankSieged"].weapons[0], UNITS["Hellion"].weapons[0]
    assert (tank.min_range, tank.friendly_fire, tank.splash_shape) == (2, True, "circle")
    assert [ring.fraction for ring in tank.splash] == [1, 0.5, 0.25]
    assert (hellion.splash_shape, hellion.friendly_fire) == ("line", False)
    for row in load_units():
        for weapon in row.weapons:
            radii = [ring.radius for ring in weapon.splash]
            assert radii == sorted(radii) and (weapon.splash_shape == "none") == (not radii), row.name


def test_speeds():
    """Speeds a Faster second as the game shows them: 22.4 loops."""
    shown = {"Marine": 3.15, "SCV": 3.94, "Hellion": 5.95, "SiegeTank": 3.15, "Zergling": 4.13, "Overlord": 0.902}
    assert {name: pytest.approx(UNITS[name].speed * 22.4, abs=0.01) for name in shown} == shown
    assert not any(row.speed for row in load_units() if row.is_structure and row.footprint != (0, 0))


def test_structures_on_the_grid():
    sizes = {"CommandCenter": (5, 5), "Barracks": (3, 3), "SupplyDepot": (2, 2), "BarracksTechLab": (2, 2)}
    assert {name: UNITS[name].footprint for name in sizes} == sizes
    assert UNITS["SupplyDepot"].blocks_pathing and not UNITS["SupplyDepotLowered"].blocks_pathing
    assert UNITS["Refinery"].needs_geyser and UNITS["Gateway"].needs_power and UNITS["SpawningPool"].needs_creep
    assert UNITS["CommandCenter"].needs_distance_to_resources and not UNITS["Barracks"].needs_distance_to_resources
    assert (UNITS["Pylon"].power_radius, UNITS["Gateway"].power_radius) == (6.5, 0)
    assert all("structure" in row.attributes for row in load_units() if row.footprint != (0, 0))


def test_kinds_of_units():
    assert {row.name for row in load_units() if row.is_worker} == {"SCV", "Probe", "Drone"}
    assert UNITS["Colossus"].plane == "any" and not UNITS["Colossus"].is_flying
    assert (UNITS["Bunker"].cargo_capacity, UNITS["SiegeTank"].cargo_size) == (4, 4)
    assert UNITS["MissileTurret"].detection_range == 11
    assert set(UNITS["SCV"].attributes) == {"light", "biological", "mechanical"}
    assert UNITS["OrbitalCommand"].energy_regen * 22.4 == pytest.approx(0.7875)


def test_upgrades():
    weapons, armor = UPGRADES["TerranInfantryWeaponsLevel1"], UPGRADES["TerranInfantryArmorsLevel1"]
    for row in (weapons, armor):
        assert (row.minerals, row.vespene, row.time / 22.4) == (100, 100, pytest.approx(114, abs=0.5))
    assert names(weapons.producers) == {"EngineeringBay"} and not weapons.requires
    second = UPGRADES["TerranInfantryWeaponsLevel2"]
    assert names(second.requires) == {"Armory"} and second.requires_upgrade == weapons.id
    assert {(IDS[e.unit].name, e.value) for e in weapons.effects if e.field == "damage"} == {
        (name, 1) for name in ("Marine", "Marauder", "Reaper", "Ghost")
    }
    assert UNITS["Marauder"].weapons[0].upgrade_bonus_damage == 1
    assert names(UPGRADES["Burrow"].producers) == {"Hatchery", "Lair", "Hive"}


def test_economy():
    economy = load_economy()
    amounts = {row.name: (row.contents, row.per_trip) for row in economy.resources}
    assert amounts["MineralField"] == (1800, 5) and amounts["MineralField750"] == (900, 5)
    assert amounts["VespeneGeyser"] == (2250, 4) and amounts["RichMineralField"] == (1800, 7)
    assert (economy.start_minerals, economy.start_workers, economy.supply_cap) == (50, 12, 200)
    assert economy.larva_time / 22.4 == pytest.approx(10.7, abs=0.05)


def test_every_way_to_make_something_has_one_row():
    usual = {row.ability_id: row for row in load_units() if row.ability_id and not row.name.endswith("Rich")}
    assert {row.id: row.product for row in load_abilities() if row.id in usual} == {i: r.id for i, r in usual.items()}
    assert all(row.producers for row in load_abilities())
    assert {names(row.producers).pop() for row in load_abilities() if row.kind == "warp"} == {"WarpGate"}


def test_a_damaged_table_is_refused(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "units.json"
    monkeypatch.setattr(tables.resources, "files", lambda package: tmp_path)
    row = '{"id":%d,"name":"Marine","race":"%s"}'
    for text in ("[", "[{}]", f"[{row % (1, 'human')}]", f"[{row % (2, 'terran')},{row % (1, 'terran')}]"):
        file.write_text(text)
        with pytest.raises(UserError, match="units.json is damaged"):
            load_units.__wrapped__()


@pytest.mark.skipif(not TECH.is_dir(), reason="../shared/data/tech is absent: it is no part of the project")
def test_the_tables_are_what_the_script_makes(tmp_path):
    script = [sys.executable, str(ROOT / "scripts" / "make_tables.py"), "--tech", str(TECH), "--out", str(tmp_path)]
    subprocess.run(script, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    for name in ("units", "upgrades", "abilities", "economy", "buffs", "spells"):
        carried = ROOT / "asterism" / "game" / "data" / f"{name}.json"
        assert (tmp_path / f"{name}.json").read_text() == carried.read_text()
