"""What is made of recorded games: filtered steps, the library of z, the summary."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tyro
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_demos import CAMERA, GAME, SIZE, record, toy_game, toy_trajectory

from asterism.demos import (
    InfoConfig,
    drop_repeated_camera_moves,
    open_demos,
    recorded_strategies,
    strategy_library,
)
from asterism.demos.header import shard_name
from asterism.demos.info import describe_strategy
from asterism.errors import UserError
from asterism.interface.observation import Strategy


def steps_with(types, delays):
    """Random steps with these actions; the location counts them."""
    steps = toy_trajectory(np.random.default_rng(0), len(types), 1).steps
    action = steps.action._replace(
        action_type=np.array(types, np.int32),
        delay=np.array(delays, np.int32),
        location=np.arange(len(types), dtype=np.int32) % SIZE.location**2,
    )
    return steps._replace(action=action)


def test_camera_moves_in_a_row_become_one_that_goes_where_the_last_went():
    # train, camera, camera, camera, attack, camera, camera
    steps = steps_with([1, CAMERA, CAMERA, CAMERA, 3, CAMERA, CAMERA], [1, 1, 2, 1, 3, 6, 6])
    kept = drop_repeated_camera_moves(steps, GAME, SIZE)
    assert kept.action.action_type.tolist() == [1, CAMERA, 3, CAMERA]
    assert kept.action.location.tolist() == [0, 3, 4, 6]
    assert kept.action.delay.tolist() == [1, 4, 3, SIZE.delays - 1]
    assert kept.observation.scalars.game_loop.tolist() == [0, 1, 4, 5]
    before = steps.observation.scalars.last_delay
    assert kept.observation.scalars.last_delay.tolist() == [before[0], before[1], 4, before[5]]
    assert steps.action.delay.tolist() == [1, 1, 2, 1, 3, 6, 6], "the steps given are left as they are"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=7))
def test_the_filter_keeps_everything_else_and_the_time_and_works_once(pairs):
    types, delays = zip(*pairs, strict=True)
    kept = drop_repeated_camera_moves(steps_with(types, delays), GAME, SIZE)
    left = kept.action.action_type
    assert not ((left[1:] == CAMERA) & (left[:-1] == CAMERA)).any()
    assert [a for a in left if a != CAMERA] == [a for a in types if a != CAMERA]
    assert kept.action.delay.sum() == sum(delays)
    assert {len(leaf) for leaf in jax.tree.leaves(kept)} == {len(left)}
    jax.tree.map(np.testing.assert_array_equal, drop_repeated_camera_moves(kept, GAME, SIZE), kept)


def test_the_library_samples_each_recorded_strategy_equally_often_in_compiled_code(tmp_path):
    record(tmp_path, 3)
    demos = open_demos(tmp_path)
    recorded = recorded_strategies(demos)
    jax.tree.map(np.testing.assert_array_equal, recorded, [t.z for g in range(3) for t in toy_game(g).trajectories])
    library = strategy_library(recorded)
    assert library.size == 6
    keys, sides = jax.random.split(jax.random.key(0), 1200), jnp.arange(1200) % 2
    sampled, there = jax.jit(jax.vmap(library.sample))(keys, sides)
    assert there.all()
    rows = np.concatenate([np.asarray(x).reshape(1200, -1) for x in sampled], 1)
    known = [np.concatenate([np.asarray(x).reshape(-1) for x in z]) for z in recorded]
    counts = [(rows == z).all(1).sum() for z in known]
    assert sum(counts) == 1200 and min(counts) > 140


def test_each_side_is_asked_for_strategies_of_its_own(tmp_path):
    record(tmp_path, 3)
    recorded = recorded_strategies(open_demos(tmp_path))
    library = strategy_library(recorded[:2], recorded[2:])
    sample = jax.jit(jax.vmap(library.sample, (0, None)))
    keys = jax.random.split(jax.random.key(0), 200)
    for side, own in ((0, recorded[:2]), (1, recorded[2:])):
        orders = {tuple(row) for row in np.asarray(sample(keys, side)[0].build_order).tolist()}
        assert orders == {tuple(z.build_order.tolist()) for z in own}


def test_each_race_is_asked_for_strategies_of_its_own(tmp_path):
    """Where there is none for a race on a side, it says so."""
    record(tmp_path, 3)
    recorded = recorded_strategies(open_demos(tmp_path))
    library = strategy_library(recorded[:2], recorded[2:4], races=(1, 2, 3, 3))
    sample = jax.jit(jax.vmap(library.sample, (0, None, None)))
    keys = jax.random.split(jax.random.key(0), 50)
    for side, race, own in ((0, 1, recorded[0]), (0, 2, recorded[1]), (0, 3, None), (1, 1, None)):
        z, there = sample(keys, side, race)
        assert (there == (own is not None)).all()
        if own is not None:
            assert (z.build_order == own.build_order).all()
    assert sample(keys, 0, 0)[1].all(), "race 0 is anybody"


def test_a_library_of_nothing_is_refused():
    for sides in ([],), ([], []):
        with pytest.raises(UserError, match="at least one"):
            strategy_library(*sides)


def test_a_strategy_reads_as_names():
    order = np.array([1, 3, 5, 0], np.int16)
    flags = np.array([False, True])
    assert (
        describe_strategy(Strategy(order, order, flags, flags[:1], flags), GAME)
        == "worker > soldier > range; upgrades: range"
    )


def test_info_tells_what_is_inside(tmp_path, capsys):
    record(tmp_path, 5)
    tyro.cli(InfoConfig, args=[str(tmp_path)]).run()
    printed = capsys.readouterr().out
    demos = open_demos(tmp_path)
    actions = np.concatenate([demos.trajectory(entry).steps.action.action_type for entry in demos.entries])
    for words in (
        "toy, interface toy",
        f"{demos.steps}",
        "1.0 to 3.0 min",
        "rush",
        "raw_move_camera",
        shard_name(2),
        "intact",
    ):
        assert words in printed, words
    rate = (actions != 0).sum() / (2 * (1 + 2 + 3 + 1 + 2))  # Both players' minutes of five games.
    for label, number in (("actions per minute", f"{rate:.0f}"), ("attack", f"{(actions == 3).sum()}")):
        assert f" {number} " in next(line for line in printed.splitlines() if label in line)


def test_info_shows_the_shards_that_are_left_and_names_the_corrupt_one(tmp_path, capsys):
    record(tmp_path, 5)
    shard = tmp_path / shard_name(1)
    shard.write_bytes(shard.read_bytes()[:1000])
    with pytest.raises(UserError, match=shard_name(1)):
        tyro.cli(InfoConfig, args=[str(tmp_path)]).run()
    printed = capsys.readouterr().out
    assert printed.count("intact") == 2 and printed.count("corrupt") == 1
