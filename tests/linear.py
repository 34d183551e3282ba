"""A network small enough to see through: every head is linear in a few numbers of the observation."""

import jax
import jax.numpy as jnp

from asterism.interface.action import Action, ActionParts
from asterism.interface.description import GameDescription
from asterism.interface.network import Network, Params, UnrollOutput
from asterism.interface.sizes import InterfaceSize
from asterism.learning.losses import MASKED_LOGIT

FEATURES = 4
"""The first statistics (in thousands, minerals first), and a constant."""


def linear_network(game: GameDescription, size: InterfaceSize) -> Network:
    """Its carry counts the steps since the game began. It acts with at most one unit, and aims at any entity."""
    cells = size.location**2
    widths = ActionParts(len(game.actions), size.delays, 2, size.repeats, size.entities + 1, size.entities, cells)

    def init(key):
        keys = jax.random.split(key, 8)
        heads = [0.1 * jax.random.normal(k, (FEATURES, width)) for k, width in zip(keys, widths, strict=False)]
        return Params(ActionParts(*heads), 0.1 * jax.random.normal(keys[7], (FEATURES, 5)))

    def unroll(params, carry, observation, privileged, action, reset, mask=None):
        real = jnp.ones_like(reset) if mask is None else mask

        def count(carry, step):
            reset, real = step
            new = jnp.where(real, jnp.where(reset, 1, carry + 1), carry)
            return new, new

        carry, _ = jax.lax.scan(count, carry, (reset, real))
        statistics = observation.scalars.statistics[:, : FEATURES - 1] / 1000
        features = jnp.concatenate([statistics, jnp.ones((len(reset), 1))], 1)
        logits = jax.tree.map(lambda head: features @ head, params.policy)
        rounds = (action.units >= 0).sum(-1, keepdims=True) >= jnp.arange(size.selected)
        uses = jax.tree.map(lambda column: jnp.asarray(column)[action.action_type], game.uses)
        unit_rounds = rounds & uses.units[:, None]
        available = observation.scalars.available_actions
        logits = logits._replace(
            action_type=jnp.where(available, logits.action_type, MASKED_LOGIT),
            units=jnp.broadcast_to(logits.units[:, None], (len(reset), size.selected, size.entities + 1)),
        )
        choices = ActionParts(*action)._replace(units=jnp.where(action.units >= 0, action.units, size.entities))

        def chosen(logits, choice, use):
            log_probs = jnp.take_along_axis(jax.nn.log_softmax(logits), choice[..., None], -1)[..., 0]
            log_probs = jnp.where(unit_rounds, log_probs, 0).sum(-1) if log_probs.ndim == 2 else log_probs
            return jnp.where(use, log_probs, 0.0)

        log_probs = jax.tree.map(chosen, logits, choices, uses)
        return carry, UnrollOutput(logits, log_probs, unit_rounds, features @ params.value)

    def step(policy, carry, observation, key):
        one = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], observation)
        score = lambda action: unroll(  # noqa: E731
            Params(policy, jnp.zeros((FEATURES, 5))), carry, one, None, action, jnp.zeros(1, bool)
        )
        none = Action(*jnp.zeros((4, 1), jnp.int32), jnp.full((1, size.selected), -1), *jnp.zeros((2, 1), jnp.int32))
        logits = score(none)[1].logits
        logits = logits._replace(units=logits.units[:, 0, :-1])
        chosen = ActionParts(*map(jax.random.categorical, jax.random.split(key, len(logits)), logits))
        action = Action(*chosen._replace(units=none.units.at[:, 0].set(chosen.units)))
        carry, output = score(action)
        return carry, *jax.tree.map(lambda leaf: leaf[0], (action, output.log_probs))

    return Network(
        init=init,
        initial_carry=lambda: jnp.zeros((), jnp.int32),
        step=step,
        unroll=unroll,
        learn_only=lambda params, blocks: params,
        temperature=lambda policy: jnp.ones(()),
        cooled=lambda params, factor: params._replace(
            policy=jax.tree.map(lambda weight: weight / factor, params.policy)
        ),
    )
