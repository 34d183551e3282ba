"""`asterism agent describe SIZE`: the blocks of a network, their weights, and what a step costs."""

import re
from collections import Counter
from dataclasses import dataclass

import jax
import tyro
from rich.console import Console
from rich.table import Table

from asterism.agent.config import agent_config
from asterism.agent.cost import products
from asterism.agent.network import make_network
from asterism.errors import require_choice
from asterism.game.rules import RULES, load_rules
from asterism.interface.description import GameDescription
from asterism.interface.network import Network
from asterism.interface.sizes import InterfaceSize, interface_size
from asterism.interface.spec import observation_spec, zeros

MILLION = 1e6
PAPER = {"policy": 55, "training": 139}
"""AlphaStar's weights in millions, to act and in training (Vinyals et al. 2019, Methods)."""


@dataclass(frozen=True)
class DescribeConfig:
    """Prints the blocks of a network with their weights, and the floating-point operations of a step. Computes nothing;
    needs about 1 GB of memory."""

    size: tyro.conf.Positional[str]
    """Size of network and interface: tiny, small or full."""
    rules: str = "full"
    """Units, actions and upgrades of the game: terran_v1 or full."""
    shapes: bool = False
    """Each block's arrays too."""

    def __post_init__(self):
        agent_config(self.size)
        require_choice("rules", self.rules, tuple(RULES))

    def run(self) -> None:
        """Prints the tables."""
        console = Console(markup=False, soft_wrap=True)
        size = interface_size(self.size)
        game = load_rules(self.rules, size.location).description
        network = make_network(game, size, agent_config(self.size))
        weights = jax.eval_shape(network.init, jax.random.key(0))
        console.print(blocks_table(weights, step_cost(network, game, size), self.shapes))
        counts = block_weights(weights)
        acting = sum(number for name, number in counts.items() if name.startswith("policy"))
        for what, number, paper in (("to act", acting, "policy"), ("in training", counts.total(), "training")):
            console.print(f"weights {what}: {number / MILLION:.1f} million (AlphaStar: about {PAPER[paper]} million)")


def named_weights(params) -> Counter[tuple[str, tuple[int, ...]]]:
    """How many arrays of weights there are by path and shape; layers of a list are one path, with *."""
    found = Counter()
    for path, leaf in jax.tree.leaves_with_path(params):
        name = re.sub(r"\[\d+\]", ".*", jax.tree_util.keystr(path)).lstrip(".")
        found[re.sub(r"\['(\w+)'\]", r".\1", name), leaf.shape] += 1
    return found


def block_weights(params) -> Counter[str]:
    """Weights of each block: `policy.core`, `value.networks`, ..."""
    counts = Counter()
    for path, leaf in jax.tree.leaves_with_path(params):
        counts[".".join(entry.name for entry in path[:2])] += leaf.size
    return counts


def step_cost(network: Network, game: GameDescription, size: InterfaceSize) -> Counter[str]:
    """Floating-point operations of one decision by block of the policy, when as many units are selected as can be."""
    policy = jax.eval_shape(network.init, jax.random.key(0)).policy
    arguments = network.initial_carry(), zeros(observation_spec(game, size)), jax.random.key(0)
    return products(network.step, policy, *arguments, turns=size.selected)


def blocks_table(params, cost: Counter[str], shapes: bool) -> Table:
    """One row for each block, and with `shapes` one for each kind of array in it."""
    table = Table("block", "weights", "MFLOP a step", title_justify="left")
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
    arrays, weights = named_weights(params), block_weights(params)
    for block, number in weights.items():
        operations = cost.get(block.removeprefix("policy."), 0)
        table.add_row(block, f"{number:,}", f"{operations / MILLION:.3f}" if block.startswith("policy") else "-")
        for (name, shape), times in arrays.items() if shapes else ():
            if name.startswith(block + "."):
                several = f" ({times} times)" if times > 1 else ""
                table.add_row(f"  {name.removeprefix(block + '.')}", "x".join(map(str, shape)) + several, "")
    table.add_row("all", f"{weights.total():,}", f"{cost.total() / MILLION:.3f}")
    return table
