"""Population based training: learners that do worse take over weights and settings of one that does better.

Source: Jaderberg et al. 2017, "Population based training of neural networks", and 2019, "Human-level performance in 3D
multiplayer games", supplementary 4.2: exploit, then explore.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from asterism.errors import require_at_least, require_fraction
from asterism.league.player import PlayerKind
from asterism.league.state import LeagueState


@dataclass(frozen=True)
class PopulationBasedTraining:
    """When learners take over from others, and how settings change then. Raises UserError for nonsense."""

    every_steps: int = 0
    """Agent steps of a learner between two looks at the others of its kind and race; 0: never."""
    better_by: float = 0.05
    """How much higher the win rate of another must be."""
    change: float = 1.2
    """Each setting is multiplied by this or its inverse,"""
    chance: float = 0.33
    """with this probability."""

    def __post_init__(self):
        require_at_least(self, "pbt", 0, ("every_steps",))
        require_at_least(self, "pbt", 1, ("change",))
        require_fraction(self, "pbt", ("better_by", "chance"))

    def due(self, before: int, now: int) -> bool:
        """Whether a look is due between two numbers of agent steps."""
        return bool(self.every_steps) and before // self.every_steps < now // self.every_steps


def fitness(state: LeagueState, learner: str) -> float:
    """A learner's mean win rate against all past players, those that it has not met at one half."""
    past = state.of_kind(PlayerKind.HISTORICAL)
    return float(np.mean(state.payoff.win_rates(learner, past))) if past else 0.5


def model_for(state: LeagueState, learner: str, settings: PopulationBasedTraining) -> str | None:
    """The learner whose weights and settings this one should take over: the best of its kind and race, if it is enough
    better. One that has started over neither is a model nor has one until it has played for as long as a look takes:
    a few games say little of it, and the reset would be undone. Raises ValueError if `learner` is none."""
    own = state.learner(learner)

    def comparable(name: str) -> bool:
        return state.players[name].race == own.race and state.steps_since_reset(name) >= settings.every_steps

    rivals = [name for name in state.of_kind(own.kind) if name != learner and comparable(name)]
    if not rivals or not comparable(learner):
        return None
    best = max(rivals, key=lambda name: fitness(state, name))
    # The tolerance is for sums that are equal on paper.
    return best if fitness(state, best) - fitness(state, learner) >= settings.better_by - 1e-9 else None


def explore(
    values: Sequence[float], settings: PopulationBasedTraining, rng: np.random.Generator
) -> Float[np.ndarray, " n"]:
    """The settings of a model, some of them changed."""
    changed = rng.random(len(values)) < settings.chance
    up = rng.random(len(values)) < 0.5
    return np.array(values, float) * np.where(changed, np.where(up, settings.change, 1 / settings.change), 1.0)
