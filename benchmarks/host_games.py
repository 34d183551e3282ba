"""Speed of host games: the agent's own network learns from environments that are stepped in threads.

Each line is of a number of environments, and of the two ways to choose actions: one at a time, or those of all
environments together. `game`: the embedded game behind Gymnasium (`asterism.envs.AgainstBot`), which shares the cores
with the network. `served`: the same observations from an environment that waits `served_ms` for each step, as for a
server of games; it costs no core, and what it could do at most is printed beside. Compilation is left out.

    python benchmarks/host_games.py
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import tyro
from figures import report

from asterism.envs import AgainstBot
from asterism.interface.spec import observation_spec, zeros
from asterism.learning.reinforcement import Scale, fresh_learner, reinforcement_update
from asterism.runtime.host import HostGames, HostLearner, HostSettings
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.population import make_optimizer
from asterism.runtime.setup import Setup, Tools, make_tools, start_jax


@dataclass(frozen=True)
class Settings:
    """Prints `name: value unit` lines."""

    size: str = "tiny"
    """Size of interface and network."""
    actors: tuple[int, ...] = (1, 8)
    """Environments side by side."""
    seconds: float = 20.0
    """Time that is measured, after as much again to warm up."""
    served_ms: float = 50.0
    """Milliseconds of a step of the served environment."""


class Served:
    """Waits for each step, and shows the same."""

    def __init__(self, observation: Any, milliseconds: float):
        self.observation, self.seconds = observation, milliseconds / 1000

    def reset(self, *, seed: int | None = None) -> tuple[Any, dict]:
        """A new game."""
        return self.observation, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        """One decision."""
        time.sleep(self.seconds)
        return self.observation, 0.0, False, False, {}


def measure(tools: Tools, make_env: Callable[[int, int], Any], name: str, host: HostSettings, seconds: float) -> float:
    """Prints the figures of one kind of environment; returns the decisions a second."""
    network, game = tools.network, tools.game.description
    league = LeagueTraining()
    optimizer = make_optimizer(league)
    scale = Scale(tools.game.size.location, game.map_cells, game.loops_per_second)
    update = reinforcement_update(network, game.uses, league.losses, scale, optimizer)
    params = network.init(jax.random.key(0))
    state = fresh_learner(params, optimizer)
    with HostGames(make_env, network, params.policy, game, tools.game.size, host) as games:
        learner = HostLearner(games, network, update, state, teacher=params)
        learner.step()
        run(learner, seconds)
        before, steps = learner.log(), run(learner, seconds)
        after = learner.log()
    rate = (after["host/steps"] - before["host/steps"]) / steps
    report(f"host.decisions_per_second.{name}", rate, "steps/s")
    report(f"host.batch.{name}", after["host/batch"], "actions at once")
    report(f"host.lag.{name}", after["lag/mean"], "updates")
    return rate


def compile_game(env: AgainstBot) -> None:
    """Plays a step here, since one that compiles would count as hung; environments like it have the same program."""
    _, info = env.reset(seed=0)
    env.step(env.action_space.sample(info["action_mask"]))


def run(learner: HostLearner, seconds: float) -> float:
    """Learns for so long, and a little more; returns the seconds that passed."""
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        jax.block_until_ready(learner.step())
    return time.perf_counter() - began


def main(settings: Settings) -> None:
    """Measures and prints."""
    start_jax()
    tools = make_tools(Setup(settings.size))
    seen = jax.device_get(zeros(observation_spec(tools.game.description, tools.game.size)))
    seen = seen._replace(scalars=seen.scalars._replace(available_actions=seen.scalars.available_actions | True))
    kinds = {
        "game": lambda slot, seed: AgainstBot("easy", tools.game.settings, tools.game.size),
        "served": lambda slot, seed: Served(seen, settings.served_ms),
    }
    compile_game(kinds["game"](0, 0))
    for (kind, make_env), actors in product(kinds.items(), settings.actors):
        rates = {}
        for most in sorted({1, actors}):
            host = HostSettings(actors=actors, batch=max(1, actors // 2), inference_sizes=tuple(sorted({1, most})))
            name = f"{kind}.{settings.size}.actors_{actors}.at_once_{most}"
            rates[most] = measure(tools, make_env, name, host, settings.seconds)
        if actors > 1:
            report(f"host.gain_of_batches.{kind}.{settings.size}.actors_{actors}", rates[actors] / rates[1], "times")
        if kind == "served":
            report(f"host.at_most.{kind}.actors_{actors}", actors * 1000 / settings.served_ms, "steps/s")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
