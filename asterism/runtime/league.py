"""The league stage: learners improve by reinforcement against opponents that the league chooses."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from asterism.demos.strategies import StrategyLibrary
from asterism.interface.network import Params
from asterism.league import (
    League,
    LeagueSettings,
    Player,
    PlayerKind,
    Snapshot,
    first_main_agents,
    founding_players,
)
from asterism.league.pbt import explore, model_for
from asterism.learning.reinforcement import Factors, LearnerState, fresh_learner
from asterism.runtime.arena import Races
from asterism.runtime.checkpoints import Checkpoints, save_weights
from asterism.runtime.cohort import Cohort, Member, staggered, turns
from asterism.runtime.curves import entry, shortened
from asterism.runtime.devices import gathered
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.memory import peak_memory
from asterism.runtime.opponents import Opponents
from asterism.runtime.population import make_optimizer, make_population
from asterism.runtime.progress import stage
from asterism.runtime.records import open_records
from asterism.runtime.rollout import Conditioning
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools
from asterism.runtime.snapshots import WeightsCache, load_snapshot
from asterism.runtime.supervised import pack, unpack

NAME = "league"


def learners_in_order(races: tuple[str, ...], settings: LeagueSettings) -> list[Player]:
    """The learners of a league as cohorts are made of them: main agents first, and of each kind the races in turn."""
    players = founding_players(settings, dict.fromkeys(races))
    number = lambda player: int(player.id.rsplit("_", 1)[1])  # noqa: E731
    kinds = list(PlayerKind)
    return sorted(filter(lambda p: p.is_learner, players), key=lambda p: (kinds.index(p.kind), number(p)))


class LeagueStage:
    """The loop around compiled iterations: matches, results, frozen copies, checkpoints.

    First only values learn, in games between learners with the teacher's policy; then the league is founded, and its
    cohorts take turns.
    """

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
        self.races = settings.races or (tools.game.settings.races[0],)
        self.optimizer = make_optimizer(settings)
        conditioning = Conditioning(library, settings.z_probability, settings.reward_probability)
        self.population = make_population(tools, settings, conditioning, self.optimizer)
        self.league = League(open_records(run, settings.records), settings.league)
        self.bank = WeightsCache(
            lambda player: self.population.flat(self.frozen(player).policy), settings.opponents_mib * 2**20
        )
        """Policies of frozen players."""
        self.opponents = Opponents(self.league, settings, self.races, self.population, self.version, self.policy)

    def prepare(self) -> None:
        """Sets the learners up with the founder's weights and new games."""
        self.weights_folder.mkdir(exist_ok=True)
        learners = learners_in_order(self.races, self.settings.league)
        self.learners = {player.id: player for player in learners}
        size = self.settings.cohort
        race, groups = self.settings.race_number, self.settings.groups
        members = [Member(player.id, race(player.race), [None] * groups) for player in learners]
        self.cohorts = [self.new_cohort(members[i : i + size], i) for i in range(0, len(members), size)]
        self.place = {member.name: (cohort, k) for cohort in self.cohorts for k, member in enumerate(cohort.members)}
        self.first_of_race = first_main_agents(self.races)
        self.leading = self.cohorts[: -(-len(self.races) // size)]
        """Cohorts whose values learn before the league is founded: those of a main agent of each race."""
        kinds = [{self.learners[member.name].kind for member in cohort.members} for cohort in self.cohorts]
        shares = [self.settings.main_turns if PlayerKind.MAIN_AGENT in some else 1 for some in kinds]
        self.schedule = turns(shares)
        self.rounds = len(self.leading) * (self.settings.burn_in + self.settings.value_updates)
        """Updates before the league is founded."""

    def new_cohort(self, members: list[Member], index: int) -> Cohort:
        """Learners with the founder's weights, and new games."""
        settings, size = self.settings, len(members)
        keys = [jax.random.fold_in(jax.random.key(self.seed), 1000 + index + k) for k in range(size)]
        keys = jnp.stack([jax.random.split(key, settings.lanes) for key in keys])
        start = Races(*np.array([[member.race] * settings.lanes for member in members])[None].repeat(2, 0))
        states = self.population.stacked(fresh_learner(self.founder, self.optimizer), size)
        opponents = self.population.opponents(self.population.flat(self.founder.policy), size, settings.groups)
        return Cohort(members, states, self.population.start(start, keys), opponents)

    def state(self, name: str) -> LearnerState:
        """Weights and optimizer of a learner as they are now."""
        cohort, k = self.place[name]
        return gathered(self.population.take(cohort.states, k))

    def replace(self, name: str, state: LearnerState) -> None:
        """Gives a learner other weights; that counts as an update, since whoever plays it must notice. Its games begin
        anew: they were half played by another."""
        cohort, k = self.place[name]
        member = cohort.members[k]
        member.updates += 1
        self.end_matches(name)
        state = state._replace(updates=jnp.int32(member.updates))
        cohort.states = self.population.put(cohort.states, k, self.population.beside_states(state))

    def end_matches(self, name: str) -> None:
        """Lets all games of a learner begin anew, in new matches."""
        cohort, k = self.place[name]
        cohort.members[k].groups = [None] * self.settings.groups

    def version(self, player: str) -> int:
        """Updates that a learner has made; 0 for a frozen player."""
        if player not in self.place:
            return 0
        cohort, k = self.place[player]
        return cohort.members[k].updates

    def policy(self, player: str) -> Float[Array, " N"]:
        """The policy of a learner as it is now, or of a frozen player, as one vector."""
        if player in self.place:
            cohort, k = self.place[player]
            return self.population.take(self.population.policies(cohort.states), k)
        return self.bank[player]

    def frozen(self, player: str) -> Params:
        """The weights of a frozen player."""
        return self.load(self.league.state.players[player].weights)

    def load(self, snapshot: Snapshot) -> Params:
        """The weights of a snapshot."""
        return load_snapshot(self.weights_folder, snapshot, self.tools.example_params())

    def found(self, update: int) -> None:
        """Founds the league: for each race the teacher, with the values that its first main agent has learned; with
        them the others begin too."""
        teachers = {}
        for race, main in self.first_of_race.items():
            params = self.state(main).params
            path = self.weights_folder / f"founder_{race}.safetensors"
            teachers[race] = Snapshot(path.name, save_weights(path, params, {"player": f"teacher_{race}"}))
            for player in self.learners.values():
                if player.race == race and player.id != main:
                    self.replace(player.id, fresh_learner(params, self.optimizer))
            if self.settings.races:
                # It has played itself as each race in turn; without races its games against itself may go on.
                self.end_matches(main)
        self.league.populate(teachers, update)

    def grow(self, name: str, update: int, rng: np.random.Generator) -> None:
        """Adds a frozen copy of a learner that is due for one, and resets the learner if its kind asks for it."""
        if not self.league.ready_to_checkpoint(name):
            return
        path = self.weights_folder / f"{name}_{update}.safetensors"
        digest = save_weights(path, self.state(name).params, {"player": name, "update": update})
        steps = self.league.state.steps[name]
        checkpoint = self.league.checkpoint(name, Snapshot(path.name, digest), steps, update, rng)
        if checkpoint.reset_to is not None:
            self.replace(name, fresh_learner(self.load(checkpoint.reset_to), self.optimizer))

    def evolve(self, member: Member, before: int, rng: np.random.Generator) -> None:
        """Population based training, at times: a learner that does worse than another takes over its weights and
        settings, and changes some of these. `before`: its agent steps before the update."""
        rule, now = self.settings.pbt, self.league.state.steps[member.name]
        if not rule.due(before, now):
            return
        model = model_for(self.league.state, member.name, rule)
        if model is not None:
            cohort, k = self.place[model]
            self.replace(member.name, self.state(model))
            member.factors = Factors(*explore(cohort.members[k].factors, rule, rng).tolist())

    def step(self, update: int) -> int:
        """Update number `update` (the first is 1), of the cohort whose turn it is; returns its agent steps."""
        turn = update - self.rounds - 1
        if turn < 0:
            burnt = update > len(self.leading) * self.settings.burn_in
            cohort, rates = self.leading[(update - 1) % len(self.leading)], Factors(0.0, float(burnt))
        else:
            cohort = self.cohorts[self.schedule[turn % len(self.schedule)]]
            rates = Factors(1 - turn / self.settings.updates)
        rng = np.random.default_rng([self.seed, update])
        metrics = self.iterate(cohort, update, rates, turn >= 0, rng)
        if turn == -1:
            self.found(update)
        elif turn >= 0:
            taken = {m.name: int(steps) for m, steps in zip(cohort.members, metrics["steps"], strict=True)}
            known = {name: self.league.state.steps[name] for name in taken}
            self.league.record_steps({name: known[name] + steps for name, steps in taken.items()}, update)
            for member in cohort.members:
                self.grow(member.name, update, rng)
                self.evolve(member, known[member.name], rng)
        for k, member in enumerate(cohort.members):
            if member.turns % self.settings.log_every == 0:
                self.log(member, update, {name: float(values[k]) for name, values in metrics.items()})
        return int(metrics["steps"].sum())

    def iterate(self, cohort: Cohort, update: int, rates: Factors, founded: bool, rng) -> dict[str, np.ndarray]:
        """A cohort plays on and learns from it; returns the metrics, [K] each."""
        settings, population = self.settings, self.population
        restart, races = self.opponents.choose(cohort, founded, rng)
        if not founded:
            restart |= staggered(settings.lanes, settings.burn_in) == (update - 1) // len(self.leading)
        key = jax.random.fold_in(jax.random.key(self.seed), update)
        keys = jax.random.split(key, (len(cohort.members), settings.lanes))
        collected = population.collect(
            population.policies(cohort.states), cohort.versions, cohort.opponents, cohort.workers, races, restart, keys
        )
        batch = population.batch(collected.trajectories)
        cohort.states, carries, metrics = population.update(cohort.states, self.founder, batch, cohort.factors(rates))
        cohort.workers = collected.workers._replace(teacher_carry=carries)
        for member in cohort.members:
            member.updates += settings.reuse
            member.turns += 1
        results = self.opponents.count(cohort, update, collected.finished)
        if founded:
            self.league.record_results(results)
        return jax.tree.map(np.asarray, metrics) | {"useful": np.asarray(collected.useful).mean(1)}

    def log(self, member: Member, update: int, metrics: dict[str, float]) -> None:
        """Writes the losses, and the win rates by kind of opponent since the last time."""
        if self.settings.pbt.every_steps:
            metrics |= {f"factor/{key}": value for key, value in member.factors._asdict().items()}
        row = entry(member.name, metrics, member.tally.win_rates())
        self.run.log(NAME, update, shortened(row, None if self.settings.races else self.races[0]))

    def candidates(self, race: str) -> dict[str, Params]:
        """The first main agent of a race as it is, then its frozen copies, the newest first."""
        main = self.first_of_race[race]
        copies = reversed(self.league.state.copies(main))
        return {main: self.state(main).params} | {copy: self.frozen(copy) for copy in copies}

    def train(self) -> Params:
        """Trains to the end, going on from the newest checkpoint, and returns the first main agent's weights."""
        self.prepare()
        total = self.rounds + self.settings.updates
        with Checkpoints(self.run.checkpoints(NAME)) as checkpoints:
            done = self.restore(checkpoints)
            saved = time.monotonic()
            with stage(NAME, total, "updates", start=done) as bar:
                began, played = time.monotonic(), 0
                for update in range(done + 1, total + 1):
                    played += self.step(update)
                    rate = played / (time.monotonic() - began)
                    bar.advance(1, decisions_a_second=round(rate))
                    if update % self.settings.log_every == 0:
                        self.run.log(NAME, update, {"rate/decisions_a_second": rate, "memory/gigabytes": peak_memory()})
                    if update == total or time.monotonic() - saved > self.settings.checkpoint_seconds:
                        self.save(checkpoints, update)
                        saved = time.monotonic()
        return self.state(self.first_of_race[self.races[0]]).params

    def _tree(self) -> Any:
        arrays = [(cohort.states, cohort.workers) for cohort in self.cohorts]
        return arrays, [pack([member.pack() for member in cohort.members]) for cohort in self.cohorts]

    def save(self, checkpoints: Checkpoints, update: int) -> None:
        """A checkpoint from which the stage goes on as if it had not stopped."""
        self.run.flush()
        checkpoints.save(update, self._tree())

    def restore(self, checkpoints: Checkpoints) -> int:
        """Goes back to the newest checkpoint, forgetting what came after it; returns the updates done."""
        latest = checkpoints.latest()
        update = latest or 0
        # Without a checkpoint the league is founded anew, be it at update 0.
        self.league.truncate_after(-1 if latest is None else latest)
        self.run.truncate_after(NAME, update)
        if latest is not None:
            arrays, packed = checkpoints.restore(self._tree())
            for cohort, (states, workers), members in zip(self.cohorts, arrays, packed, strict=True):
                cohort.states, cohort.workers = states, workers
                for member, values in zip(cohort.members, unpack(members), strict=True):
                    member.unpack(values)
        elif not self.rounds:
            self.found(0)
        return update
