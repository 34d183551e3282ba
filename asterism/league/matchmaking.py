"""Who plays whom.

Source: Vinyals et al. 2019, Methods, "Multi-agent learning", and the supplementary pseudocode, `get_match`.
"""

from collections.abc import Sequence
from itertools import compress

import numpy as np
from jaxtyping import Float

from asterism.league.pfsp import Weighting, pfsp
from asterism.league.player import PlayerKind
from asterism.league.settings import LeagueSettings
from asterism.league.state import LeagueState


def choose_opponent(state: LeagueState, learner: str, settings: LeagueSettings, rng: np.random.Generator) -> str:
    """Id of the opponent of a learner's next game; its own id in self-play.

    Raises ValueError if `learner` is none, or if the league lacks the opponents of its kind: a main agent for a main
    exploiter, a historical player for a league exploiter.
    """
    kind = state.learner(learner).kind
    if kind is PlayerKind.MAIN_AGENT:
        return _for_main_agent(state, learner, settings, rng)
    if kind is PlayerKind.MAIN_EXPLOITER:
        return _for_main_exploiter(state, learner, settings, rng)
    return _draw(state, learner, state.of_kind(PlayerKind.HISTORICAL), settings.league_exploiter_weighting, rng)


def _for_main_agent(state: LeagueState, learner: str, settings: LeagueSettings, rng: np.random.Generator) -> str:
    past = state.of_kind(PlayerKind.HISTORICAL)
    share = rng.random()
    if share < settings.pfsp_share and past:
        return _draw(state, learner, past, settings.pfsp_weighting, rng)
    main = _a_main_agent(state, rng)
    if share < settings.pfsp_share + settings.verification_share:
        candidates = _to_verify(state, learner, main, settings)
        if candidates:
            return _draw(state, learner, candidates, settings.verification_weighting, rng)
    return _main_or_its_past(state, learner, main, settings.main_agent_floor, settings, rng)


def _for_main_exploiter(state: LeagueState, learner: str, settings: LeagueSettings, rng: np.random.Generator) -> str:
    main = _a_main_agent(state, rng)
    return _main_or_its_past(state, learner, main, settings.main_exploiter_floor, settings, rng)


def _main_or_its_past(
    state: LeagueState, learner: str, main: str, floor: float, settings: LeagueSettings, rng: np.random.Generator
) -> str:
    """A main agent, or, while the learner beats it less often than `floor`, its past selves as a curriculum."""
    past = state.past_selves(main)
    if state.payoff.win_rate(learner, main) >= floor or not past:
        return main
    return _draw(state, learner, past, settings.curriculum_weighting, rng)


def _to_verify(state: LeagueState, learner: str, main: str, settings: LeagueSettings) -> list[str]:
    """Past main exploiters that beat the learner, and past selves of `main` that it has forgotten how to beat.

    (The pseudocode looks for forgotten players only if no exploiter beats the learner, and then draws from all of the
    kind.)
    """
    payoff, exploiters, past = state.payoff, state.past_main_exploiters(), state.past_selves(main)
    exploited = payoff.win_rates(learner, exploiters) < settings.exploited_below
    forgotten = without_monotone_tail(payoff.win_rates(learner, past)) < settings.forgotten_below
    return [*compress(exploiters, exploited), *compress(past, forgotten)]


def without_monotone_tail(win_rates: Float[np.ndarray, " n"]) -> Float[np.ndarray, " kept"]:
    """Drop the newest players while win rates only fall from one copy to the next.

    Win rates are oldest copy first. To beat newer copies less often than older ones is progress, not forgetting; a copy
    that is beaten more often than the one before it marks that one as forgotten, and everything up to it is kept.
    """
    rises = np.flatnonzero(np.diff(win_rates) > 0)
    return win_rates[: rises[-1] + 2] if len(rises) else win_rates[:0]


def _a_main_agent(state: LeagueState, rng: np.random.Generator) -> str:
    mains = state.of_kind(PlayerKind.MAIN_AGENT)
    if not mains:
        raise ValueError("the league has no main agent to play against")
    return mains[rng.integers(len(mains))]


def _draw(
    state: LeagueState, learner: str, opponents: Sequence[str], weighting: Weighting, rng: np.random.Generator
) -> str:
    chances = pfsp(state.payoff.win_rates(learner, opponents), weighting)
    return opponents[rng.choice(len(opponents), p=chances)]
