"""Ablations: every variant is a run's settings, what can be shared is, and the comparison is of what was played."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from asterism.cli import main
from asterism.errors import UserError
from asterism.runtime import experiment as experiment_module
from asterism.runtime.ablate import AblateConfig, compare, plan
from asterism.runtime.ablations import ABLATIONS, variants, with_settings
from asterism.runtime.agents import agent_path
from asterism.runtime.experiment import GAMES, IMITATION, Experiment, copy_tree, same, scaled
from asterism.runtime.matches import Score
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.train import TrainConfig

BASE = TrainConfig()


@pytest.mark.parametrize("name", ABLATIONS)
def test_variants_are_settings_that_differ(name):
    configs = list(variants(name, BASE).values())
    unnamed = {replace(config, name="") for config in configs}
    assert len(unnamed) == len(configs) > 1
    assert all(config.seed == BASE.seed and config.evaluation == BASE.evaluation for config in configs)


def test_the_last_variant_of_the_papers_ladders_is_the_agent_itself():
    for name in ("composition", "architecture", "opponent-value"):
        *_, last = variants(name, BASE).values()
        assert replace(last, name=BASE.name) == BASE


def test_rate_limits_are_within_reach():
    """A limit that no player can come up to would be no ablation."""
    limited = {name: config.setup.game.limits_rate for name, config in variants("rate-limit", BASE).items()}
    assert limited == {"half": True, "paper": True, "none": False}


def test_settings_are_checked_together_and_by_name():
    config = with_settings(BASE, {"league.league.self-play-share": 1.0, "league.league.pfsp-share": 0.0,
                                  "league.league.verification-share": 0.0})  # fmt: skip
    assert config.league.league.self_play_share == 1 and replace(config, league=BASE.league) == BASE
    for settings in ({"league.no-such": 1}, {"nothing.at-all": 1}, {"league.lanes": "many"}):
        with pytest.raises(UserError, match=next(iter(settings))):
            with_settings(BASE, settings)


def test_games_and_teachers_are_shared_where_they_would_be_the_same():
    def shared(name):
        first, *others = variants(name, BASE).values()
        return {(same(first, other, GAMES), same(first, other, IMITATION)) for other in others}

    assert shared("off-policy") == shared("matchmaking") == {(True, True)}
    assert shared("architecture") == shared("popart") == {(True, False)}
    assert shared("camera") == {(False, False)}


def test_a_budget_is_a_share_of_what_is_learned():
    half = scaled(BASE, 0.5, imitation=True)
    assert (half.record.games, half.supervised.steps, half.league.updates) == (144, 400, 150)
    kept = scaled(BASE, 1e-9, imitation=False)
    assert (kept.record, kept.supervised, kept.league.updates) == (BASE.record, BASE.supervised, 1)


def test_a_copy_is_whole_or_not_there(tmp_path, monkeypatch):
    (tmp_path / "demos").mkdir()
    (tmp_path / "demos" / "shard").write_text("games")

    def full(*_):
        raise OSError

    monkeypatch.setattr("shutil.copy2", full)
    monkeypatch.setattr("os.link", full)
    with pytest.raises((OSError, shutil.Error)):
        copy_tree(tmp_path / "demos", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    monkeypatch.undo()
    copy_tree(tmp_path / "demos", tmp_path / "other")
    assert (tmp_path / "other" / "shard").read_text() == "games"


class FakeTraining:
    """Leaves what a training leaves, and remembers what it found."""

    found: dict[str, set[str]] = {}

    def __init__(self, run, tools, config):
        self.run = run

    def agents(self):
        path = self.run.path
        things = ("demos", "teacher.safetensors", "agent.safetensors")
        self.found[self.run.name] = {thing for thing in things if (path / thing).exists()}
        (path / "demos").mkdir(exist_ok=True)
        (path / "demos" / "shard").write_text("games")
        for name in ("teacher", "agent"):
            agent_path(path, name).write_bytes(name.encode())
        self.run.log("league", 10, {"main_agent/loss/kl": 0.5})


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment_module, "Training", FakeTraining)
    monkeypatch.setattr(experiment_module, "make_tools", lambda setup: None)
    monkeypatch.setattr(FakeTraining, "found", {})

    def make(name, seed=1):
        return Experiment(name, replace(BASE, seed=seed), None, games=10, folder=tmp_path / name / f"seed-{seed}")

    return make


def test_later_variants_begin_from_the_first_ones_games_and_teacher(experiment):
    for name, expected in (
        ("off-policy", {"demos", "teacher.safetensors"}),
        ("architecture", {"demos"}),
        ("camera", set()),
    ):
        runs = experiment(name)
        for variant in runs.variants:
            runs.train(variant)
        first, *others = runs.variants
        assert FakeTraining.found[first] == set()
        assert all(FakeTraining.found[other] == expected for other in others)
        assert runs.base_teacher() is None or runs.base_teacher()[0].parent == runs.folder
        runs.train(first)
        assert FakeTraining.found[first] >= {"demos", "agent.safetensors"}, "the same command goes on"


def test_the_plan_counts_what_is_shared_once(experiment):
    text = plan([experiment("off-policy")])
    assert text.count("288 games") == 1 and text.count("345 updates of the league") == 3
    assert text.count("games and teacher of") == 2
    two = plan([experiment("off-policy", seed) for seed in (1, 2)])
    minutes, twice = (float(said.split("roughly ")[1].split()[0]) for said in (text, two))
    assert twice == pytest.approx(2 * minutes, abs=1)


def test_the_comparison_adds_up_the_games_of_all_seeds(experiment):
    both = [experiment("off-policy", seed) for seed in (1, 2)]
    for runs in both:
        for variant in runs.variants:
            runs.train(variant)
    scores = [{variant: {"easy": score} for variant in both[0].variants} for score in (Score(6, 2, 2), Score(9, 0, 1))]
    page = compare(both[0].folder.parent, both, scores)
    result = json.loads((page.parent / "comparison.json").read_text())
    easy = result["win_rates"]["vtrace"]["easy"]
    assert (easy["wins"], easy["draws"], easy["losses"]) == (15, 2, 3) and easy["mid"] == pytest.approx(0.8)
    assert easy["each"] == pytest.approx([0.7, 0.9]) and result["seeds"] == [1, 2]
    assert result["settings"]["vtrace"] == {"league.losses.upgo": 0.0, "league.reuse": 2}
    text = page.read_text()
    assert all(variant in text for variant in both[0].variants) and text.count("<svg") == 2
    assert "80.0%" in text and "70.0%, 90.0%" in text


def test_each_seed_has_a_folder_of_its_own():
    experiments = AblateConfig("popart", seed=3, seeds=2).experiments()
    assert [(e.base.seed, e.folder.name) for e in experiments] == [(3, "seed-3"), (4, "seed-4")]
    assert all(config.seed == e.base.seed for e in experiments for config in e.variants.values())


@pytest.fixture
def trained(tmp_path):
    """Folders of runs that have a teacher, by changes to the usual settings."""

    def make(name, **changes):
        with RunFolder.create_or_resume(name, replace(BASE, name=name, **changes), root=tmp_path) as run:
            agent_path(run.path, "teacher").write_bytes(b"teacher")
        return run.path

    return make


def test_an_ablation_begins_from_runs_of_different_seeds(trained):
    paths = tuple(trained(f"run-{seed}", seed=seed) for seed in (4, 7))
    experiments = AblateConfig("popart", base=paths, budget=0.5).experiments()
    assert [(e.base.seed, e.start, e.folder.name) for e in experiments] == [
        (4, paths[0], "seed-4"),
        (7, paths[1], "seed-7"),
    ]
    assert all(e.base.league.updates == BASE.league.updates / 2 and e.base.record == BASE.record for e in experiments)


def test_runs_that_differ_in_more_than_their_seed_are_refused(trained):
    first = trained("first")
    for other, said in (
        (trained("same"), "same seed"),
        (trained("other", seed=1, record=replace(BASE.record, games=3)), "differ in record.games"),
        (trained("races", league=replace(BASE.league, races=("terran", "zerg")), race=("random", "random")), "several"),
        (first.parent / "nowhere", "no teacher"),
    ):
        with pytest.raises(UserError, match=said):
            AblateConfig("popart", base=(first, other)).experiments()
    with pytest.raises(UserError, match="--seeds"):
        AblateConfig("popart", base=(first,), seeds=2)


def test_an_unknown_ablation_is_refused_in_one_line(capsys):
    assert main(["ablate", "no-such"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "off-policy" in said
    assert main(["ablate", "popart", "--name", "../x"]) == 2
    assert main(["ablate", "popart", "--from", str(Path("no", "run"))]) == 2
