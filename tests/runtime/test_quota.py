"""Games of matches: results on record are those of the games that are played, however long these take."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear import linear_network
from snapshots import snapshot
from toy_duel import SIZE, ToyDuel

from asterism.demos import strategy_library
from asterism.interface.spec import strategy_spec, zeros
from asterism.league import LeagueSettings, Player, PlayerKind
from asterism.runtime.cluster import opponents as module
from asterism.runtime.cluster.opponents import Opponents
from asterism.runtime.league import LeagueStage
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.quota import new_quota
from asterism.runtime.rollout import Finished
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools

LANES, GROUPS, STEPS, MATCH = 32, 2, 4, 4
WIN, LOSS = (3, 6), (10, 30)
"""Steps that games take: wins are quick. Half of the games are won."""


class Simulated:
    """Games of which only length and outcome are known, in lanes that can begin anew."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.left, self.reward = np.zeros(LANES, int), np.zeros(LANES)
        self.won, self.counted = 0, 0

    def play(self, restart):
        """One collection: which games ended in which step, and their rewards. [STEPS, LANES]"""
        done, reward = np.zeros((STEPS, LANES), bool), np.zeros((STEPS, LANES))
        self.begin(restart)
        for step in range(STEPS):
            self.left -= 1
            done[step], reward[step] = self.left == 0, self.reward
            self.begin(done[step])
        return done, np.where(done, reward, 0.0)

    def begin(self, which):
        won = self.rng.random(LANES) < 0.5
        quick, slow = (self.rng.integers(*span, LANES) for span in (WIN, LOSS))
        self.left = np.where(which, np.where(won, quick, slow), self.left)
        self.reward = np.where(which, np.where(won, 1.0, -1.0), self.reward)


def fair(wins, games):
    """Whether a rate of one half is within five standard errors."""
    return games > 1000 and abs(wins / games - 0.5) < 5 * 0.5 / np.sqrt(games)


class Rivals:
    """Stands for the coordinator: every match is with one of two players, drawn by chance."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        both = [Player(name, PlayerKind.HISTORICAL, "terran", weights=snapshot(name)) for name in "ab"]
        self.matches = SimpleNamespace(remote=lambda learner, count: [both[rng.integers(2)] for _ in range(count)])


@pytest.mark.parametrize("seed", range(2))
def test_who_wins_quickly_wins_no_more_often_on_a_cluster(seed, monkeypatch):
    monkeypatch.setattr(module.ray, "get", lambda answer: answer)
    learner = Player("learner", PlayerKind.MAIN_AGENT, "terran")
    opponents = Opponents(learner, ["terran"], GROUPS, LANES, MATCH, Rivals(seed), vault=None)
    games, counted = Simulated(seed), []
    for _ in range(3000):
        done, reward = games.play(opponents.choose(alone=False))
        for step, lane in zip(*np.nonzero(done), strict=True):
            if opponents.finish(int(lane)) is not None:
                counted.append(reward[step, lane] > 0)
    assert fair(sum(counted), len(counted))


@pytest.fixture
def stage(tmp_path):
    """A league of two teachers' races and a learner of each, in one cohort."""
    game = ToyDuel()
    network = linear_network(game.description, SIZE)
    settings = LeagueTraining(
        burn_in=0, value_updates=0, lanes=LANES, groups=GROUPS, match_games=MATCH, cohort=2, races=("terran", "zerg"),
        league=LeagueSettings(main_exploiters=0, league_exploiters=0),
    )  # fmt: skip
    blank = strategy_library([zeros(strategy_spec(game.description, SIZE))])
    with RunFolder.create_or_resume("run", {}, root=tmp_path) as run:
        tools = Tools(game, network, network)
        stage = LeagueStage(run, tools, network.init(jax.random.key(0)), blank, settings, seed=0)
        stage.prepare()
        stage.found(0)
        yield stage


def test_who_wins_quickly_wins_no_more_often_on_one_device(stage):
    """Games of both learners in all of their matches: with opponents that change, and with the same one again."""
    cohort, rng = stage.cohorts[0], np.random.default_rng(1)
    both = [Simulated(seed) for seed in range(2)]
    restarts = 0
    for update in range(250):
        restart, _ = stage.opponents.choose(cohort, founded=True, rng=rng)
        restarts += int(restart.sum())
        done, reward = map(np.array, zip(*(one.play(row) for one, row in zip(both, restart, strict=True)), strict=True))
        results = stage.opponents.count(cohort, update, Finished(done, reward, None))
        stage.league.record_results(results)
    assert restarts > 10 * LANES
    state, wins, games = stage.league.state, 0.0, 0.0
    for name in stage.learners:
        for other in state.players:
            number = state.totals.games(name, other)
            games += number if name != other else 0
            wins += state.totals.win_rate(name, other) * number if name != other else 0
    assert fair(wins, games)


@given(st.integers(1, 20), st.integers(1, 6), st.booleans(), st.data())
def test_a_match_has_its_games_in_equal_shares_of_the_lanes(games, lanes, going_on, data):
    quota = new_quota(games, lanes, going_on)
    counted = [0] * lanes
    while not quota.met:
        lane = (
            data.draw(st.integers(0, lanes - 1))
            if sum(quota.ended) < 40
            else min(range(lanes), key=quota.ended.__getitem__)
        )
        counted[lane] += quota.counts(lane)
        quota = quota.end(lane)
    assert len(set(counted)) == 1 and games <= sum(counted) < games + lanes


def test_a_game_that_began_before_the_match_does_not_count():
    assert new_quota(2, 2, going_on=False).counts(0)
    quota = new_quota(2, 2, going_on=True)
    assert not quota.counts(0) and quota.end(0).counts(0) and not quota.end(0).counts(1)
