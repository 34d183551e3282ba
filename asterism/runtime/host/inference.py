"""Batched inference: actors ask for actions one by one, and are answered many at once from the device."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt32

from asterism.interface.action import Action, ActionParts
from asterism.interface.network import Carry, Network
from asterism.interface.observation import Observation
from asterism.runtime.host.buffer import Stopped


class Answer(NamedTuple):
    """What the network decided, in arrays of NumPy."""

    carry: Carry
    """State of the core after the step."""
    action: Action
    log_probs: ActionParts
    version: int
    """Of the weights that decided."""


class Request(NamedTuple):
    """What an actor asks, and where it waits for the answer."""

    inputs: tuple[Carry, Observation, np.ndarray]
    asked: float
    answer: Future


class Inference:
    """A thread that gathers requests into batches and runs `Network.step` on them, with the newest weights.

    Batches are padded to a few sizes, for each of which one program is compiled here and now.

    Args:
      policy: weights; `refresh` gives newer ones. Their version is 0.
      example: an observation, for its shapes.
      sizes: of batches, rising.
      wait: seconds that a batch which is not full waits for more.
      on_error: called in the thread with what went wrong; then the thread ends.
    """

    def __init__(
        self,
        network: Network,
        policy: Any,
        example: Observation,
        sizes: tuple[int, ...],
        wait: float,
        on_error: Callable[[Exception], None],
    ):
        self._sizes, self._wait, self._on_error = sizes, wait, on_error
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self.batches: Counter[int] = Counter()
        """How many batches there were, by the number of requests in them."""
        self.waited = 0.0
        """Seconds that all requests together waited for their batch to begin."""

        def step(policy, carry, observation, key_data):
            return network.step(policy, carry, observation, jax.random.wrap_key_data(key_data))

        self._step = jax.jit(jax.vmap(step, (None, 0, 0, 0)))
        self.initial_carry = jax.device_get(network.initial_carry())
        self.refresh(policy, 0)
        for size in sizes:
            self._run([(self.initial_carry, example, new_key(np.random.default_rng(0)))] * size)
        self._thread = threading.Thread(target=self._serve, name="host inference", daemon=True)
        self._thread.start()

    def refresh(self, policy: Any, version: int) -> None:
        """Gives newer weights, which are copied: the learner may give its own away. The next batch uses them."""
        self._weights = jax.tree.map(jnp.array, policy), version

    def step(self, carry: Carry, observation: Observation, key: UInt32[np.ndarray, " K"]) -> Answer:
        """Decides on an action; waits for the answer. `key`: from `new_key`. Raises Stopped when closed."""
        request = Request((carry, observation, key), time.monotonic(), Future())
        with self._gate:
            if self._closed:
                raise Stopped("inference is closed")
            self._requests.put(request)
        return request.answer.result()

    def close(self) -> None:
        """Answers nobody any more, and ends the thread."""
        self._shut()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _shut(self) -> None:
        with self._gate:
            if not self._closed:
                self._closed = True
                self._requests.put(None)

    def _serve(self) -> None:
        try:
            while batch := self._gather():
                self._answer(batch)
        except Exception as error:
            self._on_error(error)
        self._shut()
        # The gate is shut: what is in the queue now is all that will ever be.
        while not self._requests.empty():
            if request := self._requests.get():
                request.answer.set_exception(Stopped("inference is closed"))

    def _gather(self) -> list[Request]:
        """The requests of the next batch; none when closing."""
        batch: list[Request] = []
        until = None
        while len(batch) < self._sizes[-1]:
            try:
                request = self._requests.get(timeout=None if until is None else max(until - time.monotonic(), 0.0))
            except queue.Empty:
                break
            if request is None:
                self._refuse(batch)
                return []
            batch.append(request)
            until = until or time.monotonic() + self._wait
        return batch

    def _answer(self, batch: list[Request]) -> None:
        self.batches[len(batch)] += 1
        self.waited += sum(time.monotonic() - request.asked for request in batch)
        try:
            (carry, action, log_probs), version = self._run([request.inputs for request in batch])
        except Exception:
            self._refuse(batch)
            raise
        for index, request in enumerate(batch):
            row = jax.tree.map(lambda leaf, i=index: leaf[i], (carry, action, log_probs))
            request.answer.set_result(Answer(*row, version))

    def _run(self, rows: list[tuple]) -> tuple[tuple, int]:
        """The step of all rows with the newest weights, padded by repeating the last row; and the weights' version."""
        size = min(size for size in self._sizes if size >= len(rows))
        inputs = jax.tree.map(lambda *leaves: np.stack(leaves), *rows, *[rows[-1]] * (size - len(rows)))
        policy, version = self._weights
        return jax.device_get(self._step(policy, *inputs)), version

    @staticmethod
    def _refuse(batch: list[Request]) -> None:
        for request in batch:
            request.answer.set_exception(Stopped("inference is closed"))


def new_key(rng: np.random.Generator) -> UInt32[np.ndarray, " K"]:
    """The data of a random key: bits from NumPy, so that a thread makes one without the device."""
    return rng.integers(2**32, size=_key_shape(), dtype=np.uint32)


@cache
def _key_shape() -> tuple[int, ...]:
    return jax.eval_shape(lambda: jax.random.key_data(jax.random.key(0))).shape
