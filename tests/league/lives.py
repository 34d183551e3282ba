"""What a league goes through in some updates of a run, and whether two leagues are the same."""

import numpy as np
from snapshots import snapshot

from asterism.league import League, Outcome, Result, Store

MAIN, HUNTER, SCOUT = "main_agent_terran_0", "main_exploiter_terran_0", "league_exploiter_terran_0"


def founded(where):
    league = League(Store(where))
    league.populate({"terran": snapshot("teacher.safetensors")})
    return league


def results(update, count=20, seed=0):
    rng = np.random.default_rng([seed, update])
    players = [MAIN, HUNTER, SCOUT, "teacher_terran"]
    return [
        Result(f"{update}/{i}", *rng.choice(players, 2).tolist(), Outcome(int(rng.integers(-1, 2))), update)
        for i in range(count)
    ]


def live_through(league, updates):
    """Some updates of a run, drawing on nothing but the update's number."""
    for update in updates:
        rng = np.random.default_rng(update)
        league.record_results(results(update))
        league.record_steps({MAIN: 100 * update, HUNTER: 90 * update}, update)
        if update % 2 == 0:
            league.checkpoint(HUNTER, snapshot(f"hunter_{update}.safetensors"), 90 * update, update, rng)
            league.checkpoint(SCOUT, snapshot(f"scout_{update}.safetensors"), 80 * update, update, rng)


def assert_same(one, other):
    """Bit for bit."""
    assert list(one.state.players.items()) == list(other.state.players.items())
    assert one.state.steps == other.state.steps
    assert one.state.resets == other.state.resets
    young = [{name: state.steps_since_reset(name) for name in state.resets} for state in (one.state, other.state)]
    assert young[0] == young[1]
    for kept in ("payoff", "totals"):
        a, b = getattr(one.state, kept), getattr(other.state, kept)
        assert a.players == b.players
        assert (a.matrix() == b.matrix()).all()
        assert (a.games_matrix() == b.games_matrix()).all()
