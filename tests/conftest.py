"""For every test: shapes and types checked at run time, two CPU devices, compiled code kept between runs.

It is compiled quickly rather than well, for most tests take longer to compile than to run.
"""

import os
from pathlib import Path

# Before JAX is imported, and inherited by the processes that tests start.
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE / "asterism" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")  # a third of the time of a compile
os.environ.setdefault("MPLBACKEND", "agg")

import jax  # noqa: E402
import pytest  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

install_import_hook("asterism", "type_checker.check")

MOST_MAPS = 15_000


@pytest.fixture(scope="module", autouse=True)
def few_memory_maps():
    """Lets go of compiled programs after files that have many: each holds six memory maps, and a process that asks
    Linux for more than 65,530 dies of a segmentation fault while it compiles or reads from the cache."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
