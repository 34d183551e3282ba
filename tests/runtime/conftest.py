"""A disk that is full, and compiling without taking long over it."""

import os
import shutil
import subprocess

import jax
import pytest


@pytest.fixture(scope="module")
def quick_compilation():
    """For short games: compiling them well takes longer than playing them."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 1 MB (tmpfs); only root can mount one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a file system takes root")
    path = tmp_path / "tiny"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True).returncode:
        pytest.skip("no right to mount here")
    yield path
    subprocess.run(["umount", "-l", path], check=True)
