"""The reinforcement loss: all terms of AlphaStar's, on trajectories of a learner (Methods: Reinforcement learning)."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from asterism.interface.action import Action, ActionParts
from asterism.interface.network import Network, Params
from asterism.interface.observation import Observation, Privileged
from asterism.learning.losses import (
    LossWeights,
    early_action_type_kl_loss,
    entropy_loss,
    kl_loss,
    masked_mean,
    part_entropies,
    part_kls,
    split_policy_gradient_loss,
    split_upgo_loss,
    value_loss,
)
from asterism.learning.pseudo_rewards import StrategyValues, pseudo_rewards, strategy_distances
from asterism.learning.returns import segment, td_lambda_targets
from asterism.learning.supervised import used_parts

REWARDS = ("win_loss", "build_order", "units", "upgrades", "effects")
WHOLE = Params(1.0, 1.0)
"""Rates at which policy and values make whole steps."""


class Trajectory(NamedTuple):
    """T steps of one learner, and the observation that follows them.

    The real steps come first (`mask`); the entry after the last of them is the state whose value is the bootstrap.
    """

    observation: Observation
    """[T + 1, ...]"""
    privileged: Privileged
    """[T + 1, 2, ...]"""
    action: Action
    """[T + 1, ...]; the last is not used."""
    behaviour: ActionParts
    """Log-probabilities under the weights that acted, [T + 1]."""
    reset: Bool[Array, " T+1"]
    """First steps of games."""
    enabled: StrategyValues
    """Which pseudo-rewards the game has, [T + 1]."""
    reward: Float[Array, " T"]
    """Win/loss, paid between a step and the next."""
    ended: Bool[Array, " T"]
    """The game ended between a step and the next."""
    mask: Bool[Array, " T"]
    carry: Any
    """State of the core before the first step."""
    teacher_carry: Any
    """The same of the teacher, who looks on."""


class Scale(NamedTuple):
    """What the pseudo-rewards need to know of the game: sides of location grid and map, loops a second."""

    location: int
    map_cells: int
    loops_per_second: float


def all_rewards(trajectory: Trajectory, scale: Scale, discounts: Float[Array, " T"]) -> Float[Array, "T 5"]:
    """Win/loss and the four pseudo-rewards of each step (`REWARDS`)."""
    executed = jax.tree.map(lambda leaf: leaf[:, 0], trajectory.privileged.executed)
    target = trajectory.observation.z
    distances = jax.vmap(lambda e, z: strategy_distances(e, z, scale.location, scale.map_cells))(executed, target)
    before, after = (
        jax.tree.map(lambda d, part=part: d[part], distances) for part in (slice(None, -1), slice(1, None))
    )
    enabled = jax.tree.map(lambda flag: flag[:-1], trajectory.enabled)
    loops = trajectory.observation.scalars.game_loop[1:]
    pseudo = pseudo_rewards(before, after, loops, discounts, enabled, scale.loops_per_second)
    return jnp.concatenate([trajectory.reward[:, None], pseudo], 1)


class Learned(NamedTuple):
    """What is known after a batch beside its loss."""

    teacher_carry: Any
    metrics: dict[str, Float[Array, ""]]
    """The mean of each term, and the whole."""
    targets: Float[Array, "*b T 5"]
    """TD(lambda) targets of the values."""


def trajectory_losses(
    network: Network,
    uses: ActionParts,
    weights: LossWeights,
    scale: Scale,
    params: Params,
    teacher: Params,
    trajectory: Trajectory,
) -> tuple[dict[str, Float[Array, " T"]], Any, Float[Array, "T 5"]]:
    """Every term of the loss, unweighted, at each step of one trajectory; the teacher's carry after it, and the targets
    of the values."""
    inputs = (trajectory.observation, trajectory.privileged, trajectory.action, trajectory.reset)
    _, output = network.unroll(params, trajectory.carry, *inputs)
    real = jnp.append(trajectory.mask, False)
    teacher_carry, taught = network.unroll(teacher, trajectory.teacher_carry, *inputs, real)
    steps = lambda tree: jax.tree.map(lambda leaf: leaf[:-1], tree)  # noqa: E731
    mask = trajectory.mask
    discounts = jnp.where(trajectory.ended, 0.0, weights.discount)
    rewards = all_rewards(trajectory, scale, discounts)
    bootstrap = jax.lax.stop_gradient(output.values[mask.sum()])
    segments = jax.vmap(segment, in_axes=(1, 0, 1, None, None))(output.values[:-1], bootstrap, rewards, discounts, mask)
    used = used_parts(uses, steps(trajectory.action))
    log_probs, behaviour = steps(output.log_probs), steps(trajectory.behaviour)
    clip, corrected = weights.rho_clip, weights.correction == "vtrace"
    lambda_ = weights.vtrace_lambda if corrected else weights.td_lambda
    policy = lambda s: split_policy_gradient_loss(log_probs, behaviour, used, s, clip, lambda_, corrected)  # noqa: E731
    policies = jax.vmap(policy)(segments)
    values = jax.vmap(lambda s: value_loss(s, weights.td_lambda))(segments)
    if network.value_units is not None:
        values = values / network.value_units.scale(params)[:, None] ** 2
    targets = jax.vmap(lambda s: td_lambda_targets(s, weights.td_lambda))(segments).T
    win_loss = jax.tree.map(lambda leaf: leaf[0], segments)
    rounds = output.unit_rounds[:-1]
    kls = part_kls(steps(taught.logits), steps(output.logits), rounds)
    scalars, z = trajectory.observation.scalars, trajectory.observation.z
    follows = ((z.build_order > 0).any(1) | z.units.any(1))[:-1]
    early = early_action_type_kl_loss(
        kls.action_type, scalars.game_loop[:-1], follows, mask, weights.early_seconds, scale.loops_per_second
    )
    losses = {f"policy/{name}": policies[i] for i, name in enumerate(REWARDS)}
    losses |= {f"value/{name}": values[i] for i, name in enumerate(REWARDS)}
    losses["upgo"] = split_upgo_loss(log_probs, behaviour, used, win_loss, clip)
    losses["entropy"] = entropy_loss(part_entropies(steps(output.logits), rounds), used, mask)
    losses["kl"] = kl_loss(kls, used, mask)
    losses["kl_early"] = early
    return losses, teacher_carry, targets


def weight_table(weights: LossWeights) -> dict[str, float]:
    """The weight of each term of `trajectory_losses`."""
    table = {f"policy/{name}": getattr(weights.policy, name) for name in REWARDS}
    table |= {f"value/{name}": getattr(weights.value, name) for name in REWARDS}
    return table | {
        "upgo": weights.upgo,
        "entropy": weights.entropy,
        "kl": weights.kl,
        "kl_early": weights.kl_action_type_early,
    }


def reinforcement_loss(
    network: Network,
    uses: ActionParts,
    weights: LossWeights,
    scale: Scale,
    params: Params,
    teacher: Params,
    batch: Trajectory,
) -> tuple[Float[Array, ""], Learned]:
    """The weighted loss of a batch of trajectories ([B, ...]), and what else is known after it."""
    of_one = lambda t: trajectory_losses(network, uses, weights, scale, params, teacher, t)  # noqa: E731
    losses, carries, targets = jax.vmap(of_one)(batch)
    means = {name: masked_mean(values, batch.mask) for name, values in losses.items()}
    # A term without weight is left out, so that the compiler drops what only that term needs.
    total = sum(weight * means[name] for name, weight in weight_table(weights).items() if weight)
    metrics = {f"loss/{name}": value for name, value in means.items()}
    return total, Learned(carries, metrics | {"loss/total": total}, targets)


class LearnerState(NamedTuple):
    """What reinforcement learning changes."""

    params: Params
    optimizer: optax.OptState


def reinforcement_update(
    network: Network,
    uses: ActionParts,
    weights: LossWeights,
    scale: Scale,
    optimizer: optax.GradientTransformation,
    learn: tuple[str, ...] = (),
):
    """The update, a pure function: (LearnerState, teacher, Trajectory [B], rates) -> (LearnerState, carries, metrics).

    The rates are factors on the changes of the policy and of the value networks; `learn` names the blocks of the policy
    that change (none: all).
    """

    def update(learner: LearnerState, teacher: Params, batch: Trajectory, rates: Params = WHOLE):
        def loss(params):
            params = network.learn_only(params, learn)
            return reinforcement_loss(network, uses, weights, scale, params, teacher, batch)

        gradients, (carries, metrics, targets) = jax.grad(loss, has_aux=True)(learner.params)
        metrics["gradient_norm"] = optax.tree.norm(gradients)
        updates, state = optimizer.update(gradients, learner.optimizer, learner.params)
        scaled = [jax.tree.map(lambda x, r=rate: x * r, part) for part, rate in zip(updates, rates, strict=True)]
        params = optax.apply_updates(learner.params, Params(*scaled))
        if network.value_units is not None:
            step = weights.popart_step * rates.value
            params = network.value_units.follow(params, jax.lax.stop_gradient(targets), batch.mask, step)
        return LearnerState(params, state), carries, metrics

    return update
