"""`asterism evaluate --keep`: one game against each opponent that was played, and no other."""

from types import SimpleNamespace

import pytest

from asterism.cli import main
from asterism.interface.network import Params
from asterism.interface.observation import Race
from asterism.runtime import evaluate as module
from asterism.runtime.agents import agent_path
from asterism.runtime.matches import Score
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools
from asterism.runtime.train import TrainConfig


class Filmed(SimpleNamespace):
    """A game that was filmed."""

    def outcome(self, description):
        return f"{self.names[0]} won"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run whose games are won at once."""
    with RunFolder.create_or_resume("run", TrainConfig(name="run", race=("random", "random")), root=tmp_path) as run:
        for name in ("agent", "agent_zerg"):
            agent_path(run.path, name).touch()
    asked = []

    def scores(matches, policy, others, games, seed, bots, races):
        asked.append(races)
        return {name: Score(games, 0, 0) for name in (*bots, *others)}

    fakes = {
        "Matches": lambda tools, games: None,
        "evaluate_agent": scores,
        "load_agent": lambda folder, name, tools: Params(name, None),
        "make_tools": lambda setup: Tools(SimpleNamespace(description=None), None, None),
        "GamePainter": lambda game: None,
        "film_game": lambda tools, home, away, names, seed, races: Filmed(names=names, seed=seed, away=away),
        "write_film": lambda path, film, painter, fps: path.write_text(f"{film.names} {film.seed} {film.away}"),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(module, name, fake)
    return SimpleNamespace(path=run.path, asked=asked)


def test_games_are_kept_one_for_each_opponent(run, tmp_path, capsys):
    folder = tmp_path / "deep" / "games"
    command = ["evaluate", str(run.path), "--games", "4", "--seed", "9", "--keep", str(folder), "--against"]
    assert main([*command, "easy", "Hard:rush", "teacher"]) == 0
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    assert kept.keys() == {"easy.gif", "Hard-rush.gif", "teacher.gif"}
    assert kept["Hard-rush.gif"] == "('agent', 'Hard:rush') 9 Hard:rush"
    assert "policy='teacher'" in kept["teacher.gif"]
    assert capsys.readouterr().out.count("agent won") == 3


def test_a_folder_that_cannot_be_made_is_one_line(run, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["evaluate", str(run.path), "--against", "easy", "--keep", str(tmp_path / "file" / "games")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_agent_plays_the_race_that_it_was_trained_for(run, capsys):
    """Unless another is asked for; what is left open is drawn."""
    command = ["evaluate", str(run.path), "--games", "2", "--against", "easy"]
    for more in ([], ["--agent", "agent_zerg"], ["--races", "terran", "protoss"]):
        assert main([*command, *more]) == 0
    assert run.asked == [(0, 0), (Race.ZERG, 0), (Race.TERRAN, Race.PROTOSS)]


def test_races_that_the_rules_have_not_are_one_line(run, tmp_path, capsys):
    with RunFolder.create_or_resume("first", TrainConfig(name="first"), root=tmp_path) as first:
        assert main(["evaluate", str(first.path), "--races", "zerg", "terran"]) == 2
    assert "has Terrans only: leave out --races" in capsys.readouterr().err
