"""An evaluator: plays pairs of frozen players that matchmaking leaves without games."""

import time
import uuid
from typing import Any

import ray

from asterism.league import Outcome, Player, Result
from asterism.runtime.cluster.opponents import Policies
from asterism.runtime.cluster.outbox import Outbox
from asterism.runtime.cluster.processes import begin
from asterism.runtime.cluster.program import Entrant

IDLE_SECONDS = 2.0
"""Between two looks whether there is a pair to play."""


class Evaluator:
    """One process. `run` plays until the run ends, and again when Ray has started it again."""

    def __init__(self, program: list, games: int, devices: int, coordinator: Any, vault: Any):
        """`games`: up to which each pair plays."""
        self.program, self.games, self.coordinator = begin(program, devices), games, coordinator
        self.id = uuid.uuid4().hex
        self.policies = Policies(vault)
        self.outbox = Outbox(coordinator, lambda _: None)
        self.played = 0

    def run(self) -> None:
        """Plays on."""
        while True:
            pair = ray.get(self.coordinator.thin_pair.remote(self.games))
            if pair is None:
                time.sleep(IDLE_SECONDS)
            else:
                self.play(*pair)

    def play(self, home: Player, away: Player, games: int) -> None:
        """Games of two players, and their results on record."""
        both = [Entrant(self.policies.of(player), player.race) for player in (home, away)]
        rewards = self.program.play(*both, games, self.seed())
        outcomes = [Outcome(int(reward)) for reward in rewards]
        ids = (f"{self.id}/{self.played + i}" for i in range(games))
        self.outbox.add([Result(i, home.id, away.id, one, 0) for i, one in zip(ids, outcomes, strict=True)])
        self.played += games
        # Or the same pair would be thin still.
        self.outbox.empty()

    def seed(self) -> int:
        """Of the games from here on; no two processes have the same."""
        return (int(self.id[:6], 16) + self.played) % 2**31
