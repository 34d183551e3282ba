"""Fog of war and the observation."""

import numpy as np

from asterism.interface.observation import Alliance, EntityField, MapPlane


def enemies(scenario, player=0):
    """Places of the enemy's units in a player's entity list."""
    rows = np.array(scenario.see()[0].entities[player])
    return rows[rows[:, EntityField.ALLIANCE] == Alliance.ENEMY][:, EntityField.X : EntityField.Y + 1] / 8


def test_an_enemy_is_listed_only_within_sight(empty):
    empty.put("Marine", 22, 26)
    other = empty.put("Marine", 22 + 8.9, 26, player=1)  # a marine sees 9 cells
    assert len(enemies(empty)) == 1
    empty.units.position[other, 0] = 22 + 9.1
    assert len(enemies(empty)) == 0


def test_high_ground_is_not_seen_from_below(empty):
    low = empty.put("Marine", 26, 14)  # natural
    high = empty.put("Marine", 21, 14, player=1)  # in the main, above the ramp
    empty.units.type[0] = 0  # the town hall would see it
    assert len(enemies(empty, 0)) == 0
    assert len(enemies(empty, 1)) == 1
    empty.wait(5)
    assert empty.units.health[high] == 45 and empty.units.health[low] < 45
    empty.units.position[low] = (21, 10)
    assert len(enemies(empty, 0)) == 1


def test_visibility_of_the_map_remembers(empty):
    marine = empty.put("Marine", 40, 40)
    plane = lambda: np.array(empty.see()[0].planes[0, MapPlane.VISIBILITY])  # noqa: E731
    assert plane()[9, 9] == 2 and plane()[15, 15] == 0
    empty.units.position[marine] = (10, 20)
    assert plane()[9, 9] == 1


def test_the_enemy_hides_its_orders_and_money(empty):
    empty.put("Marine", 50, 50)
    empty.money(1000, player=1).order("Train_SCV_quick", 64, player=1)
    rows = np.array(empty.see()[0].entities[0])
    hall = rows[rows[:, EntityField.ALLIANCE] == Alliance.ENEMY][0]
    assert hall[EntityField.ORDER_0] == hall[EntityField.ORDER_LENGTH] == hall[EntityField.ORDER_PROGRESS_0] == 0
    assert hall[EntityField.ACTIVE] == 1  # anybody can see that a structure is at work
    own = np.array(empty.see()[0].entities[1])
    assert own[own[:, EntityField.ALLIANCE] == Alliance.SELF][0][EntityField.ORDER_LENGTH] == 1


def test_structures_of_a_player_long_without_a_town_hall_are_revealed(empty):
    """Only structures, only after the time (28 steps of 8 loops), and only until a new town hall is begun."""
    empty.put("SupplyDepot", 6, 58, player=1)
    empty.put("Marine", 8, 58, player=1)
    empty.units.type[empty.slots] = 0
    empty.wait(224 // 8)
    assert len(enemies(empty)) == 0
    empty.wait(1)
    np.testing.assert_array_equal(enemies(empty), [[6, 58]])
    hall = empty.put("CommandCenter", 48.5, 57.5, player=1)
    empty.units.build_left[hall] = 1000
    empty.wait(1)
    assert len(enemies(empty)) == 0


def test_a_revealed_structure_can_be_attacked(empty):
    """From below a cliff, where it could not be seen."""
    depot = empty.put("SupplyDepot", 21, 14, player=1)
    empty.put("Marine", 26, 14)
    empty.units.type[[0, empty.slots]] = 0
    empty.put("SupplyDepot", 40, 40)
    empty.wait(2)
    assert empty.units.health[depot] == 400
    empty.state.players.homeless[1] = 1e6
    empty.wait(2)
    assert empty.units.health[depot] < 400


def test_the_game_is_lost_with_the_last_structure(empty):
    depot = empty.put("SupplyDepot", 26, 26, player=1)
    empty.units.health[empty.slots] = 0
    empty.wait(1)
    assert not empty.timestep.done
    empty.units.health[depot] = 0
    empty.wait(1)
    assert empty.timestep.done and list(empty.timestep.reward) == [1, -1]


def test_a_tie_when_both_fall_together_or_time_is_up(empty):
    late = empty.game.settings.time_limit - 8
    empty.state = empty.state._replace(loop=np.int32(late - 8))
    assert not empty.wait(1).timestep.done
    assert empty.wait(1).timestep.done and list(empty.timestep.reward) == [0, 0]
    empty.units.health[[0, empty.slots]] = 0
    assert empty.wait(1).timestep.done and list(empty.timestep.reward) == [0, 0]


def test_delays_are_rounded_up_to_the_step(empty):
    for delay, steps in ((0, 1), (1, 1), (8, 1), (9, 2), (16, 2), (127, 16)):
        empty.see()
        empty.play(empty.action(delay=delay), empty.action(delay=0))
        waited = 1
        while not empty.timestep.acting[0]:
            empty.play(empty.action("Train_SCV_quick", [0]), empty.action())  # ignored: it is not its turn
            waited += 1
        assert waited == steps
    assert empty.orders(0) == []


def test_executed_build_order_lists_what_was_begun_where_without_workers_and_supply(empty):
    empty.put("SupplyDepot", 22, 22)
    scv = empty.put("SCV", 30, 28)
    empty.money(1000).order("Build_Barracks_pt", scv, place=(32, 26)).wait(5)
    empty.order("Train_SCV_quick", 0)
    _, privileged = empty.see()
    done = privileged.executed
    assert list(np.array(done.build_order[0, :2])) == [empty.kinds["Barracks"], 0]
    assert done.build_order_location[0, 0] == 26 * 64 + 32
    assert done.units[0, empty.kinds["SupplyDepot"]] and not done.units[0, empty.kinds["Barracks"]]


def test_planes_of_the_ground_are_those_of_the_map(empty):
    """Both planes hold free and barred blocks, and a block is what most of its cells are."""
    planes, game_map = np.array(empty.see()[0].planes[0]), empty.game.map
    side = planes.shape[-1]
    block = game_map.pathable.shape[0] // side
    for plane, grid in ((MapPlane.PATHABLE, game_map.pathable), (MapPlane.BUILDABLE, game_map.buildable)):
        cells = [grid[y * block :, x * block :][:block, :block] for y in range(side) for x in range(side)]
        most = np.array([cell.sum() * 2 > cell.size for cell in cells]).reshape(side, side)
        assert 0 < most.sum() < most.size
        np.testing.assert_array_equal(planes[plane], most)
