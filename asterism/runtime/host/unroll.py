"""Moments of one environment as trajectories: as `asterism.runtime.rollout.pack` does, where every moment is due."""

from typing import NamedTuple

import jax
import numpy as np

from asterism.learning.reinforcement import Trajectory
from asterism.runtime.host.environment import Seen
from asterism.runtime.host.inference import Answer


class Moment(NamedTuple):
    """One decision, and what came of it."""

    seen: Seen
    carry: object
    """State of the core before it."""
    answer: Answer
    reward: float
    """Paid between it and the next decision."""
    ended: bool
    """So did the game."""


def assemble(moments: list[Moment], following: Seen) -> Trajectory:
    """T moments, and the one after them, with which values are bootstrapped. Arrays of NumPy.

    `teacher_carry` is None, since only the learner knows what the teacher remembers.
    """
    seen = [*(moment.seen for moment in moments), following]
    # The action after the last step is not used: the last stands in for it.
    answers = [*(moment.answer for moment in moments), moments[-1].answer]
    return Trajectory(
        observation=stack([one.observation for one in seen]),
        privileged=stack([one.privileged for one in seen]),
        action=stack([answer.action for answer in answers]),
        behaviour=stack([answer.log_probs for answer in answers]),
        reset=np.array([one.reset for one in seen]),
        enabled=stack([one.enabled for one in seen]),
        reward=np.array([moment.reward for moment in moments], np.float32),
        ended=np.array([moment.ended for moment in moments]),
        mask=np.ones(len(moments), bool),
        version=np.array([moment.answer.version for moment in moments], np.int32),
        carry=moments[0].carry,
        teacher_carry=None,
    )


def stack(trees: list) -> object:
    """Trees of the same form as one, with a new first axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)
