"""A run's league records: in its folder, or in a database that is this run's alone."""

from dataclasses import dataclass

import pytest

from asterism.errors import UserError
from asterism.runtime.records import has_league, open_records
from asterism.runtime.run_folder import RunFolder


@dataclass(frozen=True)
class Config:
    seed: int = 0


@pytest.fixture
def run(tmp_path):
    """Makes runs in one folder: (name) -> run."""
    return lambda name: RunFolder.create_or_resume(name, Config(), root=tmp_path)


@pytest.fixture
def url(tmp_path):
    """A database that is nobody's."""
    return f"sqlite:///{tmp_path}/elsewhere.sqlite"


def test_records_lie_in_the_runs_folder(run):
    with run("one") as one:
        assert not has_league(one, "")
        open_records(one, "").close()
        assert has_league(one, "") and one.league_path.exists() and not one.owner_path.exists()
        open_records(one, "", create=False).close()


def test_a_database_elsewhere_is_its_first_runs(run, url):
    with run("one") as one, run("two") as two:
        open_records(one, url).close()
        assert has_league(one, url) and not one.league_path.exists()
        for _ in range(2):
            with pytest.raises(UserError, match="elsewhere.sqlite are not this run's"):
                open_records(two, url)
        with pytest.raises(UserError, match="not this run's"):
            open_records(two, url, create=False)
        open_records(one, url).close()
        open_records(one, url, create=False).close()


def test_a_run_goes_on_under_another_name(run, url, tmp_path):
    with run("one") as one:
        open_records(one, url).close()
    one.path.rename(tmp_path / "renamed")
    with run("renamed") as renamed:
        open_records(renamed, url).close()


def test_a_league_that_is_not_there_yet(run, url):
    with run("one") as one:
        for where in ("", url):
            with pytest.raises(UserError, match="one has no league yet"):
                open_records(one, where, create=False)
        assert not one.league_path.exists() and not one.owner_path.exists()
