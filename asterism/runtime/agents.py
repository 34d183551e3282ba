"""The agents that a run leaves behind: `agent.safetensors` (the league's main agent) and `teacher.safetensors`."""

from pathlib import Path

import jax
import jax.numpy as jnp

from asterism.errors import UserError
from asterism.interface.network import Params
from asterism.runtime.checkpoints import load_weights, save_weights
from asterism.runtime.setup import Tools

AGENTS = ("agent", "teacher")


def agent_path(run: Path, name: str) -> Path:
    """The file of an agent; raises UserError for an unknown name."""
    if name not in AGENTS:
        raise UserError(f"unknown agent {name!r}: choose one of {', '.join(AGENTS)}")
    return run / f"{name}.safetensors"


def save_agent(run: Path, name: str, params: Params) -> None:
    """Writes an agent's weights, atomically."""
    save_weights(agent_path(run, name), params, {"player": name})


def load_agent(run: Path, name: str, tools: Tools) -> Params:
    """Reads an agent's weights. Raises UserError when the run has not come so far, or the file is corrupt."""
    path = agent_path(run, name)
    if not path.exists():
        raise UserError(f"{run} has no {path.name} yet: go on with asterism train --name {run.name}")
    return jax.tree.map(jnp.asarray, load_weights(path, tools.example_params()))
