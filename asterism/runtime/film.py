"""One game, kept for looking at: pictures' raw material and the value estimates of both players."""

from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from asterism.game.snapshot import Snapshot, snapshot
from asterism.interface.description import GameDescription
from asterism.interface.network import Network, Params
from asterism.runtime.arena import Races, advance, new_lanes, side
from asterism.runtime.players import agent, bot_drawer, scripted, spread
from asterism.runtime.progress import stage
from asterism.runtime.setup import Tools
from asterism.web.draw import GamePainter
from asterism.web.video import write_video


class Film(NamedTuple):
    """A game of T steps."""

    names: tuple[str, str]
    """Home (player 0) and away."""
    snapshots: Snapshot
    """[T, ...]"""
    values: Float[np.ndarray, "T 2"]
    """Win/loss estimate of each player's value network; NaN for a bot."""
    reward: float
    """For the home player."""

    def snapshot(self, index: int) -> Snapshot:
        """One moment."""
        return jax.tree.map(lambda leaf: leaf[index], self.snapshots)

    def frame(self, painter: GamePainter, index: int, fog_of: int | None = None) -> np.ndarray:
        """One picture; without value estimates where neither player has any."""
        values = self.values[index]
        pair = None if np.isnan(values).all() else np.nan_to_num(values)
        return painter.frame(self.snapshot(index), self.names, pair, fog_of)

    def moments(self, painter: GamePainter, count: int, fog_of: int | None = None) -> list[np.ndarray]:
        """`count` pictures, evenly spread over the game, the last one of them at its end."""
        places = np.linspace(0, len(self.values) - 1, count + 1)[1:].round().astype(int)
        return [self.frame(painter, int(place), fog_of) for place in places]

    def clock(self, description: GameDescription) -> str:
        """The game's length, in minutes and seconds."""
        seconds = int(self.snapshots.loop[-1] / description.loops_per_second)
        return f"{seconds // 60}:{seconds % 60:02}"

    def outcome(self, description: GameDescription) -> str:
        """Who won, and when."""
        home, away = self.names if len(set(self.names)) > 1 else (f"{self.names[0]} ({c})" for c in ("blue", "red"))
        who = {1: f"{home} won", 0: "a tie", -1: f"{away} won"}[int(self.reward)]
        return f"{who} after {self.clock(description)}"


def win_value(
    network: Network, params: Params, lanes: Any, seat: Any, carry: Any, action: Any
) -> Float[jax.Array, " B"]:
    """The win/loss value of each lane's player on side `seat`, which is about to act."""
    observation = side(lanes.timestep.observation, seat)
    own, other = side(lanes.timestep.privileged, seat), side(lanes.timestep.privileged, 1 - seat)
    both = jax.tree.map(lambda a, b: jnp.stack([a, b], 1), own, other)

    def one(carry, *inputs):
        inputs = jax.tree.map(lambda leaf: leaf[None], inputs)
        return network.unroll(params, carry, *inputs, jnp.zeros(1, bool))[1].values[0, 0]

    return jax.vmap(one)(carry, observation, both, action)


def film_game(
    tools: Tools,
    home: Params,
    away: Params | str,
    names: tuple[str, str],
    seed: int,
    races: tuple[int, int] = (0, 0),
) -> Film:
    """Plays one game of an agent against a bot (by name) or another agent; the agent sits on side 0.

    `races`: `Race` of both; 0: that of its side in the game's settings.
    """
    game, network = tools.game, tools.network
    against_bot = isinstance(away, str)
    players = agent(network), scripted(game) if against_bot else agent(network)
    key = jax.random.key(seed)
    seat = jnp.zeros(1, jnp.int32)
    sides = Races(*jnp.array(races)[:, None]).by_side(game, seat, key[None])
    if against_bot:
        opponent = bot_drawer(game, (away,))(jnp.zeros(1, int), jax.random.split(key, 1), sides[:, 1])
    else:
        opponent = away.policy

    def body(carry, step_key):
        lanes, done = carry
        shot = snapshot(game.world, jax.tree.map(lambda leaf: leaf[0], lanes.state))
        after, played = advance(game, *players, (home.policy, opponent), lanes, step_key[None])
        values = [win_value(network, home, lanes, lanes.seat, lanes.home, played.home)[0], jnp.nan]
        if not against_bot:
            values[1] = win_value(network, away, lanes, 1 - lanes.seat, lanes.away, played.away)[0]
        out = shot, jnp.stack(values), done, after.timestep.reward[0, 0]
        return (after, done | after.timestep.done[0]), out

    def play(key):
        lanes = new_lanes(game, *players, seat, spread(game.no_strategy(), 1), key[None], sides)
        steps = -(-game.settings.time_limit // game.settings.step)
        return jax.lax.scan(body, (lanes, jnp.zeros((), bool)), jax.random.split(key, steps))[1]

    shots, values, done, reward = jax.tree.map(np.asarray, jax.jit(play)(key))
    length = int((~done).sum())
    shots = jax.tree.map(lambda leaf: leaf[:length], shots)
    return Film(names, shots, values[:length], float(reward[length - 1]))


def write_film(path: Path, film: Film, painter: GamePainter, fps: float, fog_of: int | None = None) -> None:
    """A game as a video, with a progress bar. Raises UserError as `write_video`."""
    length = len(film.values)
    with stage("draw", length, "pictures") as bar:

        def frames():
            for index in range(length):
                yield film.frame(painter, index, fog_of)
                bar.advance(1)

        write_video(path, frames(), fps)
