"""The reinforcement loss: all terms of AlphaStar's, on trajectories of a learner (Methods: Reinforcement learning)."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

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


class Factors(NamedTuple):
    """Multiples of a learner's settings that may differ from update to update and from learner to learner: of the steps
    of its policy and of its value networks, and of the weights of the terms of its loss."""

    policy_rate: Float[Array, ""] | float = 1.0
    value_rate: Float[Array, ""] | float = 1.0
    upgo: Float[Array, ""] | float = 1.0
    entropy: Float[Array, ""] | float = 1.0
    kl: Float[Array, ""] | float = 1.0
    """Of both terms, that of the first minutes too."""

    def of_term(self, name: str) -> Float[Array, ""] | float:
        """The factor of a term of `weight_table`."""
        return {"upgo": self.upgo, "entropy": self.entropy, "kl": self.kl, "kl_early": self.kl}.get(name, 1.0)

    def times(self, other: "Factors") -> "Factors":
        """Both at once."""
        return Factors(*(one * two for one, two in zip(self, other, strict=True)))


WHOLE = Factors()
"""The settings as they are."""


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
    version: Int[Array, " T"]
    """Updates that the learner had made when it acted."""
    carry: Any
    """State of the core before the first step."""
    teacher_carry: Any
    """The same of the teacher, who looks on."""


class Scale(NamedTuple):
    """What the pseudo-rewards need to know of the game: sides of location grid and map, loops a second."""

    location: int
    map_cells: int
    loops_per_second: float


def distances_to_z(trajectory: Trajectory, scale: Scale) -> StrategyValues:
    """How far what the player has done is from its z at each moment, [T + 1]."""
    executed = jax.tree.map(lambda leaf: leaf[:, 0], trajectory.privileged.executed)
    target = trajectory.observation.z
    return jax.vmap(lambda e, z: strategy_distances(e, z, scale.location, scale.map_cells))(executed, target)


def all_rewards(
    trajectory: Trajectory, distances: StrategyValues, scale: Scale, discounts: Float[Array, " T"]
) -> Float[Array, "T 5"]:
    """Win/loss and the four pseudo-rewards of each step (`REWARDS`)."""
    before, after = (
        jax.tree.map(lambda d, part=part: d[part], distances) for part in (slice(None, -1), slice(1, None))
    )
    enabled = jax.tree.map(lambda flag: flag[:-1], trajectory.enabled)
    loops = trajectory.observation.scalars.game_loop[1:]
    pseudo = pseudo_rewards(before, after, loops, discounts, enabled, scale.loops_per_second)
    return jnp.concatenate([trajectory.reward[:, None], pseudo], 1)


class Share(NamedTuple):
    """What is summed up over the steps of a batch before it is divided."""

    of: Float[Array, "*b T"]
    by: Float[Array, "*b T"]


class Terms(NamedTuple):
    """What one trajectory gives."""

    losses: dict[str, Float[Array, " T"]]
    """Every term of the loss, unweighted, at each step."""
    shares: dict[str, Share]
    """What is worth watching beside them: see `behaviour_shares`."""
    teacher_carry: Any
    """The teacher's memory after it."""
    targets: Float[Array, "T 5"]
    """TD(lambda) targets of the values."""


class Learned(NamedTuple):
    """What is known after a batch beside its loss."""

    teacher_carry: Any
    metrics: dict[str, Float[Array, ""]]
    """The mean of each term, the whole, and the shares (NaN where there is nothing to divide by)."""
    targets: Float[Array, "*b T 5"]
    """TD(lambda) targets of the values."""


def behaviour_shares(
    trajectory: Trajectory,
    used: ActionParts,
    entropies: ActionParts,
    kls: ActionParts,
    distances: StrategyValues,
    scale: Scale,
) -> dict[str, Share]:
    """Entropy and KL by action part, in steps that use it; actions a minute of the game (`apm`, no-ops left out); and
    how far from z games that followed one were at their last action (`from_z`)."""
    mask, scalars = trajectory.mask, trajectory.observation.scalars
    shares = {}
    for part in ActionParts._fields:
        by = 1.0 * (getattr(used, part) & mask)
        for name, values in (("entropy", entropies), ("kl", kls)):
            shares[f"{name}/{part}"] = Share(jnp.where(by > 0, getattr(values, part), 0.0), by)
    within = mask & ~trajectory.ended
    loops = scalars.game_loop[1:] - scalars.game_loop[:-1]
    acts = within & (trajectory.action.action_type[:-1] > 0)
    shares["apm"] = Share(60 * scale.loops_per_second * acts, jnp.where(within, loops, 0).astype(float))
    last = 1.0 * (mask & trajectory.ended & follows_z(trajectory))
    return shares | {f"from_z/{name}": Share(d[:-1] * last, last) for name, d in distances._asdict().items()}


def follows_z(trajectory: Trajectory) -> Bool[Array, " T"]:
    """Whether the player is asked to follow a strategy, at each step."""
    z = trajectory.observation.z
    return (jnp.any(z.build_order > 0, 1) | jnp.any(z.units, 1))[:-1]


def trajectory_losses(
    network: Network,
    uses: ActionParts,
    weights: LossWeights,
    scale: Scale,
    params: Params,
    teacher: Params,
    trajectory: Trajectory,
) -> Terms:
    """All that is to be known of one trajectory."""
    inputs = (trajectory.observation, trajectory.privileged, trajectory.action, trajectory.reset)
    _, output = network.unroll(params, trajectory.carry, *inputs)
    real = jnp.append(trajectory.mask, False)
    teacher_carry, taught = network.unroll(teacher, trajectory.teacher_carry, *inputs, real)
    steps = lambda tree: jax.tree.map(lambda leaf: leaf[:-1], tree)  # noqa: E731
    mask = trajectory.mask
    discounts = jnp.where(trajectory.ended, 0.0, weights.discount)
    distances = distances_to_z(trajectory, scale)
    rewards = all_rewards(trajectory, distances, scale, discounts)
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
    entropies = part_entropies(steps(output.logits), rounds)
    loops, follows = trajectory.observation.scalars.game_loop[:-1], follows_z(trajectory)
    early = early_action_type_kl_loss(
        kls.action_type, loops, follows, mask, weights.early_seconds, scale.loops_per_second
    )
    losses = {f"policy/{name}": policies[i] for i, name in enumerate(REWARDS)}
    losses |= {f"value/{name}": values[i] for i, name in enumerate(REWARDS)}
    losses["upgo"] = split_upgo_loss(log_probs, behaviour, used, win_loss, clip)
    losses |= {"entropy": entropy_loss(entropies, used, mask), "kl": kl_loss(kls, used, mask), "kl_early": early}
    shares = behaviour_shares(trajectory, used, entropies, kls, distances, scale)
    return Terms(losses, jax.lax.stop_gradient(shares), teacher_carry, targets)


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
    factors: Factors = WHOLE,
) -> tuple[Float[Array, ""], Learned]:
    """The weighted loss of a batch of trajectories ([B, ...]), and what else is known after it."""
    of_one = lambda t: trajectory_losses(network, uses, weights, scale, params, teacher, t)  # noqa: E731
    terms = jax.vmap(of_one)(batch)
    means = {name: masked_mean(values, batch.mask) for name, values in terms.losses.items()}
    # A term without weight is left out, so that the compiler drops what only that term needs.
    table = weight_table(weights).items()
    total = sum(weight * factors.of_term(name) * means[name] for name, weight in table if weight)
    metrics = {f"loss/{name}": value for name, value in means.items()} | {"loss/total": total}
    metrics |= {name: share.of.sum() / share.by.sum() for name, share in terms.shares.items()}
    return total, Learned(terms.teacher_carry, metrics, terms.targets)


class LearnerState(NamedTuple):
    """What reinforcement learning changes."""

    params: Params
    optimizer: optax.OptState
    updates: Int[Array, ""]
    """Made so far."""


def fresh_learner(params: Params, optimizer: optax.GradientTransformation) -> LearnerState:
    """A learner with these weights and an optimizer that has seen nothing."""
    return LearnerState(params, optimizer.init(params), jnp.zeros((), jnp.int32))


def reinforcement_update(
    network: Network,
    uses: ActionParts,
    weights: LossWeights,
    scale: Scale,
    optimizer: optax.GradientTransformation,
    learn: tuple[str, ...] = (),
):
    """The update, a pure function: (LearnerState, teacher, Trajectory [B], factors) -> (LearnerState, the teacher's
    memory, metrics).

    `learn` names the blocks of the policy that change (none: all). `lag` among the metrics is the mean number of
    updates between the weights that acted and those that learn from it.
    """

    def update(learner: LearnerState, teacher: Params, batch: Trajectory, factors: Factors = WHOLE):
        def loss(params):
            params = network.learn_only(params, learn)
            return reinforcement_loss(network, uses, weights, scale, params, teacher, batch, factors)

        gradients, (carries, metrics, targets) = jax.grad(loss, has_aux=True)(learner.params)
        metrics["gradient_norm"] = optax.tree.norm(gradients)
        metrics["lag"] = masked_mean(1.0 * (learner.updates - batch.version), batch.mask)
        updates, state = optimizer.update(gradients, learner.optimizer, learner.params)
        rates = factors.policy_rate, factors.value_rate
        scaled = [jax.tree.map(lambda x, r=rate: x * r, part) for part, rate in zip(updates, rates, strict=True)]
        params = optax.apply_updates(learner.params, Params(*scaled))
        if network.value_units is not None:
            step = weights.popart_step * factors.value_rate
            params = network.value_units.follow(params, jax.lax.stop_gradient(targets), batch.mask, step)
        return LearnerState(params, state, learner.updates + 1), carries, metrics

    return update
