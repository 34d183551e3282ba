"""Structures: cost, time, builders, and where they may stand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.placement import can_stand
from asterism.game.rules import terran_v1
from asterism.game.tasks import Kind

RULES = terran_v1()
NAMES = [action.name for action in RULES.description.actions]
TASKS = {NAMES[action]: task for task, action in reversed(list(enumerate(RULES.tasks.action)))}
BUILT = [name for name, t in TASKS.items() if RULES.tasks.kind[t] == Kind.BUILD]
REAL = {  # minerals, vespene, game loops, from StarCraft II 5.0.14
    "Build_CommandCenter_pt": (400, 0, 1600),
    "Build_SupplyDepot_pt": (100, 0, 480),
    "Build_Refinery_pt": (75, 0, 480),
    "Build_Barracks_pt": (150, 0, 1040),
    "Build_EngineeringBay_pt": (125, 0, 560),
    "Build_Factory_pt": (150, 100, 960),
    "Build_MissileTurret_pt": (100, 0, 400),
}
DEPOT, BARRACKS = "Build_SupplyDepot_pt", "Build_Barracks_pt"


def made_by(name):
    return RULES.description.unit_types[RULES.tasks.product[TASKS[name]]].name


def newest(scenario, name):
    return int(np.flatnonzero(scenario.units.type[: scenario.slots] == scenario.kinds[name])[-1])


@pytest.mark.parametrize("name", BUILT)
def test_structures_cost_and_last_what_the_tables_say(empty, name):
    for i, other in enumerate(("SupplyDepot", "Barracks", "EngineeringBay", "CommandCenter")):
        empty.put(other, 24, 24 + 5 * i)
    a, product = TASKS[name], made_by(name)
    cost = tuple(float(t[a]) for t in (RULES.tasks.minerals, RULES.tasks.vespene, RULES.tasks.time))
    assert cost == REAL[name]
    geyser = int(np.flatnonzero(empty.game.world.terrain.is_geyser)[0])
    site = np.array(empty.game.world.terrain.resources[geyser]) if "Refinery" in name else np.array((38.5, 26.5))
    scv = empty.put("SCV", *(site + 2.5))
    empty.money(1000, 1000)
    before = empty.count(product)
    empty.order(name, scv, place=site, target=-1 - geyser if "Refinery" in name else None)
    empty.until(lambda: empty.count(product) > before, 20)
    assert (empty.minerals(), empty.vespene()) == (1000 - cost[0], 1000 - cost[1])
    new = newest(empty, product)
    np.testing.assert_allclose(empty.units.position[new], site, atol=0.5)
    assert 1 + empty.until(lambda: empty.units.build_left[new] == 0, 300) == cost[2] / 8
    np.testing.assert_allclose(empty.units.health[new], RULES.units.health[empty.kinds[product]], rtol=1e-5)


def test_a_barracks_needs_a_finished_supply_depot(empty):
    scv = empty.put("SCV", 30, 30)
    empty.money(1000)
    empty.order(BARRACKS, scv, place=(32, 26)).wait(20)
    depot = empty.put("SupplyDepot", 24, 24)
    empty.units.build_left[depot] = 8.0
    empty.order(BARRACKS, scv, place=(32, 26)).wait(20)
    assert (empty.count("Barracks"), empty.minerals()) == (0, 1000)
    empty.units.build_left[depot] = 0.0
    empty.order(BARRACKS, scv, place=(32, 26)).wait(20)
    assert (empty.count("Barracks"), empty.minerals()) == (1, 850)


def test_construction_rests_without_a_builder_and_another_goes_on(empty):
    first, second = empty.put("SCV", 30, 30), empty.put("SCV", 34, 30)
    empty.money(1000)
    empty.order(DEPOT, first, place=(30, 28)).wait(20)
    depot = newest(empty, "SupplyDepot")
    empty.order("Move_pt", first, place=(40, 40)).wait(2)
    left = float(empty.units.build_left[depot])
    assert 0 < left < 480
    assert empty.wait(20).units.build_left[depot] == left
    empty.order("Smart_unit", second, target=depot).wait(10)
    assert empty.first_order(second) == DEPOT
    before = float(empty.units.build_left[depot])
    empty.units.health[second] = 0  # the builder dies
    empty.wait(3)
    assert 0 < empty.units.build_left[depot] <= before
    left = float(empty.units.build_left[depot])
    assert empty.wait(5).units.build_left[depot] == left
    empty.order("Smart_unit", first, target=depot)
    empty.until(lambda: empty.units.build_left[depot] == 0, 80)
    assert empty.minerals() == 900  # paid once


def test_smart_goes_on_with_an_unfinished_refinery(empty):
    scv = empty.put("SCV", 17, 13)
    geyser = int(np.flatnonzero(empty.game.world.terrain.is_geyser)[1])
    empty.money(1000)
    empty.order("Build_Refinery_pt", scv, target=-1 - geyser).wait(20)
    refinery = newest(empty, "Refinery")
    empty.order("Stop_quick", scv).order("Smart_unit", scv, target=refinery)
    assert empty.first_order(scv) == "Build_Refinery_pt"
    empty.until(lambda: empty.units.build_left[refinery] == 0, 80)
    empty.order("Smart_unit", scv, target=refinery)
    assert empty.first_order(scv) == "Harvest_Gather_unit"


def test_several_workers_sent_to_one_site_lay_one_foundation(empty):
    workers = [empty.put("SCV", 26 + i, 32) for i in range(3)]
    empty.money(1000)
    for scv in workers:
        empty.order(DEPOT, scv, place=(31, 28))
    empty.wait(25)
    assert (empty.count("SupplyDepot"), empty.minerals()) == (1, 900)


def test_a_builder_without_money_gives_up_and_nothing_is_paid(empty):
    scv = empty.put("SCV", 30, 30)
    empty.money(100)
    empty.order(DEPOT, scv, place=(36, 28)).money(99).wait(30)
    assert (empty.count("SupplyDepot"), empty.minerals()) == (0, 99)
    assert empty.first_order(scv) != DEPOT


def test_queued_orders_follow_one_another(empty):
    scv = empty.put("SCV", 30, 26)
    empty.money(1000)
    empty.order(DEPOT, scv, place=(31, 28)).order(DEPOT, scv, place=(35, 28), queued=1)
    empty.order("Move_pt", scv, place=(40, 40), queued=1)
    assert empty.orders(scv) == [DEPOT, DEPOT, "Move_pt"]
    empty.wait(160)
    assert empty.count("SupplyDepot") == 2
    np.testing.assert_allclose(empty.units.position[scv], (40.5, 40.5), atol=1.1)


def free(empty, name, x, y, player=0):
    """Whether the rules let a player put a structure with its centre at x, y."""
    state = jax.tree.map(jnp.asarray, empty.state)
    return bool(can_stand(empty.game.world, state, empty.kinds[name], jnp.array([x, y], jnp.float32), player))


def test_ground_that_structures_ask_for(empty):
    assert free(empty, "Barracks", 26.5, 26.5)
    assert not free(empty, "Barracks", 31.5, 29.5)  # the cliffs in the middle begin at 30, 30
    assert free(empty, "SupplyDepot", 29, 29)
    assert not free(empty, "SupplyDepot", 30, 30)
    assert not free(empty, "SupplyDepot", 24, 14)  # ramp
    assert not free(empty, "SupplyDepot", 4.0, 14.0)  # mineral field at (4.5, 14.5)
    assert not free(empty, "SupplyDepot", -1, 5)


def test_every_base_has_room_for_its_town_hall(empty):
    empty.clear(workers_only=False)
    assert all(free(empty, "CommandCenter", x, y) for x, y in np.array(empty.game.world.terrain.bases).reshape(-1, 2))


def test_a_town_hall_keeps_three_cells_from_resources(empty):
    empty.units.type[0] = 0
    assert free(empty, "CommandCenter", 11.5, 11.5)
    assert not free(empty, "CommandCenter", 10.5, 11.5)
    assert not free(empty, "CommandCenter", 11.5, 12.5)
    assert not free(empty, "CommandCenter", 13.5, 13.5)  # three cells from both geysers
    assert free(empty, "CommandCenter", 16.5, 16.5)


def test_structures_and_the_place_of_their_add_ons_do_not_overlap(empty):
    empty.put("Barracks", 26.5, 36.5)
    assert not free(empty, "SupplyDepot", 29, 36)  # the add-on's ground
    assert free(empty, "SupplyDepot", 31, 36)
    assert not free(empty, "Barracks", 22.5, 36.5)  # its own add-on would not fit
    assert free(empty, "Barracks", 21.5, 36.5)
    assert free(empty, "EngineeringBay", 23.5, 36.5)
    assert not free(empty, "EngineeringBay", 24.5, 36.5)
    empty.units.type[1] = 0  # without its barracks the tech lab still stands in the way
    empty.put("BarracksTechLab", 29, 36)
    assert not free(empty, "SupplyDepot", 29, 36)


def test_enemy_units_on_the_site_block_it_own_ones_make_way(empty):
    empty.put("Marine", 36, 26)
    assert free(empty, "SupplyDepot", 36, 26)
    assert not free(empty, "SupplyDepot", 36, 26, player=1)


def test_a_refinery_needs_a_free_geyser(empty):
    x, y = np.array(empty.game.world.terrain.resources)[np.array(empty.game.world.terrain.is_geyser)][0]
    assert free(empty, "Refinery", x, y)
    assert not free(empty, "Refinery", x + 1, y)
    empty.put("Refinery", x, y, player=1)
    assert not free(empty, "Refinery", x, y)


def test_the_site_is_the_nearest_free_ground_alike_for_both_players(empty):
    own, other = empty.put("SCV", 26, 30), empty.put("SCV", 38, 34, player=1)
    empty.money(1000).money(1000, player=1).see()
    first = empty.action(DEPOT, [own], place=(31, 31))  # on the cliffs
    second = empty.action(DEPOT, [other], place=(32, 32), player=1)
    empty.play(first, second)
    assert (empty.first_order(own), empty.first_order(other)) == (DEPOT, DEPOT)
    sites = empty.units.order_position[[own, other], 0]
    np.testing.assert_allclose(sites[0], 64 - sites[1])
    assert np.hypot(*(sites[0] - 31.5)) <= 4
