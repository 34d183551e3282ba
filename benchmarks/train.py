"""Speed of training end to end: the iterations of the league stage, with weights that have learned nothing yet.

Useful decisions are the agent steps that learners learn from. An iteration is split into the game (the same collection
by a network that does nothing, at no cost), inference (what the collection takes beyond that), the update, moving
(compiled code that takes trajectories to the devices that learn, and weights in and out), and the rest, all that is
not in compiled code: matches, results, records. Compilation is left out.

python benchmarks/train.py                                          # tiny; twenty minutes, 5 GB
python benchmarks/train.py --sizes tiny small --learners 3 12 --slots 32 64 --races terran zerg protoss
python benchmarks/train.py --sizes full --game.map long_divide --learners 1 --lanes 2 --groups 1
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import jax
import numpy as np
import tyro
from figures import report

from asterism.demos import StrategyLibrary, strategy_library
from asterism.game.settings import GameSettings
from asterism.interface.network import Network
from asterism.interface.spec import no_op
from asterism.league import LeagueSettings
from asterism.runtime.league import LeagueStage
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.memory import peak_memory
from asterism.runtime.population import make_optimizer, make_population
from asterism.runtime.rollout import Conditioning
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, Tools, make_tools, start_jax


@dataclass(frozen=True)
class Settings:
    """Prints `name: value unit` lines."""

    sizes: tuple[str, ...] = ("tiny",)
    """Sizes of interface and network."""
    learners: tuple[int, ...] = (1, 2, 12)
    """Learners in one compiled program."""
    slots: tuple[int, ...] = (64,)
    """Unit slots of a player."""
    races: tuple[str, ...] = ()
    """Races that learners have; none: Terrans with the rules terran_v1."""
    lanes: int = 32
    """Games of each learner."""
    groups: int = 4
    """Opponents of each at a time."""
    iterations: int = 10
    """Iterations that are timed."""
    warm_up: int = 3
    """Iterations before them."""
    game: GameSettings = field(default_factory=GameSettings)
    """But for slots, rules and races."""
    league: LeagueTraining = field(default_factory=LeagueTraining)


MOVING = ("together", "policies", "take", "put", "put_opponent")
"""Functions of a population that move trajectories and weights."""


class Clock:
    """Seconds in compiled functions."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    def timed(self, name: str, function: Callable) -> Callable:
        """The function; what it takes until its results are there is added up."""

        def call(*arguments):
            began = time.perf_counter()
            result = jax.block_until_ready(function(*arguments))
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
            return result

        return call


def idle(network: Network, tools: Tools) -> Network:
    """The network, but it does nothing, and that at no cost."""
    policy = jax.eval_shape(network.init, jax.random.key(0)).policy
    _, first = jax.eval_shape(tools.game.reset, jax.random.key(0), tools.game.no_strategy())
    seen = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), first.observation)
    shapes = jax.eval_shape(network.step, policy, network.initial_carry(), seen, jax.random.key(0))[2]
    nothing = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    return network._replace(step=lambda policy, carry, seen, key: (carry, no_op(tools.game.size, 0), nothing))


def blank_library(tools: Tools) -> StrategyLibrary:
    """One strategy that asks for nothing."""
    return strategy_library([jax.tree.map(lambda leaf: leaf[0], tools.game.no_strategy())])


def make_stage(tools: Tools, settings: Settings, learners: int, run: RunFolder) -> LeagueStage:
    """A league of so many learners that have learned nothing, in one cohort."""
    others = learners // max(len(settings.races), 1) - 1
    league = LeagueSettings(main_agents=1, main_exploiters=min(others, 1), league_exploiters=max(others - 1, 0))
    sizes = {"cohort": learners, "races": settings.races, "lanes": settings.lanes, "groups": settings.groups}
    whole = replace(settings.league, burn_in=0, value_updates=0, updates=10_000, league=league, **sizes)
    stage = LeagueStage(run, tools, tools.network.init(jax.random.key(0)), blank_library(tools), whole, seed=0)
    stage.prepare()
    stage.found(0)
    return stage


def measure(tools: Tools, settings: Settings, name: str, learners: int) -> None:
    """Prints the figures of one size of everything."""
    clock, warm = Clock(), settings.warm_up
    with tempfile.TemporaryDirectory() as folder, RunFolder.create_or_resume("run", {}, root=Path(folder)) as run:
        stage = make_stage(tools, settings, learners, run)
        lazy = tools._replace(network=idle(tools.network, tools))
        conditioning = Conditioning(blank_library(tools), 0.0, 0.0)
        game = make_population(lazy, stage.settings, conditioning, make_optimizer(stage.settings)).collect
        real = stage.population
        moving = {name: clock.timed("moving", getattr(real, name)) for name in MOVING}
        update, collect = clock.timed("update", real.update), clock.timed("collect", real.collect)
        stage.population = stage.opponents.population = real._replace(update=update, collect=collect, **moving)
        for update in range(1, warm + 1):
            stage.step(update)
        clock.seconds.clear()
        began = time.perf_counter()
        decisions = sum(stage.step(update) for update in range(warm + 1, warm + 1 + settings.iterations))
        whole, seconds = time.perf_counter() - began, dict(clock.seconds)
        stage.population = real._replace(collect=game)
        stage.step(warm + settings.iterations + 1)
        stage.population = real._replace(collect=clock.timed("game", game))
        for update in range(warm + settings.iterations + 2, warm + settings.iterations + 5):
            stage.step(update)
    share = clock.seconds["game"] / 3 / (seconds["collect"] / settings.iterations)
    parts = {
        "game": share * seconds["collect"],
        "inference": (1 - share) * seconds["collect"],
        "update": seconds["update"],
        "moving": seconds["moving"],
        "rest": whole - seconds["collect"] - seconds["update"] - seconds["moving"],
    }
    report(f"train.decisions_per_second.{name}", decisions / whole, "steps/s")
    for part, spent in parts.items():
        report(f"train.share.{part}.{name}", 100 * spent / whole, "%")
    report(f"train.iteration.{name}", whole / settings.iterations, "s")
    report(f"train.peak_memory.{name}", peak_memory(), "GiB so far")


def main(settings: Settings) -> None:
    """Measures and prints."""
    if any(learners % max(len(settings.races), 1) for learners in settings.learners):
        sys.exit(f"learners {settings.learners}: give multiples of the number of races")
    start_jax()
    for size, slots, learners in product(settings.sizes, settings.slots, settings.learners):
        game = replace(settings.game, slots=slots)
        if settings.races:
            game = replace(game, rules="full", races=(settings.races[0], settings.races[-1]))
        measure(make_tools(Setup(size, game=game)), settings, f"{size}.slots_{slots}.learners_{learners}", learners)


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
