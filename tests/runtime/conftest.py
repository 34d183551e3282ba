"""A disk that is full."""

import os
import shutil
import subprocess

import pytest


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
