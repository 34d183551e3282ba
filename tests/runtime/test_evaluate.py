"""`asterism evaluate --keep`: one game against each opponent that was played, and no other."""

from types import SimpleNamespace

import pytest

from asterism.cli import main
from asterism.interface.network import Params
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
    with RunFolder.create_or_resume("run", TrainConfig(name="run"), root=tmp_path) as run:
        agent_path(run.path, "agent").touch()
    scores = lambda matches, policy, others, games, seed, bots: {name: Score(games, 0, 0) for name in (*bots, *others)}  # noqa: E731
    fakes = {
        "Matches": lambda tools, games: None,
        "evaluate_agent": scores,
        "load_agent": lambda folder, name, tools: Params(name, None),
        "make_tools": lambda setup: Tools(SimpleNamespace(description=None), None, None),
        "GamePainter": lambda game: None,
        "film_game": lambda tools, home, away, names, seed: Filmed(names=names, seed=seed, away=away),
        "write_film": lambda path, film, painter, fps: path.write_text(f"{film.names} {film.seed} {film.away}"),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(module, name, fake)
    return run.path


def test_games_are_kept_one_for_each_opponent(run, tmp_path, capsys):
    folder = tmp_path / "deep" / "games"
    command = ["evaluate", str(run), "--games", "4", "--seed", "9", "--keep", str(folder), "--against"]
    assert main([*command, "easy", "Hard:rush", "teacher"]) == 0
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    assert kept.keys() == {"easy.gif", "Hard-rush.gif", "teacher.gif"}
    assert kept["Hard-rush.gif"] == "('agent', 'Hard:rush') 9 Hard:rush"
    assert "policy='teacher'" in kept["teacher.gif"]
    assert capsys.readouterr().out.count("agent won") == 3


def test_a_folder_that_cannot_be_made_is_one_line(run, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["evaluate", str(run), "--against", "easy", "--keep", str(tmp_path / "file" / "games")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
