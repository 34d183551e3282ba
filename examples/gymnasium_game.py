"""Random valid play against a scripted player through Gymnasium. Needs `pip install -e '.[envs]'`.

python examples/gymnasium_game.py --bot easy --steps 50
"""

import tyro

from asterism.envs import AgainstBot
from asterism.runtime.setup import start_jax


def main(bot: str = "easy", steps: int = 50, seed: int = 0) -> None:
    """Takes `steps` decisions, each of random valid parts."""
    start_jax()
    env = AgainstBot(bot)
    observation, info = env.reset(seed=seed)
    env.action_space.seed(seed)
    total = 0.0
    for _ in range(steps):
        action = env.action_space.sample(info["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        total += reward
        if terminated or truncated:
            observation, info = env.reset()
    minerals, vespene, used, cap, *_ = observation["scalars"]["statistics"]
    print(f"game loop {info['game_loop']}: {minerals} minerals, {vespene} vespene, supply {used}/{cap}; reward {total:g}")


if __name__ == "__main__":
    tyro.cli(main)
