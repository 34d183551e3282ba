"""The stream of batches: every step once an epoch and in order, exactly resumable; z masked as often as asked."""

import json
from collections import Counter

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_demos import MemoryDemos, record

from asterism.demos import Batches, BatchSettings, open_demos, split
from asterism.errors import UserError

LENGTHS = st.lists(st.integers(1, 13), min_size=1, max_size=7)


def assert_same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def lane_steps(batches, count):
    """For each lane the (trajectory, step, reset) of `count` batches."""
    lanes = [[] for _ in range(batches.settings.batch)]
    for _ in range(count):
        batch = next(batches)
        scalars = batch.observation.scalars
        for lane, *row in zip(lanes, scalars.mmr, scalars.game_loop, batch.reset, strict=True):
            lane += zip(*(values.tolist() for values in row), strict=True)
    return lanes


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(1, 5), st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
def test_lanes_walk_whole_trajectories_and_epochs_hand_each_out_once(lengths, batch, window, chunk_steps, seed):
    demos = MemoryDemos.of(lengths, chunk_steps)
    batches = Batches(demos, BatchSettings(batch, window), seed)
    lanes = lane_steps(batches, 12)
    started = Counter()
    for lane in lanes:
        previous = None
        for number, step, reset in lane:
            assert reset == (step == 0)
            if reset:
                assert previous is None or previous[1] == lengths[previous[0]] - 1
                started[number] += 1
            else:
                assert previous == (number, step - 1)
            previous = (number, step)
    # Trajectories handed to a lane that has not yet begun them.
    started.update(
        batches.entry(item).game * 2 + batches.entry(item).player
        for item, *at in batches.state()["lanes"]
        if at == [0, 0]
    )
    total = sum(started.values())
    assert {started[number] for number in range(len(lengths))} <= {total // len(lengths), -(-total // len(lengths))}


def test_one_lane_sees_a_permutation_of_all_trajectories_each_epoch_and_not_always_the_same():
    lengths = [3, 1, 4, 1, 5, 9, 2, 6]
    batches = Batches(MemoryDemos.of(lengths), BatchSettings(1, sum(lengths)), seed=1)
    orders = []
    for _ in range(4):
        (lane,) = lane_steps(batches, 1)
        assert sorted(lane) == sorted((n, t, t == 0) for n, length in enumerate(lengths) for t in range(length))
        orders.append(tuple(number for number, _, reset in lane if reset))
    assert len(set(orders)) > 1
    assert batches.epoch == 4


@pytest.mark.parametrize("consumed", [0, 1, 5, 11])
def test_a_restored_stream_is_the_same_stream(consumed):
    def make():
        return Batches(MemoryDemos.of([5, 9, 2, 7, 1], 3), BatchSettings(3, 4), seed=7)

    batches = make()
    for _ in range(consumed):
        next(batches)
    state = json.loads(json.dumps(batches.state()))
    resumed = make()
    resumed.restore(state)
    for _ in range(8):
        assert_same(next(resumed), next(batches))


def test_the_state_of_another_stream_is_refused():
    state = Batches(MemoryDemos.of([5, 5]), BatchSettings(2, 2), seed=0).state()
    for lengths, batch, seed in (([5, 5, 5], 2, 0), ([5, 5], 3, 0), ([5, 5], 2, 1)):
        with pytest.raises(UserError, match="resumed"):
            Batches(MemoryDemos.of(lengths), BatchSettings(batch, 2), seed).restore(state)


def test_the_seed_decides():
    streams = [lane_steps(Batches(MemoryDemos.of(range(1, 9)), BatchSettings(2, 5), seed), 6) for seed in (0, 0, 1)]
    assert streams[0] == streams[1] != streams[2]


def test_z_is_masked_as_often_as_asked_for_whole_trajectories_and_anew_each_epoch():
    count = 1500
    demos = MemoryDemos.of([2] * count)
    batches = Batches(demos, BatchSettings(1, 2 * count, drop_repeated_camera_moves=False), seed=3)
    shown = []
    for _ in range(2):
        batch = next(batches)
        z = batch.observation.z
        order, statistics = z.build_order.all(-1)[0], z.units.all(-1)[0]
        assert_same(
            (z.build_order_location.all(-1)[0], z.effects.all(-1)[0], z.upgrades.all(-1)[0]),
            (order, statistics, statistics),
        )
        assert_same((z.build_order.any(-1)[0], z.units.any(-1)[0]), (order, statistics))
        assert_same((order[0::2], statistics[0::2]), (order[1::2], statistics[1::2]))
        numbers = batch.observation.scalars.mmr[0, 0::2]
        shown.append(np.stack([order, statistics])[:, 0::2][:, np.argsort(numbers)])
    frequency = np.mean(shown, axis=(0, 2))
    np.testing.assert_allclose(frequency, (0.8, 0.5), atol=0.03)
    np.testing.assert_allclose(1 - np.mean(np.any(shown, axis=1)), 0.2 * 0.5, atol=0.02)
    np.testing.assert_allclose(np.mean(shown[0] == shown[1], axis=1), (0.68, 0.5), atol=0.04)


def test_a_batch_holds_what_was_recorded_whatever_the_memory(tmp_path):
    record(tmp_path, 3)
    demos = open_demos(tmp_path)
    settings = {"keep_build_order": 1.0, "keep_statistics": 1.0, "drop_repeated_camera_moves": False}
    streams = [Batches(demos, BatchSettings(1, demos.steps, memory_mb=mb, **settings), seed=0) for mb in (0, 100)]
    for _ in range(2):
        one, other = (next(stream) for stream in streams)
        assert_same(one, other)
    first = Batches(demos, BatchSettings(1, demos.steps, **settings), seed=0)
    batch = jax.tree.map(lambda x: x[0], next(first))
    start = 0
    for item in range(len(demos.entries)):
        entry = first.entry(item)
        trajectory, stop = demos.trajectory(entry), start + entry.steps
        assert_same(jax.tree.map(lambda x, a=start, b=stop: x[a:b], tuple(batch[:3])), tuple(trajectory.steps))
        assert (batch.outcome[start:stop] == trajectory.outcome).all()
        start = stop


def test_a_batch_is_not_changed_by_the_next_one():
    batches = Batches(MemoryDemos.of([5, 9, 2]), BatchSettings(2, 4), seed=0)
    batch = next(batches)
    copy = jax.tree.map(np.copy, batch)
    next(batches)
    assert_same(batch, copy)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 300), st.floats(0.01, 0.3))
def test_splits_are_disjoint_by_game_complete_and_stable(games, share):
    demos = MemoryDemos.of([1] * (2 * games))
    train, held_out = split(demos, share)
    training, testing = ({entry.game for entry in part.entries} for part in (train, held_out))
    assert not training & testing and training | testing == set(range(games))
    assert len(train.entries) == 2 * len(training) and len(held_out.entries) == 2 * len(testing)
    assert abs(len(testing) - share * games) <= 3
    more = split(MemoryDemos.of([1] * (2 * games + 20)), share)[1]
    assert {entry.game for entry in more.entries if entry.game < games} == testing


def test_settings_and_splits_that_make_no_sense_are_refused():
    for wrong in ({"batch": 0}, {"window": 0}, {"memory_mb": -1}, {"keep_build_order": 1.1}, {"keep_statistics": -0.1}):
        with pytest.raises(UserError):
            BatchSettings(**wrong)
    with pytest.raises(UserError, match="between 0 and 1"):
        split(MemoryDemos.of([1] * 8), 1.0)
    with pytest.raises(UserError, match="too few"):
        split(MemoryDemos.of([1, 1]))
