"""Shards: whole or absent, resumable to the same bytes; a corrupt one is named."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
import toy_demos
from toy_demos import GAME, HEADER, SIZE, record, toy_game

from asterism.demos import ShardWriter, open_demos
from asterism.demos.header import shard_name
from asterism.errors import UserError

GAMES = 5


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def read_all(folder: Path) -> list:
    demos = open_demos(folder)
    return [demos.trajectory(entry) for entry in demos.entries]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demos")
    record(folder, GAMES)
    return folder


@pytest.fixture
def folder(uninterrupted, tmp_path) -> Path:
    """A copy to be damaged."""
    for name, data in contents(uninterrupted).items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


@contextmanager
def file_size_limit(most):
    """Writing beyond fails, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_games_survive_the_round_trip(uninterrupted):
    demos = open_demos(uninterrupted)
    assert demos.header == HEADER
    assert demos.games == GAMES
    assert [(entry.game, entry.player) for entry in demos.entries] == [(g, p) for g in range(GAMES) for p in range(2)]
    for entry in demos.entries:
        game = toy_game(entry.game)
        assert entry.info == game.info
        expected, found = game.trajectories[entry.player], demos.trajectory(entry)
        jax.tree.map(np.testing.assert_array_equal, found, expected)
        assert entry.outcome == expected.outcome
    assert demos.steps == sum(len(t.steps.action.delay) for g in range(GAMES) for t in toy_game(g).trajectories)


def test_games_of_another_description_or_size_are_not_mixed(folder):
    with pytest.raises(UserError, match="game.name"):
        ShardWriter(folder, replace(HEADER, game=replace(GAME, name="other")), GAMES)
    with pytest.raises(UserError, match="size.entities.*record games"):
        open_demos(folder).require(GAME, replace(SIZE, entities=4))
    open_demos(folder).require(GAME, SIZE)


def test_a_killed_recording_goes_on_to_the_same_bytes(uninterrupted, tmp_path):
    command = [sys.executable, toy_demos.__file__, str(tmp_path), str(GAMES), "3"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment).returncode == -signal.SIGKILL
    assert list(tmp_path.glob("*.tmp")), "the kill was meant to leave half a shard"
    writer = ShardWriter(tmp_path, HEADER, GAMES)
    assert writer.games_done == 2 and writer.pending == (2, 3, 4)
    record(tmp_path, GAMES)
    assert contents(tmp_path) == contents(uninterrupted)


def test_ctrl_c_keeps_the_games_of_the_unfinished_shard(uninterrupted, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path, GAMES, stop_before=3, error=KeyboardInterrupt())
    assert open_demos(tmp_path).games == 3
    record(tmp_path, GAMES)
    assert contents(tmp_path) == contents(uninterrupted)


def test_more_games_later_are_the_same_as_more_games_at_once(uninterrupted, tmp_path):
    for games in (1, 3, GAMES):
        record(tmp_path, games)
        assert open_demos(tmp_path).games == games
    assert contents(tmp_path) == contents(uninterrupted)
    record(tmp_path, 2)
    assert contents(tmp_path) == contents(uninterrupted)


def test_games_are_written_in_order(tmp_path):
    with ShardWriter(tmp_path, HEADER, 3) as writer, pytest.raises(ValueError, match="not the next"):
        writer.write(1, toy_game(1))


def test_a_game_that_does_not_fit_is_refused_at_once(tmp_path):
    game = toy_game(0)
    first = game.trajectories[0]
    wrong = first._replace(z=first.z._replace(build_order=first.z.build_order.astype(np.int64)))
    with ShardWriter(tmp_path, HEADER, 1) as writer, pytest.raises(ValueError, match="z.build_order is int64"):
        writer.write(0, game._replace(trajectories=(wrong, game.trajectories[1])))
    assert not list(tmp_path.glob("shard*"))


def truncate(data):
    return data[: len(data) // 2]


def flip(place):
    def change(data):
        used = np.flatnonzero(np.frombuffer(data, np.uint8))  # The rest is padding.
        position = used[int(place * (len(used) - 1))]
        return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]

    return change


@pytest.mark.parametrize(
    "damage",
    [truncate, lambda data: b"", lambda data: b"nonsense" * 30_000, *map(flip, (0.02, 0.2, 0.4, 0.6, 0.8, 0.95))],
)
def test_a_corrupt_shard_is_named_and_deleting_it_heals_the_folder(folder, uninterrupted, damage):
    shard = folder / shard_name(1)
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(UserError, match=f"{shard_name(1)}: corrupt shard .*delete this file") as error:
        read_all(folder)
    assert "\n" not in str(error.value)
    shard.unlink()
    assert open_demos(folder).games == GAMES - 2
    record(folder, GAMES)
    assert contents(folder) == contents(uninterrupted)


def test_a_shard_of_another_game_is_refused(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    header = replace(HEADER, chunk_steps=2)
    with ShardWriter(other, header, 2) as writer:
        for index in writer.pending:
            writer.write(index, toy_game(index))
    (folder / shard_name(0)).write_bytes((other / shard_name(0)).read_bytes())
    with pytest.raises(UserError, match=shard_name(0)):
        open_demos(folder)


def test_a_full_disk_is_told_and_harms_no_other_shard(uninterrupted, tmp_path):
    record(tmp_path, 2)
    before = contents(tmp_path)
    with file_size_limit(50_000), pytest.raises(UserError, match="free some space"):
        record(tmp_path, GAMES)
    assert contents(tmp_path) == before
    record(tmp_path, GAMES)
    assert contents(tmp_path) == contents(uninterrupted)


def test_a_folder_without_games_is_told(tmp_path):
    ShardWriter(tmp_path, HEADER, 3).close()
    with pytest.raises(UserError, match="no game is complete"):
        open_demos(tmp_path)
