"""The league stage on a cluster: the embedded game as a program, and the same stage as `runtime.league.LeagueStage`."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from asterism.demos.strategies import StrategyLibrary
from asterism.interface.network import Params
from asterism.league import League, Outcome, Store
from asterism.learning.reinforcement import LearnerState, Trajectory
from asterism.runtime.checkpoints import Checkpoints, load_weights, save_weights
from asterism.runtime.cluster.connect import connected
from asterism.runtime.cluster.program import Games, Rates
from asterism.runtime.cluster.settings import ClusterSettings, Schedule
from asterism.runtime.cluster.training import ClusterTraining, Places
from asterism.runtime.league import NAME, RACE, compile_iteration, make_optimizer
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.matches import Matches
from asterism.runtime.progress import stage
from asterism.runtime.rollout import Conditioning, Workers
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, Tools, make_tools

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
        conditioning = Conditioning(
            jax.tree.map(jnp.asarray, library), settings.z_probability, settings.reward_probability
        )
        self.compiled = compile_iteration(tools, settings, conditioning, self.optimizer)
        self.matches = Matches(tools, EVALUATED)
        self.teacher = founder
        """On the devices of the last update."""

    def init(self, weights: Params | None = None) -> LearnerState:
        """See `Program`."""
        params = jax.tree.map(jnp.array, self.founder if weights is None else weights)
        return LearnerState(params, self.optimizer.init(params))

    def weights(self, state: LearnerState) -> Params:
        """See `Program`."""
        return state.params

    def policy(self, weights: Params) -> Any:
        """See `Program`."""
        return weights.policy

    def start(self, keys: Any) -> Workers:
        """See `Program`."""
        return self.compiled.start(keys)

    def collect(self, policy: Any, opponents: list[Any], workers: Workers, restart: Any, keys: Any):
        """See `Program`."""
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *opponents)
        workers, batch, finished, _ = self.compiled.collect(policy, stacked, workers, restart, keys)
        return workers, batch, Games(np.asarray(finished.done), np.asarray(finished.reward))

    def update(self, state: LearnerState, memory: Any, batch: Trajectory, rates: Rates):
        """See `Program`. The memory is that of the teacher, who looks on."""
        place = lambda tree, like: jax.device_put(tree, jax.tree.map(lambda leaf: leaf.sharding, like))  # noqa: E731
        self.teacher = place(self.teacher, state.params)
        if memory is not None:
            batch = batch._replace(teacher_carry=place(memory, batch.teacher_carry))
        return self.compiled.update(state, self.teacher, batch, Params(*rates))

    def play(self, home: Any, away: Any, games: int, seed: int) -> list[int]:
        """See `Program`."""
        score = self.matches.score(home, away, games, seed)
        outcomes = [Outcome.WIN] * score.wins + [Outcome.DRAW] * score.draws + [Outcome.LOSS] * score.losses
        # Old games count less in the payoff: in order of their outcome, the losses would count most.
        return np.random.default_rng(seed).permutation(outcomes).tolist()


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
        if not (self.weights / FOUNDER).exists():
            save_weights(self.weights / FOUNDER, founder, {"player": "founder"})

    def schedule(self) -> Schedule:
        """The stage's settings, as learners and actors take them."""
        s = self.settings
        warm_up = s.burn_in + s.value_updates
        return Schedule(s.updates, s.burn_in, warm_up, s.match_games, s.checkpoint_seconds, s.log_every)

    def train(self) -> Params:
        """Trains to the end, going on from where an earlier call stopped, and returns the main agent's weights."""
        folder, schedule = self.run.checkpoints(CHECKPOINTS), self.schedule()
        places = Places(str(self.run.league_path.resolve()), str(self.weights.resolve()), str(folder.resolve()))
        newest = [Checkpoints(one).latest() or 0 for one in folder.iterdir()] if folder.exists() else []
        done = sum(max(0, update - schedule.warm_up) for update in newest)
        begin = partial(ClusterTraining, self.program, places, {RACE: FOUNDER}, self.settings.league, schedule)
        with connected(self.address), begin(self.cluster) as training:
            with stage(NAME, schedule.updates, "updates", start=min(done, schedule.updates)) as bar:
                for progress in training.watch():
                    now = min(sum(progress.done.values()), schedule.updates)
                    bar.advance(max(0, now - done), results=progress.results, players=progress.players)
                    done = max(now, done)
                    for step, row in progress.rows:
                        self.run.log(NAME, step, {short(name): value for name, value in row.items()})
            self.main = training.learners[0]
            self.agent = self.program().weights(training.saved(self.main).state)
        return self.agent

    def candidates(self) -> dict[str, Params]:
        """The main agent as it is, then its frozen copies, the newest first."""
        players = League(Store(self.run.league_path), self.settings.league).state
        load = lambda copy: load_weights(self.weights / players.players[copy].weights, self.tools.example_params())  # noqa: E731
        return {self.main: self.agent} | {copy: load(copy) for copy in reversed(players.copies(self.main))}


def short(name: str) -> str:
    """A metric's name without the race, which is that of all."""
    return name.replace(f"_{RACE}_0", "").replace(f"_{RACE}", "")
