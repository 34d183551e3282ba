"""`asterism evaluate RUN`: plays an agent of a run against bots and its own teacher."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from asterism.errors import UserError
from asterism.runtime.agents import agent_path, load_agent
from asterism.runtime.matches import TEACHER, Matches, Score, check_opponents, evaluate_agent, table
from asterism.runtime.players import BOTS
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import make_tools, start_jax
from asterism.runtime.train import TrainConfig


@dataclass(frozen=True)
class EvaluateConfig:
    """Plays an agent of a run against every bot and, for the league's agent, against its own teacher.

    Both sides are played equally often. Prints wins, draws, losses and the win rate, in which a draw counts half, with
    its 95% Wilson interval. Needs about 2 GB of memory and, on two cores, half a minute for each 100 games.
    """

    folder: tyro.conf.Positional[Path]
    """Folder of the run, such as runs/first-light."""
    games: int = 200
    """Games against each opponent."""
    agent: str = "agent"
    """Which of the run's agents plays: agent (from the league) or teacher (supervised only)."""
    against: tuple[str, ...] = ()
    """Opponents: scripted players (docs/bots.md), such as easy or Hard:macro, and teacher; if none is named, the usual
    bots and the teacher."""
    seed: int = 1
    """Seed of all randomness."""

    def __post_init__(self):
        if self.games < 1:
            raise UserError(f"games is {self.games}: it must be at least 1")
        agent_path(self.folder, self.agent)

    def run(self) -> dict[str, Score]:
        """Plays the games, prints the table and returns the scores."""
        with RunFolder.open(self.folder) as folder:
            setup = folder.load_config(TrainConfig).setup
        against = self.against or (*BOTS, TEACHER)
        check_opponents(against)
        start_jax()
        tools = make_tools(setup)
        policy = load_agent(self.folder, self.agent, tools).policy
        bots = tuple(name for name in against if name != TEACHER)
        others = {}
        if TEACHER in against and self.agent != TEACHER:
            others[TEACHER] = load_agent(self.folder, TEACHER, tools).policy
        scores = evaluate_agent(Matches(tools, self.games), policy, others, self.games, self.seed, bots)
        print(table(scores))
        return scores
