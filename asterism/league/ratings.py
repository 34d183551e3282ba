"""Figures that sum games up: an interval for a win rate, Elo, and the Nash distribution."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog, minimize
from scipy.special import expit, log_expit, ndtri

ELO_PER_NAT = 400 / np.log(10)
"""Elo points for one unit of log odds: 400 points are odds of ten to one."""


class Interval(NamedTuple):
    """A win rate and the interval that holds the true one with the chosen confidence."""

    rate: float
    low: float
    high: float


def wilson(wins: int | float, draws: int | float, losses: int | float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a win rate, a draw being half a win.

    The rate is (wins + draws / 2) / games. Half wins vary less than whole ones with the same mean, so with draws the
    interval is wider than it need be, never too narrow. Without games: rate 0.5 in [0, 1]. Source: Wilson 1927,
    "Probable inference, the law of succession, and statistical inference".
    """
    games = wins + draws + losses
    if games == 0:
        return Interval(0.5, 0.0, 1.0)
    rate = (wins + draws / 2) / games
    z = ndtri((1 + confidence) / 2)
    centre = rate + z**2 / (2 * games)
    spread = z * np.sqrt(rate * (1 - rate) / games + z**2 / (4 * games**2))
    scale = 1 + z**2 / games
    low, high = (centre - spread) / scale, (centre + spread) / scale
    # At 0 and 1 the bounds are exact on paper, and a rounding error off here.
    return Interval(float(rate), 0.0 if rate == 0 else float(low), 1.0 if rate == 1 else float(high))


def elo(
    win_rates: Float[np.ndarray, "n n"], games: Float[np.ndarray, "n n"], anchor: int = 0, prior_games: float = 1.0
) -> Float[np.ndarray, " n"]:
    """Most likely Elo ratings of n players, player `anchor` at 0.

    P[i beats j] = 1 / (1 + 10^((elo_j - elo_i) / 400)), a draw being half a win for each. Every player also draws
    `prior_games` games against a player of average strength: without them a player that never lost would have an
    infinite rating. Source: Bradley and Terry 1952; the likelihood is concave, so the maximum is the only one.
    """
    score = win_rates * games

    def loss(strength: np.ndarray) -> tuple[float, np.ndarray]:
        gap = strength[:, None] - strength[None, :]
        centred = strength - strength.mean()
        prior = prior_games / 2 * (log_expit(centred) + log_expit(-centred)).sum()
        pull = prior_games / 2 * (expit(-centred) - expit(centred))
        slope = (score - games * expit(gap)).sum(axis=1) + pull - pull.mean()
        return -float((score * log_expit(gap)).sum() + prior), -slope

    n = len(win_rates)
    if n == 0:
        return np.zeros(0)
    best = minimize(loss, np.zeros(n), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}).x
    return (best - best[anchor]) * ELO_PER_NAT


def nash(win_rates: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " n"]:
    """A Nash distribution of the symmetric zero-sum game whose payoff is the win rate less one half.

    Drawn from it, a player wins at least half of its games against every one of the n players. Where several
    distributions do, it is one of them. The linear programme: maximise v subject to p A >= v, sum p = 1, p >= 0. Raises
    ValueError without players.
    """
    n = len(win_rates)
    if n == 0:
        raise ValueError("no players, hence no Nash distribution")
    payoff = (win_rates - win_rates.T) / 2
    solution = linprog(
        c=np.append(np.zeros(n), -1.0),
        A_ub=np.hstack([-payoff.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, 1)] * n + [(None, None)],
        method="highs",
    )
    chances = np.clip(solution.x[:n], 0, None)
    return chances / chances.sum()
