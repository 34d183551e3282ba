"""The agents that a run leaves behind: `agent.safetensors` (the league's main agent) and `teacher.safetensors`; from a
league with learners of several races an agent of each, such as `agent_zerg.safetensors`.

Beside each lies its config, `agent.json`: with the two files the agent can be used anywhere.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp

from asterism.errors import UserError
from asterism.game.tables import RACES
from asterism.interface.description import GameDescription
from asterism.interface.network import Params
from asterism.interface.observation import Race
from asterism.runtime.checkpoints import load_weights, save_weights
from asterism.runtime.config_file import from_json, read_config_json, write_config
from asterism.runtime.setup import Setup, Tools, make_tools

TEACHER = "teacher"
"""The agent that only imitates."""
AGENTS = ("agent", *(f"agent_{race}" for race in RACES), TEACHER)
FORMAT = 1
"""Version of an agent's config."""


def league_agents(races: Sequence[str]) -> tuple[str, ...]:
    """Agents that come from a league with learners of these races (`LeagueTraining.races`)."""
    return tuple(f"agent_{race}" for race in races) or ("agent",)


def race_of(agent: str) -> int:
    """`Race` that an agent was trained for; 0: that of its side."""
    race = agent.removeprefix("agent_")
    return int(Race.named(race)) if race in RACES else 0


@dataclass(frozen=True)
class AgentFile:
    """An agent's config."""

    setup: Setup
    """From which game and network are made."""
    vocabulary: str
    """`vocabulary` of the game: weights of the same shapes may be of other units or actions."""


def vocabulary(game: GameDescription) -> str:
    """A digest of what the numbers that a network sees and gives stand for: the names of units, actions, and so on."""
    names = [[unit.name for unit in game.unit_types], [action.name for action in game.actions]]
    return hashlib.sha256(json.dumps([*names, game.upgrades, game.effects]).encode()).hexdigest()


def agent_path(run: Path, name: str) -> Path:
    """The file of an agent; raises UserError for an unknown name."""
    if name not in AGENTS:
        raise UserError(f"unknown agent {name!r}: choose one of {', '.join(AGENTS)}")
    return run / f"{name}.safetensors"


def save_agent(run: Path, name: str, params: Params, setup: Setup) -> None:
    """Writes an agent's config and weights, each atomically, the weights last."""
    path = agent_path(run, name)
    write_config(path.with_suffix(".json"), AgentFile(setup, vocabulary(make_tools(setup).game.description)), FORMAT)
    save_weights(path, params, {"player": name})


def load_agent(run: Path, name: str, tools: Tools) -> Params:
    """Reads an agent's weights. Raises UserError when the run has not come so far, or the file is corrupt."""
    return jax.tree.map(jnp.asarray, load_weights(_written(run, name), tools.example_params()))


def read_agent(path: Path, name: str | None = None) -> tuple[Setup, Params]:
    """An agent's weights, and from what its network is made.

    Args:
      path: the folder of a run, or a file of weights with its config beside it.
      name: which agent of a run; None: `agent`.
    Raises:
      UserError: something is missing, corrupt, of another version, or one file is not the other's.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist: give the folder of a run, or the .safetensors file of an agent")
    if path.is_dir():
        path = _written(path, name or "agent")
    elif name is not None:
        raise UserError(f"{path} is the file of one agent: give the folder of a run to choose {name!r}")
    config = path.with_suffix(".json")
    if not config.is_file():
        raise UserError(f"{path} has no config beside it: copy {config.name} from where the weights came from")
    saved = read_config_json(config, FORMAT, f"copy {config.name} again from where the weights came from")
    beside = from_json(AgentFile, saved, str(config))
    tools = make_tools(beside.setup)
    if beside.vocabulary != vocabulary(tools.game.description):
        rules = beside.setup.game.rules
        raise UserError(f"{config}: the agent knows other units or actions than this version's rules {rules!r}")
    remedy = f"{config.name} beside it, of size {beside.setup.size}, belongs to another agent or version"
    return beside.setup, load_weights(path, tools.example_params(), remedy)


def _written(run: Path, name: str) -> Path:
    """The file of a run's agent; raises UserError when there is none yet."""
    path = agent_path(run, name)
    if not path.exists():
        rivals = [] if name == TEACHER else AGENTS[:-1]
        others = [other for other in rivals if agent_path(run, other).exists()]
        what = f"choose one of {', '.join(others)}" if others else f"go on with asterism train --name {run.name}"
        raise UserError(f"{run} has no {path.name}{'' if others else ' yet'}: {what}")
    return path
