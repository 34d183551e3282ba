"""How many results a second the league's coordinator takes, and how long they wait, on one core and with a disk.

    python benchmarks/coordinator.py

A request is what an actor asks at the end of a game: put this result on record, and who is next? Actors are simulated
in the same process. `results_per_second`: `clients` of them ask again as soon as they are answered. `p99_ms`: requests
come at random (Poisson) at `rate` a second, whoever waits, and a request's time runs from the moment at which it should
have come to that at which its result is on disk. The default rate is ten times that of AlphaStar's league: twelve
learners with 16,000 games each, of ten minutes. Before that every learner has met everybody.
"""

import gc
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import psutil
import tyro
from numpy.random import default_rng

from asterism.league import Coordinator, League, LeagueSettings, Outcome, Player, PlayerKind, Result, Snapshot, Store

RACES = ("terran", "protoss", "zerg")


def founded(path: Path, players: int) -> League:
    """A league of the paper's twelve learners and as many of their copies as are missing, all of whom have met."""
    league = League(Store(path), LeagueSettings.paper())
    league.populate({race: Snapshot(f"{race}.safetensors", "0" * 64) for race in RACES})
    learners = [player for player in league.state.players.values() if player.is_learner]
    copies = []
    for index in range(players - len(league.state.players)):
        learner, number = learners[index % len(learners)], index // len(learners) + 1
        weights = Snapshot(f"{learner.id}_{number}.safetensors", f"{index:064x}")
        name, steps = f"{learner.id}.{number}", number * 10**9
        copies.append(
            Player(name, PlayerKind.HISTORICAL, learner.race, learner.id, weights, steps, of_kind=learner.kind)
        )
    league.store.add_players(copies, update=0)
    league = League(league.store, LeagueSettings.paper())
    games = Games(league)
    pairs = itertools.product((learner.id for learner in learners), league.state.ids)
    league.record_results([games.result(home, away) for home, away in pairs])
    return league


class Games:
    """Games of players that are as strong as chance has it."""

    def __init__(self, league: League):
        self.rng = default_rng(0)
        self.learners = [player.id for player in league.state.players.values() if player.is_learner]
        self.strength = dict(zip(league.state.ids, self.rng.normal(size=len(league.state.ids)).tolist(), strict=True))
        # Random numbers in advance: drawn one by one they would be a good part of what is measured.
        self.chances: Iterator[float] = itertools.cycle(self.rng.random(100_003).tolist())
        self.numbers = itertools.count()

    def result(self, home: str, away: str) -> Result:
        """The end of a game."""
        number, gap = next(self.numbers), self.strength[home] - self.strength[away]
        won = next(self.chances) < 1 / (1 + 2.718**-gap)
        return Result(f"{number}/{number % 512}", home, away, Outcome.WIN if won else Outcome.LOSS, number // 512)


def closed_loop(coordinator: Coordinator, games: Games, clients: int, results: int) -> float:
    """Results a second when `clients` wait for nothing but their answers."""
    answered: SimpleQueue[str] = SimpleQueue()
    began = time.perf_counter()
    for index in range(clients + results):
        learner = games.learners[index % 12] if index < clients else answered.get()
        if index < results:
            match = coordinator.match(learner)
            future = coordinator.submit([games.result(match.home, match.away)])
            future.add_done_callback(lambda done, learner=learner: answered.put(learner))
    return results / (time.perf_counter() - began)


def open_loop(coordinator: Coordinator, games: Games, rate: float, seconds: float) -> np.ndarray:
    """Seconds that requests took which come at random, `rate` a second."""
    due = default_rng(1).exponential(1 / rate, int(rate * seconds)).cumsum()
    took = np.full(len(due), np.nan)
    began = time.perf_counter()

    def note(index: int, at: float):
        def done(_future) -> None:
            took[index] = time.perf_counter() - at

        return done

    for index, (at, learner) in enumerate(zip((began + due).tolist(), itertools.cycle(games.learners))):
        wait = at - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        match = coordinator.match(learner)
        future = coordinator.submit([games.result(match.home, match.away)])
        future.add_done_callback(note(index, at))
    future.result()
    return took


def match_seconds(coordinator: Coordinator, games: Games, count: int = 6000) -> float:
    """The core's time for one choice of an opponent, each learner in turn."""
    began = time.process_time()
    for learner in itertools.islice(itertools.cycle(games.learners), count):
        coordinator.match(learner)
    return (time.process_time() - began) / count


def megabytes() -> float:
    """Memory of this process."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def measure(folder: Path, players: int, rate: float, seconds: float, clients: int, results: int) -> None:
    """Prints the figures of a league of some size; its memory too if `results` are to be recorded."""
    path = folder / f"{players}.sqlite"
    league = founded(path, players)
    games = Games(league)
    games.numbers = itertools.count(10**9)  # Of no match that is known.
    with Coordinator(league) as coordinator:
        closed_loop(coordinator, games, clients, 5000)
        print(f"coordinator.match_us.{players}: {1e6 * match_seconds(coordinator, games):.1f} us")
        per_second = closed_loop(coordinator, games, clients, int(rate * seconds))
        print(f"coordinator.results_per_second.{players}: {per_second:.0f} results/s", flush=True)
        took = 1000 * open_loop(coordinator, games, rate, seconds)
        print(f"coordinator.p50_ms.{players}: {np.percentile(took, 50):.2f} ms")
        print(f"coordinator.p99_ms.{players}: {np.percentile(took, 99):.2f} ms")
        print(f"coordinator.max_ms.{players}: {took.max():.2f} ms", flush=True)
        if results:
            print(f"coordinator.memory_before.{players}: {megabytes():.1f} MiB", flush=True)
            closed_loop(coordinator, games, clients, results)
            print(f"coordinator.memory_after_{results}_results.{players}: {megabytes():.1f} MiB", flush=True)
    league.store.close()
    began = time.perf_counter()
    again = League(Store(path, create=False), LeagueSettings.paper())
    print(f"coordinator.open_seconds.{players}: {time.perf_counter() - began:.2f} s")
    assert again.state.totals.counts(*games.learners[:2]) == league.state.totals.counts(*games.learners[:2])
    with again.store._engine.connect() as connection:
        recorded = connection.exec_driver_sql("select count(*) from results").scalar_one()
    print(f"coordinator.bytes_per_result.{players}: {path.stat().st_size / recorded:.0f} bytes", flush=True)


def main(
    players: tuple[int, ...] = (900, 3000, 10_000),
    rate: float = 3200,
    seconds: float = 20,
    clients: int = 256,
    results: int = 1_000_000,
    core: int = 0,
    folder: Path | None = None,
) -> None:
    """Measures leagues of each size, and the memory of the first over a great many results.

    Args:
      players: sizes of the leagues.
      rate: requests a second when they come at random; the other measurement has `rate` x `seconds` of them.
      seconds: of each measurement.
      clients: actors that wait for nothing but their answers.
      results: recorded in the first league while its memory is watched; 0: none.
      core: the only core that is used.
      folder: where the records are written and removed again; by default where temporary files go.
    """
    os.sched_setaffinity(0, {core})
    # The writer's thread waits for its turn less long than a commit takes.
    sys.setswitchinterval(0.0005)
    for index, count in enumerate(players):
        with tempfile.TemporaryDirectory(dir=folder) as path:
            measure(Path(path), count, rate, seconds, clients, results if index == 0 else 0)


if __name__ == "__main__":
    tyro.cli(main)
