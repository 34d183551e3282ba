"""How moments become trajectories: every step once, in order, with all that it earned, whatever the turns."""

from functools import cache, partial

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.runtime.rollout import Finished, Record, pack


def record(number):
    """A record whose every field tells which moment it is; `carry` is that of before, a tenth less."""
    number = np.asarray(number, np.float32)
    names = {name: number for name in Record._fields}
    return Record(**(names | {"carry": {"core": np.stack([number - 0.1] * 2, -1)}}))


@cache
def packer(unroll):
    return jax.jit(partial(pack, unroll))


def packed(unroll, moments, acts, rewards, done, current, due):
    ended = Finished(np.array(done, bool), np.array(rewards, np.float32), np.arange(len(done)))
    arguments = record(moments), np.array(acts, bool), ended, record(current), np.bool_(due), np.float32(-7)
    return jax.tree.map(np.asarray, packer(unroll)(*arguments))


def test_by_hand():
    """Moment 10 was kept back; the learner acts at 12 and 13, where it wins; 15 opens a new game, 16 is due."""
    trajectory, _, kept = packed(
        unroll=5,
        moments=[10, 11, 12, 13, 14, 15],
        acts=[1, 0, 1, 1, 0, 1],
        rewards=[0, 0, 1, 0, 0],
        done=[0, 0, 1, 0, 0],
        current=16,
        due=True,
    )
    np.testing.assert_array_equal(trajectory.mask, [1, 1, 1, 1, 0])
    np.testing.assert_array_equal(trajectory.observation, [10, 12, 13, 15, 16, 16])
    np.testing.assert_array_equal(trajectory.reward, [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(trajectory.ended, [0, 0, 1, 0, 0])
    np.testing.assert_allclose(trajectory.carry["core"], 9.9)
    assert trajectory.teacher_carry == -7 and not kept


def test_a_reward_between_two_actions_belongs_to_the_first():
    """The opponent gives up at moment 2, two moments after the learner's action at 0."""
    trajectory, _, kept = packed(3, [0, 1, 2, 3], [1, 0, 0, 1], [0, 1, 0], [0, 1, 0], current=4, due=True)
    np.testing.assert_array_equal(trajectory.observation, [0, 3, 4, 4])
    np.testing.assert_array_equal(trajectory.reward, [1, 0, 0])
    np.testing.assert_array_equal(trajectory.ended, [1, 0, 0])
    assert not kept


def test_what_is_still_open_is_kept_back():
    """Nobody knows yet what follows the action at moment 2: values are bootstrapped with it, and it comes next time."""
    trajectory, pending, kept = packed(3, [0, 1, 2, 3], [0, 1, 1, 0], [0, 0, 0], [0, 0, 0], current=4, due=False)
    np.testing.assert_array_equal(trajectory.mask, [1, 0, 0])
    np.testing.assert_array_equal(trajectory.observation[:2], [1, 2])
    assert kept and pending.observation == pending.action == 2
    np.testing.assert_allclose(pending.carry["core"], 1.9)


def test_a_learner_that_is_never_due_leaves_no_step():
    trajectory, pending, kept = packed(3, [5, 6, 7], [1, 0, 0], [0, 0], [0, 0], current=8, due=False)
    assert not trajectory.mask.any() and not trajectory.reward.any() and trajectory.observation[0] == 5
    assert kept and pending.observation == 5


# Any turns at all, against an account kept by hand

MOMENTS = 60
turns = st.lists(st.tuples(st.booleans(), st.sampled_from([None, None, None, -1, 0, 1])), min_size=MOMENTS)


class Lane:
    """One game after the other, as `collect` plays them: moment k is due or not, and what follows it may end a game."""

    def __init__(self, moments):
        self.due, self.result = [], []
        opens = True
        for due, result in moments:
            # The learner is due when a game begins.
            self.due.append(due or opens)
            self.result.append(result)
            opens = result is not None
        self.now = 0

    def collect(self, unroll, steps, pending):
        """One collection: the arguments of `pack`. A lane with all its steps waits."""
        taken = int(pending is not None)
        moments, acts, rewards, done = [-1 if pending is None else pending], [taken], [], []
        for _ in range(steps):
            waits = self.due[self.now] and taken >= unroll
            result = None if waits else self.result[self.now]
            moments.append(self.now)
            acts.append(self.due[self.now] and not waits)
            rewards.append(result or 0)
            done.append(result is not None)
            taken += acts[-1]
            self.now += not waits
        return moments, acts, rewards, done, self.now, self.due[self.now]

    def account(self):
        """(moment, reward, ended) of every step of the learner before the present moment, in order."""
        rows = []
        for moment in range(self.now):
            if self.due[moment]:
                rows.append([moment, 0, False])
            rows[-1][1] += self.result[moment] or 0
            rows[-1][2] |= self.result[moment] is not None
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("unroll, steps", [(3, 7), (8, 6), (1, 2)])
@given(moments=turns)
@settings(max_examples=60, deadline=None)
def test_every_step_and_reward_is_counted_once_over_collections(unroll, steps, moments):
    lane, pending, got, following = Lane(moments), None, [], 0
    for _ in range((MOMENTS - 1) // steps):
        trajectory, kept, has_kept = packed(unroll, *lane.collect(unroll, steps, pending))
        count = int(trajectory.mask.sum())
        assert trajectory.mask[:count].all() and count <= unroll
        # Each trajectory begins with the state from which the one before was bootstrapped, and its carry.
        assert trajectory.observation[0] == following
        np.testing.assert_allclose(trajectory.carry["core"], following - 0.1, rtol=1e-6)
        following = trajectory.observation[count]
        pending = int(kept.observation) if has_kept else None
        assert following == (lane.now if pending is None else pending)
        assert not trajectory.reward[count:].any() and not trajectory.ended[count:].any()
        fields = trajectory.observation, trajectory.reward, trajectory.ended
        got += [tuple(field[i].item() for field in fields) for i in range(count)]
    expected = lane.account()
    # What is kept back has earned nothing so far; all else is out.
    assert got == (expected if pending is None else expected[:-1])
    if pending is not None:
        assert expected[-1] == (pending, 0, False)
