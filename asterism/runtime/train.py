"""`asterism train`: record, imitate, improve in the league, evaluate, report; the same command resumes."""

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import jax

from asterism.demos import open_demos
from asterism.demos.strategies import StrategyLibrary
from asterism.errors import UserError, require_at_least
from asterism.files import write_atomic
from asterism.interface.network import Params
from asterism.runtime.agents import TEACHER, agent_path, league_agents, load_agent, race_of, save_agent
from asterism.runtime.checkpoints import Checkpoints
from asterism.runtime.cluster.connect import check
from asterism.runtime.cluster.settings import ClusterSettings
from asterism.runtime.config_file import to_json
from asterism.runtime.league import LeagueStage
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.matches import Matches, Score, evaluate_agent, table
from asterism.runtime.memory import peak_memory, release_memory
from asterism.runtime.playoff import playoff
from asterism.runtime.record import RecordSettings, record_games
from asterism.runtime.report import film_agent, make_report, read_json
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, Tools, make_tools, start_jax
from asterism.runtime.strategies import strategies_to_follow
from asterism.runtime.supervised import SupervisedSettings, best_players, train_supervised
from asterism.runtime.wandb_log import WandbLog

MAY_CHANGE = ("evaluation", "wandb", "cluster", "distributed")
"""Settings that may differ when a run goes on."""


@dataclass(frozen=True)
class EvaluationSettings:
    """Games at the end of training; `asterism evaluate` plays more."""

    games: int = 40
    """Games against each opponent."""
    seed: int = 1
    """Seed of the games."""

    def __post_init__(self):
        require_at_least(self, "evaluation", 1, ("games",))
        require_at_least(self, "evaluation", 0, ("seed",))


@dataclass(frozen=True)
class TrainConfig:
    """Records games, imitates them, trains a league, evaluates and reports; the same command goes on where it stopped.

    With the defaults it needs about 4 GB of memory, 300 MB of disk and 20 minutes on two cores.
    """

    name: str = "first-light"
    """Name of the run: its folder is runs/NAME."""
    seed: int = 0
    """Seed of all randomness: the same seed and settings give the same weights on the same machine."""
    race: tuple[str, str] | None = None
    """Races of the two players, any of the nine match-ups, with all units (`--setup.game.rules full`). The agent learns
    both sides. A race that is random is drawn for each game: random random plays all match-ups, from the recorded games
    on. None: Terrans with the 15 units of the first rules."""
    setup: Setup = field(default_factory=Setup)
    record: RecordSettings = field(default_factory=RecordSettings)
    supervised: SupervisedSettings = field(default_factory=SupervisedSettings)
    league: LeagueTraining = field(default_factory=LeagueTraining)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    cluster: str | None = None
    """Address of the Ray cluster on which the league trains, such as 192.0.2.1:6379, or local for one on this machine.
    None: in this process. A run's league stays where it began, in a cluster (any one) or in a process."""
    distributed: ClusterSettings = field(default_factory=ClusterSettings)
    wandb: bool = False
    """Sends all curves to Weights & Biases too (pip install -e '.[wandb]'); metrics.jsonl and TensorBoard always have
    them."""

    def __post_init__(self):
        require_at_least(self, "train", 0, ("seed",))
        if self.race is not None:
            game = replace(self.setup.game, rules="full", races=self.race)
            object.__setattr__(self, "setup", replace(self.setup, game=game))
        # Before a folder of settings that cannot be changed is made.
        if set(self.league.races) - {"terran"} and self.setup.game.rules != "full":
            raise UserError("league setting races needs a game of these races: add --setup.game.rules full")

    @property
    def needs(self) -> str:
        """Memory and time that the run takes on a CPU beyond its updates, as measured at size tiny; in words."""
        full = self.setup.game.rules == "full"
        memory = 6 if full or self.league.cohort > 3 else 4
        more = "about" if self.setup.size == "tiny" else "more than"
        return f"{more} {memory} GB of memory" + (
            ", ten minutes and more to compile the rules of all races" if full else ""
        )

    def run(self) -> None:
        """Trains to the end."""
        print(f"asterism train: run runs/{self.name}, {self.needs}; Ctrl-C stops, the same command goes on")
        if self.cluster is not None:
            check(self.cluster)
        start_jax()
        with RunFolder.create_or_resume(self.name, self, may_change=MAY_CHANGE) as run:
            if self.wandb:
                run.also_log(WandbLog(run.path, run.name, to_json(self)))
            check_place(run, self.cluster)
            tools = make_tools(self.setup)
            Training(run, tools, self).run()
            print(f"done: open {run.report_path}")


def check_place(run: RunFolder, cluster: str | None) -> None:
    """Raises UserError if the run's league has begun on a cluster and is to go on without one, or the reverse."""
    if cluster is None and run.checkpoints("cluster").exists():
        raise UserError(f"{run.path} has begun its league with --cluster: go on so, or give another --name")
    if cluster is not None and Checkpoints(run.checkpoints("league")).steps():
        raise UserError(f"{run.path} has begun its league without --cluster: go on so, or give another --name")


class Training:
    """The stages of a run, each skipped where it is done."""

    def __init__(self, run: RunFolder, tools: Tools, config: TrainConfig):
        self.run_folder, self.tools, self.config = run, tools, config
        self.demos_folder = run.path / "demos"

    def run(self) -> None:
        """All stages in turn."""
        config = self.config
        agents, teacher = self.agents()
        with self.facts("evaluate"):
            self.evaluate(agents, teacher)
        with self.facts("report"):
            run, tools = self.run_folder, self.tools
            make_report(run, config, tools, film_agent(run, config, tools, "rush", config.evaluation.seed))

    def agents(self) -> tuple[dict[str, Params], Params]:
        """The agents by name, and their teacher: all stages in which something is learned."""
        config, path = self.config, self.run_folder.path
        with self.facts("record"):
            record_games(self.demos_folder, self.tools.game, config.record, config.seed)
        demos = open_demos(self.demos_folder)
        teacher = self.learned(TEACHER, lambda: self.imitate(demos))
        names = league_agents(config.league.races)
        if not all(agent_path(path, name).exists() for name in names):
            self.improve(demos, teacher)
        return {name: load_agent(path, name, self.tools) for name in names}, teacher

    def learned(self, name: str, learn) -> Params:
        """The agent called `name`: from its file, or else learned and written."""
        path = self.run_folder.path
        if not agent_path(path, name).exists():
            save_agent(path, name, learn(), self.config.setup)
        return load_agent(path, name, self.tools)

    def imitate(self, demos) -> Params:
        """The supervised stage."""
        with self.facts("supervised"):
            return train_supervised(self.run_folder, self.tools, demos, self.config.supervised, self.config.seed)

    def improve(self, demos, teacher: Params) -> None:
        """The league stage, and the playoffs that decide which of its players become the agents."""
        with self.facts("league"):
            best = best_players(demos.entries, self.config.supervised.winners_within)
            library = strategies_to_follow(demos, best, self.tools.game, self.config.league.strategies)
            stage = self.league_stage(teacher, library)
            stage.train()
        for name, race in zip(league_agents(self.config.league.races), stage.races, strict=True):
            self.learned(name, lambda race=race, name=name: self.choose(name, stage.candidates(race), teacher))

    def league_stage(self, teacher: Params, library: StrategyLibrary):
        """The league stage, in this process or on a cluster."""
        run, config = self.run_folder, self.config
        if config.cluster is None:
            return LeagueStage(run, self.tools, teacher, library, config.league, config.seed)
        from asterism.runtime.cluster.league_stage import ClusterStage

        settings = config.league, config.distributed, config.cluster
        return ClusterStage(run, self.tools, config.setup, teacher, library, *settings)

    def choose(self, agent: str, candidates: dict[str, Params], teacher: Params) -> Params:
        """The winner of the playoff; without one, the main agent as it is."""
        games = self.config.league.playoff_games
        if not games or len(candidates) == 1:
            return next(iter(candidates.values()))
        with self.facts("playoff"):
            path, policies = self.run_folder.path / "playoff.json", {n: p.policy for n, p in candidates.items()}
            matches, races = Matches(self.tools, games), (race_of(agent), 0)
            name, scores = playoff(path, matches, policies, teacher.policy, games, self.config.seed, races)
        print(f"playoff against the teacher: {agent} is {name}")
        print(table(scores))
        return candidates[name]

    def evaluate(self, agents: dict[str, Params], teacher: Params) -> None:
        """Games of agents and teacher against all bots, and of agents against teacher; written to evaluation.json.

        Those that were played with the same settings are not played again. Who stops meanwhile loses the games against
        one opponent.
        """
        games, seed = self.config.evaluation.games, self.config.evaluation.seed
        matches, path = Matches(self.tools, games), self.run_folder.path / "checkpoints" / "evaluation.json"
        path.parent.mkdir(exist_ok=True)
        played = read_json(path)

        def score(name: str, policy, others: dict) -> dict[str, Score]:
            known = played.setdefault(f"{name}, {games} games, seed {seed}", {})
            keep = lambda: write_atomic(path, json.dumps(played))  # noqa: E731
            races = race_of(name), 0
            return evaluate_agent(matches, policy, others, games, seed, played=known, keep=keep, races=races)

        scores = {name: score(name, agent.policy, {TEACHER: teacher.policy}) for name, agent in agents.items()}
        scores[TEACHER] = score(TEACHER, teacher.policy, {})
        for name, by_opponent in scores.items():
            print(f"{name}\n{table(by_opponent)}")
        write_atomic(self.run_folder.path / "evaluation.json", json.dumps(scores))

    @contextmanager
    def facts(self, stage: str) -> Iterator[None]:
        """Adds a stage's time and the process's memory to facts.json, for the report; then lets go of memory."""
        began = time.monotonic()
        yield
        release_memory()
        path = self.run_folder.path / "facts.json"
        facts = read_json(path)
        facts[stage] = {
            "time in the last session": f"{time.monotonic() - began:.0f} s",
            "peak memory so far": f"{peak_memory():.1f} GB",
            "machine": f"{jax.devices()[0].device_kind}, {platform.machine()}, JAX {jax.__version__}",
        }
        write_atomic(path, json.dumps(facts))
