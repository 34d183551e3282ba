"""Kills processes of a cluster that trains, one after the other, and counts what was lost.

The cluster is three Ray nodes on this machine, and the game rock, paper, scissors, of which thousands are played a
second. Each time one process is killed (SIGKILL) that chance names: coordinator, vault, a learner, an actor, an
evaluator, or a whole node, in place of which a new one comes. It counts as survived when the process, or what the node
had, is there again and each learner has made further updates.
"""

import os
import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tyro

# Before Ray is imported: its servers listen on the loopback interface alone.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

from asterism.league import CheckpointRule, LeagueSettings, Result, Snapshot  # noqa: E402
from asterism.runtime.checkpoints import save_weights  # noqa: E402
from asterism.runtime.cluster.actor import Actor  # noqa: E402
from asterism.runtime.cluster.coordinator import Progress  # noqa: E402
from asterism.runtime.cluster.matrix_game import FOUNDER, MatrixGame  # noqa: E402
from asterism.runtime.cluster.settings import ClusterSettings, Schedule  # noqa: E402
from asterism.runtime.cluster.training import ClusterTraining, Places  # noqa: E402

KINDS = ("coordinator", "vault", "learner", "actor", "evaluator", "node")
NAMES = {kind: kind.capitalize() for kind in KINDS} | {"actor": "Witness"}
"""Of the classes, which are in the processes' titles."""
RULE = {f"{kind}_checkpoint": CheckpointRule(20_000, 40_000, reset)
        for kind, reset in (("main_agent", 0.0), ("main_exploiter", 1.0), ("league_exploiter", 0.25))}  # fmt: skip
LEAGUE = LeagueSettings(**RULE)
PATIENCE = 120.0
"""Seconds after which training counts as ended by a kill."""


class Witness(Actor):
    """An actor that writes down, in a file of its own, which results were acknowledged."""

    folder = ""

    def acknowledged(self, results: Sequence[Result]) -> None:
        """Called by the outbox."""
        with open(Path(self.folder) / self.id, "a", encoding="ascii") as file:
            file.writelines(f"{result.match_id}\n" for result in results)


class Counts(NamedTuple):
    """What became of results."""

    acknowledged: int
    recorded: int
    lost: int
    """Acknowledged and not on record."""
    double: int
    """Two that were acknowledged, or that are on record, with one match id."""
    gaps: int
    """Not on record, though a later one of the same process is."""


def count(folder: Path) -> Counts:
    """Compares what the coordinator acknowledged with what is on record."""
    acknowledged = [line for file in (folder / "acknowledged").iterdir() for line in file.read_text().splitlines()]
    with sqlite3.connect(folder / "league.sqlite") as records:
        rows = [match for (match,) in records.execute("select match_id from results")]
    recorded = set(rows)
    places: dict[str, list[int]] = {}
    for match in recorded:
        process, place = match.split("/")
        places.setdefault(process, []).append(int(place))
    gaps = sum(max(found) + 1 - len(found) for found in places.values())
    double = len(acknowledged) - len(set(acknowledged)) + len(rows) - len(recorded)
    return Counts(len(acknowledged), len(rows), len(set(acknowledged) - recorded), double, gaps)


def begin(folder: Path, updates: int, league: LeagueSettings = LEAGUE, pause: float = 0.02) -> ClusterTraining:
    """A training on the cluster that Ray is connected to, new or the one that was in the folder."""
    for name in ("weights", "acknowledged"):
        (folder / name).mkdir(exist_ok=True)
    founder = folder / "weights" / "founder.safetensors"
    snapshot = Snapshot(founder.name, save_weights(founder, FOUNDER))
    places = Places(str(folder / "league.sqlite"), None, str(folder / "weights"), str(folder / "checkpoints"))
    witness = type("Witness", (Witness,), {"folder": str(folder / "acknowledged")})
    schedule = Schedule(updates, burn_in=2, warm_up=4, match_games=32, checkpoint_seconds=1.0)
    settings = ClusterSettings(publish_seconds=0.2, cpu_devices=2)
    program = lambda: MatrixGame(pause=pause)  # noqa: E731
    return ClusterTraining(program, places, {"any": snapshot}, league, schedule, settings, witness)


class Machines:
    """Ray nodes on this machine: a head, and others that can be lost."""

    def __init__(self, others: int = 2):
        """Starts them, and connects to them."""
        self.small = {"num_cpus": 4, "object_store_memory": 100_000_000}
        self.cluster = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **self.small})
        self.others = [self.cluster.add_node(**self.small) for _ in range(others)]
        ray.init(self.cluster.address, log_to_driver=False, logging_level="ERROR")

    def processes(self, kind: str) -> list[int]:
        """Process ids of a kind."""
        nodes = [self.cluster.head_node, *self.others]
        raylets = {node.all_processes["raylet"][0].process.pid for node in nodes}
        title = f"ray::{NAMES[kind]}"
        return [pid for pid, parent, called in _processes() if parent in raylets and called.startswith(title)]

    def kill(self, kind: str, chance: random.Random) -> int:
        """Kills one process of a kind; returns its id. For a node a new one starts."""
        if kind == "node":
            node = self.others.pop(chance.randrange(len(self.others)))
            pid = node.all_processes["raylet"][0].process.pid
            self.cluster.remove_node(node, allow_graceful=False)
            self.others.append(self.cluster.add_node(**self.small))
        else:
            pid = chance.choice(self.processes(kind))
            os.kill(pid, signal.SIGKILL)
        return pid

    def complete(self, learners: int) -> bool:
        """Whether all processes of a training with so many learners are there."""
        due = {"coordinator": 1, "vault": 1, "learner": learners, "actor": learners, "evaluator": 1}
        return all(len(self.processes(kind)) >= number for kind, number in due.items())

    def close(self) -> None:
        """Ends all."""
        ray.shutdown()
        self.cluster.shutdown()


def _processes() -> list[tuple[int, int, str]]:
    """Id, parent and title of all processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().split(b"\0")[0].decode()
            status = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if status[0] != "Z":
            found.append((int(folder.name), int(status[1]), title))
    return found


def recovered(machines: Machines, watching: Iterator[Progress], learners: Sequence[str], killed: int) -> float | None:
    """Waits until all processes are there again without the killed one, and each learner has made updates since;
    returns the seconds, None when patience ran out."""
    began, last, behind, complete = time.monotonic(), {}, set(learners), False
    for progress in watching:
        if complete:
            behind -= {name for name, done in progress.done.items() if done > last.get(name, done)}
            if not behind:
                return time.monotonic() - began
        complete = complete or (not Path(f"/proc/{killed}").exists() and machines.complete(len(learners)))
        last = progress.done
        if time.monotonic() - began > PATIENCE:
            break
    return None


def main(kills: int = 50, seed: int = 0, kinds: tuple[str, ...] = KINDS) -> None:
    """Trains, kills and counts.

    Args:
      kills: how many processes are killed.
      seed: of the choice.
      kinds: what is killed: coordinator, vault, learner, actor, evaluator, node.
    """
    chance, machines = random.Random(seed), Machines()
    survived, took, killed = 0, [], Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with begin(folder, updates=10**9) as training:
            watching = training.watch()
            recovered(machines, watching, training.learners, killed=0)
            print("all processes are up", flush=True)
            for number in range(1, kills + 1):
                time.sleep(chance.uniform(0, 2))
                before = sum(next(watching).done.values())
                kind = chance.choice(kinds)
                pid = machines.kill(kind, chance)
                seconds = recovered(machines, watching, training.learners, pid)
                after = sum(next(watching).done.values())
                killed[kind] += 1
                survived += seconds is not None
                took += [] if seconds is None else [seconds]
                what = "training has ended" if seconds is None else f"training goes on after {seconds:.1f} s"
                print(f"{number}: {kind} {pid}: {what}; updates {before:,} before, {after:,} after", flush=True)
        machines.close()
        counts = count(folder)
    print("killed: " + ", ".join(f"{number} {kind}" for kind, number in killed.items()))
    print(f"kills survived: {survived} of {kills}")
    print(f"time until all goes on, mean: {sum(took) / max(1, len(took)):.1f} s, longest: {max(took, default=0):.1f} s")
    print(f"updates: {after}")
    print(f"results acknowledged: {counts.acknowledged}")
    print(f"results on record: {counts.recorded}")
    print(f"acknowledged results lost: {counts.lost}")
    print(f"results with one match id: {counts.double}")
    print(f"gaps in the results of a process: {counts.gaps}")


if __name__ == "__main__":
    tyro.cli(main)
