"""When a learner joins the league as a frozen copy, and whether it then starts anew."""

import numpy as np

from asterism.league.player import PlayerKind
from asterism.league.settings import LeagueSettings
from asterism.league.state import LeagueState


def ready_to_checkpoint(state: LeagueState, learner: str, settings: LeagueSettings) -> bool:
    """Whether a learner should add a copy of itself now.

    It should once it beats every rival often enough, or when its time is up. The rivals of a main exploiter are the
    main agents, those of the others all past players. Without rivals there is nothing to beat, and only time counts.
    Source: Vinyals et al. 2019, supplementary pseudocode, `ready_to_checkpoint`. Raises ValueError if `learner` is
    none.
    """
    kind = state.learner(learner).kind
    rule = settings.checkpoint_rule(kind)
    steps = state.steps_since_copy(learner)
    if steps >= rule.timeout_steps:
        return True
    if steps < rule.min_steps:
        return False
    exploits_main = kind is PlayerKind.MAIN_EXPLOITER
    rivals = state.of_kind(PlayerKind.MAIN_AGENT if exploits_main else PlayerKind.HISTORICAL)
    rates = state.payoff.row(learner)[rivals.places]
    return bool(rivals) and bool(np.all(rates > settings.checkpoint_win_rate))


def resets_after_checkpoint(kind: PlayerKind, settings: LeagueSettings, rng: np.random.Generator) -> bool:
    """Whether a learner that has just added a copy goes back to the supervised weights.

    In the paper: a main agent never, a main exploiter always, a league exploiter one time in four.
    """
    return bool(rng.random() < settings.checkpoint_rule(kind).reset_probability)
