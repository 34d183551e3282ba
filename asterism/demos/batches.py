"""Recorded games as an endless stream of batches for a recurrent network, exactly resumable.

Each of B lanes walks through one trajectory after another, in windows of W steps, so that a network's carry goes on
from one batch to the next; a window may cross from one trajectory into another, and no step is padding.
"""

from dataclasses import dataclass
from typing import NamedTuple

import grain
import jax
import numpy as np
from jaxtyping import Bool, Float32

from asterism.demos.filters import drop_repeated_camera_moves
from asterism.demos.format import Steps, with_z
from asterism.demos.reader import Demos, Entry
from asterism.demos.strategies import mask_strategy
from asterism.errors import UserError
from asterism.interface.action import Action
from asterism.interface.observation import Observation, Privileged


@dataclass(frozen=True)
class BatchSettings:
    """How recorded games are read. Raises UserError for values that make no sense."""

    batch: int = 32
    """Trajectories side by side (lanes)."""
    window: int = 32
    """Steps of each trajectory in one batch."""
    keep_build_order: float = 0.8
    """Chance, for each trajectory and epoch, that the build order of z is shown (AlphaStar: 0.8)."""
    keep_statistics: float = 0.5
    """Chance that the cumulative statistics of z are shown (AlphaStar: 0.5)."""
    drop_repeated_camera_moves: bool = True
    """Join camera moves that follow one another."""
    memory_mb: int = 1500
    """Decoded steps kept in memory, in megabytes; what does not fit is read from disk again each epoch."""

    def __post_init__(self):
        if self.batch < 1 or self.window < 1 or self.memory_mb < 0:
            raise UserError(
                f"batch ({self.batch}) and window ({self.window}) must be at least 1, "
                f"memory_mb ({self.memory_mb}) at least 0"
            )
        for name in ("keep_build_order", "keep_statistics"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"{name} {getattr(self, name)}: must be between 0 and 1")


class Batch(NamedTuple):
    """B lanes of W consecutive steps; numpy arrays of the caller's own."""

    observation: Observation
    """`observation.z` is masked."""
    action: Action
    privileged: Privileged
    """[B, W, 2, ...], the player itself first."""
    outcome: Float32[np.ndarray, "B W"]
    """Of the whole game: +1 won, 0 tie, -1 lost."""
    reset: Bool[np.ndarray, "B W"]
    """True at the first step of each trajectory: the network's carry starts anew."""


class Batches:
    """Endless iterator over batches; every epoch has each trajectory once, in an order drawn from the seed.

    The same demos, settings and seed give the same stream, on any machine, and `restore(state())` goes on with it.
    Raises UserError when a shard turns out to be corrupt.
    """

    def __init__(self, demos: Demos, settings: BatchSettings, seed: int):
        self.demos, self.settings, self.seed = demos, settings, seed
        self._order = grain.MapDataset.range(len(demos.entries)).shuffle(seed=seed).repeat()
        self._chunks = _ChunkCache(demos, settings)
        self._lanes = [self._lane(item) for item in range(settings.batch)]
        self._next_item = settings.batch

    def __iter__(self) -> "Batches":
        return self

    def __next__(self) -> Batch:
        batch, window = self.settings.batch, self.settings.window
        specs, structure = jax.tree.flatten(self.demos.spec)
        # Fresh memory for each batch: JAX may alias a numpy array that it was given.
        buffers = [np.empty((batch, window, *spec.shape), spec.dtype) for spec in specs]
        outcome = np.empty((batch, window), np.float32)
        reset = np.zeros((batch, window), bool)
        for row, lane in enumerate(self._lanes):
            filled = 0
            while filled < window:
                rest = [buffer[row, filled:] for buffer in (outcome, reset, *buffers)]
                filled += lane.copy(*rest)
                if lane.finished:
                    self._lanes[row] = lane = self._lane(self._next_item)
                    self._next_item += 1
        return Batch(*structure.unflatten(buffers), outcome=outcome, reset=reset)

    @property
    def epoch(self) -> int:
        """How many times all trajectories have been handed out to lanes."""
        return self._next_item // len(self.demos.entries)

    def state(self) -> dict:
        """Where the stream stands, as JSON: what the next batch depends on besides demos and settings."""
        return {
            "seed": self.seed,
            "trajectories": len(self.demos.entries),
            "next_item": self._next_item,
            "lanes": [[lane.item, lane.chunk, lane.offset] for lane in self._lanes],
        }

    def restore(self, state: dict) -> None:
        """Goes on from a `state()` of the same demos, seed and batch; raises UserError for that of another."""
        here = {"seed": self.seed, "trajectories": len(self.demos.entries), "batch": self.settings.batch}
        there = {"seed": state["seed"], "trajectories": state["trajectories"], "batch": len(state["lanes"])}
        if here != there:
            raise UserError(f"{self.demos.folder}: the run to be resumed read these games with {there}, now {here}")
        self._next_item = int(state["next_item"])
        self._lanes = [self._lane(*map(int, lane)) for lane in state["lanes"]]

    def entry(self, item: int) -> Entry:
        """The trajectory that the stream begins as its item-th."""
        return self.demos.entries[self._order[item]]

    def _lane(self, item, chunk=0, offset=0):
        """A lane at a place in the item-th trajectory of the stream, whose z is masked anew for each item."""
        entry, chances = self.entry(item), (self.settings.keep_build_order, self.settings.keep_statistics)
        shown = np.random.default_rng((self.seed, item)).random(2) < chances
        return _Lane(self._chunks, entry, mask_strategy(entry.z, *shown.tolist()), item, chunk, offset)


class _Lane:
    """A place in a trajectory: the item-th of the stream, its chunk, the next step in the (filtered) chunk."""

    def __init__(self, chunks, entry, z, item, chunk, offset):
        self.chunks, self.entry, self.z = chunks, entry, z
        self.item, self.chunk, self.offset = item, chunk, offset
        self._leaves = None

    @property
    def finished(self):
        return self.chunk == self.chunks.demos.chunks(self.entry)

    def copy(self, outcome, reset, *buffers) -> int:
        """Copies what is left of the chunk to the beginning of the buffers, as much as fits; returns how many steps."""
        if self._leaves is None:
            self._leaves = jax.tree.leaves(with_z(self.chunks.get(self.entry, self.chunk), self.z))
        length = len(self._leaves[0])
        count = min(length - self.offset, len(reset))
        for buffer, leaf in zip(buffers, self._leaves, strict=True):
            buffer[:count] = leaf[self.offset : self.offset + count]
        outcome[:count] = self.entry.outcome
        reset[0] = self.chunk == self.offset == 0
        self.offset += count
        if self.offset == length:
            self.chunk, self.offset, self._leaves = self.chunk + 1, 0, None
        return count


class _ChunkCache:
    """Decoded, filtered chunks, kept until the memory is used up. Nothing is evicted: each is needed once an epoch."""

    def __init__(self, demos, settings):
        self.demos, self.filter = demos, settings.drop_repeated_camera_moves
        self.left = settings.memory_mb * 1_000_000
        self.kept: dict[tuple[int, int, int], Steps] = {}

    def get(self, entry, number) -> Steps:
        key = (entry.game, entry.player, number)
        if key in self.kept:
            return self.kept[key]
        steps = self.demos.chunk(entry, number)
        if self.filter:
            steps = drop_repeated_camera_moves(steps, self.demos.header.game, self.demos.header.size)
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(steps))
        if size <= self.left:
            self.left -= size
            self.kept[key] = steps
        return steps
