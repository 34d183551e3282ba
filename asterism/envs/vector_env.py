"""Many games against a scripted player, in one compiled program."""

from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from asterism.envs.gym_env import new_key
from asterism.envs.opponent import Opponent
from asterism.envs.spaces import action_space, as_dict, observation_space, read_action
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import Alliance, EntityField
from asterism.interface.sizes import interface_size
from asterism.runtime.players import select


class VectorAgainstBot(gymnasium.vector.VectorEnv):
    """`AgainstBot`, `num_envs` times. A game that has ended begins anew at the next step, whose action is ignored.

    `infos["available_actions"]` [B, A] and `infos["selectable"]` [B, E] (own entities) mask what may be chosen.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs: int, bot: str = "easy", settings: GameSettings | None = None, size: str = "tiny"):
        self.num_envs = num_envs
        self.game = EmbeddedGame(settings, interface_size(size))
        opponent = Opponent(self.game, bot)

        self._new, self._decide = jax.jit(jax.vmap(opponent.new)), jax.jit(jax.vmap(opponent.decide))
        self._select = jax.jit(select)
        self.single_observation_space = observation_space(self.game.description, self.game.size)
        self.single_action_space = action_space(self.game.description, self.game.size)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._over = np.zeros(num_envs, bool)
        self._matches = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """New games in all places."""
        super().reset(seed=seed)
        self._over = np.zeros(self.num_envs, bool)
        self._matches, outcome = self._new(self._keys())
        return as_dict(outcome.observation), self._infos(outcome)

    def step(self, actions: dict[str, Any]):
        """One decision of each game."""
        action = read_action(actions, (self.num_envs,))
        played = self._decide(self._matches, action)
        if self._over.any():
            played = self._select(self._over, self._new(self._keys()), played)
        self._matches, outcome = played
        ended = np.asarray(outcome.terminated), np.asarray(outcome.truncated)
        self._over = ended[0] | ended[1]
        reward = np.asarray(outcome.reward, np.float64)
        return as_dict(outcome.observation), reward, *ended, self._infos(outcome)

    def _keys(self) -> jax.Array:
        return jax.random.split(new_key(self.np_random), self.num_envs)

    def _infos(self, outcome) -> dict[str, Any]:
        observation = outcome.observation
        own = np.asarray(observation.entities)[..., EntityField.ALLIANCE] == Alliance.SELF
        return {"available_actions": np.asarray(observation.scalars.available_actions), "selectable": own}
