"""Figures that sum games up: an interval for a win rate, Elo, the Nash distribution, and two populations compared."""

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


def elo_error(
    elo: Float[np.ndarray, " n"], games: Float[np.ndarray, "n n"], anchor: int = 0, prior_games: float = 1.0
) -> Float[np.ndarray, " n"]:
    """Half the width of the 95% interval of each rating of `elo` above the anchor's, in Elo points.

    From the curvature of the likelihood at its maximum (the observed Fisher information), `prior_games` included, so
    that a player without games has a wide interval and not an infinite one. The anchor's is 0.
    """
    if len(elo) == 0:
        return np.zeros(0)
    strength = elo / ELO_PER_NAT
    chance = expit(strength[:, None] - strength[None, :])
    weight = games * chance * (1 - chance)
    centre = np.eye(len(elo)) - 1 / len(elo)
    pull = expit(strength - strength.mean())
    information = np.diag(weight.sum(1)) - weight + centre @ np.diag(prior_games * pull * (1 - pull)) @ centre
    # Only differences are known: the information about a shift of all is zero.
    covariance = np.linalg.pinv(information, hermitian=True)
    variance = np.diag(covariance) + covariance[anchor, anchor] - 2 * covariance[anchor]
    return float(ndtri(0.975)) * np.sqrt(np.maximum(variance, 0)) * ELO_PER_NAT


def nash(win_rates: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " n"]:
    """A Nash distribution of the symmetric zero-sum game whose payoff is the win rate less one half.

    Drawn from it, a player wins at least half of its games against every one of the n players. Where several
    distributions do, it is one of them. Raises ValueError without players.
    """
    if len(win_rates) == 0:
        raise ValueError("no players, hence no Nash distribution")
    return _best_mixture((win_rates - win_rates.T) / 2)[0]


def relative_performance(win_rates: Float[np.ndarray, "n m"]) -> float:
    """The win rate of one population against another, each mixing its players as well as it can: above 0.5 the rows'
    population is the stronger one.

    The value of the zero-sum game between them (Balduzzi et al. 2019, "Open-ended learning in symmetric zero-sum
    games", definition 2, as a win rate). A player that does not change what can be reached, changes nothing. Raises
    ValueError for a population without players.
    """
    if win_rates.size == 0:
        raise ValueError("a population without players cannot be compared")
    return _best_mixture(win_rates)[1]


def _best_mixture(payoff: Float[np.ndarray, "n m"]) -> tuple[Float[np.ndarray, " n"], float]:
    """The row player's mixture p and value v of a zero-sum game; the linear programme: maximise v subject to p A >= v,
    sum p = 1, p >= 0."""
    rows, columns = payoff.shape
    solution = linprog(
        c=np.append(np.zeros(rows), -1.0),
        A_ub=np.hstack([-payoff.T, np.ones((columns, 1))]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, 1)] * rows + [(None, None)],
        method="highs",
    )
    chances = np.clip(solution.x[:rows], 0, None)
    return chances / chances.sum(), float(solution.x[-1])
