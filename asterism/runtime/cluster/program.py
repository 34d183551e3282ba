"""What learners and actors compute, apart from how they are spread over machines."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Bool, Float

from asterism.learning.reinforcement import Factors


class Entrant(NamedTuple):
    """Who plays a game."""

    policy: Any
    race: str
    """Its race in the league."""


class Games(NamedTuple):
    """Games that ended in a collection, by step and lane."""

    done: Bool[Any, "N B"]
    reward: Float[Any, "N B"]
    """For the learner: above, at or below 0."""


@runtime_checkable
class Program(Protocol):
    """Games of a learner against its opponents, and its updates. Lanes are split evenly among groups, each of which
    has an opponent; arrays of lanes have them as their first axis. Each process makes one of its own.

    A learner's *state* is all that an update changes, its *weights* are what a frozen copy keeps of it, and the
    *policy* is the part of those that acts: pytrees of arrays.
    """

    lanes: int
    groups: int

    def init(self, weights: Any = None) -> Any:
        """The state of a learner with these weights (None: the founder's) and an optimizer that has seen nothing."""

    def weights(self, state: Any) -> Any:
        """The weights of a state."""

    def policy(self, weights: Any) -> Any:
        """The policy of weights."""

    def start(self, keys: Any) -> Any:
        """New games, one a key. Who plays them is not known yet: the first collection begins them anew."""

    def collect(
        self, own: Entrant, opponents: list[Entrant], workers: Any, restart: Bool[Any, " B"], keys: Any
    ) -> tuple[Any, Any, Games]:
        """Plays on, after beginning anew in the lanes of `restart`: (games, batch of trajectories, what ended).
        `opponents`: one a group."""

    def update(self, state: Any, memory: Any, batch: Any, factors: Factors) -> tuple[Any, Any, dict[str, Any]]:
        """Learns from a batch: (state, memory, metrics). `memory` is what the learner itself carries from a batch of an
        actor to the next one of the same games; None at their start. `steps` in the metrics are agent steps."""

    def play(self, home: Entrant, away: Entrant, games: int, seed: int) -> list[int]:
        """Games of two players, from both sides equally often: 1, 0 or -1 each, for `home`."""


MakeProgram = Callable[[], Program]
"""Sent to each process, which calls it once."""
