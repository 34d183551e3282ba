"""Learning from host games: reuse, the teacher's memory, new weights for the actors, and the lag of what is learned."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from asterism.interface.network import Network, Params
from asterism.learning.reinforcement import WHOLE, Factors, LearnerState, Trajectory
from asterism.runtime.host.games import HostGames
from asterism.runtime.host.watch import Clock
from asterism.runtime.players import spread, strong


class HostLearner:
    """A learner whose trajectories come from host games.

    Args:
      games: whose actors play with the weights of `state` (`HostGames`' `policy`).
      update: from `asterism.learning.reinforcement.reinforcement_update`.
      state: at the start.
      teacher: whose policy the learner is held to.
      clock: seconds; for tests.
    """

    def __init__(
        self,
        games: HostGames,
        network: Network,
        update: Callable[..., tuple[LearnerState, Any, dict[str, Any]]],
        state: LearnerState,
        teacher: Params,
        clock: Clock = time.monotonic,
    ):
        # A copy, since each update gives its own away; versions of the weights are counted from here.
        self.state, self.updates = jax.tree.map(jnp.array, state._replace(updates=jnp.int32(0))), 0
        self.lags: Counter[int] = Counter()
        """Steps learned from, once for each use, by lag: updates between the weights that acted and the update."""
        self._games, self._teacher, self._clock = games, teacher, clock
        # What the teacher remembers of each environment: it looks on at every trajectory once, in order.
        self._memory = strong(spread(network.initial_carry(), games.settings.actors))
        self._refreshed = clock()

        def learn(state: LearnerState, teacher: Params, memory: Any, slots, batch: Trajectory, factors: Factors):
            before = jax.tree.map(lambda leaf: leaf[slots], memory)
            state, after, metrics = update(state, teacher, batch._replace(teacher_carry=before), factors)
            memory = jax.tree.map(lambda leaf, new: leaf.at[slots].set(new), memory, after)
            return strong((state, memory, metrics))

        self._learn = jax.jit(learn, donate_argnums=0)

    def step(self, factors: Factors = WHOLE) -> dict[str, Any]:
        """Takes a batch of trajectories and learns from it `reuse` times; returns the metrics of the last time."""
        settings = self._games.settings
        batch = self._games.take(settings.batch)
        for _ in range(settings.reuse):
            self.lags.update((self.updates - batch.trajectory.version).ravel().tolist())
            # Each use begins with what the teacher remembered before.
            inputs = self._teacher, self._memory, batch.slots, batch.trajectory, factors
            self.state, memory, metrics = self._learn(self.state, *inputs)
            self.updates += 1
            self._refresh()
        self._memory = memory
        return metrics

    def log(self) -> dict[str, float]:
        """Counts of the games, and the lag of the steps learned from since the last call."""
        lags = np.array(sorted(self.lags.elements()) or [0])
        self.lags.clear()
        lag = {"lag/mean": float(lags.mean()), "lag/median": float(np.median(lags)), "lag/most": float(lags.max())}
        return self._games.counts() | lag

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._refreshed >= self._games.settings.refresh_seconds:
            self._games.inference.refresh(self.state.params.policy, self.updates)
            self._refreshed = now
