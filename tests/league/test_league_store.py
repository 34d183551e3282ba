"""The records: nothing acknowledged is lost, nothing is counted twice, damage is named."""

import signal
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from lives import HUNTER, MAIN, assert_same, founded, live_through, results
from snapshots import snapshot
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from asterism.errors import UserError
from asterism.league import League, LeagueSettings, Outcome, Player, PlayerKind, Result, Snapshot, Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "league.sqlite"


def test_reopened_league_is_the_same_league(path):
    league = founded(path)
    live_through(league, range(1, 6))
    league.store.close()
    again = League(Store(path, create=False))
    assert_same(league, again)
    assert again.state.resets[HUNTER] == 2
    first, second = ([x.match(MAIN, np.random.default_rng(3)) for _ in range(20)] for x in (league, again))
    assert first == second


def test_a_match_id_counts_once(path):
    league = founded(path)
    win = Result("1/0", MAIN, HUNTER, Outcome.WIN, 1)
    assert league.record_results([win, win]) == [True, False]
    retried = Result("1/0", MAIN, HUNTER, Outcome.LOSS, 2)
    other = Result("1/1", MAIN, HUNTER, Outcome.WIN, 1)
    assert league.record_results([retried, other]) == [False, True]
    assert league.state.totals.counts(MAIN, HUNTER) == (2, 0, 0)
    assert_same(league, League(Store(path)))


def test_a_batch_larger_than_a_statement(path):
    league = founded(path)
    many = [Result(f"1/{i}", MAIN, HUNTER, Outcome.WIN, 1) for i in range(10_001)]
    assert all(league.record_results(many))
    assert not any(league.record_results(many))


def test_no_results_are_fine(path):
    assert founded(path).record_results([]) == []


def test_replay_after_truncation_ends_where_the_unbroken_run_ends(tmp_path):
    unbroken = founded(tmp_path / "unbroken.sqlite")
    live_through(unbroken, range(1, 8))
    broken = founded(tmp_path / "broken.sqlite")
    live_through(broken, range(1, 7))  # Killed in update 7, its last training checkpoint being of update 3.
    broken.record_results(results(7)[:5])
    resumed = League(Store(tmp_path / "broken.sqlite"))
    resumed.truncate_after(3)
    at_3 = founded(tmp_path / "at_3.sqlite")
    live_through(at_3, range(1, 4))
    assert_same(resumed, at_3)
    live_through(resumed, range(4, 8))
    assert_same(resumed, unbroken)
    assert_same(League(Store(tmp_path / "broken.sqlite")), unbroken)


@pytest.mark.parametrize("kept", [1, 2, 10])
def test_counts_spare_the_replay_and_change_nothing(tmp_path, monkeypatch, kept):
    """With counts after every 30 results, a league is reopened, and taken back, as without them."""
    plain = founded(tmp_path / "plain.sqlite")
    live_through(plain, range(1, 8))
    monkeypatch.setattr("asterism.league.league.RESULTS_PER_COUNTS", 30)
    monkeypatch.setattr("asterism.league.store._COUNTS_KEPT", kept)
    league = founded(tmp_path / "counted.sqlite")
    live_through(league, range(1, 8))
    assert_same(league, plain)
    again = League(Store(tmp_path / "counted.sqlite"))
    assert_same(again, plain)
    assert again.store.uncounted() == 20
    with sqlite3.connect(tmp_path / "counted.sqlite") as connection:
        assert connection.execute("select count(*) from payoff_counts").fetchone() == (min(kept, 3),)
        # What the counts cover is not played back: it could be gone.
        newest = connection.execute("select max(results) from payoff_counts").fetchone()
        connection.execute("update results set outcome = 0 where id <= ?", newest)
    connection.close()
    assert_same(League(Store(tmp_path / "counted.sqlite")), plain)


def test_a_reset_before_the_counts_is_not_made_again_after_them(path, monkeypatch):
    monkeypatch.setattr("asterism.league.league.RESULTS_PER_COUNTS", 30)
    league = founded(path)
    league.record_results(results(1))
    league.checkpoint(HUNTER, snapshot("hunter.safetensors"), 50, 1, np.random.default_rng(0))
    league.record_results(results(2))
    league.record_results(results(3, count=5))
    assert league.store.uncounted() == 5 and league.state.payoff.games(HUNTER, MAIN) > 0
    assert_same(League(Store(path)), league)


def test_two_resets_at_one_update_are_two(path):
    """On a cluster a learner that has lost its machine comes to the same number of updates again."""
    league = founded(path)
    for steps in (50, 90):
        league.checkpoint(HUNTER, snapshot(f"{steps}.safetensors"), steps, 1, np.random.default_rng(0))
    assert league.state.resets[HUNTER] == 2
    assert_same(League(Store(path)), league)


def test_counts_of_another_decay_are_not_used(path, monkeypatch):
    monkeypatch.setattr("asterism.league.league.RESULTS_PER_COUNTS", 30)
    league = founded(path)
    for update in range(1, 8):
        league.record_results(results(update))
    undecayed = League(Store(path), LeagueSettings(decay=1.0))
    assert (undecayed.state.payoff.matrix() == league.state.totals.matrix()).all()


@pytest.mark.parametrize("update", [1, 2, 3, 4, 5, 6])
def test_a_league_with_counts_goes_back(tmp_path, monkeypatch, update):
    monkeypatch.setattr("asterism.league.league.RESULTS_PER_COUNTS", 30)
    league = founded(tmp_path / "counted.sqlite")
    live_through(league, range(1, 8))
    league.truncate_after(update)
    plain = founded(tmp_path / "plain.sqlite")
    live_through(plain, range(1, update + 1))
    assert_same(league, plain)
    live_through(league, range(update + 1, 8))
    live_through(plain, range(update + 1, 8))
    assert_same(league, plain)
    assert_same(League(Store(tmp_path / "counted.sqlite")), plain)


CHILD = """
import sys
from asterism.league import League, Outcome, Result, Snapshot, Store

league = League(Store(sys.argv[1]))
league.populate({"terran": Snapshot("teacher.safetensors", "0")})
for i in range(1_000_000):
    batch = [Result(f"{i}/{j}", "main_agent_terran_0", "teacher_terran", Outcome.WIN, i) for j in range(3)]
    league.record_results(batch)
    print(i, flush=True)
"""


def test_sigkill_loses_no_acknowledged_result(path):
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True) as child:
        acknowledged = [int(next(child.stdout)) for _ in range(100)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout if line.endswith("\n")]
    assert child.returncode == -signal.SIGKILL
    with sqlite3.connect(path) as connection:
        kept = [match for (match,) in connection.execute("select match_id from results order by id")]
    assert set(kept) >= {f"{i}/{j}" for i in acknowledged for j in range(3)}
    assert len(kept) % 3 == 0  # A batch is in, or it is not.
    assert len(kept) <= 3 * (len(acknowledged) + 1)
    assert League(Store(path)).state.totals.counts(MAIN, "teacher_terran")[0] == len(kept)


def test_a_reader_sees_the_league_while_it_is_written(path):
    league = founded(path)
    reader = Store(path, create=False)
    league.record_results(results(1))
    assert_same(league, League(reader))
    league.record_results(results(2))
    assert_same(league, League(reader))


def test_a_reader_sees_one_moment(path):
    league = founded(path)
    before = League(Store(path))
    reader = Store(path, create=False)

    @event.listens_for(reader._engine, "after_cursor_execute")
    def write_between_the_queries(_connection, _cursor, statement, *_):
        if "FROM players" in statement:
            copy = league.add_historical(MAIN, snapshot("main.safetensors"), 1, 1)
            league.record_results([Result("1/0", copy.id, HUNTER, Outcome.WIN, 1)])

    assert_same(League(reader), before)
    assert len(league.state.players) == len(before.state.players) + 1


def test_failed_batch_leaves_nothing(path):
    league = founded(path)
    stranger = Result("1/stranger", MAIN, "stranger", Outcome.WIN, 1)
    with pytest.raises(KeyError, match="stranger"):
        league.record_results([*results(1), stranger])
    with pytest.raises(KeyError, match="stranger"):
        league.store.add_results([*results(1), stranger])
    assert league.state.totals.games_matrix().sum() == 0
    assert_same(league, League(Store(path)))


def test_a_taken_id_is_refused_by_the_store(path):
    store = founded(path).store
    with pytest.raises(IntegrityError):
        store.add_players([Player(MAIN, PlayerKind.MAIN_AGENT, "terran")], update=0)


def test_any_sqlalchemy_url(path):
    live_through(league := founded(f"sqlite:///{path}"), range(1, 3))
    assert_same(league, League(Store(path)))
    live_through(in_memory := founded("sqlite://"), range(1, 3))
    assert_same(league, in_memory)


def test_missing_records(path):
    with pytest.raises(UserError, match="no league records at"):
        Store(path, create=False)
    assert not path.exists()


def test_unreachable_records(tmp_path):
    with pytest.raises(UserError, match="unable to open"):
        Store(tmp_path / "nowhere" / "league.sqlite")
    with pytest.raises(UserError, match="league records"):
        Store("nosuchdatabase://here")
    with pytest.raises(UserError, match="league records"):
        Store("://")


def test_not_a_database(path):
    path.write_bytes(b"once upon a time" * 1000)
    with pytest.raises(UserError, match="not a database"):
        Store(path)


def test_another_database(path):
    with sqlite3.connect(path) as connection:
        connection.execute("create table cats (name text)")
    connection.close()
    with pytest.raises(UserError, match="lack .*players"):
        Store(path, create=False)


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ("drop table payoff_counts", "payoff_counts"),
        ("alter table resets drop column results", "resets.results"),
    ],
)
def test_records_of_another_version_are_refused(path, change, lacks):
    """Tables are not put beside those of a league that lacks some."""
    founded(path).store.close()
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(UserError, match=f"lack {lacks}: .* another version's"):
        Store(path)


def test_weights_are_on_record_once(path):
    league = founded(path)
    league.add_historical(MAIN, snapshot("main.safetensors"), 1, 1)
    with pytest.raises(ValueError, match="main.safetensors.*another hash"):
        league.add_historical(MAIN, Snapshot("main.safetensors", "0"), 2, 2)
    league.add_historical(HUNTER, snapshot("main.safetensors"), 2, 2)
    assert_same(league, League(Store(path)))
    league.truncate_after(0)
    assert league.add_historical(MAIN, Snapshot("main.safetensors", "0"), 2, 2).weights.sha256 == "0"


def test_damaged_pages(path):
    league = founded(path)
    league.record_results(results(1, count=2000))
    league.store.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8192] = b"\xab" * 8192
    path.write_bytes(content)
    with pytest.raises(UserError, match="league.sqlite"):
        Store(path)


def test_cut_off_file(path):
    league = founded(path)
    league.record_results(results(1, count=2000))
    league.store.close()
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(UserError, match="league.sqlite"):
        Store(path)


def test_rows_that_contradict_each_other(path):
    founded(path).store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("update players set kind = 'wizard' where name = ?", (MAIN,))
    connection.close()
    with pytest.raises(UserError, match="wizard"):
        League(Store(path))


def test_full_disk_is_named_and_harms_nothing(path):
    league = founded(path)
    league.record_results(results(1))
    league.store._engine.dispose()  # The limit holds for a connection, and the pool gives back the same one.
    with league.store._engine.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    with pytest.raises(UserError, match="full"):
        league.record_results(results(2, count=5000))
    league.store.close()
    assert_same(league, League(Store(path)))


def test_decay_is_a_setting_and_not_stored(path):
    league = founded(path)
    league.record_results(results(1))
    undecayed = League(Store(path), LeagueSettings(decay=1.0))
    assert (undecayed.state.payoff.matrix() == league.state.totals.matrix()).all()
