"""Learning a small task (`asterism.tasks`) from scratch, with the agent's own network and AlphaStar's own losses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from asterism.errors import require_at_least, require_positive
from asterism.interface.action import Action, ActionParts
from asterism.interface.description import GameDescription
from asterism.interface.network import Network
from asterism.interface.observation import Observation, Privileged
from asterism.interface.sizes import InterfaceSize
from asterism.learning.losses import LossWeights, RewardWeights
from asterism.learning.pseudo_rewards import StrategyValues
from asterism.learning.reinforcement import LearnerState, Scale, Trajectory, fresh_learner, reinforcement_update
from asterism.runtime.removals import WHOLE, Removal
from asterism.tasks.scene import Studio
from asterism.tasks.task import Task, Verdict

RESULT = RewardWeights(win_loss=1.0, build_order=0.0, units=0.0, upgrades=0.0, effects=0.0)
"""The task's reward stands in for the game's result; there are no pseudo-rewards."""


@dataclass(frozen=True)
class TaskLearning:
    """How a task is learned. The losses are AlphaStar's, without a teacher and pseudo-rewards.

    Nothing that is done changes what comes, so that the discount is 0. The weight of entropy is high: with less, a
    policy settles on one delay or place for all it sees, before it has learned what to look at.
    """

    lanes: int = 32
    """Trajectories in an update."""
    steps: int = 8
    """Agent steps in a trajectory; a longer episode is one trajectory."""
    updates: int = 400
    """Most updates."""
    enough: float = 0.985
    """Share of successes, in the last `window` updates, at which learning ends."""
    window: int = 20
    learning_rate: float = 1e-3
    """Step size of Adam at the start; it falls to 0 along a line, in all updates there may be."""
    momentum: float = 0.9
    """Beta1 of Adam."""
    clip: float = 1.0
    """Largest norm of a gradient."""
    losses: LossWeights = field(
        default_factory=lambda: LossWeights(
            policy=RESULT, value=RESULT, entropy=0.3, kl=0.0, kl_action_type_early=0.0, discount=0.0
        )
    )

    def __post_init__(self):
        require_at_least(self, "task learning", 1, ("lanes", "steps", "updates", "window"))
        require_positive(self, "task learning", ("learning_rate", "clip"))


class Batch(NamedTuple):
    """Episodes before they are played. [B, T, ...], what is seen [B, T + 1, ...]."""

    scene: Any
    step: Any
    observation: Observation
    privileged: Privileged
    reset: Bool[Array, "B T+1"]


class Programs(NamedTuple):
    """Compiled when first called; the same for all tasks with trajectories as long."""

    play: Callable[..., tuple[Action, ActionParts]]
    """(policy, observations [B, T + 1], reset [B, T + 1], key) -> actions and log-probabilities [B, T + 1]."""
    update: Callable[..., tuple[LearnerState, dict[str, Float[Array, ""]]]]
    """(learner, trajectories) -> learner, metrics."""
    optimizer: optax.GradientTransformation


def make_programs(network: Network, game: GameDescription, size: InterfaceSize, settings: TaskLearning) -> Programs:
    """Acting and learning."""
    steps = optax.linear_schedule(settings.learning_rate, 0.0, settings.updates)
    optimizer = optax.chain(
        optax.clip_by_global_norm(settings.clip),
        optax.adam(steps, b1=settings.momentum, b2=0.99, eps=1e-5),
    )
    scale = Scale(size.location, game.map_cells, game.loops_per_second)
    one_update = reinforcement_update(network, game.uses, settings.losses, scale, optimizer)

    def play(policy, observation, reset, key):
        def advance(carry, inputs):
            seen, fresh, key = inputs
            carry = jax.tree.map(lambda leaf: jnp.where(fresh, 0.0, leaf), carry)
            carry, action, log_probs = network.step(policy, carry, seen, key)
            return carry, (action, log_probs)

        inputs = (observation, reset, jax.random.split(key, len(reset)))
        real = jax.tree.map(lambda leaf: leaf[:-1], inputs)
        _, played = jax.lax.scan(advance, network.initial_carry(), real)
        # What follows the last step is not acted upon.
        return jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf[-1:]]), played)

    def play_all(policy, observation, reset, key):
        return jax.vmap(play, (None, 0, 0, 0))(policy, observation, reset, jax.random.split(key, len(reset)))

    def update(learner, batch):
        # The teacher's weight is 0: who it is does not matter.
        learner, _, metrics = one_update(learner, learner.params, batch)
        return learner, {"loss": metrics["loss/total"], "gradient_norm": metrics["gradient_norm"]}

    return Programs(jax.jit(play_all), jax.jit(update, donate_argnums=0), optimizer)


class Lesson:
    """One task with one learner."""

    def __init__(
        self,
        task: Task,
        studio: Studio,
        network: Network,
        programs: Programs,
        settings: TaskLearning,
        removal: Removal = WHOLE,
    ):
        self.task, self.settings, self.programs, self.network = task, settings, programs, network
        self.removal = removal
        self.episodes = max(settings.steps // task.steps, 1)
        steps = self.episodes * task.steps
        self.when = jnp.tile(jnp.arange(task.steps), self.episodes)
        self.remove = jax.jit(removal.weights, donate_argnums=0)

        def lane(key):
            scenes = jax.vmap(task.draw)(jax.random.split(key, self.episodes))
            scene = jax.tree.map(lambda leaf: jnp.repeat(leaf, task.steps, 0), scenes)
            observation = removal.sees(jax.vmap(task.observe)(scene, self.when))
            observation = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf[-1:]]), observation)
            privileged = jax.vmap(studio.privileged)(observation)
            reset = (jnp.append(self.when, 0) == 0) | removal.forgets
            return Batch(scene, self.when, observation, privileged, reset)

        def judge(batch: Batch, action: Action) -> Verdict:
            return jax.vmap(task.judge)(batch.scene, batch.step, jax.tree.map(lambda leaf: leaf[:-1], action))

        self.prepare = jax.jit(lambda key: jax.vmap(lane)(jax.random.split(key, settings.lanes)))
        self.judge = jax.jit(jax.vmap(judge))
        self.last = self.when == task.steps - 1
        carry = jax.tree.map(lambda leaf: jnp.zeros((settings.lanes, *leaf.shape)), network.initial_carry())
        never = jnp.zeros((settings.lanes, steps + 1))
        self.rest = {
            "enabled": StrategyValues(*[never > 0] * 4),
            "version": jnp.zeros((settings.lanes, steps), jnp.int32),
            "carry": carry,
            "teacher_carry": carry,
        }

    def start(self, key: PRNGKeyArray) -> LearnerState:
        """Fresh weights."""
        params = self.remove(self.network.init(key))
        return fresh_learner(params, self.programs.optimizer)

    def play(self, policy: Any, key: PRNGKeyArray) -> tuple[Trajectory, Float[Array, ""]]:
        """Trajectories of fresh episodes, and the share of episodes that succeed."""
        of_episodes, of_actions = jax.random.split(key)
        batch = self.prepare(of_episodes)
        action, log_probs = self.programs.play(policy, batch.observation, batch.reset, of_actions)
        verdict = self.judge(batch, action)
        shape = verdict.reward.shape
        trajectory = Trajectory(
            observation=batch.observation,
            privileged=batch.privileged,
            action=action,
            behaviour=log_probs,
            reset=batch.reset,
            reward=verdict.reward,
            ended=jnp.broadcast_to(self.last, shape),
            mask=jnp.ones(shape, bool),
            **self.rest,
        )
        return trajectory, verdict.success[:, self.last].mean()

    def update(self, learner: LearnerState, key: PRNGKeyArray):
        """Plays, and learns from it."""
        trajectory, success = self.play(learner.params.policy, key)
        learner, metrics = self.programs.update(learner, trajectory)
        return learner._replace(params=self.remove(learner.params)), success, metrics, trajectory.reward.mean()
