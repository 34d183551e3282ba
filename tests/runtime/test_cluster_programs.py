"""Both programs keep the contract that learners and actors rely on: rock, paper, scissors and the game itself."""

from typing import NamedTuple

import jax
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding
from linear import linear_network
from toy_duel import ToyDuel

from asterism.demos.strategies import strategy_library
from asterism.interface.spec import strategy_spec, zeros
from asterism.runtime.cluster.league_stage import LeagueProgram
from asterism.runtime.cluster.matrix_game import MatrixGame
from asterism.runtime.cluster.program import Program, Rates
from asterism.runtime.devices import ALL, EACH, GAMES
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.setup import Tools

WHOLE = Rates(1.0, 1.0)


def league_program() -> LeagueProgram:
    """A game that compiles in a second, and a network that is linear."""
    game = ToyDuel()
    network = linear_network(game.description, game.size)
    free = zeros(strategy_spec(game.description, game.size))
    settings = LeagueTraining(lanes=4, groups=2, unroll=6, steps=12, learn=())
    founder = jax.device_get(network.init(jax.random.key(7)))
    library = jax.device_get(strategy_library([free]))  # as it is sent
    return LeagueProgram(Tools(game, network, network), founder, library, settings)


@pytest.fixture(scope="module", params=[MatrixGame, league_program], ids=["matrix_game", "league"])
def program(request):
    return request.param()


class Played(NamedTuple):
    """Two collections of the founder against itself, as they come from an actor."""

    batches: list
    games: list


@pytest.fixture(scope="module")
def played(program):
    own = jax.device_get(program.policy(program.weights(program.init())))
    keys = [jax.random.split(jax.random.key(seed), program.lanes) for seed in range(3)]
    workers, played = program.start(keys[0]), Played([], [])
    for number in (1, 2):
        restart = np.zeros(program.lanes, bool)
        workers, batch, games = program.collect(own, [own] * program.groups, workers, restart, keys[number])
        played.batches.append(jax.device_get(batch))
        played.games.append(games)
    return played


def updated(program, batches, rates=WHOLE, devices=1):
    """The weights after an update with each batch, and the metrics of the last."""
    mesh = Mesh(jax.devices()[:devices], (GAMES,))
    everywhere = lambda state: jax.device_put(state, NamedSharding(mesh, ALL))  # noqa: E731
    state, memory = everywhere(jax.device_get(program.init())), None
    for batch in batches:
        state, memory, metrics = program.update(state, memory, jax.device_put(batch, NamedSharding(mesh, EACH)), rates)
        state = everywhere(state)
    return jax.device_get(program.weights(state)), {name: float(value) for name, value in metrics.items()}


def moved(program, weights) -> bool:
    """Whether the policy is another than the founder's."""
    pairs = zip(
        jax.tree.leaves(program.policy(weights)),
        jax.tree.leaves(program.policy(program.weights(program.init()))),
        strict=True,
    )
    return any(not np.array_equal(one, other) for one, other in pairs)


def test_a_program_is_one(program):
    assert isinstance(program, Program) and program.lanes % program.groups == 0


def test_games_that_end_have_a_winner_or_none(program, played):
    for games in played.games:
        assert games.done.shape == games.reward.shape and games.done.shape[1] == program.lanes
        assert set(np.unique(games.reward[games.done])) <= {-1, 0, 1} and not games.reward[~games.done].any()
    assert sum(games.done.sum() for games in played.games) > 0


def test_rates_say_what_learns(program, played):
    assert not moved(program, updated(program, played.batches, Rates(0.0, 1.0))[0])
    assert moved(program, updated(program, played.batches)[0])


def test_a_learner_that_starts_over_has_the_weights_it_is_given(program, played):
    weights, metrics = updated(program, played.batches)
    again = program.weights(program.init(weights))
    assert all(np.array_equal(*pair) for pair in zip(jax.tree.leaves(again), jax.tree.leaves(weights), strict=True))
    assert metrics["steps"] > 0


def test_two_devices_learn_what_one_does(program, played):
    one, _ = updated(program, played.batches)
    two, _ = updated(program, played.batches, devices=2)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
