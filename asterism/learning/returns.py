"""Returns of one trajectory: V-trace, TD(lambda) and UPGO, all from one `Segment`.

Time suffixes are those of rlax: an action is taken in a state `_tm1` and leads to a reward, a discount and a state
`_t`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import rlax
from jaxtyping import Array, ArrayLike, Bool, Float


class Segment(NamedTuple):
    """T consecutive steps of one player, as every return below needs them; made by `segment`, which fills padding."""

    values_tm1: Float[Array, " T"]
    """Value of the state in which each action was taken."""
    values_t: Float[Array, " T"]
    """Value of the state that followed."""
    rewards_t: Float[Array, " T"]
    """Reward of the move from the one to the other."""
    discounts_t: Float[Array, " T"]
    """Discount of that move: 0 where it ended a game, and the next step may belong to a new one."""
    mask: Bool[Array, " T"]
    """True for real steps: a prefix of the segment; the rest is padding."""


class VTrace(NamedTuple):
    """V-trace's two results, without gradients."""

    targets: Float[Array, " T"]
    """v_s, towards which the values go."""
    advantages: Float[Array, " T"]
    """rho_s (r_s + gamma v_{s+1} - V(x_s)), the weight of the policy gradient."""


def segment(
    values: Float[Array, " T"],
    bootstrap: Float[ArrayLike, ""],
    rewards: Float[Array, " T"],
    discounts: Float[Array, " T"],
    mask: Bool[Array, " T"],
) -> Segment:
    """Aligns states with successors and fills the padded tail so that every backward recursion passes through it.

    `mask` is true for the first steps and false for the padded rest. `bootstrap` is the value of the state after the
    last real step; it does not matter where that step ended the game. A padded step gets the bootstrap as its value,
    reward 0 and discount 1 (and an importance ratio of 1 in `vtrace`): its temporal difference is 0 and its return
    the bootstrap, so the real steps see what they would see without padding. What the padded entries held before is
    ignored.
    """
    filled = jnp.where(mask, values, bootstrap)
    return Segment(
        values_tm1=filled,
        values_t=jnp.append(filled[1:], bootstrap),
        rewards_t=jnp.where(mask, rewards, 0.0),
        discounts_t=jnp.where(mask, discounts, 1.0),
        mask=mask,
    )


def vtrace(
    segment: Segment,
    rhos_tm1: Float[Array, " T"],
    rho_clip: Float[ArrayLike, ""] = 1.0,
    lambda_: Float[ArrayLike, ""] = 1.0,
) -> VTrace:
    """Off-policy targets and advantages (Espeholt et al. 2018, equation 1 and section 4.2).

    `rhos_tm1` are the importance ratios pi/mu of the actions. rho is clipped at `rho_clip`; c at 1, then times
    `lambda_`.
    """
    rhos_tm1 = jnp.where(segment.mask, rhos_tm1, 1.0)
    result = rlax.vtrace_td_error_and_advantage(
        segment.values_tm1,
        segment.values_t,
        segment.rewards_t,
        segment.discounts_t,
        rhos_tm1,
        lambda_=lambda_,
        clip_rho_threshold=rho_clip,
        clip_pg_rho_threshold=rho_clip,
    )
    return jax.lax.stop_gradient(VTrace(result.errors + segment.values_tm1, result.pg_advantage))


def td_lambda_targets(segment: Segment, lambda_: Float[ArrayLike, ""] = 0.8) -> Float[Array, " T"]:
    """On-policy targets G_t = r_t + gamma_t ((1 - lambda) V_{t+1} + lambda G_{t+1}), without gradients."""
    return rlax.lambda_returns(
        segment.rewards_t, segment.discounts_t, segment.values_t, lambda_, stop_target_gradients=True
    )


def upgo_returns(segment: Segment) -> Float[Array, " T"]:
    """Upgoing returns: they follow the trajectory while it does no worse than expected (AlphaStar, Methods: UPGO).

    G_t = r_t + gamma_t (G_{t+1} if r_{t+1} + gamma_{t+1} V_{t+2} >= V_{t+1} else V_{t+1}), without gradients. This is a
    lambda-return whose lambda is 1 where the next step is as good as expected and 0 elsewhere.
    """
    upgoing = segment.rewards_t + segment.discounts_t * segment.values_t >= segment.values_tm1
    lambda_t = jnp.append(upgoing[1:], True).astype(segment.values_t.dtype)
    return rlax.lambda_returns(
        segment.rewards_t, segment.discounts_t, segment.values_t, lambda_t, stop_target_gradients=True
    )
