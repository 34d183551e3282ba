"""`asterism ablate NAME`: trains variants that differ in one respect, with one seed or several, and compares them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from asterism.errors import UserError, require_at_least, require_choice, require_positive
from asterism.files import write_atomic
from asterism.runtime.ablations import ABLATIONS
from asterism.runtime.agents import TEACHER, agent_path
from asterism.runtime.config_file import differences, to_json
from asterism.runtime.experiment import Experiment, Scores, scaled
from asterism.runtime.matches import Score
from asterism.runtime.report import win_rate
from asterism.runtime.run_folder import RunFolder, check_name
from asterism.runtime.setup import Setup, start_jax
from asterism.runtime.train import TrainConfig
from asterism.web.comparison import Comparison, write_comparison
from asterism.web.figures import Line

CURVES = {
    "Win rate against the league's teacher in training": "win_rate/main_agent against teacher",
    "Loss of the win/loss value": "main_agent/loss/value/win_loss",
    "Divergence from the teacher": "main_agent/loss/kl",
    "Entropy loss": "main_agent/loss/entropy",
}


def plan(experiments: Sequence[Experiment]) -> str:
    """What there is to do, and roughly for how long."""
    first, *_ = experiments
    name, folder = first.name, first.folder.parent
    runs = len(experiments) * len(first.variants)
    plans = [experiment.plan() for experiment in experiments]
    lines = [f"asterism ablate {name}: {ABLATIONS[name].question}; {runs} runs in {folder}", *plans[0][0]]
    if len(experiments) > 1:
        seeds = ", ".join(str(experiment.base.seed) for experiment in experiments)
        lines.append(f"  the same with each of the seeds {seeds}")
    minutes = sum(seconds for _, seconds in plans) / 60
    lines.append(
        f"roughly {minutes:.0f} minutes and 4 GB of memory (size tiny, usual game, two cores) from the "
        "beginning; Ctrl-C stops, the same command goes on"
    )
    return "\n".join(lines)


def pooled(scores: Sequence[Scores]) -> Scores:
    """The games of all seeds together."""
    first, *_ = scores
    total = lambda variant, name: Score(*np.sum([one[variant][name] for one in scores], axis=0).tolist())  # noqa: E731
    return {variant: {name: total(variant, name) for name in by} for variant, by in first.items()}


def mean_line(lines: Sequence[Line]) -> Line:
    """The mean of curves over the steps of the first."""
    steps, _ = lines[0]
    return steps, np.mean([np.interp(steps, *line) for line in lines], axis=0)


def own_settings(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """What sets each variant apart from the usual run."""
    settings = {}
    for variant, config in experiment.variants.items():
        changed = differences(to_json(TrainConfig()), to_json(config))
        settings[variant] = {name: value for name, (_, value) in changed.items() if name not in ("name", "seed")}
    return settings


def mean_curves(experiments: Sequence[Experiment]) -> dict[str, dict[str, Line]]:
    """By title, a curve for each variant that has it with all seeds."""
    series = [experiment.series() for experiment in experiments]
    titles = {}
    for title, name in CURVES.items():
        lines = {variant: [by[variant].get(name) for by in series] for variant in series[0]}
        titles[title] = {variant: mean_line(found) for variant, found in lines.items() if all(found)}
    return {title: lines for title, lines in titles.items() if lines}


def compare(folder: Path, experiments: Sequence[Experiment], scores: Sequence[Scores]) -> Path:
    """Writes comparison.json and the page, and returns the page's path. `scores`: of each experiment."""
    first, *_ = experiments
    seeds = [experiment.base.seed for experiment in experiments]
    rows = {variant: [win_rate(*item) for item in by.items()] for variant, by in pooled(scores).items()}
    each = {
        variant: {
            row.opponent: [win_rate(row.opponent, by[variant][row.opponent]).mid for by in scores] for row in found
        }
        for variant, found in rows.items()
    }
    settings = own_settings(first)
    rates = {v: {row.opponent: row._asdict() | {"each": each[v][row.opponent]} for row in rows[v]} for v in rows}
    result = {"seeds": seeds, "win_rates": rates, "settings": settings}
    write_atomic(folder / "comparison.json", json.dumps(result, indent=1))
    ablation, page = ABLATIONS[first.name], folder / "comparison.html"
    source = f"AlphaStar's ablation {ablation.row}" if ablation.row else "Not in the paper"
    which = f"each of the seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else f"seed {seeds[0]}"
    games = f"{first.games} games against each opponent with {which}"
    summary = f"{source}: {ablation.question}. {games}."
    data = Comparison(f"Ablation: {first.name}", summary, rows, each, settings, mean_curves(experiments))
    write_comparison(page, data)
    return page


@dataclass(frozen=True)
class AblateConfig:
    """Trains the variants of one of AlphaStar's ablations one after the other and compares them (docs/ablations.md).

    Writes runs/ablate-NAME: a run for each seed and variant, comparison.html, comparison.json. The same command goes on
    where it stopped. Says what it will cost before it begins: with the defaults, up to 20 minutes for each run on two
    cores.
    """

    ablation: tyro.conf.Positional[str]
    """Name of the ablation."""
    name: str | None = None
    """Name of the folder in `runs`; ablate-NAME if none is given. Other settings need another."""
    size: str = "tiny"
    """Size of interface and network: tiny, small or full."""
    budget: float = 1.0
    """How much is learned, as a share of what `asterism train` does by default (with `--from`: of what that run did in
    its league)."""
    games: int = 100
    """Games of each variant against each opponent at the end."""
    seed: int = 0
    """First seed of training and of these games."""
    seeds: int = 1
    """Runs of each variant, with the seeds that follow; their games are added up."""
    base: Annotated[tuple[Path, ...], tyro.conf.arg(name="from")] = ()
    """Folders of runs whose settings, recorded games and teachers are used where the ablation does not change them;
    their size and seeds count then, and the seeds must differ."""

    def __post_init__(self):
        require_choice("ablation", self.ablation, ABLATIONS)
        if self.name is not None:
            check_name(self.name)
        require_positive(self, "ablate", ("budget",))
        require_at_least(self, "ablate", 1, ("games", "seeds"))
        for path in self.base:
            if not agent_path(path, TEACHER).exists():
                raise UserError(f"{path} has no teacher yet: train it first, or leave out --from")
        if self.base and self.seeds > 1:
            raise UserError("the seeds are those of the runs after --from: leave out --seeds, or leave out --from")

    @property
    def folder(self) -> Path:
        """Where all of it is kept."""
        return Path("runs") / (self.name or f"ablate-{self.ablation}")

    def experiments(self) -> list[Experiment]:
        """What is to be trained, by seed."""
        if self.base:
            bases = list(self.founders().values())
        else:
            first = TrainConfig(setup=Setup(self.size))
            seeds = range(self.seed, self.seed + self.seeds)
            bases = [scaled(replace(first, seed=seed), self.budget, imitation=True) for seed in seeds]
        starts = self.base or [None] * len(bases)
        return [
            Experiment(self.ablation, base, start, self.games, self.folder / f"seed-{base.seed}")
            for base, start in zip(bases, starts, strict=True)
        ]

    def founders(self) -> dict[Path, TrainConfig]:
        """The settings of the runs to begin from. UserError where more than name and seed differs, no seed does, or a
        league has an agent of each of several races."""
        configs = {}
        for path in self.base:
            with RunFolder.open(path) as run:
                configs[path] = scaled(run.load_config(TrainConfig), self.budget, imitation=False)
                if configs[path].league.races:
                    raise UserError(f"{path} has agents of several races (--league.races): ablations compare one agent")
        first, *others = configs.items()
        for path, config in others:
            changed = set(differences(to_json(first[1]), to_json(config))) - {"name", "seed"}
            if changed:
                raise UserError(f"{first[0]} and {path} differ in {min(changed)}: after --from only seeds may differ")
        if len({config.seed for config in configs.values()}) < len(self.base):
            raise UserError("two of the runs after --from have the same seed: each must have its own")
        return configs

    def run(self) -> None:
        """Trains, plays, compares."""
        experiments = self.experiments()
        print(plan(experiments), flush=True)
        start_jax()
        page = compare(self.folder, experiments, [experiment.run() for experiment in experiments])
        print(f"done: open {page}")
