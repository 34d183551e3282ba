"""The curves that are logged, and their names."""

import math
import re
from collections.abc import Mapping


def curve(learner: str, metric: str) -> str:
    """The name under which a learner's metric is logged. Curves are drawn in groups, by what is before the slash: the
    losses of a learner together, or one metric of all learners."""
    group, _, rest = metric.partition("/")
    if group == "loss":
        return f"{learner}/{metric}"
    return f"{group}_{learner}/{rest}" if rest else f"{group}/{learner}"


def entry(learner: str, metrics: Mapping[str, float], win_rates: Mapping[str, float]) -> dict[str, float]:
    """What is logged of a learner at a moment, by curve. `win_rates`: by opponent."""
    # NaN: no step of the batch used that part, or no game that followed a z ended.
    scalars = {curve(learner, name): value for name, value in metrics.items() if not math.isnan(value)}
    return scalars | {f"win_rate/{learner} against {other}": rate for other, rate in win_rates.items()}


def shortened(curves: Mapping[str, float], race: str | None) -> dict[str, float]:
    """The same by short names."""
    return {short_name(name, race): value for name, value in curves.items()}


def short_name(name: str, race: str | None) -> str:
    """A name of players without what theirs have in common: the race, if one is that of all, and the number of the
    first of a kind."""
    return re.sub(r"_0\b", "", name.replace(f"_{race}", "") if race else name)
