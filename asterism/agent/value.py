"""Value networks: one for each reward, seeing both players (AlphaStar, Methods: Value; Foerster et al. 2018)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from asterism.agent.config import AgentConfig
from asterism.agent.initializer import Initializer
from asterism.agent.layers import Linear, ResidualTower
from asterism.agent.scalar_encoder import BuildOrderEncoder, flagged
from asterism.interface.description import GameDescription
from asterism.interface.observation import Privileged, Statistic
from asterism.interface.sizes import InterfaceSize

REWARDS = 5
"""Win/loss, build order, units, upgrades, effects."""


class PrivilegedEncoder(eqx.Module):
    """One player's statistics as one vector."""

    fields: dict[str, Linear]
    build_order: BuildOrderEncoder

    def __init__(self, init: Initializer, game: GameDescription, size: InterfaceSize, config: AgentConfig):
        scalar, units, upgrades = config.scalar, len(game.unit_types), len(game.upgrades)
        shapes = {
            "statistics": (len(Statistic) + 1, scalar.statistics),
            "unit_counts": (units, scalar.unit_counts),
            "upgrades": (upgrades, scalar.upgrades),
            "executed_units": (units + 1, scalar.strategy),
            "executed_effects": (len(game.effects) + 1, scalar.strategy),
            "executed_upgrades": (upgrades + 1, scalar.strategy),
        }
        self.fields = {name: Linear(init, *shape, gain=2.0) for name, shape in shapes.items()}
        self.build_order = BuildOrderEncoder(init, game, size, scalar.order_transformer, scalar.build_order)

    def __call__(self, player: Privileged) -> Float[Array, " w"]:
        amounts = jnp.append(player.statistics, player.score).astype(jnp.float32)
        features = {
            "statistics": jnp.log1p(amounts),
            "unit_counts": jnp.sqrt(player.unit_counts.astype(jnp.float32)),
            "upgrades": player.upgrades.astype(jnp.float32),
            "executed_units": flagged(player.executed.units),
            "executed_effects": flagged(player.executed.effects),
            "executed_upgrades": flagged(player.executed.upgrades),
        }
        embedded = [jax.nn.relu(self.fields[name](feature)) for name, feature in features.items()]
        return jnp.concatenate([*embedded, self.build_order(player.executed)])

    @property
    def width(self) -> int:
        """Width of the vector."""
        return self.build_order.output.bias.size + sum(field.bias.size for field in self.fields.values())


class ValueNetwork(eqx.Module):
    """A residual tower and one number, squashed into -1..1."""

    tower: ResidualTower
    output: Linear

    def __init__(self, init: Initializer, inputs: int, width: int, blocks: int):
        self.tower = ResidualTower(init, inputs, width, blocks)
        self.output = Linear(init, width, 1)

    def __call__(self, x: Float[Array, " i"]) -> Float[Array, ""]:
        return 2 / jnp.pi * jnp.arctan(jnp.pi / 2 * self.output(self.tower(x))[0])


class Values(eqx.Module):
    """All value networks, stacked; they share the encoding of both players."""

    encoder: PrivilegedEncoder
    networks: ValueNetwork

    def __init__(self, init: Initializer, game: GameDescription, size: InterfaceSize, config: AgentConfig):
        self.encoder = PrivilegedEncoder(init, game, size, config)
        inputs, width, blocks = config.core.width + 2 * self.encoder.width, config.value.width, config.value.blocks
        networks = [ValueNetwork(init, inputs, width, blocks) for _ in range(REWARDS)]
        self.networks = jax.tree.map(lambda *weights: jnp.stack(weights), *networks)

    def __call__(self, core: Float[Array, " c"], privileged: Privileged) -> Float[Array, " 5"]:
        """One value for each reward; `privileged` is [2, ...], the player itself first."""
        players = jax.vmap(self.encoder)(privileged)
        x = jnp.concatenate([core, players.reshape(-1)])
        return jax.vmap(lambda network: network(x))(self.networks)
