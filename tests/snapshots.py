"""Snapshots of weights whose files nobody reads."""

from hashlib import sha256

from asterism.league import Snapshot


def snapshot(file: str) -> Snapshot:
    """The snapshot of that name, the same each time."""
    return Snapshot(file, sha256(file.encode()).hexdigest())
