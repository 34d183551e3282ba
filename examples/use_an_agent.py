"""A trained agent plays a game against a scripted player. Needs `pip install -e '.[envs]'`, and a run (`make train`).

python examples/use_an_agent.py runs/first-light --opponent medium
"""

from pathlib import Path

import tyro

from asterism import Policy
from asterism.envs import AgainstBot
from asterism.runtime.setup import start_jax


def main(path: tyro.conf.Positional[Path], opponent: str = "easy", seed: int = 0) -> None:
    """Plays one game. `path`: the folder of a run, or an agent's .safetensors file."""
    start_jax()
    policy = Policy.load(path, seed=seed)
    env = AgainstBot(opponent, policy.game.settings, policy.game.size)
    observation, info = env.reset(seed=seed)
    estimates, over = [], False
    while not over:
        decision = policy.act(observation, env.privileged(), values=True)
        estimates.append(decision.values[0])
        observation, reward, terminated, truncated, info = env.step(decision.action)
        over = terminated or truncated
    end = "time was up" if truncated else "won" if reward > 0 else "lost" if reward < 0 else "both lost"
    print(f"{end} after {len(estimates)} decisions, {info['game_loop']} loops")
    print(f"estimated, from -1 (lost) to 1 (won): {estimates[0]:.2f} at first, {estimates[-1]:.2f} at last")


if __name__ == "__main__":
    tyro.cli(main)
