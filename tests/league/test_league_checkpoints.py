"""When a copy is due, and who is reset."""

from dataclasses import replace

import numpy as np
import pytest

from asterism.errors import UserError
from asterism.league import (
    CheckpointRule,
    LeagueSettings,
    LeagueState,
    Outcome,
    Player,
    PlayerKind,
    Weighting,
    ready_to_checkpoint,
    resets_after_checkpoint,
)

RULE = CheckpointRule(100, 200, 0.25)
SETTINGS = LeagueSettings(main_agent_checkpoint=RULE, main_exploiter_checkpoint=RULE, league_exploiter_checkpoint=RULE)
KINDS = {
    "main": PlayerKind.MAIN_AGENT,
    "hunter": PlayerKind.MAIN_EXPLOITER,
    "scout": PlayerKind.LEAGUE_EXPLOITER,
}


def a_league(teacher=True):
    state = LeagueState(decay=1.0)
    if teacher:
        state.add(Player("teacher", PlayerKind.HISTORICAL, "terran"))
    for name, kind in KINDS.items():
        state.add(Player(name, kind, "terran", parent="teacher" if teacher else None))
    return state


def play(state, home, away, wins, losses):
    for outcome, count in ((Outcome.WIN, wins), (Outcome.LOSS, losses)):
        for _ in range(count):
            state.record(home, away, outcome)


@pytest.mark.parametrize(("learner", "rival"), [("main", "teacher"), ("hunter", "main"), ("scout", "teacher")])
def test_due_between_minimum_and_timeout_once_rivals_are_beaten(learner, rival):
    def ready(steps, wins, losses):
        state = a_league()
        play(state, learner, rival, wins, losses)
        state.steps[learner] = steps
        return ready_to_checkpoint(state, learner, SETTINGS)

    assert not ready(99, 10, 0)
    assert ready(100, 8, 2)
    assert not ready(199, 7, 3)  # Above 70%, not at it.
    assert ready(200, 0, 10)


def test_one_unbeaten_rival_is_enough_to_wait():
    state = a_league()
    play(state, "main", "teacher", 10, 0)
    state.steps["main"] = 150
    assert ready_to_checkpoint(state, "main", SETTINGS)
    state.add(Player("main.1", PlayerKind.HISTORICAL, "terran", parent="main", steps=0))
    assert not ready_to_checkpoint(state, "main", SETTINGS)  # No games yet: 0.5.


def test_main_exploiter_need_not_beat_the_past():
    state = a_league()
    play(state, "hunter", "main", 10, 0)
    play(state, "hunter", "teacher", 0, 10)
    state.steps["hunter"] = 100
    assert ready_to_checkpoint(state, "hunter", SETTINGS)


def test_without_rivals_only_time_counts():
    state = a_league(teacher=False)
    state.steps["scout"] = 199
    assert not ready_to_checkpoint(state, "scout", SETTINGS)
    state.steps["scout"] = 200
    assert ready_to_checkpoint(state, "scout", SETTINGS)


def test_steps_count_from_the_last_copy():
    state = a_league()
    for number, steps in ((1, 40), (2, 150)):
        state.add(Player(f"scout.{number}", PlayerKind.HISTORICAL, "terran", parent="scout", steps=steps))
    state.steps["scout"] = 349
    assert not ready_to_checkpoint(state, "scout", SETTINGS)
    state.steps["scout"] = 350
    assert ready_to_checkpoint(state, "scout", SETTINGS)


@pytest.mark.parametrize("settings", [LeagueSettings(), LeagueSettings.paper()])
def test_resets_of_the_paper(settings):
    rng = np.random.default_rng(0)
    shares = {
        name: np.mean([resets_after_checkpoint(kind, settings, rng) for _ in range(4000)])
        for name, kind in KINDS.items()
    }
    assert shares["main"] == 0
    assert shares["hunter"] == 1
    assert shares["scout"] == pytest.approx(0.25, abs=0.028)  # Four standard errors.


def test_historical_players_add_no_copies():
    with pytest.raises(ValueError, match="not a learner"):
        ready_to_checkpoint(a_league(), "teacher", SETTINGS)
    with pytest.raises(ValueError, match="historical"):
        SETTINGS.checkpoint_rule(PlayerKind.HISTORICAL)


def test_numbers_of_the_paper():
    paper = LeagueSettings.paper()
    assert (paper.self_play_share, paper.pfsp_share, paper.verification_share) == (0.35, 0.5, 0.15)
    assert (paper.pfsp_weighting, paper.league_exploiter_weighting) == (Weighting.HARD, Weighting.CAPPED)
    assert paper.retry_share == 0
    assert 3 * sum(paper.learners_per_race().values()) == 12
    assert paper.main_agent_checkpoint == CheckpointRule(2 * 10**9, 4 * 10**9, 0.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"self_play_share": 0.5}, "sum to 1"),
        ({"self_play_share": -0.15, "pfsp_share": 1.0}, "self_play_share is -0.15"),
        ({"decay": 1.5}, "decay is 1.5"),
        ({"decay": 0.0}, "decay"),
        ({"exploited_below": float("nan")}, "exploited_below"),
        ({"forgotten_below": 2.0}, "forgotten_below"),
        ({"main_agents": 0}, "main_agents"),
        ({"league_exploiters": -1}, "league_exploiters"),
    ],
)
def test_settings_refuse_nonsense(change, says):
    with pytest.raises(UserError, match=says):
        replace(LeagueSettings(), **change)


@pytest.mark.parametrize("rule", [(10, 5, 0.0), (-1, 5, 0.0), (0, 0, 0.0), (0, 5, 1.1)])
def test_checkpoint_rules_refuse_nonsense(rule):
    with pytest.raises(UserError):
        CheckpointRule(*rule)
