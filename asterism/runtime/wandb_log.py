"""Curves on Weights & Biases, beside the files of a run's folder."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asterism.errors import UserError
from asterism.files import write_atomic

PROJECT = "asterism"
ID = "wandb_id"
"""File of a run's folder with the id under which the service knows the run, so that a resumed run goes on there."""


class WandbLog:
    """One run at the service; without network set WANDB_MODE=offline, and send it later with `wandb sync`."""

    def __init__(self, folder: Path, name: str, config: Mapping[str, Any]):
        """Raises UserError where the package is missing or the service refuses."""
        try:
            import wandb
        except ImportError:
            raise UserError("--wandb needs wandb, which is not installed: pip install -e '.[wandb]'") from None
        path = folder / ID
        if not path.exists():
            write_atomic(path, uuid.uuid4().hex)
        try:
            self._run = wandb.init(
                project=PROJECT, name=name, id=path.read_text(), resume="allow", dir=folder, config=dict(config)
            )
        except wandb.Error as error:
            raise UserError(f"--wandb: {error}; log in with `wandb login`, or set WANDB_MODE=offline") from error
        self._stages: set[str] = set()

    def log(self, stage: str, step: int, scalars: Mapping[str, Any]) -> None:
        """One row; each stage counts its own steps."""
        if stage not in self._stages:
            self._run.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
            self._stages.add(stage)
        self._run.log({f"{stage}/step": step} | {f"{stage}/{name}": float(value) for name, value in scalars.items()})

    def close(self) -> None:
        """Waits until all is sent."""
        self._run.finish()
