"""The league stage on a cluster: the embedded game as a program, and the same stage as `runtime.league.LeagueStage`."""

import time
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from asterism.demos.strategies import StrategyLibrary
from asterism.errors import UserError
from asterism.interface.network import Params
from asterism.league import League, Snapshot, first_main_agents
from asterism.learning.reinforcement import Factors, LearnerState, Trajectory, fresh_learner
from asterism.runtime.arena import Races
from asterism.runtime.checkpoints import Checkpoints, save_weights, weights_metadata
from asterism.runtime.cluster.connect import connected
from asterism.runtime.cluster.program import Entrant, Games
from asterism.runtime.cluster.settings import ClusterSettings, Schedule
from asterism.runtime.cluster.training import ClusterTraining, Places
from asterism.runtime.cluster.vault import Saved
from asterism.runtime.curves import shortened
from asterism.runtime.league import NAME
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.matches import Matches
from asterism.runtime.memory import peak_memory
from asterism.runtime.population import make_optimizer, make_population
from asterism.runtime.progress import stage
from asterism.runtime.records import open_records
from asterism.runtime.rollout import Conditioning, Workers
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, Tools, make_tools
from asterism.runtime.snapshots import load_snapshot

CHECKPOINTS = "cluster"
"""The stage's checkpoints have a folder of their own: they are not those of the stage on one device."""
FOUNDER = "founder.safetensors"
EVALUATED = 20
"""Games that an evaluator plays side by side, at most."""


class LeagueProgram:
    """The embedded game and the agent's update, as `Program` has it."""

    def __init__(self, tools: Tools, founder: Params, library: StrategyLibrary, settings: LeagueTraining):
        """`founder`: the weights that learners begin with, and are held to."""
        self.tools, self.founder = tools, founder
        self.lanes, self.groups = settings.lanes, settings.groups
        self.optimizer = make_optimizer(settings)
        library = jax.tree.map(jnp.asarray, library)
        conditioning = Conditioning(library, settings.z_probability, settings.reward_probability)
        self.population = make_population(tools, replace(settings, cohort=1), conditioning, self.optimizer)
        self.race_number = settings.race_number
        self.teacher = founder
        """On the devices of the last update."""

    @cached_property
    def matches(self) -> Matches:
        """For evaluators alone."""
        return Matches(self.tools, EVALUATED)

    def init(self, weights: Params | None = None) -> LearnerState:
        """See `Program`."""
        params = jax.tree.map(jnp.array, self.founder if weights is None else weights)
        return fresh_learner(params, self.optimizer)

    def weights(self, state: LearnerState) -> Params:
        """See `Program`."""
        return state.params

    def policy(self, weights: Params) -> Any:
        """See `Program`."""
        return weights.policy

    def start(self, keys: Any) -> Workers:
        """See `Program`."""
        return self.population.start(Races(*np.zeros((2, 1, self.lanes), np.int32)), keys[None])

    def collect(self, own: Entrant, opponents: list[Entrant], workers: Workers, restart: Any, keys: Any):
        """See `Program`."""
        stacked = np.stack([self.population.flat(opponent.policy) for opponent in opponents])
        # The learner counts its updates itself; each process has a population of one.
        weights = self.population.flat(own.policy)[None], np.zeros(1, np.int32), stacked[None]
        inputs = self.races(own, opponents), restart[None], keys[None]
        workers, batch, finished, _ = self.population.collect(*weights, workers, *inputs)
        done, reward = (np.asarray(values)[0] for values in (finished.done, finished.reward))
        return workers, only(batch), Games(done, reward)

    def races(self, own: Entrant, opponents: list[Entrant]) -> Races:
        """Those of both players in each lane."""
        numbers = [[self.race_number(own.race)] * self.groups, [self.race_number(one.race) for one in opponents]]
        return Races(*np.array(numbers, np.int32).repeat(self.lanes // self.groups, 1)[:, None])

    def update(self, state: LearnerState, memory: Any, batch: Trajectory, factors: Factors):
        """See `Program`. The memory is that of the teacher, who looks on."""
        place = lambda tree, like: jax.device_put(tree, jax.tree.map(lambda leaf: leaf.sharding, like))  # noqa: E731
        self.teacher = place(self.teacher, state.params)
        if memory is not None:
            batch = batch._replace(teacher_carry=place(memory, batch.teacher_carry))
        inputs = population_of(state), self.teacher, population_of(batch), Factors(*np.float32(factors)[:, None])
        state, memory, metrics = only(self.population.update(*inputs))
        return state, memory, metrics

    def play(self, home: Entrant, away: Entrant, games: int, seed: int) -> list[int]:
        """See `Program`."""
        races = self.race_number(home.race), self.race_number(away.race)
        score = self.matches.score(home.policy, away.policy, games, seed, races=races)
        return [int(outcome) for outcome in score.shuffled(np.random.default_rng(seed))]


def population_of(one: Any) -> Any:
    """Arrays of one learner with a population axis."""
    return jax.tree.map(lambda leaf: leaf[None], one)


def only(population: Any) -> Any:
    """Arrays of the only learner of a population."""
    return jax.tree.map(lambda leaf: leaf[0], population)


def make_program(setup: Setup, founder: Params, library: StrategyLibrary, settings: LeagueTraining) -> LeagueProgram:
    """The program of a run."""
    return LeagueProgram(make_tools(setup), founder, library, settings)


class ClusterStage:
    """Trains the league on a cluster; candidates for the playoff are as those of a league on one device."""

    def __init__(
        self,
        run: RunFolder,
        tools: Tools,
        setup: Setup,
        teacher: Params,
        library: StrategyLibrary,
        settings: LeagueTraining,
        cluster: ClusterSettings,
        address: str,
    ):
        """`address`: as `connected` takes it."""
        self.run, self.tools, self.settings = run, tools, settings
        self.cluster, self.address = cluster, address
        founder = jax.device_get(tools.network.cooled(teacher, settings.temperature))
        self.program = partial(make_program, setup, founder, jax.device_get(library), settings)
        self.weights = run.path / "league"
        self.races = settings.races or (tools.game.settings.races[0],)
        self.first_of_race = first_main_agents(self.races)
        path = self.weights / FOUNDER
        if not path.exists():
            save_weights(path, founder, {"player": "founder"})
        self.founder = Snapshot(path.name, weights_metadata(path)["sha256"])

    def schedule(self) -> Schedule:
        """The stage's settings, as learners and actors take them."""
        s = self.settings
        warm_up = s.burn_in + s.value_updates
        return Schedule(s.updates, s.burn_in, warm_up, s.match_games, s.checkpoint_seconds, s.log_every, s.reuse, s.pbt)

    def train(self) -> Params:
        """Trains to the end, going on from where an earlier call stopped, and returns the main agent's weights."""
        folder, schedule = self.run.checkpoints(CHECKPOINTS), self.schedule()
        places = Places(*self.records(), str(self.weights.resolve()), str(folder.resolve()))
        newest = [Checkpoints(one).latest() or 0 for one in folder.iterdir()] if folder.exists() else []
        done = sum(max(0, update - schedule.warm_up) for update in newest)
        self.run.truncate_after(NAME, done)
        teachers = dict.fromkeys(self.races, self.founder)
        begin = partial(ClusterTraining, self.program, places, teachers, self.settings.league, schedule)
        with connected(self.address), begin(self.cluster) as training:
            with stage(NAME, schedule.updates, "updates", start=min(done, schedule.updates)) as bar:
                began, before = time.monotonic(), None
                for progress in training.watch():
                    before = progress.steps if before is None else before
                    rate = (progress.steps - before) / (time.monotonic() - began)
                    now = min(sum(progress.done.values()), schedule.updates)
                    bar.advance(max(0, now - done), results=progress.results, players=progress.players)
                    done = max(now, done)
                    for step, row in progress.rows:
                        row |= {"rate/decisions_a_second": rate, "memory/gigabytes": peak_memory()}
                        self.run.log(NAME, step, shortened(row, None if self.settings.races else self.races[0]))
            saved = {race: training.saved(name) for race, name in self.first_of_race.items()}
            self.agents = self.trained(saved)
        return self.agents[self.races[0]]

    def trained(self, saved: dict[str, Saved | None]) -> dict[str, Params]:
        """By race the weights of its main agent. Raises UserError for one that has not begun."""
        idle = [self.first_of_race[race] for race, one in saved.items() if one is None]
        if idle:
            raise UserError(
                f"{', '.join(idle)} never began to learn: the cluster has no room for all learners; train with another "
                "--name, fewer learners or more machines"
            )
        weights = self.program().weights
        return {race: weights(one.state) for race, one in saved.items()}

    def records(self) -> tuple[str, str | None]:
        """File or URL of the league's records, and who owns a database at a URL; it is this run's from now on."""
        url = self.settings.records
        if not url:
            return str(self.run.league_path.resolve()), None
        open_records(self.run, url).close()
        return url, self.run.owner_path.read_text()

    def candidates(self, race: str) -> dict[str, Params]:
        """The first main agent of a race as it is, then its frozen copies, the newest first."""
        state = League(open_records(self.run, self.settings.records), self.settings.league).state
        load = lambda copy: load_snapshot(self.weights, state.players[copy].weights, self.tools.example_params())  # noqa: E731
        main = self.first_of_race[race]
        return {main: self.agents[race]} | {copy: load(copy) for copy in reversed(state.copies(main))}
