"""Games of the scripted players of the three races, for looking at: all match-ups side by side in one compiled loop.

Players are called by race, level and style (`asterism.bots.names`).
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from asterism.bots.names import BotName, parse_bot
from asterism.bots.plans import Plan, Playbook
from asterism.bots.styles import RACES
from asterism.game.game import EmbeddedGame
from asterism.game.maps import load_map
from asterism.game.settings import GameSettings
from asterism.game.snapshot import Snapshot, snapshot
from asterism.interface.sizes import InterfaceSize
from asterism.runtime.arena import Played, advance
from asterism.runtime.bot_games import begin, cast_names
from asterism.runtime.film import Film
from asterism.runtime.players import scripted
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


def with_races(pairs: Sequence[tuple[str, str]], key) -> list[tuple[BotName, BotName]]:
    """The bots called so, with a race drawn for those whose name has none; raises UserError for an unknown bot."""
    drawn = np.asarray(jax.random.randint(key, (len(pairs), 2), 0, len(RACES)))
    given = lambda name, race: name if name.race else name._replace(race=list(RACES)[race])  # noqa: E731
    return [tuple(map(given, map(parse_bot, pair), races)) for pair, races in zip(pairs, drawn, strict=True)]


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
    plans: tuple[Plan, Plan]
    """[B, ...] of each side."""
    built: Int[np.ndarray, "B 2 L"]
    """Unit types that each side built first, without workers and supply, and N plus upgrade; 0 for none."""


def play_races(game: EmbeddedGame, pairs: Sequence[tuple[str, str]], seed: int) -> RaceGames:
    """Plays one game of each pair of bots until all are over. Raises UserError for an unknown bot."""
    player, count = scripted(game), len(pairs)
    keys = jax.random.split(jax.random.key(seed), 3)
    casting = jax.tree.map(lambda *rows: np.stack(rows), *map(cast_names, with_races(pairs, keys[0])))
    own = jax.random.split(keys[1], count)
    # Compiled as one: bit by bit it would take longer.
    opened = jax.jit(partial(begin, game, Playbook(game.rules, game.settings.slots), player))(casting, own)

    def step(params, carry, key):
        lanes, done = carry
        lanes, played = advance(game, player, player, params, lanes, jax.random.split(key, count))
        reward = jnp.where(done, 0.0, lanes.timestep.reward[:, 0])
        return (lanes, done | lanes.timestep.done), (reward, played)

    def shoot(params, carry, keys):
        shot = jax.vmap(lambda state: snapshot(game.world, state))(carry[0].state)
        carry_on, (reward, played) = jax.lax.scan(partial(step, params), carry, keys)
        return carry_on, (shot, ~carry[1], reward.sum(0), played)

    @partial(jax.jit, donate_argnums=0)
    def play_minute(carry, params, keys):
        # The plans come from outside: as constants they would make each game a program of its own.
        return jax.lax.scan(partial(shoot, params), carry, keys.reshape(-1, SHOT_EVERY))

    carry, parts = (opened.lanes, opened.done), []
    minutes = game.settings.time_limit // (MINUTE * STEP)
    with stage("play", minutes, "minutes of the game") as bar:
        while len(parts) < minutes and not carry[1].all():
            own = jax.random.split(jax.random.fold_in(keys[2], len(parts)), MINUTE)
            carry, part = play_minute(carry, opened.plans, own)
            parts.append(jax.tree.map(np.asarray, part))
            bar.advance(1)
    built = carry[0].state.players.executed.build_order
    shots, alive, reward, played = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    played = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), played)
    return RaceGames(shots, alive, reward.sum(0), played, opened.plans, np.asarray(built))


def film_races(game: EmbeddedGame, pairs: Sequence[tuple[str, str]], seed: int) -> list[Film]:
    """One game of each pair of bots. Raises UserError for an unknown bot."""
    games = play_races(game, pairs, seed)
    films = []
    for lane, names in enumerate(pairs):
        length = int(games.alive[:, lane].sum())
        own = jax.tree.map(lambda leaf, lane=lane, length=length: leaf[:length, lane], games.shots)
        films.append(Film(names, own, np.full((length, 2), np.nan, np.float32), float(games.reward[lane])))
    return films
