"""The game behind standard interfaces: Gymnasium (alone, vectorised) and PettingZoo. Needs the extra `envs`.

The JAX interface, pure and much faster, is `asterism.game.game.EmbeddedGame` itself.
"""

from asterism.envs.gym_env import AgainstBot
from asterism.envs.parallel_env import TwoPlayers
from asterism.envs.vector_env import VectorAgainstBot

__all__ = ["AgainstBot", "TwoPlayers", "VectorAgainstBot"]
