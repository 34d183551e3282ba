"""Games of the scripted players of the three races, for looking at: all match-ups side by side in one compiled loop."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from asterism.bots.race_styles import RacePlan, draw_plan, race_style
from asterism.game.game import EmbeddedGame
from asterism.game.maps import load_map
from asterism.game.settings import GameSettings
from asterism.game.snapshot import snapshot
from asterism.interface.observation import Race
from asterism.interface.sizes import InterfaceSize
from asterism.runtime.arena import Lanes, advance
from asterism.runtime.film import Film
from asterism.runtime.players import race_bot, spread
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


def film_races(game: EmbeddedGame, pairs: Sequence[tuple[str, str]], seed: int) -> list[Film]:
    """Plays one game of each pair of bots to its end. Raises UserError for an unknown bot."""
    player, count = race_bot(game), len(pairs)
    keys = jax.random.split(jax.random.key(seed), 3)
    params = tuple(draw_plans(game, [pair[side] for pair in pairs], keys[side]) for side in range(2))
    races = jnp.array([[Race[race_style(name).race.upper()] for name in pair] for pair in pairs])

    def begin():
        state, timestep = jax.vmap(game.start)(races, spread(game.no_strategy(), count))
        memory = spread(player.initial_memory(), count)
        return Lanes(state, timestep, memory, memory, jnp.zeros(count, jnp.int32)), jnp.zeros(count, bool)

    def play(carry, keys, params):
        def shoot(carry, keys):
            shot = jax.vmap(lambda state: snapshot(game.world, state))(carry[0].state)
            (lanes, done), rewards = jax.lax.scan(step, carry, keys)
            return (lanes, done), (shot, carry[1], rewards)

        def step(carry, key):
            lanes, done = carry
            lanes, _ = advance(game, player, player, params, lanes, jax.random.split(key, count))
            reward = jnp.where(done, 0.0, lanes.timestep.reward[:, 0])
            return (lanes, done | lanes.timestep.done), reward

        return jax.lax.scan(shoot, carry, keys.reshape(-1, SHOT_EVERY))

    play = jax.jit(play, donate_argnums=0)
    carry, parts = jax.jit(begin)(), []
    minutes = game.settings.time_limit // (MINUTE * STEP)
    with stage("play", minutes, "minutes of the game") as bar:
        for minute in range(minutes):
            carry, part = play(carry, jax.random.split(jax.random.fold_in(keys[2], minute), MINUTE), params)
            parts.append(jax.tree.map(np.asarray, part))
            bar.advance(1)
            if carry[1].all():
                break
    shots, done, rewards = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    return [_film(pairs[b], shots, ~done[:, b], rewards[..., b], b) for b in range(count)]


def _film(names, shots, alive, rewards, lane: int) -> Film:
    """The game of one lane, up to its end."""
    length = int(alive.sum())
    own = jax.tree.map(lambda leaf: leaf[:length, lane], shots)
    return Film(names, own, np.full((length, 2), np.nan, np.float32), float(rewards.sum()))
