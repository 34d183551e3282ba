"""A learner of the league: learns from its actors' games on the devices that it has, and lives on in the vault."""

import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import ray
from jax.sharding import NamedSharding

from asterism.runtime.cluster.actor import Collection
from asterism.runtime.cluster.coordinator import Standing
from asterism.runtime.cluster.feed import Feed, Version
from asterism.runtime.cluster.processes import begin
from asterism.runtime.cluster.program import Rates
from asterism.runtime.cluster.settings import ClusterSettings, Schedule
from asterism.runtime.cluster.vault import Saved
from asterism.runtime.curves import curve
from asterism.runtime.devices import ALL, EACH, games_mesh


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
        self.games: list[tuple[str, float]] = []
        """Opponent and reward of the games since the last entry in the metrics."""
        self.log: dict[str, float] | None = None
        """An entry for the next report."""
        self.published = self.saved_at = -np.inf

    def run(self) -> None:
        """Trains until all learners together have made their updates."""
        self.restore()
        while not self.standing.finished:
            if time.monotonic() - self.published > self.settings.publish_seconds:
                self.publish()
            self.learn(*self.feed.next(self.version))
            self.hear()
            if self.standing.due and self.update > self.schedule.warm_up:
                self.freeze()
            if time.monotonic() - self.saved_at > self.schedule.checkpoint_seconds:
                self.save()
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
        self.start, self.update, self.steps, self.resets = saved[1:]
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
        self.report = self.coordinator.report.remote(self.name, self.done, self.steps, self.log)
        self.log = None

    def freeze(self) -> None:
        """Adds a frozen copy to the league, and starts over if the league says so."""
        snapshot = ray.get(self.vault.freeze.remote(self.name, self.update, self.weights()))
        resets = ray.get(self.coordinator.checkpoint.remote(self.name, snapshot, self.steps, self.done))
        # The answer that is on its way knows nothing of the copy.
        self.report, self.standing = None, self.standing._replace(due=False)
        self.reset_if_told(resets)
        self.save()

    def reset_if_told(self, resets: int) -> None:
        """Starts over if the league has reset the learner more often than it knows of."""
        if resets > self.resets:
            self.state, self.resets = self.everywhere(self.program.init(self.start)), resets

    def save(self) -> None:
        """Writes a training checkpoint into the vault, and waits until it is on the disk."""
        saved = Saved(jax.device_get(self.state), jax.device_get(self.start), self.update, self.steps, self.resets)
        ray.get(self.vault.save.remote(self.name, saved))
        self.saved_at = time.monotonic()

    def rates(self) -> Rates:
        """Of the next update: none in the burn-in, only values in the warm-up, then the policy's fall to zero."""
        if self.update < self.schedule.warm_up:
            return Rates(0.0, float(self.update >= self.schedule.burn_in))
        return Rates(max(0.0, 1 - self.standing.done / self.schedule.updates), 1.0)

    def learn(self, actor: int, fresh: bool, collection: Collection) -> None:
        """One update."""
        batch = jax.device_put(collection.batch, NamedSharding(self.mesh, EACH))
        memory = None if fresh else self.memories.get(actor)
        state, self.memories[actor], metrics = self.program.update(self.state, memory, batch, self.rates())
        self.state = self.everywhere(state)
        self.update += 1
        self.games += collection.games
        if self.update > self.schedule.warm_up:
            self.steps += int(metrics["steps"])
        elif self.update == self.schedule.warm_up:
            self.start = self.weights()
        # While the coordinator is away, the entry that it has not had yet waits; what follows adds up.
        if self.log is None and self.update % self.schedule.log_every == 0:
            lag, devices = self.update - 1 - collection.version, self.mesh.size
            self.log = self.row(metrics | {"lag": lag, "devices": devices})

    def row(self, metrics: dict[str, Any]) -> dict[str, float]:
        """Metrics, and win rates by opponent since the last time, by the names under which they are logged."""
        scalars = {curve(self.name, key): float(value) for key, value in metrics.items() if np.isfinite(value)}
        rewards: dict[str, list[float]] = {}
        for opponent, reward in self.games:
            kind = "self" if opponent == self.name else opponent.partition(".")[0]
            rewards.setdefault(kind, []).append(reward)
        self.games.clear()
        return scalars | {f"win_rate/{self.name} against {k}": (np.mean(r) + 1) / 2 for k, r in rewards.items()}
