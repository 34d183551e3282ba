"""Who takes over from whom, by hand."""

import numpy as np
import pytest

from asterism.errors import UserError
from asterism.league import LeagueState, Outcome, Player, PlayerKind, Snapshot
from asterism.league.pbt import PopulationBasedTraining, explore, fitness, model_for

SETTINGS = PopulationBasedTraining(every_steps=1)


def league(**wins: int) -> LeagueState:
    """Learners a, b, c (Terran main agents), z (a Zerg), e (an exploiter): so many of 20 games won against the past."""
    state = LeagueState(decay=1.0)
    state.add(Player("past", PlayerKind.HISTORICAL, "terran", weights=Snapshot("file", "0" * 64)))
    for name in "abc":
        state.add(Player(name, PlayerKind.MAIN_AGENT, "terran", parent="past"))
    state.add(Player("z", PlayerKind.MAIN_AGENT, "zerg", parent="past"))
    state.add(Player("e", PlayerKind.MAIN_EXPLOITER, "terran", parent="past"))
    play(state, **wins)
    return state


def play(state: LeagueState, **wins: int) -> None:
    """20 games of each against the past."""
    for name, count in wins.items():
        for game in range(20):
            state.record(name, "past", Outcome.WIN if game < count else Outcome.LOSS)


def test_fitness_is_the_win_rate_against_the_past():
    state = league(a=15)
    assert fitness(state, "a") == 0.75 and fitness(state, "b") == 0.5
    state.add(Player("newer", PlayerKind.HISTORICAL, "terran", parent="a", weights=Snapshot("file", "0" * 64)))
    assert fitness(state, "a") == pytest.approx((0.75 + 0.5) / 2), "who is unmet counts as one half"


def test_the_best_is_the_model_of_who_is_five_points_worse():
    state = league(a=10, b=11, c=12)
    assert model_for(state, "a", SETTINGS) == "c"
    assert model_for(state, "b", SETTINGS) == "c", "five points are enough"
    assert model_for(state, "c", SETTINGS) is None
    assert model_for(league(a=10, b=10, c=10), "a", SETTINGS) is None


def test_models_are_of_the_same_kind_and_race():
    state = league(a=10, b=10, c=10, z=20, e=20)
    assert model_for(state, "a", SETTINGS) is None
    assert model_for(state, "e", SETTINGS) is None, "the only one of its kind"


def test_without_a_past_nobody_is_better():
    state = LeagueState()
    state.add(Player("a", PlayerKind.MAIN_AGENT, "terran"))
    state.add(Player("b", PlayerKind.MAIN_AGENT, "terran"))
    assert fitness(state, "a") == 0.5 and model_for(state, "a", SETTINGS) is None


def test_a_third_of_the_settings_change_by_a_fifth_up_or_down():
    rng = np.random.default_rng(0)
    values = np.array([explore([1.0, 2.0, 5.0], SETTINGS, rng) for _ in range(4000)]) / [1, 2, 5]
    shares = [np.isclose(values, factor).mean() for factor in (1.2, 1 / 1.2, 1.0)]
    assert sum(shares) == 1
    # Three standard errors of a share of 12000.
    np.testing.assert_allclose(shares, [0.165, 0.165, 0.67], atol=0.013)


def test_nonsense_is_refused():
    for change in ({"change": 0.5}, {"chance": 1.5}, {"every_steps": -1}):
        with pytest.raises(UserError):
            PopulationBasedTraining(**change)


@pytest.mark.parametrize("young", ["a", "b"])
def test_who_has_just_started_over_neither_is_a_model_nor_has_one(young):
    """A few games say little, and a reset is not to be undone at once."""
    wins = {"a": 10, "b": 18}
    state = league(**wins)
    settings = PopulationBasedTraining(every_steps=100)
    assert model_for(state, "a", settings) == "b"
    state.reset(young, 500)
    play(state, **{young: wins[young]})
    state.steps[young] = 599
    assert model_for(state, "a", settings) is None
    state.steps[young] = 600
    assert model_for(state, "a", settings) == "b"


def test_a_copy_without_a_reset_makes_nobody_young():
    state = league(a=10, b=18)
    settings = PopulationBasedTraining(every_steps=100)
    state.reset("b", 100)
    play(state, b=18)
    state.steps["b"] = 1000
    copy = Player(
        "b.1",
        PlayerKind.HISTORICAL,
        "terran",
        parent="b",
        weights=Snapshot("f", "0" * 64),
        steps=1000,
        of_kind=PlayerKind.MAIN_AGENT,
    )
    state.add(copy)
    assert model_for(state, "a", settings) == "b"
