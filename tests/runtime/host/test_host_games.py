"""Environments that hang, crash or lag are replaced and counted once; the others go on; closing ends all threads."""

import threading
from collections import defaultdict
from contextlib import contextmanager

import numpy as np
import pytest
from host_toys import GAME, LONG, SIZE, Counting, moment, telling_network, until

from asterism.envs.spaces import as_dict
from asterism.errors import UserError
from asterism.runtime.host import Asked, HostGames, HostSettings
from asterism.runtime.host.buffer import Stopped
from asterism.runtime.host.watch import Pace, Straggling

UNROLL = 4


class Clock:
    """Time that stands still unless a test moves it."""

    now = 0.0

    def __call__(self):
        return self.now


class Made:
    """Makes environments, by number and generation, and keeps them."""

    def __init__(self, make):
        self.make, self.envs, self.seeds = make, defaultdict(list), defaultdict(list)

    def __call__(self, slot, seed):
        self.seeds[slot].append(seed)
        env = self.make(slot, len(self.seeds[slot]) - 1)
        self.envs[slot].append(env)
        return env


@contextmanager
def playing(make, actors=2, clock=None, on_result=lambda result: None, asked=None, **settings):
    """Host games that are closed in the end, by threads of which none is left."""
    before = set(threading.enumerate())
    ours = HostSettings(**{"actors": actors, "batch": 1, "unroll": UNROLL, "inference_sizes": (1, 2)} | settings)
    network = telling_network()
    with HostGames(make, network, np.float32(0), GAME, SIZE, ours, on_result, asked, clock or Clock()) as games:
        yield games
    until(lambda: set(threading.enumerate()) <= before)


class Hangs:
    """Hangs in a step until it is closed, as a game does whose process is killed then; and raises."""

    def __init__(self, at, raises=ConnectionError):
        self.at, self.raises, self.hung, self.closing = at, raises, threading.Event(), threading.Event()

    def make(self):
        return Killable(self)

    def __call__(self, steps):
        if steps == self.at:
            self.hung.set()
            self.closing.wait()
            raise self.raises("the game is gone")


class Killable(Counting):
    def __init__(self, hangs):
        super().__init__(before_step=hangs)
        self.hangs = hangs

    def close(self):
        super().close()
        self.hangs.closing.set()


def blocked(games, number):
    until(lambda: games.counts()["host/blocked"] == number)


def test_environments_wait_for_the_learner():
    """`ahead` trajectories wait, one more is finished and finds no room: not a step more is played."""
    made = Made(lambda slot, generation: Counting())
    with playing(made, ahead=2) as games:
        blocked(games, 2)
        assert [made.envs[slot][0].steps for slot in (0, 1)] == [3 * UNROLL] * 2
        (taken,) = games.take(1).slots
        until(lambda: made.envs[taken][0].steps == 4 * UNROLL)
        blocked(games, 2)
        assert [made.envs[slot][0].steps for slot in (taken, 1 - taken)] == [4 * UNROLL, 3 * UNROLL]
    assert all(env.closed.is_set() for envs in made.envs.values() for env in envs)


def test_a_hung_environment_is_replaced_and_counted_and_what_it_had_begun_is_discarded():
    clock, hangs = Clock(), Hangs(at=2 * UNROLL)
    made = Made(lambda slot, generation: hangs.make() if slot == generation == 0 else Counting())
    with playing(made, clock=clock, step_timeout=30.0, ahead=5) as games:
        blocked(games, 1)
        assert hangs.hung.wait(LONG)
        clock.now = 30.0
        games.check()
        assert games.counts()["host/hung"] == 0, "not yet"
        clock.now = 30.1
        games.check()
        games.check()
        assert games.counts()["host/hung"] == 1
        blocked(games, 2)
        assert games.failures[0].slot == 0 and "a step has not come back for 30.1 s" in games.failures[0].message
        # Of the first environment one trajectory was finished; the new one goes on with moments of its own.
        batches = [games.take(2) for _ in range(3)]
        loops = [batch.trajectory.observation.scalars.game_loop[list(batch.slots).index(0)] for batch in batches]
        # Games of three steps: one in three moments opens a game.
        np.testing.assert_array_equal(loops, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [4, 5, 6, 7, 8]])
        assert batches[1].trajectory.reset[list(batches[1].slots).index(0)][0]
        until(lambda: games.counts()["host/stuck"] == 0)
    counts = games.counts()
    assert (counts["host/hung"], counts["host/crashed"], counts["host/straggling"]) == (1, 0, 0)
    assert made.seeds[0][0] != made.seeds[0][1] and len(made.envs[1]) == 1


def test_what_a_replaced_environment_raises_in_the_end_does_not_stop_the_run():
    clock, hangs = Clock(), Hangs(at=1, raises=UserError)
    made = Made(lambda slot, generation: hangs.make() if slot == generation == 0 else Counting())
    with playing(made, clock=clock) as games:
        blocked(games, 1)
        assert hangs.hung.wait(LONG)
        clock.now = 30.1
        games.check()
        until(lambda: games.counts()["host/stuck"] == 0)
        assert hangs.closing.is_set()
        blocked(games, 2)
        assert set(games.take(2).slots.tolist()) == {0, 1}
    assert games.counts()["host/hung"] == 1 and len(made.envs[0]) == 2


def test_an_environment_that_hangs_from_the_start_is_replaced():
    clock, begun, release = Clock(), threading.Event(), threading.Event()

    def make(slot, generation):
        if slot == generation == 0:
            begun.set()
            assert release.wait(LONG)
        return Counting()

    made = Made(make)
    with playing(made, clock=clock, start_timeout=5.0, step_timeout=100.0) as games:
        blocked(games, 1)
        assert begun.wait(LONG)
        clock.now = 5.1
        games.check()
        blocked(games, 2)
        assert games.counts()["host/hung"] == 1 and games.counts()["host/stuck"] == 1
        release.set()
        until(lambda: games.counts()["host/stuck"] == 0)
        # What came too late is closed before it is played.
        assert [env.moment for env in made.envs[0]][1] == -1
        assert [env.closed.is_set() for env in made.envs[0]] == [False, True]


def test_a_crash_is_counted_and_the_environment_replaced():
    def crash(steps):
        if steps == UNROLL + 2:
            raise ConnectionError("no answer")

    made, results = Made(lambda slot, generation: Counting(before_step=crash if generation < 2 else int)), []
    with playing(made, actors=1, on_result=results.append, ahead=3) as games:
        blocked(games, 1)
        batches = [games.take(1) for _ in range(4)]
    assert games.counts()["host/crashed"] == 2
    assert [failure.message for failure in games.failures] == ["ConnectionError: no answer"] * 2
    opens = [bool(batch.trajectory.reset[0, 0]) for batch in batches]
    assert opens == [True, True, True, False]
    assert all(env.closed.is_set() for env in made.envs[0])
    # A game that has ended counts, though its last steps were lost with the environment: one of three steps each.
    assert games.counts()["host/games"] == len(results) >= 4
    assert [(r.slot, r.reward, r.steps, r.info["last"]) for r in results[:3]] == [(0, 2.0, 3, 2)] * 3


def test_one_that_fails_again_and_again_stops_all_with_the_reason():
    def crash(steps):
        raise ConnectionError("no answer")

    with playing(lambda slot, seed: Counting(before_step=crash), actors=1, patience=3) as games:
        with pytest.raises(
            UserError, match="environment 0 failed 3 times in a row.*ConnectionError: no answer"
        ) as told:
            games.take(1)
        assert isinstance(told.value.__cause__, ConnectionError)
        assert games.counts()["host/crashed"] == 3


def test_failures_are_not_in_a_row_where_a_trajectory_was_finished_in_between():
    def crash(steps):
        if steps == UNROLL + 1:
            raise ConnectionError("no answer")

    with playing(lambda slot, seed: Counting(before_step=crash), actors=1, patience=2) as games:
        for _ in range(5):
            games.take(1)
        assert games.counts()["host/crashed"] >= 4


def test_a_slow_environment_does_not_hold_up_the_others():
    gate = threading.Event()
    made = Made(lambda slot, generation: Counting(before_step=(lambda steps: gate.wait(LONG)) if slot == 0 else int))
    with playing(made, actors=3) as games:
        for _ in range(4):
            assert set(games.take(2).slots.tolist()) == {1, 2}
        assert made.envs[0][0].actions == []
        gate.set()
        while 0 not in games.take(1).slots:
            pass
        assert len(made.envs[0]) == 1


def test_a_straggler_is_replaced_and_counted():
    """Its steps take ten times as long as its fellow's, by a clock that each of its steps moves."""
    clock, fast = Clock(), threading.Event()

    def lags(steps):
        assert fast.wait(LONG)
        clock.now += 11.0

    made = Made(lambda slot, generation: Counting(before_step=lags if slot == generation == 0 else int))
    settings = {
        "straggling": 10.0,
        "straggling_seconds": 5.0,
        "straggling_window": 2,
        "unroll": 2,
        "step_timeout": 99.0,
    }
    with playing(made, clock=clock, **settings) as games:
        blocked(games, 1)
        fast.set()
        blocked(games, 2)
        assert games.counts()["host/straggling"] == 1
        assert made.envs[0][0].steps == 2 and made.envs[0][0].closed.wait(LONG)


def test_a_game_counts_whose_last_step_was_the_one_too_slow():
    """As when a replay is saved. No environment gets further than its first game; the third is the last."""
    clock, fast, results = Clock(), threading.Event(), []

    def lags(steps):
        assert fast.wait(LONG)
        clock.now += 11.0 * (steps == 3)

    settings = {"straggling_seconds": 5.0, "straggling_window": 2, "step_timeout": 99.0, "patience": 3}
    make = lambda slot, seed: Counting(length=3, before_step=int if slot else lags)  # noqa: E731
    with playing(make, clock=clock, on_result=results.append, **settings) as games:
        blocked(games, 1)
        fast.set()
        until(lambda: games.counts()["host/straggling"] == 3)
    assert [(result.steps, result.reward) for result in results if result.slot == 0] == [(3, 2.0)] * 3
    assert games.counts()["host/games"] == len(results)


def test_results_wait_for_a_listener_that_failed():
    """As when the disk is full for a while: none is lost, and each is heard once."""
    heard, full = [], threading.Event()
    full.set()

    def on_result(result):
        if full.is_set() and result.reward == 2:
            raise OSError("no space left on device")
        heard.append(result.reward)

    with playing(lambda slot, seed: Counting(length=1), actors=1, on_result=on_result) as games:
        blocked(games, 1)
        for _ in range(2):
            with pytest.raises(OSError, match="no space left"):
                games.take(1)
            assert heard == [0, 1] and games.counts()["host/games"] == 2
        full.clear()
        games.take(1)
    assert heard == list(range(len(heard))) and len(heard) >= 3 * UNROLL
    assert games.counts()["host/games"] == len(heard)


@pytest.mark.parametrize(
    "own, others, lags",
    [
        ([3.0, 3.0], [[1.0, 1.0], [0.1, 0.1], [9.0, 9.0]], True),  # the median of 1, 0.1, 9 is 1
        ([2.0, 2.0], [[1.0, 1.0], [0.1, 0.1], [9.0, 9.0]], False),  # twice, not more
        ([3.0], [[1.0, 1.0]], False),  # too early to say
        ([3.0, 3.0], [[1.0]], False),
        ([5.0, 1.0, 1.0], [[0.4, 0.4]], True),  # the last two alone: 1.0 against 0.4
        ([0.4, 0.4], [[0.1, 0.1]], False),  # slow, but nobody minds
    ],
)
def test_who_straggles(own, others, lags):
    settings = {"straggling": 2.0, "straggling_seconds": 0.5, "straggling_window": 2}
    pace = Pace(HostSettings(actors=1 + len(others), batch=1, **settings))
    straggles = False
    for slot, seconds in enumerate([*others, own]):
        for one in seconds:
            try:
                pace.record(slot, one)
            except Straggling:
                straggles = slot == len(others)
    assert straggles == lags


def test_closing_does_not_wait_for_who_is_stuck():
    """It is told to close, and its thread ends."""
    hangs = Hangs(at=1)
    with playing(lambda slot, seed: hangs.make(), actors=1, close_seconds=0.0) as games:
        assert hangs.hung.wait(LONG)
        assert not hangs.closing.is_set()
    assert hangs.closing.wait(LONG)
    assert games.counts()["host/crashed"] == 0, "what ends since all closes is no crash"
    with pytest.raises(Stopped):
        games.take(1)


def test_an_environment_that_does_not_fit_the_interface_is_refused_at_once():
    class Wrong(Counting):
        def reset(self, *, seed=None):
            return moment(0)._replace(planes=np.zeros((1, 1), np.uint8)), {}

    with playing(lambda slot, seed: Wrong()) as games:
        with pytest.raises(UserError, match="observation.planes has shape"):
            games.take(1)
        assert games.counts()["host/crashed"] == 0


def test_pseudo_rewards_need_to_know_what_was_built():
    asked = lambda rng, info: Asked(moment(0).z, None)  # noqa: E731
    with playing(lambda slot, seed: Counting(), asked=asked) as games:
        with pytest.raises(UserError, match="no privileged"):
            games.take(1)


def test_an_environment_gets_dictionaries_and_may_keep_its_arrays():
    """It writes into the arrays that it gave; what was seen stays what it was."""

    class Reusing(Counting):
        board = np.zeros_like(moment(0).entities)

        def reset(self, *, seed=None):
            self.board[:] = 0
            return moment(0)._replace(entities=self.board), {}

        def step(self, action):
            _, *rest = super().step(action)
            self.board += 1
            return as_dict(moment(0)) | {"entities": self.board}, *rest

    env = Reusing(length=100)
    with playing(lambda slot, seed: env, actors=1) as games:
        entities = games.take(1).trajectory.observation.entities
    np.testing.assert_array_equal(entities[0, :, 0, 0], range(UNROLL + 1))
    assert set(env.actions[0]) == set(("action_type", "delay", "queued", "repeat", "units", "target_unit", "location"))


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"actors": 0}, "actors is 0"),
        ({"actors": 2, "batch": 3}, "batch .3. must be at most actors .2."),
        ({"inference_sizes": (4, 2)}, "inference_sizes is .4, 2."),
        ({"inference_sizes": ()}, "inference_sizes"),
        ({"straggling": 1.0}, "straggling is 1.0"),
        ({"step_timeout": 0.0}, "step_timeout is 0.0"),
        ({"reuse": 0}, "reuse is 0"),
    ],
)
def test_settings_out_of_bounds_are_refused(wrong, told):
    with pytest.raises(UserError, match=told):
        HostSettings(**wrong)
