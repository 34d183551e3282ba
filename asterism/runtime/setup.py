"""What every verb that plays or learns sets up first: the game and its network, from their settings."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax

from asterism.agent.computation import Computation
from asterism.agent.config import AGENT_SIZES, Parts
from asterism.agent.network import make_network
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.network import Network, Params
from asterism.interface.sizes import interface_size
from asterism.runtime.devices import use_every_core


@dataclass(frozen=True)
class Setup:
    """The game, and the size of interface and network."""

    size: str = "tiny"
    """Size of interface and network: tiny, small or full."""
    temperature: float = 1.0
    """Temperature of all action parts but the delay, in reinforcement learning and play (AlphaStar: 0.8), times the
    policy's own."""
    parts: Parts = field(default_factory=Parts)
    compute: Computation = field(default_factory=Computation)
    game: GameSettings = field(default_factory=GameSettings)

    def __post_init__(self):
        interface_size(self.size)
        if self.temperature <= 0:
            raise UserError(f"temperature is {self.temperature}: it must be above 0")


class Tools(NamedTuple):
    """Game and networks made from a `Setup`."""

    game: EmbeddedGame
    imitator: Network
    """At temperature 1, whatever the policy's sharpness, for supervised learning."""
    network: Network
    """At the temperature of play."""

    def example_params(self) -> Params:
        """Shapes of the weights, for reading files."""
        return jax.eval_shape(self.network.init, jax.random.key(0))


def make_tools(setup: Setup) -> Tools:
    """The game and its networks."""
    game = EmbeddedGame(setup.game, interface_size(setup.size))
    config = replace(AGENT_SIZES[setup.size], parts=setup.parts)
    make = partial(make_network, game.description, game.size, config, compute=setup.compute)
    return Tools(game, make(learns_sharpness=False), make(setup.temperature))


def start_jax() -> None:
    """Lets every core compute, and keeps compiled programs in the user's cache folder for a quick second start."""
    use_every_core()
    jax.config.update("jax_compilation_cache_dir", str(Path.home() / ".cache" / "asterism" / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
