"""The process's memory."""

import ctypes
import gc
import resource

import jax


def peak_memory() -> float:
    """The most that the process has held so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def release_memory() -> None:
    """Lets go of compiled code, and has the C library give what is free back to the system (glibc would keep it)."""
    jax.clear_caches()
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
