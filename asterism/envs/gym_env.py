"""A Gymnasium environment: one player against a scripted one."""

from typing import Any

import gymnasium
import jax
import numpy as np

from asterism.envs.opponent import Opponent
from asterism.envs.spaces import action_mask, action_space, as_dict, observation_space, read_action
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.game.snapshot import snapshot
from asterism.interface.sizes import interface_size
from asterism.web.draw import GamePainter


def new_key(generator: np.random.Generator) -> jax.Array:
    """A JAX key from Gymnasium's generator."""
    return jax.random.key(int(generator.integers(2**31)))


class AgainstBot(gymnasium.Env):
    """The embedded game against a scripted player; a step lasts from one decision to the next.

    `info["action_mask"]` is what `action_space.sample(mask)` takes. The reward is that of the game: 1, 0 or -1 at its
    end; running out of time truncates.

    Args:
      bot: easy, rush, macro, worker-rush or random.
      settings: of the game; default the game that `make train` plays.
      size: of the interface: tiny, small or full.
      render_mode: None, or "rgb_array" for pictures of the whole map.
    Raises:
      UserError: a setting is wrong.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}

    def __init__(
        self,
        bot: str = "easy",
        settings: GameSettings | None = None,
        size: str = "tiny",
        render_mode: str | None = None,
    ):
        self.game = EmbeddedGame(settings, interface_size(size))
        opponent = Opponent(self.game, bot)
        self._new, self._decide = jax.jit(opponent.new), jax.jit(opponent.decide)
        self.observation_space = observation_space(self.game.description, self.game.size)
        self.action_space = action_space(self.game.description, self.game.size)
        self.render_mode = render_mode
        self._painter = None
        self._match = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """A new game, on a side that the seed draws."""
        super().reset(seed=seed)
        self._match, outcome = self._new(new_key(self.np_random))
        return as_dict(outcome.observation), self._info(outcome)

    def step(self, action: dict[str, Any]):
        """Carries out an action and plays on until the next is due."""
        if self._match is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        self._match, outcome = self._decide(self._match, read_action(action))
        ended = bool(outcome.terminated), bool(outcome.truncated)
        return as_dict(outcome.observation), float(outcome.reward), *ended, self._info(outcome)

    def render(self) -> np.ndarray | None:
        """A picture of the whole map, [height, width, 3] of 0..255."""
        if self.render_mode is None or self._match is None:
            return None
        self._painter = self._painter or GamePainter(self.game)
        return self._painter.frame(snapshot(self.game.world, self._match.state))

    def _info(self, outcome) -> dict[str, Any]:
        mask = action_mask(jax.tree.map(np.asarray, outcome.observation), self.game.size)
        return {"action_mask": mask, "side": int(self._match.seat), "game_loop": int(self._match.state.loop)}
