"""Whatever can play a game, as a pair of pure functions: scripted players and agents."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from asterism.bots.levels import LEVELS
from asterism.bots.names import parse_bot
from asterism.bots.plans import Playbook
from asterism.bots.script import Script
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.interface.network import Network
from asterism.interface.spec import through_camera


class Controller(NamedTuple):
    """A kind of player. `act`: (params, memory, observation, key) -> (memory, action), unbatched."""

    initial_memory: Callable[[], Any]
    act: Callable[..., tuple[Any, Any]]
    own_params: bool
    """Each game has parameters of its own (a leading axis); otherwise all games share them."""


BOTS = ("random", "worker-rush", "easy", "medium", "rush")
"""The scripted players that agents are measured against."""


def check_bot(name: str) -> None:
    """Raises UserError in one line where `name` is no scripted player that can take part in recordings and matches."""
    bot = parse_bot(name)
    if LEVELS[bot.level].vision or bot.race:
        what = "gives a race, which is the game's" if bot.race else "cheats"
        raise UserError(f"bot {name!r} {what}: asterism play --bots plays it, recordings and matches do not")


def scripted(game: EmbeddedGame) -> Controller:
    """Scripted players; params are `Plan`, one a game. They know nothing of the camera: it moves to their targets
    first."""
    script = Script(game.rules, game.size, game.map.bases)

    def act(plan, memory, observation, key):
        memory, action = script.act(plan, memory, observation, key)
        return memory, through_camera(game.description, game.size, observation, action)

    return Controller(script.initial_state, act, own_params=True)


def agent(network: Network) -> Controller:
    """An agent; params are its policy's weights."""

    def act(policy, carry, observation, key):
        carry, action, _ = network.step(policy, carry, observation, key)
        return carry, action

    return Controller(network.initial_carry, act, own_params=False)


def bot_drawer(game: EmbeddedGame, names: tuple[str, ...]) -> Callable[..., Any]:
    """A compiled function (indices into `names` [B], keys [B], `Race` of each or of all) -> params [B] for `scripted`.

    Raises UserError for an unknown name.
    """
    draw = jax.jit(jax.vmap(draw_bots(game, names)))
    return lambda index, keys, race: draw(index, keys, jnp.broadcast_to(race, index.shape))


def draw_bots(game: EmbeddedGame, names: tuple[str, ...]) -> Callable[..., Any]:
    """What `bot_drawer` compiles, for one game: (index into `names`, key, `Race`) -> params."""
    for name in names:
        check_bot(name)
    book, bots = Playbook(game.rules, game.settings.slots), [parse_bot(name) for name in names]
    level = jnp.array([int(bot.level) for bot in bots])
    kind = jnp.array([bot.number for bot in bots])
    return lambda index, key, race: book.draw(key, race, level[index], kind[index])


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
