"""When an actor lets games begin anew, and when it lets them go on."""

from types import SimpleNamespace

import numpy as np
import pytest
from fake_ray import Handle, Reference, stand_in
from snapshots import snapshot

from asterism.league import Player, PlayerKind
from asterism.runtime.cluster import opponents, outbox, processes
from asterism.runtime.cluster.actor import Actor
from asterism.runtime.cluster.matrix_game import FOUNDER, MatrixGame
from asterism.runtime.cluster.program import Games
from asterism.runtime.cluster.settings import Schedule

BURN_IN, WARM_UP = 3, 5
RIVAL = Player("rival", PlayerKind.HISTORICAL, "any", weights=snapshot("rival.safetensors"))


class LongGames(MatrixGame):
    """Only the first lane's games end; notes which of all begin anew."""

    restarts: list

    def collect(self, own, opponents, workers, restart, keys):
        self.restarts.append(np.asarray(restart).copy())
        done = np.arange(self.lanes)[None] == 0
        return workers, None, Games(done, np.where(done, 1.0, 0.0))


@pytest.fixture
def play(monkeypatch):
    """Lets a new actor play collections of (version, fresh): which lanes begin anew in each; and the actor."""
    stand_in(monkeypatch, opponents, outbox, processes)
    monkeypatch.setattr(opponents.Policies, "of", lambda self, player: FOUNDER)

    def play(*collections):
        game = LongGames(lanes=6, groups=2)
        object.__setattr__(game, "restarts", [])
        league = SimpleNamespace(matches=lambda learner, count: [RIVAL] * count, record=lambda results: None)
        schedule = Schedule(updates=100, burn_in=BURN_IN, warm_up=WARM_UP)
        learner = Player("learner", PlayerKind.MAIN_AGENT, "any")
        actor = Actor([Reference(lambda: game)], learner, ("any",), schedule, 1, Handle(league), None)
        for version, fresh in collections:
            actor.collect(version, FOUNDER, fresh)
        return [restart.tolist() for restart in game.restarts], actor

    return play


def test_games_of_the_burn_in_begin_a_few_at_a_time(play):
    (first, *others), _ = play((0, True), (1, False), (2, False), (3, False))
    assert all(first)
    assert others == [[False] * 2 + [True] * 2 + [False] * 2, [False] * 4 + [True] * 2, [False] * 6]


def test_an_actor_that_starts_after_the_warm_up_cuts_no_game_of_a_match(play):
    (first, *others), _ = play(*[(WARM_UP, number == 0) for number in range(2 * BURN_IN)])
    assert all(first) and not np.any(others)


def test_with_other_weights_all_games_begin_anew_in_new_matches(play):
    restarts, actor = play((WARM_UP, True), (WARM_UP + 1, False), (WARM_UP + 2, True))
    assert all(restarts[2])
    assert [match.quota.ended for match in actor.opponents.matches] == [(1, 0, 0), (0, 0, 0)], "not (3, 0, 0)"
