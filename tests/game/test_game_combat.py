"""Damage, cooldown, range, targets and deaths."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.damage import Blows, strike
from asterism.game.modifiers import modifiers
from asterism.game.rules import terran_v1

RULES = terran_v1()
INDEX = RULES.description.unit_index
WEAPONS, ARMOR = RULES.description.upgrades

HITS = [  # attacker, target, upgrade of each, damage of a volley, volleys to kill: worked by hand
    ("Marine", "Marine", 0, 0, 6, 8),
    ("Marine", "Marine", 1, 0, 7, 7),
    ("Marine", "Marine", 0, 1, 5, 9),
    ("Marine", "Marine", 1, 1, 6, 8),
    ("Marine", "Marauder", 0, 0, 5, 25),
    ("Marine", "SiegeTank", 0, 0, 5, 35),
    ("Marauder", "Marine", 0, 0, 10, 5),
    ("Marauder", "SiegeTank", 0, 0, 19, 10),
    ("Marauder", "SiegeTank", 1, 0, 21, 9),
    ("Marauder", "SupplyDepot", 0, 0, 19, 22),
    ("Reaper", "Marine", 0, 0, 8, 6),
    ("Reaper", "Marauder", 0, 0, 6, 21),
    ("Hellion", "Marine", 0, 0, 14, 4),
    ("Hellion", "SCV", 0, 0, 14, 4),
    ("Hellion", "Marauder", 0, 0, 7, 18),
    ("SiegeTank", "Marine", 0, 0, 15, 3),
    ("SiegeTank", "Marauder", 0, 0, 24, 6),
    ("SCV", "SCV", 0, 0, 5, 9),
]


def volley(scenario, attacker, target, world=None):
    """What one attack takes from its target's health."""
    world, state = world or scenario.game.world, jax.tree.map(jnp.asarray, scenario.state)
    units = state.units
    table = world.units.weapons
    weapon = table.of[units.type[attacker], table.target_class[units.type[target]]]
    one = jnp.zeros(len(units.type), jnp.int32).at[attacker]
    blows = Blows(one.set(target), one.set(weapon), one.set(1).astype(float))
    after = strike(world, state, modifiers(world, state), blows)
    return float(units.health[target] - after.health[target])


@pytest.mark.parametrize(("attacker", "target", "weapons", "armor", "damage", "hits"), HITS)
def test_damage_of_a_volley_and_volleys_to_kill(empty, attacker, target, weapons, armor, damage, hits):
    own, other = empty.put(attacker, 26, 26), empty.put(target, 27, 26, player=1)
    empty.state.players.upgrades[0, :1] = weapons
    empty.state.players.upgrades[1, 1:] = armor
    dealt = volley(empty, own, other)
    assert dealt == damage
    assert np.ceil(RULES.units.health[INDEX[target]] / dealt) == hits


def test_armour_never_stops_a_hit_altogether(empty):
    assert RULES.units.armor.max() < 5  # so no pair of today's table reaches the least damage of 0.5
    own, other = empty.put("Marine", 26, 26), empty.put("Marine", 27, 26, player=1)
    world = empty.game.world
    hard = world._replace(units=world.units._replace(armor=world.units.armor + 20))
    assert volley(empty, own, other, hard) == 0.5


@pytest.mark.parametrize("name", ["Marine", "Marauder", "Reaper", "Hellion", "SiegeTank"])
def test_volleys_come_at_the_pace_of_the_cooldown(empty, name):
    own = empty.put(name, 26, 26)
    other = empty.put("CommandCenter", 30, 26, player=1)
    dealt = volley(empty, own, other)
    empty.wait(100)
    volleys = (1500 - empty.units.health[other]) / dealt
    weapons = RULES.units.weapons
    cooldown = weapons.cooldown[weapons.of[INDEX[name], weapons.target_class[INDEX["CommandCenter"]]]]
    assert abs(volleys - 800 / cooldown) < 1.1


def test_a_marine_shoots_from_five_cells_edge_to_edge_and_not_from_farther(empty):
    radii = RULES.units.radius[INDEX["Marine"]] + RULES.units.radius[INDEX["SiegeTank"]]
    for gap, hurt in ((4.95, True), (5.05, False)):
        own = empty.put("Marine", 22, 26)
        other = empty.put("SiegeTank", 22 + gap + radii, 26, player=1)
        empty.units.build_left[other] = 100.0  # it does not shoot back
        empty.order("HoldPosition_quick", own).wait(2)
        assert (empty.units.health[other] < 175) == hurt
        empty.units.type[[own, other]] = 0


def test_the_dead_are_gone_with_the_orders_that_point_at_them(empty):
    own, other = empty.put("SiegeTank", 22, 26), empty.put("SCV", 26, 26, player=1, health=1.0)
    empty.order("Attack_unit", own, target=other).wait(1)
    assert empty.units.type[other] == 0
    assert empty.orders(own) == []


def test_units_come_before_structures_and_what_one_is_told_before_all(empty):
    own = empty.put("Marine", 22, 26)
    depot, far = empty.put("SupplyDepot", 24, 26, player=1), empty.put("SCV", 27, 26, player=1)
    empty.order("Attack_pt", own, place=(40, 26)).wait(2)
    assert empty.units.health[depot] == 400 and empty.units.health[far] < 45
    empty.units.health[far] = 45
    empty.order("Attack_unit", own, target=depot).wait(3)
    assert empty.units.health[depot] < 400 and empty.units.health[far] == 45


def test_an_enemy_refinery_can_be_attacked(empty):
    world = empty.game.world
    geyser = np.flatnonzero(np.array(world.terrain.is_geyser))[-1]
    x, y = np.array(world.terrain.resources)[geyser]
    refinery = empty.put("Refinery", x, y, player=1)
    own = empty.put("Marine", x + 5, y)
    for name in ("Attack_unit", "Smart_unit"):
        empty.units.health[refinery] = 500
        empty.order(name, own, target=refinery).wait(2)
        assert empty.first_order(own) == "Attack_unit"
        assert empty.units.health[refinery] < 500


def test_own_units_and_resources_are_no_targets_of_attack(empty):
    own, friend = empty.put("Marine", 22, 26), empty.put("Marine", 23, 26)
    empty.order("Attack_unit", own, target=friend)
    assert empty.orders(own) == []
    scv = empty.put("SCV", 12, 14)
    empty.order("Attack_unit", scv, target=-1)
    assert empty.orders(scv) == []


def test_both_sides_of_an_even_duel_die_together(empty):
    own, other = empty.put("Marine", 28, 26), empty.put("Marine", 31, 26, player=1)
    empty.until(lambda: empty.units.type[own] == 0, 60)
    assert empty.units.type[other] == 0


def test_workers_do_not_fight_unless_told(empty):
    scv, other = empty.put("SCV", 26, 26), empty.put("SCV", 27, 26, player=1)
    empty.wait(20)
    assert empty.units.health[other] == 45
    empty.order("Attack_unit", scv, target=other).wait(20)
    assert empty.units.health[other] < 45


def test_a_turret_shoots_at_nothing_on_the_ground(empty):
    empty.put("MissileTurret", 26, 26)
    other = empty.put("Marine", 28, 26, player=1)
    empty.order("HoldPosition_quick", other, player=1).wait(20)
    assert empty.units.health[other] == 45


def test_an_attacker_goes_where_it_last_saw_its_target(empty):
    own, other = empty.put("SiegeTank", 22, 26), empty.put("Hellion", 32, 26, player=1)
    empty.units.health[other] = 1e4
    empty.order("Attack_unit", own, target=other)
    empty.units.position[other] = (60, 60)
    empty.wait(60)
    assert empty.units.position[own, 0] > 30 and empty.units.position[own, 0] < 34
