"""Settings of training on a cluster."""

from dataclasses import dataclass
from typing import NamedTuple

from asterism.errors import UserError, require_at_least
from asterism.league import PopulationBasedTraining


@dataclass(frozen=True)
class ClusterSettings:
    """How many processes share the league stage, and what each has. Without effect unless there is a cluster."""

    actors: int = 1
    """Actors for each learner."""
    evaluators: int = 1
    """Processes that play pairs of frozen players which have hardly met."""
    evaluation_games: int = 20
    """Games up to which such a pair plays."""
    learner_gpus: int = 0
    """GPUs of each learner, among which it shares out its batches. It waits until a machine has as many to spare."""
    actor_gpus: float = 0.0
    """GPUs of each actor and evaluator; 0.25 lets four share one."""
    cpu_devices: int = 1
    """Cores among which a learner or an actor without a GPU shares out its games."""
    publish_seconds: float = 2.0
    """Seconds between two versions of a learner's weights that its actors and opponents get."""

    def __post_init__(self):
        require_at_least(self, "distributed", 1, ("actors", "cpu_devices"))
        require_at_least(self, "distributed", 0, ("evaluators", "evaluation_games", "learner_gpus", "actor_gpus"))
        require_at_least(self, "distributed", 0, ("publish_seconds",))
        share = self.actor_gpus
        if not (1e-4 <= share <= 1 or float(share).is_integer()):
            raise UserError(f"distributed setting actor_gpus is {share}: give a share from 0.0001 to 1, or whole GPUs")

    def gpus(self, learners: int) -> float:
        """GPUs that all processes need together."""
        return learners * (self.learner_gpus + self.actors * self.actor_gpus) + self.evaluators * self.actor_gpus


class Schedule(NamedTuple):
    """What is done how often."""

    updates: int
    """Of all learners together, not counting those of their warm-ups."""
    burn_in: int = 0
    """Updates at the start of each learner in which nothing is learned yet, and collections at the start of each actor
    among which its games' beginnings are spread, while its learner warms up."""
    warm_up: int = 0
    """Updates at the start of each learner, those of the burn-in among them, in which it plays itself and learns
    values alone."""
    match_games: int = 8
    """Games against an opponent before the next one."""
    checkpoint_seconds: float = 40.0
    """Seconds between two training checkpoints of a learner."""
    log_every: int = 10
    """Updates of a learner between two entries in the metrics."""
    reuse: int = 1
    """How often each batch is learned from in an update."""
    pbt: PopulationBasedTraining = PopulationBasedTraining()
