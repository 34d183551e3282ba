"""`asterism league RUN`: who beats whom in a run's league, in figures and as a page."""

import hashlib
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import tyro

from asterism.errors import UserError, require_at_least
from asterism.league import League, LeagueReport, PlayerKind, Result
from asterism.runtime.matches import Matches
from asterism.runtime.progress import stage
from asterism.runtime.records import open_records
from asterism.runtime.report import payoff_map
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import make_tools, start_jax
from asterism.runtime.snapshots import load_snapshot
from asterism.web.standings import LeagueMap, Standing, StandingsData, write_standings

PAGE = "league.html"


def standings(report: LeagueReport) -> list[Standing]:
    """A row for each player, in order of entry."""
    rows = []
    for index, player in enumerate(report.players):
        worst = report.robustness[index]
        rows.append(
            Standing(
                name=player.id,
                parent=player.parent or "",
                steps=report.steps.get(player.id, player.steps),
                elo=float(report.elo[index]),
                elo_error=float(report.elo_error[index]),
                nash=float(report.nash[index]),
                worst=worst.opponent if worst else "",
                worst_rate=tuple(worst.interval) if worst else (0.5, 0.0, 1.0),
                learner=player.is_learner,
            )
        )
    return rows


def table(rows: list[Standing]) -> str:
    """The standings as text, the best first; `*` marks who still learns."""
    width = max(len(row.name) for row in rows) + 1
    lines = [f"{'player':{width}} {'agent steps':>12} {'Elo':>12} {'Nash':>5}  worst case"]
    for row in sorted(rows, key=lambda row: -row.elo):
        rate, low, high = row.worst_rate
        worst = f"{rate:.0%} ({low:.0%} to {high:.0%}) against {row.worst}" if row.worst else "no games"
        name = row.name + "*" * row.learner
        elo = f"{row.elo:+.0f} ± {row.elo_error:.0f}"
        lines.append(f"{name:{width}} {row.steps:12,} {elo:>12} {row.nash:5.0%}  {worst}")
    return "\n".join(lines)


def thin_pairs(league: League, games: int) -> list[tuple[str, str, int]]:
    """Pairs of frozen players that have met less than `games` times, and how many games are missing."""
    frozen, totals = league.state.of_kind(PlayerKind.HISTORICAL), league.state.totals
    missing = ((one, other, games - int(totals.games(one, other))) for one, other in combinations(frozen, 2))
    return [pair for pair in missing if pair[2] > 0]


def pair_seed(seed: int, home: str, away: str, known: int) -> int:
    """Seed of a pair's games that follow `known` others: with the same one, the first would be played again."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{home}/{away}/{known}".encode()).digest()[:4], "little") >> 1


def fill(run: RunFolder, league: League, config, games: int, seed: int) -> None:
    """Plays what is missing of `games` games of each pair of frozen players, into the records; each pair's games are
    written at once, so that the same command goes on."""
    pairs = thin_pairs(league, games)
    if not pairs:
        return
    run.acquire()
    start_jax()
    tools = make_tools(config.setup)
    matches, example = Matches(tools, games), tools.example_params()
    folder, players = run.path / "league", league.state.players
    race = lambda name: config.league.race_number(players[name].race)  # noqa: E731
    policy = lambda name: load_snapshot(folder, players[name].weights, example).policy  # noqa: E731
    update = league.store.last_update()
    with stage("league", sum(missing for *_, missing in pairs), "games") as bar:
        for home, away, missing in pairs:
            known, both = int(league.state.totals.games(home, away)), (race(home), race(away))
            own = pair_seed(seed, home, away, known)
            score = matches.score(policy(home), policy(away), missing, own, bar, both)
            outcomes = score.shuffled(np.random.default_rng(own))
            ids = (f"evaluator/{home}/{away}/{known + index}" for index in range(missing))
            results = zip(ids, outcomes, strict=True)
            league.record_results([Result(match, home, away, one, update) for match, one in results])


@dataclass(frozen=True)
class StandingsConfig:
    """Prints the standings of a run's league (Elo, Nash distribution, worst cases) and draws them, with the payoff and
    the lines of descent, in RUN/league.html. Needs a few seconds; with --games also 2 GB of memory and, on two cores,
    half a minute for each 100 games that are missing or, with --against, are played."""

    folder: tyro.conf.Positional[Path]
    """Folder of the run, such as runs/first-light."""
    games: int = 0
    """Have each pair of frozen players play as many games as it lacks to this number; matchmaking leaves many pairs
    without any."""
    against: Path | None = None
    """Another run, whose frozen players meet this one's, `games` games each pair: prints how well one league does
    against the other when both mix their players as well as they can, and draws who beats whom."""
    seed: int = 0
    """Seed of these games."""

    def __post_init__(self):
        require_at_least(self, "league", 0 if self.against is None else 1, ("games",))
        require_at_least(self, "league", 0, ("seed",))

    def run(self) -> None:
        """Prints the table and writes the page."""
        from asterism.runtime.train import TrainConfig

        with RunFolder.open(self.folder) as run:
            config = run.load_config(TrainConfig)
            league = League(open_records(run, config.league.records, create=False), config.league.league)
            if not league.state.players:
                raise UserError(f"{self.folder} has no players yet: go on with asterism train --name {run.name}")
            if self.against is None:
                fill(run, league, config, self.games, self.seed)
            report = league.report()
            rows = standings(report)
            print(table(rows))
            match = self.meet(run, config)
            frozen = sum(not row.learner for row in rows)
            summary = f"{len(rows) - frozen} learners and {frozen} frozen players."
            if unmet := len(thin_pairs(league, 1)):
                pairs = frozen * (frozen - 1) // 2
                hint = f"{unmet} of {pairs} pairs of frozen players have not met, and pass for even"
                print(f"{hint}: --games 20 lets them play")
                summary += f" {hint}."
            page = run.path / PAGE
            write_standings(page, StandingsData(f"League: {run.name}", summary, rows, payoff_map(report), match))
        print(f"done: open {page}")

    def meet(self, run: RunFolder, config) -> LeagueMap | None:
        """The games against another run's league, if there is one."""
        if self.against is None:
            return None
        from asterism.runtime.league_match import play_leagues

        match = play_leagues(run, config, self.against, self.games, self.seed)
        text = f"Against {self.against.resolve().name}: {match.relative:.1%} with the best mixtures of both."
        print(text)
        return LeagueMap(text, match.home, match.away, match.win_rates, match.games)
