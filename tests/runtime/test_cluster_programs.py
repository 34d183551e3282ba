"""Both programs keep the contract that learners and actors rely on: rock, paper, scissors and the game itself."""

from typing import NamedTuple

import jax
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding
from linear import linear_network
from toy_duel import ToyDuel

from asterism.demos.strategies import strategy_library
from asterism.interface.observation import Race
from asterism.interface.spec import strategy_spec, zeros
from asterism.learning.reinforcement import WHOLE, Factors
from asterism.runtime.cluster.league_stage import LeagueProgram
from asterism.runtime.cluster.matrix_game import MatrixGame
from asterism.runtime.cluster.program import Entrant, Program
from asterism.runtime.devices import ALL, EACH, GAMES
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.setup import Tools


def league_program(races: tuple[str, ...] = ()) -> LeagueProgram:
    """A game that compiles in a second, and a network that is linear."""
    game = ToyDuel()
    network = linear_network(game.description, game.size)
    free = zeros(strategy_spec(game.description, game.size))
    settings = LeagueTraining(lanes=4, groups=2, unroll=6, steps=12, learn=(), races=races)
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
    own = Entrant(jax.device_get(program.policy(program.weights(program.init()))), "zerg")
    keys = [jax.random.split(jax.random.key(seed), program.lanes) for seed in range(3)]
    workers, played = program.start(keys[0]), Played([], [])
    for number in (1, 2):
        restart = np.zeros(program.lanes, bool)
        workers, batch, games = program.collect(own, [own] * program.groups, workers, restart, keys[number])
        played.batches.append(jax.device_get(batch))
        played.games.append(games)
    return played


def updated(program, batches, factors=WHOLE, devices=1):
    """The weights after an update with each batch, and the metrics of the last."""
    mesh = Mesh(jax.devices()[:devices], (GAMES,))
    everywhere = lambda state: jax.device_put(state, NamedSharding(mesh, ALL))  # noqa: E731
    state, memory = everywhere(jax.device_get(program.init())), None
    for batch in batches:
        state, memory, metrics = program.update(
            state, memory, jax.device_put(batch, NamedSharding(mesh, EACH)), factors
        )
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
    assert not moved(program, updated(program, played.batches, Factors(policy_rate=0.0))[0])
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


@pytest.fixture
def league(program):
    if not isinstance(program, LeagueProgram):
        pytest.skip("of the league's program alone")
    return program


def races_seen(batch) -> np.ndarray:
    """Of the learner and of its opponent in each lane, the same in all games of a batch: [lanes, 2]."""
    races, mask = np.asarray(batch.observation.scalars.races), np.asarray(batch.mask)
    assert all((row[:-1][real] == row[0]).all() for row, real in zip(races, mask, strict=True))
    return races[:, 0]


def test_each_plays_its_race():
    """In games that follow one that ended too."""
    program = league_program(races=("protoss", "zerg"))
    policy = jax.device_get(program.policy(program.founder))
    keys = jax.random.split(jax.random.key(0), program.lanes)
    opponents, restart = [Entrant(policy, race) for race in ("protoss", "zerg")], np.ones(program.lanes, bool)
    _, batch, games = program.collect(Entrant(policy, "zerg"), opponents, program.start(keys), restart, keys)
    assert games.done.any(0).all()
    assert races_seen(batch).tolist() == [[Race.ZERG, Race.PROTOSS]] * 2 + [[Race.ZERG, Race.ZERG]] * 2


def test_in_a_league_without_races_all_play_that_of_their_side(league, played):
    assert all((races_seen(batch) == Race.TERRAN).all() for batch in played.batches)


def test_factors_say_how_much_terms_of_the_loss_count(league, played):
    """A learner that takes over factors from another learns something else from the same games."""
    plain = updated(league, played.batches)[1]["loss/total"]
    # After one update KL from the teacher is next to nothing.
    for name, factor in {"upgo": 3.0, "entropy": 3.0, "kl": 1e6}.items():
        assert updated(league, played.batches, Factors(**{name: factor}))[1]["loss/total"] != plain
