"""What actors hand over: finished trajectories in a bounded buffer, and results of games.

An actor is known by its slot and generation. All that it hands over goes through here under one lock, and is refused
once it has been replaced: so nothing of a replaced actor is counted twice, and each is replaced once.
"""

import threading
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any


class Stopped(Exception):
    """Not an error: the actor has been replaced, or all is closing."""


class Buffer:
    """For each of `slots` environments up to `ahead` items that wait, in order."""

    def __init__(self, slots: int, ahead: int):
        self._ahead = ahead
        self._changed = threading.Condition()
        self._waiting: list[deque] = [deque() for _ in range(slots)]
        self._generations = [0] * slots
        self._results: deque = deque()
        self._arrivals = count()
        self._closed = False
        self._error: BaseException | None = None
        self.blocked = 0
        """Actors that wait for room."""

    def put(self, slot: int, generation: int, item: Any) -> None:
        """Waits for room, and adds an item. Raises Stopped."""
        with self._changed:
            while not self._is_over(slot, generation) and len(self._waiting[slot]) >= self._ahead:
                self.blocked += 1
                self._changed.wait()
                self.blocked -= 1
            self._check(slot, generation)
            self._waiting[slot].append((next(self._arrivals), item))
            self._changed.notify_all()

    def report(self, slot: int, generation: int, result: Any) -> None:
        """Adds the result of a game. Raises Stopped."""
        with self._changed:
            self._check(slot, generation)
            self._results.append(result)

    def replace(self, slot: int, generation: int) -> bool:
        """Refuses this actor from now on, and expects the next generation; False if it has been refused before."""
        with self._changed:
            if self._is_over(slot, generation):
                return False
            self._generations[slot] += 1
            self._changed.notify_all()
            return True

    def take(self, number: int) -> list[tuple[int, Any]]:
        """Waits until `number` slots have an item, and takes one of each: (slot, item), those that came first.

        Raises what `fail` was given, or Stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._ready()) >= number)
            if self._error is not None:
                raise self._error
            if self._closed:
                raise Stopped("the games are closed")
            taken = [(slot, self._waiting[slot].popleft()[1]) for slot in self._ready()[:number]]
            self._changed.notify_all()
            return taken

    def tell(self, listener: Callable[[Any], None]) -> None:
        """Calls the listener with each result that has come, in order. One at which it raises comes first next time."""
        while self._results:
            listener(self._results[0])
            self._results.popleft()

    def fail(self, error: BaseException) -> None:
        """Closes; `take` raises the error, the first if there are several."""
        with self._changed:
            if not self._closed:
                self._error = error
        self.close()

    def close(self) -> None:
        """Refuses everybody from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _ready(self) -> list[int]:
        """Slots with an item, the oldest first."""
        return sorted((slot for slot, items in enumerate(self._waiting) if items), key=lambda s: self._waiting[s][0][0])

    def _is_over(self, slot: int, generation: int) -> bool:
        return self._closed or self._generations[slot] != generation

    def _check(self, slot: int, generation: int) -> None:
        if self._is_over(slot, generation):
            raise Stopped(f"environment {slot} has been replaced, or all is closing")
