"""What a run's report shows, gathered from its folder; and `asterism report RUN`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from asterism.errors import UserError
from asterism.league import League, LeagueReport, wilson
from asterism.runtime.agents import league_agents, load_agent, race_of
from asterism.runtime.config_file import differences
from asterism.runtime.curves import short_name
from asterism.runtime.film import Film, film_game
from asterism.runtime.records import has_league, open_records
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools, make_tools, start_jax
from asterism.runtime.supervised import CONFUSION
from asterism.web.draw import GamePainter
from asterism.web.report import Confusion, Frame, GameCurves, Payoff, ReportData, TypeRow, WinRate, write_report

PICTURES = 8
"""In the strip of the game."""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that the run wrote for itself; empty when it is not there, UserError when it is corrupt."""
    try:
        return json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise UserError(f"{path} is corrupt ({error}): remove it and run the training command again") from None


def win_rate(opponent: str, score: Sequence[int]) -> WinRate:
    """A row of a table from wins, draws and losses, with the 95% Wilson interval."""
    rate, low, high = wilson(*score)
    return WinRate(opponent, *score, low, rate, high)


def win_rates(evaluation: Mapping[str, Mapping[str, Sequence[int]]]) -> list[WinRate]:
    """Rows of the table from {agent: {opponent: [wins, draws, losses]}}."""
    return [
        win_rate(f"{agent} against {opponent}", score)
        for agent, scores in evaluation.items()
        for opponent, score in scores.items()
    ]


def game_views(film: Film, tools: Tools) -> tuple[list[Frame], GameCurves]:
    """The strip of pictures and the curves of a game."""
    painter = GamePainter(tools.game)
    minutes = np.asarray(film.snapshots.loop) / (60 * tools.game.description.loops_per_second)
    strip = []
    for index in np.linspace(0, len(minutes) - 1, PICTURES).round().astype(int):
        used, cap = np.asarray(film.snapshots.supply[index]).T
        caption = f"{minutes[index]:.1f} min, supply {used[0]:.0f}/{cap[0]:.0f} and {used[1]:.0f}/{cap[1]:.0f}"
        if not np.isnan(film.values[index, 0]):
            caption += f", value {film.values[index, 0]:+.2f}"
        strip.append(Frame(film.frame(painter, index), caption))
    supply = np.asarray(film.snapshots.supply)[:, :, 0].T.astype(float)
    return strip, GameCurves(film.names, minutes, supply, film.values.T)


def league_payoff(run: RunFolder, records: str) -> Payoff | None:
    """The payoff matrix, if there is a league; `records` as in the settings."""
    if not has_league(run, records):
        return None
    return payoff_map(League(open_records(run, records, create=False)).report())


def payoff_map(report: LeagueReport) -> Payoff:
    """The payoff matrix of a league, with short names."""
    race, *others = {player.race for player in report.players}
    names = [short_name(player.id, None if others else race) for player in report.players]
    matrix = np.where(report.games > 0, report.win_rates, np.nan)
    return Payoff(names, matrix, report.games.round().astype(int))


def confusion_of(run: RunFolder) -> Confusion | None:
    """How the teacher imitates, if it was measured."""
    table = read_json(run.path / CONFUSION)
    types = [TypeRow(**row) for row in table.get("types", [])]
    return Confusion(table["names"], np.array(table["shares"]), types) if types else None


def make_report(run: RunFolder, config: Any, tools: Tools, film: Film) -> None:
    """Writes `report.html` from what the run's folder holds and a game of its agent."""
    strip, curves = game_views(film, tools)
    name, agent = run.name, film.names[0]
    which = "" if agent == "agent" else f" --agent {agent}"
    data = ReportData(
        title=f"Asterism: {name}",
        summary="An agent that imitated recorded games, then improved in a league of rivals.",
        config=[(key, value) for key, (_, value) in differences({}, run_settings(run)).items()],
        metrics=run.series(),
        win_rates=win_rates(read_json(run.path / "evaluation.json")),
        payoff=league_payoff(run, config.league.records),
        confusion=confusion_of(run),
        strip=strip,
        game=curves,
        facts=read_json(run.path / "facts.json"),
        commands=[
            ("train", f"asterism train --name {name} --seed {config.seed}"),
            ("evaluate", f"asterism evaluate {run.path}{which} --games 200"),
            ("watch a game", f"asterism play {run.path}{which} --against rush --render game.gif"),
            ("what was recorded", f"asterism demos info {run.path}/demos"),
            ("curves", f"tensorboard --logdir {run.path}/tensorboard"),
        ],
    )
    write_report(run.report_path, data)


def film_agent(run: RunFolder, config: Any, tools: Tools, against: str, seed: int) -> Film:
    """A game of the run's agent, of several races of the first, against a scripted player."""
    name = league_agents(config.league.races)[0]
    return film_game(tools, load_agent(run.path, name, tools), against, (name, against), seed, (race_of(name), 0))


def run_settings(run: RunFolder) -> dict[str, Any]:
    """The run's settings as they were saved."""
    return json.loads(run.config_path.read_text())["config"]


@dataclass(frozen=True)
class ReportConfig:
    """Writes the report of a run again, with another game of its agent (of several races, of the first). Needs about 2
    GB of memory and, on two cores, a minute."""

    folder: tyro.conf.Positional[Path]
    """Folder of the run, such as runs/first-light."""
    against: str = "rush"
    """Opponent in the game that is shown: a scripted player (docs/bots.md)."""
    seed: int = 0
    """Seed of that game."""

    def run(self) -> None:
        """Writes report.html."""
        from asterism.runtime.train import TrainConfig

        with RunFolder.open(self.folder) as run:
            config = run.load_config(TrainConfig)
            start_jax()
            tools = make_tools(config.setup)
            make_report(run, config, tools, film_agent(run, config, tools, self.against, self.seed))
        print(f"report: {run.report_path}")
