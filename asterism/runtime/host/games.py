"""Host games: all actors, the watchdog that replaces them, and the one who takes what they have played."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from asterism.errors import UserError
from asterism.interface.description import GameDescription
from asterism.interface.network import Network
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import observation_spec, zeros
from asterism.learning.reinforcement import Trajectory
from asterism.runtime.host.actor import Actor, Surroundings
from asterism.runtime.host.buffer import Buffer
from asterism.runtime.host.environment import Asked, GameResult
from asterism.runtime.host.inference import Inference
from asterism.runtime.host.settings import HostSettings
from asterism.runtime.host.unroll import stack
from asterism.runtime.host.watch import Clock, Pace, Straggling

HUNG, STRAGGLING, CRASHED = REASONS = ("hung", "straggling", "crashed")
"""Why an environment is replaced."""
POLL = 1.0
"""Most seconds between two looks of the watchdog."""
REMEMBERED = 100
"""Failures that are kept in words."""


class Failure(NamedTuple):
    """An environment that was replaced."""

    slot: int
    reason: str
    """One of `REASONS`."""
    message: str


class Batch(NamedTuple):
    """B trajectories, each of another environment. Arrays of NumPy."""

    slots: Int[np.ndarray, " B"]
    trajectory: Trajectory
    """[B, ...], but for `teacher_carry`, which is None."""


class HostGames:
    """Environments that are played in threads, with batched inference on the device.

    Close it, or use it as a context manager.

    Args:
      make_env: (number of the environment, seed) -> an environment in Gymnasium form (`Environment` says which). Called
        in the thread that plays it, again whenever one is replaced.
      policy: weights that act at first, of version 0.
      on_result: called with each game that ended, in order and in the thread that calls `take` or `close`. What it
        raises reaches that thread; the next call begins with the same game.
      asked: (generator, info of a reset) -> which z to follow in the game, and its pseudo-rewards.
      clock: seconds; for tests.
    """

    def __init__(
        self,
        make_env: Callable[[int, int], Any],
        network: Network,
        policy: Any,
        game: GameDescription,
        size: InterfaceSize,
        settings: HostSettings | None = None,
        on_result: Callable[[GameResult], None] = lambda result: None,
        asked: Callable[[np.random.Generator, dict[str, Any]], Asked] | None = None,
        clock: Clock = time.monotonic,
    ):
        self.settings = settings or HostSettings()
        self._on_result, self._clock = on_result, clock
        self._buffer, self._pace = Buffer(self.settings.actors, self.settings.ahead), Pace(self.settings)
        example = zeros(observation_spec(game, size))
        sizes, wait = self.settings.inference_sizes, self.settings.inference_wait
        self.inference = Inference(network, policy, example, sizes, wait, self._buffer.fail)
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._in_a_row = [0] * self.settings.actors
        self._replaced: list[Actor] = []
        self.failures: deque[Failure] = deque(maxlen=REMEMBERED)
        """The last environments that were replaced."""
        self._closed = threading.Event()
        self._around = Surroundings(
            make_env,
            game,
            size,
            self.settings,
            asked,
            self.inference,
            self._buffer,
            self._pace,
            clock,
            self._actor_failed,
        )
        self._actors = [Actor(self._around, slot, 0) for slot in range(self.settings.actors)]
        self._watchdog = threading.Thread(target=self._watch, name="host watchdog", daemon=True)
        for thread in (*self._actors, self._watchdog):
            thread.start()

    def take(self, number: int) -> Batch:
        """Waits for trajectories of `number` environments, those that came first. Reports results.

        Raises UserError where an environment cannot be played: it fails again and again, or does not fit the interface.
        """
        taken = self._buffer.take(number)
        self._buffer.tell(self._hear)
        batch = Batch(np.array([slot for slot, _ in taken]), stack([trajectory for _, trajectory in taken]))
        self._totals["trajectories"] += number
        self._totals["steps"] += batch.trajectory.mask.size
        return batch

    def counts(self) -> dict[str, float]:
        """What has been counted so far, by the name under which it is logged."""
        batches = self.inference.batches.copy()
        asked = sum(size * number for size, number in batches.items())
        return {
            **{f"host/{name}": self._totals[name] for name in ("trajectories", "steps", "games")},
            **{f"host/{reason}": self._totals[reason] for reason in REASONS},
            "host/stuck": sum(actor.is_alive() for actor in self._replaced),
            "host/blocked": self._buffer.blocked,
            "host/batch": asked / max(batches.total(), 1),
            "host/wait_ms": 1000 * self.inference.waited / max(asked, 1),
        }

    def check(self) -> None:
        """Replaces environments that are hung. The watchdog does so all the time."""
        for actor in list(self._actors):
            if message := actor.timer.overdue():
                self._replace(actor, HUNG, message)

    def close(self) -> None:
        """Ends all threads but those that are stuck in their environments, which are told to close; reports results."""
        self._closed.set()
        # Nobody is replaced any more once the lock is free again.
        with self._lock:
            self._buffer.close()
        self.inference.close()
        self._watchdog.join()
        until = time.monotonic() + self.settings.close_seconds
        for actor in (*self._actors, *self._replaced):
            # Nobody waits for those that have been given up before.
            actor.join(0.0 if actor.abandoned else max(until - time.monotonic(), 0.0))
            if actor.is_alive():
                actor.abandon()
        self._buffer.tell(self._hear)

    def __enter__(self) -> "HostGames":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _hear(self, result: GameResult) -> None:
        self._on_result(result)
        self._totals["games"] += 1

    def _watch(self) -> None:
        poll = min(self.settings.start_timeout / 4, self.settings.step_timeout / 4, POLL)
        try:
            while not self._closed.wait(poll):
                self.check()
        except Exception as error:
            self._buffer.fail(error)

    def _actor_failed(self, actor: Actor, error: Exception) -> None:
        if isinstance(error, UserError):
            with self._lock:
                # A new environment has nothing to do with what became of the one before.
                if self._buffer.replace(actor.slot, actor.generation):
                    self._buffer.fail(error)
        elif isinstance(error, Straggling):
            self._replace(actor, STRAGGLING, str(error))
        else:
            self._replace(actor, CRASHED, f"{type(error).__name__}: {error}", error)

    def _replace(self, actor: Actor, reason: str, message: str, cause: Exception | None = None) -> None:
        """A new environment in a new thread, unless the actor has been replaced before."""
        slot = actor.slot
        with self._lock:
            if not self._buffer.replace(slot, actor.generation):
                return
            self._totals[reason] += 1
            self.failures.append(Failure(slot, reason, message))
            self._in_a_row[slot] = 1 if actor.finished else self._in_a_row[slot] + 1
            self._replaced = [*filter(threading.Thread.is_alive, self._replaced), actor]
            if reason == HUNG:
                actor.abandon()
            if self._in_a_row[slot] >= self.settings.patience:
                self._buffer.fail(self._hopeless(slot, reason, message, cause))
                return
            self._pace.forget(slot)
            self._actors[slot] = Actor(self._around, slot, actor.generation + 1)
            self._actors[slot].start()

    def _hopeless(self, slot: int, reason: str, message: str, cause: Exception | None) -> UserError:
        error = UserError(
            f"environment {slot} failed {self._in_a_row[slot]} times in a row without finishing a trajectory, the last "
            f"time it {'is' if reason == STRAGGLING else 'has'} {reason} ({message}): mend it, or raise the host "
            "settings patience and timeouts"
        )
        error.__cause__ = cause
        return error
