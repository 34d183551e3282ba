"""Scalar encoder: everything that is neither an entity nor a map (AlphaStar, Methods: Architecture)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.agent.config import ScalarConfig, TransformerConfig
from asterism.agent.encodings import Bits, Category, IntegerEncoder
from asterism.agent.initializer import Initializer
from asterism.agent.layers import Linear
from asterism.agent.transformer import Transformer, masked_mean
from asterism.interface.description import GameDescription
from asterism.interface.observation import Race, Scalars, Statistic, Strategy
from asterism.interface.sizes import InterfaceSize

CONTEXT = ("races", "available_actions", "units", "effects", "upgrades", "build_order")
"""Fields that also gate the heads."""

MMR_CLASSES = 7
"""MMR in thousands, 6 and more being one class."""


class EncodedScalars(NamedTuple):
    """What the rest of the network knows of the scalars."""

    summary: Float[Array, "*b o"]
    context: Float[Array, "*b c"]
    """The share of the summary that gates the heads."""


def sinusoids(time: Int[Array, ""], width: int) -> Float[Array, " w"]:
    """Sines and cosines of wavelengths from 2 pi to 20,000 pi game loops (Vaswani et al. 2017, section 3.5)."""
    rates = 10_000.0 ** -(np.arange(width // 2) / (width // 2))
    angles = time.astype(jnp.float32) * rates.astype(np.float32)
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)])


def flagged(values: Bool[Array, " n"]) -> Float[Array, " n+1"]:
    """As floats, with a flag that says whether anything is set: all zero is how a masked z looks."""
    return jnp.append(values, values.any()).astype(jnp.float32)


class BuildOrderEncoder(eqx.Module):
    """A small transformer over the entries of a build order: type, index and place."""

    entries: IntegerEncoder
    transformer: Transformer
    output: Linear
    side: int = eqx.field(static=True)

    def __init__(
        self, init: Initializer, game: GameDescription, size: InterfaceSize, config: TransformerConfig, output: int
    ):
        items, digits = len(game.unit_types) + len(game.upgrades), Bits((size.location - 1).bit_length())
        table = {0: (Category(items),), 1: (Category(size.build_order),), 2: (digits,), 3: (digits,)}
        self.side = size.location
        self.entries = IntegerEncoder(init, table, config.width)
        self.transformer = Transformer(init, config)
        self.output = Linear(init, config.width + 1, output, gain=2.0)

    def __call__(self, strategy: Strategy) -> Float[Array, " o"]:
        types, cells = strategy.build_order.astype(jnp.int32), strategy.build_order_location.astype(jnp.int32)
        entries = jnp.stack([types, jnp.arange(len(types)), cells % self.side, cells // self.side], -1)
        present = types != 0
        mean = masked_mean(self.transformer(self.entries(entries), present), present)
        return jax.nn.relu(self.output(jnp.append(mean, present.any())))


class ScalarEncoder(eqx.Module):
    """One linear layer and ReLU for each field, joined."""

    fields: dict[str, Linear]
    build_order: BuildOrderEncoder
    time: int = eqx.field(static=True)
    delays: int = eqx.field(static=True)
    repeats: int = eqx.field(static=True)

    def __init__(self, init: Initializer, game: GameDescription, size: InterfaceSize, config: ScalarConfig):
        units, actions, upgrades = len(game.unit_types), len(game.actions), len(game.upgrades)
        shapes = {
            "statistics": (len(Statistic), config.statistics),
            "races": (2 * len(Race), config.races),
            "own_upgrades": (upgrades, config.upgrades),
            "enemy_upgrades": (upgrades, config.enemy_upgrades),
            "available_actions": (actions, config.available_actions),
            "unit_counts": (units, config.unit_counts),
            "mmr": (MMR_CLASSES, config.mmr),
            "units": (units + 1, config.strategy),
            "effects": (len(game.effects) + 1, config.strategy),
            "upgrades": (upgrades + 1, config.strategy),
            "last_delay": (size.delays, config.last_delay),
            "last_action_type": (actions, config.last_action_type),
            "last_repeat": (2 + size.repeats, config.last_repeat),
        }
        self.fields = {name: Linear(init, *shape, gain=2.0) for name, shape in shapes.items()}
        self.build_order = BuildOrderEncoder(init, game, size, config.order_transformer, config.build_order)
        self.time, self.delays, self.repeats = config.time, size.delays, size.repeats

    def __call__(self, scalars: Scalars, z: Strategy) -> EncodedScalars:
        features = self._features(scalars, z)
        embedded = {name: jax.nn.relu(self.fields[name](feature)) for name, feature in features.items()}
        embedded["time"] = sinusoids(scalars.game_loop, self.time)
        embedded["build_order"] = self.build_order(z)
        context = jnp.concatenate([embedded.pop(name) for name in CONTEXT])
        return EncodedScalars(jnp.concatenate([context, *embedded.values()]), context)

    def _features(self, scalars: Scalars, z: Strategy) -> dict[str, Float[Array, " n"]]:
        """Each field as floats."""

        def one_hot(index, size):
            return jax.nn.one_hot(jnp.minimum(index, size - 1), size)

        queued, repeat = one_hot(scalars.last_queued, 2), one_hot(scalars.last_repeat, self.repeats)
        return {
            "statistics": jnp.log1p(scalars.statistics.astype(jnp.float32)),
            "races": one_hot(scalars.races, len(Race)).reshape(-1),
            "own_upgrades": scalars.upgrades.astype(jnp.float32),
            "enemy_upgrades": scalars.enemy_upgrades.astype(jnp.float32),
            "available_actions": scalars.available_actions.astype(jnp.float32),
            "unit_counts": jnp.sqrt(scalars.unit_counts.astype(jnp.float32)),
            "mmr": one_hot(scalars.mmr // 1000, MMR_CLASSES),
            "units": flagged(z.units),
            "effects": flagged(z.effects),
            "upgrades": flagged(z.upgrades),
            "last_delay": one_hot(scalars.last_delay, self.delays),
            "last_action_type": one_hot(scalars.last_action_type, len(scalars.available_actions)),
            "last_repeat": jnp.concatenate([queued, repeat]),
        }

    @property
    def context_width(self) -> int:
        """Width of the context."""
        return self.build_order.output.bias.size + sum(self.fields[name].bias.size for name in CONTEXT[:-1])

    @property
    def width(self) -> int:
        """Width of the summary."""
        return self.time + self.build_order.output.bias.size + sum(field.bias.size for field in self.fields.values())
