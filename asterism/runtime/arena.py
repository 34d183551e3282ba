"""Many games at a time between two controllers, in compiled code. B games ("lanes") side by side."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from asterism.game.game import EmbeddedGame
from asterism.interface.action import Action
from asterism.interface.description import Game, TimeStep
from asterism.interface.observation import Strategy
from asterism.runtime.players import Controller, select, spread, strong

Keys = Shaped[PRNGKeyArray, " B"]
"""One a game: what happens in it does not depend on the games beside it."""


def split_keys(keys: Keys, count: int) -> Shaped[PRNGKeyArray, "n B"]:
    """`count` new keys from each."""
    return jax.vmap(lambda key: jax.random.split(key, count), out_axes=1)(keys)


class Lanes(NamedTuple):
    """B games in progress. `home` and `away` are the two controllers; the home player sits on side `seat`."""

    state: Any
    timestep: TimeStep
    home: Any
    """Memory of the home controller."""
    away: Any
    seat: Int[Array, " B"]


class Races(NamedTuple):
    """`Race` of the home player and of the away player in each lane; 0: that of their side in the game's settings."""

    home: Int[Array, " B"]
    away: Int[Array, " B"]

    def by_side(self, game: Game, seat: Int[Array, " B"], keys: Keys) -> Int[Array, "B 2"]:
        """The races of the players on both sides; a key draws those that are random."""
        own = jax.vmap(game.draw_races)(keys)
        given = join(*self, seat)
        return jnp.where(given > 0, given, own)


class Played(NamedTuple):
    """What the two controllers did in one step. [B, ...]"""

    home: Action
    away: Action


def side(values: Any, seat: Int[Array, " B"]) -> Any:
    """The given side of everything in a pytree of [B, 2, ...]."""
    return jax.tree.map(lambda v: jax.vmap(lambda row, s: row[s])(v, seat), values)


def new_lanes(
    game: Game,
    home: Controller,
    away: Controller,
    seat: Int[Array, " B"],
    z: Strategy,
    keys: Keys,
    races: Int[Array, "B 2"] | None = None,
) -> Lanes:
    """New games in all lanes. z ([B, 2, ...]) and the races (None: those of the game's settings) are by side. Call it
    in compiled code."""
    count = len(seat)
    state, timestep = jax.vmap(game.reset)(keys, z, races)
    memories = spread(home.initial_memory(), count), spread(away.initial_memory(), count)
    return strong(Lanes(state, timestep, *memories, seat))


def act(controller: Controller, params, memory, observation, keys: Keys, due: Bool[Array, " B"]):
    """Actions of one controller in all lanes; memories advance where it is due."""
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


def act_both(home: Controller, away: Controller, params: tuple[Any, Any], lanes: Lanes, keys: Keys):
    """What both controllers remember and do: (memory, action) of the home player, then of the away player."""
    acted = side(lanes.timestep.acting, lanes.seat), side(lanes.timestep.acting, 1 - lanes.seat)
    seen = side(lanes.timestep.observation, lanes.seat), side(lanes.timestep.observation, 1 - lanes.seat)
    memories, keys = (lanes.home, lanes.away), split_keys(keys, 2)
    if home is not away or not home.own_params:
        players = (home, away)
        return tuple(act(players[i], params[i], memories[i], seen[i], keys[i], acted[i]) for i in range(2))
    # One kind of player: compiled once for both, and compiling a script takes long.
    joined = jax.tree.map(lambda *pair: jnp.concatenate(pair), *zip(params, memories, seen, keys, acted, strict=True))
    result = act(home, *joined)
    return tuple(jax.tree.map(lambda x, i=i: jnp.split(x, 2)[i], result) for i in range(2))


def advance(
    game: EmbeddedGame, home: Controller, away: Controller, params: tuple[Any, Any], lanes: Lanes, keys: Keys
) -> tuple[Lanes, Played]:
    """One step of all games. Finished games are not started anew."""
    (home_memory, home_action), (away_memory, away_action) = act_both(home, away, params, lanes, keys)
    state, timestep = jax.vmap(game.step)(lanes.state, join(home_action, away_action, lanes.seat))
    return Lanes(state, timestep, home_memory, away_memory, lanes.seat), Played(home_action, away_action)


class Outcomes(NamedTuple):
    """How B games ended, for the home player."""

    reward: Float[Array, " B"]
    loops: Int[Array, " B"]


def play_out(
    game: EmbeddedGame, home: Controller, away: Controller, params: tuple[Any, Any], lanes: Lanes, keys: Keys
) -> Outcomes:
    """Plays every game to its end."""

    def unfinished(carry):
        return ~carry[1].all()

    def body(carry):
        lanes, done, outcomes, keys = carry
        keys, step_keys = split_keys(keys, 2)
        lanes, _ = advance(game, home, away, params, lanes, step_keys)
        now = Outcomes(side(lanes.timestep.reward, lanes.seat), lanes.state.loop)
        return lanes, done | lanes.timestep.done, select(done, outcomes, now), keys

    count = len(lanes.seat)
    blank = Outcomes(jnp.zeros(count), jnp.zeros(count, jnp.int32))
    return jax.lax.while_loop(unfinished, body, (lanes, jnp.zeros(count, bool), blank, keys))[2]


def play_games(
    game: EmbeddedGame,
    home: Controller,
    away: Controller,
    params: tuple[Any, Any],
    seat: Int[Array, " B"],
    keys: Keys,
    races: Int[Array, "B 2"] | None = None,
) -> Outcomes:
    """Plays new games to their end; nobody is asked to follow a strategy z. `races`: as in `new_lanes`. Call it in
    compiled code."""
    start, keys = split_keys(keys, 2)
    lanes = new_lanes(game, home, away, seat, spread(game.no_strategy(), len(seat)), start, races)
    return play_out(game, home, away, params, lanes, keys)


def seats(games: int) -> Int[Array, " B"]:
    """The home player's sides: both equally often."""
    return jnp.arange(games) % 2
