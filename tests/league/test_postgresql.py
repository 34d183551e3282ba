"""The records in PostgreSQL are those in SQLite."""

import signal
import subprocess
import sys

import pytest
import sqlalchemy as sa
from lives import MAIN, assert_same, founded, live_through, results
from sqlalchemy import event

from asterism.errors import UserError
from asterism.league import Coordinator, League, Outcome, Result, Store
from asterism.league.tables import ResultRow


def test_a_league_is_the_one_that_sqlite_keeps(database, tmp_path, monkeypatch):
    """Reopened, gone back, and with counts among the results."""
    monkeypatch.setattr("asterism.league.league.RESULTS_PER_COUNTS", 30)
    live_through(league := founded(database), range(1, 6))
    live_through(other := founded(tmp_path / "league.sqlite"), range(1, 6))
    assert_same(league, other)
    league.store.close()
    again = League(Store(database, create=False))
    assert_same(again, other)
    for one in (again, other):
        one.truncate_after(3)
        live_through(one, range(4, 8))
    assert_same(again, other)
    assert_same(League(Store(database)), other)


def test_a_match_id_counts_once(database):
    league = founded(database)
    win = Result("1/0", MAIN, "teacher_terran", Outcome.WIN, 1)
    assert league.record_results([win, win]) == [True, False]
    with Coordinator(league) as coordinator:
        assert coordinator.record([win]) == 0
    assert league.state.totals.counts(MAIN, "teacher_terran") == (1, 0, 0)


def test_the_papers_steps_are_large(database):
    league = founded(database)
    league.record_steps({MAIN: 4 * 10**9}, update=1)
    assert League(Store(database)).state.steps[MAIN] == 4 * 10**9


def test_a_reader_sees_one_moment(database):
    league = founded(database)
    before = League(Store(database))
    reader = Store(database, create=False)

    @event.listens_for(reader._engine, "after_cursor_execute")
    def write_between_the_queries(_connection, _cursor, statement, *_):
        if "FROM players" in statement and not league.state.totals.games_matrix().any():
            league.record_results(results(1))

    assert_same(League(reader), before)
    assert league.state.totals.games_matrix().any()


CHILD = """
import sys
from asterism.league import Coordinator, League, Outcome, Result, Store

with Coordinator(League(Store(sys.argv[1]))) as coordinator:
    for i in range(1_000_000):
        wins = [Result(f"{i}/{j}", "main_agent_terran_0", "teacher_terran", Outcome.WIN, i) for j in (0, 1)]
        coordinator.record(wins)
        print(i, flush=True)
"""


def test_sigkill_loses_no_acknowledged_result(database):
    founded(database).store.close()
    with subprocess.Popen([sys.executable, "-c", CHILD, database], stdout=subprocess.PIPE, text=True) as child:
        acknowledged = [int(next(child.stdout)) for _ in range(50)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout if line.endswith("\n")]
    league = League(Store(database))
    with league.store._engine.connect() as connection:
        kept = connection.scalars(sa.select(ResultRow.match_id)).all()
    assert set(kept) >= {f"{i}/{j}" for i in acknowledged for j in (0, 1)}
    assert len(kept) == len(set(kept)) in (2 * len(acknowledged), 2 * len(acknowledged) + 2)
    assert league.state.totals.counts(MAIN, "teacher_terran")[0] == len(kept)


def test_another_runs_database_is_refused(database):
    Store(database, owner="first").close()
    Store(database, owner="first").close()
    for create in (True, False):
        with pytest.raises(UserError, match="not this run's: give each run a database of its own"):
            Store(database, create=create, owner="second")


def test_no_such_database_is_one_line(postgresql):
    with pytest.raises(UserError, match="league records .*nowhere") as refusal:
        Store(postgresql.replace("/postgres?", "/nowhere?"))
    assert "\n" not in str(refusal.value)


def test_a_server_that_is_gone_is_named(postgresql):
    with pytest.raises(UserError, match="league records"):
        Store("postgresql+psycopg://postgres@/league?host=/nowhere")


def test_passwords_are_not_shown():
    with pytest.raises(UserError) as refusal:
        Store("postgresql+psycopg://me:secret@127.0.0.1:1/league")
    assert "secret" not in str(refusal.value)
