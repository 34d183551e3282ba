"""AlphaStar's losses on one trajectory (Vinyals et al. 2019, Methods and supplementary pseudocode).

Every `*_loss` returns one number a step, [T], zero where padded; `masked_mean` over a whole batch makes it a scalar,
so that each real step counts the same however long its segment is. The weights are in `LossWeights`, applied by
whoever adds the losses up.
"""

import math
from dataclasses import astuple, dataclass, fields

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PyTree

from asterism.errors import UserError, require_choice
from asterism.learning.returns import Segment, td_lambda_targets, upgo_returns, vtrace

CORRECTIONS = ("vtrace", "td_lambda")
MASKED_LOGIT = -1e9
"""Logit of a choice that is not available: its probability is exactly 0, yet every gradient stays finite."""

StepParts = PyTree[Float[Array, " T"]]
"""An ActionParts with one number a step for each part. (beartype checks no generic named tuples, hence these names.)"""
UsedParts = PyTree[Bool[Array, " T"]]
"""An ActionParts: whether the action type of each step uses the part."""
PartLogits = PyTree[Float[Array, "T ..."]]
"""An ActionParts of logits [T, N], those of units [T, S, N]: S rounds of selection."""


def _refuse_negative(weights) -> None:
    for field in fields(weights):
        value = getattr(weights, field.name)
        if not isinstance(value, RewardWeights | str) and not (math.isfinite(value) and value >= 0):
            where = f"{type(weights).__name__}.{field.name}"
            raise UserError(f"{where} is {value}: choose a finite number that is not negative")


@dataclass(frozen=True)
class RewardWeights:
    """One weight for each reward, in the order of the network's value outputs."""

    win_loss: float = 1.0
    """The game's result."""
    build_order: float = 1.0
    """Pseudo-reward for following the build order of z."""
    units: float = 1.0
    """Pseudo-reward for building the units of z."""
    upgrades: float = 1.0
    """Pseudo-reward for researching the upgrades of z."""
    effects: float = 1.0
    """Pseudo-reward for using the effects of z."""

    def __post_init__(self):
        _refuse_negative(self)

    def array(self) -> Float[Array, "5"]:
        """The weights as a vector."""
        return jnp.array(astuple(self), jnp.float32)


@dataclass(frozen=True)
class LossWeights:
    """Weights and constants of the reinforcement loss (AlphaStar, Methods); UserError for values that make no sense."""

    policy: RewardWeights = RewardWeights(win_loss=1.0, build_order=4.0, units=6.0, upgrades=6.0, effects=6.0)
    """V-trace policy gradient, for each reward."""
    upgo: float = 1.0
    """Upgoing policy gradient, on win/loss only."""
    value: RewardWeights = RewardWeights(win_loss=10.0)
    """TD(lambda) value loss, for each reward."""
    entropy: float = 1e-4
    """Entropy of each action part as a fraction of the most it can be."""
    kl: float = 2e-3
    """KL from the supervised teacher to the policy, on every action part."""
    kl_action_type_early: float = 1e-1
    """The same once more on the action type, early in games that follow a z."""
    early_seconds: float = 240.0
    """How long "early" lasts, in seconds of game time."""
    discount: float = 1.0
    """Discount of a step, in [0, 1]."""
    td_lambda: float = 0.8
    """Lambda of the value targets, in [0, 1]."""
    vtrace_lambda: float = 1.0
    """Lambda of V-trace, in [0, 1]: lower values trust the value network more, and chance less."""
    rho_clip: float = 1.0
    """Where importance ratios are clipped; above 0."""
    correction: str = "vtrace"
    """Of the policy gradient, for data of older weights: vtrace, or td_lambda for none: advantages are those of the
    TD(lambda) returns, lambda being `td_lambda`. (UPGO keeps its ratios.)"""
    popart_step: float = 1e-2
    """Share of the way that the statistics of PopArt go to those of a batch, in [0, 1], if the network has any
    (`Parts.popart`)."""

    def __post_init__(self):
        _refuse_negative(self)
        require_choice("LossWeights.correction", self.correction, CORRECTIONS)
        for name in ("discount", "td_lambda", "vtrace_lambda", "popart_step"):
            if getattr(self, name) > 1:
                raise UserError(f"LossWeights.{name} is {getattr(self, name)}: choose a number from 0 to 1")
        if self.rho_clip == 0:
            raise UserError("LossWeights.rho_clip is 0: choose a number above 0, or no policy gradient is left")


def masked_mean(values: Float[Array, "*b"], mask: Bool[Array, "*b"], axis: int | None = None) -> Float[Array, "..."]:
    """Mean over the entries where `mask` is true, 0 if there are none."""
    return jnp.where(mask, values, 0.0).sum(axis) / jnp.maximum(mask.sum(axis), 1)


# Distributions


def masked_log_softmax(logits: Float[Array, "*b N"]) -> Float[Array, "*b N"]:
    """Log-probabilities; logits of MASKED_LOGIT or less stand for choices that are not available."""
    return jax.nn.log_softmax(jnp.maximum(logits, MASKED_LOGIT))


def normalised_entropy(logits: Float[Array, "*b N"]) -> Float[Array, "*b"]:
    """Entropy over log(number of available choices), in [0, 1]; 0 where there is no choice."""
    log_probs = masked_log_softmax(logits)
    choices = (logits > MASKED_LOGIT / 2).sum(-1)
    entropy = -(jnp.exp(log_probs) * log_probs).sum(-1)
    return jnp.where(choices > 1, entropy / jnp.log(jnp.maximum(choices, 2)), 0.0)


def categorical_kl(teacher_logits: Float[Array, "*b N"], logits: Float[Array, "*b N"]) -> Float[Array, "*b"]:
    """KL(teacher || policy), with gradients to the policy alone. Both must have the same choices masked."""
    teacher = jax.lax.stop_gradient(masked_log_softmax(teacher_logits))
    return optax.losses.kl_divergence_with_log_targets(masked_log_softmax(logits), teacher)


def part_entropies(logits: PartLogits, unit_rounds: Bool[Array, "T S"]) -> StepParts:
    """Normalised entropy of each part from its logits [T, N]; of units, [T, S, N], the mean over `unit_rounds`."""
    entropies = jax.tree.map(normalised_entropy, logits)
    return entropies._replace(units=masked_mean(entropies.units, unit_rounds, axis=-1))


def part_kls(teacher_logits: PartLogits, logits: PartLogits, unit_rounds: Bool[Array, "T S"]) -> StepParts:
    """KL(teacher || policy) of each part from its logits [T, N]; of units, [T, S, N], the sum over `unit_rounds`."""
    kls = jax.tree.map(categorical_kl, teacher_logits, logits)
    return kls._replace(units=jnp.where(unit_rounds, kls.units, 0.0).sum(-1))


# Policy gradients


def split_log_probs(log_probs: StepParts, used: UsedParts, mask: Bool[Array, " T"]) -> Float[Array, "3 T"]:
    """Log-probabilities of the three groups that are corrected apart: action type, delay, all other arguments.

    Parts that the action type does not use, and padded steps, count as certain: 0, without a gradient.
    """
    kept = jax.tree.map(lambda log_prob, use: jnp.where(use & mask, log_prob, 0.0), log_probs, used)
    return jnp.stack([kept.action_type, kept.delay, sum(kept[2:])])


def _policy_gradient(advantages: Float[Array, "3 T"], log_probs: Float[Array, "3 T"]) -> Float[Array, " T"]:
    return -(jax.lax.stop_gradient(advantages) * log_probs).sum(0)


def split_policy_gradient_loss(
    log_probs: StepParts,
    behaviour_log_probs: StepParts,
    used: UsedParts,
    segment: Segment,
    rho_clip: Float[ArrayLike, ""] = 1.0,
    lambda_: Float[ArrayLike, ""] = 1.0,
    corrected: bool = True,
) -> Float[Array, " T"]:
    """V-trace actor-critic, split by action part (supplementary pseudocode: `split_vtrace_pg_loss`).

    Each of the three groups of `split_log_probs` has its own importance ratio, hence its own V-trace. Their losses are
    added: -sum over groups of rho (r + gamma v_{s+1} - V) log pi. If it is not `corrected`, all ratios count as 1, and
    v is the lambda-return.
    """
    log_pi = split_log_probs(log_probs, used, segment.mask)
    rhos = jnp.exp(log_pi - split_log_probs(behaviour_log_probs, used, segment.mask))
    rhos = rhos if corrected else jnp.ones_like(rhos)
    advantages = jax.vmap(lambda rho: vtrace(segment, rho, rho_clip, lambda_).advantages)(jax.lax.stop_gradient(rhos))
    return _policy_gradient(advantages, log_pi)


def split_upgo_loss(
    log_probs: StepParts,
    behaviour_log_probs: StepParts,
    used: UsedParts,
    segment: Segment,
    rho_clip: Float[ArrayLike, ""] = 1.0,
) -> Float[Array, " T"]:
    """Upgoing policy gradient -rho (G^U - V) log pi, split as above (supplementary pseudocode: `split_upgo_loss`)."""
    log_pi = split_log_probs(log_probs, used, segment.mask)
    rhos = jnp.exp(log_pi - split_log_probs(behaviour_log_probs, used, segment.mask))
    advantages = jnp.minimum(rhos, rho_clip) * (upgo_returns(segment) - segment.values_tm1)
    return _policy_gradient(advantages, log_pi)


# Values and regularisation


def value_loss(segment: Segment, td_lambda: Float[ArrayLike, ""] = 0.8) -> Float[Array, " T"]:
    """Half the squared error to the TD(lambda) targets, through which no gradient flows."""
    errors = td_lambda_targets(segment, td_lambda) - segment.values_tm1
    return jnp.where(segment.mask, 0.5 * errors**2, 0.0)


def _sum_used(parts: StepParts, used: UsedParts, mask: Bool[Array, " T"]) -> Float[Array, " T"]:
    return sum(jnp.where(use & mask, part, 0.0) for part, use in zip(parts, used, strict=True))


def entropy_loss(entropies: StepParts, used: UsedParts, mask: Bool[Array, " T"]) -> Float[Array, " T"]:
    """Minus the entropies (`part_entropies`) of the parts that the action uses."""
    return -_sum_used(entropies, used, mask)


def kl_loss(kls: StepParts, used: UsedParts, mask: Bool[Array, " T"]) -> Float[Array, " T"]:
    """Divergence from the teacher (`part_kls`) over the parts that the action uses."""
    return _sum_used(kls, used, mask)


def early_action_type_kl_loss(
    action_type_kl: Float[Array, " T"],
    game_loop: Int[Array, " T"],
    follows_z: Bool[Array, " T"],
    mask: Bool[Array, " T"],
    early_seconds: float = 240.0,
    loops_per_second: float = 22.4,
) -> Float[Array, " T"]:
    """Divergence of the action type in the first `early_seconds` of games in which the player follows a z."""
    early = game_loop < early_seconds * loops_per_second
    return jnp.where(early & follows_z & mask, action_type_kl, 0.0)
