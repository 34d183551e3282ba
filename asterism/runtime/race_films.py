"""Games of the scripted players of the three races, for looking at: all match-ups side by side in one compiled loop."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from asterism.bots.race_styles import RacePlan, draw_plan, race_style
from asterism.game.game import EmbeddedGame
from asterism.game.maps import load_map
from asterism.game.settings import GameSettings
from asterism.game.snapshot import Snapshot, snapshot
from asterism.interface.observation import Race
from asterism.interface.sizes import InterfaceSize
from asterism.runtime.arena import Lanes, Played, advance
from asterism.runtime.film import Film
from asterism.runtime.players import race_bot, spread, strong
from asterism.runtime.progress import stage

STEP = 16
"""Game loops between two looks at a game."""
MINUTE = 84
"""Steps of a game's minute, which are played at a time."""
SHOT_EVERY = 2
"""Steps from one picture to the next: 1.4 seconds of the game."""


def race_game(map_name: str, minutes: int = 15, slots: int = 128) -> EmbeddedGame:
    """The game of all races with an interface that is fine enough for the scripted players."""
    settings = GameSettings(
        map=map_name,
        rules="full",
        races=("random", "random"),
        slots=slots,
        step=STEP,
        time_limit=minutes * MINUTE * STEP,
    )
    game_map = load_map(map_name)
    resources = len(game_map.minerals) + len(game_map.geysers)
    size = InterfaceSize(
        "bots", entities=2 * slots + resources, map=game_map.cells // 2, location=game_map.cells, selected=32
    )
    return EmbeddedGame(settings, size)


def draw_plans(game: EmbeddedGame, names: Sequence[str], key) -> RacePlan:
    """A plan for each game, [B, ...], of the bots called `names`; raises UserError for an unknown one."""
    keys = jax.random.split(key, len(names))
    plans = [draw_plan(k, game.rules, race_style(name)) for k, name in zip(keys, names, strict=True)]
    return jax.tree.map(lambda *rows: jnp.stack(rows), *plans)


class RaceGames(NamedTuple):
    """B games side by side: T pictures, each `SHOT_EVERY` steps after the last, and N steps."""

    shots: Snapshot
    """[T, B, ...]"""
    alive: Bool[np.ndarray, "T B"]
    """The game is not over."""
    reward: Float[np.ndarray, " B"]
    """For the first player."""
    played: Played
    """What the two did, [N, B, ...]; also where it was not their turn, and then it counts for nothing."""


def play_races(game: EmbeddedGame, pairs: Sequence[tuple[str, str]], seed: int) -> RaceGames:
    """Plays one game of each pair of bots until all are over. Raises UserError for an unknown bot."""
    player, count = race_bot(game), len(pairs)
    keys = jax.random.split(jax.random.key(seed), 3)
    params = tuple(draw_plans(game, [pair[side] for pair in pairs], keys[side]) for side in range(2))
    races = jnp.array([[Race[race_style(name).race.upper()] for name in pair] for pair in pairs])

    def begin():
        state, timestep = jax.vmap(game.start)(races, spread(game.no_strategy(), count))
        memory = spread(player.initial_memory(), count)
        return Lanes(state, timestep, memory, memory, jnp.zeros(count, jnp.int32)), jnp.zeros(count, bool)

    def step(carry, key):
        lanes, done = carry
        lanes, played = advance(game, player, player, params, lanes, jax.random.split(key, count))
        reward = jnp.where(done, 0.0, lanes.timestep.reward[:, 0])
        return (lanes, done | lanes.timestep.done), (reward, played)

    def shoot(carry, keys):
        shot = jax.vmap(lambda state: snapshot(game.world, state))(carry[0].state)
        carry_on, (reward, played) = jax.lax.scan(step, carry, keys)
        return carry_on, (shot, ~carry[1], reward.sum(0), played)

    @partial(jax.jit, donate_argnums=0)
    def play_minute(carry, keys):
        return jax.lax.scan(shoot, carry, keys.reshape(-1, SHOT_EVERY))

    # With weak types the loop would be compiled twice.
    carry, parts = strong(jax.jit(begin)()), []
    minutes = game.settings.time_limit // (MINUTE * STEP)
    with stage("play", minutes, "minutes of the game") as bar:
        while len(parts) < minutes and not carry[1].all():
            own = jax.random.split(jax.random.fold_in(keys[2], len(parts)), MINUTE)
            carry, part = play_minute(carry, own)
            parts.append(jax.tree.map(np.asarray, part))
            bar.advance(1)
    shots, alive, reward, played = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    played = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), played)
    return RaceGames(shots, alive, reward.sum(0), played)


def film_races(game: EmbeddedGame, pairs: Sequence[tuple[str, str]], seed: int) -> list[Film]:
    """One game of each pair of bots. Raises UserError for an unknown bot."""
    games = play_races(game, pairs, seed)
    films = []
    for lane, names in enumerate(pairs):
        length = int(games.alive[:, lane].sum())
        own = jax.tree.map(lambda leaf, lane=lane, length=length: leaf[:length, lane], games.shots)
        films.append(Film(names, own, np.full((length, 2), np.nan, np.float32), float(games.reward[lane])))
    return films
