"""Games that are not JAX: environments in threads, batched inference on the device, trajectories for learning."""

from asterism.runtime.host.environment import Asked, GameResult
from asterism.runtime.host.games import HostGames
from asterism.runtime.host.learner import HostLearner
from asterism.runtime.host.settings import HostSettings

__all__ = ["Asked", "GameResult", "HostGames", "HostLearner", "HostSettings"]
