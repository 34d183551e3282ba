"""Games a batch at a time, with a progress bar."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.progress import track


def in_batches(play: Callable[[Any], Any], games: Any, count: int, batch: int, label: str) -> Any:
    """What `play` makes of `count` games [G, ...], `batch` at a time; the last batch is filled up with the first games,
    so that one program does for all."""
    order, parts = np.arange(-(-count // batch) * batch) % count, []
    for rows in track(np.split(order, len(order) // batch), label, console=Console(stderr=True)):
        parts.append(jax.tree.map(np.asarray, play(jax.tree.map(lambda leaf, rows=rows: leaf[rows], games))))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *parts)
