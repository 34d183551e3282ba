"""Value networks: one for each reward, seeing both players (AlphaStar, Methods: Value; Foerster et al. 2018)."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from asterism.agent.config import AgentConfig
from asterism.agent.initializer import Initializer
from asterism.agent.layers import Linear, ResidualTower
from asterism.agent.popart import PopArt, initial_statistics, rescaled
from asterism.agent.scalar_encoder import BuildOrderEncoder, flagged
from asterism.interface.description import GameDescription
from asterism.interface.observation import Privileged, Statistic
from asterism.interface.sizes import InterfaceSize

REWARDS = 5
"""Win/loss, build order, units, upgrades, effects."""


def possessions(player: Privileged) -> dict[str, Float[Array, " _"]]:
    """What a player owns."""
    amounts = jnp.append(player.statistics, player.score).astype(jnp.float32)
    return {
        "statistics": jnp.log1p(amounts),
        "unit_counts": jnp.sqrt(player.unit_counts.astype(jnp.float32)),
        "upgrades": player.upgrades.astype(jnp.float32),
    }


class FieldEncoder(eqx.Module):
    """Named vectors, each through a layer of its own, as one vector."""

    layers: dict[str, Linear]

    def __init__(self, init: Initializer, shapes: dict[str, tuple[int, int]]):
        self.layers = {name: Linear(init, *shape, gain=2.0) for name, shape in shapes.items()}

    def __call__(self, features: dict[str, Float[Array, " _"]]) -> Float[Array, " w"]:
        # In alphabetical order, which is what JAX makes of a dictionary's.
        return jnp.concatenate([jax.nn.relu(self.layers[name](features[name])) for name in sorted(self.layers)])

    @property
    def width(self) -> int:
        """Width of the vector."""
        return sum(layer.bias.size for layer in self.layers.values())


def possession_shapes(game: GameDescription, config: AgentConfig) -> dict[str, tuple[int, int]]:
    """Inputs and outputs of the layers for `possessions`."""
    scalar = config.scalar
    return {
        "statistics": (len(Statistic) + 1, scalar.statistics),
        "unit_counts": (len(game.unit_types), scalar.unit_counts),
        "upgrades": (len(game.upgrades), scalar.upgrades),
    }


class PrivilegedEncoder(eqx.Module):
    """Everything that is known of one player as one vector."""

    fields: FieldEncoder
    build_order: BuildOrderEncoder

    def __init__(self, init: Initializer, game: GameDescription, size: InterfaceSize, config: AgentConfig):
        scalar = config.scalar
        lengths = {
            "executed_units": len(game.unit_types),
            "executed_effects": len(game.effects),
            "executed_upgrades": len(game.upgrades),
        }
        shapes = {name: (length + 1, scalar.strategy) for name, length in lengths.items()}
        self.fields = FieldEncoder(init, possession_shapes(game, config) | shapes)
        self.build_order = BuildOrderEncoder(init, game, size, scalar.order_transformer, scalar.build_order)

    def __call__(self, player: Privileged) -> Float[Array, " w"]:
        done = player.executed
        features = possessions(player) | {
            "executed_units": flagged(done.units),
            "executed_effects": flagged(done.effects),
            "executed_upgrades": flagged(done.upgrades),
        }
        return jnp.concatenate([self.fields(features), self.build_order(done)])

    @property
    def width(self) -> int:
        """Width of the vector."""
        return self.build_order.output.bias.size + self.fields.width


def squash(x: Float[Array, "*b"]) -> Float[Array, "*b"]:
    """Into -1..1."""
    return 2 / jnp.pi * jnp.arctan(jnp.pi / 2 * x)


class ValueNetwork(eqx.Module):
    """A residual tower and one number."""

    tower: ResidualTower
    output: Linear

    def __init__(self, init: Initializer, inputs: int, width: int, blocks: int):
        self.tower = ResidualTower(init, inputs, width, blocks)
        self.output = Linear(init, width, 1)

    def __call__(self, x: Float[Array, " i"]) -> Float[Array, ""]:
        return self.output(self.tower(x))[0]


class Balance(eqx.Module):
    """The win/loss value as g(own, other) - g(other, own), where g sees what the two players own."""

    fields: FieldEncoder
    network: ValueNetwork

    def __init__(self, init: Initializer, game: GameDescription, config: AgentConfig):
        self.fields = FieldEncoder(init, possession_shapes(game, config))
        self.network = ValueNetwork(init, 2 * self.fields.width, config.value.width, config.value.blocks)

    def __call__(self, privileged: Privileged) -> Float[Array, ""]:
        players = jax.vmap(lambda player: self.fields(possessions(player)))(privileged)
        return self.network(players.reshape(-1)) - self.network(players[::-1].reshape(-1))


class Values(eqx.Module):
    """All value networks; those that see everything are stacked, and share the encoding of both players."""

    encoder: PrivilegedEncoder
    networks: ValueNetwork
    balance: Balance | None
    popart: PopArt | None
    """None: values are squashed into -1..1."""
    opponent: bool = eqx.field(static=True)

    def __init__(self, init: Initializer, game: GameDescription, size: InterfaceSize, config: AgentConfig):
        self.encoder = PrivilegedEncoder(init, game, size, config)
        inputs, width, blocks = config.core.width + 2 * self.encoder.width, config.value.width, config.value.blocks
        networks = [ValueNetwork(init, inputs, width, blocks) for _ in range(REWARDS - config.value.balanced)]
        self.networks = jax.tree.map(lambda *weights: jnp.stack(weights), *networks)
        self.balance = Balance(init, game, config) if config.value.balanced else None
        self.popart = initial_statistics(REWARDS) if config.parts.popart else None
        self.opponent = config.parts.opponent

    def __call__(self, core: Float[Array, " c"], privileged: Privileged) -> Float[Array, " 5"]:
        """One value for each reward; `privileged` is [2, ...], the player itself first."""
        if not self.opponent:
            privileged = jax.tree.map(lambda leaf: leaf.at[1].set(jnp.zeros((), leaf.dtype)), privileged)
        players = jax.vmap(self.encoder)(privileged)
        x = jnp.concatenate([core, players.reshape(-1)])
        values = jax.vmap(lambda network: network(x))(self.networks)
        if self.balance is not None:
            values = jnp.concatenate([self.balance(privileged)[None], values])
        return squash(values) if self.popart is None else self.popart.unnormalise(values)


def follow(
    values: Values, targets: Float[Array, "*b 5"], mask: Bool[Array, "*b"], step: Float[ArrayLike, ""]
) -> Values:
    """Moves PopArt's statistics by `step` towards those of the targets; every value stays what it was."""
    old, new = values.popart, values.popart.follow(targets, mask, step)
    networks = values.networks.output
    if values.balance is None:
        return eqx.tree_at(lambda v: (v.popart, v.networks.output), values, (new, rescaled(networks, old, new)))
    # What the two players' places make of a value differs in its sign alone: there is no mean to take out.
    new = PopArt(new.mean.at[0].set(0.0), new.square)
    others = partial(jax.tree.map, lambda leaf: leaf[1:])
    ratio = old.scale[0] / new.scale[0]
    balance = jax.tree.map(lambda leaf: leaf * ratio, values.balance.network.output)
    return eqx.tree_at(
        lambda v: (v.popart, v.networks.output, v.balance.network.output),
        values,
        (new, rescaled(networks, others(old), others(new)), balance),
    )
