"""The policy: encoders, core and heads, composed as in AlphaStar's figure (Extended Data Figure 3)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, PRNGKeyArray

from asterism.agent.choice import log_prob, masked, sample, sample_cell
from asterism.agent.config import AgentConfig
from asterism.agent.core import Core
from asterism.agent.entity_encoder import EncodedEntities, EntityEncoder
from asterism.agent.heads import ActionTypeHead, ChoiceHead
from asterism.agent.initializer import Initializer
from asterism.agent.location_head import LocationHead
from asterism.agent.pointers import SelectedUnitsHead, TargetUnitHead
from asterism.agent.scalar_encoder import ScalarEncoder
from asterism.agent.spatial_encoder import EncodedMap, SpatialEncoder
from asterism.interface.action import Action, ActionParts
from asterism.interface.description import GameDescription
from asterism.interface.observation import Observation
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import selectable_entities, targetable_cells, targetable_entities

SHARPNESS_SPEED = 300.0
"""Steps of Adam are alike for all weights, but this one scales all logits at once: it has further to go."""


class Encoded(NamedTuple):
    """An observation after the encoders."""

    summary: Float[Array, "*b w"]
    """Input of the core."""
    context: Float[Array, "*b c"]
    """Gates the heads."""
    entities: EncodedEntities
    map: EncodedMap


class Decision(NamedTuple):
    """An action and how likely each of its parts was."""

    action: Action
    logits: ActionParts
    log_probs: ActionParts[Float[Array, "*b"]]
    """0 for parts that the action type does not use."""
    unit_rounds: Bool[Array, "*b S"]


class Policy(eqx.Module):
    """Everything that acts. It never sees `Privileged`."""

    entity_encoder: EntityEncoder
    spatial_encoder: SpatialEncoder
    scalar_encoder: ScalarEncoder
    core: Core
    action_type: ActionTypeHead
    delay: ChoiceHead
    queued: ChoiceHead
    repeat: ChoiceHead
    units: SelectedUnitsHead
    target_unit: TargetUnitHead
    location: LocationHead
    sharpness: Float[Array, ""]
    """How sure the policy is of what it would do: 1 / `SHARPNESS_SPEED` of the logarithm of an inverse temperature.
    0 as imitated. The league begins at a temperature of 0.8, which AlphaStar keeps; here learning moves it."""

    def __init__(self, init: Initializer, game: GameDescription, size: InterfaceSize, config: AgentConfig):
        entity, embedding, parts = config.entity.transformer.width, config.head.embedding, config.parts
        self.entity_encoder = EntityEncoder(init, game, config.entity, parts.transformer)
        self.spatial_encoder = SpatialEncoder(init, game, size, entity, config.spatial, parts.scatter)
        self.scalar_encoder = ScalarEncoder(init, game, size, config.scalar)
        inputs = config.entity.output + config.spatial.output + self.scalar_encoder.width
        context = self.scalar_encoder.context_width
        self.core = Core(init, inputs, config.core)
        self.action_type = ActionTypeHead(init, config.core.width, context, len(game.actions), config.head)
        self.delay = ChoiceHead(init, size.delays, config.head)
        self.queued = ChoiceHead(init, 2, config.head)
        self.repeat = ChoiceHead(init, size.repeats, config.head)
        slots = None if parts.pointer else size.entities
        self.units = SelectedUnitsHead(init, entity, len(game.unit_types), embedding, config.pointer, slots)
        self.target_unit = TargetUnitHead(init, embedding, config.pointer)
        self.location = LocationHead(init, size.map // 2 ** len(config.spatial.downsample), config)
        self.sharpness = jnp.zeros(())

    def temperature(self) -> Float[Array, ""]:
        """What divides the logits of all parts but the delay."""
        return jnp.exp(-SHARPNESS_SPEED * self.sharpness)

    def encode(self, observation: Observation) -> Encoded:
        """All that needs no memory."""
        with jax.named_scope("entity_encoder"):
            entities = self.entity_encoder(observation.entities)
        with jax.named_scope("spatial_encoder"):
            planes = self.spatial_encoder(observation.planes, observation.entities, entities)
        with jax.named_scope("scalar_encoder"):
            scalars = self.scalar_encoder(observation.scalars, observation.z)
        summary = jnp.concatenate([entities.summary, planes.summary, scalars.summary])
        return Encoded(summary, scalars.context, entities, planes)

    def decide(
        self,
        observation: Observation,
        encoded: Encoded,
        core: Float[Array, " w"],
        choose: "Choose",
        game: GameDescription,
        temperature: Float[ArrayLike, ""],
        size: InterfaceSize,
    ) -> Decision:
        """The action's parts one after the other, each knowing those before it. `core`: the core's output."""
        with jax.named_scope("action_type"):
            logits = masked(self.action_type.logits(core, encoded.context), observation.scalars.available_actions)
        logits = {"action_type": logits / temperature}
        chosen = {"action_type": choose.one("action_type", logits["action_type"])}
        action_type = chosen["action_type"]
        used = ActionParts(*jnp.asarray(np.stack(game.uses, 1))[action_type])
        with jax.named_scope("action_type"):
            embedding = self.action_type.embed(core, encoded.context, action_type)

        for part, softness in (("delay", 1.0), ("queued", temperature), ("repeat", temperature)):
            head = getattr(self, part)
            with jax.named_scope(part):
                logits[part] = head.logits(embedding) / softness
                chosen[part] = choose.one(part, logits[part])
                embedding += head.embed(chosen[part]) * getattr(used, part)

        with jax.named_scope("units"):
            keys = self.units.keys(encoded.entities.each)
            selectable = selectable_entities(game, observation, action_type)
            unit_types = jnp.asarray(game.selectable, jnp.float32)[action_type]
            selection = choose.units(
                self.units, embedding, keys, selectable, unit_types, used.units, temperature=temperature
            )
        embedding, logits["units"], chosen["units"] = selection.embedding, selection.logits, selection.units

        with jax.named_scope("target_unit"):
            targets = targetable_entities(game, observation, action_type)
            logits["target_unit"] = self.target_unit.logits(embedding, keys, targets) / temperature
        with jax.named_scope("location"):
            logits["location"] = self.location.logits(embedding, encoded.map.skips) / temperature
        if game.on_screen.any():
            cells = targetable_cells(game, observation, action_type, size)
            logits["location"] = masked(logits["location"], cells)
        for part in ("target_unit", "location"):
            chosen[part] = choose.one(part, logits[part])

        log_probs = {part: log_prob(logits[part], chosen[part]) for part in logits if part != "units"}
        log_probs["units"] = selection.log_prob
        return Decision(
            action=_where_used(used, Action(**chosen)),
            logits=ActionParts(**logits),
            log_probs=jax.tree.map(lambda use, value: jnp.where(use, value, 0.0), used, ActionParts(**log_probs)),
            unit_rounds=selection.rounds,
        )


def _where_used(used: ActionParts, action: Action) -> Action:
    """Zero for parts that the action type does not use (units: -1)."""
    unused = Action(*[0] * len(Action._fields))._replace(units=-1)
    return Action(*(jnp.where(use, value, empty) for use, value, empty in zip(used, action, unused, strict=True)))


class Sampled:
    """Chooses at random: acting."""

    def __init__(self, key: PRNGKeyArray, size: InterfaceSize):
        self.keys = ActionParts(*jax.random.split(key, len(ActionParts._fields)))
        self.size = size

    def one(self, part: str, logits: Float[Array, " n"]):
        """One of a few."""
        return (sample_cell if part == "location" else sample)(getattr(self.keys, part), logits)

    def units(self, head: SelectedUnitsHead, *inputs, temperature):
        """A selection of units."""
        return head.sample(self.keys.units, *inputs, rounds=self.size.selected, temperature=temperature)


class Given:
    """Takes a given action's parts: teacher forcing."""

    def __init__(self, action: Action):
        self.action = action

    def one(self, part: str, logits: Float[Array, " n"]):
        """One of a few."""
        return getattr(self.action, part)

    def units(self, head: SelectedUnitsHead, *inputs, temperature):
        """A selection of units."""
        return head.score(self.action.units, *inputs, temperature=temperature)


Choose = Sampled | Given
"""Where the parts of an action come from."""
