"""A run's folder: its config, numbers, checkpoints, league records and report."""

import fcntl
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from asterism.errors import UserError
from asterism.files import writing
from asterism.runtime.config_file import differences, from_json, read_config_json, to_json, write_config
from asterism.runtime.metrics import MetricsLog, read_metrics

T = TypeVar("T")
FORMAT = 1
"""Version of the folder's layout."""
OURS = {"lock", "config.json", "metrics.jsonl", "tensorboard", "checkpoints", "report.html"}
OURS |= {"league.sqlite", "league.owner"}


def check_name(name: str) -> None:
    """Raises UserError for what cannot be a run's name."""
    if not re.fullmatch(r"[A-Za-z0-9_][\w.-]*", name):
        raise UserError(f"run name {name!r} is no good: use letters, digits, '-', '_' and '.'")


class RunFolder:
    """`runs/NAME/`, made by `create_or_resume` (one process at a time, may write) or `open` (reads only)."""

    def __init__(self, path: Path):
        """Use `create_or_resume` or `open`."""
        self.path = path
        self.resumed = False
        """Whether the run had been started before."""
        self._lock: int | None = None
        self._metrics: MetricsLog | None = None
        self._others: list[Any] = []

    @classmethod
    def create_or_resume(
        cls, name: str, config: Any, *, root: Path = Path("runs"), may_change: Collection[str] = ()
    ) -> "RunFolder":
        """The folder of run `name` under `root`, new or as an earlier run with the same config left it.

        `may_change`: dotted settings (`league.learning-rate`, or a whole group `evaluate`) that may differ on resuming;
        the new value is saved. Raises UserError when another process holds the run, when a setting differs, when the
        folder is something else, and when it cannot be written.
        """
        check_name(name)
        run = cls(root / name)
        if run.path.is_dir() and not run.config_path.exists() and {item.name for item in run.path.iterdir()} - OURS:
            raise UserError(f"{run.path} has files but no config.json, so it is no run: give another --name")
        with writing(run.path):
            run.path.mkdir(parents=True, exist_ok=True)
            run.acquire()
        try:
            run.resumed = run.config_path.exists()
            if run.resumed:
                run._check_same(config, may_change)
            if not run.resumed or run._saved() != to_json(config):
                write_config(run.config_path, config, FORMAT)
            run._metrics = MetricsLog(run.metrics_path, run.path / "tensorboard")
        except BaseException:
            run.close()
            raise
        return run

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run, for reading; raises UserError when the folder is none."""
        run = cls(Path(path))
        if not run.path.exists():
            raise UserError(f"{path} does not exist: give the folder of a run, such as runs/first-light")
        if not run.config_path.is_file():
            raise UserError(f"{path} is not a run folder: no config.json in it")
        run._saved()
        run.resumed = True
        return run

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The run's name: that of its folder."""
        return self.path.resolve().name

    @property
    def config_path(self) -> Path:
        """The config, with the version that wrote it."""
        return self.path / "config.json"

    @property
    def metrics_path(self) -> Path:
        """One JSON object a line: stage, step, time, scalars."""
        return self.path / "metrics.jsonl"

    @property
    def league_path(self) -> Path:
        """The league's records."""
        return self.path / "league.sqlite"

    @property
    def owner_path(self) -> Path:
        """What names the run to a database elsewhere that holds its league's records."""
        return self.path / "league.owner"

    @property
    def report_path(self) -> Path:
        """The report, one page."""
        return self.path / "report.html"

    def checkpoints(self, stage: str) -> Path:
        """Where a stage keeps its checkpoints, one folder a step."""
        return self.path / "checkpoints" / stage

    def load_config(self, kind: type[T]) -> T:
        """The config that the run was started with, every key and type checked; raises UserError."""
        return from_json(kind, self._saved(), str(self.config_path))

    def log(self, stage: str, step: int, scalars: Mapping[str, Any]) -> None:
        """Appends scalars of a step to metrics.jsonl and TensorBoard. Names with '/' form groups: loss/units."""
        self._writer().log(stage, step, scalars)
        for other in self._others:
            other.log(stage, step, scalars)

    def also_log(self, other: Any) -> None:
        """Has another place (`WandbLog`) be told what is logged; it is closed with the folder."""
        self._others.append(other)

    def truncate_after(self, stage: str, step: int) -> None:
        """Forgets what `stage` logged after `step`; call it when a stage resumes from its checkpoint of `step`."""
        self._writer().truncate_after(stage, step)

    def flush(self) -> None:
        """Forces what was logged to the disk; call it before each checkpoint."""
        self._writer().flush()

    def series(self) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
        """What was logged, as {stage: {name: (steps, values)}}."""
        stages: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
        for row in read_metrics(self.metrics_path):
            for name, value in row.scalars.items():
                steps, values = stages.setdefault(row.stage, {}).setdefault(name, ([], []))
                steps.append(row.step)
                values.append(value)
        return stages

    def close(self) -> None:
        """Closes the files and lets other processes have the run."""
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = None
        while self._others:
            self._others.pop().close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _writer(self) -> MetricsLog:
        if self._metrics is None:
            raise ValueError(f"{self.path} is open for reading only")
        return self._metrics

    def acquire(self) -> None:
        """Holds the lock file until `close` or the end of the process, however it ends."""
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._lock, 32, 0).decode(errors="replace").strip() or "unknown"
            self.close()
            raise UserError(
                f"run {self.path} is in use by process {owner}: wait for it, stop it, or give another --name"
            ) from None
        os.truncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def _saved(self) -> dict[str, Any]:
        """The config in JSON's types."""
        return read_config_json(self.config_path, FORMAT, "put it back, or start anew under another --name")

    def _check_same(self, config: Any, may_change: Collection[str]) -> None:
        changed = {
            name: values
            for name, values in differences(self._saved(), to_json(config)).items()
            if not any(name == free or name.startswith(free + ".") for free in may_change)
        }
        if changed:
            listed = ", ".join(f"--{name} was {old!r} and is now {new!r}" for name, (old, new) in changed.items())
            raise UserError(f"run {self.path} has other settings: {listed}: give the same, or another --name")
