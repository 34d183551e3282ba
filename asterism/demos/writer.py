"""Writes recorded games in shards that are whole or absent; a killed recording goes on where it stopped."""

import os
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np
from array_record.python.array_record_module import ArrayRecordWriter

from asterism.demos.format import Manifest, RecordedGame, Steps, encode_manifest, encode_steps, steps_spec
from asterism.demos.header import FILE_NAME, Header, differences, read_header, shard_name, write_header
from asterism.demos.reader import open_shard, read_manifest, read_records
from asterism.errors import UserError

WRITER_OPTIONS = "group_size:1,zstd:3"
"""One record a group, for random access; riegeli keeps a hash of each."""


class ShardWriter:
    """Writes games 0..games-1 of a folder; shard k holds games k * games_per_shard and up.

    `pending` names the games still to be played, also after a kill, after a corrupt shard was deleted, and when
    `games` was raised. If a game depends on its number alone (its seed does), the folder equals, byte for byte, that
    of a recording that was never stopped. Games must be written in the order of `pending`:

        with ShardWriter(folder, Header(game, size), games=200) as writer:
            for index in writer.pending:
                writer.write(index, play(jax.random.fold_in(key, index)))

    Leaving the block by an error or Ctrl-C keeps the games written so far; a kill loses those of one shard.
    Raises UserError when the folder holds another game's recordings, has a corrupt shard, or the disk is full.
    """

    def __init__(self, folder: Path | str, header: Header, games: int):
        self.folder, self.header, self.games = Path(folder), header, games
        _prepare_folder(self.folder, header)
        self.pending: tuple[int, ...] = tuple(
            index for first in range(0, games, header.games_per_shard) for index in self._missing(first)
        )
        """Numbers of the games still to be written, rising."""
        self._shard: _OpenShard | None = None

    @property
    def games_done(self) -> int:
        """How many of the games are written."""
        return self.games - len(self.pending)

    def write(self, index: int, game: RecordedGame) -> None:
        """Adds a game. Raises ValueError when it is not the next, or does not fit the spec; UserError: disk full."""
        if index != next(iter(self.pending), None):
            raise ValueError(f"game {index} is not the next one to be written: {self.pending[:1]}")
        records, manifest = game_records(game, self.header), game_manifest(game)
        encode_manifest(
            manifest, self.header.game, self.header.size
        )  # A z that does not fit is refused now, not later.
        with self._discard_on_failure():
            if self._shard is None:
                self._shard = _OpenShard(self._path(index), self.header)
            self._shard.add(manifest, records)
        self.pending = self.pending[1:]
        if not self.pending or self._path(self.pending[0]) != self._path(index):
            self.close()

    def close(self) -> None:
        """Publishes the shard that is being written, however short. Raises UserError when the disk is full."""
        if self._shard is not None:
            with self._discard_on_failure():
                self._shard.publish()
            self._shard = None

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def _path(self, index):
        return self.folder / shard_name(index // self.header.games_per_shard)

    def _missing(self, first):
        path = self._path(first)
        done = len(open_shard(path, self.header)) // 2 if path.exists() else 0
        return range(first + done, min(first + self.header.games_per_shard, self.games))

    @contextmanager
    def _discard_on_failure(self):
        try:
            yield
        except BaseException as error:  # Ctrl-C included: half a game may be in the shard.
            if self._shard is not None:
                self._shard.discard()
                self._shard = None
            if not isinstance(error, RuntimeError | OSError):
                raise
            raise UserError(
                f"{self.folder}: a shard could not be written ({str(error).split(';')[0]}): free some space and run "
                "the same command again, it goes on from the last complete shard"
            ) from error


def game_records(game: RecordedGame, header: Header) -> list[bytes]:
    """The steps of both players in chunks, as records. Raises ValueError where they do not fit the spec."""
    spec = steps_spec(header.game, header.size)
    records = []
    for player, trajectory in enumerate(game.trajectories):
        steps: Steps = jax.tree.map(np.asarray, trajectory.steps)
        length = len(steps.action.action_type)
        if length == 0:
            raise ValueError(f"player {player} of the game with seed {game.info.seed} never acted")
        for start in range(0, length, header.chunk_steps):
            stop = start + header.chunk_steps
            records.append(encode_steps(jax.tree.map(lambda x, a=start, b=stop: x[a:b], steps), spec))
    return records


def game_manifest(game: RecordedGame) -> Manifest:
    """The manifest of a shard with this one game."""
    z = jax.tree.map(lambda *players: np.stack(players)[None], *(t.z for t in game.trajectories))
    return Manifest(
        (game.info,),
        np.array([[len(t.steps.action.action_type) for t in game.trajectories]], np.int32),
        np.array([[t.outcome for t in game.trajectories]], np.int8),
        z,
    )


class _OpenShard:
    """A shard under its temporary name. It begins with the games of a shorter one of the same name, if there is any."""

    def __init__(self, path, header):
        self.path, self.header = path, header
        self.temporary = path.with_suffix(".tmp")
        self.manifests: list[Manifest] = []
        self.writer = ArrayRecordWriter(str(self.temporary), WRITER_OPTIONS)
        if path.exists():
            manifest, records = read_manifest(path, header)
            self.add(manifest, read_records(path, range(records - 1)))

    def add(self, manifest: Manifest, records: list[bytes]) -> None:
        for record in records:
            self.writer.write(record)
        self.manifests.append(manifest)

    def publish(self) -> None:
        games, *arrays = zip(*self.manifests, strict=True)
        steps, outcome, z = (jax.tree.map(lambda *parts: np.concatenate(parts), *column) for column in arrays)
        manifest = Manifest(sum(games, ()), steps, outcome, z)
        self.writer.write(encode_manifest(manifest, self.header.game, self.header.size))
        self.writer.close()
        _sync(self.temporary)
        os.replace(self.temporary, self.path)

    def discard(self) -> None:
        try:
            self.writer.close()
        except RuntimeError:
            pass  # The disk is full: what brought us here.
        self.temporary.unlink(missing_ok=True)


def _prepare_folder(folder, header):
    """Makes the folder with its header, or checks that the one that is there is of the same kind."""
    if not (folder / FILE_NAME).exists():
        return write_header(folder, header)
    if wrong := differences(header, read_header(folder)):
        raise UserError(f"{folder}: holds games recorded with another {', '.join(wrong)}: choose another folder")
    for leftover in folder.glob("*.tmp"):
        leftover.unlink()


def _sync(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
