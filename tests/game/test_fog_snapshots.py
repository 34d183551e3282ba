"""Snapshots: structures of the enemy that were seen and are out of sight."""

import jax
import numpy as np
import pytest

from asterism.interface.action import ActionResult
from asterism.interface.observation import Alliance, EntityField

SEEN, SNAPSHOT = 1, 2
PLACE = (45, 20)
NEAR, FAR = (40, 20), (20, 40)
"""Where a Zergling, which sees 8 cells, sees a structure at PLACE, and where it does not."""


@pytest.fixture
def scout(arena):
    """A Zergling of player 0 beside PLACE; both players have their town halls far from there."""
    arena.scout = arena.put("Zergling", *NEAR)
    return arena


def foes(game, player=0):
    """Rows of the enemy's in a player's entity list but for its town hall's."""
    rows = np.array(game.see()[0].entities[player])
    rows = rows[rows[:, EntityField.ALLIANCE] == Alliance.ENEMY]
    halls = [game.kinds["Hatchery"], game.kinds["Nexus"]]
    return rows[~np.isin(rows[:, EntityField.UNIT_TYPE], halls)]


def shown(game, player=0):
    """(display type, unit type, x, y, health) of those rows."""
    fields = [EntityField.DISPLAY_TYPE, EntityField.UNIT_TYPE, EntityField.X, EntityField.Y, EntityField.HEALTH]
    return [tuple(row) for row in (foes(game, player)[:, fields] / (1, 1, 8, 8, 1)).tolist()]


def leave(game):
    game.units.position[game.scout] = FAR


def come(game):
    game.units.position[game.scout] = NEAR


def entity(game, player=0):
    """The player's only snapshot as a target for `Scenario.action`."""
    entities = game.state.turn.entities[player]
    code = entities[entities >= 2 * game.slots + len(game.state.amounts)]
    assert len(code) == 1
    return 2 * game.slots - 1 - int(code[0])


def test_a_structure_out_of_sight_is_listed_as_it_was_last_seen(scout):
    gate = scout.put("Gateway", *PLACE, player=1, health=300)
    scout.units.shield[gate], scout.units.build_left[gate] = 100, 0
    kind = scout.kinds["Gateway"]
    assert shown(scout) == [(SEEN, kind, *PLACE, 300)]
    leave(scout)
    scout.units.health[gate], scout.units.shield[gate] = 200, 50
    assert shown(scout) == [(SNAPSHOT, kind, *PLACE, 300)]
    assert foes(scout)[0, EntityField.SHIELD] == 100
    come(scout)
    assert shown(scout) == [(SEEN, kind, *PLACE, 200)]
    leave(scout)
    assert shown(scout) == [(SNAPSHOT, kind, *PLACE, 200)]


def test_a_snapshot_shows_how_far_construction_was_and_no_orders(scout):
    gate = scout.put("Gateway", *PLACE, player=1)
    time = scout.rules.units.build_time[scout.kinds["Gateway"]]
    scout.units.build_left[gate] = 0.6 * time
    scout.see()
    leave(scout)
    scout.units.build_left[gate] = 0
    scout.units.order_action[gate, 0] = scout.actions["Train_Zealot_quick"]
    row = foes(scout)[0]
    assert row[EntityField.BUILD_PROGRESS] == pytest.approx(0.4 * 255, abs=1)
    for field in EntityField:
        if field.name.startswith("ORDER_") or field.name in ("ACTIVE", "CLOAK", "ADDON", "BUFF_0", "POWERED"):
            assert row[field] == 0, field.name


def test_what_was_never_seen_is_not_listed(scout):
    leave(scout)
    scout.put("Gateway", *PLACE, player=1)
    assert shown(scout) == []


def test_units_are_not_remembered(scout):
    scout.put("Zealot", *PLACE, player=1)
    assert [row[0] for row in shown(scout)] == [SEEN]
    leave(scout)
    assert shown(scout) == []


def test_what_falls_in_the_fog_is_listed_until_its_place_is_seen(scout):
    gate = scout.put("Gateway", *PLACE, player=1)
    scout.see()
    leave(scout)
    scout.units.health[gate] = 0
    scout.wait(2)
    assert scout.units.type[gate] == 0
    assert shown(scout) == [(SNAPSHOT, scout.kinds["Gateway"], *PLACE, 500)]
    come(scout)
    assert shown(scout) == []
    leave(scout)
    assert shown(scout) == []


def test_what_falls_in_sight_leaves_nothing(scout):
    gate = scout.put("Gateway", *PLACE, player=1)
    scout.see()
    scout.units.health[gate] = 0
    scout.wait(1)
    leave(scout)
    assert shown(scout) == []


def test_a_structure_that_flew_away_is_listed_until_its_place_is_seen(scout):
    barracks, kind = scout.put("Barracks", *PLACE, player=1), scout.kinds["Barracks"]
    scout.see()
    leave(scout)
    scout.see()
    scout.units.type[barracks], scout.units.position[barracks] = scout.kinds["BarracksFlying"], (10, 55)
    assert shown(scout) == [(SNAPSHOT, kind, *PLACE, 1000)]
    come(scout)
    assert shown(scout) == []


def test_a_structure_that_is_seen_elsewhere_is_listed_there_only(scout):
    barracks = scout.put("Barracks", *PLACE, player=1)
    scout.see()
    scout.units.type[barracks], scout.units.position[barracks] = scout.kinds["BarracksFlying"], (20, 44)
    leave(scout)
    assert shown(scout) == [(SEEN, scout.kinds["BarracksFlying"], 20, 44, 1000)]


@pytest.mark.parametrize("name", ["Pylon", "Zealot"])
def test_whoever_takes_the_slot_changes_nothing(scout, name):
    gate = scout.put("Gateway", *PLACE, player=1)
    scout.see()
    leave(scout)
    scout.units.type[gate] = 0
    assert scout.put(name, 10, 55, player=1) == gate
    snapshot = (SNAPSHOT, scout.kinds["Gateway"], *PLACE, 500)
    assert shown(scout) == [snapshot]
    if name == "Zealot":  # one that is in sight is listed beside it
        scout.units.position[gate] = (24, 40)
        assert shown(scout) == [(SEEN, scout.kinds["Zealot"], 24, 40, 100), snapshot]


def test_a_place_is_not_seen_from_below(scout):
    """The ramp's upper ground, from the natural."""
    scout.units.type[0] = 0  # the town hall would see it
    scout.units.position[scout.scout] = (21, 10)
    gate = scout.put("Gateway", 21, 14, player=1)
    assert [row[0] for row in shown(scout)] == [SEEN]
    scout.units.type[gate] = 0
    scout.units.position[scout.scout] = (26, 14)
    assert [row[0] for row in shown(scout)] == [SNAPSHOT]
    scout.units.position[scout.scout] = (21, 10)
    assert shown(scout) == []


def test_a_scan_shows_that_a_structure_is_gone(scout):
    gate = scout.put("Gateway", *PLACE, player=1)
    orbital = scout.put("OrbitalCommand", 26.5, 26.5)
    scout.units.energy[orbital] = 50
    scout.see()
    leave(scout)
    scout.units.type[gate] = 0
    assert [row[0] for row in shown(scout)] == [SNAPSHOT]
    scout.order("Effect_Scan_pt", orbital, place=PLACE)
    assert shown(scout) == []


@pytest.mark.parametrize("order", ["Attack_unit", "Smart_unit"])
def test_an_attack_on_a_snapshot_goes_to_its_place_whatever_has_become_of_the_structure(scout, order):
    """Until its place is seen the attack is the same whether it stands, has gone elsewhere or has fallen."""
    gate = scout.put("Barracks", *PLACE, player=1)
    scout.see()
    scout.units.position[scout.scout] = (30, 20)
    scout.see()
    start, ways = jax.tree.map(np.copy, scout.state), []
    for kind, place in (("Barracks", PLACE), ("BarracksFlying", (10, 55)), (None, PLACE)):
        scout.state = jax.tree.map(np.copy, start)
        scout.units.type[gate], scout.units.position[gate] = scout.kinds[kind] if kind else 0, place
        scout.order(order, scout.scout, target=entity(scout))
        assert scout.timestep.result[0] == ActionResult.SUCCESS
        assert scout.first_order(scout.scout) == "Attack_unit"
        assert foes(scout)[0, EntityField.WAS_TARGETED] == 1
        way = [scout.wait(1).units.position[scout.scout].copy() for _ in range(3)]
        assert shown(scout)[0][0] == SNAPSHOT
        ways.append(way)
        scout.wait(15)
        assert np.hypot(*(scout.units.position[scout.scout] - PLACE)) < 3
        if kind:
            assert (scout.units.health[gate] < 1000) == (place == PLACE)
    np.testing.assert_array_equal(ways[0], ways[1])
    np.testing.assert_array_equal(ways[0], ways[2])
    assert 33 < ways[0][-1][0] < 37


def test_nothing_else_can_be_done_to_a_snapshot(scout):
    scout.put("Gateway", *PLACE, player=1)
    drone, templar = scout.put("Drone", 30, 20), scout.put("HighTemplar", 30, 22)
    scout.units.energy[templar] = 100
    scout.see()
    leave(scout)
    scout.see()
    for name, slot, why in (
        ("Harvest_Gather_unit", drone, ActionResult.ERROR),
        ("Effect_Feedback_unit", templar, ActionResult.CANT_TARGET_THAT_UNIT),
    ):
        scout.order(name, slot, target=entity(scout))
        assert scout.timestep.result[0] == why
        assert scout.orders(slot) == []
    assert scout.units.energy[templar] >= 100


def test_players_are_alike(scout):
    """Each remembers the other's structure; what one sees is the image of what the other sees."""
    other = scout.put("Zergling", *(64 - np.array(NEAR)), player=1)
    gates = scout.put("Gateway", *(64 - np.array(PLACE))), scout.put("Gateway", *PLACE, player=1)
    scout.units.type[[0, scout.slots]] = 0
    scout.see()
    leave(scout)
    scout.units.position[other] = 64 - np.array(FAR)
    scout.units.type[list(gates)] = 0
    first, second = shown(scout), shown(scout, 1)
    kind = scout.kinds["Gateway"]
    assert first == [(SNAPSHOT, kind, *PLACE, 500)]
    assert second == [(SNAPSHOT, kind, *(64 - np.array(PLACE)), 500)]
    come(scout)
    zergling = scout.kinds["Zergling"]  # they see one another now
    assert shown(scout) == [(SEEN, zergling, *(64 - np.array(FAR)), 35)]
    assert shown(scout, 1) == [(SEEN, zergling, *NEAR, 35), *second]


def test_the_rules_of_trained_agents_keep_no_snapshots(empty):
    assert empty.state.snapshots is None
