"""Records on a cluster: a question asked twice, since its answer was lost, leaves the same as one asked once."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from asterism.errors import UserError
from asterism.league import CheckpointRule, LeagueSettings, LeagueState, Outcome, Player, PlayerKind, Result, Snapshot
from asterism.runtime.cluster import coordinator as module
from asterism.runtime.cluster.coordinator import Coordinator, draw_thin_pair
from asterism.runtime.cluster.settings import ClusterSettings
from asterism.runtime.cluster.training import check_gpus

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
    assert coordinator.report(MAIN, 6, 0) == (6, False, False, 0)
    assert coordinator.report(EXPLOITER, 3, 0).done == 9
    assert not coordinator.report(MAIN, 7, 0, {"loss": 1.0}).finished, "who has not reported may be far behind"
    progress = coordinator.progress()
    assert progress.done == {MAIN: 7, EXPLOITER: 3} and progress.rows == [(10, {"loss": 1.0})]
    assert coordinator.report(LEAGUE_EXPLOITER, 0, 0).finished
    assert coordinator.progress().rows == [], "each entry is handed over once"


def test_who_does_not_come_back_is_not_waited_for(start, monkeypatch):
    coordinator = start()
    assert not coordinator.report(MAIN, 12, 0).finished
    monkeypatch.setattr(module, "AWAITED_SECONDS", 0.0)
    assert coordinator.report(MAIN, 12, 0).finished


def test_updates_that_were_lost_with_a_learner_do_not_count(start):
    """Its steps do. Else training would end early after the coordinator has died as well."""
    coordinator = start()
    coordinator.report(MAIN, 8, 80)
    coordinator.report(MAIN, 2, 20)
    again = start()
    assert again.report(EXPLOITER, 0, 0).done == 2
    assert again.history(MAIN) == (80, 0)


def test_a_learner_hears_of_a_reset_whoever_asked_for_it(start):
    """The one that asked may have died before the answer."""
    coordinator = start()
    assert coordinator.report(EXPLOITER, 3, 20).resets == 0
    coordinator.checkpoint(EXPLOITER, COPY, 20, 3)
    assert coordinator.report(EXPLOITER, 3, 20).resets == 1
    assert start().report(EXPLOITER, 3, 20).resets == 1


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


def test_two_evaluators_get_two_pairs(start, monkeypatch):
    coordinator = start()
    for copy, steps in ((COPY, 20), (LATER, 40)):
        coordinator.checkpoint(MAIN, copy, steps, steps)
    pairs = {frozenset(player.id for player in coordinator.thin_pair(3)[:2]) for _ in range(3)}
    assert len(pairs) == 3 and coordinator.thin_pair(3) is None
    home, away = next(iter(pairs))
    coordinator.record([result(0, home=home, away=away)])
    assert {player.id for player in coordinator.thin_pair(3)[:2]} == {home, away}, "it is thin still"
    monkeypatch.setattr(module, "LENT_SECONDS", 0.0)
    assert coordinator.thin_pair(3) is not None, "an evaluator that died keeps no pair"


def test_thin_pairs_are_drawn_evenly():
    """Of 40 players 30 have all met; every pair with one of the others is drawn equally often."""
    state = LeagueState(decay=1.0)
    for number in range(40):
        state.add(Player(f"player{number}", PlayerKind.HISTORICAL, "any", weights=FOUNDER))
    for one, other in combinations(state.ids[:30], 2):
        state.record(one, other, Outcome.WIN)
    rng, thin = np.random.default_rng(0), 40 * 39 // 2 - 30 * 29 // 2
    taken = [frozenset(("player30", "player31"))]
    drawn = Counter(frozenset(draw_thin_pair(state, 1, taken, rng)) for _ in range(4000))
    assert len(drawn) == thin - 1 and taken[0] not in drawn
    assert all(not pair <= set(state.ids[:30]) for pair in drawn)
    mean = 4000 / (thin - 1)
    assert max(drawn.values()) < mean + 6 * mean**0.5


def test_a_coordinator_that_starts_again_knows_how_far_all_were(start):
    """Or the first to report would take training for young, and learn in long steps."""
    coordinator = start()
    coordinator.report(MAIN, 4, 40)
    coordinator.report(EXPLOITER, 3, 30)
    assert start().report(LEAGUE_EXPLOITER, 1, 10).done == 8


def test_processes_that_would_find_no_gpu_are_refused():
    settings = ClusterSettings(actors=2, learner_gpus=2, actor_gpus=0.25)
    assert settings.gpus(learners=3) == 3 * 2.5 + 0.25
    check_gpus(settings, 3, [2, 6])
    with pytest.raises(UserError, match="need 7.75 GPUs and the cluster has 7"):
        check_gpus(settings, 3, [2, 5])
    check_gpus(ClusterSettings(actors=3, actor_gpus=0.1), 3, [1])
    check_gpus(ClusterSettings(), 3, [0])


def test_learners_that_would_be_parted_between_machines_are_refused():
    settings = ClusterSettings(learner_gpus=2)
    check_gpus(settings, 3, [4, 1, 2])
    with pytest.raises(UserError, match="so 2 of 3 learners find room: machines have 3, 1, 3"):
        check_gpus(settings, 3, [3, 1, 3])


def test_numbers_that_are_none_are_refused():
    with pytest.raises(UserError, match="publish_seconds is nan"):
        ClusterSettings(publish_seconds=float("nan"))


@pytest.mark.parametrize("share", [0.00001, 1.5, float("nan"), float("inf"), -1.0])
def test_shares_of_a_gpu_that_ray_does_not_know_are_refused(share):
    with pytest.raises(UserError, match="actor_gpus"):
        ClusterSettings(actor_gpus=share)
