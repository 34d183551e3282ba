"""Opens a folder of recorded games; every defect is a UserError that names the shard and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from array_record.python.array_record_module import ArrayRecordReader

from asterism.demos.format import (
    GameInfo,
    Manifest,
    Steps,
    Trajectory,
    decode_manifest,
    decode_steps,
    steps_spec,
    with_z,
)
from asterism.demos.header import Header, differences, read_header
from asterism.errors import UserError
from asterism.interface.description import GameDescription
from asterism.interface.observation import Strategy
from asterism.interface.sizes import InterfaceSize

RANDOM_ACCESS = "readahead_buffer_size:0,max_parallelism:0"
GOLDEN_RATIO = (5**0.5 - 1) / 2


class Entry(NamedTuple):
    """Where one player's trajectory lies, and what is known of it without reading its steps."""

    path: Path
    first_record: int
    steps: int
    game: int
    """Number of the game in the folder."""
    player: int
    outcome: int
    z: Strategy
    info: GameInfo


@dataclass(frozen=True)
class Demos:
    """Recorded games. Only the manifests are in memory; steps are read when asked for."""

    folder: Path
    header: Header
    entries: tuple[Entry, ...]
    """Trajectories, two for each game."""

    @property
    def games(self) -> int:
        """How many games there are."""
        return len({entry.game for entry in self.entries})

    @property
    def steps(self) -> int:
        """Steps of all trajectories together."""
        return sum(entry.steps for entry in self.entries)

    @cached_property
    def spec(self) -> Steps:
        """Spec of one step."""
        return steps_spec(self.header.game, self.header.size)

    def chunks(self, entry: Entry) -> int:
        """How many chunks a trajectory has."""
        return chunk_count(entry.steps, self.header)

    def chunk(self, entry: Entry, number: int) -> Steps:
        """Steps number * chunk_steps and up of a trajectory. Raises UserError when the shard is corrupt."""
        record = entry.first_record + number
        length = min(self.header.chunk_steps, entry.steps - number * self.header.chunk_steps)
        (data,) = read_records(entry.path, [record])
        try:
            return with_z(decode_steps(data, self.spec, length), entry.z)
        except ValueError as error:
            raise corrupt(entry.path, f"record {record}: {error}") from error

    def trajectory(self, entry: Entry) -> Trajectory:
        """A whole trajectory."""
        chunks = [self.chunk(entry, number) for number in range(self.chunks(entry))]
        steps = jax.tree.map(lambda *parts: np.concatenate(parts), *chunks)
        return Trajectory(with_z(steps, entry.z), entry.z, entry.outcome)

    def require(self, game: GameDescription, size: InterfaceSize) -> None:
        """Raises UserError unless the games were recorded with this game and interface size."""
        if wrong := differences(self.header, replace(self.header, game=game, size=size)):
            raise UserError(
                f"{self.folder}: recorded with another {', '.join(wrong)} (game {self.header.game.name}, size "
                f"{self.header.size.name}; wanted {game.name}, {size.name}): record games for this one"
            )


def open_demos(folder: Path | str) -> Demos:
    """Opens recorded games. Raises UserError for a folder that is none, that holds no game, or with a corrupt shard."""
    folder = Path(folder)
    header = read_header(folder)
    entries = tuple(entry for path in shard_paths(folder) for entry in open_shard(path, header))
    if not entries:
        raise UserError(f"{folder}: no game is complete yet: run `asterism record` again, it goes on where it stopped")
    return Demos(folder, header, entries)


def split(demos: Demos, held_out: float = 0.05) -> tuple[Demos, Demos]:
    """Training games and held-out games (a share of about `held_out`, and never none); both players stay together.

    A game keeps its side when more are recorded. The golden ratio's multiples are spread evenly and never in step with
    a schedule of bots that repeats. Raises UserError for a share outside (0, 1) or where no game is left for training.
    """
    if not 0 < held_out < 1:
        raise UserError(f"held-out share {held_out}: must be between 0 and 1")
    chosen = [entry.game * GOLDEN_RATIO % 1 < held_out for entry in demos.entries]
    test = tuple(entry for entry, out in zip(demos.entries, chosen, strict=True) if out)
    train = tuple(entry for entry, out in zip(demos.entries, chosen, strict=True) if not out)
    # Game 0 is always held out, but its shard may have been deleted.
    if not test:
        train, test = train[2:], train[:2]
    if not train:
        raise UserError(f"{demos.folder}: {demos.games} games are too few to hold some out: record more")
    return replace(demos, entries=train), replace(demos, entries=test)


def chunk_count(steps: int, header: Header) -> int:
    """Records that a trajectory of so many steps takes."""
    return -(-steps // header.chunk_steps)


def shard_paths(folder: Path) -> list[Path]:
    """The complete shards of a folder, in order."""
    return sorted(folder.glob("shard-*.array_record"))


def open_shard(path: Path, header: Header) -> list[Entry]:
    """The trajectories of a shard, from its manifest. Raises UserError when it is corrupt."""
    manifest, records = read_manifest(path, header)
    number = path.name.removeprefix("shard-").split(".")[0]
    if not number.isdecimal():
        raise UserError(f"{path}: a shard is called shard-NUMBER.array_record: rename or remove it")
    first_game = int(number) * header.games_per_shard
    entries, record = [], 0
    for game, (info, steps, outcome) in enumerate(zip(manifest.games, manifest.steps, manifest.outcome, strict=True)):
        for player in range(2):
            z = jax.tree.map(lambda value, game=game, player=player: value[game, player], manifest.z)
            place = (path, record, int(steps[player]), first_game + game, player)
            entries.append(Entry(*place, int(outcome[player]), z, info))
            record += chunk_count(int(steps[player]), header)
    if record + 1 != records or not 0 < len(manifest.games) <= header.games_per_shard:
        raise corrupt(path, f"{len(manifest.games)} games, {records} records where its manifest names {record + 1}")
    return entries


def read_manifest(path: Path, header: Header) -> tuple[Manifest, int]:
    """A shard's manifest and number of records. Raises UserError when it is corrupt."""
    records = _read(path, lambda reader: reader.num_records())
    if records == 0:
        raise corrupt(path, "it is empty")
    (data,) = read_records(path, [records - 1])
    try:
        return decode_manifest(data, header.game, header.size), records
    except ValueError as error:
        raise corrupt(path, f"manifest: {error}") from error


def read_records(path: Path, indices: Sequence[int]) -> list[bytes]:
    """Records of a shard, decompressed. Raises UserError when one cannot be read."""
    return _read(path, lambda reader: reader.read(list(indices)))


def corrupt(path: Path, reason: str) -> UserError:
    """What a user is told of a shard that cannot be read."""
    return UserError(
        f"{path}: corrupt shard ({reason}): delete this file and run the same `asterism record` again, "
        "which plays its games anew; the other shards are not affected"
    )


def _read(path, get):
    # Opening costs 0.1 ms, so that no reader is kept open and thousands of shards need no file handles.
    try:
        reader = ArrayRecordReader(str(path), RANDOM_ACCESS)
        try:
            return get(reader)
        finally:
            reader.close()
    except (RuntimeError, IndexError) as error:
        raise corrupt(path, str(error).split("\n")[0].split(";")[0]) from error
