"""Results on their way to the coordinator, in order."""

from collections.abc import Callable, Sequence
from typing import Any

import ray

from asterism.league import Result

MOST_WAITING = 10_000
"""Results with which a process goes on while the coordinator does not answer; with more it waits."""


class Outbox:
    """One parcel at a time is on its way; the next one goes when the coordinator has said that the results are on the
    disk. So of the results of one process, in order, those on record have no gaps. When the coordinator dies, Ray sends
    it the same parcel again; what had arrived already counts once by its match id."""

    def __init__(self, coordinator: Any, acknowledged: Callable[[Sequence[Result]], None]):
        """`acknowledged` is called with the results of each parcel that has arrived."""
        self.coordinator, self.acknowledged = coordinator, acknowledged
        self.waiting: list[Result] = []
        self.sent: list[Result] = []
        self.receipt: Any = None

    def add(self, results: Sequence[Result]) -> None:
        """Takes results in, and sends what can be sent; waits only if too many are waiting already."""
        self.waiting += results
        self._deliver(timeout=None if len(self.waiting) > MOST_WAITING else 0.0)

    def empty(self) -> None:
        """Waits until all results are acknowledged."""
        while self.waiting or self.sent:
            self._deliver(timeout=None)

    def _deliver(self, timeout: float | None) -> None:
        if self.receipt is not None:
            if not ray.wait([self.receipt], timeout=timeout)[0]:
                return
            receipt, self.receipt = self.receipt, None
            ray.get(receipt)
            self.acknowledged(self.sent)
            self.sent = []
        if self.waiting:
            self.sent, self.waiting = self.waiting, []
            self.receipt = self.coordinator.record.remote(self.sent)
