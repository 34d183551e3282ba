"""Whole files or none."""

import errno
import os
import stat
from pathlib import Path

import pytest

from asterism.errors import UserError
from asterism.files import disk_is_full, write_atomic, writing


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "new folder" / "a"
    write_atomic(path, "old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(
        UserError, match="disk full while writing .*a: free space and run the same command again; nothing"
    ):
        write_atomic(path, "new")
    assert path.read_text() == "old" and os.listdir(path.parent) == ["a"]


def test_others_may_read_what_was_written(tmp_path):
    write_atomic(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


@pytest.mark.parametrize(
    "error, full",
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EACCES, "x"), False),
        (ValueError("RESOURCE_EXHAUSTED: Error writing: No space left on device [os_error_code='28']"), True),
        (RuntimeError("sqlite3.OperationalError: database or disk is full"), True),
        (ValueError("no"), False),
        (None, False),
    ],
)
def test_how_a_full_disk_looks(error, full):
    assert disk_is_full(error) == full


def test_a_full_disk_behind_another_error():
    with pytest.raises(UserError, match="disk full while writing x"), writing(Path("x")):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("the writer failed") from error


def test_other_errors_pass_as_they_are():
    with pytest.raises(ZeroDivisionError), writing(Path("x")):
        raise ZeroDivisionError
    with pytest.raises(UserError, match="cannot write x: Permission denied"), writing(Path("x")):
        raise PermissionError(errno.EACCES, "Permission denied")
