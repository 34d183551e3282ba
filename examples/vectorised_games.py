"""Random play in many games side by side, through Gymnasium's vector interface and in JAX, with their speeds.

python examples/vectorised_games.py --games 8 --steps 20        (the first half needs `pip install -e '.[envs]'`)
"""

import time

import jax
import tyro

from asterism.envs import VectorAgainstBot
from asterism.game.game import EmbeddedGame
from asterism.interface.spec import random_action
from asterism.runtime.players import spread
from asterism.runtime.setup import start_jax


def through_gymnasium(games: int, steps: int, seed: int) -> float:
    """Decisions a second."""
    env = VectorAgainstBot(games)
    env.reset(seed=seed)
    env.action_space.seed(seed)
    env.step(env.action_space.sample())  # compiles
    began = time.perf_counter()
    for _ in range(steps):
        env.step(env.action_space.sample())
    return games * steps / (time.perf_counter() - began)


def in_jax(games: int, steps: int, seed: int) -> float:
    """The same with all of it compiled: `reset` and `step` are pure functions of one game."""
    game = EmbeddedGame()
    draw = jax.vmap(lambda key, seen: random_action(key, seen, game.description, game.size))

    def one(state, timestep, key):
        return game.step(state, draw(jax.random.split(key, 2), timestep.observation))

    @jax.jit
    def play(state, timestep, key):
        def body(carry, key):
            return jax.vmap(one)(*carry, jax.random.split(key, games)), None

        return jax.lax.scan(body, (state, timestep), jax.random.split(key, steps))[0]

    keys = jax.random.split(jax.random.key(seed), games)
    start = jax.jit(jax.vmap(game.reset))(keys, spread(game.no_strategy(), games))
    carry = jax.block_until_ready(play(*start, jax.random.key(1)))
    began = time.perf_counter()
    jax.block_until_ready(play(*carry, jax.random.key(2)))
    return 2 * games * steps / (time.perf_counter() - began)


def main(games: int = 8, steps: int = 20, seed: int = 0) -> None:
    """Plays and prints."""
    start_jax()
    print(f"through Gymnasium: {through_gymnasium(games, steps, seed):.0f} decisions a second (the bot decides too)")
    print(f"in JAX: {in_jax(games, steps, seed):.0f} decisions a second")


if __name__ == "__main__":
    tyro.cli(main)
