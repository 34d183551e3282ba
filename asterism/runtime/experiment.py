"""The runs of an ablation with one seed: variants that differ in one respect, and then meet the same opponents."""

import json
import os
import shutil
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from asterism.files import write_atomic
from asterism.runtime.ablations import variants
from asterism.runtime.agents import TEACHER, agent_path, load_agent
from asterism.runtime.matches import Guest, Matches, Score, evaluate_agent, table
from asterism.runtime.players import BOTS
from asterism.runtime.report import read_json
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, make_tools
from asterism.runtime.train import TrainConfig, Training
from asterism.web.figures import Line

GAMES = ("seed", "race", "setup.size", "setup.game", "record")
"""Settings on which the recorded games depend,"""
IMITATION = (*GAMES, "setup", "supervised")
"""and those on which the teacher depends."""
SECONDS = {"record": 0.8, "supervised": 0.7, "league": 0.8, "evaluate": 0.3}
"""Of a game, an update, an update, a game, at size tiny on two cores; and COMPILING is added to each stage."""
COMPILING = 90.0


Scores = dict[str, dict[str, Score]]
"""By variant and opponent."""


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


class Experiment:
    """The runs of an ablation with the seed of `base`, in a folder of their own."""

    def __init__(self, name: str, base: TrainConfig, start: Path | None, games: int, folder: Path):
        """`start`: a run with the settings `base` whose games and teacher are used; `games`: against each opponent."""
        self.name, self.base, self.start, self.games = name, base, start, games
        self.folder = folder
        self.variants = variants(name, base)

    def sources(self, variant: str) -> dict[Path, TrainConfig]:
        """Runs that are finished when this one begins."""
        earlier = list(self.variants)[: list(self.variants).index(variant)]
        first = {self.start: self.base} if self.start else {}
        return first | {self.folder / name: self.variants[name] for name in earlier}

    def plan(self) -> tuple[list[str], float]:
        """What there is to do, a line or two for each variant, and roughly for how many seconds."""
        lines, seconds = [], 0.0
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
        return lines, seconds

    def run(self) -> Scores:
        """Trains the variants that are not finished, and plays the games."""
        for number, variant in enumerate(self.variants, 1):
            print(f"seed {self.base.seed}, variant {number} of {len(self.variants)}: {variant}", flush=True)
            self.train(variant)
        return self.evaluate()

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

    def evaluate(self) -> Scores:
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
            known = played.setdefault(f"{variant}, {self.games} games, seed {self.base.seed}", {})
            keep = lambda: write_atomic(path, json.dumps(played))  # noqa: E731
            scores[variant] = evaluate_agent(mine, policy, others, self.games, self.base.seed, played=known, keep=keep)
            print(f"{variant}\n{table(scores[variant])}")
        return scores

    def series(self) -> dict[str, dict[str, Line]]:
        """What each variant's league logged, by name: (updates, values)."""
        found = {}
        for variant in self.variants:
            with RunFolder.open(self.folder / variant) as run:
                found[variant] = run.series().get("league", {})
        return found
