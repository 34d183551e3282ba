"""What Weights & Biases is told, by a stand-in for its package: the service needs a network."""

import sys
from types import SimpleNamespace

import pytest

from asterism.errors import UserError
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.wandb_log import WandbLog


class Service:
    """Stands for the package `wandb`: keeps all that it is told."""

    class Error(Exception):
        """The package's own."""

    def __init__(self, refuses=False):
        self.refuses, self.opened, self.rows, self.steps, self.finished = refuses, [], [], {}, 0

    def init(self, **about):
        if self.refuses:
            raise self.Error("no API key configured")
        self.opened.append(about)
        define = lambda name, step_metric: self.steps.update({name: step_metric})  # noqa: E731
        return SimpleNamespace(log=self.rows.append, define_metric=define, finish=self._finish)

    def _finish(self):
        self.finished += 1


@pytest.fixture
def service(monkeypatch):
    service = Service()
    monkeypatch.setitem(sys.modules, "wandb", service)
    return service


def test_rows_go_to_the_service_and_to_the_folder(service, tmp_path):
    with RunFolder.create_or_resume("a", {"seed": 3}, root=tmp_path) as run:
        run.also_log(WandbLog(run.path, run.name, {"seed": 3}))
        run.log("league", 7, {"loss/kl": 0.5})
        run.log("supervised", 1, {"loss": 2})
        assert run.series()["league"]["loss/kl"] == ([7], [0.5])
    assert service.rows == [{"league/step": 7, "league/loss/kl": 0.5}, {"supervised/step": 1, "supervised/loss": 2.0}]
    assert service.steps == {"league/*": "league/step", "supervised/*": "supervised/step"}
    assert service.opened[0]["name"] == "a" and service.opened[0]["config"] == {"seed": 3} and service.finished == 1


def test_a_resumed_run_goes_on_under_its_id(service, tmp_path):
    for _ in range(2):
        with RunFolder.create_or_resume("a", {}, root=tmp_path) as run:
            run.also_log(WandbLog(run.path, run.name, {}))
    with RunFolder.create_or_resume("b", {}, root=tmp_path) as run:
        run.also_log(WandbLog(run.path, run.name, {}))
    first, again, other = (about["id"] for about in service.opened)
    assert first == again != other and service.opened[1]["resume"] == "allow"


def test_what_is_missing_or_refused_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match=r"pip install -e '.\[wandb\]'"):
        WandbLog(tmp_path, "a", {})
    monkeypatch.setitem(sys.modules, "wandb", Service(refuses=True))
    with pytest.raises(UserError, match="no API key configured; .*WANDB_MODE=offline"):
        WandbLog(tmp_path, "a", {})
