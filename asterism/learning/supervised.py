"""Supervised learning: imitation of recorded actions (AlphaStar, Methods: Supervised learning)."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, ArrayLike, Bool, Float

from asterism.errors import UserError
from asterism.interface.action import Action, ActionParts
from asterism.interface.network import Network, Params, UnrollOutput
from asterism.interface.observation import Observation, Privileged
from asterism.learning.confusion import Confusion, confusion
from asterism.learning.losses import masked_mean


@dataclass(frozen=True)
class SupervisedWeights:
    """Weights of the supervised loss."""

    l2: float = 1e-5
    """Squared norm of the policy's weights."""
    value: float = 0.5
    """Half squared error of the win/loss value to the game's outcome, to prepare reinforcement (0: as in the paper)."""

    def __post_init__(self):
        if self.l2 < 0 or self.value < 0:
            raise UserError(f"supervised weights must not be negative: l2 is {self.l2}, value {self.value}")


class Imitation(NamedTuple):
    """One window of T steps of one recorded player."""

    observation: Observation
    action: Action
    privileged: Privileged
    outcome: Float[Array, " T"]
    """+1 where the player won the game in the end, 0 tie, -1."""
    reset: Bool[Array, " T"]


def used_parts(uses: ActionParts, action: Action) -> ActionParts:
    """Which parts each action uses; `uses` is the game's table ([A] each), the result has the action type's shape."""
    return jax.tree.map(lambda column: jnp.asarray(column)[action.action_type], uses)


def part_accuracies(output: UnrollOutput, action: Action) -> ActionParts:
    """Whether the likeliest choice is the recorded one, [T] each; of units, the share of rounds."""
    best = jax.tree.map(lambda logits: logits.argmax(-1), output.logits)
    ends = output.logits.units.shape[-1] - 1
    wanted = jnp.where(action.units >= 0, action.units, ends)
    units = masked_mean((best.units == wanted).astype(jnp.float32), output.unit_rounds, axis=-1)
    right = jax.tree.map(
        lambda b, a: (b == a).astype(jnp.float32), best._replace(units=None), ActionParts(*action)._replace(units=None)
    )
    return right._replace(units=units)


def score(network: Network, params: Params, carry: Any, batch: Imitation) -> tuple[Any, UnrollOutput]:
    """The recorded actions of a batch of windows ([B, T, ...]) scored: the carries after them, and the outputs."""
    unroll = jax.vmap(network.unroll, in_axes=(None, 0, 0, 0, 0, 0))
    return unroll(params, carry, batch.observation, batch.privileged, batch.action, batch.reset)


def imitation_terms(
    output: UnrollOutput, used: ActionParts, batch: Imitation
) -> tuple[Float[Array, ""], Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Cross-entropy of whole actions, half the squared error of the value, and metrics: loss and accuracy by part."""
    losses = jax.tree.map(lambda log_prob, use: -masked_mean(log_prob, use), output.log_probs, used)
    accuracies = jax.vmap(part_accuracies)(output, batch.action)
    shares = jax.tree.map(lambda use: use.sum() / batch.reset.size, used)
    policy_loss = sum(loss * share for loss, share in zip(losses, shares, strict=True))
    value_loss = 0.5 * ((output.values[..., 0] - batch.outcome) ** 2).mean()
    metrics = {f"loss/{name}": value for name, value in losses._asdict().items()}
    metrics |= {
        f"accuracy/{name}": masked_mean(a, u) for name, a, u in zip(used._fields, accuracies, used, strict=True)
    }
    return policy_loss, value_loss, metrics | {"loss/total": policy_loss, "loss/value": value_loss}


def imitation_loss(
    network: Network,
    uses: ActionParts,
    weights: SupervisedWeights,
    params: Params,
    carry: Any,
    batch: Imitation,
    outcomes_count: Bool[ArrayLike, ""] = True,
) -> tuple[Float[Array, ""], tuple[Any, dict[str, Float[Array, ""]]]]:
    """Cross-entropy of every action part over a batch of windows ([B, T, ...]), with L2 and the value loss.

    `outcomes_count` says whether values are learned; they are not where only winners are imitated, who always win.
    Returns the loss, the carries after the windows, and metrics: loss and accuracy of each part.
    """
    carry, output = score(network, params, carry, batch)
    policy_loss, value_loss, metrics = imitation_terms(output, used_parts(uses, batch.action), batch)
    norm = optax.tree.norm(params.policy, squared=True)
    loss = policy_loss + weights.value * outcomes_count * value_loss + weights.l2 * norm
    return loss, (jax.lax.stop_gradient(carry), metrics)


def measure(
    network: Network, uses: ActionParts, params: Params, carry: Any, batch: Imitation
) -> tuple[Any, dict[str, Float[Array, ""]], Confusion]:
    """The same metrics without learning, and the confusion of action types; with the carries after the windows."""
    carry, output = score(network, params, carry, batch)
    used = used_parts(uses, batch.action)
    return carry, imitation_terms(output, used, batch)[2], confusion(output, batch.action, used)


class Learner(NamedTuple):
    """What supervised learning changes."""

    params: Params
    optimizer: optax.OptState
    carry: Any
    """One for each lane of the stream."""


def imitation_update(
    network: Network, uses: ActionParts, weights: SupervisedWeights, optimizer: optax.GradientTransformation
):
    """The update as a pure function: (Learner, Imitation [B, T], outcomes_count) -> (Learner, metrics)."""

    def update(
        learner: Learner, batch: Imitation, outcomes_count: Bool[ArrayLike, ""] = True
    ) -> tuple[Learner, dict[str, Float[Array, ""]]]:
        def loss(params):
            return imitation_loss(network, uses, weights, params, learner.carry, batch, outcomes_count)

        gradients, (carry, metrics) = jax.grad(loss, has_aux=True)(learner.params)
        metrics["gradient_norm"] = optax.tree.norm(gradients)
        updates, state = optimizer.update(gradients, learner.optimizer, learner.params)
        return Learner(optax.apply_updates(learner.params, updates), state, carry), metrics

    return update
