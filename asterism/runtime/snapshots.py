"""Weights of the league's frozen players: read from their files, checked, and kept while they are in use."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import jax

from asterism.league import Snapshot
from asterism.runtime.checkpoints import load_weights

T = TypeVar("T")


def load_snapshot(folder: Path, snapshot: Snapshot, like: T) -> T:
    """The weights of a frozen player, in the structure of `like`. Raises UserError as `load_weights` does, and for a
    file whose weights are not those on record."""
    return load_weights(folder / snapshot.file, like, sha256=snapshot.sha256)


class WeightsCache(Generic[T]):
    """Players' weights, those used last, up to a number of bytes: a large league's do not all fit into memory."""

    def __init__(self, load: Callable[[str], T], most_bytes: int):
        """`load` makes a player's weights, a pytree of arrays."""
        self._load = load
        self._most = most_bytes
        self._kept: OrderedDict[str, T] = OrderedDict()
        """The one used last at the end."""
        self._bytes: dict[str, int] = {}

    def __getitem__(self, player: str) -> T:
        """A player's weights. The newest are kept even if they alone are too large."""
        if player not in self._kept:
            weights = self._load(player)
            self._kept[player] = weights
            self._bytes[player] = sum(leaf.nbytes for leaf in jax.tree.leaves(weights))
        self._kept.move_to_end(player)
        while len(self._kept) > 1 and self.nbytes > self._most:
            dropped, _ = self._kept.popitem(last=False)
            del self._bytes[dropped]
        return self._kept[player]

    def __contains__(self, player: str) -> bool:
        """Whether a player's weights are kept."""
        return player in self._kept

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return sum(self._bytes.values())
