"""The stages of training, thin but whole: cut off at any update, the same call ends with the same weights and records.

The network is linear, so that only the game takes time to compile.
"""

from dataclasses import replace

import jax
import numpy as np
import pytest
from linear import linear_network

from asterism.demos import open_demos, recorded_strategies, strategy_library
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.sizes import interface_size
from asterism.league import LeagueSettings
from asterism.league.settings import CheckpointRule
from asterism.runtime.league import LeagueStage
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.record import RecordSettings, record_games
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
def tools():
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


def test_a_league_of_the_embedded_game_learns_and_grows(tools, demos, tmp_path):
    """What a league does is told by games that compile quickly (test_league_stage.py); this one goes through."""
    library, teacher = strategy_library(recorded_strategies(demos)), tools.network.init(jax.random.key(7))
    with open_run(tmp_path, "run") as run:
        stage = LeagueStage(run, tools, teacher, library, LEAGUE, 0)
        agent = stage.train()
        assert not same(agent.policy, stage.founder.policy)
        players, totals = stage.league.state.players, stage.league.state.totals
        assert len(players) > 4 and totals.games_matrix().sum() > 10
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(agent))
        assert max(run.series()["league"]["useful/main_agent"][1]) <= 1
