"""Areas of attacks, upgrades, targets and damage points, worked by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from asterism.game.rules import full
from asterism.game.targets import ACQUIRE

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "tech" / "abilities_5.0.14.json"
NOT_HERE = {"Bunker", "Interceptor", "LocustMPFlying"}
"""Those inside it shoot; the Carrier shoots; it only lands."""


@pytest.mark.skipif(not REAL.is_file(), reason="../shared/data/tech is absent: it is no part of the project")
def test_every_unit_that_has_a_weapon_in_the_real_game_has_one():
    real = json.loads(REAL.read_text())["weapons"]
    rules = full()
    for name in set(real) & set(rules.description.unit_index):
        has = rules.units.weapons.of[rules.description.unit_index[name]].any()
        assert has == (name not in NOT_HERE), name


def test_every_attack_hits_before_the_next_begins():
    weapons = full().units.weapons
    assert (weapons.damage_point < weapons.cooldown).all()


def losses(field, attacker, target, others, place=(24, 32)):
    """What an attack takes from its target and from others, whose places are given from the target's."""
    own = field.put(attacker, 20, 32)
    hit = field.put(target, *place, player=1)
    beside = [field.put(name, place[0] + x, place[1] + y, player=p) for name, x, y, p in others]
    lost = field.strike(own, hit)
    return [float(v) for v in lost[[hit, *beside]].round(3)]


def test_a_siege_shot_has_three_rings_from_edge_to_place_and_spares_nobody(field):
    """Marines of radius 0.375: in the first ring (0.47), the second (0.78), the third (1.25), beyond; air is spared."""
    ring = [("Marine", d + 0.375, 0, 1) for d in (0.4, 0.7, 1.2, 1.3)]
    others = [*ring, ("Marine", -0.7, 0, 0), ("Banshee", 0.2, 0, 1)]
    assert losses(field, "SiegeTankSieged", "Marine", others) == [40, 40, 20, 10, 0, 40, 0]


def test_an_archon_spares_its_own(field):
    others = [("Marine", 0.6, 0, 1), ("Zealot", 0.5, 0, 0), ("Banshee", 0, -0.5, 1)]
    assert losses(field, "Archon", "Marine", others) == [35, 35, 0, 25 * 1.0 - 0]


def test_a_hellion_burns_a_line_as_long_as_its_flame(field):
    """6.5 cells from the middle of the Hellion at x = 20, so 2.5 beyond a target at 24, and 0.15 to either side."""
    others = [("Zergling", 2.5, 0.5, 1), ("Zergling", 2.5, 0.6, 1), ("Zergling", 2.9, 0, 1), ("Zergling", 3.1, 0, 1)]
    others += [("Zergling", -3.5, 0, 1), ("Zergling", -5, 0, 1)]
    assert losses(field, "Hellion", "Zergling", others) == [14, 14, 0, 14, 0, 14, 0]


def test_a_lurker_reaches_farther_with_seismic_spines(field):
    """9 cells from its middle, then 11, and 0.5 to every side."""
    lurker, near, far = (
        field.put(name, x, 32, player=p)
        for name, x, p in (("LurkerMPBurrowed", 20, 0), ("Drone", 24, 1), ("Drone", 31, 1))
    )
    assert list(field.strike(lurker, near)[[near, far]]) == [20, 0]
    field.know("LurkerRange")
    assert list(field.strike(lurker, near)[[near, far]]) == [20, 20]


def test_a_colossus_sweeps_across_its_attack(field):
    """1.25 cells to either side of the target and 0.15 around that, twice 10 + 5 against light."""
    others = [("Zergling", 0, 1.7, 1), ("Zergling", 0, -1.8, 1), ("Zergling", 0.5, 1, 1), ("Zergling", 0.6, 1, 1)]
    assert losses(field, "Colossus", "Zergling", others) == [30, 30, 0, 30, 0]


def test_a_hellbat_burns_a_cone(field):
    """2 cells from its edge (radius 0.625), 22.5 degrees to either side."""
    tan = np.tan(np.radians(22.5))
    others = [("Zergling", 0.9, 2.4 * (tan - 0.02), 1), ("Zergling", 0.9, 2.4 * (tan + 0.02), 1)]
    others += [("Zergling", -2.5, 0, 1), ("Zergling", 1.45, 0, 1), ("Zergling", 1.55, 0, 1)]
    assert losses(field, "HellionTank", "Zergling", others, (21.5, 32)) == [18, 18, 0, 0, 18, 0]


def test_an_ultralisk_gives_a_third_to_what_is_around_its_target(field):
    others = [("Marine", 0, 1, 1), ("Marine", 0, -1, 1), ("Marine", -4, 0, 1)]
    assert losses(field, "Ultralisk", "Marine", others, (22, 32)) == pytest.approx([35, 11.55, 11.55, 0])


def test_a_baneling_hits_units_and_structures_each_in_its_own_way(field):
    others = [("SupplyDepot", 1, 1, 1), ("Marauder", 0, 1, 1), ("Zergling", 0, 0.5, 0), ("Banshee", 0, 0, 1)]
    assert losses(field, "Baneling", "Marine", others, (20.9, 32)) == [35, 80, 15, 0, 0]


def test_a_baneling_that_is_killed_explodes_too(field):
    bane = field.put("Baneling", 24, 32, player=1, health=5)
    near, far = field.put("Marine", 25, 32), field.put("Marine", 28, 32)
    field.battle(3)
    assert field.units.type[bane] == 0
    assert field.units.health[near] == 45 - 35 and field.units.health[far] == 45


@pytest.mark.parametrize(("name", "against"), [("Stalker", "Banshee"), ("Thor", "Mutalisk"), ("Tempest", "Zealot")])
def test_units_with_weapons_for_both_planes_use_them(field, name, against):
    own, other = field.put(name, 20, 32), field.put(against, 24, 32, player=1)
    assert field.fight().target[own] == other


def test_what_hits_one_plane_only_leaves_the_other_alone_but_both_hit_a_colossus(field):
    ling, phoenix = field.put("Zergling", 24, 32), field.put("Phoenix", 24, 33)
    banshee, zealot = field.put("Banshee", 24, 32, player=1), field.put("Zealot", 24, 33, player=1)
    fights = field.fight()
    assert fights.target[ling] == zealot and fights.target[phoenix] == banshee
    field.units.type[[banshee, zealot]] = 0
    colossus = field.put("Colossus", 24, 32, player=1)
    fights = field.fight()
    assert fights.target[ling] == fights.target[phoenix] == colossus


def test_targets_come_by_rank_and_then_by_distance(field):
    own = field.put("Stalker", 20, 32)
    row = (("Pylon", 22), ("Overlord", 23), ("Probe", 24), ("Zealot", 25), ("Zealot", 29))
    pylon, overlord, probe, near, far = (field.put(name, x, 32, player=1) for name, x in row)
    for expected in (near, probe, far, overlord, pylon):
        assert field.fight().target[own] == expected
        field.units.type[expected] = 0
        field.units.windup[own] = 0


def test_who_stays_where_it_is_aims_only_at_what_it_reaches(field):
    tank = field.put("SiegeTankSieged", 20, 32)
    near = field.put("Zergling", 21.5, 32, player=1)  # under its least range
    assert field.fight().target[tank] == -1
    field.units.position[near] = (20 + 2 + 0.875 + 0.375 + 0.1, 32)
    assert field.fight().target[tank] == near
    marine = field.put("Marine", 40, 32)
    field.put("Observer", 46, 32)
    far = field.put("Zergling", 40 + 5 + ACQUIRE + 0.7, 32, player=1)
    assert field.fight().target[marine] == far
    field.units.order_action[marine, 0] = field.stages.game.description.action_index["HoldPosition_quick"]
    assert field.fight().target[marine] == -1


def test_an_attack_that_is_broken_off_before_its_damage_point_does_nothing(field):
    """A Thor's shot takes 13.3 loops."""
    thor, target = field.put("Thor", 20, 32), field.put("Marauder", 25, 32, player=1)
    actions = field.stages.game.description.action_index
    field.fight(8)
    assert field.units.windup[thor] == pytest.approx(13.3 - 8, abs=0.01) and field.units.health[target] == 125
    field.units.order_action[thor, 0] = actions["Move_pt"]
    field.fight(8)
    assert field.units.windup[thor] == 0 and field.units.health[target] == 125
    field.units.order_action[thor, 0] = 0
    field.fight(8)
    assert field.units.health[target] == 125
    field.fight(8)
    assert field.units.health[target] == 125 - 2 * (30 - 1)


def test_upgrades_reach_those_they_are_for(field):
    slots = {n: field.put(n, 24 + i, 32) for i, n in enumerate(("Zergling", "Marine", "Ultralisk", "RoachBurrowed"))}
    other = field.put("Zergling", 24, 40, player=1)
    before = field.modifiers()
    field.know("zerglingmovementspeed", "zerglingattackspeed", "ShieldWall", "ChitinousPlating", "GlialReconstitution")
    after = field.modifiers()
    ling, marine, ultra, roach = slots.values()
    assert float(after.speed[ling] - before.speed[ling]) == pytest.approx(1.746 / 16, abs=1e-5)
    assert float(after.attack_rate[ling]) == pytest.approx(1.4)
    assert float(after.health[marine]) == 55
    assert float(after.armor[ultra] - before.armor[ultra]) == 2
    assert float(after.speed[roach]) == 0  # it lies still without Tunneling Claws
    field.know("TunnelingClaws")
    assert float(field.modifiers().speed[roach]) == pytest.approx((1.4062 + 0.84) / 16, abs=1e-5)
    for old, new in zip(before, after, strict=True):
        assert old[other] == new[other]


def test_shields_go_first_and_the_rest_of_the_hit_meets_the_armor(field):
    """A Zealot with 10 of its 50 shields left: the rest of a sieged tank's 40 goes on to its health."""
    tank, zealot = field.put("SiegeTankSieged", 20, 32), field.put("Zealot", 25, 32, player=1)
    field.units.shield[zealot] = 10
    assert field.strike(tank, zealot)[zealot] == 10 + (30 - 1)
    field.know("ProtossShieldsLevel1", player=1)
    assert field.strike(tank, zealot)[zealot] == 10 + (29 - 1)
    field.units.shield[zealot] = 50
    assert field.strike(tank, zealot)[zealot] == 39
