"""Whatever can play a game, as a pair of pure functions: scripted players and agents."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from asterism.bots.parameters import bot_style, draw_parameters
from asterism.bots.race_script import RaceScript
from asterism.bots.script import Script
from asterism.game.game import EmbeddedGame
from asterism.interface.network import Network
from asterism.interface.spec import through_camera


class Controller(NamedTuple):
    """A kind of player. `act`: (params, memory, observation, key) -> (memory, action), unbatched."""

    initial_memory: Callable[[], Any]
    act: Callable[..., tuple[Any, Any]]
    own_params: bool
    """Each game has parameters of its own (a leading axis); otherwise all games share them."""


def scripted(game: EmbeddedGame) -> Controller:
    """Scripted players; params are `BotParameters`, one a game."""
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


def bot_drawer(game: EmbeddedGame, names: tuple[str, ...]):
    """A compiled function (style indices [B], keys [B]) -> `BotParameters` [B] of the bots called `names`.

    Raises UserError for an unknown name.
    """
    styles = [bot_style(name) for name in names]

    def draw(index, key):
        drawn = [draw_parameters(key, game.description, style) for style in styles]
        return jax.tree.map(lambda *options: jnp.stack(options)[index], *drawn)

    return jax.jit(jax.vmap(draw))


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
