"""`asterism play RUN --against BOT --render FILE`: one game of a run's agent as a video."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from asterism.errors import UserError
from asterism.runtime.agents import agent_path, load_agent
from asterism.runtime.film import film_game
from asterism.runtime.matches import BOTS
from asterism.runtime.progress import stage
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import make_tools, start_jax
from asterism.runtime.train import TrainConfig
from asterism.web.draw import GamePainter
from asterism.web.video import write_video


@dataclass(frozen=True)
class PlayConfig:
    """Plays one game of a run's agent and draws it. Needs about 2 GB of memory and, on two cores, a minute."""

    folder: tyro.conf.Positional[Path]
    """Folder of the run, such as runs/first-light."""
    against: str = "rush"
    """Opponent: random, worker-rush, easy, rush, macro or teacher."""
    render: Path = Path("game.gif")
    """Video to write; .gif or .mp4."""
    agent: str = "agent"
    """Which of the run's agents plays: agent (from the league) or teacher."""
    fog: bool = False
    """Darken what the agent does not see."""
    fps: float = 12.0
    """Pictures a second; a picture is one step of the game."""
    seed: int = 0
    """Seed of the game."""

    def __post_init__(self):
        agent_path(self.folder, self.agent)
        if self.against not in (*BOTS, "teacher"):
            raise UserError(f"unknown opponent {self.against!r}: choose one of {', '.join((*BOTS, 'teacher'))}")

    def run(self) -> None:
        """Plays, writes the video and says who won."""
        with RunFolder.open(self.folder) as folder:
            setup = folder.load_config(TrainConfig).setup
        start_jax()
        tools = make_tools(setup)
        home = load_agent(self.folder, self.agent, tools)
        away = load_agent(self.folder, "teacher", tools) if self.against == "teacher" else self.against
        film = film_game(tools, home, away, (self.agent, self.against), self.seed)
        painter = GamePainter(tools.game)
        length = len(film.values)
        with stage("draw", length, "pictures") as bar:

            def frames():
                for index in range(length):
                    yield film.frame(painter, index, 0 if self.fog else None)
                    bar.advance(1)

            write_video(self.render, frames(), self.fps)
        outcome = {1: f"{self.agent} won", 0: "a tie", -1: f"{self.against} won"}[int(film.reward)]
        seconds = int(film.snapshots.loop[-1] / tools.game.description.loops_per_second)
        print(f"{outcome} after {seconds // 60}:{seconds % 60:02}; the game is in {self.render}")
