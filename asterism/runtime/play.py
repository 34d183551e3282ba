"""`asterism play RUN --against BOT` or `asterism play --bots NAME NAME`: one game as a video or a contact sheet."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from asterism.bots.names import parse_bot
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.maps import load_map
from asterism.runtime.agents import TEACHER, agent_path, load_agent, race_of
from asterism.runtime.film import Film, film_game, write_film
from asterism.runtime.matches import check_opponents
from asterism.runtime.race_films import film_races, race_game
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import make_tools, start_jax
from asterism.runtime.train import TrainConfig
from asterism.web.draw import GamePainter
from asterism.web.sheet import write_sheet
from asterism.web.video import check_suffix

WIDTH, SHEET_WIDTH = 640, 360
"""Pixels that a picture of the three races is wide in a video and in a sheet, or somewhat fewer."""
MOMENTS = 8
"""Pictures of a sheet."""


def painter_of_width(game: EmbeddedGame, width: int) -> GamePainter:
    """A painter whose pictures are about `width` pixels wide."""
    return GamePainter(game, max(width // game.map.cells, 2))


@dataclass(frozen=True)
class PlayConfig:
    """Plays one game and draws it: of a run's agent (RUN --against BOT), or of two scripted players (--bots NAME NAME).

    A run's agent needs about 2 GB of memory and, on two cores, a minute. Two scripted players of the three races need
    about 3 GB and, on two cores, 5 minutes the first time, most of it to compile, and 3 later.
    """

    folder: tyro.conf.Positional[Path | None] = None
    """Folder of the run, such as runs/first-light; none with --bots."""
    bots: tuple[str, ...] = ()
    """Two scripted players, of the rules "full": race, level and style of each (docs/bots.md), as zerg:Hard:rush; what
    is left out is drawn, the level is VeryHard."""
    against: str = "rush"
    """Opponent of a run's agent: a scripted player (docs/bots.md), such as random, easy or Hard:macro, or teacher."""
    render: Path = Path("game.gif")
    """Video to write; .gif or .mp4."""
    sheet: Path | None = None
    """With --bots: a picture of eight moments, .png, in place of the video."""
    agent: str = "agent"
    """Which of the run's agents plays: agent (from the league; agent_zerg and so on from a league of several races) or
    teacher."""
    map: str = "first_light"
    """Map for --bots."""
    minutes: int = 15
    """Length in minutes after which a game of --bots is a tie."""
    fog: int = 0
    """1 or 2: darken what the first or second player does not see; 0 shows everything."""
    fps: float = 12.0
    """Pictures a second; a picture is 1.4 seconds of the game."""
    seed: int = 0
    """Seed of the game."""

    def __post_init__(self):
        if (self.folder is None) == (not self.bots) or len(self.bots) not in (0, 2):
            raise UserError("play needs a run's folder or --bots with two names, such as --bots terran zerg")
        if self.fog not in (0, 1, 2):
            raise UserError(f"--fog is {self.fog}: give 1 or 2 for a player's view, 0 for everything")
        if self.minutes < 1:
            raise UserError(f"--minutes is {self.minutes}: it must be at least 1")
        check_suffix(self.render)
        if self.sheet is not None and self.sheet.suffix.lower() != ".png":
            raise UserError(f"cannot write {self.sheet}: give the sheet a name that ends in .png")
        if self.folder is None:
            load_map(self.map)
            for name in self.bots:
                parse_bot(name)
            return
        if self.sheet is not None:
            raise UserError("--sheet goes with --bots only")
        agent_path(self.folder, self.agent)

    def run(self) -> None:
        """Plays, writes the video or sheet and says who won."""
        start_jax()
        game, film = self._play_bots() if self.bots else self._play_run()
        fog_of = self.fog - 1 if self.fog else None
        if self.sheet is not None:
            write_sheet(self.sheet, film.moments(painter_of_width(game, SHEET_WIDTH), MOMENTS, fog_of))
        else:
            painter = painter_of_width(game, WIDTH) if self.bots else GamePainter(game)
            write_film(self.render, film, painter, self.fps, fog_of)
        print(f"{film.outcome(game.description)}; the game is in {self.sheet or self.render}")

    def _play_run(self) -> tuple[EmbeddedGame, Film]:
        with RunFolder.open(self.folder) as folder:
            setup = folder.load_config(TrainConfig).setup
        check_opponents((self.against,))
        tools = make_tools(setup)
        home = load_agent(self.folder, self.agent, tools)
        away = load_agent(self.folder, TEACHER, tools) if self.against == TEACHER else self.against
        names, races = (self.agent, self.against), (race_of(self.agent), 0)
        return tools.game, film_game(tools, home, away, names, self.seed, races)

    def _play_bots(self) -> tuple[EmbeddedGame, Film]:
        game = race_game(self.map, self.minutes)
        return game, film_races(game, [self.bots], self.seed)[0]
