"""Speed of the embedded game with random valid actions, beside SMAX (and what else of its kind can be installed).

At the start every slot is taken: soldiers stand between the two starts. A step is: both players look, each draws a
random valid action, the game plays `step` game loops. What is counted are seconds of game (22.4 loops) and ticks (of 8
loops) for each second of real time, of all games side by side, compilation and the first moves left out. The games are
shared out among all cores, SMAX's as well.

python benchmarks/game.py                               # a quarter of an hour
python benchmarks/game.py --slots 128 --batches 16 --peers none
"""

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import jax
import jax.numpy as jnp
import tyro
from figures import report

from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.game.state import State
from asterism.interface.sizes import interface_size
from asterism.interface.spec import random_action
from asterism.runtime.devices import EACH, games_mesh, over_games, use_every_core

SMAX_SCENARIO, SMAX_UNITS, SMAX_SECONDS = "27m_vs_30m", 57, 0.5
"""A step of SMAX is half a second of its game."""
SOLDIERS = {"terran": "Marine", "zerg": "Roach", "protoss": "Stalker"}


@dataclass(frozen=True)
class Settings:
    """Prints `name: value unit` lines; `unit slots` are those of both players together."""

    slots: tuple[int, ...] = (64, 128, 256, 512)
    """Most units and structures of both players together."""
    batches: tuple[int, ...] = (1, 64, 1024)
    """Games side by side."""
    rules: str = "full"
    """Units of the game: terran_v1 or full."""
    races: tuple[str, str] = ("terran", "zerg")
    """Races of the players where the rules are full."""
    step: int = 32
    """Game loops between two moments at which both players act."""
    steps: int = 1024
    """Game steps in one measurement, of all games together."""
    warmup: int = 4
    """Steps that each game has gone before."""
    soldiers: bool = True
    """All slots that are empty at the start are soldiers'."""
    repeats: int = 3
    """Measurements, of which the median is printed."""
    size: str = "tiny"
    """Interface size."""
    peers: tuple[str, ...] = ("smax", "microrts")
    """What to measure beside it, if it is installed; none for nothing."""


class Timed:
    """A loop of many steps of many games, compiled; `seconds` runs it."""

    def __init__(self, step: Callable[[Any, Any], tuple[Any, Any]], start: Callable[[Any], Any], batch: int):
        def play(state, keys, steps):
            def body(i, carry):
                state, total = carry
                keys_now = jax.vmap(jax.random.fold_in, (0, None))(keys, i)
                state, seen = jax.vmap(step)(state, keys_now)
                # One number of all that was seen, so that none of it is optimised away.
                return state, total + sum(leaf.astype(jnp.float32).sum() for leaf in jax.tree.leaves(seen))

            state, total = jax.lax.fori_loop(0, steps[0], body, (state, 0.0))
            return state, total[None]

        mesh = games_mesh(batch)
        self.keys = jax.random.split(jax.random.key(0), batch)
        self.lanes = len(mesh.devices)
        self.run = over_games(play, mesh, (EACH, EACH, EACH), (EACH, EACH))
        self.state = jax.jit(jax.vmap(start))(self.keys)
        self.compiled = self.seconds(0)

    def seconds(self, steps: int) -> float:
        """How long so many steps of all games take; the games go on from where they were."""
        began = time.perf_counter()
        counts = jnp.full(self.lanes, steps)
        self.state, total = jax.block_until_ready(self.run(self.state, self.keys, counts))
        return time.perf_counter() - began

    def rate(self, steps: int, repeats: int) -> float:
        """Median of the steps a second of all games together."""
        each = max(1, steps // len(self.keys))
        return len(self.keys) * each / statistics.median(self.seconds(each) for _ in range(repeats))


def fill(game: EmbeddedGame, state: State, races: tuple[str, str]) -> State:
    """The state with a soldier in each empty slot, in rows from each start towards the middle of the map."""
    units, table = state.units, game.world.units
    count = len(units.type)
    player, within = jnp.divmod(jnp.arange(count), count // 2)
    kind = jnp.array([game.description.unit_index[SOLDIERS[race]] for race in races])[player]
    side = jnp.where(player == 0, 1.0, -1.0)[:, None]
    rows = jnp.stack([4.0 + within % 16, 4.0 + within // 16], 1)
    new = units.type == 0
    return state._replace(
        units=units._replace(
            type=jnp.where(new, kind, units.type),
            position=jnp.where(new[:, None], game.world.terrain.starts[player] + side * rows, units.position),
            health=jnp.where(new, table.health[kind], units.health),
            shield=jnp.where(new, table.shield[kind], units.shield),
        )
    )


def embedded(settings: Settings, slots: int, batch: int) -> tuple[Timed, float]:
    """The embedded game, and the bytes of one game's state."""
    races = settings.races if settings.rules == "full" else ("terran", "terran")
    options = GameSettings(step=settings.step, slots=slots // 2, rules=settings.rules, races=races, time_limit=2**30)
    game = EmbeddedGame(options, interface_size(settings.size))

    def start(key):
        state, seen = game.reset(key, game.no_strategy())
        return (fill(game, state, races), seen) if settings.soldiers else (state, seen)

    def step(carry, key):
        state, seen = carry
        draw = lambda key, observation: random_action(key, observation, game.description, game.size)  # noqa: E731
        carry = game.step(state, jax.vmap(draw)(jax.random.split(key), seen.observation))
        return carry, carry[1]

    timed = Timed(step, start, batch)
    return timed, sum(leaf.nbytes for leaf in jax.tree.leaves(timed.state[0])) / batch


def smax(batch: int) -> Timed:
    """SMAX of JaxMARL: all units of both sides draw a random available action."""
    from jaxmarl import make
    from jaxmarl.environments.smax import map_name_to_scenario

    env = make("SMAX", scenario=map_name_to_scenario(SMAX_SCENARIO))

    def step(state, key):
        key, keys = jax.random.split(key)[0], jax.random.split(key, env.num_agents)
        available = env.get_avail_actions(state)
        actions = {
            agent: jax.random.categorical(keys[i], jnp.where(available[agent] > 0, 0.0, -jnp.inf))
            for i, agent in enumerate(env.agents)
        }
        observation, state, *_ = env.step(key, state, actions)
        return state, observation

    return Timed(step, lambda key: env.reset(key)[1], batch)


def measure(settings: Settings, slots: int, batch: int) -> float:
    """Prints what there is to say of the embedded game; returns game-seconds a second."""
    timed, state_bytes = embedded(settings, slots, batch)
    timed.seconds(settings.warmup)
    steps = timed.rate(settings.steps, settings.repeats)
    name = f"{slots}_slots.batch_{batch}"
    report(f"game.seconds_per_second.{name}", steps * settings.step / 22.4, "game-s/s")
    report(f"game.ticks_per_second.{name}", steps * settings.step / 8, "ticks/s")
    report(f"game.units.{name}", float((timed.state[0].units.type > 0).sum(1).mean()), "units and structures")
    report(f"game.bytes.{name}", state_bytes, "bytes/game")
    report(f"game.compile.{name}", timed.compiled, "s")
    return steps * settings.step / 22.4


def main(settings: Settings) -> None:
    """Measures and prints `name: value unit` lines."""
    use_every_core()
    best: dict[int, float] = {}
    for slots, batch in itertools.product(settings.slots, settings.batches):
        best[slots] = max(best.get(slots, 0.0), measure(settings, slots, batch))
    for slots, rate in best.items():
        report(f"game.ticks_per_second.{slots}", rate * 22.4 / 8, "ticks/s")
    if "smax" in settings.peers and find_spec("jaxmarl") is None:
        print("smax: not installed (pip install jaxmarl)")
    elif "smax" in settings.peers:
        rates = [smax(batch).rate(max(settings.steps // 4, batch), settings.repeats) for batch in settings.batches]
        report(f"smax.seconds_per_second.{SMAX_UNITS}_units", max(rates) * SMAX_SECONDS, "game-s/s")
        if 64 in best:
            report(f"game.ratio_to_smax.{SMAX_UNITS}_units", best[64] / (max(rates) * SMAX_SECONDS), "times")
    if "microrts" in settings.peers:
        print("microrts: not measured; gym-microrts needs Python packages of 2022 (its own installer fails on 3.11)")


if __name__ == "__main__":
    main(tyro.cli(Settings))
