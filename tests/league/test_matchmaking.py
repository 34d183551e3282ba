"""Matchmaking: every branch of every kind of learner, by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from snapshots import snapshot

from asterism.league import LeagueSettings, LeagueState, Outcome, Player, PlayerKind, choose_opponent
from asterism.league.matchmaking import without_monotone_tail

SETTINGS = LeagueSettings(retry_share=0.0)
"""The pseudocode as it is."""
SELF_PLAY = replace(SETTINGS, self_play_share=1.0, pfsp_share=0.0, verification_share=0.0)
PFSP = replace(SETTINGS, self_play_share=0.0, pfsp_share=1.0, verification_share=0.0)
VERIFY = replace(SETTINGS, self_play_share=0.0, pfsp_share=0.0, verification_share=1.0)
DRAWS = 2000


def copy_of(learner, number, kind):
    return Player(f"{learner}.{number}", PlayerKind.HISTORICAL, "terran", parent=learner, of_kind=kind)


def a_league(main_copies=0, exploiter_copies=0, mains=1):
    """Teacher, main agents, exploiters, and copies of the first main agent and of the main exploiter."""
    state = LeagueState()
    state.add(Player("teacher", PlayerKind.HISTORICAL, "terran", weights=snapshot("teacher.safetensors")))
    learners = [(f"main{i}", PlayerKind.MAIN_AGENT) for i in range(mains)]
    learners += [("hunter", PlayerKind.MAIN_EXPLOITER), ("scout", PlayerKind.LEAGUE_EXPLOITER)]
    for name, kind in learners:
        state.add(Player(name, kind, "terran", parent="teacher"))
    for i in range(main_copies):
        state.add(copy_of("main0", i + 1, PlayerKind.MAIN_AGENT))
    for i in range(exploiter_copies):
        state.add(copy_of("hunter", i + 1, PlayerKind.MAIN_EXPLOITER))
    return state


def set_rate(state, home, away, percent):
    """Make the win rate of a pair without games exactly `percent` (plain counts: the decay would bend it)."""
    state.payoff.decay = 1.0
    for outcome, count in ((Outcome.WIN, percent), (Outcome.LOSS, 100 - percent)):
        for _ in range(count):
            state.record(home, away, outcome)


def drawn(state, learner, settings, n=DRAWS):
    """How often each opponent comes up, as a share of n draws."""
    rng = np.random.default_rng(0)
    counts = Counter(choose_opponent(state, learner, settings, rng) for _ in range(n))
    return {player: count / n for player, count in counts.items()}


def assert_shares(actual, expected):
    """Four standard errors at n = 2000 are at most 0.045."""
    assert set(actual) == set(expected)
    for player, share in expected.items():
        assert actual[player] == pytest.approx(share, abs=0.045), player


def test_main_agent_splits_its_games_35_50_15():
    state = a_league(exploiter_copies=1)
    set_rate(state, "main0", "teacher", 100)
    set_rate(state, "main0", "hunter.1", 0)
    set_rate(state, "main0", "scout", 0)  # A learner is never a past player.
    # PFSP and verification both give the exploiter's copy all the weight; self-play gives the agent itself.
    assert_shares(drawn(state, "main0", SETTINGS), {"main0": 0.35, "hunter.1": 0.65})


def test_main_agent_verification_falls_back_to_self_play():
    state = a_league()
    # The teacher alone is past: PFSP meets it, and nothing is exploited or forgotten.
    assert_shares(drawn(state, "main0", SETTINGS), {"teacher": 0.5, "main0": 0.5})


def test_main_agent_pfsp_over_all_past_players_hard_first():
    state = a_league(main_copies=1, exploiter_copies=1)
    for player, percent in (("teacher", 80), ("main0.1", 60), ("hunter.1", 20)):
        set_rate(state, "main0", player, percent)
    # (0.2^2, 0.4^2, 0.8^2) = (0.04, 0.16, 0.64), of 0.84.
    assert_shares(drawn(state, "main0", PFSP), {"teacher": 1 / 21, "main0.1": 4 / 21, "hunter.1": 16 / 21})


def test_main_agent_pfsp_uniform_once_all_are_beaten():
    state = a_league(main_copies=1, exploiter_copies=1)
    for player in ("teacher", "main0.1", "hunter.1"):
        set_rate(state, "main0", player, 100)
    assert_shares(drawn(state, "main0", PFSP), dict.fromkeys(("teacher", "main0.1", "hunter.1"), 1 / 3))


def test_main_agent_plays_itself_while_there_is_no_past():
    state = LeagueState()
    state.add(Player("main0", PlayerKind.MAIN_AGENT, "terran"))
    assert drawn(state, "main0", SETTINGS, n=50) == {"main0": 1.0}


def test_self_play_is_against_any_main_agent():
    assert_shares(drawn(a_league(mains=2), "main1", SELF_PLAY), {"main0": 0.5, "main1": 0.5})


def test_self_play_against_a_stronger_main_agent_turns_to_its_past():
    state = a_league(main_copies=2, mains=2)
    set_rate(state, "main1", "main0", 29)
    for player, percent in (("teacher", 100), ("main0.1", 80), ("main0.2", 50)):
        set_rate(state, "main1", player, percent)
    # Half the draws are main1 itself; the rest by x (1 - x): 0, 0.16, 0.25.
    expected = {"main1": 0.5, "main0.1": 0.5 * 16 / 41, "main0.2": 0.5 * 25 / 41}
    assert_shares(drawn(state, "main1", SELF_PLAY), expected)


def test_self_play_at_the_floor_is_self_play():
    state = a_league(main_copies=2, mains=2)
    set_rate(state, "main1", "main0", 30)
    assert set(drawn(state, "main1", SELF_PLAY, n=200)) == {"main0", "main1"}


def test_stronger_main_agent_without_any_past_is_met_itself():
    state = LeagueState()
    for name in ("main0", "main1"):
        state.add(Player(name, PlayerKind.MAIN_AGENT, "terran"))
    set_rate(state, "main1", "main0", 0)
    assert set(drawn(state, "main1", SELF_PLAY, n=200)) == {"main0", "main1"}


def test_verification_meets_exploiters_beaten_under_30_percent():
    state = a_league(exploiter_copies=3)
    for player, percent in (("hunter.1", 29), ("hunter.2", 30), ("hunter.3", 0)):
        set_rate(state, "main0", player, percent)
    # 0.71^2 and 1; the copy beaten in exactly 30% is left out.
    expected = {"hunter.1": 0.5041 / 1.5041, "hunter.3": 1 / 1.5041}
    assert_shares(drawn(state, "main0", VERIFY), expected)


def test_verification_meets_forgotten_copies_before_the_monotone_tail():
    state = a_league(main_copies=4)
    rates = {"teacher": 90, "main0.1": 40, "main0.2": 60, "main0.3": 50, "main0.4": 30}
    for player, percent in rates.items():
        set_rate(state, "main0", player, percent)
    # The tail 50, 30 falls from 60 and goes; 90 is not forgotten: 0.6^2 and 0.4^2 remain.
    assert_shares(drawn(state, "main0", VERIFY), {"main0.1": 36 / 52, "main0.2": 16 / 52})


def test_verification_meets_exploiters_and_forgotten_copies_together():
    state = a_league(main_copies=2, exploiter_copies=1)
    for player, percent in (("teacher", 50), ("main0.1", 50), ("main0.2", 80), ("hunter.1", 0)):
        set_rate(state, "main0", player, percent)
    assert_shares(drawn(state, "main0", VERIFY), {"teacher": 1 / 6, "main0.1": 1 / 6, "hunter.1": 4 / 6})


def test_verification_ignores_copies_of_league_exploiters():
    state = a_league()
    state.add(copy_of("scout", 1, PlayerKind.LEAGUE_EXPLOITER))
    set_rate(state, "main0", "scout.1", 0)
    assert drawn(state, "main0", VERIFY, n=50) == {"main0": 1.0}


@pytest.mark.parametrize(
    ("rates", "kept"),
    [
        ([], 0),
        ([0.1], 0),
        ([1, 1, 1], 0),
        ([0.9, 0.5, 0.5, 0.2], 0),
        ([0.2, 0.5, 0.9], 3),
        ([0.9, 0.4, 0.6, 0.5, 0.3], 3),
        ([0.4, 0.6, 0.5, 0.7], 4),
    ],
)
def test_monotone_tail_by_hand(rates, kept):
    assert list(without_monotone_tail(np.array(rates, dtype=float))) == rates[:kept]


def test_main_exploiter_meets_the_main_agent_that_it_can_beat():
    state = a_league(main_copies=2)
    set_rate(state, "hunter", "main0", 10)
    assert drawn(state, "hunter", SETTINGS, n=200) == {"main0": 1.0}


def test_main_exploiter_meets_the_past_of_a_main_agent_too_strong():
    state = a_league(main_copies=2)
    for player, percent in (("main0", 9), ("teacher", 50), ("main0.1", 20), ("main0.2", 0)):
        set_rate(state, "hunter", player, percent)
    assert_shares(drawn(state, "hunter", SETTINGS), {"teacher": 25 / 41, "main0.1": 16 / 41})


def test_main_exploiter_meets_every_main_agent():
    assert_shares(drawn(a_league(mains=2), "hunter", SETTINGS), {"main0": 0.5, "main1": 0.5})


def test_main_exploiter_needs_a_main_agent():
    with pytest.raises(ValueError, match="no main agent"):
        choose_opponent(a_league(mains=0), "hunter", SETTINGS, np.random.default_rng(0))


def test_league_exploiter_meets_all_past_players_capped():
    state = a_league(main_copies=1, exploiter_copies=1)
    for player, percent in (("teacher", 90), ("main0.1", 40), ("hunter.1", 0)):
        set_rate(state, "scout", player, percent)
    # min(0.5, 1 - x): 0.1, 0.5, 0.5.
    assert_shares(drawn(state, "scout", SETTINGS), {"teacher": 1 / 11, "main0.1": 5 / 11, "hunter.1": 5 / 11})


def test_league_exploiter_uniform_once_all_are_beaten():
    state = a_league(main_copies=1)
    for player in ("teacher", "main0.1"):
        set_rate(state, "scout", player, 100)
    assert_shares(drawn(state, "scout", SETTINGS), {"teacher": 0.5, "main0.1": 0.5})


def test_nobody_is_passed_over_for_good():
    """After one match with luck: without retries, a pair whose win rate rules out its games keeps that rate."""
    state = a_league(main_copies=2, exploiter_copies=1)
    for _ in range(8):
        state.record("hunter", "main0", Outcome.LOSS)
        for past in ("main0.1", "hunter.1"):
            state.record("main0", past, Outcome.WIN)
            state.record("scout", past, Outcome.WIN)
    retry = LeagueSettings(retry_share=0.2)
    assert "main0" not in drawn(state, "hunter", SETTINGS)
    assert drawn(state, "hunter", retry)["main0"] == pytest.approx(0.2, abs=0.045)
    for learner, settings in (("main0", PFSP), ("scout", SETTINGS)):
        assert set(drawn(state, learner, settings)) == {"teacher", "main0.2"}
        # 0.2 evenly over four, the rest over two.
        shares = drawn(state, learner, replace(settings, retry_share=0.2))
        assert_shares(shares, {"teacher": 0.45, "main0.2": 0.45, "main0.1": 0.05, "hunter.1": 0.05})


def test_historical_players_and_strangers_get_no_match():
    for player in ("teacher", "stranger"):
        with pytest.raises(ValueError, match="not a learner"):
            choose_opponent(a_league(), player, SETTINGS, np.random.default_rng(0))


def test_same_generator_same_opponents():
    state = a_league(main_copies=3, exploiter_copies=2, mains=2)
    first, second = (
        [choose_opponent(state, "main0", SETTINGS, rng) for _ in range(50)]
        for rng in (np.random.default_rng(7), np.random.default_rng(7))
    )
    assert first == second
