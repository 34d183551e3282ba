"""Who can sit opposite the user of an environment: scripted players by name, and the agents of trained runs."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import Race
from asterism.interface.sizes import InterfaceSize, interface_size
from asterism.runtime.players import BOTS, Controller, check_bot, draw_bots, scripted


class Opponent(NamedTuple):
    """A player of the other side."""

    player: Controller
    draw: Callable[[PRNGKeyArray], Any]
    """Parameters for one game; () where all games share `weights`. `draw_many` takes many keys."""
    draw_many: Callable[[PRNGKeyArray], Any]
    weights: Any = ()
    """Those of an agent."""


def find_opponent(
    name: str, settings: GameSettings | None = None, size: str | InterfaceSize | None = None
) -> tuple[EmbeddedGame, Opponent]:
    """The game to play, and who plays it.

    Args:
      name: a scripted player (random, worker-rush, a level, a style, or level and style as in Hard:rush), or the folder
        of a run for its agent, or folder:teacher for its teacher.
      settings: of the game; None: the run's own, or what `make train` plays.
      size: of the interface; None: the run's own, or tiny.
    Raises:
      UserError: there is no such player, or the run's agent knows another game.
    """
    size = interface_size(size) if isinstance(size, str) else size
    folder, _, agent = name.partition(":")
    if not Path(folder).is_dir():
        _check(name)
        game = shared_game(settings or GameSettings(), size or interface_size("tiny"))
        return game, _bot(game, name)
    # Imported here because it takes seconds: all of training comes with it.
    from asterism.envs.trained import trained_opponent

    return trained_opponent(Path(folder), agent or "agent", settings, size)


@lru_cache(maxsize=16)
def shared_game(settings: GameSettings, size: InterfaceSize) -> EmbeddedGame:
    """The game of the given settings. The same settings give the same object, to which compiled functions belong."""
    return EmbeddedGame(settings, size)


def _check(name: str) -> None:
    try:
        check_bot(name)
    except UserError as error:
        known = ", ".join(BOTS)
        what = f"unknown opponent {name!r}: choose from {known}, or give the folder of a run"
        raise UserError(f"{what} ({error})") from None


@lru_cache(maxsize=64)
def _bot(game: EmbeddedGame, name: str) -> Opponent:
    """A bot of the opponent's race."""
    race = game.settings.races[1]
    if race == "random":
        raise UserError(f"opponent {name!r} needs a race: name terran, zerg or protoss second in the setting races")
    one = draw_bots(game, (name,))
    draw = lambda key: one(0, key, jnp.int32(Race.named(race)))  # noqa: E731
    return Opponent(_player(game), jax.jit(draw), jax.jit(jax.vmap(draw)))


@lru_cache(maxsize=16)
def _player(game: EmbeddedGame) -> Controller:
    return scripted(game)
