"""Settings of host games."""

from dataclasses import dataclass

from asterism.errors import UserError, require_at_least, require_positive


@dataclass(frozen=True)
class HostSettings:
    """How environments that are not JAX are played, and learned from."""

    actors: int = 8
    """Environments side by side, each in a thread of its own."""
    unroll: int = 16
    """Agent steps in a trajectory (T)."""
    batch: int = 4
    """Trajectories in an update, each of another environment. With fewer than `actors`, learning does not wait for the
    slowest."""
    ahead: int = 1
    """Trajectories of one environment that may wait to be learned from. Then it waits too."""
    reuse: int = 1
    """How often each trajectory is learned from (AlphaStar: 2)."""
    refresh_seconds: float = 10.0
    """Seconds after which the actors get the newest weights (AlphaStar: 10), between two updates. 0: after each."""
    inference_sizes: tuple[int, ...] = (1, 8)
    """Sizes of the batches in which actions are chosen, rising: one program is compiled for each, and what is not full
    is padded. The last is the most that go together."""
    inference_wait: float = 0.002
    """Seconds that a batch which is not full waits for more, from its first request on."""
    start_timeout: float = 120.0
    """Seconds after which making an environment, or beginning a game, counts as hung."""
    step_timeout: float = 30.0
    """The same for one step."""
    straggling: float = 10.0
    """An environment whose last steps took more than this times as long as its fellows' (the median of their means) is
    replaced."""
    straggling_seconds: float = 1.0
    """But not if they took less than this, in the mean."""
    straggling_window: int = 20
    """The last steps: how many."""
    patience: int = 5
    """Failures of one environment in a row, without a finished trajectory in between, at which all stops."""
    close_seconds: float = 5.0
    """How long closing waits for environments that are in the middle of a step."""
    seed: int = 0
    """Of environments and of what the agent draws. Threads take turns as they like: no run can be repeated exactly."""

    def __post_init__(self):
        counts = ("actors", "unroll", "batch", "ahead", "reuse", "straggling_window", "patience")
        require_at_least(self, "host", 1, counts)
        require_at_least(self, "host", 0, ("refresh_seconds", "inference_wait", "straggling_seconds", "close_seconds"))
        require_at_least(self, "host", 0, ("seed",))
        require_positive(self, "host", ("start_timeout", "step_timeout"))
        if not self.straggling > 1:
            raise UserError(f"host setting straggling is {self.straggling}: it must be above 1")
        if self.batch > self.actors:
            raise UserError(f"host setting batch ({self.batch}) must be at most actors ({self.actors})")
        sizes = self.inference_sizes
        if not sizes or sizes[0] < 1 or any(a >= b for a, b in zip(sizes, sizes[1:], strict=False)):
            raise UserError(f"host setting inference_sizes is {sizes}: give sizes of at least 1, each above the last")
