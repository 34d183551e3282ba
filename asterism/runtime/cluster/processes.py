"""What each process of a cluster does first."""

from contextlib import suppress
from pathlib import Path

import jax
import ray

from asterism.runtime.cluster.program import Program


def begin(program: list, devices: int = 1) -> Program:
    """Makes the process's own program, for so many devices of a machine without a GPU; compiled code is kept in the
    user's cache folder.

    `program` holds a reference to a `MakeProgram`, for Ray loses arguments of processes that it starts again.
    """
    jax.config.update("jax_compilation_cache_dir", str(Path.home() / ".cache" / "asterism" / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
    with suppress(RuntimeError):  # something has been computed already
        jax.config.update("jax_num_cpu_devices", devices)
    return ray.get(program[0])()
