"""A player of your own: every worker attacks. It sees and acts through the interface that agents use.

python examples/write_a_bot.py --against easy
"""

import jax
import jax.numpy as jnp
import tyro

from asterism.bots.view import ActionMaker, view
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import Race
from asterism.runtime.arena import play_games, seats
from asterism.runtime.matches import Score
from asterism.runtime.players import Controller, bot_drawer, scripted
from asterism.runtime.setup import start_jax


def worker_rush(game: EmbeddedGame) -> Controller:
    """All workers to the enemy that is in sight, or else to where the enemy began."""
    make, scv = ActionMaker(game.description, game.size).make, game.description.unit_index["SCV"]
    starts = jnp.asarray(game.map.starts)

    def act(params, enemy_start, observation, key):
        """(params, memory, observation, key) -> (memory, action): pure, for one game; `vmap` makes it many."""
        seen = view(observation)
        # The first look: the enemy began where we did not.
        own = jnp.where(seen.own[:, None], seen.position, 0.0).sum(0) / jnp.maximum(seen.own.sum(), 1)
        farther = starts[jnp.linalg.norm(starts - own, axis=1).argmax()]
        enemy_start = jnp.where(enemy_start[0] < 0, farther, enemy_start)
        goal = jnp.where(seen.enemy.any(), seen.position[seen.enemy.argmax()], enemy_start)
        action = make("Attack_pt", mask=seen.own & (seen.type == scv), place=goal)
        return enemy_start, action._replace(delay=jnp.int32(64))  # look again in 64 game loops, about 3 seconds

    return Controller(initial_memory=lambda: jnp.full(2, -1.0), act=act, own_params=False)


def main(against: str = "easy", games: int = 8, time_limit: int = 13440, seed: int = 0) -> None:
    """Plays it against a scripted player, up to `time_limit` game loops a game."""
    start_jax()
    game = EmbeddedGame(GameSettings(time_limit=time_limit))
    home, away = worker_rush(game), scripted(game)
    keys = jax.random.split(jax.random.key(seed), 2)
    theirs = bot_drawer(game, (against,))(jnp.zeros(games, int), jax.random.split(keys[0], games), Race.TERRAN)

    play = jax.jit(lambda keys: play_games(game, home, away, ((), theirs), seats(games), keys))
    reward = play(jax.random.split(keys[1], games)).reward
    print(Score(*(int((reward == outcome).sum()) for outcome in (1, 0, -1))).line(against))


if __name__ == "__main__":
    tyro.cli(main)
