"""Writes `docs/matchups/*.png`: eight moments of one game for each of the nine match-ups of the three races."""

from itertools import product
from pathlib import Path

import tyro

from asterism.bots.styles import RACES
from asterism.runtime.play import MOMENTS, SHEET_WIDTH, painter_of_width
from asterism.runtime.race_films import film_races, race_game
from asterism.runtime.setup import start_jax
from asterism.web.sheet import write_sheet

OUT = Path(__file__).parents[1] / "docs" / "matchups"


def main(out: Path = OUT, map: str = "first_light", seed: int = 0) -> None:
    """Plays the nine games side by side: about 3 GB of memory and, on two cores, 6 minutes.

    Args:
      out: folder to write to.
      map: name of the map.
      seed: seed of the games.
    """
    start_jax()
    game = race_game(map)
    painter = painter_of_width(game, SHEET_WIDTH)
    for film in film_races(game, list(product(RACES, repeat=2)), seed):
        path = out / f"{film.names[0]}-{film.names[1]}.png"
        write_sheet(path, film.moments(painter, MOMENTS))
        print(f"{path.name}: {film.outcome(game.description)}")


if __name__ == "__main__":
    tyro.cli(main)
