"""What a league of AlphaStar's size costs: devices, hours, storage, network, worked out from figures.

Nothing is measured here. Sizes of weights and steps are counted from the network's and the interface's own shapes;
every other figure is an input, a flag of this script, with its source beside it. docs/scale.md shows the result.

python benchmarks/scale.py
python benchmarks/scale.py --device-steps 4000 --size small
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import tyro

from asterism.agent.config import agent_config
from asterism.agent.network import make_network
from asterism.game.rules import load_rules
from asterism.interface.sizes import interface_size
from asterism.interface.spec import observation_spec, privileged_spec, zeros
from asterism.runtime.describe_agent import step_cost

DAY = 86_400


@dataclass(frozen=True)
class Inputs:
    """Prints the table of docs/scale.md. The defaults are AlphaStar's league on H200s."""

    size: str = "full"
    """Size of network and interface."""
    learners: int = 12
    """Learners at a time (paper)."""
    learner_steps: float = 50_000
    """Agent steps a second of each learner (paper)."""
    games: int = 16_000
    """Games side by side of each learner (paper)."""
    game_seconds: float = 600
    """Real seconds that a game takes."""
    days: float = 44
    """Length of the training (paper)."""
    players: int = 900
    """Players at its end (paper)."""
    batch: int = 512
    """Trajectories in an update (paper)."""
    unroll: int = 64
    """Agent steps in a trajectory."""
    reuse: int = 2
    """How often each trajectory is learned from (paper)."""
    refresh_seconds: float = 10
    """Seconds from one time that actors take the learner's weights to the next (paper)."""
    match_games: int = 8
    """Games that follow each other against one opponent (`LeagueTraining.match_games`)."""
    device_steps: float = 10_000
    """Agent steps a second of one device: games, both players' actions, learning. An aim, not measured yet."""
    device_peak: float = 989
    """TFLOP/s of one device in bfloat16 (data sheet of the H200)."""
    result_bytes: float = 80
    """Of the records, for each game (benchmarks/coordinator.py)."""
    coordinator_results: float = 20_000
    """Results a second that the coordinator takes on one core at 900 players (benchmarks/coordinator.py)."""
    game_bytes: float = 210_864
    """State of one game (benchmarks/game.py, 512 unit slots)."""


class Sizes(NamedTuple):
    """What is counted from shapes."""

    policy: int
    """Bytes of the weights to act."""
    weights: int
    """Bytes of all weights."""
    step: int
    """Bytes of one agent step in a trajectory."""
    memory: int
    """Bytes of the core's state, of which a trajectory has two."""
    operations: int
    """Floating-point operations of one decision."""


def nbytes(tree) -> int:
    """Of all arrays, or shapes, of a pytree."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def sizes(name: str) -> Sizes:
    """Of the network and the interface of a size, under the full rules."""
    size = interface_size(name)
    game = load_rules("full", size.location).description
    network = make_network(game, size, agent_config(name))
    params = jax.eval_shape(network.init, jax.random.key(0))
    observation, carry = zeros(observation_spec(game, size)), network.initial_carry()
    _, action, log_probs = jax.eval_shape(network.step, params.policy, carry, observation, jax.random.key(0))
    # Both players' privileged view; first step, pseudo-rewards, reward, end and mask.
    step = nbytes((observation, action, log_probs)) + 2 * nbytes(zeros(privileged_spec(game, size))) + 11
    operations = step_cost(network, game, size).total()
    return Sizes(nbytes(params.policy), nbytes(params), step, nbytes(carry), operations)


def rows(inputs: Inputs, counted: Sizes) -> list[tuple[str, str, str]]:
    """Name, formula and value of each line."""
    seconds = inputs.days * DAY
    steps = inputs.learners * inputs.learner_steps
    trajectory = inputs.unroll * counted.step + 2 * counted.memory
    devices = inputs.learner_steps / inputs.device_steps
    updates = inputs.reuse * inputs.learner_steps / (inputs.batch * inputs.unroll)
    # Both players decide; the learner's unroll counts three times with its gradient, the teacher's once.
    operations = (2 + 4 * inputs.reuse) * counted.operations
    share = operations * inputs.device_steps / (inputs.device_peak * 1e12)
    games = inputs.games * inputs.game_bytes / devices
    results = inputs.learners * inputs.games / inputs.game_seconds
    opponents = inputs.games * counted.policy / (inputs.game_seconds * inputs.match_games)
    refresh = counted.policy / inputs.refresh_seconds
    travel = inputs.learner_steps * trajectory / inputs.unroll
    return [
        ("weights to act", "counted", f"{counted.policy / 1e6:.0f} MB"),
        ("all weights", "counted", f"{counted.weights / 1e6:.0f} MB"),
        ("one agent step", "counted", f"{counted.step / 1e3:.1f} kB"),
        ("a trajectory", "unroll x step + 2 x core's state", f"{trajectory / 1e6:.2f} MB"),
        ("agent steps in all", "learners x learner_steps x days", f"{steps * seconds:.2e}"),
        ("devices of a learner", "learner_steps / device_steps", f"{devices:.1f}"),
        ("devices", "learners x devices of a learner", f"{inputs.learners * devices:.0f}"),
        ("device hours", "devices x days", f"{inputs.learners * devices * seconds / 3600:,.0f} h"),
        ("operations of an agent step", "(2 + 4 x reuse) x a decision's", f"{operations / 1e9:.0f} GFLOP"),
        ("share of a device's peak", "operations x device_steps / device_peak", f"{share:.0%}"),
        ("updates of a learner", "reuse x learner_steps / (batch x unroll)", f"{updates:.2f} /s"),
        ("games on a device", "games x game_bytes / devices of a learner", f"{games / 1e9:.2f} GB"),
        ("results", "learners x games / game_seconds", f"{results:.0f} /s"),
        ("coordinator", "results / coordinator_results", f"{results / inputs.coordinator_results:.1%} of a core"),
        ("results in all", "results x days", f"{results * seconds:.2e}"),
        ("records", "results in all x result_bytes", f"{results * seconds * inputs.result_bytes / 1e9:.0f} GB"),
        ("frozen players", "players x all weights", f"{inputs.players * counted.weights / 1e9:.0f} GB"),
        ("checkpoints", "learners x 2 kept x 3 x all weights", f"{6 * inputs.learners * counted.weights / 1e9:.0f} GB"),
        ("gradients, a device", "2 x all weights x updates", f"{2 * counted.weights * updates / 1e9:.2f} GB/s"),
        (
            "opponents, a learner",
            "games x weights to act / (game_seconds x match_games)",
            f"{opponents / 1e9:.2f} GB/s",
        ),
        ("weights, an actor's host", "weights to act / refresh_seconds", f"{refresh / 1e6:.0f} MB/s"),
        ("trajectories, a learner", "learner_steps x trajectory / unroll", f"{travel / 1e9:.2f} GB/s"),
    ]


def table(inputs: Inputs) -> str:
    """The lines as a Markdown table."""
    lines = [("", "from", "value"), ("---", "---", "---:"), *rows(inputs, sizes(inputs.size))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table(tyro.cli(Inputs)))
