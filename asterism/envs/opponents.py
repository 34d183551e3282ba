"""Who can sit opposite the user of an environment: scripted players by name, and the agents of trained runs."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
from jaxtyping import PRNGKeyArray

from asterism.bots.parameters import STYLES, draw_parameters
from asterism.bots.race_styles import RACE_STYLES, draw_plan
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import Race
from asterism.interface.sizes import InterfaceSize, interface_size
from asterism.runtime.players import Controller, race_bot, scripted


class Opponent(NamedTuple):
    """A player of the other side."""

    player: Controller
    draw: Callable[[PRNGKeyArray], Any]
    """Parameters for one game; () where all games share `weights`. `draw_many` takes many keys."""
    draw_many: Callable[[PRNGKeyArray], Any]
    race: int = 0
    """`Race`; 0: the second of the game's settings."""
    weights: Any = ()
    """Those of an agent."""


def find_opponent(
    name: str, settings: GameSettings | None = None, size: str | InterfaceSize | None = None
) -> tuple[EmbeddedGame, Opponent]:
    """The game to play, and who plays it.

    Args:
      name: a scripted player (rules terran_v1: random, worker-rush, easy, rush or macro; rules full: terran, zerg or
        protoss), or the folder of a run for its agent, or folder:teacher for its teacher.
      settings: of the game; None: the run's own, or what `make train` plays.
      size: of the interface; None: the run's own, or tiny.
    Raises:
      UserError: there is no such player, or the run's agent knows another game.
    """
    bots = RACE_STYLES if settings is not None and settings.rules == "full" else STYLES
    size = interface_size(size) if isinstance(size, str) else size
    if name in bots:
        game = shared_game(settings or GameSettings(), size or interface_size("tiny"))
        return game, _bot(game, name)
    folder, _, agent = name.partition(":")
    if not Path(folder).is_dir():
        raise UserError(f"unknown opponent {name!r}: choose one of {', '.join(bots)}, or give the folder of a run")
    # Imported here because it takes seconds: all of training comes with it.
    from asterism.envs.trained import trained_opponent

    return trained_opponent(Path(folder), agent or "agent", settings, size)


@lru_cache(maxsize=16)
def shared_game(settings: GameSettings, size: InterfaceSize) -> EmbeddedGame:
    """The game of the given settings. The same settings give the same object, to which compiled functions belong."""
    return EmbeddedGame(settings, size)


@lru_cache(maxsize=64)
def _bot(game: EmbeddedGame, name: str) -> Opponent:
    player = _player(game)
    if game.settings.rules == "full":
        plan = RACE_STYLES[name]
        draw, race = (lambda key: draw_plan(key, game.rules, plan)), Race[plan.race.upper()]
    else:
        style = STYLES[name]
        draw, race = (lambda key: draw_parameters(key, game.description, style)), 0
    return Opponent(player, jax.jit(draw), jax.jit(jax.vmap(draw)), int(race))


@lru_cache(maxsize=16)
def _player(game: EmbeddedGame) -> Controller:
    return race_bot(game) if game.settings.rules == "full" else scripted(game)
