"""`asterism tasks`: small tasks on the game's interface, each learned from scratch by reinforcement."""

import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import jax

from asterism.agent.config import AgentConfig, agent_config
from asterism.agent.network import make_network
from asterism.errors import require_at_least, require_choice
from asterism.files import write_atomic
from asterism.game.rules import load_rules
from asterism.interface.sizes import interface_size
from asterism.league import wilson
from asterism.runtime.learn_task import Lesson, TaskLearning, make_programs
from asterism.runtime.progress import stage
from asterism.runtime.removals import REMOVALS, WHOLE
from asterism.runtime.setup import start_jax
from asterism.tasks import suite
from asterism.tasks.scene import Studio

RULES = "terran_v1"


@dataclass(frozen=True)
class Learned:
    """What came of one task and seed."""

    task: str
    without: str
    """The part that was taken out, if any."""
    seed: int
    updates: int
    successes: int
    episodes: int
    """Fresh ones after learning, with sampled actions."""
    seconds: float
    cpu_seconds: float
    """Of all threads together; compilation counts in both."""

    def line(self) -> str:
        """One line of the table, with the 95% Wilson interval."""
        rate, low, high = wilson(self.successes, 0, self.episodes - self.successes)
        part = self.without or "-"
        return (
            f"{self.task:12} {part:10} {self.seed:4} {rate:7.1%}  [{low:.1%}, {high:.1%}]"
            f" {self.updates:5} {self.seconds:6.0f} s {self.cpu_seconds:6.0f} s of CPU"
        )


@dataclass(frozen=True)
class TasksConfig:
    """Learns small tasks with the network `tiny`, and says how often fresh episodes succeed. Needs about 1.5 GB of
    memory, and a minute or two for each task and seed on two cores."""

    names: tuple[str, ...] = ()
    """Which tasks; none: all."""
    seeds: int = 3
    """How many seeds: 0, 1, ..."""
    without: tuple[str, ...] = ()
    """Parts of the network to take out, one after the other: scatter, attention, pointers, memory, z."""
    episodes: int = 1000
    """Fresh episodes after learning, at least."""
    out: Path | None = None
    """A JSON file to write the results into."""
    learning: TaskLearning = field(default_factory=TaskLearning)

    def __post_init__(self):
        require_at_least(self, "tasks", 1, ("seeds", "episodes"))
        size = interface_size("tiny")
        known = suite(load_rules(RULES, size.location).description, size)
        for name in self.names:
            require_choice("task", name, tuple(known))
        for part in self.without:
            require_choice("part", part, tuple(REMOVALS))

    def run(self) -> None:
        """Prints a line for each task, part and seed."""
        start_jax()
        classroom = Classroom(self)
        results = []
        print(f"{'task':12} {'without':10} seed success  95% interval  updates")
        for name in self.names or classroom.tasks:
            for part in self.without or ("",):
                for seed in range(self.seeds):
                    results.append(classroom.learn(name, part, seed))
                    print(results[-1].line(), flush=True)
                    if self.out:
                        write_atomic(self.out, json.dumps([asdict(result) for result in results], indent=1))


def task_agent(size: str) -> AgentConfig:
    """The agent's config with AlphaStar's win/loss value, which sees the core: here both players own the same."""
    config = agent_config(size)
    return replace(config, value=replace(config.value, balanced=False))


class Classroom:
    """What all tasks share: the network and its compiled programs."""

    def __init__(self, config: TasksConfig, size: str = "tiny"):
        self.config, interface = config, interface_size(size)
        game = load_rules(RULES, interface.location).description
        self.studio, self.tasks = Studio(game, interface), suite(game, interface)
        # The temperature stays 1: a network that learns alone needs no scale of its logits.
        self.network = make_network(game, interface, task_agent(size), learns_sharpness=False)
        self.programs = make_programs(self.network, game, interface, config.learning)

    def learn(self, name: str, part: str, seed: int) -> Learned:
        """Learns one task until it succeeds often enough, or updates run out; then plays fresh episodes."""
        settings, began, cpu = self.config.learning, time.monotonic(), time.process_time()
        removal = REMOVALS[part] if part else WHOLE
        lesson = Lesson(self.tasks[name], self.studio, self.network, self.programs, settings, removal)
        key, of_start = jax.random.split(jax.random.key(seed))
        learner, recent = lesson.start(of_start), []
        with stage(f"{name} {seed}", settings.updates, "updates") as bar:
            for update in range(settings.updates):
                learner, success, metrics, _ = lesson.update(learner, jax.random.fold_in(key, update))
                recent = [*recent, float(success)][-settings.window :]
                mean = sum(recent) / len(recent)
                bar.advance(success=mean)
                if len(recent) == settings.window and mean >= settings.enough:
                    break
        successes, episodes = self.examine(lesson, learner.params.policy, jax.random.fold_in(key, settings.updates))
        spent = time.monotonic() - began, time.process_time() - cpu
        return Learned(name, part, seed, update + 1, successes, episodes, *spent)

    def examine(self, lesson: Lesson, policy, key) -> tuple[int, int]:
        """Successes and number of fresh episodes."""
        each = self.config.learning.lanes * lesson.episodes
        successes = 0
        rounds = -(-self.config.episodes // each)
        for index in range(rounds):
            _, share = lesson.play(policy, jax.random.fold_in(key, index))
            successes += round(float(share) * each)
        return successes, rounds * each
