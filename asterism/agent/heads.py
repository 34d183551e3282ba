"""Heads of the action type, delay, queued and repeat (AlphaStar, Methods: Architecture).

Every head reads the autoregressive embedding, which holds the parts chosen so far, and gives what its own part adds.
"""

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int

from asterism.agent.config import HeadConfig
from asterism.agent.initializer import Initializer
from asterism.agent.layers import GatedLinearUnit, Linear, ResidualTower


class ActionTypeHead(eqx.Module):
    """Which action, gated by the scalar context; begins the autoregressive embedding."""

    tower: ResidualTower
    logit_gate: GatedLinearUnit
    lookup: Float[Array, "A w"]
    type_gate: GatedLinearUnit
    core_gate: GatedLinearUnit

    def __init__(self, init: Initializer, core: int, context: int, actions: int, config: HeadConfig):
        self.tower = ResidualTower(init, core, config.width, config.blocks)
        self.logit_gate = GatedLinearUnit(init, config.width, context, actions)
        self.lookup = init.uniform((actions, config.width), 1)
        self.type_gate = GatedLinearUnit(init, config.width, context, config.embedding)
        self.core_gate = GatedLinearUnit(init, core, context, config.embedding)

    def logits(self, core: Float[Array, " i"], context: Float[Array, " c"]) -> Float[Array, " A"]:
        """One for each action type."""
        return self.logit_gate(self.tower(core), context)

    def embed(
        self, core: Float[Array, " i"], context: Float[Array, " c"], action_type: Int[Array, ""]
    ) -> Float[Array, " e"]:
        """The autoregressive embedding of the core's output and the action type."""
        chosen = jax.nn.relu(self.lookup[action_type])
        return self.type_gate(chosen, context) + self.core_gate(core, context)


class ChoiceHead(eqx.Module):
    """One of a few: delay, queued, repeat."""

    hidden: tuple[Linear, Linear]
    output: Linear
    lookup: Float[Array, "n w"]
    embedding: tuple[Linear, Linear]

    def __init__(self, init: Initializer, choices: int, config: HeadConfig):
        width = config.width
        self.hidden = (Linear(init, config.embedding, width, gain=2.0), Linear(init, width, width, gain=2.0))
        self.output = Linear(init, width, choices)
        self.lookup = init.uniform((choices, width), 1)
        self.embedding = (Linear(init, width, width, gain=2.0), Linear(init, width, config.embedding))

    def logits(self, embedding: Float[Array, " e"]) -> Float[Array, " n"]:
        """One for each choice."""
        first, second = self.hidden
        return self.output(jax.nn.relu(second(jax.nn.relu(first(embedding)))))

    def embed(self, choice: Int[Array, ""]) -> Float[Array, " e"]:
        """What the choice adds to the autoregressive embedding."""
        first, second = self.embedding
        return second(jax.nn.relu(first(jax.nn.relu(self.lookup[choice]))))
