"""Two scripted players meet in a few games of the embedded game, all in one compiled program.

python examples/play_a_game.py --home macro --away rush
"""

import jax
import jax.numpy as jnp
import tyro

from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import Race
from asterism.runtime.arena import play_games, seats
from asterism.runtime.matches import Score
from asterism.runtime.players import bot_drawer, scripted
from asterism.runtime.setup import start_jax


def main(home: str = "macro", away: str = "rush", games: int = 8, time_limit: int = 13440, seed: int = 0) -> None:
    """Plays `games` games side by side, from both sides, up to `time_limit` game loops (22.4 a second) each."""
    start_jax()
    game = EmbeddedGame(GameSettings(time_limit=time_limit))
    player, draw = scripted(game), bot_drawer(game, (home, away))
    keys = jax.random.split(jax.random.key(seed), 3)
    params = tuple(draw(jnp.full(games, i), jax.random.split(keys[i], games), Race.TERRAN) for i in range(2))

    play = jax.jit(lambda keys: play_games(game, player, player, params, seats(games), keys))
    reward, loops = play(jax.random.split(keys[2], games))
    score = Score(*(int((reward == outcome).sum()) for outcome in (1, 0, -1)))
    minutes = float(loops.mean()) / (60 * game.description.loops_per_second)
    print(f"{home} against {away}, {minutes:.1f} minutes of game time on average")
    print(score.line(away))


if __name__ == "__main__":
    tyro.cli(main)
