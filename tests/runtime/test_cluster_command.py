"""`asterism train --cluster`: what it refuses, in one line and before anything is written."""

import socket
import sys
from types import SimpleNamespace

import pytest

from asterism.cli import main
from asterism.errors import UserError
from asterism.runtime.cluster.league_stage import ClusterStage
from asterism.runtime.cluster.settings import ClusterSettings
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.train import check_place


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def refused(address, tmp_path, monkeypatch, capsys) -> str:
    """The line that `asterism train --cluster ADDRESS` ends with."""
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--cluster", address]) == 2
    assert list(tmp_path.iterdir()) == []
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_without_ray_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    line = refused("local", tmp_path, monkeypatch, capsys)
    assert line == "asterism: --cluster needs ray, which is not installed: pip install -e '.[cluster]'"


def test_an_address_at_which_nobody_answers(free_port, tmp_path, monkeypatch, capsys):
    line = refused(f"127.0.0.1:{free_port}", tmp_path, monkeypatch, capsys)
    assert line.startswith(f"asterism: no Ray cluster answers at 127.0.0.1:{free_port} (")
    assert line.endswith(f": run `ray start --head --port {free_port}` there first")


def test_an_address_at_which_somebody_else_answers(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("asterism.runtime.cluster.connect.ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        line = refused(f"127.0.0.1:{port}", tmp_path, monkeypatch, capsys)
        assert line.startswith(f"asterism: no Ray cluster answers at 127.0.0.1:{port} (timed out)")


@pytest.mark.parametrize("address", ["", ":6379", "host:port", "http://192.0.2.1:6379"])
def test_what_is_no_address(address, tmp_path, monkeypatch, capsys):
    line = refused(address, tmp_path, monkeypatch, capsys)
    assert line == f"asterism: --cluster {address!r} is no address: write local, or host:port as in 192.0.2.1:6379"


@pytest.mark.parametrize("host", ["a..b", ".host", "x" * 64])
def test_names_that_no_machine_can_have(host, tmp_path, monkeypatch, capsys):
    line = refused(f"{host}:6379", tmp_path, monkeypatch, capsys)
    assert line.startswith(f"asterism: no Ray cluster answers at {host}:6379")


def test_a_league_stays_where_it_began(tmp_path):
    with RunFolder.create_or_resume("run", {}, root=tmp_path) as run:
        for cluster in (None, "local"):
            check_place(run, cluster)
        run.checkpoints("cluster").mkdir(parents=True)
        check_place(run, "local")
        with pytest.raises(UserError, match="has begun its league with --cluster: go on so"):
            check_place(run, None)
    with RunFolder.create_or_resume("other", {}, root=tmp_path) as run:
        checkpoint = run.checkpoints("league") / "3"
        checkpoint.mkdir(parents=True)
        (checkpoint / "manifest.json").touch()
        check_place(run, None)
        with pytest.raises(UserError, match="has begun its league without --cluster: go on so"):
            check_place(run, "local")


def test_settings_out_of_bounds():
    with pytest.raises(UserError, match="distributed setting actors is 0: it must be at least 1"):
        ClusterSettings(actors=0)
    with pytest.raises(UserError, match="distributed setting learner_gpus is -1: it must be at least 0"):
        ClusterSettings(learner_gpus=-1)


def test_a_main_agent_that_never_began_is_named():
    stage = SimpleNamespace(first_of_race={"zerg": "main_agent_zerg_0"})
    with pytest.raises(UserError, match="main_agent_zerg_0 never began to learn"):
        ClusterStage.trained(stage, {"zerg": None})
