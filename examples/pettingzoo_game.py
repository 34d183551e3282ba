"""Two random players in one game through PettingZoo. Needs `pip install -e '.[envs]'`.

python examples/pettingzoo_game.py --steps 50
"""

import tyro

from asterism.envs import TwoPlayers
from asterism.runtime.setup import start_jax


def main(steps: int = 50, seed: int = 0) -> None:
    """Plays `steps` steps of 32 game loops; each player acts when its delay is over."""
    start_jax()
    env = TwoPlayers()
    _, infos = env.reset(seed=seed)
    for player in env.possible_agents:
        env.action_space(player).seed(seed)
    for _ in range(steps):
        due = [player for player in env.agents if infos[player]["acting"]]
        actions = {player: env.action_space(player).sample(infos[player]["action_mask"]) for player in due}
        observations, rewards, _, _, infos = env.step(actions)
        if not env.agents:
            break
    for player, observation in observations.items():
        minerals, _, used, cap, *_ = observation["scalars"]["statistics"]
        print(f"{player}: {minerals} minerals, supply {used}/{cap}, reward {rewards[player]:g}")


if __name__ == "__main__":
    tyro.cli(main)
