"""The network as a record of pure functions."""

from dataclasses import fields

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from asterism.agent.computation import Computation
from asterism.agent.config import AgentConfig
from asterism.agent.initializer import initialize
from asterism.agent.policy import SHARPNESS_SPEED, Given, Policy, Sampled
from asterism.agent.value import Values, follow
from asterism.errors import UserError
from asterism.interface.description import GameDescription
from asterism.interface.network import Network, Params, UnrollOutput, ValueUnits
from asterism.interface.sizes import InterfaceSize

AS_EVER = Computation()
"""Everything in float32, and kept."""


def make_network(
    game: GameDescription,
    size: InterfaceSize,
    config: AgentConfig,
    temperature: float = 1.0,
    learns_sharpness: bool = True,
    compute: Computation = AS_EVER,
) -> Network:
    """AlphaStar's network for a game.

    `temperature` divides the logits of all parts but the delay, when acting and when scoring alike: log-probabilities
    are those of the distribution that acts. It is multiplied by the policy's own (`Policy.sharpness`), unless that is
    not to be learned: imitation gives the logits a scale already. `compute` says how, not what, is computed. Raises
    UserError where the network does not fit the interface.
    """
    config.check(size)
    if temperature <= 0:
        raise UserError(f"temperature is {temperature}: it must be above 0")

    def init(key: PRNGKeyArray) -> Params:
        return initialize(lambda init: Params(Policy(init, game, size, config), Values(init, game, size, config)), key)

    def softness(policy: Policy):
        return temperature * policy.temperature() if learns_sharpness else temperature

    example = jax.eval_shape(init, jax.random.key(0))

    def initial_carry():
        return tuple(layer.zeros() for layer in example.policy.core.layers)

    def step(policy, carry, observation, key):
        lowered = compute.lowered(policy)
        encoded = lowered.encode(observation)
        with jax.named_scope("core"):
            carry, core = lowered.core.step(carry, encoded.summary)
        decision = lowered.decide(observation, encoded, core, Sampled(key, size), game, softness(policy), size)
        return carry, decision.action, decision.log_probs

    def unroll(params, carry, observation, privileged, action, reset, mask=None):
        policy, value = params
        lowered = compute.lowered(policy)
        encoded = compute.over_moments(lowered.encode, observation)
        with jax.named_scope("core"):
            carry, core = lowered.core.unroll(carry, encoded.summary, reset, mask)

        def score(observation, encoded, core, action):
            return lowered.decide(observation, encoded, core, Given(action), game, softness(policy), size)

        decision = compute.over_moments(score, observation, encoded, core, action)
        with jax.named_scope("values"):
            values = jax.vmap(value)(core, privileged)
        return carry, UnrollOutput(decision.logits, decision.log_probs, decision.unit_rounds, values)

    units = ValueUnits(value_scale, follow_targets) if config.parts.popart else None
    return Network(jax.jit(init), initial_carry, step, unroll, learn_only, softness, cooled, units)


def value_scale(params: Params) -> Float[Array, " 5"]:
    """The units in which the values are learned; no gradient flows."""
    return jax.lax.stop_gradient(params.value.popart.scale)


def follow_targets(params: Params, *moments) -> Params:
    """`asterism.agent.value.follow` for all weights."""
    return params._replace(value=follow(params.value, *moments))


def cooled(params: Params, factor: float) -> Params:
    """The same weights, at `factor` times the policy's own temperature."""
    colder = params.policy.sharpness - jnp.log(factor) / SHARPNESS_SPEED
    return eqx.tree_at(lambda p: p.policy.sharpness, params, colder)


def check_blocks(blocks: tuple[str, ...]) -> None:
    """Raises UserError for a name that is no block of the policy."""
    names = [field.name for field in fields(Policy)]
    if unknown := set(blocks) - set(names):
        raise UserError(f"the policy has no block {min(unknown)!r}: choose from {', '.join(names)}")


def learn_only(params: Params, blocks: tuple[str, ...]) -> Params:
    """Stops the gradients of the policy's blocks that are not named; with no name, of none. Values learn on."""
    check_blocks(blocks)
    fixed = [field.name for field in fields(Policy) if blocks and field.name not in blocks]
    pick = lambda p: [getattr(p.policy, name) for name in fixed]  # noqa: E731
    return eqx.tree_at(pick, params, replace_fn=jax.lax.stop_gradient) if fixed else params
