"""Settings that would fail hours later are refused at once, in one line."""

import pytest

from asterism.cli import main
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.train import TrainConfig

POSTGRES = "postgresql+psycopg://me@"


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--seed", "-1"], "seed is -1"),
        (["--evaluation.games", "0"], "games is 0"),
        (["--evaluation.seed", "-3"], "seed is -3"),
        (["--league.records", f"{POSTGRES}host:abc/league"], "abc"),
        (["--league.records", f"{POSTGRES}[::1/league"], "records"),
    ],
)
def test_training_does_not_begin(flags, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--name", "refused", *flags]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "command, said",
    [
        (["league", "--games", "5", "--seed", "-1"], "seed is -1"),
        (["evaluate", "--seed", "-1"], "seed is -1"),
        (["evaluate", "--games", "0"], "games is 0"),
        (["evaluate", "--agent", "teacher", "--against", "teacher"], "does not play itself"),
    ],
)
def test_games_do_not_begin(command, said, tmp_path, capsys):
    with RunFolder.create_or_resume("run", TrainConfig(name="run"), root=tmp_path) as run:
        pass
    assert main([command[0], str(run.path), *command[1:]]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
