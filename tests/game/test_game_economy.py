"""Mining: income, one worker a field, nothing out of nothing, what workers do next."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.game.economy import HALL_RADIUS, run

MINUTE = 168  # steps of 8 loops in 60 s


def fields(scenario):
    world = scenario.game.world
    start = np.array(world.terrain.starts[0])
    distance = np.hypot(*(np.array(world.terrain.resources) - start).T)
    return np.flatnonzero((distance < 10) & ~np.array(world.terrain.is_geyser)), world


def geysers(scenario):
    world = scenario.game.world
    near = np.hypot(*(np.array(world.terrain.resources) - np.array(world.terrain.starts[0])).T) < 10
    return np.flatnonzero(near & np.array(world.terrain.is_geyser))


def on_geyser(empty, workers):
    geyser = int(geysers(empty)[0])
    place = np.array(empty.game.world.terrain.resources[geyser])
    refinery = empty.put("Refinery", *place)
    scvs = [empty.put("SCV", 11 + i, 15) for i in range(workers)]
    empty.order("Harvest_Gather_unit", *scvs, target=refinery)
    return geyser, refinery, scvs


def test_twelve_workers_bring_53_to_60_minerals_a_minute_each(scenario):
    scenario.wait(MINUTE)
    before = scenario.minerals()
    scenario.wait(2 * MINUTE)
    assert 53 <= (scenario.minerals() - before) / 2 / 12 <= 60
    assert scenario.minerals(0) == scenario.minerals(1)


def test_sixteen_workers_keep_the_rate_and_more_bring_less_each(scenario):
    for i in range(12):
        scenario.put("SCV", 12 + i / 4, 15)
    scenario.see()
    idle = [s for s in range(13, 25)]
    target = -1 - int(fields(scenario)[0][0])
    scenario.order("Harvest_Gather_unit", *idle, target=target).wait(MINUTE)
    before = scenario.minerals()
    scenario.wait(MINUTE)
    assert 12 * 60 < scenario.minerals() - before < 20 * 60


def trip(scenario, field):
    """Loops of one trip by hand: 45 + 8 at the field, and two ways on which the worker gains speed for the first half
    and loses it in the second; none here is long enough for its full speed of 2.8125 cells a Normal second."""
    world = scenario.game.world
    distance = np.hypot(*(np.array(world.terrain.resources[field]) - np.array(world.terrain.starts[0])))
    way = distance - HALL_RADIUS - float(world.terrain.resource_radius[field]) - 2 * 0.375
    assert 1 < way < 2.8125**2 / 2.5
    return 45 + 8 + 2 * 2 * np.sqrt(way / 2.5) * 16


def mined_by(scenario, workers, field, minutes=4):
    for _ in range(workers):
        scv = scenario.put("SCV", 8, 14)
        scenario.order("Harvest_Gather_unit", scv, target=-1 - int(field))
    scenario.wait(MINUTE)
    before = scenario.minerals()
    scenario.wait(minutes * MINUTE)
    return scenario.minerals() - before


def leave_only(scenario, field):
    """The other fields of the first player hold nothing, so that nobody changes to one."""
    own, _ = fields(scenario)
    scenario.state.amounts[own[own != field]] = 0


@pytest.mark.parametrize("rank", [0, 7])
def test_a_workers_trip_takes_as_long_as_by_hand(empty, rank):
    own, world = fields(empty)
    distance = np.hypot(*(np.array(world.terrain.resources)[own] - np.array(world.terrain.starts[0])).T)
    field = own[distance.argsort()[rank]]
    leave_only(empty, field)
    trips = 4 * MINUTE * 8 / trip(empty, field)
    assert abs(mined_by(empty, 1, field) / 5 - trips) <= 1


def test_two_workers_of_a_field_do_not_hinder_each_other_and_a_third_adds_what_is_left(empty):
    bring = {}
    for workers in (1, 2, 3):
        scenario = type(empty)(empty.compiled).clear()
        own, world = fields(scenario)
        distance = np.hypot(*(np.array(world.terrain.resources)[own] - np.array(world.terrain.starts[0])).T)
        field = own[distance.argmax()]
        leave_only(scenario, field)
        bring[workers] = mined_by(scenario, workers, field)
    assert bring[2] == pytest.approx(2 * bring[1], abs=10)
    # A field serves one trip in 53 loops.
    assert bring[3] == pytest.approx(min(3 * bring[1], 5 * 4 * 1344 / 53), rel=0.02)
    assert bring[3] - bring[2] < 0.5 * bring[1]


@settings(deadline=None)
@given(way=st.floats(0.5, 40), start=st.floats(0, 0.9), time=st.floats(0.5, 60), share=st.floats(0.05, 0.95))
def test_a_run_in_two_parts_is_the_run_in_one(way, start, time, share):
    gone, left = start * way, way - start * way
    go = lambda gone, left, time: run(*map(jnp.atleast_1d, (gone, left)), 0.1758, 0.0098, jnp.atleast_1d(time))  # noqa: E731
    whole, rest = go(gone, left, time)
    first, _ = go(gone, left, share * time)
    second, _ = go(gone + first, left - first, (1 - share) * time)
    assert 0 < float(whole[0]) <= left + 1e-3
    assert float(first[0] + second[0]) == pytest.approx(float(whole[0]), abs=0.05)
    assert float(rest[0]) == 0 or float(whole[0]) == pytest.approx(left, abs=1e-3)


def test_three_workers_on_a_geyser_bring_about_163_a_minute(empty):
    on_geyser(empty, 3)
    empty.wait(MINUTE)
    before = empty.vespene()
    empty.wait(2 * MINUTE)
    assert abs((empty.vespene() - before) / 2 - 163) < 0.03 * 163


def test_a_field_is_mined_by_one_worker_at_a_time(scenario):
    for _ in range(60):
        scenario.play()
        busy = scenario.units.working & (scenario.units.type == scenario.kinds["SCV"])
        at = scenario.units.order_target[busy, 0]
        assert len(set(at)) == len(at)


def test_what_is_mined_is_gone_from_the_fields(scenario):
    scenario.wait(MINUTE)
    for player in range(2):
        own = slice(player * scenario.slots, (player + 1) * scenario.slots)
        carried = scenario.units.load[own].sum()
        start = np.array(scenario.compiled.start.amounts)
        half = np.array(scenario.game.world.terrain.resources)[:, 0] < 32
        gone = (start - scenario.state.amounts)[half == (player == 0)].sum()
        assert scenario.minerals(player) - 50 + carried == gone > 0


def test_an_exhausted_field_sends_its_workers_to_the_next(scenario):
    own, _ = fields(scenario)
    scenario.state.amounts[own[1:]] = 5
    scenario.wait(MINUTE)
    assert (scenario.state.amounts[own[1:]] == 0).all()
    assert (scenario.units.order_target[1:13, 0] - 2 * scenario.slots == own[0]).all()


def test_workers_without_any_field_near_stop(scenario):
    scenario.state.amounts[fields(scenario)[0]] = 0
    scenario.wait(60)
    assert all(scenario.orders(s) == [] for s in range(1, 13))


def test_gas_needs_a_finished_refinery_of_ones_own(empty):
    geyser, refinery, scvs = on_geyser(empty, 1)
    empty.units.build_left[refinery] = 50.0
    empty.order("Harvest_Gather_unit", scvs[0], target=-1 - geyser).wait(60)
    assert empty.vespene() == 0 and not (empty.units.carrying == 2).any()


def test_return_brings_home_and_goes_back_to_the_field(empty):
    own, _ = fields(empty)
    scv = empty.put("SCV", 8, 14)
    empty.order("Harvest_Gather_unit", scv, target=-1 - int(own[0]))
    empty.order("Harvest_Return_quick", scv)
    assert empty.first_order(scv) == "Harvest_Gather_unit"  # it has nothing to return
    empty.until(lambda: empty.units.carrying[scv] == 1, 60)
    empty.order("Move_pt", scv, place=(20, 20)).wait(3)
    empty.order("Harvest_Return_quick", scv)
    assert empty.first_order(scv) == "Harvest_Return_quick"
    empty.money(0)
    empty.until(lambda: empty.minerals() == 5, 60)
    empty.wait(15)
    assert empty.first_order(scv) == "Harvest_Gather_unit"


def test_a_queued_order_comes_after_the_load(empty):
    own, _ = fields(empty)
    scv = empty.put("SCV", 8, 14)
    empty.order("Harvest_Gather_unit", scv, target=-1 - int(own[0]))
    empty.order("Harvest_Return_quick", scv, queued=1)
    empty.money(0).order("Move_pt", scv, place=(18, 18), queued=1)
    empty.until(lambda: empty.orders(scv) == [], 200)
    np.testing.assert_allclose(empty.units.position[scv], (18.5, 18.5), atol=1.1)


def test_an_order_is_not_undone_by_the_search_for_a_field(empty):
    scv = empty.put("SCV", 15, 15)
    empty.state.units.seeking[scv] = True
    empty.order("HoldPosition_quick", scv).wait(5)
    assert empty.first_order(scv) == "HoldPosition_quick"
