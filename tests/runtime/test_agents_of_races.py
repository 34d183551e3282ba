"""A league of several races leaves an agent of each behind, and each plays its own race."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from asterism.errors import UserError
from asterism.interface.network import Params
from asterism.interface.observation import Race
from asterism.runtime import report as report_module
from asterism.runtime import train as module
from asterism.runtime.agents import load_agent, race_of
from asterism.runtime.film import Film
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.matches import Matches, Score
from asterism.runtime.report import read_json
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import make_tools
from asterism.runtime.train import EvaluationSettings, TrainConfig, Training

RACES = "zerg", "terran"
CONFIG = TrainConfig(race=("random", "random"), league=LeagueTraining(races=RACES, playoff_games=10))


class Stage:
    """A league whose main agents' weights are ten times the number of their race; copies are one more."""

    races = RACES

    def __init__(self, example: Params):
        self.weights = lambda value: jax.tree.map(lambda leaf: np.full(leaf.shape, value, leaf.dtype), example)

    def train(self):
        pass

    def candidates(self, race):
        number = 10 * int(Race.named(race))
        return {f"main_agent_{race}_0": self.weights(number), f"main_agent_{race}_0.1": self.weights(number + 1)}


class Copies(Matches):
    """Odd weights win all games; who played which race is written down."""

    played = []

    def __init__(self, tools, games):
        pass

    def score(self, home, away, games, seed, progress=None, races=(0, 0)):
        value = int(jax.tree.leaves(home)[0].max())
        self.played.append((value, races))
        return Score(games, 0, 0) if value % 2 else Score(0, 0, games)


@pytest.fixture(scope="module")
def tools():
    return make_tools(CONFIG.setup)


def test_each_race_has_an_agent_of_its_own(tools, tmp_path, monkeypatch):
    """The winner of a playoff in which that race was played; the evaluation has them all, each as its race."""
    stage = Stage(tools.example_params())
    monkeypatch.setattr(module, "Matches", Copies)
    monkeypatch.setattr(module, "best_players", lambda entries, within: set())
    monkeypatch.setattr(module, "strategies_to_follow", lambda *rest: None)
    monkeypatch.setattr(Training, "league_stage", lambda self, teacher, library: stage)
    with RunFolder.create_or_resume("run", CONFIG, root=tmp_path) as run:
        training = Training(run, tools, CONFIG)
        teacher = stage.weights(100)
        training.improve(SimpleNamespace(entries=()), teacher)
        agents = {name: load_agent(run.path, name, tools) for name in ("agent_zerg", "agent_terran")}
        value = {name: int(jax.tree.leaves(agent)[0].max()) for name, agent in agents.items()}
        assert value == {"agent_zerg": 21, "agent_terran": 11}
        assert {value // 10: races for value, races in Copies.played} == {2: (Race.ZERG, 0), 1: (Race.TERRAN, 0)}
        training.evaluate(agents, teacher)
        assert list(read_json(run.path / "evaluation.json")) == ["agent_zerg", "agent_terran", "teacher"]
        assert set(Copies.played[-18:]) == {(21, (Race.ZERG, 0)), (11, (Race.TERRAN, 0)), (100, (0, 0))}
        games = len(Copies.played)
        training.evaluate(agents, teacher)
        assert len(Copies.played) == games, "they have been played"
        fewer = replace(CONFIG, evaluation=EvaluationSettings(games=3))
        Training(run, tools, fewer).evaluate(agents, teacher)
        assert read_json(run.path / "evaluation.json")["teacher"]["easy"] == [0, 0, 3], "other settings, other games"
        with pytest.raises(UserError, match="has no agent.safetensors: choose one of agent_terran, agent_zerg"):
            load_agent(run.path, "agent", tools)


def test_a_report_of_several_races_shows_a_game_of_the_first_ones_agent(tools, tmp_path, monkeypatch):
    shown, blank = [], Film(("agent", "rush"), None, None, 0.0)
    for name, fake in {
        "make_tools": lambda setup: tools,
        "load_agent": lambda folder, name, tools: name,
        "film_game": lambda tools, *rest: (shown.append(rest), blank)[1],
        "make_report": lambda run, config, tools, film: shown.append(film),
    }.items():
        monkeypatch.setattr(report_module, name, fake)
    with RunFolder.create_or_resume("run", CONFIG, root=tmp_path) as run:
        pass
    report_module.ReportConfig(run.path).run()
    assert shown == [("agent_zerg", "rush", ("agent_zerg", "rush"), 0, (Race.ZERG, 0)), blank]


def test_the_race_of_an_agent():
    assert [race_of(name) for name in ("agent", "agent_protoss", "teacher")] == [0, Race.PROTOSS, 0]
