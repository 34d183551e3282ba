"""Trajectories of host games are those of `pack`, whatever the turns: the step from one due moment to the next."""

from functools import cache, partial

import jax
import numpy as np
import pytest
from host_toys import GAME, SIZE, moment
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.interface.action import Action, ActionParts
from asterism.learning.pseudo_rewards import StrategyValues
from asterism.runtime.host.actor import Actor, Surroundings
from asterism.runtime.host.buffer import Buffer, Stopped
from asterism.runtime.host.environment import Asked, own_view
from asterism.runtime.host.inference import Answer
from asterism.runtime.host.settings import HostSettings
from asterism.runtime.host.unroll import stack
from asterism.runtime.host.watch import Pace
from asterism.runtime.rollout import Finished, Record, pack

MOMENTS = 40
turns = st.lists(st.tuples(st.booleans(), st.sampled_from([None, None, None, -1, 0, 1])), min_size=10, max_size=MOMENTS)


class Turns:
    """A game in which both players move in turns: moment k is the player's or not, what follows it may end the game."""

    def __init__(self, moments):
        self.due, self.result, self.game = [], [], []
        opens, game = True, 0
        for due, result in moments:
            # The player is due when a game begins.
            self.due.append(due or opens)
            self.result.append(result)
            self.game.append(game)
            opens = result is not None
            game += opens
        self.now = -1

    def reset(self, *, seed=None):
        return self.go_on(), {"game": self.game[self.now]}

    def step(self, action):
        while self.result[self.now] is None:
            seen = self.go_on()
            if self.due[self.now]:
                return seen, 0.0, False, False, {}
        reward = self.result[self.now]
        return moment(0), float(reward), reward != 0, True, {}  # truncated, if it was not decided

    def go_on(self):
        """The next moment; all is over after the last."""
        if self.now + 1 == len(self.due):
            raise Stopped
        self.now += 1
        return moment(self.now)

    def privileged(self):
        both = own_view(moment(self.now))
        return both._replace(score=np.array([self.now, -self.now], np.int32))


def asked(rng, info):
    """A z and pseudo-rewards that tell the game."""
    blank, game = moment(0).z, info["game"]
    enabled = StrategyValues(*(game >> i & 1 == 1 for i in range(4)))
    return Asked(blank._replace(build_order=np.full_like(blank.build_order, game % 3)), enabled)


class Oracle:
    """Inference without a network: carry and action tell the moment in which they were made."""

    initial_carry = np.float32(-1)

    def step(self, carry, observation, key):
        return Answer(np.float32(observation.scalars.game_loop), *decided(observation.scalars.game_loop), version=0)


def decided(number):
    action = Action(*np.full(4, number % 2, np.int32), np.full(SIZE.selected, -1, np.int32), *np.zeros(2, np.int32))
    return action, ActionParts(*np.full(7, -number, np.float32))


def played(unroll, moments):
    """What an actor hands over: trajectories, results, and the game."""
    game, buffer, ours = Turns(moments), Buffer(1, ahead=MOMENTS), HostSettings(actors=1, batch=1, unroll=unroll)
    around = Surroundings(
        make_env=lambda slot, seed: game,
        game=GAME,
        size=SIZE,
        settings=ours,
        asked=asked,
        inference=Oracle(),
        buffer=buffer,
        pace=Pace(ours),
        clock=lambda: 0.0,
        on_failure=lambda actor, error: failures.append(error),
    )
    failures = []
    actor = Actor(around, 0, 0)
    actor.run()
    assert not failures
    results = []
    buffer.tell(results.append)
    return game, [buffer.take(1)[0][1] for _ in range(actor.finished)], results


@cache
def packer(unroll):
    return jax.jit(partial(pack, unroll))


def records(game):
    """Each moment as `collect` records it, due or not."""
    carry, rows = Oracle.initial_carry, []
    for k, due in enumerate(game.due):
        opens = k == 0 or game.result[k - 1] is not None
        carry = Oracle.initial_carry if opens else carry
        z, enabled = asked(None, {"game": game.game[k]})
        game.now = k
        seen = moment(k)._replace(z=z)
        rows.append(Record(seen, game.privileged(), *decided(k), np.bool_(opens), enabled, np.int32(0), carry))
        carry = np.float32(k) if due else carry
    return rows


def packed(unroll, game, rows, first, last):
    """`pack` of the moments from `first` to before `last`, which is due; nothing was kept back before, and at the end
    it is filled up with moments in which nobody acts."""
    filled = MOMENTS - (last - first)
    acts = np.array([False, *game.due[first:last], *[False] * filled])
    results = [*game.result[first:last], *[None] * filled]
    ended = Finished(
        np.array([result is not None for result in results]),
        np.array([result or 0 for result in results], np.float32),
        np.zeros(len(results), np.int32),
    )
    moments = stack(rows[:1] + rows[first:last] + rows[:1] * filled)
    return jax.tree.map(np.asarray, packer(unroll)(moments, acts, ended, rows[last], np.bool_(True), None)[0])


@pytest.mark.parametrize("unroll", [1, 3, 7])
@given(moments=turns)
@settings(max_examples=40, deadline=None)
def test_trajectories_are_those_of_pack(unroll, moments):
    game, trajectories, results = played(unroll, moments)
    assert len(trajectories) == sum(game.due[1:]) // unroll
    rows, due = records(game), [k for k, due in enumerate(game.due) if due]
    for number, trajectory in enumerate(trajectories):
        first, last = due[number * unroll], due[(number + 1) * unroll]
        expected = packed(unroll, game, rows, first, last)
        # The action after the last step is not used.
        cut = [one._replace(action=None, behaviour=None) for one in (trajectory, expected)]
        steps = [jax.tree.map(lambda x: x[:-1], (one.action, one.behaviour)) for one in (trajectory, expected)]
        jax.tree.map(np.testing.assert_array_equal, (cut[0], steps[0]), (cut[1], steps[1]))
        assert jax.tree.map(np.shape, trajectory) == jax.tree.map(np.shape, expected)


@given(moments=turns)
@settings(max_examples=40, deadline=None)
def test_each_game_that_ended_is_reported_once(moments):
    game, _, results = played(3, moments)
    ends = [k for k, result in enumerate(game.result) if result is not None]
    assert [result.reward for result in results] == [game.result[k] for k in ends]
    assert [result.truncated for result in results] == [game.result[k] == 0 for k in ends]
    begins = [0, *(k + 1 for k in ends)]
    assert [result.steps for result in results] == [
        sum(game.due[a:b]) for a, b in zip(begins, begins[1:], strict=False)
    ]


def test_by_hand():
    """The player moves at 0 and 2, where it wins, and at 4: the game that opens with 3 begins with its move too."""
    moves = [(1, None), (0, None), (1, 1), (0, None), (1, None), (1, None)]
    _, (trajectory,), (result,) = played(3, moves)
    np.testing.assert_array_equal(trajectory.observation.scalars.game_loop, [0, 2, 3, 4])
    np.testing.assert_array_equal(trajectory.reset, [True, False, True, False])
    np.testing.assert_array_equal(trajectory.reward, [0, 1, 0])
    np.testing.assert_array_equal(trajectory.ended, [False, True, False])
    np.testing.assert_array_equal(trajectory.enabled.build_order, [False, False, True, True])
    np.testing.assert_array_equal(trajectory.observation.z.build_order[:, 0], [0, 0, 1, 1])
    assert trajectory.mask.all() and trajectory.carry == -1 and trajectory.teacher_carry is None
    assert (result.reward, result.steps, result.truncated) == (1, 2, False)
