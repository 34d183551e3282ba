"""Learning from host games: each trajectory as often as asked, with the teacher's memory and a lag that are right."""

from collections import Counter
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from host_toys import BLANK, GAME, SIZE, Counting, telling_network, until

from asterism.interface.network import Params
from asterism.learning.reinforcement import WHOLE, Factors, LearnerState
from asterism.runtime.host import HostGames, HostLearner, HostSettings
from asterism.runtime.host.inference import new_key

UNROLL = 4


class Seconds:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


def update(state, teacher, batch, factors):
    """Weights count the updates; the optimizer adds up the moments learned from; the teacher remembers the last one."""
    loops = batch.observation.scalars.game_loop
    metrics = {"remembered": batch.teacher_carry, "begins": loops[:, 0]}
    metrics |= {"rate": jnp.float32(factors.policy_rate), "teacher": teacher.policy}
    params = state.params._replace(policy=state.params.policy + 1)
    return LearnerState(params, state.optimizer + loops[:, :-1].sum(), state.updates + 1), loops[:, -1], metrics


@contextmanager
def learning(length=10**6, clock=None, **settings):
    """A learner, and the batches that it takes."""
    ours = HostSettings(unroll=UNROLL, inference_sizes=(1, 3), **{"actors": 3, "batch": 2} | settings)
    network, params = telling_network(), Params(jnp.float32(0), jnp.float32(0))
    with HostGames(lambda slot, seed: Counting(length), network, params.policy, GAME, SIZE, ours) as games:
        batches, take = [], games.take

        def watched(number):
            batches.append(take(number))
            return batches[-1]

        games.take = watched
        state = LearnerState(params, jnp.int32(0), jnp.int32(0))
        yield HostLearner(games, network, update, state, params, clock or Seconds()), games, batches


@pytest.mark.parametrize("reuse", [1, 3])
def test_each_trajectory_is_learned_from_as_often_as_asked(reuse):
    with learning(reuse=reuse) as (learner, _, batches):
        for _ in range(5):
            learner.step()
        loops = [batch.trajectory.observation.scalars.game_loop[:, :-1] for batch in batches]
        assert learner.state.optimizer == reuse * np.sum(loops)
        assert learner.updates == learner.state.params.policy == 5 * reuse
        # Each is taken once, and in order.
        for slot in range(3):
            taken = [rows[list(b.slots).index(slot)] for rows, b in zip(loops, batches, strict=True) if slot in b.slots]
            np.testing.assert_array_equal(np.concatenate(taken or [[]]), np.arange(UNROLL * len(taken)))


def test_the_teacher_remembers_each_environment_up_to_where_its_trajectory_begins():
    """One game without end in each: moments are numbered on, and the memory is the number of the last one seen."""
    with learning(reuse=2) as (learner, _, batches):
        begun = []
        for _ in range(8):
            metrics = jax.device_get(learner.step())
            np.testing.assert_array_equal(metrics["remembered"], metrics["begins"])
            begun += metrics["begins"].tolist()
        assert max(begun) >= 2 * UNROLL


def test_lag_counts_the_updates_since_the_weights_that_acted():
    """The action's delay says which weights they were, since weights count the updates."""
    with learning(refresh_seconds=0.0, reuse=2, ahead=2) as (learner, games, batches):
        until(lambda: games.counts()["host/blocked"] == 3)
        for _ in range(9):
            learner.step()
        expected = Counter()
        for update, batch in enumerate(batches):
            acted = batch.trajectory.action.delay[:, :-1]
            np.testing.assert_array_equal(batch.trajectory.version, acted)
            for use in range(2):
                expected.update((2 * update + use - acted).ravel().tolist())
        assert learner.lags == expected and min(expected) >= 0 and max(expected) > 1
        log = learner.log()
        assert log["lag/mean"] == pytest.approx(sum(lag * n for lag, n in expected.items()) / expected.total())
        assert log["lag/most"] == max(expected) and expected.total() == 9 * 2 * 2 * UNROLL
        assert log["host/steps"] == 9 * 2 * UNROLL and log["host/trajectories"] == 18
        assert not learner.lags, "the next entry begins anew"


def test_actors_get_new_weights_every_so_many_seconds():
    seconds = Seconds()
    with learning(refresh_seconds=10.0, clock=seconds) as (learner, games, _):

        def acts():
            return games.inference.step(np.int32(0), BLANK, new_key(np.random.default_rng(0))).version

        versions = []
        for now in (0.0, 9.9, 10.0, 15.0, 19.9, 20.5, 21.0):
            seconds.now = now
            learner.step()
            versions.append(acts())
        assert versions == [0, 0, 3, 3, 3, 6, 6]


def test_factors_reach_the_update_and_the_teacher_stays_what_the_learner_was_at_the_start():
    """An update gives its state away, but not the weights that learner and teacher began with."""
    with learning() as (learner, *_):
        assert learner.step(Factors(0.5, 1.0))["rate"] == 0.5
        metrics = learner.step()
        assert (metrics["rate"], metrics["teacher"], learner.state.params.policy) == (WHOLE.policy_rate, 0, 2)
