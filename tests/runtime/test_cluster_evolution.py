"""Population based training on a cluster: a learner takes over from one that does better, and so it does after a kill.

Learner, vault and coordinator are in this process: what would go through Ray is called at once.
"""

import numpy as np
import pytest
from fake_ray import Handle, Reference, stand_in

from asterism.league import LeagueSettings, Outcome, PopulationBasedTraining, Result, Snapshot
from asterism.learning.reinforcement import WHOLE, Factors
from asterism.runtime.checkpoints import save_weights
from asterism.runtime.cluster import feed, learner, opponents, outbox, processes, vault
from asterism.runtime.cluster.actor import Actor
from asterism.runtime.cluster.coordinator import Coordinator
from asterism.runtime.cluster.learner import Learner
from asterism.runtime.cluster.matrix_game import FOUNDER, MatrixGame
from asterism.runtime.cluster.settings import ClusterSettings, Schedule
from asterism.runtime.cluster.vault import Saved, Vault


class Cut(Exception):
    """Stands for whatever ends a process."""


WORSE, BETTER = "main_agent_any_0", "main_agent_any_1"
GAME = MatrixGame(rate=0.0)
PROGRAM = [Reference(lambda: GAME)]
RULE = PopulationBasedTraining(every_steps=3 * GAME.lanes, chance=1.0)
"""A look after three updates."""
UPDATES = 4
"""Made by five, since the answer to a report is heard an update later."""
MODEL = Saved(GAME.init(FOUNDER + 1), FOUNDER, 9, 1000, 0, 900, Factors(upgo=2.0))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run in whose records BETTER wins all games but one against the teacher and WORSE none: (coordinator, vault)."""
    stand_in(monkeypatch, feed, learner, opponents, outbox, processes, vault)
    weights = tmp_path / "weights"
    teacher = Snapshot("founder.safetensors", save_weights(weights / "founder.safetensors", FOUNDER))
    league = LeagueSettings(main_agents=2, main_exploiters=0, league_exploiters=0, self_play_share=1.0, pfsp_share=0.0,
                            verification_share=0.0, main_agent_floor=0.0)  # fmt: skip
    coordinator = Coordinator(str(tmp_path / "league.sqlite"), None, league, {"any": teacher}, UPDATES)
    for name, outcome in ((WORSE, Outcome.LOSS), (BETTER, Outcome.WIN)):
        coordinator.record([Result(f"{name}/{i}", name, "teacher_any", outcome, 0) for i in range(20)])
    coordinator.record([Result("draw", BETTER, "teacher_any", Outcome.DRAW, 0)])
    coordinator.report(BETTER, 0, 0)
    kept = Vault(PROGRAM, str(weights), str(tmp_path / "checkpoints"))
    kept.save(BETTER, MODEL)
    return coordinator, kept


def start(run, rule=RULE) -> Learner:
    """The process of the worse learner, new."""
    program, schedule = PROGRAM, Schedule(UPDATES, log_every=1, checkpoint_seconds=1e9, pbt=rule)
    both = [Handle(process) for process in run]
    (player,) = [player for player in run[0].learners() if player.id == WORSE]
    plays = Actor(program, player, ("any",), schedule, 1, *both)
    return Learner(program, WORSE, schedule, ClusterSettings(publish_seconds=1e9), *both, [Handle(plays)])


def took_over(run) -> bool:
    """Whether the learner's newest training checkpoint holds what it has from its model. (Nothing is learned.)"""
    saved = run[1].restore(WORSE)
    ratios = np.array(saved.factors) / np.array(MODEL.factors)
    changed = all(np.isclose(ratio, (1.2, 1 / 1.2)).any() for ratio in ratios)
    return changed and (saved.state.weights == MODEL.state.weights).all()


def test_a_worse_learner_takes_over_and_changes_factors(run, monkeypatch):
    played, collect = [], Actor.collect
    monkeypatch.setattr(Actor, "collect", lambda self, *order: (played.append(order[2]), collect(self, *order))[1])
    start(run).run()
    assert took_over(run)
    assert played.count(True) == 2, "its games begin anew: at first, and with other weights"
    published = run[1].learner(WORSE, known=None).policy[0].value
    assert (published == MODEL.state.weights).all(), "its opponents meet it at once"
    saved = run[1].restore(WORSE)
    assert (saved.start == FOUNDER).all() and saved.update == UPDATES + 1 and saved.steps == saved.update * GAME.lanes
    factors = [row[f"factor_{WORSE}/upgo"] for _, row in run[0].progress().rows]
    assert factors[0] == 1 and not np.isclose(factors[-1], (1, 2)).any()


def test_factors_multiply_rates(run):
    one = start(run)
    one.restore()
    one.factors = Factors(2.0, 3.0, 4.0, 5.0, 6.0)
    one.standing = one.standing._replace(done=1)
    assert one.rates() == pytest.approx((2.0 * 0.75, 3.0, 4.0, 5.0, 6.0))


def test_a_kill_after_it_leaves_what_was_taken_over(run):
    one = start(run)
    one.hear = lambda: None if one.update < 4 else cut()
    with pytest.raises(Cut):
        one.run()
    assert took_over(run)
    again = start(run)
    again.restore()
    assert again.factors == run[1].restore(WORSE).factors
    assert not again.schedule.pbt.due(again.looked, again.steps), "the next look is not due yet"


def test_a_kill_before_it_is_on_the_disk_lets_it_look_again(run):
    """Though by the steps on record the look is over."""
    one, save = start(run), Learner.save
    one.save = lambda: save(one) if one.update < 3 else cut()
    with pytest.raises(Cut):
        one.run()
    run[0].report(WORSE, 3, 3 * GAME.lanes)
    assert run[1].restore(WORSE).factors == WHOLE
    start(run).run()
    assert took_over(run)


@pytest.mark.parametrize("rule", [PopulationBasedTraining(), PopulationBasedTraining(RULE.every_steps, better_by=1.0)])
def test_without_a_better_one_it_goes_its_own_way(run, rule):
    start(run, rule).run()
    assert run[1].restore(WORSE).factors == WHOLE and (run[1].restore(WORSE).state.weights == FOUNDER).all()


def test_a_model_without_a_checkpoint_is_none(run, tmp_path):
    bare = Vault(PROGRAM, str(tmp_path / "weights"), str(tmp_path / "elsewhere"))
    start((run[0], bare)).run()
    assert bare.restore(WORSE).factors == WHOLE


def cut():
    """The process ends."""
    raise Cut
