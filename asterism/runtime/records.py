"""Where a run keeps its league's records: in its folder, or in a database that a setting names."""

import uuid

from asterism.errors import UserError
from asterism.files import write_atomic
from asterism.league import Store
from asterism.runtime.run_folder import RunFolder


def has_league(run: RunFolder, url: str) -> bool:
    """Whether a run has begun to keep records, at `url` or, without one, in its folder."""
    return (run.owner_path if url else run.league_path).exists()


def open_records(run: RunFolder, url: str, create: bool = True) -> Store:
    """The records of a run's league: the database at `url`, or `league.sqlite` in its folder if that is empty.

    A database holds one league: the first run that opens it owns it, by a token in the run's folder. Raises UserError
    as `Store` does, without `create` also for a run that has no records yet.
    """
    if not create and not has_league(run, url):
        raise UserError(f"{run.path} has no league yet: go on with asterism train --name {run.name}")
    if not url:
        return Store(run.league_path, create)
    if not run.owner_path.exists():
        write_atomic(run.owner_path, uuid.uuid4().hex)
    return Store(url, create, owner=run.owner_path.read_text())
