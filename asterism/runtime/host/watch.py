"""Telling which environments are hung, and which lag behind their fellows."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean, median

from asterism.runtime.host.environment import START, STEP
from asterism.runtime.host.settings import HostSettings

Clock = Callable[[], float]


class Straggling(Exception):
    """The environment is far slower than its fellows."""


class Pace:
    """How long the last steps of each environment took."""

    def __init__(self, settings: HostSettings):
        self._settings, self._lock = settings, threading.Lock()
        self._seconds = [deque(maxlen=settings.straggling_window) for _ in range(settings.actors)]

    def record(self, slot: int, seconds: float) -> None:
        """Notes a step. Raises Straggling if the environment's last steps took too long.

        A window that is not full says nothing, of the environment itself or of a fellow.
        """
        settings = self._settings
        with self._lock:
            self._seconds[slot].append(seconds)
            means = {i: fmean(own) for i, own in enumerate(self._seconds) if len(own) == own.maxlen}
        if slot not in means or len(means) == 1:
            return
        mean, usual = means.pop(slot), median(means.values())
        if mean > settings.straggling * usual and mean > settings.straggling_seconds:
            raise Straggling(f"its steps take {mean:.3g} s in the mean, its fellows' {usual:.3g} s")

    def forget(self, slot: int) -> None:
        """A new environment begins in the slot."""
        with self._lock:
            self._seconds[slot].clear()


class CallTimer:
    """The call into an environment that is going on, if any: written by its actor, read by the watchdog."""

    def __init__(self, settings: HostSettings, clock: Clock = time.monotonic):
        self._limits, self._clock = {START: settings.start_timeout, STEP: settings.step_timeout}, clock
        self.going_on: tuple[str, float] | None = None
        """Its kind, and when it began."""
        self.took = 0.0
        """Seconds of the last that came back."""

    @contextmanager
    def call(self, kind: str) -> Iterator[None]:
        """Times what is done within."""
        began = self._clock()
        self.going_on = kind, began
        try:
            yield
        finally:
            self.going_on = None
        self.took = self._clock() - began

    def overdue(self) -> str | None:
        """What has not come back in time, in words."""
        now, going_on = self._clock(), self.going_on
        if going_on is None or now - going_on[1] <= self._limits[going_on[0]]:
            return None
        return f"a {going_on[0]} has not come back for {now - going_on[1]:.3g} s"
