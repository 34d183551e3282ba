"""Random valid play against an opponent through Gymnasium. Needs `pip install -e '.[envs]'`.

python examples/gymnasium_game.py --opponent easy --games 1
"""

import gymnasium
import tyro

import asterism.envs
from asterism.game.settings import GameSettings
from asterism.runtime.setup import start_jax


def main(opponent: str = "easy", games: int = 1, time_limit: int = 13440, seed: int = 0) -> None:
    """Plays `games` games, up to `time_limit` game loops (22.4 a second) each. `opponent`: a bot, or a run's folder."""
    start_jax()
    asterism.envs.register()
    env = gymnasium.make("Asterism-v0", opponent=opponent, settings=GameSettings(time_limit=time_limit))
    env.action_space.seed(seed)
    for game in range(games):
        _, info = env.reset(seed=seed + game)
        decisions, over = 0, False
        while not over:
            # The type first, then units that can take it. `sample(info["action_mask"])` alone would do, less well.
            kind = env.action_space.sample(info["action_mask"])["action_type"]
            action = env.action_space.sample(env.unwrapped.mask_for(kind))
            _, reward, terminated, truncated, info = env.step(action)
            decisions, over = decisions + 1, terminated or truncated
        end = "time was up" if truncated else "won" if reward > 0 else "lost" if reward < 0 else "both lost"
        print(f"game {game + 1} as player {info['side']}: {end} after {decisions} decisions, {info['game_loop']} loops")


if __name__ == "__main__":
    tyro.cli(main)
