"""Who plays whom.

Source: Vinyals et al. 2019, Methods, "Multi-agent learning", and the supplementary pseudocode, `get_match`.
"""

import numpy as np
from jaxtyping import Float, Int

from asterism.league.pfsp import Weighting, pfsp
from asterism.league.player import PlayerKind
from asterism.league.settings import LeagueSettings
from asterism.league.state import LeagueState

Rates = Float[np.ndarray, " players"]
"""The learner's win rate against everybody. Players are named by their places in it."""


def choose_opponent(state: LeagueState, learner: str, settings: LeagueSettings, rng: np.random.Generator) -> str:
    """Id of the opponent of a learner's next game; its own id in self-play.

    Raises ValueError if `learner` is none, or if the league lacks the opponents of its kind: a main agent for a main
    exploiter, a historical player for a league exploiter.
    """
    kind = state.learner(learner).kind
    rates = state.payoff.row(learner)
    if kind is PlayerKind.MAIN_AGENT:
        place = _for_main_agent(state, rates, settings, rng)
    elif kind is PlayerKind.MAIN_EXPLOITER:
        place = _main_or_its_past(state, rates, _a_main_agent(state, rng), settings.main_exploiter_floor, settings, rng)
    else:
        past = state.of_kind(PlayerKind.HISTORICAL)
        place = _draw(rates, past.places, settings.league_exploiter_weighting, settings, rng)
    return state.ids[place]


def _for_main_agent(state: LeagueState, rates: Rates, settings: LeagueSettings, rng: np.random.Generator) -> int:
    past = state.of_kind(PlayerKind.HISTORICAL)
    share = rng.random()
    if share < settings.pfsp_share and past:
        return _draw(rates, past.places, settings.pfsp_weighting, settings, rng)
    main = _a_main_agent(state, rng)
    if share < settings.pfsp_share + settings.verification_share:
        candidates = _to_verify(state, rates, main, settings)
        if len(candidates):
            return _draw(rates, candidates, settings.verification_weighting, settings, rng)
    return _main_or_its_past(state, rates, main, settings.main_agent_floor, settings, rng)


def _main_or_its_past(
    state: LeagueState, rates: Rates, main: int, floor: float, settings: LeagueSettings, rng: np.random.Generator
) -> int:
    """A main agent, or, while the learner beats it less often than `floor`, its past selves as a curriculum."""
    past = state.past_selves(state.ids[main])
    if rates[main] >= floor or not past or rng.random() < settings.retry_share:
        return main
    return _draw(rates, past.places, settings.curriculum_weighting, settings, rng)


def _to_verify(state: LeagueState, rates: Rates, main: int, settings: LeagueSettings) -> Int[np.ndarray, " n"]:
    """Past main exploiters that beat the learner, and past selves of `main` that it has forgotten how to beat.

    (The pseudocode looks for forgotten players only if no exploiter beats the learner, and then draws from all of the
    kind.)
    """
    exploiters, past = state.past_main_exploiters().places, state.past_selves(state.ids[main]).places
    exploited = rates[exploiters] < settings.exploited_below
    kept = without_monotone_tail(rates[past])
    forgotten = kept < settings.forgotten_below
    return np.append(exploiters[exploited], past[: len(kept)][forgotten])


def without_monotone_tail(win_rates: Float[np.ndarray, " n"]) -> Float[np.ndarray, " kept"]:
    """Drop the newest players while win rates only fall from one copy to the next.

    Win rates are oldest copy first. To beat newer copies less often than older ones is progress, not forgetting; a copy
    that is beaten more often than the one before it marks that one as forgotten, and everything up to it is kept.
    """
    rises = np.flatnonzero(np.diff(win_rates) > 0)
    return win_rates[: rises[-1] + 2] if len(rises) else win_rates[:0]


def _a_main_agent(state: LeagueState, rng: np.random.Generator) -> int:
    mains = state.of_kind(PlayerKind.MAIN_AGENT)
    if not mains:
        raise ValueError("the league has no main agent to play against")
    return int(mains.places[rng.integers(len(mains))])


def _draw(
    rates: Rates,
    places: Int[np.ndarray, " n"],
    weighting: Weighting,
    settings: LeagueSettings,
    rng: np.random.Generator,
) -> int:
    if rng.random() < settings.retry_share:
        return int(rng.choice(places))
    # What rng.choice does, without its checks, which take as long again.
    up_to = pfsp(rates[places], weighting).cumsum()
    return int(places[np.searchsorted(up_to / up_to[-1], rng.random(), side="right")])
