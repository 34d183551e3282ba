"""Two random players in one game through PettingZoo. Needs `pip install -e '.[envs]'`.

python examples/pettingzoo_game.py --time-limit 4000
"""

import tyro

from asterism.envs import TwoPlayers
from asterism.game.settings import GameSettings
from asterism.interface.observation import Statistic
from asterism.runtime.setup import start_jax


def main(time_limit: int = 4000, seed: int = 0) -> None:
    """Plays one game of at most `time_limit` game loops; each player acts when its delay is over."""
    start_jax()
    env = TwoPlayers(GameSettings(time_limit=time_limit))
    _, infos = env.reset(seed=seed)
    for player in env.agents:
        env.action_space(player).seed(seed)
    while env.agents:
        due = [player for player in env.agents if infos[player]["acting"]]
        actions = {player: env.action_space(player).sample(infos[player]["action_mask"]) for player in due}
        observations, rewards, _, truncations, infos = env.step(actions)
    for player, observation in observations.items():
        minerals, supply = (observation["scalars"]["statistics"][i] for i in (Statistic.MINERALS, Statistic.FOOD_USED))
        end = "time was up" if truncations[player] else f"reward {rewards[player]:g}"
        print(f"{player}: {end} with {minerals} minerals, supply {supply}")


if __name__ == "__main__":
    tyro.cli(main)
