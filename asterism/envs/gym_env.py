"""A Gymnasium environment: one player against a chosen opponent."""

from typing import Any

import gymnasium
import jax
import numpy as np

from asterism.envs.duel import compiled
from asterism.envs.masks import mask_arrays, narrow, sample_mask
from asterism.envs.opponents import find_opponent
from asterism.envs.pictures import METADATA, Pictures
from asterism.envs.spaces import action_space, as_dict, observation_space, read_action
from asterism.errors import UserError
from asterism.game.settings import GameSettings
from asterism.interface.action import Action
from asterism.interface.observation import Privileged
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import action_spec


def new_key(generator: np.random.Generator) -> jax.Array:
    """A JAX key from Gymnasium's generator."""
    return jax.random.key(int(generator.integers(2**31)))


def side_of(options: dict[str, Any] | None) -> int:
    """The user's side from the options of a reset, -1 for one to be drawn; raises UserError for a wrong one."""
    side = (options or {}).get("side")
    if side not in (None, 0, 1):
        raise UserError(f"option side is {side!r}: choose 0 or 1, or leave it out to have it drawn")
    return -1 if side is None else int(side)


class AgainstBot(gymnasium.Env):
    """The embedded game against an opponent; a step lasts from one decision to the next.

    The reward is that of the game: 1 or -1 at its end, else 0. Losing all structures, or the enemy's loss of them,
    terminates; running out of time truncates.

    An info holds `action_mask`, which `action_space.sample(mask)` takes (see `mask_for` too); `result`, the
    `ActionResult` of the last action; the user's `side`, 0 or 1; `game_loop`.

    Args:
      opponent: a bot's name, or the folder of a run (`asterism.envs.find_opponent`).
      settings: of the game; default the run's, or those of the game that `make train` plays. The user's race is the
        first of `races`, whatever the side.
      size: of the interface (tiny, small, full, or one of your own); default the run's, or tiny.
      render_mode: None, or "rgb_array" for pictures of the whole map.
    Raises:
      UserError: an argument is wrong.
    """

    metadata = METADATA

    def __init__(
        self,
        opponent: str = "easy",
        settings: GameSettings | None = None,
        size: str | InterfaceSize | None = None,
        render_mode: str | None = None,
    ):
        self.game, self._opponent = find_opponent(opponent, settings, size)
        self.render_mode, self._pictures = render_mode, Pictures(self.game, render_mode)
        self._new, self._decide = compiled(self.game, self._opponent.player)
        self.observation_space = observation_space(self.game.description, self.game.size)
        self.action_space = action_space(self.game.description, self.game.size)
        self._spec = action_spec(self.game.description, self.game.size)
        self._match = self._seen = None
        self._over = True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """A new game. Options: `side`, 0 or 1; otherwise the seed draws it."""
        super().reset(seed=seed)
        side = side_of(options)
        drawing, playing = jax.random.split(new_key(self.np_random))
        params = self._opponent.draw(drawing)
        return self._look(*self._new(params, side, playing))[::4]

    def step(self, action: dict[str, Any] | Action):
        """Carries out an action, and plays on until the next is due. ValueError for an action not of the space."""
        if self._over:
            raise gymnasium.error.ResetNeeded("the game is over or has not begun: call reset before step")
        return self._look(*self._decide(self._match, read_action(action, self._spec), self._opponent.weights))

    def mask_for(self, action_type: int | np.integer) -> dict[str, Any]:
        """The mask once an action type is chosen: it alone, and only units that can take it."""
        game = self.game.description
        return sample_mask(self.game.size, narrow(game, self._seen, int(action_type), mask_arrays(game, self._seen)))

    def privileged(self) -> Privileged:
        """What both players own, [2, ...], the user first: for the value estimates of an `asterism.Policy`."""
        own = int(self._match.side)
        return jax.tree.map(lambda leaf: np.asarray(leaf)[[own, 1 - own]], self._match.timestep.privileged)

    def render(self) -> np.ndarray | None:
        """A picture of the whole map, [height, width, 3] of 0..255; None without a render mode."""
        return self._pictures.draw(self._match and self._match.state)

    def _look(self, match, outcome):
        """What `step` returns."""
        outcome = jax.tree.map(np.asarray, outcome)
        self._match, self._seen = match, outcome.observation
        terminated, truncated = bool(outcome.terminated), bool(outcome.truncated)
        self._over = terminated or truncated
        info = {
            "action_mask": sample_mask(self.game.size, mask_arrays(self.game.description, self._seen)),
            "result": int(outcome.result),
            "side": int(match.side),
            "game_loop": int(match.state.loop),
        }
        return as_dict(self._seen), float(outcome.reward), terminated, truncated, info
