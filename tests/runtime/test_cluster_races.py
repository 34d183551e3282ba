"""A league of two races on Ray, to its end.

The game is a toy that Zergs cannot lose, so that results tell who played what.
"""

import sys
import time
from collections.abc import Iterable
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import jax
import linear
import numpy as np
import pytest
import toy_duel
import toys
from linear import linear_network
from ray import cloudpickle
from toy_duel import ToyDuel

from asterism.demos.strategies import strategy_library
from asterism.interface.observation import Race
from asterism.interface.spec import strategy_spec, zeros
from asterism.league import CheckpointRule, LeagueSettings, Store
from asterism.runtime.cluster import league_stage
from asterism.runtime.cluster.league_stage import ClusterStage, LeagueProgram
from asterism.runtime.cluster.settings import ClusterSettings
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, Tools

# The processes of the cluster cannot import them.
for module in (toys, toy_duel, linear, sys.modules[__name__]):
    cloudpickle.register_pickle_by_value(module)
RULE = CheckpointRule(40, 80, 0.0)
SETTINGS = LeagueTraining(
    burn_in=1,
    value_updates=1,
    updates=12,
    races=("terran", "zerg"),
    lanes=4,
    groups=2,
    unroll=6,
    steps=12,
    match_games=2,
    learn=(),
    log_every=2,
    league=LeagueSettings(main_exploiters=0, league_exploiters=0, main_agent_checkpoint=RULE, self_play_share=1.0,
                          pfsp_share=0.0, verification_share=0.0, main_agent_floor=0.0),
)  # fmt: skip


class Uneven(ToyDuel):
    """Zergs begin with more points than there are to be had."""

    def reset(self, key, z, races=None):
        """A new game."""
        state, _ = super().reset(key, z, races)
        state = state._replace(points=state.points + 20 * (state.races == Race.ZERG))
        return state, self._look(state, np.zeros(2, np.float32), np.bool_(False))


def tools() -> Tools:
    """Without races of their own both players are Terrans."""
    game = Uneven()
    network = linear_network(game.description, game.size)
    return Tools(game, network, network)


class InStep(LeagueProgram):
    """Nobody is through before the others have compiled: the first collections of both actors wait for each other, and
    the third, for which a learner asks after its first update, for the evaluator too."""

    collections, folder = 0, Path()

    def collect(self, own, *rest):
        """See `Program`."""
        self.collections += 1
        (self.folder / f"{own.race}{self.collections}").touch()
        if self.collections <= 8:
            self.wait(f"{race}{self.collections}" for race in SETTINGS.races)
        if self.collections == 3:
            self.wait(["evaluator"])
        return super().collect(own, *rest)

    def play(self, *games):
        """See `Program`."""
        outcomes = super().play(*games)
        (self.folder / "evaluator").touch()
        return outcomes

    def wait(self, names: Iterable[str], seconds: float = 300.0) -> None:
        """Until others have come so far."""
        names, until = list(names), time.monotonic() + seconds
        while time.monotonic() < until and not all((self.folder / name).exists() for name in names):
            time.sleep(0.05)


def toy_program(folder, setup, founder, library, settings) -> LeagueProgram:
    """Stands for `make_program`."""
    program = InStep(tools(), founder, library, settings)
    program.folder = folder
    return program


class Life(NamedTuple):
    """What came of the training."""

    stage: ClusterStage
    state: object
    """Of the league."""
    curves: dict
    folder: Path


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    root, own = tmp_path_factory.mktemp("races"), tools()
    teacher = own.network.init(jax.random.key(7))
    library = strategy_library([zeros(strategy_spec(own.game.description, own.game.size))])
    with pytest.MonkeyPatch.context() as patch, RunFolder.create_or_resume("run", {}, root=root) as run:
        patch.setattr(league_stage, "make_program", partial(toy_program, tmp_path_factory.mktemp("steps")))
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        cluster = ClusterSettings(evaluation_games=4, publish_seconds=0.1)
        stage = ClusterStage(run, own, Setup(), teacher, library, SETTINGS, cluster, "local")
        stage.train()
        return Life(stage, Store(run.league_path, create=False).load(1.0), run.series()["league"], run.path)


def test_each_plays_its_race_learners_and_evaluators_too(life):
    """Whoever is of the Zergs' line has won all games against whoever is of the Terrans'."""
    players, totals = life.state.players, life.state.totals
    zergs, terrans = ([name for name in players if players[name].race == race] for race in ("zerg", "terran"))
    counts = {pair: totals.counts(*pair) for pair in product(zergs, terrans) if totals.games(*pair)}
    assert all(draws == losses == 0 for _, draws, losses in counts.values())
    assert ("main_agent_zerg_0", "main_agent_terran_0") in counts
    assert ("teacher_zerg", "teacher_terran") in counts, "evaluators have played"


def test_every_race_has_its_learners_and_copies(life):
    learners = {name: steps for name, steps in life.state.steps.items() if steps}
    assert set(learners) == {"main_agent_terran_0", "main_agent_zerg_0"}
    for name in learners:
        races = {life.state.players[copy].race for copy in life.state.copies(name)}
        assert races == {life.state.players[name].race}
        assert life.curves[f"lag/{name.removesuffix('_0')}"]


def test_candidates_are_of_a_race(life):
    founder = life.stage.program().founder
    for race in ("terran", "zerg"):
        candidates, main = life.stage.candidates(race), f"main_agent_{race}_0"
        assert list(candidates) == [main, *reversed(life.state.copies(main))]
        assert not np.array_equal(candidates[main].policy.delay, founder.policy.delay)
