"""The devices that games are spread over: GPUs, or the cores of a CPU, each of which JAX then takes for a device.

A small batch of games keeps only one core of a CPU busy; two halves of it keep two.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

GAMES = "games"
"""Name of the mesh's axis."""
EACH = PartitionSpec(GAMES)
"""Arrays whose first axis is that of the games."""
EACH_STEP = PartitionSpec(None, GAMES)
"""Arrays whose second axis is."""
ALL = PartitionSpec()
"""What all games share, such as weights."""


def use_every_core() -> None:
    """Makes every core that the process may use a device. Without effect once JAX has begun to compute."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    with suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", cores)


def games_mesh(rows: int) -> Mesh:
    """The most devices among which `rows` (games, or groups of them) can be shared out evenly."""
    devices = jax.devices()
    count = max(n for n in range(1, len(devices) + 1) if rows % n == 0)
    return Mesh(np.array(devices[:count]), (GAMES,))


def over_games(
    function: Callable, mesh: Mesh, inputs: Any, outputs: Any, donate: int | tuple[int, ...] = ()
) -> Callable:
    """Compiled: `function` on each device with its share of the games.

    Args:
      inputs, outputs: EACH, EACH_STEP or ALL for every argument and result, or pytrees of them (as in `jax.shard_map`).
      donate: the arguments whose memory may be used for the results.
    """
    shared = jax.shard_map(function, mesh=mesh, in_specs=inputs, out_specs=outputs, check_vma=False)
    compiled = jax.jit(shared, donate_argnums=donate)
    places = jax.tree.map(lambda spec: NamedSharding(mesh, spec), inputs)

    def call(*arguments):
        return compiled(*jax.device_put(arguments, places))

    return call


def gathered(tree: Any) -> Any:
    """The arrays on the first device."""
    return jax.device_put(tree, jax.devices()[0])
