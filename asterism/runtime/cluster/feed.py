"""The trajectories that a learner gets from its actors: asked for, never pushed, so that neither side runs ahead."""

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import ray
from ray.exceptions import ObjectLostError

from asterism.runtime.cluster.actor import Collection

AHEAD = 2
"""Collections that are asked of an actor at a time: it plays one while the learner learns from the other."""


class Version(NamedTuple):
    """A policy that actors are to play with."""

    number: int
    policy: Any
    """Reference into Ray's object store."""


class Order(NamedTuple):
    """A collection that was asked for."""

    reference: Any
    fresh: bool
    """All games begin anew in it."""


class Feed:
    """Collections of each actor in their order. An actor that dies is started again by Ray, and is then asked the same
    again; what it had not handed over is lost, but for results, which go to the coordinator."""

    def __init__(self, actors: Sequence[Any]):
        self.actors = list(actors)
        self.orders: list[deque[Order]] = [deque() for _ in actors]
        self.last = 0
        self.restart()

    def restart(self) -> None:
        """All games begin anew in what is asked for from now on; what is being played is not waited for."""
        self.fresh = [True] * len(self.actors)
        for orders in self.orders:
            orders.clear()

    def next(self, version: Version) -> tuple[int, bool, Collection]:
        """Waits for a collection, asking for more with this version: the number of the actor, whether all its games
        began anew, and the collection."""
        while True:
            self._ask(version)
            count = len(self.actors)
            # The one that was served last comes last, or a slow learner would hear of no other.
            turns = [(self.last + 1 + i) % count for i in range(count)]
            oldest = {self.orders[actor][0].reference: actor for actor in turns}
            (ready, *_), _ = ray.wait(list(oldest), num_returns=1)
            self.last = actor = oldest[ready]
            order = self.orders[actor].popleft()
            try:
                return actor, order.fresh, ray.get(ready)
            except ObjectLostError:
                # Its machine is gone, and what was asked for after it does not follow on what came before.
                self.orders[actor].clear()
                self.fresh[actor] = True

    def _ask(self, version: Version) -> None:
        for number, actor in enumerate(self.actors):
            while len(self.orders[number]) < AHEAD:
                fresh, self.fresh[number] = self.fresh[number], False
                reference = actor.collect.remote(version.number, version.policy, fresh)
                self.orders[number].append(Order(reference, fresh))
