"""Writing files so that neither a kill nor a full disk harms what was there before."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asterism.errors import UserError

FULL = "free space and run the same command again; nothing that was saved before is harmed"

_FULL_CODES = {errno.ENOSPC, errno.EDQUOT}
# Libraries in C++ report a full disk as text: TensorStore (behind Orbax) and SQLite.
_FULL_TEXTS = ("no space left on device", "disk quota exceeded", "database or disk is full")


def disk_is_full(error: BaseException | None) -> bool:
    """Whether an exception, or one that it came from, says that the disk (or the user's quota) is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL_CODES:
            return True
        if any(text in str(error).lower() for text in _FULL_TEXTS):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a full disk, or any other OSError, while `path` is being written into a UserError that names it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if disk_is_full(error):
            raise UserError(f"disk full while writing {path}: {FULL}") from error
        if isinstance(error, OSError):
            raise UserError(f"cannot write {path}: {error.strerror or error}") from error
        raise


def write_atomic(path: Path, content: bytes | str) -> None:
    """Writes a whole file, or nothing: a temporary file beside it, fsync, rename. Raises UserError where it cannot."""
    data = content.encode() if isinstance(content, str) else content
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        _sync_folder(path.parent)


def _umask() -> int:
    """The process's umask, which can be read only by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut, where the file system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
