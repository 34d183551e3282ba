"""`asterism evaluate RUN`: plays an agent of a run against bots and its own teacher."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from asterism.errors import UserError, require_at_least
from asterism.files import writing
from asterism.game.tables import RaceName
from asterism.interface.network import Params
from asterism.interface.observation import Race
from asterism.runtime.agents import TEACHER, agent_path, load_agent, race_of
from asterism.runtime.film import film_game, write_film
from asterism.runtime.matches import Matches, Score, check_opponents, evaluate_agent, table
from asterism.runtime.players import BOTS
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools, make_tools, start_jax
from asterism.runtime.train import TrainConfig
from asterism.web.draw import GamePainter

FPS = 12.0
"""Pictures a second of a game that is kept."""


@dataclass(frozen=True)
class EvaluateConfig:
    """Plays an agent of a run against every bot and, for the league's agent, against its own teacher.

    Both sides are played equally often. Prints wins, draws, losses and the win rate, in which a draw counts half, with
    its 95% Wilson interval. Needs about 2 GB of memory and, on two cores, half a minute for each 100 games; with
    --keep also a minute for each opponent.
    """

    folder: tyro.conf.Positional[Path]
    """Folder of the run, such as runs/first-light."""
    games: int = 200
    """Games against each opponent."""
    agent: str = "agent"
    """Which of the run's agents plays: agent (from the league; agent_zerg and so on from a league of several races) or
    teacher (supervised only)."""
    against: tuple[str, ...] = ()
    """Opponents: scripted players (docs/bots.md), such as easy or Hard:macro, and teacher; if none is named, the usual
    bots and the teacher."""
    races: tuple[RaceName, RaceName] | None = None
    """Races of the agent and of its opponents, in a run of all match-ups (--race random random); none: the agent plays
    the race that it was trained for, and what is not fixed is drawn for each game."""
    seed: int = 1
    """Seed of all randomness."""
    keep: Path | None = None
    """Folder in which one game against each opponent is kept to be watched, as OPPONENT.gif."""

    def __post_init__(self):
        require_at_least(self, "evaluate", 1, ("games",))
        require_at_least(self, "evaluate", 0, ("seed",))
        if self.agent == TEACHER and set(self.against) == {TEACHER}:
            raise UserError("the teacher does not play itself: name another opponent, or leave out --against")
        agent_path(self.folder, self.agent)

    def run(self) -> dict[str, Score]:
        """Plays the games, prints the table and returns the scores."""
        with RunFolder.open(self.folder) as folder:
            setup = folder.load_config(TrainConfig).setup
        if self.races is not None and setup.game.rules != "full":
            raise UserError(f"{self.folder} has Terrans only: leave out --races")
        against = self.against or (*BOTS, TEACHER)
        check_opponents(against)
        start_jax()
        tools = make_tools(setup)
        agent = load_agent(self.folder, self.agent, tools)
        bots = tuple(name for name in against if name != TEACHER)
        others = {}
        if TEACHER in against and self.agent != TEACHER:
            others[TEACHER] = load_agent(self.folder, TEACHER, tools)
        policies = {name: params.policy for name, params in others.items()}
        races = race_of(self.agent), 0
        if self.races is not None:
            races = tuple(int(Race.named(race)) for race in self.races)
        matches = Matches(tools, self.games)
        scores = evaluate_agent(matches, agent.policy, policies, self.games, self.seed, bots, races=races)
        print(table(scores))
        if self.keep is not None:
            self.keep_games(tools, agent, {name: name for name in bots} | others, races)
        return scores

    def keep_games(
        self, tools: Tools, agent: Params, opponents: dict[str, str | Params], races: tuple[int, int]
    ) -> None:
        """Films a game against each opponent."""
        with writing(self.keep):
            self.keep.mkdir(parents=True, exist_ok=True)
        for name, player in opponents.items():
            film = film_game(tools, agent, player, (self.agent, name), self.seed, races)
            path = self.keep / f"{name.replace(':', '-')}.gif"
            write_film(path, film, GamePainter(tools.game), FPS)
            print(f"{path}: {film.outcome(tools.game.description)}")
