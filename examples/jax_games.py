"""Random valid play of both players in many games side by side, all of it compiled: `reset` and `step` in JAX.

python examples/jax_games.py --games 8 --steps 100
"""

import time

import jax
import tyro

from asterism.envs import auto_reset
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.spec import random_action
from asterism.runtime.setup import start_jax


def main(games: int = 8, steps: int = 100, time_limit: int = 13440, seed: int = 0) -> None:
    """Plays `steps` steps of 32 game loops in each of `games` games; one that ends begins anew."""
    start_jax()
    game = EmbeddedGame(GameSettings(time_limit=time_limit))

    def reset(key):
        return game.reset(key, game.no_strategy())  # z: both players are free

    step = auto_reset(reset, game.step)

    def play_one(state, timestep, key):
        """Both players' turn in one game: they are the first axis of what a game returns and takes."""
        acting, resetting = jax.random.split(key)
        draw = jax.vmap(lambda key, seen: random_action(key, seen, game.description, game.size))
        action = draw(jax.random.split(acting, 2), timestep.observation)
        state, timestep, reached = step(state, action, resetting)
        return (state, timestep), (reached.done, reached.reward)

    @jax.jit
    def play(carry, key):
        def body(carry, key):
            return jax.vmap(play_one)(*carry, jax.random.split(key, games))

        return jax.lax.scan(body, carry, jax.random.split(key, steps))

    first, second = jax.random.split(jax.random.key(seed))
    carry = jax.jit(jax.vmap(reset))(jax.random.split(first, games))
    compiled = play.lower(carry, second).compile()
    began = time.perf_counter()
    _, (done, reward) = jax.block_until_ready(compiled(carry, second))
    speed = games * steps / (time.perf_counter() - began)
    ended, decided = int(done.sum()), int((reward != 0).any(-1).sum())
    print(f"{games} games side by side, {ended} came to their end, {decided} with a winner; {speed:.0f} steps a second")


if __name__ == "__main__":
    tyro.cli(main)
