"""A learner of the league: learns from its actors' games on the devices that it has, and lives on in the vault."""

import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import ray
from jax.sharding import NamedSharding

from asterism.league.pbt import explore
from asterism.learning.reinforcement import Factors
from asterism.runtime.cluster.actor import Collection
from asterism.runtime.cluster.coordinator import Standing
from asterism.runtime.cluster.feed import Feed, Version
from asterism.runtime.cluster.processes import begin
from asterism.runtime.cluster.settings import ClusterSettings, Schedule
from asterism.runtime.cluster.vault import Saved
from asterism.runtime.curves import entry
from asterism.runtime.devices import ALL, EACH, games_mesh
from asterism.runtime.tally import Tally


class Learner:
    """One process. `run` trains to the end, and from the newest training checkpoint when Ray has started it again,
    be it on another machine."""

    def __init__(
        self,
        program: list,
        name: str,
        schedule: Schedule,
        settings: ClusterSettings,
        coordinator: Any,
        vault: Any,
        actors: Sequence[Any],
    ):
        self.program, self.name = begin(program, settings.cpu_devices), name
        self.schedule, self.settings = schedule, settings
        self.coordinator, self.vault = coordinator, vault
        self.feed = Feed(actors)
        self.mesh = games_mesh(self.program.lanes)
        """Devices among which a batch is shared out."""
        self.memories: dict[int, Any] = {}
        """What is carried from one batch of an actor to its next."""
        self.report: Any = None
        """The answer to the last report, on its way."""
        self.standing = Standing(0, False, False)
        self.tally = Tally(name)
        """Of its games since the last entry in the metrics."""
        self.log: dict[str, float] | None = None
        """An entry for the next report."""
        self.published = self.saved_at = -np.inf
        self.rng = np.random.default_rng()

    def run(self) -> None:
        """Trains until all learners together have made their updates."""
        self.restore()
        while not self.standing.finished:
            if time.monotonic() - self.published > self.settings.publish_seconds:
                self.publish()
            self.learn(*self.feed.next(self.version))
            self.hear()
            changed = self.update > self.schedule.warm_up and (self.freeze() | self.evolve())
            if changed or time.monotonic() - self.saved_at > self.schedule.checkpoint_seconds:
                self.save()
        # One that comes when all is over has learned nothing, and is not to pass for one that has.
        if self.update:
            self.save()

    @property
    def done(self) -> int:
        """Updates that count."""
        return max(0, self.update - self.schedule.warm_up)

    def restore(self) -> None:
        """Goes back to the newest training checkpoint, or to the founder."""
        saved = ray.get(self.vault.restore.remote(self.name))
        if saved is None:
            state = jax.device_get(self.program.init())
            saved = Saved(state, self.program.weights(state), 0, 0, 0)
        self.start, self.update, self.steps, self.resets, self.looked, factors = saved[1:]
        self.factors = Factors(*map(float, factors))
        self.state = self.everywhere(saved.state)
        steps, resets = ray.get(self.coordinator.history.remote(self.name))
        # Steps that were lost with a process were taken all the same.
        self.steps = max(self.steps, steps)
        self.reset_if_told(resets)
        self.standing = ray.get(self.coordinator.report.remote(self.name, self.done, self.steps))

    def everywhere(self, tree: Any) -> Any:
        """A copy on each device."""
        return jax.device_put(tree, NamedSharding(self.mesh, ALL))

    def weights(self) -> Any:
        """A copy of the weights, on the host: an update gives the memory of its own away."""
        return jax.tree.map(np.array, self.program.weights(self.state))

    def publish(self) -> None:
        """Lets actors and opponents have the policy as it is now."""
        policy = ray.put(jax.device_get(self.program.policy(self.program.weights(self.state))))
        self.version = Version(self.update, policy)
        self.vault.publish.remote(self.name, self.update, policy)
        self.published = time.monotonic()

    def hear(self) -> None:
        """Takes in the coordinator's answer to the last report, if it is there, and reports again. A coordinator that
        is away keeps nobody from learning."""
        if self.report is not None:
            if not ray.wait([self.report], timeout=0)[0]:
                return
            self.standing = ray.get(self.report)
            self.reset_if_told(self.standing.resets)
        self.report = self.coordinator.report.remote(self.name, self.done, self.steps, self.log)
        self.log = None

    def freeze(self) -> bool:
        """Adds a frozen copy to the league if one is due, and starts over if the league says so; returns whether it
        has."""
        if not self.standing.due:
            return False
        snapshot = ray.get(self.vault.freeze.remote(self.name, self.update, self.weights()))
        resets = ray.get(self.coordinator.checkpoint.remote(self.name, snapshot, self.steps, self.done))
        # The answer that is on its way knows nothing of the copy.
        self.report, self.standing = None, self.standing._replace(due=False)
        self.reset_if_told(resets)
        return True

    def reset_if_told(self, resets: int) -> None:
        """Starts over if the league has reset the learner more often than it knows of."""
        if resets > self.resets:
            self.resets = resets
            self.replace(self.program.init(self.start))

    def evolve(self) -> bool:
        """Population based training, at times: a learner that does worse than another takes over the weights and
        factors of the other's newest training checkpoint, and changes some of the factors; returns whether it has."""
        rule, due = self.schedule.pbt, self.schedule.pbt.due(self.looked, self.steps)
        self.looked = self.steps
        model = ray.get(self.coordinator.model.remote(self.name, rule)) if due else None
        saved = None if model is None else ray.get(self.vault.restore.remote(model))
        if saved is None:
            return False
        self.replace(saved.state)
        self.factors = Factors(*explore(saved.factors, rule, self.rng).tolist())
        return True

    def replace(self, state: Any) -> None:
        """Gives the learner other weights; who plays it, or with it, gets them at once. Its games begin anew: they were
        half played by another."""
        self.state = self.everywhere(state)
        self.published = -np.inf
        self.feed.restart()

    def save(self) -> None:
        """Writes a training checkpoint into the vault, and waits until it is on the disk."""
        counts = self.update, self.steps, self.resets, self.looked
        saved = Saved(jax.device_get(self.state), jax.device_get(self.start), *counts, self.factors)
        ray.get(self.vault.save.remote(self.name, saved))
        self.saved_at = time.monotonic()

    def rates(self) -> Factors:
        """Of the next update: none in the burn-in, only values in the warm-up, then the policy's fall to zero; times
        the learner's own."""
        if self.update < self.schedule.warm_up:
            return self.factors.times(Factors(0.0, float(self.update >= self.schedule.burn_in)))
        return self.factors.times(Factors(max(0.0, 1 - self.standing.done / self.schedule.updates)))

    def learn(self, actor: int, fresh: bool, collection: Collection) -> None:
        """One update."""
        batch = jax.device_put(collection.batch, NamedSharding(self.mesh, EACH))
        memory = None if fresh else self.memories.get(actor)
        state, self.memories[actor], metrics = self.program.update(self.state, memory, batch, self.rates())
        self.state = self.everywhere(state)
        self.update += 1
        for opponent, reward in collection.games:
            self.tally.count(opponent, reward)
        if self.update > self.schedule.warm_up:
            self.steps += int(metrics["steps"])
        elif self.update == self.schedule.warm_up:
            self.start = self.weights()
        # While the coordinator is away, the entry that it has not had yet waits; what follows adds up.
        if self.log is None and self.update % self.schedule.log_every == 0:
            lag, devices = self.schedule.reuse * (self.update - collection.version) - 1, self.mesh.size
            metrics |= {"lag": lag, "devices": devices}
            if self.schedule.pbt.every_steps:
                metrics |= {f"factor/{key}": value for key, value in self.factors._asdict().items()}
            values = {key: float(value) for key, value in metrics.items()}
            self.log = entry(self.name, values, self.tally.win_rates())
