"""Whatever can play a game, as a pair of pure functions: scripted players and agents."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from asterism.bots.levels import LEVELS, Difficulty
from asterism.bots.names import parse_bot
from asterism.bots.parameters import STYLES, bot_style, draw_parameters
from asterism.bots.race_plans import Playbook
from asterism.bots.race_script import RaceScript
from asterism.bots.race_styles import KINDS
from asterism.bots.script import Script
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.interface.network import Network
from asterism.interface.observation import Race
from asterism.interface.spec import through_camera


class Controller(NamedTuple):
    """A kind of player. `act`: (params, memory, observation, key) -> (memory, action), unbatched."""

    initial_memory: Callable[[], Any]
    act: Callable[..., tuple[Any, Any]]
    own_params: bool
    """Each game has parameters of its own (a leading axis); otherwise all games share them."""


def bot_names(rules: str) -> tuple[str, ...]:
    """The scripted players that agents of games with these rules are measured against: for the rules "full" the levels
    that do not cheat."""
    fair = tuple(level.name.lower() for level in Difficulty if not LEVELS[level].vision)
    return fair if rules == "full" else tuple(STYLES)


def check_bot(rules: str, name: str) -> None:
    """Raises UserError in one line where `name` is no scripted player for games with these rules."""
    if rules != "full":
        bot_style(name)
        return
    bot = parse_bot(name)
    if LEVELS[bot.level].vision or bot.race:
        what = "gives a race, which is the game's" if bot.race else "cheats"
        raise UserError(f"bot {name!r} {what}: asterism play --bots plays it, recordings and matches do not")


def scripted(game: EmbeddedGame) -> Controller:
    """Scripted players; params are what `bot_drawer` draws, one a game."""
    return race_bot(game) if game.settings.rules == "full" else terran_bot(game)


def terran_bot(game: EmbeddedGame) -> Controller:
    """Scripted players for games with the rules "terran_v1"; params are `BotParameters`, one a game."""
    script = Script(game.description, game.size, game.map.bases)
    return Controller(script.initial_state, _looking(game, script.act), own_params=True)


def race_bot(game: EmbeddedGame) -> Controller:
    """Scripted players of all races, for games with the rules "full"; params are `RacePlan`, one a game."""
    script = RaceScript(game.rules, game.size, game.map.bases)
    return Controller(script.initial_state, _looking(game, script.act), own_params=True)


def _looking(game: EmbeddedGame, act: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    """Scripted players, which know nothing of the camera, move it to their targets first."""

    def look(params, memory, observation, key):
        memory, action = act(params, memory, observation, key)
        return memory, through_camera(game.description, game.size, observation, action)

    return look


def agent(network: Network) -> Controller:
    """An agent; params are its policy's weights."""

    def act(policy, carry, observation, key):
        carry, action, _ = network.step(policy, carry, observation, key)
        return carry, action

    return Controller(network.initial_carry, act, own_params=False)


def bot_drawer(game: EmbeddedGame, names: tuple[str, ...]) -> Callable[..., Any]:
    """A compiled function (indices into `names` [B], keys [B], side of each or of all) -> params [B] for `scripted`.

    The side says which of the game's races a bot plays. Raises UserError for an unknown name.
    """
    draw = jax.jit(jax.vmap(draw_bots(game, names)))
    return lambda index, keys, side=0: draw(index, keys, jnp.broadcast_to(side, index.shape))


def draw_bots(game: EmbeddedGame, names: tuple[str, ...]) -> Callable[..., Any]:
    """What `bot_drawer` compiles, for one game: (index into `names`, key, side) -> params."""
    for name in names:
        check_bot(game.settings.rules, name)
    return _race_draw(game, names) if game.settings.rules == "full" else _terran_draw(game, names)


def _race_draw(game: EmbeddedGame, names: tuple[str, ...]):
    if "random" in game.settings.races:
        raise UserError("scripted players need to know their race: give each player one of terran, zerg, protoss")
    book, bots = Playbook(game.rules, game.settings.slots), [parse_bot(name) for name in names]
    races = jnp.array([Race[race.upper()] for race in game.settings.races])
    level = jnp.array([int(bot.level) for bot in bots])
    kind = jnp.array([KINDS.index(bot.kind) if bot.kind else -1 for bot in bots])
    return lambda index, key, side: book.draw(key, races[side], level[index], kind[index])


def _terran_draw(game: EmbeddedGame, names: tuple[str, ...]):
    styles = [bot_style(name) for name in names]

    def draw(index, key, side):
        drawn = [draw_parameters(key, game.description, style) for style in styles]
        return jax.tree.map(lambda *options: jnp.stack(options)[index], *drawn)

    return draw


def spread(tree: Any, count: int) -> Any:
    """Repeats every leaf `count` times along a new first axis."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *jnp.shape(leaf))), tree)


def select(which, new: Any, old: Any) -> Any:
    """Leaves of `new` where `which` (one flag a row) is true, of `old` elsewhere."""

    def pick(a, b):
        return jnp.where(which.reshape(which.shape + (1,) * (a.ndim - which.ndim)), a, b)

    return jax.tree.map(pick, new, old)


def strong(tree: Any) -> Any:
    """The same arrays without JAX's weak types, which would make a compiled loop compile twice."""
    return jax.tree.map(lambda leaf: jax.lax.convert_element_type(leaf, leaf.dtype), tree)
