"""Names of the curves that are logged."""


def curve(learner: str, metric: str) -> str:
    """The name under which a learner's metric is logged. Curves are drawn in groups, by what is before the slash: the
    losses of a learner together, or one metric of all learners."""
    group, _, rest = metric.partition("/")
    if group == "loss":
        return f"{learner}/{metric}"
    return f"{group}_{learner}/{rest}" if rest else f"{group}/{learner}"
