"""Many games side by side against an opponent, through Gymnasium's VectorEnv. Needs `pip install -e '.[envs]'`.

python examples/vectorised_games.py --games 8 --steps 100
"""

import time

import gymnasium
import numpy as np
import tyro

import asterism.envs
from asterism.game.settings import GameSettings
from asterism.runtime.setup import start_jax


def choose(random: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    """One of the choices of each row of a mask [B, n] that are 1."""
    return np.where(mask == 1, random.random(mask.shape), -1.0).argmax(1)


def main(opponent: str = "easy", games: int = 8, steps: int = 100, time_limit: int = 13440, seed: int = 0) -> None:
    """Takes `steps` decisions in each of `games` games, of available types and with one own unit each."""
    start_jax()
    asterism.envs.register()
    settings = GameSettings(time_limit=time_limit)
    envs = gymnasium.make_vec("Asterism-v0", num_envs=games, opponent=opponent, settings=settings)
    _, infos = envs.reset(seed=seed)
    envs.action_space.seed(seed)
    random, ended, began = np.random.default_rng(seed), 0, 0.0
    for _ in range(steps):
        masks, actions = infos["action_mask"], envs.action_space.sample()
        actions["action_type"] = choose(random, masks["action_type"])
        actions["units"][:, 0], actions["units"][:, 1:] = choose(random, masks["units"]), -1
        _, _, terminations, truncations, infos = envs.step(actions)
        ended += (terminations | truncations).sum()
        began = began or time.perf_counter()  # the first step compiles
    speed = games * (steps - 1) / (time.perf_counter() - began)
    print(f"{games} games side by side, {ended} came to their end; {speed:.0f} decisions a second")


if __name__ == "__main__":
    tyro.cli(main)
