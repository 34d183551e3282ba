"""A toy game, and random recorded games that fit its spec; the same number gives the same game."""

import sys
from pathlib import Path

import jax
import numpy as np

from asterism.demos import Demos, Entry, GameInfo, Header, RecordedGame, ShardWriter, Steps, Trajectory
from asterism.demos.format import steps_spec, with_z
from asterism.interface.description import ActionType, GameDescription, UnitType
from asterism.interface.observation import Strategy
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import strategy_spec

CAMERA = 2
RACES = "terran", "zerg"


def _action(id, name, **parts):
    return ActionType(
        id, name, 0, 0, **{**dict.fromkeys(("queued", "selects", "target_unit", "location"), False), **parts}
    )


GAME = GameDescription(
    name="toy",
    unit_types=tuple(UnitType(id, name) for id, name in enumerate(("none", "worker", "hall", "soldier"))),
    actions=(
        _action(0, "no_op"),
        _action(1, "train", queued=True, selects=True, units=("hall",)),
        _action(168, "raw_move_camera", location=True),
        _action(3, "attack", selects=True, location=True, units=("soldier",)),
    ),
    upgrades=("armour", "range"),
    effects=("storm",),
    map_cells=8,
)
SIZE = InterfaceSize("toy", entities=3, map=2, location=4, selected=2, delays=8, build_order=4)
HEADER = Header(GAME, SIZE, games_per_shard=2, chunk_steps=4)


def random_value(spec, rng, *lead):
    """A random nested value that fits a nested spec, with leading axes."""

    def draw(leaf):
        low, high = np.asarray(leaf.minimum, np.int64), np.asarray(leaf.maximum, np.int64)
        return rng.integers(low, high + 1, (*lead, *leaf.shape)).astype(leaf.dtype)

    return jax.tree.map(draw, spec)


def toy_trajectory(rng, length, outcome) -> Trajectory:
    """T random steps; the game loop counts them."""
    steps = random_value(steps_spec(GAME, SIZE), rng, length)
    scalars = steps.observation.scalars._replace(game_loop=np.arange(length, dtype=np.int32))
    steps = steps._replace(observation=steps.observation._replace(scalars=scalars))
    z = random_value(strategy_spec(GAME, SIZE), rng)
    return Trajectory(with_z(steps, z), z, outcome)


def toy_game(index: int) -> RecordedGame:
    """Game number `index`: 1 to 11 steps for each player."""
    rng = np.random.default_rng(index)
    lengths, outcome = rng.integers(1, 12, 2), int(rng.integers(-1, 2))
    names, loops = ("rush", "macro"), 1344 * (1 + index % 3)
    info = GameInfo(index, "flat", loops, names, RACES, ({"timing": index}, {}), (1000, 2000))
    return RecordedGame(info, (toy_trajectory(rng, lengths[0], outcome), toy_trajectory(rng, lengths[1], -outcome)))


def record(folder, games: int, stop_before: int | None = None, error: BaseException | None = None) -> None:
    """Records toy games; before game `stop_before` it raises `error`."""
    with ShardWriter(folder, HEADER, games) as writer:
        for index in writer.pending:
            if index == stop_before:
                raise error
            writer.write(index, toy_game(index))


class MemoryDemos(Demos):
    """Demos without files: trajectory i has lengths[i] steps, its number as MMR and the step as game loop."""

    @classmethod
    def of(cls, lengths, chunk_steps=4) -> "MemoryDemos":
        info = GameInfo(0, "flat", 1344, ("a", "b"), RACES)
        z = jax.tree.map(lambda leaf: np.ones(leaf.shape, leaf.dtype), strategy_spec(GAME, SIZE))
        entries = (
            Entry(Path("memory"), 0, length, number // 2, number % 2, 1 - 2 * (number % 2), z, info)
            for number, length in enumerate(lengths)
        )
        return cls(Path("memory"), Header(GAME, SIZE, chunk_steps=chunk_steps), tuple(entries))

    def chunk(self, entry: Entry, number: int) -> Steps:
        start = number * self.header.chunk_steps
        times = np.arange(start, min(start + self.header.chunk_steps, entry.steps))
        steps = jax.tree.map(lambda leaf: np.zeros((len(times), *leaf.shape), leaf.dtype), self.spec)
        mmr = np.full(len(times), 2 * entry.game + entry.player, np.int16)
        scalars = steps.observation.scalars._replace(game_loop=times.astype(np.int32), mmr=mmr)
        return with_z(steps._replace(observation=steps.observation._replace(scalars=scalars)), entry.z)


def full_z() -> Strategy:
    """A z with nothing zero."""
    return MemoryDemos.of([1]).entries[0].z


if __name__ == "__main__":  # Records, and is killed in the middle of a shard.
    import os
    import signal

    folder, games, kill_before = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with ShardWriter(folder, HEADER, games) as writer:
        for index in writer.pending:
            if index == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
            writer.write(index, toy_game(index))
