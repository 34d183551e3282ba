"""Training on a cluster: starts its processes, watches them, and ends them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from asterism.errors import UserError
from asterism.league import LeagueSettings, Snapshot
from asterism.runtime.cluster.actor import Actor
from asterism.runtime.cluster.coordinator import Coordinator, Progress
from asterism.runtime.cluster.evaluator import Evaluator
from asterism.runtime.cluster.learner import Learner
from asterism.runtime.cluster.program import MakeProgram
from asterism.runtime.cluster.settings import ClusterSettings, Schedule
from asterism.runtime.cluster.vault import Saved, Vault

FOREVER = {"max_restarts": -1, "max_task_retries": -1}
"""Ray starts a process that died again, wherever there is room, and sends it again what it was asked."""
WATCH_SECONDS = 0.5
LAST_SECONDS = 60.0
"""What learners have for their last checkpoint when training is finished."""


class Places(NamedTuple):
    """Where a run keeps what it must not lose."""

    league: str
    """File or URL of the league's records."""
    owner: str | None
    """Of a database at a URL: the run."""
    weights: str
    """Folder of the frozen weights."""
    checkpoints: str
    """Folder of the learners' training checkpoints."""


class ClusterTraining:
    """All processes of a run, from `with` to its end. Needs a Ray that is connected (`connect.connected`).

    Coordinator and vault are on this machine, whose disk they write; all others are spread over the cluster. All end
    with this process, however it ends; started again with the same places, training goes on.
    """

    def __init__(
        self,
        make_program: MakeProgram,
        places: Places,
        teachers: dict[str, Snapshot],
        league: LeagueSettings,
        schedule: Schedule,
        settings: ClusterSettings,
        actor: type[Actor] = Actor,
    ):
        """`teachers`: the founder's weights, by race; `actor`: what actors are."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        on_head, spread = {"num_cpus": 0, "scheduling_strategy": here}, {"scheduling_strategy": "SPREAD"}
        learning, playing = spread | _gpus(settings.learner_gpus), spread | _gpus(settings.actor_gpus)
        make = self.program = [ray.put(make_program)]
        self.processes: list[Any] = []
        self.coordinator = self._start(
            Coordinator, on_head | _gpus(0), places.league, places.owner, league, teachers, schedule.updates
        )
        self.vault = self._start(Vault, on_head | _gpus(0), make, places.weights, places.checkpoints)
        both, devices = (self.coordinator, self.vault), settings.cpu_devices
        players, races = _answer(self.coordinator.learners.remote()), tuple(teachers)
        self.learners: list[str] = [player.id for player in players]
        check_gpus(settings, len(players), gpus_by_machine())
        self.runs, self.actors = [], []
        for player in players:
            inputs = make, player, races, schedule, devices, *both
            actors = [self._start(actor, playing, *inputs) for _ in range(settings.actors)]
            self.actors += actors
            learner = self._start(Learner, learning, make, player.id, schedule, settings, *both, actors)
            self.runs.append(learner.run.remote())
        games = settings.evaluation_games
        evaluators = [self._start(Evaluator, playing, make, games, devices, *both) for _ in range(settings.evaluators)]
        self.evaluations = [evaluator.run.remote() for evaluator in evaluators]

    def _start(self, kind: type, options: dict[str, Any], *arguments: Any) -> Any:
        handle = ray.remote(kind).options(**FOREVER, **options).remote(*arguments)
        self.processes.append(handle)
        return handle

    def watch(self) -> Iterator[Progress]:
        """How far training is, twice a second until it is finished. Raises UserError for what no restart can mend."""
        running, question = list(self.runs), self.coordinator.progress.remote()
        over = float("inf")
        while running and time.monotonic() < over:
            ended, _ = ray.wait([*running, *self.evaluations], timeout=WATCH_SECONDS)
            for run in ended:
                _answer(run)
                running.remove(run)
                # One whose machine is gone, and for which there is no other, is not waited for.
                over = min(over, time.monotonic() + LAST_SECONDS)
            if ray.wait([question], timeout=0)[0]:
                yield _answer(question)
                question = self.coordinator.progress.remote()
        # Games that nobody learns from any more count all the same.
        ray.wait([actor.flush.remote() for actor in self.actors], num_returns=len(self.actors), timeout=LAST_SECONDS)
        yield _answer(question)

    def saved(self, learner: str) -> Saved | None:
        """The newest training checkpoint of a learner."""
        return _answer(self.vault.restore.remote(learner))

    def __enter__(self) -> "ClusterTraining":
        return self

    def __exit__(self, *_: object) -> None:
        # The coordinator last, or the others would ask for it.
        for process in reversed(self.processes):
            with suppress(RayError):
                ray.kill(process)


def check_gpus(settings: ClusterSettings, learners: int, machines: Sequence[float]) -> None:
    """Raises UserError if machines with so many GPUs each have no room for all processes: some learners would never
    begin, and nobody would notice."""
    needed, there = settings.gpus(learners), sum(machines)
    if needed > there + 1e-6:  # Shares add up but for rounding.
        raise UserError(
            f"the processes of this league need {needed:g} GPUs and the cluster has {there:g}: add machines, or lower "
            "--distributed.learner-gpus, --distributed.actor-gpus or the number of learners"
        )
    each = settings.learner_gpus
    room = sum(int(gpus // each) for gpus in machines) if each else learners
    if room < learners:
        raise UserError(
            f"a learner's {each} GPUs must be in one machine, so {room} of {learners} learners find room: machines "
            f"have {', '.join(f'{gpus:g}' for gpus in machines)}; lower --distributed.learner-gpus"
        )


def gpus_by_machine() -> list[float]:
    """GPUs of each machine of the cluster."""
    return [node["Resources"].get("GPU", 0.0) for node in ray.nodes() if node["Alive"]]


def _gpus(count: float) -> dict[str, Any]:
    """Options of a process with so many GPUs. (Without, and without a number of CPUs, Ray looks for a machine with a
    core and never refuses one: what is left of a cluster takes over all of the work.)"""
    if count:
        return {"num_gpus": count, "num_cpus": 0}
    return {"runtime_env": {"env_vars": {"JAX_PLATFORMS": "cpu"}}}


def _answer(reference: Any) -> Any:
    """The result of a call. Raises the UserError that ended it, or one for a process that cannot be started."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        cause: Any = error
        while isinstance(cause, RayTaskError):
            cause = cause.cause
        if isinstance(cause, UserError):
            raise UserError(str(cause)) from None
        if isinstance(cause, RayActorError):
            raise _does_not_start(cause) from error
        raise
    except RayActorError as error:
        raise _does_not_start(error) from error


def _does_not_start(error: RayActorError) -> UserError:
    return UserError(f"a process of the cluster does not start: {str(error).strip().splitlines()[-1]}")
