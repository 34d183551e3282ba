"""A PettingZoo environment: both players are the user's."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from asterism.envs.gym_env import new_key
from asterism.envs.spaces import action_mask, action_space, as_dict, observation_space, read_action
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.game.snapshot import snapshot
from asterism.interface.action import Action
from asterism.interface.sizes import interface_size
from asterism.interface.spec import no_op
from asterism.web.draw import GamePainter

PLAYERS = ("player_0", "player_1")


class TwoPlayers(ParallelEnv):
    """The embedded game for two players; a step lasts `settings.step` game loops.

    Delays make turns asynchronous: `info["acting"]` says whether a player's action is due; what is given otherwise, or
    not given, counts for nothing. `info["action_mask"]` is what `action_space(agent).sample(mask)` takes.

    Args:
      settings: of the game; default the game that `make train` plays.
      size: of the interface: tiny, small or full.
      render_mode: None, or "rgb_array" for pictures of the whole map.
    """

    metadata = {"name": "asterism_v0", "render_modes": ["rgb_array"], "is_parallelizable": True, "render_fps": 8}

    def __init__(self, settings: GameSettings | None = None, size: str = "tiny", render_mode: str | None = None):
        self.game = EmbeddedGame(settings, interface_size(size))
        self.render_mode = render_mode
        self.possible_agents, self.agents = list(PLAYERS), []
        self._reset = jax.jit(lambda key: self.game.reset(key, self.game.no_strategy()))
        self._step = jax.jit(self.game.step)
        self._idle = jax.tree.map(np.asarray, no_op(self.game.size, 0))
        self._random, _ = seeding.np_random()
        self._painter = self._state = None
        self.observation_space = cache(lambda agent: observation_space(self.game.description, self.game.size))
        self.action_space = cache(lambda agent: action_space(self.game.description, self.game.size))

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None):
        """A new game: observations and infos of both players."""
        if seed is not None:
            self._random, _ = seeding.np_random(seed)
        self.agents = list(PLAYERS)
        self._state, timestep = self._reset(new_key(self._random))
        return self._seen(timestep)

    def step(self, actions: dict[str, dict[str, Any]]):
        """Both players' actions; observations, rewards, terminations, truncations and infos of both."""
        given = [read_action(actions[agent]) if agent in actions else self._idle for agent in PLAYERS]
        self._state, timestep = self._step(self._state, Action(*map(jnp.stack, zip(*given, strict=True))))
        observations, infos = self._seen(timestep)
        reward, done = np.asarray(timestep.reward), bool(timestep.done)
        fallen = done and (bool(reward.any()) or int(self._state.loop) < self.game.settings.time_limit)
        if done:
            self.agents = []
        each = lambda values: dict(zip(PLAYERS, values, strict=True))  # noqa: E731
        return observations, each(map(float, reward)), each([fallen] * 2), each([done and not fallen] * 2), infos

    def _seen(self, timestep):
        observations, infos = {}, {}
        for i, agent in enumerate(PLAYERS):
            own = jax.tree.map(lambda leaf, i=i: np.asarray(leaf[i]), timestep.observation)
            observations[agent] = as_dict(own)
            acting, result = bool(timestep.acting[i]), int(timestep.result[i])
            infos[agent] = {"action_mask": action_mask(own, self.game.size), "acting": acting, "result": result}
        return observations, infos

    def render(self) -> np.ndarray | None:
        """A picture of the whole map, [height, width, 3] of 0..255."""
        if self.render_mode is None or self._state is None:
            return None
        self._painter = self._painter or GamePainter(self.game)
        return self._painter.frame(snapshot(self.game.world, self._state))
