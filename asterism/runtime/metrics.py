"""The numbers of a run as it goes: JSON lines for programs, TensorBoard events for eyes."""

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from asterism.errors import UserError
from asterism.files import write_atomic, writing


class Row(NamedTuple):
    """One line of metrics.jsonl."""

    stage: str
    step: int
    time: float
    """Seconds since 1970."""
    scalars: dict[str, float]


def read_metrics(path: Path) -> Iterator[Row]:
    """The rows of a metrics file, none if there is no file. A last line cut short by a kill is left out.

    Raises UserError naming the line that is no row.
    """
    if not path.exists():
        return
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            data = json.loads(line)
            scalars = {name: math.nan if value is None else float(value) for name, value in data["scalars"].items()}
            yield Row(str(data["stage"]), int(data["step"]), float(data["time"]), scalars)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(f"{path}: line {number} is corrupt: remove it and run the same command again") from None


class MetricsLog:
    """Writes `metrics.jsonl`, and each scalar once under `tensorboard/STAGE/`.

    A line is in the operating system's hands when `log` returns, so that kill -9 loses none.
    """

    def __init__(self, path: Path, tensorboard: Path):
        self._path = path
        self._tensorboard = tensorboard
        self._purge: dict[str, int] = {}
        self._events: dict[str, Any] = {}
        self._drop(lambda row: False)
        with writing(path):
            self._file = open(path, "ab", buffering=0)

    def log(self, stage: str, step: int, scalars: Mapping[str, Any]) -> None:
        """Appends one row; values are numbers or arrays of one element. Raises UserError when the disk is full."""
        values = {name: float(value) for name, value in scalars.items()}
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        now = time.time()
        line = json.dumps({"stage": stage, "step": int(step), "time": round(now, 3), "scalars": finite})
        with writing(self._path):
            data = line.encode() + b"\n"
            if self._file.write(data) < len(data):
                raise OSError(28, "No space left on device")
        with writing(self._tensorboard):
            self._write_events(stage, int(step), now, values)

    def truncate_after(self, stage: str, step: int) -> None:
        """Forgets the rows of `stage` after `step`: they will be played again from a checkpoint of that step.

        TensorBoard is told likewise (a session start event at step + 1).
        """
        self._file.close()
        self._drop(lambda row: row.stage == stage and row.step > step)
        self._file = open(self._path, "ab", buffering=0)
        self._purge[stage] = step + 1

    def flush(self) -> None:
        """Forces everything to the disk; worth a call beside each checkpoint."""
        with writing(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes all files."""
        self._file.close()
        for writer in self._events.values():
            # After a full disk the writer still has bytes that it cannot write, as `log` has told.
            with suppress(OSError):
                writer.close()
        self._events.clear()  # a writer that could not close lets go of its file when it is gone

    def _drop(self, unwanted) -> None:
        """Rewrites the file without unwanted rows and without a torn last line, if it has any."""
        if not self._path.exists():
            return
        before = self._path.read_bytes()
        lines = before.split(b"\n")[:-1]
        rows = read_metrics(self._path)
        after = b"".join(line + b"\n" for line, row in zip(lines, rows, strict=True) if not unwanted(row))
        if after != before:
            write_atomic(self._path, after)

    def _write_events(self, stage: str, step: int, now: float, values: Mapping[str, float]) -> None:
        # Straight to the file: SummaryWriter writes in a thread, where a full disk would go unnoticed.
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.summary import scalar

        if stage not in self._events:
            folder = self._tensorboard / stage
            folder.mkdir(parents=True, exist_ok=True)
            # The name of an event file has only its second: a restart within it must not overwrite the file before.
            writer = EventsWriter(str(folder / "events"), filename_suffix=f".{time.time_ns()}")
            if stage in self._purge:
                start = SessionLog(status=SessionLog.START)
                writer.write_event(Event(wall_time=now, step=self._purge[stage], session_log=start))
            self._events[stage] = writer
        for name, value in values.items():
            self._events[stage].write_event(Event(wall_time=now, step=step, summary=scalar(name, value)))
        self._events[stage].flush()
