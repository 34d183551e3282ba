"""Pictures of the games of an environment, drawn when one is asked for (`render_mode="rgb_array"`)."""

from functools import cached_property, lru_cache
from typing import Any

import gymnasium
import jax
from jaxtyping import UInt8
from numpy import ndarray

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.snapshot import snapshot
from asterism.web.draw import GamePainter

METADATA = {"render_modes": ["rgb_array"], "render_fps": 8}


class Pictures:
    """Draws states of a game, or nothing where the mode is None. Raises UserError for another mode than rgb_array."""

    def __init__(self, game: EmbeddedGame, mode: str | None):
        if mode not in (None, *METADATA["render_modes"]):
            raise UserError(f"render_mode is {mode!r}: choose rgb_array, or None for no pictures")
        self.game, self.mode = game, mode

    def draw(self, state: Any) -> UInt8[ndarray, "h w 3"] | None:
        """A picture of the whole map. Raises ResetNeeded where there is no state yet (None)."""
        if not self._wanted(state):
            return None
        return self._painter.frame(_snapshots(self.game)[0](state))

    def draw_many(self, states: Any, count: int) -> tuple[UInt8[ndarray, "h w 3"], ...] | None:
        """The same of `count` states, [B, ...]."""
        if not self._wanted(states):
            return None
        shots = jax.device_get(_snapshots(self.game)[1](states))
        return tuple(self._painter.frame(jax.tree.map(lambda leaf, i=i: leaf[i], shots)) for i in range(count))

    def _wanted(self, state: Any) -> bool:
        if self.mode is not None and state is None:
            raise gymnasium.error.ResetNeeded("no game has begun: call reset before render")
        return self.mode is not None

    @cached_property
    def _painter(self) -> GamePainter:
        return GamePainter(self.game)


@lru_cache(maxsize=16)
def _snapshots(game: EmbeddedGame):
    """A snapshot of a state, and of many, compiled: operation by operation it takes half a second."""
    shoot = lambda state: snapshot(game.world, state)  # noqa: E731
    return jax.jit(shoot), jax.jit(jax.vmap(shoot))
