"""The league stage: learners improve by reinforcement against opponents that the league chooses."""

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from asterism.demos.strategies import StrategyLibrary
from asterism.interface.network import Params
from asterism.league import League, Outcome, PlayerKind, Result, Snapshot, founding_players
from asterism.learning.reinforcement import LearnerState, Scale, Trajectory, reinforcement_update
from asterism.runtime.checkpoints import Checkpoints, save_weights
from asterism.runtime.devices import ALL, EACH, EACH_STEP, games_mesh, gathered, over_games
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.players import strong
from asterism.runtime.progress import stage
from asterism.runtime.records import open_records
from asterism.runtime.rollout import Conditioning, Finished, RolloutSizes, Workers, collect, fresh_workers
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools
from asterism.runtime.snapshots import WeightsCache, load_snapshot
from asterism.runtime.supervised import pack, unpack

NAME = "league"
RACE = "terran"


class Group(NamedTuple):
    """What one group of lanes plays."""

    opponent: str
    games: int
    """Games finished against this opponent."""


@dataclass
class Learner:
    """One learner of the league, as the loop carries it along."""

    state: LearnerState
    workers: Workers
    groups: list[Group | None]
    updates: int = 0
    tally: list[tuple[str, float]] = field(default_factory=list)
    """Opponent and reward of the games since the last entry in the metrics."""


def make_optimizer(settings: LeagueTraining) -> optax.GradientTransformation:
    """Adam without momentum (AlphaStar: beta1 0, beta2 0.99, epsilon 1e-5)."""
    rates = {"policy": settings.learning_rate, "value": settings.value_learning_rate}
    adams = {part: optax.adam(rate, *settings.adam) for part, rate in rates.items()}
    return optax.chain(
        optax.clip_by_global_norm(settings.clip), optax.multi_transform(adams, Params(policy="policy", value="value"))
    )


class Compiled(NamedTuple):
    """New games, and the two halves of an iteration; apart, since compiling them as one takes twice the memory."""

    start: Any
    """Keys of the lanes -> workers."""
    collect: Any
    """(policy, opponents, workers, restart, keys) -> (workers, trajectories, finished, share of lanes due)."""
    update: Any
    """(learner state, teacher, trajectories, rates) -> (learner state, the teacher's memory, metrics)."""


def compile_iteration(tools: Tools, settings: LeagueTraining, conditioning: Conditioning, optimizer) -> Compiled:
    """Collecting trajectories and learning from them; compiled when first called."""
    game, network = tools.game, tools.network
    description = game.description
    scale = Scale(game.size.location, description.map_cells, description.loops_per_second)
    one_update = reinforcement_update(network, description.uses, settings.losses, scale, optimizer, settings.learn)

    def gather(policy, opponents, workers: Workers, restart, keys):
        sizes = RolloutSizes(settings.unroll, settings.steps)
        return strong(collect(game, network, sizes, conditioning, policy, opponents, workers, restart, keys))

    def update(state: LearnerState, teacher: Params, batch: Trajectory, rates: Params):
        for _ in range(settings.reuse):
            state, carries, metrics = one_update(state, teacher, batch, rates)
        metrics |= {"rate/steps": batch.mask.sum(), "temperature": network.temperature(state.params.policy)}
        return strong((state, carries, metrics))

    mesh = games_mesh(settings.groups)
    start = over_games(lambda keys: strong(fresh_workers(game, network, conditioning, keys)), mesh, (EACH,), EACH)
    inputs, outputs = (ALL, EACH, EACH, EACH, EACH), (EACH, EACH, EACH_STEP, EACH)
    return Compiled(start, over_games(gather, mesh, inputs, outputs, donate=2), jax.jit(update, donate_argnums=0))


class LeagueStage:
    """The loop around compiled iterations: matches, results, frozen copies, checkpoints."""

    def __init__(
        self,
        run: RunFolder,
        tools: Tools,
        teacher: Params,
        library: StrategyLibrary,
        settings: LeagueTraining,
        seed: int,
    ):
        self.run, self.tools, self.settings, self.seed = run, tools, settings, seed
        self.founder = gathered(tools.network.cooled(teacher, settings.temperature))
        """What the learners begin as, and are held to: the teacher at their temperature."""
        self.weights_folder = run.path / "league"
        self.founder_path = self.weights_folder / "founder.safetensors"
        self.optimizer = make_optimizer(settings)
        conditioning = Conditioning(library, settings.z_probability, settings.reward_probability)
        self.compiled = compile_iteration(tools, settings, conditioning, self.optimizer)
        self.league = League(open_records(run, settings.records), settings.league)
        self.bank = WeightsCache(lambda player: self.frozen(player).policy, settings.opponents_mib * 2**20)
        """Policies of frozen players."""

    def prepare(self) -> None:
        """Makes the learners, and founds the league at once if no values are to be learned before."""
        self.weights_folder.mkdir(exist_ok=True)
        players = founding_players(self.settings.league, {RACE: None})
        self.learners = {player.id: self.new_learner(i) for i, player in enumerate(players) if player.is_learner}
        mains = [player.id for player in players if player.kind is PlayerKind.MAIN_AGENT]
        self.main = mains[0]
        others = [name for name in self.learners if name not in mains]
        turns = mains * self.settings.main_turns
        self.schedule = [name for other in others for name in (*turns, other)] or turns
        if not self.league.state.players and self.settings.burn_in + self.settings.value_updates == 0:
            self.found(self.founder, 0)

    def new_learner(self, index: int) -> Learner:
        """A learner with the founder's weights and new games."""
        key = jax.random.fold_in(jax.random.key(self.seed), 1000 + index)
        workers = self.compiled.start(jax.random.split(key, self.settings.lanes))
        return Learner(self.fresh_state(self.founder), workers, [None] * self.settings.groups)

    def fresh_state(self, params: Params) -> LearnerState:
        """A copy of the weights (an update gives its own away), and an optimizer that has seen nothing."""
        params = jax.tree.map(jnp.array, params)
        return gathered(LearnerState(params, self.optimizer.init(params)))

    def policy(self, player: str) -> Any:
        """The policy of a learner as it is now, or of a frozen player."""
        if player in self.learners:
            return self.learners[player].state.params.policy
        return self.bank[player]

    def frozen(self, player: str) -> Params:
        """The weights of a frozen player."""
        return load_snapshot(
            self.weights_folder, self.league.state.players[player].weights, self.tools.example_params()
        )

    def found(self, params: Params, update: int) -> None:
        """Founds the league, whose players all begin with the values that the first updates learned; the policy is
        still the founder's."""
        digest = save_weights(self.founder_path, params, {"player": "founder"})
        self.league.populate({RACE: Snapshot(self.founder_path.name, digest)}, update)
        for name, learner in self.learners.items():
            if name != self.main:
                learner.state = self.fresh_state(params)

    def find_opponents(self, name: str, only_itself: bool, rng: np.random.Generator) -> np.ndarray:
        """Gives new opponents to the groups that need one; returns which lanes begin anew."""
        learner, lanes = self.learners[name], self.settings.lanes
        restart = np.zeros((self.settings.groups, lanes // self.settings.groups), bool)
        for i, group in enumerate(learner.groups):
            if group is None or group.games >= self.settings.match_games:
                learner.groups[i] = Group(name if only_itself else self.league.match(name, rng).away, 0)
                restart[i] = True
        return restart.reshape(lanes)

    def spread(self, update: int) -> np.ndarray:
        """Lanes that begin anew in an update of the burn-in, a few in each: or else all games end together."""
        lanes = np.arange(self.settings.lanes)
        return lanes * self.settings.burn_in // self.settings.lanes == update - 1

    def record(self, name: str, update: int, finished: Finished) -> None:
        """Writes the results of an iteration into the league."""
        learner, results = self.learners[name], []
        per_group = self.settings.lanes // self.settings.groups
        done, reward = np.asarray(finished.done), np.asarray(finished.reward)
        for step, lane in zip(*np.nonzero(done), strict=True):
            i = int(lane) // per_group
            group, value = learner.groups[i], float(reward[step, lane])
            learner.groups[i] = group._replace(games=group.games + 1)
            learner.tally.append((group.opponent, value))
            match = f"{update}/{step}/{lane}"
            results.append(Result(match, name, group.opponent, Outcome(int(np.sign(value))), update))
        if self.league.state.players:  # Before it is founded the main agent plays itself, which counts for nothing.
            self.league.record_results(results)

    def grow(self, name: str, update: int, rng: np.random.Generator) -> None:
        """Adds a frozen copy of a learner that is due for one, and resets the learner if its kind asks for it."""
        if not self.league.ready_to_checkpoint(name):
            return
        learner = self.learners[name]
        path = self.weights_folder / f"{name}_{update}.safetensors"
        digest = save_weights(path, learner.state.params, {"player": name, "update": update})
        steps = self.league.state.steps[name]
        checkpoint = self.league.checkpoint(name, Snapshot(path.name, digest), steps, update, rng)
        if checkpoint.reset_to is not None:
            params = load_snapshot(self.weights_folder, checkpoint.reset_to, self.tools.example_params())
            learner.state = self.fresh_state(params)

    def step(self, update: int) -> int:
        """Update number `update` (the first is 1), of the learner whose turn it is; returns its agent steps."""
        turn = update - self.settings.burn_in - self.settings.value_updates - 1
        only_values = turn < 0
        name = self.main if only_values else self.schedule[turn % len(self.schedule)]
        learner = self.learners[name]
        rng = np.random.default_rng([self.seed, update])
        rates = Params(0.0 if only_values else 1 - turn / self.settings.updates, float(update > self.settings.burn_in))
        restart = self.find_opponents(name, only_values, rng) | self.spread(update)
        opponents = jax.tree.map(lambda *w: jnp.stack(w), *[self.policy(g.opponent) for g in learner.groups])
        keys = jax.random.split(jax.random.fold_in(jax.random.key(self.seed), update), self.settings.lanes)
        workers, batch, finished, due = self.compiled.collect(
            learner.state.params.policy, opponents, learner.workers, restart, keys
        )
        learner.state, carries, metrics = self.compiled.update(learner.state, self.founder, gathered(batch), rates)
        learner.workers = workers._replace(teacher_carry=carries)
        learner.updates += 1
        self.record(name, update, finished)
        steps = int(metrics["rate/steps"])
        if only_values:
            if turn == -1:
                self.found(learner.state.params, update)
        else:
            self.league.record_steps({name: self.league.state.steps[name] + steps}, update)
            self.grow(name, update, rng)
        if learner.updates % self.settings.log_every == 0:
            self.log(name, update, metrics | {"rate/due": due.mean()})
        return steps

    def log(self, name: str, update: int, metrics: dict[str, Any]) -> None:
        """Writes the losses, and the win rates by kind of opponent since the last time."""
        learner = self.learners[name]
        short = name.removesuffix(f"_{RACE}_0")
        scalars = {f"{key}_{short}" if "/" not in key else f"{short}/{key}": float(v) for key, v in metrics.items()}
        kinds: dict[str, list[float]] = {}
        for opponent, reward in learner.tally:
            kinds.setdefault("self" if opponent == name else opponent.split(f"_{RACE}")[0], []).append(reward)
        scalars |= {f"win_rate/{short} against {kind}": (np.mean(r) + 1) / 2 for kind, r in kinds.items()}
        learner.tally.clear()
        self.run.log(NAME, update, scalars)

    def candidates(self) -> dict[str, Params]:
        """The main agent as it is, then its frozen copies, the newest first."""
        copies = reversed(self.league.state.copies(self.main))
        return {self.main: self.learners[self.main].state.params} | {copy: self.frozen(copy) for copy in copies}

    def train(self) -> Params:
        """Trains to the end, going on from the newest checkpoint, and returns the main agent's weights."""
        self.prepare()
        settings = self.settings
        total = settings.burn_in + settings.value_updates + settings.updates
        with Checkpoints(self.run.checkpoints(NAME)) as checkpoints:
            done = self.restore(checkpoints)
            saved = time.monotonic()
            with stage(NAME, total, "updates", start=done) as bar:
                began, played = time.monotonic(), 0
                for update in range(done + 1, total + 1):
                    played += self.step(update)
                    rate = played / (time.monotonic() - began)
                    bar.advance(1, decisions_a_second=round(rate))
                    last = update == total
                    if last or time.monotonic() - saved > settings.checkpoint_seconds:
                        self.save(checkpoints, update)
                        saved = time.monotonic()
        return self.learners[self.main].state.params

    def _tree(self) -> Any:
        learners = self.learners.items()
        host = {name: {"updates": x.updates, "groups": x.groups, "tally": x.tally} for name, x in learners}
        return {name: (x.state, x.workers) for name, x in learners}, pack(host)

    def save(self, checkpoints: Checkpoints, update: int) -> None:
        """A checkpoint from which the stage goes on as if it had not stopped."""
        self.run.flush()
        checkpoints.save(update, self._tree())

    def restore(self, checkpoints: Checkpoints) -> int:
        """Goes back to the newest checkpoint, forgetting what came after it; returns the updates done."""
        update = checkpoints.latest() or 0
        self.league.truncate_after(update)
        self.run.truncate_after(NAME, update)
        if not update:
            return 0
        trees, host = checkpoints.restore(self._tree())
        for name, about in unpack(host).items():
            learner = self.learners[name]
            learner.state, learner.workers = trees[name]
            learner.updates = about["updates"]
            learner.groups = [None if group is None else Group(*group) for group in about["groups"]]
            learner.tally = [tuple(entry) for entry in about["tally"]]
        return update
