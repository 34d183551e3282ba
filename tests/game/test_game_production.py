"""Training, research and add-ons: what they cost, how long they take, when they are refused."""

import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.payment import within
from asterism.game.rules import terran_v1
from asterism.game.tasks import Kind

RULES = terran_v1()
NAMES = [action.name for action in RULES.description.actions]
TASKS = {NAMES[action]: task for task, action in reversed(list(enumerate(RULES.tasks.action)))}
MADE = [name for name, t in TASKS.items() if RULES.tasks.kind[t] in (Kind.TRAIN, Kind.RESEARCH)]
REAL = {  # minerals, vespene, game loops, from StarCraft II 5.0.14
    "Train_SCV_quick": (50, 0, 272),
    "Train_Marine_quick": (50, 0, 400),
    "Train_Marauder_quick": (100, 25, 480),
    "Train_Reaper_quick": (50, 50, 720),
    "Train_Hellion_quick": (100, 0, 480),
    "Train_SiegeTank_quick": (150, 125, 720),
}


def stage(empty):
    """A player with everything that the rules ask for."""
    empty.money(1000, 1000)
    places = {"Barracks": (26.5, 26.5), "Factory": (26.5, 38.5)}
    makers = {name: empty.with_addon(name, *place) for name, place in places.items()}
    makers["EngineeringBay"] = empty.put("EngineeringBay", 38.5, 38.5)
    makers["CommandCenter"] = 0
    empty.put("SupplyDepot", 38, 26)
    return makers


def maker_of(name, makers):
    return next(makers[u] for u in RULES.description.actions[NAMES.index(name)].units if u in makers)


@pytest.mark.parametrize("name", MADE)
def test_training_and_research_cost_and_last_what_the_tables_say(empty, name):
    slot, a = maker_of(name, stage(empty)), TASKS[name]
    if name in REAL:
        assert (RULES.tasks.minerals[a], RULES.tasks.vespene[a], RULES.tasks.time[a]) == REAL[name]
    product = RULES.description.unit_types[RULES.tasks.product[a]].name
    before = empty.count(product)
    empty.order(name, slot)
    assert (empty.minerals(), empty.vespene()) == (1000 - RULES.tasks.minerals[a], 1000 - RULES.tasks.vespene[a])
    upgrade = RULES.tasks.upgrade[a]

    def done():
        return empty.state.players.upgrades[0, upgrade] if upgrade >= 0 else empty.count(product) > before

    ticks = 1 + empty.until(done, 600)
    assert ticks == np.ceil(RULES.tasks.time[a] / 8)
    assert empty.orders(slot) == []


def test_a_queue_holds_five_and_works_without_a_pause(empty):
    empty.money(1000)
    for _ in range(6):
        empty.order("Train_SCV_quick", 0)
    assert empty.orders(0) == ["Train_SCV_quick"] * 5
    assert empty.minerals() == 1000 - 5 * 50
    empty.wait(34 * 5 - 6)
    assert empty.count("SCV") == 5


def test_repeat_trains_at_more_structures_as_far_as_the_money_goes(empty):
    makers = [empty.put("Barracks", 26.5, 24.5 + 5 * i) for i in range(3)]
    empty.put("SupplyDepot", 38, 26)
    empty.money(149)
    empty.order("Train_Marine_quick", *makers, repeat=3)
    assert [len(empty.orders(m)) for m in makers] == [1, 1, 0]
    assert empty.minerals() == 49


def test_training_is_refused_without_money_requirement_add_on_or_supply(empty):
    barracks = empty.put("Barracks", 26.5, 26.5)
    empty.money(49, 1000)
    empty.order("Train_Marine_quick", barracks)
    empty.money(1000, 1000)
    empty.order("Train_Marauder_quick", barracks)  # no tech lab
    assert empty.orders(barracks) == []
    for i in range(15):
        empty.put("Marine", 30 + i / 2, 22)
    empty.order("Train_Marine_quick", barracks)  # 15 of 15
    assert empty.orders(barracks) == []
    assert (empty.minerals(), empty.vespene()) == (1000, 1000)


def test_a_queued_unit_waits_for_supply_and_does_not_hold_up_a_smaller_one(empty):
    factory, barracks = empty.with_addon("Factory", 26.5, 26.5), empty.put("Barracks", 26.5, 38.5)
    empty.money(1000, 1000)
    for i in range(12):
        empty.put("Marine", 30 + i / 2, 22)
    empty.see()
    tank = empty.action("Train_SiegeTank_quick", [factory])
    empty.play(tank)
    empty.put("Marine", 30, 30)
    empty.state.units.working[factory] = False  # as if it had been blocked from the start
    empty.order("Train_Marine_quick", barracks)
    assert (bool(empty.units.working[factory]), bool(empty.units.working[barracks])) == (False, True)
    empty.put("SupplyDepot", 38, 26)
    empty.wait(1)
    assert empty.units.working[factory]


def test_cancel_takes_the_last_of_the_queue_and_pays_it_back(empty):
    empty.money(200)
    empty.order("Train_SCV_quick", 0).order("Train_SCV_quick", 0)
    empty.order("Cancel_Last_quick", 0)
    assert (len(empty.orders(0)), empty.minerals()) == (1, 150)
    empty.order("Cancel_Last_quick", 0)
    assert (len(empty.orders(0)), empty.minerals()) == (0, 200)
    assert empty.wait(40).count("SCV") == 0


def test_what_a_destroyed_structure_had_in_its_queue_is_paid_back(empty):
    barracks = empty.put("Barracks", 26.5, 26.5)
    empty.money(500)
    empty.order("Train_Marine_quick", barracks).order("Train_Marine_quick", barracks)
    assert empty.minerals() == 400
    empty.units.health[barracks] = 0
    assert empty.wait(1).minerals() == 500


def test_a_tech_lab_takes_its_time_once_and_only_beside_an_idle_barracks(empty):
    barracks = empty.put("Barracks", 26.5, 26.5)
    empty.money(1000, 1000)
    empty.order("Build_TechLab_quick", barracks)
    assert (empty.minerals(), empty.vespene()) == (950, 975)
    empty.order("Build_TechLab_quick", barracks)
    assert (empty.minerals(), empty.orders(barracks)) == (950, ["Build_TechLab_quick"])
    assert 2 + empty.until(lambda: empty.units.addon[barracks] >= 0, 100) == 400 / 8
    lab = empty.units.addon[barracks]
    np.testing.assert_allclose(empty.units.position[lab], (29, 26))
    assert empty.units.health[lab] == 400
    empty.order("Build_TechLab_quick", barracks)
    assert empty.minerals() == 950


def test_research_is_done_once(empty):
    bays = [empty.put("EngineeringBay", 26.5, 26.5), empty.put("EngineeringBay", 36.5, 26.5)]
    empty.money(1000, 1000)
    weapons, armor = (n for n in MADE if n.startswith("Research"))
    empty.order(weapons, bays[0]).order(armor, bays[0])  # the second waits in the queue
    empty.order(weapons, bays[1]).order(armor, bays[1])
    assert empty.orders(bays[1]) == []
    assert len(empty.orders(bays[0])) == 2


def test_units_follow_the_rally_point_of_their_structure(empty):
    barracks = empty.put("Barracks", 26.5, 26.5)
    empty.money(1000)
    empty.order("Rally_Units_pt", barracks, place=(40, 28)).order("Rally_Workers_pt", 0, place=(18, 18))
    empty.order("Train_Marine_quick", barracks).order("Train_SCV_quick", 0).wait(75)
    marine, scv = (np.flatnonzero(empty.units.type == empty.kinds[n])[0] for n in ("Marine", "SCV"))
    assert np.hypot(*(empty.units.position[marine] - (40.5, 28.5))) < 1.1
    assert np.hypot(*(empty.units.position[scv] - (18.5, 18.5))) < 1.1
    assert empty.orders(scv) == []


def test_a_worker_whose_rally_point_is_a_mineral_field_gathers_there(empty):
    field = np.asarray(empty.game.world.terrain.resources)[3]
    empty.money(100).order("Rally_Workers_pt", 0, place=tuple(field)).order("Train_SCV_quick", 0).wait(45)
    scv = np.flatnonzero(empty.units.type == empty.kinds["SCV"])[0]
    assert empty.orders(scv) == ["Harvest_Gather_unit"]
    assert empty.units.order_target[scv, 0] == len(empty.units.type) + 3


def test_what_needs_no_supply_can_be_made_while_supply_is_overdrawn():
    """As after a Drone has come back out of an extractor that is called off: the next Overlord still hatches."""
    served = within(jnp.array([-1.0, 1.0]), jnp.array([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]))
    assert served.tolist() == [[True, False, True], [True, False, True]]
