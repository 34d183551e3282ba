"""The vault: weights and training checkpoints of all players, on the head's disk and for everybody's asking."""

import hashlib
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import ray

from asterism.league import Snapshot
from asterism.learning.reinforcement import WHOLE, Factors
from asterism.runtime.checkpoints import Checkpoints, save_weights, weights_metadata
from asterism.runtime.cluster.processes import begin
from asterism.runtime.snapshots import load_snapshot

MOST_FROZEN = 64
"""Policies of frozen players that are in memory at a time."""


class Saved(NamedTuple):
    """From what a learner goes on."""

    state: Any
    start: Any
    """Weights to which it returns when it is reset: the founder's with the values of its own warm-up."""
    update: int
    steps: int
    """Agent steps."""
    resets: int
    looked: int = 0
    """Agent steps at the last look at other learners, as population based training has them."""
    factors: Factors = WHOLE
    """Of its settings."""


class Published(NamedTuple):
    """A version of a player's policy."""

    version: int
    policy: Any
    """In a list, a reference into Ray's object store: whoever needs it fetches it once a machine."""


class Vault:
    """Frozen weights are files that never change; their name holds a hash of their content. Of learners it has the
    newest training checkpoint, and in memory the policy that they published last.

    Every method may be called again when nobody knows whether it was.
    """

    def __init__(self, program: list, weights: str, checkpoints: str):
        """`weights`, `checkpoints`: folders."""
        self.program = begin(program)
        self.weights, self.checkpoints = Path(weights), Path(checkpoints)
        self.learners: dict[str, Published] = {}
        self.frozen: OrderedDict[Snapshot, Published] = OrderedDict()

    def publish(self, learner: str, version: int, policy: Any) -> None:
        """Keeps a learner's newest policy for its opponents."""
        self.learners[learner] = Published(version, [ray.put(policy)])

    def learner(self, name: str, known: int | None) -> Published | None:
        """The newest policy of a learner; None if that is version `known`."""
        if name not in self.learners:
            # Not since this process started: as it was at its newest training checkpoint.
            saved = self.restore(name)
            state = saved.state if saved else self.program.init()
            self.publish(name, saved.update if saved else 0, self._policy(self.program.weights(state)))
        newest = self.learners[name]
        return None if newest.version == known else newest

    def frozen_policy(self, snapshot: Snapshot) -> Published:
        """The policy of a frozen player."""
        if snapshot not in self.frozen:
            weights = load_snapshot(self.weights, snapshot, self.program.weights(self.program.init()))
            self.frozen[snapshot] = Published(0, [ray.put(self._policy(weights))])
            while len(self.frozen) > MOST_FROZEN:
                self.frozen.popitem(last=False)
        self.frozen.move_to_end(snapshot)
        return self.frozen[snapshot]

    def freeze(self, learner: str, update: int, weights: Any) -> Snapshot:
        """Writes the weights of a frozen copy."""
        content = hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(weights)))
        path = self.weights / f"{learner}_{update}_{content.hexdigest()[:12]}.safetensors"
        if path.exists():
            return Snapshot(path.name, weights_metadata(path)["sha256"])
        return Snapshot(path.name, save_weights(path, weights, {"player": learner, "update": update}))

    def save(self, learner: str, saved: Saved) -> None:
        """Writes a training checkpoint of a learner, its newest from now on."""
        with Checkpoints(self.checkpoints / learner) as checkpoints:
            if saved.update not in checkpoints.steps():
                checkpoints.save(saved.update, saved)

    def restore(self, learner: str) -> Saved | None:
        """The newest training checkpoint of a learner, if there is one."""
        state = self.program.init()
        with Checkpoints(self.checkpoints / learner) as checkpoints:
            if checkpoints.latest() is None:
                return None
            return jax.device_get(checkpoints.restore(Saved(state, self.program.weights(state), 0, 0, 0)))

    def _policy(self, weights: Any) -> Any:
        return jax.device_get(self.program.policy(weights))
