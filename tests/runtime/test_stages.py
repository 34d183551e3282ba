"""The stages of training, thin but whole: cut off at any update, the same call ends with the same weights and records.

The network is linear, so that only the game takes time to compile.
"""

from dataclasses import replace
from itertools import product

import jax
import numpy as np
import pytest
from linear import linear_network

from asterism.demos import open_demos, recorded_strategies, strategy_library
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.sizes import interface_size
from asterism.league import LeagueSettings, Store
from asterism.league.settings import CheckpointRule
from asterism.runtime.checkpoints import Checkpoints, load_weights
from asterism.runtime.league import LeagueStage
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.population import make_optimizer, make_population
from asterism.runtime.record import RecordSettings, record_games
from asterism.runtime.rollout import Conditioning
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools
from asterism.runtime.supervised import SupervisedSettings, train_supervised

SUPERVISED = SupervisedSettings(steps=40, batch=4, window=4, measure_every=20, held_out=0.3, winners_within=1e6)
LEAGUE = LeagueTraining(
    burn_in=1,
    value_updates=2,
    updates=9,
    lanes=4,
    groups=2,
    unroll=6,
    steps=12,
    match_games=2,
    main_turns=1,
    checkpoint_seconds=0.0,
    log_every=1,
    league=LeagueSettings(
        main_agent_checkpoint=CheckpointRule(20, 40, 0.0),
        main_exploiter_checkpoint=CheckpointRule(20, 20, 1.0),
        league_exploiter_checkpoint=CheckpointRule(20, 20, 1.0),
    ),
)


class Cut(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture(scope="module")
def tools(quick_compilation):
    game = EmbeddedGame(GameSettings(step=32, time_limit=640), interface_size("tiny"))
    network = linear_network(game.description, game.size)
    return Tools(game, network, network)


@pytest.fixture(scope="module")
def demos(tools, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demos")
    record_games(folder, tools.game, RecordSettings(games=6, lanes=2), seed=0)
    demos = open_demos(folder)
    # Games so short are all ties: say that the first player won.
    return replace(demos, entries=tuple(entry._replace(outcome=1 - 2 * entry.player) for entry in demos.entries))


def open_run(root, name):
    return RunFolder.create_or_resume(name, {}, root=root)


def same(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


def metrics(run, stage):
    series = run.series()[stage]
    return {name: values for name, values in series.items() if name.split("/")[0] not in ("rate", "memory")}


def test_imitation_goes_on_as_if_it_had_not_stopped(tools, demos, tmp_path, monkeypatch):
    with open_run(tmp_path, "whole") as run:
        whole = train_supervised(run, tools, demos, SUPERVISED, 0)
        expected = metrics(run, "supervised")
    moved = jax.tree.map(lambda a, b: abs(a - b).max(), whole, tools.imitator.init(jax.random.key(0)))
    assert all(value > 0 for value in jax.tree.leaves(moved.policy))

    with open_run(tmp_path, "cut") as run:
        log, often = run.log, SupervisedSettings(**vars(SUPERVISED) | {"checkpoint_seconds": 0.0})

        def cut(stage, step, scalars):
            log(stage, step, scalars)
            if step == 20:
                raise Cut

        monkeypatch.setattr(run, "log", cut)
        with pytest.raises(Cut):
            train_supervised(run, tools, demos, often, 0)
    with open_run(tmp_path, "cut") as run:
        again = train_supervised(run, tools, demos, SUPERVISED, 0)
        assert metrics(run, "supervised") == expected
    assert same(whole, again)


def test_a_teacher_may_have_learned_nothing(tools, demos, tmp_path):
    with open_run(tmp_path, "run") as run:
        blank = train_supervised(run, tools, demos, replace(SUPERVISED, steps=0), 3)
        assert "supervised" not in run.series()
    assert same(blank, tools.imitator.init(jax.random.fold_in(jax.random.key(3), 1)))


def test_games_without_a_winner_are_too_few(tools, demos, tmp_path):
    ties = replace(demos, entries=tuple(entry._replace(outcome=0) for entry in demos.entries))
    with open_run(tmp_path, "run") as run, pytest.raises(UserError, match="won none of the games to learn from"):
        train_supervised(run, tools, ties, SUPERVISED, 0)


@pytest.fixture(scope="module")
def compiled(tools, demos):
    """Of every league here: compiling one takes longer than playing it."""
    library = strategy_library(recorded_strategies(demos))
    conditioning = Conditioning(library, LEAGUE.z_probability, LEAGUE.reward_probability)
    return make_population(tools, LEAGUE, conditioning, make_optimizer(LEAGUE))


@pytest.fixture
def league(tools, demos, compiled, monkeypatch):
    """Makes the stage of a run: (run, teacher) -> LeagueStage."""
    monkeypatch.setattr("asterism.runtime.league.make_population", lambda *_: compiled)
    library = strategy_library(recorded_strategies(demos))
    return lambda run, teacher: LeagueStage(run, tools, teacher, library, LEAGUE, 0)


def records(run):
    """Everything in the league's records that training may depend on, and what was logged."""
    state = Store(run.league_path, create=False).load(decay=1.0)
    games = {pair: state.payoff.games(*pair) for pair in product(state.players, repeat=2)}
    return state.players, state.steps, state.resets, games, metrics(run, "league")


def test_a_league_goes_on_as_if_it_had_not_stopped(tools, league, tmp_path, monkeypatch):
    """It is cut after an update's results are on record and before its checkpoint is: nothing is lost or twice."""
    teacher = tools.network.init(jax.random.key(7))
    with open_run(tmp_path, "whole") as run:
        stage = league(run, teacher)
        whole = stage.train()
        expected = records(run)
        assert len(stage.league.state.players) > 5 and sum(stage.league.state.resets.values())
    assert not same(whole.policy, teacher.policy)

    for cut_at in (1, 3, 7):
        with open_run(tmp_path, f"cut{cut_at}") as run:
            stage = league(run, teacher)
            save = stage.save

            def cut(checkpoints, update, save=save, cut_at=cut_at):
                if update == cut_at:
                    raise Cut
                save(checkpoints, update)

            monkeypatch.setattr(stage, "save", cut)
            with pytest.raises(Cut):
                stage.train()
        with open_run(tmp_path, f"cut{cut_at}") as run:
            again = league(run, teacher).train()
            assert records(run) == expected
        assert same(whole, again)


def test_only_values_learn_before_the_policy(tools, league, tmp_path):
    """After the first updates everybody has the teacher's policy at 0.6, and one new value; then the policy moves."""
    teacher = tools.network.init(jax.random.key(7))
    with open_run(tmp_path, "run") as run:
        stage = league(run, teacher)
        stage.prepare()
        stage.step(1)
        founder = tools.network.cooled(teacher, LEAGUE.temperature)
        assert LEAGUE.temperature == 0.6 and not same(founder.policy, teacher.policy)
        assert same(stage.state(stage.main).params, founder), "burnt in, but nothing learned yet"
        for update in range(2, LEAGUE.value_updates + 2):
            stage.step(update)
        assert len(stage.learners) == 3 and not any(stage.league.state.steps.values())
        learned = stage.state(stage.main).params
        for params in (stage.state(learner).params for learner in stage.learners):
            assert same(params.policy, founder.policy)
            assert not same(params.value, teacher.value)
            assert same(params.value, learned.value)
        stored = load_weights(stage.weights_folder / "founder_terran.safetensors", tools.example_params())
        assert same(stored, learned)
        stage.step(LEAGUE.value_updates + 2)
        assert not same(stage.state(stage.main).params.policy, founder.policy)


def test_nothing_is_compiled_twice(tools, league, compiled, tmp_path):
    """New, learned and restored weights, on whatever devices, are all the same to the compiled code."""
    teacher = tools.network.init(jax.random.key(7))
    for _ in range(2):
        with open_run(tmp_path, "run") as run:
            stage = league(run, teacher)
            stage.prepare()
            with Checkpoints(tmp_path / "checkpoints") as checkpoints:
                done = stage.restore(checkpoints)
                for update in range(done + 1, done + 4):
                    stage.step(update)
                stage.save(checkpoints, update)
    assert compiled.update._cache_size() == 1
