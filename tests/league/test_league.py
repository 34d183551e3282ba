"""The league as a whole: founding, copies, resets, matches and the report."""

import numpy as np
import pytest
from snapshots import snapshot

from asterism.league import League, LeagueSettings, Match, Outcome, Player, PlayerKind, Result, Store

MAIN, HUNTER, SCOUT = "main_agent_terran_0", "main_exploiter_terran_0", "league_exploiter_terran_0"


@pytest.fixture
def league():
    league = League(Store("sqlite://"))
    league.populate({"terran": snapshot("teacher.safetensors")})
    return league


def win(home, away, times):
    return [Result(f"{home}/{away}/{i}", home, away, Outcome.WIN, 1) for i in range(times)]


def test_the_papers_league_has_twelve_learners_of_three_races():
    league = League(Store("sqlite://"), LeagueSettings.paper())
    league.populate({race: snapshot(f"{race}.safetensors") for race in ("terran", "protoss", "zerg")})
    learners = [player for player in league.state.players.values() if player.is_learner]
    assert len(learners) == 12
    assert all(player.parent == f"teacher_{player.race}" for player in learners)
    assert len(league.state.of_kind(PlayerKind.HISTORICAL)) == 3


def test_a_league_is_founded_once(league):
    with pytest.raises(ValueError, match="already"):
        league.populate({"terran": snapshot("teacher.safetensors")})


def test_players_one_by_one():
    league = League(Store("sqlite://"))
    teacher = league.add_teacher("teacher", "zerg", snapshot("zerg.safetensors"))
    learner = league.add_learner("main", PlayerKind.MAIN_AGENT, "teacher", update=2)
    assert learner == Player("main", PlayerKind.MAIN_AGENT, "zerg", parent=teacher.id)
    for kind, start in ((PlayerKind.HISTORICAL, "teacher"), (PlayerKind.MAIN_AGENT, "main")):
        with pytest.raises(ValueError, match="historical player"):
            league.add_learner("other", kind, start)
    with pytest.raises(ValueError, match="already"):
        league.add_learner("main", PlayerKind.MAIN_AGENT, "teacher")


def test_a_copy_knows_where_it_comes_from(league):
    weights = snapshot("hunter_a.safetensors")
    copy = league.add_historical(HUNTER, weights, steps=120, update=3)
    assert copy == Player(
        f"{HUNTER}.1", PlayerKind.HISTORICAL, "terran", HUNTER, weights, 120, PlayerKind.MAIN_EXPLOITER
    )
    assert [*league.state.past_selves(HUNTER)] == ["teacher_terran", copy.id]
    assert [*league.state.past_main_exploiters()] == [copy.id]
    assert league.state.steps_since_copy(HUNTER) == 0
    assert league.add_historical(HUNTER, snapshot("hunter_b.safetensors"), 200, 4).id == f"{HUNTER}.2"


def test_main_exploiter_returns_to_its_teacher_and_main_agent_goes_on(league):
    rng = np.random.default_rng(0)
    assert league.checkpoint(HUNTER, snapshot("hunter.safetensors"), 50, 1, rng).reset_to == snapshot(
        "teacher.safetensors"
    )
    assert league.checkpoint(MAIN, snapshot("main.safetensors"), 50, 1, rng).reset_to is None
    assert league.state.resets == {MAIN: 0, HUNTER: 1, SCOUT: 0}


def test_what_was_won_before_a_reset_says_nothing_after_it(tmp_path):
    """Neither for the learner, nor for who plays it; the totals keep it, and so it is when the records are read."""
    league = League(Store(tmp_path / "league.sqlite"))
    league.populate({"terran": snapshot("teacher.safetensors")})
    league.record_results([*win(HUNTER, MAIN, 8), *win(MAIN, "teacher_terran", 2)])
    league.checkpoint(HUNTER, snapshot("hunter.safetensors"), 50, 1, np.random.default_rng(0))
    lost = [Result(f"later/{i}", HUNTER, MAIN, Outcome.LOSS, 2) for i in range(2)]
    for results, rates in (([], (0.5, 0.5)), (lost, (0.0, 1.0))):
        league.record_results(results)
        for state in (league.state, League(Store(tmp_path / "league.sqlite")).state):
            payoff = state.payoff
            assert (payoff.win_rate(HUNTER, MAIN), payoff.win_rate(MAIN, HUNTER)) == rates
            assert payoff.win_rate(MAIN, "teacher_terran") == 1
            assert state.totals.counts(HUNTER, MAIN) == (8, 0, len(results))


def test_due_after_beating_everybody_or_after_the_timeout(league):
    rule = league.settings.main_agent_checkpoint
    league.record_steps({MAIN: rule.min_steps}, update=1)
    assert not league.ready_to_checkpoint(MAIN)
    league.record_results(win(MAIN, "teacher_terran", 3))
    assert league.ready_to_checkpoint(MAIN)
    league.checkpoint(MAIN, snapshot("main.safetensors"), rule.min_steps, 1, np.random.default_rng(0))
    league.record_steps({MAIN: rule.min_steps + rule.timeout_steps - 1}, update=2)
    assert not league.ready_to_checkpoint(MAIN)
    league.record_steps({MAIN: rule.min_steps + rule.timeout_steps}, update=3)
    assert league.ready_to_checkpoint(MAIN)


def test_matches_name_players_of_the_league(league):
    rng = np.random.default_rng(0)
    assert league.match(HUNTER, rng) == Match(HUNTER, MAIN)
    assert league.match(SCOUT, rng) == Match(SCOUT, "teacher_terran")
    assert {league.match(MAIN, rng).away for _ in range(50)} == {MAIN, "teacher_terran"}


def test_only_learners_play_learn_and_are_copied(league):
    rng = np.random.default_rng(0)
    for call in (
        lambda: league.match("teacher_terran", rng),
        lambda: league.record_steps({"teacher_terran": 1}, 1),
        lambda: league.add_historical("teacher_terran", snapshot("x.safetensors"), 1, 1),
        lambda: league.ready_to_checkpoint("stranger"),
    ):
        with pytest.raises(ValueError, match="not a learner"):
            call()


def test_report_ranks_the_players_by_their_games(league):
    league.record_results(win(MAIN, "teacher_terran", 30) + win(MAIN, HUNTER, 30) + win("teacher_terran", SCOUT, 30))
    report = league.report()
    ids = [player.id for player in report.players]
    elo = dict(zip(ids, report.elo, strict=True))
    assert elo[MAIN] > elo["teacher_terran"] == 0 > elo[SCOUT]
    assert report.win_rates[ids.index(MAIN), ids.index("teacher_terran")] == 1
    assert report.games[ids.index(HUNTER), ids.index(MAIN)] == pytest.approx((1 - 0.99**30) / 0.01)


def test_nash_is_a_mixture_of_frozen_players(league):
    """A learner that has started over has no games: it would pass for unbeaten."""
    for number in (1, 2):
        league.add_historical(MAIN, snapshot(f"{number}.safetensors"), number, 1)
    frozen = ["teacher_terran", f"{MAIN}.1", f"{MAIN}.2"]
    for beats, beaten in zip(frozen, frozen[1:] + frozen[:1], strict=True):
        league.record_results(win(beats, beaten, 3) + win(HUNTER, beaten, 5))
    shares = lambda report: dict(zip((player.id for player in report.players), report.nash, strict=True))  # noqa: E731
    assert shares(league.report()) == pytest.approx(
        dict.fromkeys([MAIN, HUNTER, SCOUT], 0) | dict.fromkeys(frozen, 1 / 3)
    )
    league.checkpoint(HUNTER, snapshot("hunter.safetensors"), 50, 1, np.random.default_rng(0))
    report = league.report()
    assert shares(report)[HUNTER] == 0 and report.nash.sum() == pytest.approx(1)
    among = report.win_rates[:, [not player.is_learner for player in report.players]]
    assert (report.nash @ among >= 0.5 - 1e-9).all()


def test_report_says_whom_each_does_worst_against(league):
    """Only frozen players count, and only those that have been met."""
    league.record_results(win(MAIN, "teacher_terran", 3) + win("teacher_terran", MAIN, 1) + win(HUNTER, MAIN, 9))
    report = league.report()
    worst = dict(zip((player.id for player in report.players), report.robustness, strict=True))
    assert worst[MAIN].opponent == "teacher_terran" and worst[MAIN].interval.rate == 0.75
    assert worst[HUNTER] is None and worst["teacher_terran"] is None
    assert report.elo_error[0] == 0 and (report.elo_error[1:] > 0).all()
