"""Speed of the agent's network alone: acting, learning, and where the time goes.

Acting is `network.step`; learning is a whole reinforcement update on windows of the game's first moment (the learner's
unroll, the teacher's, all losses, gradient, Adam). Compilation is left out. A share is of what a matrix product of 2048
does in the same run and number format; operations are those of products and convolutions, three times those of the
unroll for the gradient and once for the teacher, what is computed again not counted. Bytes are the compiler's own count
of arguments, results and what lies between. Acting also gives the best time, which other programs disturb least.

python benchmarks/agent.py                                      # ten minutes
python benchmarks/agent.py --sizes full --windows --batches 1   # acting alone
python benchmarks/agent.py --sizes small --compute.rematerialise --compute.products bfloat16
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
import tyro
from figures import report

from asterism.agent.computation import Computation
from asterism.agent.cost import products
from asterism.game.settings import GameSettings
from asterism.interface.action import ActionParts
from asterism.learning.losses import LossWeights
from asterism.learning.pseudo_rewards import StrategyValues
from asterism.learning.reinforcement import Scale, Trajectory, fresh_learner, reinforcement_update
from asterism.runtime.players import spread
from asterism.runtime.setup import Setup, Tools, make_tools

PRODUCT = 2048
"""Side of the matrices whose product gives the machine's peak."""
PATIENCE = 20.0
"""Seconds after which a function is not called again."""


@dataclass(frozen=True)
class Settings:
    """Prints `name: value unit` lines."""

    sizes: tuple[str, ...] = ("tiny", "small", "full")
    """Sizes of interface and network."""
    rules: str = "full"
    """Units of the game: terran_v1 or full."""
    batches: tuple[int, ...] = (1, 16)
    """Agents that act side by side."""
    windows: tuple[int, ...] = (1, 4)
    """Windows in an update."""
    window: int = 8
    """Agent steps in a window."""
    blocks: bool = True
    """Each block alone."""
    repeats: int = 20
    """Calls of a function, of which the median is printed."""
    compute: Computation = field(default_factory=Computation)


class Measured(NamedTuple):
    """What calls of a compiled function took."""

    median: float
    """Seconds."""
    best: float
    memory: int
    """Bytes of arguments, results and what lies between."""


def measure(function: Callable, arguments: tuple, repeats: int) -> Measured:
    """Compiles a function and calls it, until `PATIENCE` is over."""
    compiled = jax.jit(function).lower(*arguments).compile()
    jax.block_until_ready(compiled(*arguments))
    seconds: list[float] = []
    while len(seconds) < repeats and sum(seconds) < PATIENCE:
        began = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        seconds.append(time.perf_counter() - began)
    memory = compiled.memory_analysis()
    sizes = memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes
    return Measured(statistics.median(seconds), min(seconds), sizes)


def peak(form: str, repeats: int) -> float:
    """Operations a second of a large matrix product."""
    matrix = jax.random.normal(jax.random.key(0), (PRODUCT, PRODUCT)).astype(form)
    return 2 * PRODUCT**3 / measure(jnp.matmul, (matrix, matrix), repeats).best


def summed(function: Callable) -> Callable:
    """The sum of all real numbers that come out for moments side by side."""

    def total(weights, *inputs):
        results = jax.tree.leaves(jax.vmap(function, (None, *[0] * len(inputs)))(weights, *inputs))
        return sum(leaf.sum() for leaf in results if jnp.issubdtype(leaf.dtype, jnp.floating))

    return total


class Bench:
    """The network of a size, and the game's first moment."""

    def __init__(self, size: str, settings: Settings):
        self.tools: Tools = make_tools(Setup(size, compute=settings.compute, game=GameSettings(rules=settings.rules)))
        self.network, self.settings, self.name = self.tools.network, settings, size
        self.params = self.network.init(jax.random.key(0))
        _, first = jax.jit(self.tools.game.reset)(jax.random.key(0), self.tools.game.no_strategy())
        self.observation = jax.tree.map(lambda leaf: leaf[0], first.observation)
        self.privileged = first.privileged
        step = jax.jit(self.network.step)
        _, self.action, _ = step(self.params.policy, self.network.initial_carry(), self.observation, jax.random.key(1))

    def acting(self, batch: int, rate: float) -> None:
        """Prints time, steps a second, share of `rate` and memory of agents side by side."""
        inputs = self.network.initial_carry(), self.observation
        arguments = self.params.policy, *spread(inputs, batch), jax.random.split(jax.random.key(2), batch)
        act = jax.vmap(self.network.step, (None, 0, 0, 0))
        cost = products(act, *arguments, turns=1).total()
        found = measure(act, arguments, self.settings.repeats)
        name = f"{self.name}.batch_{batch}"
        report(f"act.latency.{name}", 1e3 * found.median, "ms")
        report(f"act.latency.{name}.best", 1e3 * found.best, "ms")
        report(f"act.rate.{name}", batch / found.median, "steps/s")
        report(f"act.share_of_peak.{name}", 100 * cost / found.median / rate, "%")
        report(f"act.memory.{name}", found.memory / 2**20, "MiB")

    def learning(self, windows: int, rate: float) -> None:
        """Prints steps a second, share of `rate` and memory of an update on windows side by side."""
        steps, game, optimizer = self.settings.window, self.tools.game, optax.adam(3e-5, b1=0.0, b2=0.99, eps=1e-5)
        scale = Scale(game.size.location, game.description.map_cells, game.description.loops_per_second)
        update = reinforcement_update(self.network, game.description.uses, LossWeights(), scale, optimizer)
        whole, learner = self.trajectory(), fresh_learner(self.params, optimizer)
        inputs = whole.carry, whole.observation, whole.privileged, whole.action, whole.reset
        cost = windows * 4 * products(self.network.unroll, self.params, *inputs).total()
        found = measure(update, (learner, self.params, spread(whole, windows)), self.settings.repeats)
        name = f"{self.name}.windows_{windows}x{steps}"
        report(f"learn.update.{name}", found.median, "s")
        report(f"learn.rate.{name}", windows * steps / found.median, "steps/s")
        report(f"learn.share_of_peak.{name}", 100 * cost / found.median / rate, "%")
        report(f"learn.memory.{name}", found.memory / 2**20, "MiB")

    def trajectory(self) -> Trajectory:
        """A window of the same moment."""
        steps = self.settings.window
        observation, privileged, action = spread((self.observation, self.privileged, self.action), steps + 1)
        flags, carry = jnp.zeros(steps + 1, bool), self.network.initial_carry()
        behaviour = ActionParts(*[jnp.zeros(steps + 1)] * len(ActionParts._fields))
        return Trajectory(
            observation=observation,
            privileged=privileged,
            action=action,
            behaviour=behaviour,
            reset=flags,
            enabled=StrategyValues(*[flags] * len(StrategyValues._fields)),
            reward=jnp.zeros(steps),
            ended=flags[1:],
            mask=~flags[1:],
            version=jnp.zeros(steps, jnp.int32),
            carry=carry,
            teacher_carry=carry,
        )

    def blocks(self) -> None:
        """Prints the best time of each block alone: acting at batch 1, and a step of a window with its gradient."""
        steps = self.settings.window
        for block, (function, *arguments) in self.parts(self.draw_units).items():
            found = measure(function, tuple(arguments), self.settings.repeats)
            report(f"block.{self.name}.{block}", 1e3 * found.best, "ms")
        for block, (function, weights, *inputs) in (
            self.parts(self.score_units).items() if self.settings.windows else ()
        ):
            found = measure(jax.grad(summed(function)), (weights, *spread(inputs, steps)), self.settings.repeats)
            report(f"block.gradient.{self.name}.{block}", 1e3 * found.best / steps, "ms/step")

    def draw_units(self, block, *inputs):
        """As many units as there are rounds, if nothing ends the selection."""
        rounds = self.tools.game.size.selected
        return block.sample(jax.random.key(4), *inputs, rounds=rounds, temperature=1.0).units

    def score_units(self, block, *inputs):
        """The selection of the first units."""
        return block.score(jnp.arange(self.tools.game.size.selected), *inputs, temperature=1.0)

    def parts(self, units: Callable) -> dict[str, tuple]:
        """Each block's function and its arguments, the block first; `units` is that of the selected units."""
        seen, size, game = self.observation, self.tools.game.size, self.tools.game.description
        policy, apply = self.settings.compute.lowered(self.params.policy), lambda block, *inputs: block(*inputs)
        encoded = jax.jit(lambda policy, seen: policy.encode(seen))(policy, seen)
        carry, first = self.network.initial_carry(), jnp.zeros((), jnp.int32)
        core, embedding = carry[-1].hidden, jnp.ones(policy.queued.hidden[0].weight.shape[0])
        everyone, types = jnp.ones(size.entities, bool), jnp.ones(len(game.unit_types))
        keys = jax.random.normal(jax.random.key(3), (size.entities, policy.units.end_key.size))

        def action_type(block, *inputs):
            return block.logits(*inputs), block.embed(*inputs, first)

        def choice(block, embedding):
            return block.logits(embedding), block.embed(first)

        def logits(block, *inputs):
            return block.logits(*inputs)

        return {
            "entity_encoder": (apply, policy.entity_encoder, seen.entities),
            "spatial_encoder": (apply, policy.spatial_encoder, seen.planes, seen.entities, encoded.entities),
            "scalar_encoder": (apply, policy.scalar_encoder, seen.scalars, seen.z),
            "core": (lambda block, *inputs: block.step(*inputs), policy.core, carry, encoded.summary),
            "action_type": (action_type, policy.action_type, core, encoded.context),
            **{name: (choice, getattr(policy, name), embedding) for name in ("delay", "queued", "repeat")},
            "units": (units, policy.units, embedding, keys, everyone, types, jnp.ones((), bool)),
            "target_unit": (logits, policy.target_unit, embedding, keys, everyone),
            "location": (logits, policy.location, embedding, encoded.map.skips),
            "values": (apply, self.params.value, core, self.privileged),
        }


def main(settings: Settings) -> None:
    """Measures and prints `name: value unit` lines."""
    rate = peak(settings.compute.products, settings.repeats)
    report("peak.matrix_product", rate / 1e9, "GFLOP/s")
    for size in settings.sizes:
        bench = Bench(size, settings)
        for batch in settings.batches:
            bench.acting(batch, rate)
        if settings.blocks:
            bench.blocks()
        for windows in settings.windows:
            bench.learning(windows, rate)


if __name__ == "__main__":
    main(tyro.cli(Settings))
