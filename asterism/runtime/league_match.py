"""Two leagues against each other: every frozen player of one plays every frozen player of the other."""

import json
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from asterism.errors import UserError
from asterism.files import write_atomic
from asterism.league import League, PlayerKind, relative_performance
from asterism.runtime.matches import Matches, Score
from asterism.runtime.progress import stage
from asterism.runtime.records import open_records
from asterism.runtime.report import read_json
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import make_tools, start_jax
from asterism.runtime.snapshots import load_snapshot
from asterism.runtime.train import TrainConfig


class LeagueMatch(NamedTuple):
    """What came of it."""

    home: list[str]
    away: list[str]
    win_rates: Float[np.ndarray, "n m"]
    """Of the home league's players, by row, against the other's; a draw is half a win."""
    games: Int[np.ndarray, "n m"]

    @property
    def relative(self) -> float:
        """The home league's relative population performance, as a win rate."""
        return relative_performance(self.win_rates)


class Frozen(NamedTuple):
    """A frozen player."""

    policy: Any
    sha256: str
    """Of its weights."""
    race: int
    """As `Matches.score` takes it."""


def frozen(run: RunFolder, config: TrainConfig, example: Any) -> dict[str, Frozen]:
    """The frozen players of a run's league. `example`: shapes of their weights. Raises UserError if there are none."""
    league = League(open_records(run, config.league.records, create=False), config.league.league)
    players = league.state.players
    names = league.state.of_kind(PlayerKind.HISTORICAL)
    if not names:
        raise UserError(f"{run.path} has no players yet: go on with asterism train --name {run.name}")

    def player(name: str) -> Frozen:
        snapshot = players[name].weights
        policy = load_snapshot(run.path / "league", snapshot, example).policy
        return Frozen(policy, snapshot.sha256, config.league.race_number(players[name].race))

    return {name: player(name) for name in names}


def play_leagues(run: RunFolder, config: TrainConfig, against: Path, games: int, seed: int) -> LeagueMatch:
    """Plays `games` games of each pair that has not played them yet, into RUN/against-OTHER.json.

    Raises UserError for a run that plays another game or has another network.
    """
    with RunFolder.open(against) as other:
        theirs = other.load_config(TrainConfig)
        if theirs.setup != config.setup:
            raise UserError(f"{against} has another setup (game or network) than {run.path}: their players cannot meet")
        run.acquire()
        start_jax()
        tools = make_tools(config.setup)
        example = tools.example_params()
        home, away = frozen(run, config, example), frozen(other, theirs, example)
        path = run.path / f"against-{other.name}.json"
    known = read_json(path)
    played = known.setdefault(f"{games} games, seed {seed}", {})
    # By their weights: another run of that name has other players.
    pair = lambda own, name: f"{own} {home[own].sha256[:12]} {name} {away[name].sha256[:12]}"  # noqa: E731
    matches = Matches(tools, games)
    with stage(
        "league",
        len(home) * len(away) * games,
        "games",
        start=sum(pair(*two) in played for two in product(home, away)) * games,
    ) as bar:
        for i, own in enumerate(home):
            for j, name in enumerate(away):
                if pair(own, name) not in played:
                    number = seed + i * len(away) + j
                    races = home[own].race, away[name].race
                    score = matches.score(home[own].policy, away[name].policy, games, number, bar, races)
                    played[pair(own, name)] = score
                    write_atomic(path, json.dumps(known))
    scores = [[Score(*played[pair(own, name)]) for name in away] for own in home]
    rates = np.array([[(score.wins + score.draws / 2) / score.games for score in row] for row in scores])
    return LeagueMatch(list(home), list(away), rates, np.full(rates.shape, games))
