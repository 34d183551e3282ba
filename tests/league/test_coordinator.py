"""Many callers at once: nothing acknowledged is lost, nothing counted twice, one caller's mistake is its own."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from snapshots import snapshot

from asterism.errors import UserError
from asterism.league import Coordinator, League, Outcome, Result, Store

MAIN, HUNTER, TEACHER = "main_agent_terran_0", "main_exploiter_terran_0", "teacher_terran"


@pytest.fixture
def league(tmp_path):
    league = League(Store(tmp_path / "league.sqlite"))
    league.populate({"terran": snapshot("teacher.safetensors")})
    return league


def win(match, away=TEACHER):
    return Result(match, MAIN, away, Outcome.WIN, 1)


def held_up(league, monkeypatch):
    """Has the writer wait before its first commit; says what each commit holds. (commits, it waits, let it go)"""
    commits, waits, go = [], Event(), Event()
    add_results = league.store.add_results

    def add(results):
        commits.append([result.match_id for result in results])
        waits.set()
        go.wait(10)
        return add_results(results)

    monkeypatch.setattr(league.store, "add_results", add)
    return commits, waits, go


def test_an_acknowledged_result_is_on_disk_and_counts(league, tmp_path):
    with Coordinator(league) as coordinator:
        assert coordinator.record([win("a"), win("b"), win("a")]) == 2
        assert coordinator.record([win("b")]) == 0
        assert League(Store(tmp_path / "league.sqlite")).state.totals.counts(MAIN, TEACHER) == (2, 0, 0)
        assert league.state.totals.counts(MAIN, TEACHER) == (2, 0, 0)


def test_who_comes_during_a_commit_shares_the_next(league, monkeypatch):
    commits, waits, go = held_up(league, monkeypatch)
    with Coordinator(league) as coordinator:
        first = coordinator.submit([win("0")])
        assert waits.wait(10)
        others = [coordinator.submit([win(f"{i}"), win("same")]) for i in (1, 2, 3)]
        assert not first.done() and coordinator.match(HUNTER).away == MAIN, "matches do not wait for the disk"
        assert not first.cancel()
        go.set()
        assert [future.result(10) for future in (first, *others)] == [1, 2, 1, 1]
    assert commits == [["0"], ["1", "same", "2", "same", "3", "same"]]


def test_commits_have_a_limit(league, monkeypatch):
    commits, waits, go = held_up(league, monkeypatch)
    with Coordinator(league, largest_commit=2) as coordinator:
        coordinator.submit([win("0")])
        assert waits.wait(10)
        futures = [coordinator.submit([win(f"{i}")]) for i in range(1, 6)]
        go.set()
        assert [future.result(10) for future in futures] == [1] * 5
    assert [len(commit) for commit in commits] == [1, 2, 2, 1]


def test_a_failed_commit_is_told_to_all_who_wait_and_the_next_goes_on(league, monkeypatch):
    add_results = league.store.add_results

    def full(results):
        monkeypatch.setattr(league.store, "add_results", add_results)
        raise UserError("database or disk is full")

    monkeypatch.setattr(league.store, "add_results", full)
    with Coordinator(league) as coordinator:
        with pytest.raises(UserError, match="full"):
            coordinator.record([win("a")])
        assert coordinator.record([win("a")]) == 1


def test_a_stranger_is_its_callers_mistake_alone(league):
    with Coordinator(league) as coordinator:
        good = coordinator.submit([win("a")])
        with pytest.raises(KeyError, match="stranger"):
            coordinator.submit([win("b", away="stranger")])
        assert good.result(10) == 1


def test_closing_writes_what_was_handed_in(league):
    coordinator = Coordinator(league)
    futures = [coordinator.submit([win(f"{i}")]) for i in range(100)]
    coordinator.close()
    assert sum(future.result(0) for future in futures) == 100
    with pytest.raises(ValueError, match="closed"):
        coordinator.record([win("late")])


def test_many_threads_at_once(league, tmp_path):
    """Results, copies and matches: the league is the one that its records give."""
    away = [MAIN, HUNTER, TEACHER]

    def actor(number):
        rng = np.random.default_rng(number)
        for i in range(30):
            opponent = away[rng.integers(len(away))]
            assert coordinator.record([win(f"{number}/{i}", opponent)]) == 1
            assert coordinator.match(HUNTER).away in league.state.players
            if i % 10 == number:
                coordinator.checkpoint(HUNTER, snapshot(f"{number}_{i}"), i, 1)
                coordinator.record_steps({MAIN: i}, 1)

    with Coordinator(league) as coordinator, ThreadPoolExecutor(8) as pool:
        list(pool.map(actor, range(8)))
    again = League(Store(tmp_path / "league.sqlite"))
    assert again.state.totals.games_matrix().sum() == league.state.totals.games_matrix().sum() > 0
    assert (again.state.payoff.matrix() == league.state.payoff.matrix()).all()
    assert [*again.state.players.values()] == [*league.state.players.values()]
    assert len(again.state.copies(HUNTER)) == 24


CHILD = """
import sys
from threading import Thread
from asterism.league import Coordinator, League, Outcome, Result, Snapshot, Store

league = League(Store(sys.argv[1]))
league.populate({"terran": Snapshot("teacher.safetensors", "0")})
coordinator = Coordinator(league)

def actor(number):
    for i in range(1_000_000):
        match = f"{number}/{i}"
        coordinator.record([Result(match, "main_agent_terran_0", "teacher_terran", Outcome.WIN, i)])
        sys.stdout.write(match + "\\n")
        sys.stdout.flush()

for number in range(8):
    Thread(target=actor, args=(number,)).start()
"""


def test_sigkill_loses_no_acknowledged_result(tmp_path):
    path = tmp_path / "league.sqlite"
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True) as child:
        acknowledged = [next(child.stdout).strip() for _ in range(500)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in child.stdout if line.endswith("\n")]
    assert child.returncode == -signal.SIGKILL
    league = League(Store(path))
    with sqlite3.connect(path) as connection:
        kept = [match for (match,) in connection.execute("select match_id from results")]
    connection.close()
    assert len(kept) == len(set(kept)) <= len(acknowledged) + 8
    assert set(acknowledged) <= set(kept)
    assert league.state.totals.counts(MAIN, TEACHER) == (len(kept), 0, 0)
    # The actors, not knowing what was acknowledged, hand in their last games again.
    with Coordinator(league) as coordinator:
        assert coordinator.record([win(match) for match in acknowledged]) == 0
