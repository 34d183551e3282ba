"""A thread that plays one environment for as long as it is sound."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np

from asterism.interface.description import GameDescription
from asterism.interface.sizes import InterfaceSize
from asterism.runtime.host.buffer import Buffer, Stopped
from asterism.runtime.host.environment import START, Asked, Environment, Seen
from asterism.runtime.host.inference import Inference, new_key
from asterism.runtime.host.settings import HostSettings
from asterism.runtime.host.unroll import Moment, assemble
from asterism.runtime.host.watch import CallTimer, Clock, Pace


class Surroundings(NamedTuple):
    """What all actors share."""

    make_env: Callable[[int, int], Any]
    game: GameDescription
    size: InterfaceSize
    settings: HostSettings
    asked: Callable[[np.random.Generator, dict[str, Any]], Asked] | None
    inference: Inference
    buffer: Buffer
    pace: Pace
    clock: Clock
    on_failure: Callable[["Actor", Exception], None]
    """Called in the actor's thread with what ended it."""


class Actor(threading.Thread):
    """Makes an environment and plays it: trajectories and results go into the buffer.

    It ends when it is replaced, when all closes, or with a failure. The environment is closed once, by its own thread;
    or, if that is stuck in it, by another (`abandon`), which for many games ends the process behind it.
    """

    def __init__(self, around: Surroundings, slot: int, generation: int):
        super().__init__(name=f"host game {slot}.{generation}", daemon=True)
        self.slot, self.generation = slot, generation
        self.timer = CallTimer(around.settings, around.clock)
        self.finished = 0
        """Trajectories that it handed over."""
        self._around = around
        self._env, self._closing = None, threading.Lock()
        self.abandoned = False
        """Its thread is stuck, or was when all closed."""

    def run(self) -> None:
        """Plays until something ends it."""
        try:
            self._play()
        except Stopped:
            pass
        except Exception as error:
            self._around.on_failure(self, error)
        finally:
            self._close_env()

    def abandon(self) -> None:
        """Has the environment closed by a thread of its own, since the actor's own hangs in it."""
        self.abandoned = True
        threading.Thread(target=self._close_env, name=f"closing {self.name}", daemon=True).start()

    def _play(self) -> None:
        around, settings = self._around, self._around.settings
        rng = np.random.default_rng((settings.seed, self.slot, self.generation))
        seed = int(rng.integers(2**31))
        with self._watched(START):
            self._env = around.make_env(self.slot, seed)
        env = Environment(self._env, self.slot, around.game, around.size, self._watched, around.asked, rng)
        seen, carry = env.reset(seed), around.inference.initial_carry
        while True:
            moments: list[Moment] = []
            while len(moments) < settings.unroll:
                moment, seen, carry = self._decide(env, seen, carry, rng)
                moments.append(moment)
            around.buffer.put(self.slot, self.generation, assemble(moments, seen))
            self.finished += 1

    def _decide(self, env: Environment, seen: Seen, carry: Any, rng: np.random.Generator) -> tuple[Moment, Seen, Any]:
        """One decision: it, what is seen next, and the carry then. Raises Straggling."""
        around = self._around
        answer = around.inference.step(carry, seen.observation, new_key(rng))
        outcome = env.step(answer.action)
        moment = Moment(seen, carry, answer, outcome.reward, outcome.result is not None)
        if outcome.result is not None:
            around.buffer.report(self.slot, self.generation, outcome.result)
        # Only now, since a game counts even if its last step was the one too slow.
        around.pace.record(self.slot, self.timer.took)
        if outcome.result is not None:
            return moment, env.reset(), around.inference.initial_carry
        return moment, outcome.seen, answer.carry

    @contextmanager
    def _watched(self, kind: str) -> Iterator[None]:
        """A call into the environment. Raises Stopped if the actor was replaced meanwhile."""
        with self.timer.call(kind):
            yield
        if self.abandoned:
            raise Stopped(f"environment {self.slot} has been replaced")

    def _close_env(self) -> None:
        with self._closing:
            env, self._env = self._env, None
        if env is not None and hasattr(env, "close"):
            # It is done with, whatever it says.
            with suppress(Exception):
                env.close()
