"""`asterism ablate NAME`: trains variants that differ in one respect, lets them meet the same opponents, compares."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Annotated, Any

import tyro

from asterism.errors import UserError, require_at_least, require_choice, require_positive
from asterism.files import write_atomic
from asterism.league import wilson
from asterism.runtime.ablations import ABLATIONS, variants
from asterism.runtime.agents import agent_path, load_agent
from asterism.runtime.config_file import differences, to_json
from asterism.runtime.matches import TEACHER, Guest, Matches, Score, evaluate_agent, table
from asterism.runtime.players import BOTS
from asterism.runtime.report import read_json
from asterism.runtime.run_folder import RunFolder, check_name
from asterism.runtime.setup import Setup, make_tools, start_jax
from asterism.runtime.train import TrainConfig, Training
from asterism.web.comparison import Comparison, write_comparison
from asterism.web.report import WinRate

GAMES = ("seed", "race", "setup.size", "setup.game", "record")
"""Settings on which the recorded games depend,"""
IMITATION = (*GAMES, "setup", "supervised")
"""and those on which the teacher depends."""
SECONDS = {"record": 0.8, "supervised": 0.7, "league": 0.8, "evaluate": 0.3}
"""Of a game, an update, an update, a game, at size tiny on two cores; and COMPILING is added to each stage."""
COMPILING = 90.0
CURVES = {
    "Win rate against the league's teacher in training": "win_rate/main_agent against teacher",
    "Loss of the win/loss value": "main_agent/loss/value/win_loss",
    "Divergence from the teacher": "main_agent/loss/kl",
    "Entropy loss": "main_agent/loss/entropy",
}


def same(one: TrainConfig, other: TrainConfig, names: tuple[str, ...]) -> bool:
    """Whether two configs agree in these settings."""
    get = lambda config, name: reduce(getattr, name.split("."), config)  # noqa: E731
    return all(get(one, name) == get(other, name) for name in names)


def scaled(config: TrainConfig, budget: float, imitation: bool) -> TrainConfig:
    """`budget` times the updates of the league, and with `imitation` the recorded games and the updates before it too.
    No playoff: each agent is the main agent as it is in the end."""

    def some(settings: Any, *names: str) -> Any:
        return replace(settings, **{name: max(1, round(budget * getattr(settings, name))) for name in names})

    league = replace(some(config.league, "burn_in", "value_updates", "updates"), playoff_games=0)
    config = replace(config, league=league)
    if not imitation:
        return config
    return replace(config, record=some(config.record, "games"), supervised=some(config.supervised, "steps"))


def copy_tree(source: Path, target: Path) -> None:
    """The same files in another folder, which is there whole or not at all; hard links where they can be."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, copy_function=link)
    part.rename(target)


def share(source: Path, learned: TrainConfig, target: Path, config: TrainConfig) -> None:
    """Lets a run have the recorded games and the teacher of a finished one, if they would be its own."""
    if not agent_path(source, TEACHER).exists():
        return
    demos = target / "demos"
    if same(learned, config, GAMES) and not demos.exists():
        copy_tree(source / "demos", demos)
    if same(learned, config, IMITATION) and not agent_path(target, TEACHER).exists():
        write_atomic(agent_path(target, TEACHER), agent_path(source, TEACHER).read_bytes())


def win_rate(opponent: str, score: Score) -> WinRate:
    """A row of the page."""
    rate, low, high = wilson(*score)
    return WinRate(opponent, *score, low, rate, high)


class Experiment:
    """The runs of an ablation, in a folder of their own."""

    def __init__(self, name: str, base: TrainConfig, start: Path | None, games: int, seed: int, folder: Path):
        """`start`: a run with the settings `base` whose games and teacher are used; `games`: against each opponent."""
        self.name, self.base, self.start, self.games, self.seed = name, base, start, games, seed
        self.folder = folder
        self.variants = variants(name, base)

    def sources(self, variant: str) -> dict[Path, TrainConfig]:
        """Runs that are finished when this one begins."""
        earlier = list(self.variants)[: list(self.variants).index(variant)]
        first = {self.start: self.base} if self.start else {}
        return first | {self.folder / name: self.variants[name] for name in earlier}

    def plan(self) -> str:
        """What there is to do, and roughly for how long."""
        ablation, seconds = ABLATIONS[self.name], 0.0
        lines = [f"asterism ablate {self.name}: {ablation.question}; {len(self.variants)} runs in {self.folder}"]
        for variant, config in self.variants.items():
            known = self.sources(variant).items()
            owner = lambda names: next((path for path, other in known if same(other, config, names)), None)  # noqa: B023, E731
            games, teacher = owner(GAMES), owner(IMITATION)
            updates = config.league.burn_in + config.league.value_updates + config.league.updates
            steps = [
                ("record", config.record.games, "games", games),
                ("supervised", config.supervised.steps, "updates of imitation", teacher),
                ("league", updates, "updates of the league", None),
                ("evaluate", self.games * (len(BOTS) + 1), "games of evaluation", None),
            ]
            due = [(stage, number, unit) for stage, number, unit, source in steps if source is None and number]
            seconds += sum(COMPILING + number * SECONDS[stage] for stage, number, _ in due)
            shared = {teacher: "teacher", games: "games and teacher" if games == teacher else "games"}
            lent = ", ".join(f"{what} of {path}" for path, what in shared.items() if path)
            lines.append(f"  {variant}: " + ", ".join(f"{number} {unit}" for _, number, unit in due))
            lines += [f"    with the {lent}"] if lent else []
        lines.append(
            f"roughly {seconds / 60:.0f} minutes and 4 GB of memory (size tiny, usual game, two cores) from the "
            "beginning; Ctrl-C stops, the same command goes on"
        )
        return "\n".join(lines)

    def run(self) -> Path:
        """Trains the variants that are not finished, plays the games, and returns the path of the comparison."""
        for number, variant in enumerate(self.variants, 1):
            print(f"variant {number} of {len(self.variants)}: {variant}", flush=True)
            self.train(variant)
        return self.compare(self.evaluate())

    def train(self, variant: str) -> None:
        """One variant's run, to its end."""
        config = self.variants[variant]
        with RunFolder.create_or_resume(variant, config, root=self.folder) as run:
            for source, learned in self.sources(variant).items():
                share(source, learned, run.path, config)
            Training(run, make_tools(config.setup), config).agents()

    def base_teacher(self) -> tuple[Path, Setup] | None:
        """The run whose teacher is the one of the base's settings, as far as there is one."""
        runs = self.sources(list(self.variants)[-1]) | {self.folder / n: c for n, c in self.variants.items()}
        found = ((path, config.setup) for path, config in runs.items() if same(config, self.base, IMITATION))
        return next(found, None)

    def evaluate(self) -> dict[str, dict[str, Score]]:
        """Games of each variant against the usual bots and a teacher; what was played is in scores.json."""
        path, base = self.folder / "scores.json", self.base_teacher()
        played, matches, scores = read_json(path), {}, {}
        for variant, config in self.variants.items():
            if config.setup not in matches:
                matches[config.setup] = Matches(make_tools(config.setup), self.games)
            mine = matches[config.setup]
            others = {}
            if base is None or base[1].game != config.setup.game:
                others["own teacher"] = load_agent(self.folder / variant, TEACHER, mine.tools).policy
            else:
                teacher, setup = base
                if setup not in matches:
                    matches[setup] = Matches(make_tools(setup), self.games)
                policy = load_agent(teacher, TEACHER, matches[setup].tools).policy
                others[TEACHER] = policy if setup == config.setup else Guest(matches[setup].agent, policy)
            policy = load_agent(self.folder / variant, "agent", mine.tools).policy
            known = played.setdefault(f"{variant}, {self.games} games, seed {self.seed}", {})
            keep = lambda: write_atomic(path, json.dumps(played))  # noqa: E731
            scores[variant] = evaluate_agent(mine, policy, others, self.games, self.seed, played=known, keep=keep)
            print(f"{variant}\n{table(scores[variant])}")
        return scores

    def compare(self, scores: Mapping[str, Mapping[str, Score]]) -> Path:
        """Writes comparison.json and the page, and returns the page's path."""
        settings, series = {}, {}
        for variant, config in self.variants.items():
            changed = differences(to_json(TrainConfig()), to_json(config))
            settings[variant] = {name: value for name, (_, value) in changed.items() if name != "name"}
            with RunFolder.open(self.folder / variant) as run:
                series[variant] = run.series().get("league", {})
        rows = {v: [win_rate(name, score) for name, score in by.items()] for v, by in scores.items()}
        lines = {
            title: {variant: found[name] for variant, found in series.items() if name in found}
            for title, name in CURVES.items()
        }
        result = {v: {row.opponent: row._asdict() for row in r} for v, r in rows.items()}
        write_atomic(self.folder / "comparison.json", json.dumps({"win_rates": result, "settings": settings}, indent=1))
        ablation, page = ABLATIONS[self.name], self.folder / "comparison.html"
        row = f"AlphaStar's ablation {ablation.row}" if ablation.row else "Not in the paper"
        summary = f"{row}: {ablation.question}. {self.games} games against each opponent."
        data = Comparison(f"Ablation: {self.name}", summary, rows, settings, {t: c for t, c in lines.items() if c})
        write_comparison(page, data)
        return page


@dataclass(frozen=True)
class AblateConfig:
    """Trains the variants of one of AlphaStar's ablations one after the other and compares them (docs/ablations.md).

    Writes runs/ablate-NAME: a run for each variant, comparison.html, comparison.json. The same command goes on where it
    stopped. Says what it will cost before it begins: with the defaults, up to 20 minutes for each variant on two cores.
    """

    ablation: tyro.conf.Positional[str]
    """Name of the ablation."""
    name: str | None = None
    """Name of the folder in `runs`; ablate-NAME if none is given. Other settings or another seed need another."""
    size: str = "tiny"
    """Size of interface and network: tiny, small or full."""
    budget: float = 1.0
    """How much is learned, as a share of what `asterism train` does by default (with `--from`: of what that run did in
    its league)."""
    games: int = 100
    """Games of each variant against each opponent at the end."""
    seed: int = 0
    """Seed of training and of these games."""
    base: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Folder of a run whose settings, recorded games and teacher are used where the ablation does not change them; its
    size and seed count then."""

    def __post_init__(self):
        require_choice("ablation", self.ablation, ABLATIONS)
        if self.name is not None:
            check_name(self.name)
        require_positive(self, "ablate", ("budget",))
        require_at_least(self, "ablate", 1, ("games",))
        if self.base is not None and not agent_path(self.base, TEACHER).exists():
            raise UserError(f"{self.base} has no teacher yet: train it first, or leave out --from")

    def experiment(self) -> Experiment:
        """What is to be trained and compared."""
        folder = Path("runs") / (self.name or f"ablate-{self.ablation}")
        if self.base is None:
            config = scaled(TrainConfig(seed=self.seed, setup=Setup(self.size)), self.budget, imitation=True)
        else:
            with RunFolder.open(self.base) as run:
                config = scaled(run.load_config(TrainConfig), self.budget, imitation=False)
        return Experiment(self.ablation, config, self.base, self.games, self.seed, folder)

    def run(self) -> None:
        """Trains, plays, compares."""
        experiment = self.experiment()
        print(experiment.plan(), flush=True)
        start_jax()
        print(f"done: open {experiment.run()}")
