"""The agent or teacher of a trained run as an opponent."""

from functools import lru_cache
from pathlib import Path

from asterism.envs.opponents import Opponent, shared_game
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.sizes import InterfaceSize, interface_size
from asterism.runtime.agents import load_agent
from asterism.runtime.players import Controller, agent
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, make_tools
from asterism.runtime.train import TrainConfig


def trained_opponent(
    folder: Path, name: str, settings: GameSettings | None, size: InterfaceSize | None
) -> tuple[EmbeddedGame, Opponent]:
    """The game to play (None: that of the run), and the run's `agent` or `teacher`.

    Raises UserError when there is none, or when the game is not as the run knew it.
    """
    with RunFolder.open(folder) as run:
        setup = run.load_config(TrainConfig).setup
    tools = make_tools(setup)
    game = shared_game(settings or setup.game, size or interface_size(setup.size))
    if game.description != tools.game.description or game.size != tools.game.size:
        raise UserError(f"{folder} was trained with other rules, map size or interface: leave out settings and size")
    weights = load_agent(folder, name, tools).policy
    return game, Opponent(_agent(setup), lambda key: (), lambda keys: (), weights=weights)


@lru_cache(maxsize=16)
def _agent(setup: Setup) -> Controller:
    return agent(make_tools(setup).network)
