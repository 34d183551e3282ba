"""Entity encoder: a transformer over the list of entities (AlphaStar, Methods: Architecture)."""

from typing import NamedTuple

import equinox as eqx
import jax
from jaxtyping import Array, Bool, Float, Int

from asterism.agent.config import EntityConfig
from asterism.agent.encodings import IntegerEncoder, entity_table
from asterism.agent.initializer import Initializer
from asterism.agent.layers import Linear
from asterism.agent.transformer import Transformer, masked_mean
from asterism.interface.description import GameDescription
from asterism.interface.observation import Alliance, EntityField


class EncodedEntities(NamedTuple):
    """What the rest of the network knows of the entities."""

    each: Float[Array, "*b E w"]
    """An embedding of every entity; absent ones hold nothing of use."""
    present: Bool[Array, "*b E"]
    summary: Float[Array, "*b o"]
    """One vector for all of them."""


class EntityEncoder(eqx.Module):
    """Entities as raw integers to one embedding each, and one for all."""

    features: IntegerEncoder
    transformer: Transformer
    each: Linear
    summary: Linear

    def __init__(self, init: Initializer, game: GameDescription, config: EntityConfig, attention: bool = True):
        width = config.transformer.width
        self.features = IntegerEncoder(init, entity_table(game), width, config.one_hot)
        self.transformer = Transformer(init, config.transformer, attention)
        self.each = Linear(init, width, width, gain=2.0)
        self.summary = Linear(init, width, config.output, gain=2.0)

    def __call__(self, entities: Int[Array, "E 43"]) -> EncodedEntities:
        present = entities[:, EntityField.ALLIANCE] != Alliance.ABSENT
        tokens = self.transformer(self.features(entities), present)
        each = jax.nn.relu(self.each(jax.nn.relu(tokens)))
        return EncodedEntities(each, present, jax.nn.relu(self.summary(masked_mean(each, present))))
