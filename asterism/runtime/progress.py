"""How far a stage is: a bar on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

SPEED_WINDOW = 60.0
"""Seconds over which the rate is taken: the first steps, which compile, soon no longer count."""


class StageBar:
    """The progress of one stage; made by `stage`."""

    def __init__(self, progress: Progress, task: Task, every: float, clock: Callable[[], float]):
        self._progress, self._task = progress, task
        self._every, self._clock = every, clock
        self._next_line = clock() + every

    def advance(self, n: int = 1, **info: object) -> None:
        """`n` more units are done; `info` (loss=0.3) is shown at the end of the line until it changes."""
        self._progress.update(self._task.id, advance=n, info=self._task.fields["info"] | info)
        if self._progress.disable and self._clock() >= self._next_line:
            self._next_line = self._clock() + self._every
            self.print_line()

    def print_line(self) -> None:
        """Prints where the stage is as one plain line."""
        line = f"{self._task.description}: {status(self._task)}"
        print(line, file=self._progress.console.file, flush=True)


class StatusColumn(ProgressColumn):
    """`status` beside the bar."""

    def render(self, task: Task) -> Text:
        return Text(status(task))


def status(task: Task) -> str:
    """For example '1,200/5,000 games  35.2 games/s  0:00:34 elapsed  0:01:48 left  loss 0.31'."""
    unit = task.fields["unit"]
    speed = task.finished_speed or task.speed
    left = 0.0 if task.finished else task.time_remaining
    parts = [
        f"{task.completed:,.0f}/{task.total or 0:,.0f} {unit}",
        f"{_number(speed)} {unit}/s" if speed else "",
        f"{_duration(task.elapsed or 0.0)} elapsed",
        f"{_duration(left)} left" if left is not None else "",
        *(f"{name} {_number(value)}" for name, value in task.fields["info"].items()),
    ]
    return "  ".join(part for part in parts if part)


@contextmanager
def stage(
    name: str,
    total: int,
    unit: str,
    *,
    start: int = 0,
    console: Console | None = None,
    every: float = 20.0,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[StageBar]:
    """Shows stage `name`: done of `total` units, rate, time gone, time left; `start` units were done in an earlier run.

    On a terminal this is a bar; elsewhere a plain line every `every` seconds and one at the end.
    """
    console = console or Console()
    plain = not console.is_terminal
    columns = (TextColumn("[bold]{task.description}"), BarColumn(), StatusColumn())
    progress = Progress(*columns, console=console, get_time=clock, disable=plain, speed_estimate_period=SPEED_WINDOW)
    task_id = progress.add_task(name, total=total, completed=start, unit=unit, info={})
    with progress:
        bar = StageBar(progress, progress.tasks[task_id], every, clock)
        yield bar
    if plain:
        bar.print_line()


def _number(value: object) -> str:
    """Three digits or so: 0.314, 35.2, 1,234."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
