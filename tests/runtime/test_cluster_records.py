"""Records on a cluster: a question asked twice, since its answer was lost, leaves the same as one asked once."""

import pytest

from asterism.league import CheckpointRule, LeagueSettings, Outcome, Result, Snapshot
from asterism.runtime.cluster.coordinator import Coordinator

RULE = {
    f"{kind}_checkpoint": CheckpointRule(10, 20, reset)
    for kind, reset in (("main_agent", 0.0), ("main_exploiter", 1.0), ("league_exploiter", 1.0))
}
FOUNDER, COPY, LATER, MAINS = (Snapshot(f"{name}.safetensors", name) for name in ("founder", "copy", "later", "mains"))
MAIN, EXPLOITER, LEAGUE_EXPLOITER = (f"{kind}_any_0" for kind in ("main_agent", "main_exploiter", "league_exploiter"))


@pytest.fixture
def start(tmp_path):
    """Starts the coordinator of one and the same run, as often as it is called."""
    path, settings = str(tmp_path / "league.sqlite"), LeagueSettings(**RULE)
    return lambda: Coordinator(path, None, settings, {"any": FOUNDER}, updates=10)


def result(number, outcome=Outcome.WIN, home=MAIN, away="teacher_any"):
    return Result(f"process/{number}", home, away, outcome, 0)


def test_a_parcel_of_results_counts_once_and_outlives_the_coordinator(start):
    coordinator = start()
    assert [player.id for player in coordinator.learners()] == [MAIN, EXPLOITER, LEAGUE_EXPLOITER]
    coordinator.record([result(0), result(1)])
    coordinator.record([result(0), result(1)])
    coordinator = start()
    coordinator.record([result(0), result(1), result(2, Outcome.LOSS)])
    assert coordinator.league.state.totals.counts(MAIN, "teacher_any") == (2, 0, 1)
    assert coordinator.progress().results == 1


def test_a_copy_joins_once_and_its_learner_starts_over_once(start):
    coordinator = start()
    assert [coordinator.checkpoint(EXPLOITER, COPY, 20, 3) for _ in range(2)] == [1, 1]
    coordinator = start()
    assert coordinator.checkpoint(EXPLOITER, COPY, 20, 3) == 1
    assert coordinator.league.state.copies(EXPLOITER) == [f"{EXPLOITER}.1"]
    assert coordinator.history(EXPLOITER) == (20, 1)
    assert coordinator.checkpoint(EXPLOITER, LATER, 40, 6) == 2
    assert coordinator.checkpoint(MAIN, MAINS, 40, 6) == 0


def test_a_learner_is_due_by_the_steps_on_record_even_if_it_fell_behind(start):
    coordinator = start()
    assert not coordinator.report(MAIN, 1, 19).due
    assert coordinator.report(MAIN, 2, 20).due
    coordinator = start()
    assert coordinator.report(MAIN, 1, 12).due, "20 steps are on record"
    assert coordinator.history(MAIN) == (20, 0)
    coordinator.checkpoint(MAIN, COPY, 20, 2)
    assert not coordinator.report(MAIN, 2, 20).due


def test_training_is_finished_by_the_updates_of_all(start):
    coordinator = start()
    assert coordinator.report(MAIN, 6, 0) == (6, False, False)
    assert coordinator.report(EXPLOITER, 3, 0).done == 9
    assert coordinator.report(MAIN, 7, 0, {"loss": 1.0}).finished
    progress = coordinator.progress()
    assert progress.done == {MAIN: 7, EXPLOITER: 3} and progress.rows == [(10, {"loss": 1.0})]
    assert coordinator.progress().rows == [], "each entry is handed over once"


def test_matches_are_of_players_with_their_weights_and_races(start):
    coordinator = start()
    drawn = coordinator.matches(MAIN, 50)
    assert len(drawn) == 50
    assert {(player.id, player.weights, player.race) for player in drawn} == {
        ("teacher_any", FOUNDER, "any"),
        (MAIN, None, "any"),
    }


def test_evaluators_get_the_pairs_that_have_hardly_met(start):
    coordinator = start()
    assert coordinator.thin_pair(3) is None, "there is one frozen player"
    coordinator.checkpoint(MAIN, COPY, 20, 2)
    pair = [("teacher_any", FOUNDER), (f"{MAIN}.1", COPY)]
    for missing in (3, 2):
        *players, games = coordinator.thin_pair(3)
        assert [(player.id, player.weights) for player in players] == pair and games == missing
        coordinator.record([result(missing, home="teacher_any", away=f"{MAIN}.1")])
    coordinator.record([result(4, home=f"{MAIN}.1", away="teacher_any")])
    assert coordinator.thin_pair(3) is None


def test_a_coordinator_that_starts_again_knows_how_far_all_were(start):
    """Or the first to report would take training for young, and learn in long steps."""
    coordinator = start()
    coordinator.report(MAIN, 4, 40)
    coordinator.report(EXPLOITER, 3, 30)
    assert start().report(LEAGUE_EXPLOITER, 1, 10).done == 8
