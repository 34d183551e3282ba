"""Prioritised fictitious self-play: which opponents are worth a game."""

from enum import Enum

import numpy as np
from jaxtyping import Float


class Weighting(Enum):
    """How the chance of being drawn depends on x, the learner's win rate against the opponent.

    Vinyals et al. 2019, Methods, "Prioritized fictitious self-play", and the supplementary pseudocode. `UNIFORM` is
    plain fictitious self-play, for the ablation.
    """

    HARD = "hard"
    VARIANCE = "variance"
    LINEAR = "linear"
    CAPPED = "capped"
    UNIFORM = "uniform"


_FUNCTIONS = {
    Weighting.HARD: lambda x: (1 - x) ** 2,
    Weighting.VARIANCE: lambda x: x * (1 - x),
    Weighting.LINEAR: lambda x: 1 - x,
    Weighting.CAPPED: lambda x: np.minimum(0.5, 1 - x),
    Weighting.UNIFORM: np.ones_like,
}


def pfsp(win_rates: Float[np.ndarray, " n"], weighting: Weighting) -> Float[np.ndarray, " n"]:
    """Chance of each of n opponents to be drawn, in proportion to f(win rate); uniform where every f is 0.

    Raises ValueError without opponents: nobody could be drawn.
    """
    if len(win_rates) == 0:
        raise ValueError("no opponents to draw from")
    weights = _FUNCTIONS[weighting](np.asarray(win_rates, dtype=float))
    total = weights.sum()
    # A sum this small is rounding left over from rates of 1, as in the paper's pseudocode.
    if total < 1e-10:
        return np.full(len(weights), 1 / len(weights))
    return weights / total
