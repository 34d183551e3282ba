"""Units get where they are told, along the cliffs and not through them."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components, dijkstra

from asterism.game.navigation import walk_graph

TICK = 8


def walkable(scenario, places):
    grid = np.array(scenario.game.world.terrain.pathable)
    cells = np.floor(places).astype(int)
    return grid[cells[:, 1], cells[:, 0]]


def grid_graph(scenario):
    grid = np.array(scenario.game.world.terrain.pathable)
    ys, xs = np.nonzero(grid)
    return walk_graph(grid), np.stack([xs, ys], 1) + 0.5


def test_every_walkable_cell_can_be_reached(empty):
    graph, _ = grid_graph(empty)
    assert connected_components(graph)[0] == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_units_reach_any_goal_in_the_time_that_the_way_takes_and_enter_no_cliff(empty, seed):
    random = np.random.default_rng(seed)
    graph, cells = grid_graph(empty)
    starts, goals = random.choice(len(cells), (2, 40))
    kinds = random.choice(["Hellion", "Marine", "SiegeTank"], 40)
    slots = [
        empty.put(kind, *(cells[a] + random.uniform(-0.45, 0.45, 2))) for kind, a in zip(kinds, starts, strict=True)
    ]
    for slot, goal in zip(slots, goals, strict=True):
        empty.units.order_action[slot, 0] = empty.actions["Move_pt"]
        empty.units.order_position[slot, 0] = cells[goal]
    length = dijkstra(graph, indices=starts)[np.arange(40), goals]
    due = length / np.array(empty.rules.units.speed)[empty.units.type[slots]] / TICK
    arrived = np.full(40, np.inf)
    for step in range(int(1.3 * due.max()) + 15):
        empty.play()
        assert walkable(empty, empty.units.position[slots]).all()
        arrived = np.minimum(arrived, np.where(empty.units.order_action[slots, 0] == 0, step, np.inf))
    assert (arrived <= 1.3 * due + 12).all(), (arrived - due).round()
    assert (np.hypot(*(empty.units.position[slots] - cells[goals]).T) < 5).all()


def test_a_goal_in_a_cliff_is_the_nearest_ground(empty):
    marine = empty.put("Marine", 26, 26)
    empty.order("Move_pt", marine, place=(31, 31)).wait(40)
    assert empty.orders(marine) == []
    assert np.hypot(*(empty.units.position[marine] - (31.5, 31.5))) < 4


def test_a_unit_walks_at_its_speed(empty):
    marine = empty.put("Marine", 21, 26)
    empty.order("Move_pt", marine, place=(40, 26)).wait(9)
    gone = empty.units.position[marine, 0] - 21
    np.testing.assert_allclose(gone, 80 * 3.15 / 22.4, rtol=0.02)


def test_units_told_to_one_place_stand_beside_each_other(empty):
    slots = [empty.put("Marine", 22 + i % 4, 24 + i // 4) for i in range(12)]
    empty.order("Move_pt", *slots, place=(38, 38)).wait(90)
    assert all(empty.orders(s) == [] for s in slots)
    places = empty.units.position[slots]
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 10 * np.eye(12)
    assert apart.min() > 0.6  # two radii are 0.75
    assert np.hypot(*(places - 38.5).T).max() < 4


def test_stop_ends_all_orders_and_hold_keeps_its_ground(empty):
    marine = empty.put("Marine", 21, 26)
    empty.order("Move_pt", marine, place=(40, 26)).order("Move_pt", marine, place=(40, 40), queued=1)
    empty.order("Stop_quick", marine)
    assert empty.orders(marine) == []
    empty.order("HoldPosition_quick", marine)
    empty.put("SupplyDepot", 29, 26, player=1)  # within the range of acquisition, not of the weapon
    before = empty.units.position[marine].copy()
    empty.wait(10)
    np.testing.assert_array_equal(empty.units.position[marine], before)


def test_move_passes_the_enemy_by_attack_move_fights_him(empty):
    for name, fights in (("Move_pt", False), ("Attack_pt", True), ("Smart_pt", False)):
        marine, depot = empty.put("Marine", 21, 26), empty.put("SupplyDepot", 26, 30, player=1)
        empty.order(name, marine, place=(40, 26)).wait(35)
        assert (empty.units.health[depot] < 400) == fights
        assert (empty.units.position[marine, 0] > 28) != fights
        empty.units.type[[marine, depot]] = 0


def test_a_patrol_goes_to_and_fro_and_keeps_what_is_queued_behind(empty):
    marine = empty.put("Marine", 21, 26)
    empty.order("Patrol_pt", marine, place=(29, 26)).order("Move_pt", marine, place=(21, 40), queued=1)
    turns, x = [], []
    for _ in range(160):
        empty.play()
        x.append(float(empty.units.position[marine, 0]))
    turns = [b for a, b, c in zip(x, x[1:], x[2:], strict=False) if (b - a) * (c - b) < 0]
    assert len(turns) >= 3
    assert {round(t / 8.5) for t in turns} == {round(21 / 8.5), round(29 / 8.5)}
    assert np.abs(empty.units.position[marine, 1] - 26) < 1.1
    empty.order("Patrol_pt", marine, place=(29, 40))
    assert empty.units.rally[marine, 1] < 29  # a new patrol begins where the unit stands


def test_what_is_trained_at_the_foot_of_a_cliff_stands_on_ground(empty):
    barracks = empty.put("Barracks", 20.5, 18.5)
    empty.money(50).order("Train_Marine_quick", barracks).wait(55)
    marine = int(np.flatnonzero(empty.units.type == empty.kinds["Marine"])[0])
    assert walkable(empty, empty.units.position[[marine]]).all()
    empty.order("Move_pt", marine, place=(8, 18)).wait(60)
    assert np.hypot(*(empty.units.position[marine] - (8.5, 18.5))) < 1.1
