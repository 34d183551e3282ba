"""Many games at a time between two controllers, in compiled code. B games ("lanes") side by side."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.game.game import EmbeddedGame
from asterism.interface.action import Action
from asterism.interface.description import TimeStep
from asterism.interface.observation import Strategy
from asterism.runtime.players import Controller, select, spread


class Lanes(NamedTuple):
    """B games in progress. `home` and `away` are the two controllers; the home player sits on side `seat`."""

    state: Any
    timestep: TimeStep
    home: Any
    """Memory of the home controller."""
    away: Any
    seat: Int[Array, " B"]


class Played(NamedTuple):
    """What the two controllers did in one step. [B, ...]"""

    home: Action
    away: Action
    home_acted: Bool[Array, " B"]
    away_acted: Bool[Array, " B"]


def side(values: Any, seat: Int[Array, " B"]) -> Any:
    """The given side of everything in a pytree of [B, 2, ...]."""
    return jax.tree.map(lambda v: jax.vmap(lambda row, s: row[s])(v, seat), values)


def new_lanes(
    game: EmbeddedGame, home: Controller, away: Controller, seat: Int[Array, " B"], z: Strategy, key: PRNGKeyArray
) -> Lanes:
    """New games in all lanes; z is [B, 2, ...], by side. Call it in compiled code."""
    count = len(seat)
    state, timestep = jax.vmap(game.reset)(jax.random.split(key, count), z)
    return Lanes(state, timestep, spread(home.initial_memory(), count), spread(away.initial_memory(), count), seat)


def act(controller: Controller, params, memory, observation, key: PRNGKeyArray, due: Bool[Array, " B"]):
    """Actions of one controller in all lanes; memories advance where it is due."""
    keys = jax.random.split(key, len(due))
    axes = (0 if controller.own_params else None, 0, 0, 0)
    new, action = jax.vmap(controller.act, axes)(params, memory, observation, keys)
    return select(due, new, memory), action


def join(home: Any, away: Any, seat: Int[Array, " B"]) -> Any:
    """[B, 2, ...] by side from what belongs to home and away."""
    return jax.tree.map(
        lambda h, a: jax.vmap(lambda x, y, s: jnp.where(s == 0, jnp.stack([x, y]), jnp.stack([y, x])))(h, a, seat),
        home,
        away,
    )


def advance(
    game: EmbeddedGame, home: Controller, away: Controller, params: tuple[Any, Any], lanes: Lanes, key: PRNGKeyArray
) -> tuple[Lanes, Played]:
    """One step of all games. Finished games are not started anew."""
    key_home, key_away = jax.random.split(key)
    timestep, seat = lanes.timestep, lanes.seat
    acted = side(timestep.acting, seat), side(timestep.acting, 1 - seat)
    seen = side(timestep.observation, seat), side(timestep.observation, 1 - seat)
    home_memory, home_action = act(home, params[0], lanes.home, seen[0], key_home, acted[0])
    away_memory, away_action = act(away, params[1], lanes.away, seen[1], key_away, acted[1])
    state, timestep = jax.vmap(game.step)(lanes.state, join(home_action, away_action, seat))
    return Lanes(state, timestep, home_memory, away_memory, seat), Played(home_action, away_action, *acted)


class Outcomes(NamedTuple):
    """How B games ended, for the home player."""

    reward: Float[Array, " B"]
    loops: Int[Array, " B"]


def play_out(
    game: EmbeddedGame, home: Controller, away: Controller, params: tuple[Any, Any], lanes: Lanes, key: PRNGKeyArray
) -> Outcomes:
    """Plays every game to its end."""

    def unfinished(carry):
        return ~carry[1].all()

    def body(carry):
        lanes, done, outcomes, key = carry
        key, step_key = jax.random.split(key)
        lanes, _ = advance(game, home, away, params, lanes, step_key)
        now = Outcomes(side(lanes.timestep.reward, lanes.seat), lanes.state.loop)
        return lanes, done | lanes.timestep.done, select(done, outcomes, now), key

    count = len(lanes.seat)
    blank = Outcomes(jnp.zeros(count), jnp.zeros(count, jnp.int32))
    return jax.lax.while_loop(unfinished, body, (lanes, jnp.zeros(count, bool), blank, key))[2]


def seats(games: int) -> Int[Array, " B"]:
    """The home player's sides: both equally often."""
    return jnp.arange(games) % 2
