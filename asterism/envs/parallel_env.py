"""A PettingZoo environment: both players are the user's."""

from functools import lru_cache
from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from asterism.envs.episodes import ending
from asterism.envs.gym_env import new_key
from asterism.envs.masks import idle_arrays, mask_arrays, narrow, sample_mask
from asterism.envs.opponents import shared_game
from asterism.envs.pictures import METADATA, Pictures
from asterism.envs.spaces import action_space, as_dict, observation_space, read_action
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.action import Action
from asterism.interface.description import TimeStep
from asterism.interface.sizes import InterfaceSize, interface_size
from asterism.interface.spec import action_spec, no_op

PLAYERS = ("player_0", "player_1")


@lru_cache(maxsize=16)
def compiled_pair(game: EmbeddedGame):
    """Reset, and step with its `ending`, of both players; environments of one configuration share them."""

    def step(state, actions):
        state, timestep = game.step(state, actions)
        return state, timestep, ending(timestep, game.settings.time_limit)

    return jax.jit(lambda key: game.reset(key, game.no_strategy())), jax.jit(step)


class TwoPlayers(ParallelEnv):
    """The embedded game for two players; a step lasts `settings.step` game loops.

    Delays make turns asynchronous: `info["acting"]` says whether a player's action is due; what it gives otherwise
    counts for nothing, and a player who gives nothing when it is due does nothing. Rewards, terminations and
    truncations are as in `AgainstBot`; both players are done at once.

    An info holds `action_mask`, which `action_space(agent).sample(mask)` takes (see `mask_for` too; nothing but no_op
    for a player whose turn it is not); `acting`; `result`, the `ActionResult` of the last action.

    Args:
      settings: of the game; default the game that `make train` plays.
      size: of the interface: tiny, small, full, or one of your own.
      render_mode: None, or "rgb_array" for pictures of the whole map.
    Raises:
      UserError: an argument is wrong.
    """

    metadata = METADATA | {"name": "asterism_v0", "is_parallelizable": True}

    def __init__(
        self,
        settings: GameSettings | None = None,
        size: str | InterfaceSize = "tiny",
        render_mode: str | None = None,
    ):
        self.game = shared_game(settings or GameSettings(), interface_size(size) if isinstance(size, str) else size)
        self.render_mode, self._pictures = render_mode, Pictures(self.game, render_mode)
        self.possible_agents, self.agents = list(PLAYERS), []
        description, size = self.game.description, self.game.size
        self._spec, self._idle = action_spec(description, size), jax.tree.map(np.asarray, no_op(size, 0))
        self.observation_spaces = {agent: observation_space(description, size) for agent in PLAYERS}
        self.action_spaces = {agent: action_space(description, size) for agent in PLAYERS}
        self._reset, self._step = compiled_pair(self.game)
        self._random, _ = seeding.np_random()
        self._state = self._timestep = None

    def observation_space(self, agent: str) -> gymnasium.spaces.Space:
        """The same object each time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.spaces.Space:
        """The same object each time, so that it can be seeded."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None):
        """A new game: observations and infos of both players. There are no options."""
        if seed is not None:
            self._random, _ = seeding.np_random(seed)
        self.agents = list(PLAYERS)
        return self._look(*self._reset(new_key(self._random)))

    def step(self, actions: dict[str, dict[str, Any] | Action]):
        """Both players' actions; observations, rewards, terminations, truncations and infos of both.

        Raises ValueError for an action that is not of the space.
        """
        if not self.agents:
            raise gymnasium.error.ResetNeeded("the game is over or has not begun: call reset before step")
        given = [read_action(actions[agent], self._spec) if agent in actions else self._idle for agent in PLAYERS]
        state, timestep, ends = self._step(self._state, jax.tree.map(lambda *pair: np.stack(pair), *given))
        observations, infos = self._look(state, timestep)
        terminated, truncated = map(bool, ends)
        if terminated or truncated:
            self.agents = []
        rewards = dict(zip(PLAYERS, map(float, self._timestep.reward), strict=True))
        return observations, rewards, dict.fromkeys(PLAYERS, terminated), dict.fromkeys(PLAYERS, truncated), infos

    def mask_for(self, agent: str, action_type: int | np.integer) -> dict[str, Any]:
        """A player's mask once an action type is chosen: it alone, and only units that can take it."""
        observation = _of(self._timestep, PLAYERS.index(agent)).observation
        arrays = mask_arrays(self.game.description, observation)
        return sample_mask(self.game.size, narrow(self.game.description, observation, int(action_type), arrays))

    def render(self) -> np.ndarray | None:
        """A picture of the whole map, [height, width, 3] of 0..255; None without a render mode."""
        return self._pictures.draw(self._state)

    def _look(self, state: Any, timestep: TimeStep) -> tuple[dict[str, Any], dict[str, Any]]:
        """Observations and infos of both players."""
        self._state, self._timestep = state, jax.tree.map(np.asarray, timestep)
        observations, infos = {}, {}
        for i, agent in enumerate(PLAYERS):
            own = _of(self._timestep, i)
            arrays = mask_arrays(self.game.description, own.observation)
            mask = sample_mask(self.game.size, arrays if own.acting else idle_arrays(arrays))
            observations[agent] = as_dict(own.observation)
            infos[agent] = {"action_mask": mask, "acting": bool(own.acting), "result": int(own.result)}
        return observations, infos


def _of(timestep: TimeStep, player: int) -> TimeStep:
    """One player's part of a time step."""
    own = jax.tree.map(lambda leaf: leaf[player], timestep._replace(done=np.zeros(2, bool)))
    return own._replace(done=timestep.done)
