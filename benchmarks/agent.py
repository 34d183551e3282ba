"""Speed of the agent's network alone: acting, and learning from a window (unroll and gradient).

python benchmarks/agent.py --batch 32 --window 16
"""

import statistics
import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import tyro

from asterism.runtime.players import spread
from asterism.runtime.setup import Setup, Tools, make_tools


@dataclass(frozen=True)
class Settings:
    """Prints decisions a second and learned steps a second."""

    size: str = "tiny"
    """Size of interface and network: tiny or small."""
    batch: int = 32
    """Agents that act side by side, and windows in an update."""
    window: int = 16
    """Agent steps in a window."""
    repeats: int = 10
    """Measurements, of which the median is printed."""


def median_seconds(function, arguments, repeats: int) -> float:
    """Median time of a compiled call, compilation not included."""
    compiled = jax.jit(function)
    jax.block_until_ready(compiled(*arguments))
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(tools: Tools, settings: Settings) -> dict[str, float]:
    """Steps a second of acting and of learning, on the observation with which a game begins."""
    network, batch, window = tools.network, settings.batch, settings.window
    params = network.init(jax.random.key(0))
    _, timestep = jax.jit(tools.game.reset)(jax.random.key(0), tools.game.no_strategy())
    observations = spread(jax.tree.map(lambda leaf: leaf[0], timestep.observation), batch)
    carries, keys = spread(network.initial_carry(), batch), jax.random.split(jax.random.key(1), batch)

    def act(policy, carry, observation, keys):
        return jax.vmap(network.step, (None, 0, 0, 0))(policy, carry, observation, keys)

    arguments = params.policy, carries, observations, keys
    acting = median_seconds(act, arguments, settings.repeats)
    _, action, _ = jax.jit(act)(*arguments)
    repeat = lambda tree: jax.tree.map(lambda leaf: jnp.repeat(leaf[:, None], window, 1), tree)  # noqa: E731
    sequence = repeat(observations), repeat(spread(timestep.privileged, batch)), repeat(action)
    reset = jnp.zeros((batch, window), bool).at[:, 0].set(True)

    def loss(params, carry, *sequence):
        _, output = jax.vmap(network.unroll, (None, 0, 0, 0, 0, 0))(params, carry, *sequence)
        return sum(part.mean() for part in output.log_probs) + (output.values**2).mean()

    learning = median_seconds(jax.grad(loss), (params, carries, *sequence, reset), settings.repeats)
    return {"agent_act": batch / acting, "agent_unroll_and_gradient": batch * window / learning}


def main(settings: Settings) -> None:
    """Measures and prints `name: value unit` lines."""
    for name, rate in measure(make_tools(Setup(settings.size)), settings).items():
        print(f"{name}_batch_{settings.batch}: {rate:.0f} steps/s", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Settings))
