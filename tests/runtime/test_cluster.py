"""A league on three Ray nodes of this machine, of whose processes each kind is killed while it trains.

The game is rock, paper, scissors, and the kills are those of `scripts/kill_cluster.py`. One training lives through all
of it, for its processes take seconds to start; the tests look at what came of it.
"""

import random
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.append(str(Path(__file__).parents[2] / "scripts"))

import kill_cluster  # noqa: E402  (before Ray, since it says where Ray listens)
import ray  # noqa: E402
from ray import cloudpickle  # noqa: E402

from asterism.league import CheckpointRule, LeagueSettings, Store  # noqa: E402
from asterism.runtime.cluster.matrix_game import FOUNDER, MatrixGame, expected  # noqa: E402
from asterism.runtime.cluster.vault import Saved, Vault  # noqa: E402
from asterism.runtime.snapshots import load_snapshot  # noqa: E402

# The processes of the cluster cannot import it.
cloudpickle.register_pickle_by_value(kill_cluster)
MAIN = "main_agent_any_0"
RULE = CheckpointRule(4_000, 8_000, 0.0)
AGAINST_THE_PAST = {"self_play_share": 0.0, "pfsp_share": 1.0, "verification_share": 0.0}
LEAGUE = LeagueSettings(
    league_exploiters=0, main_agent_checkpoint=RULE, main_exploiter_checkpoint=RULE, **AGAINST_THE_PAST
)


class Life(NamedTuple):
    """What came of the training."""

    folder: Path
    recovery: dict
    """Seconds after which all went on, by what was killed; None: it did not."""
    before: dict
    """Updates of each learner when the training was stopped,"""
    again: dict
    """and when all had first reported after the same training was begun again."""
    done: dict
    """At the end."""
    rows: list
    """What was logged."""
    counts: kill_cluster.Counts


@pytest.fixture(scope="module")
def machines():
    machines = kill_cluster.Machines()
    yield machines
    machines.close()


@pytest.fixture(scope="module")
def life(machines, tmp_path_factory):
    folder, chance, rows = tmp_path_factory.mktemp("cluster"), random.Random(0), []
    with kill_cluster.begin(folder, 10**9, LEAGUE) as training:
        watching, recovery = training.watch(), {}
        for kind in ("nothing", *kill_cluster.KINDS):
            killed = 0 if kind == "nothing" else machines.kill(kind, chance)
            recovery[kind] = kill_cluster.recovered(machines, watching, training.learners, killed)
        before = next(watching).done
    with kill_cluster.begin(folder, sum(before.values()) + 600, LEAGUE) as training:
        again = {}
        for progress in training.watch():
            again = {name: again.get(name, done) for name, done in progress.done.items()}
            rows += progress.rows
    return Life(folder, recovery, before, again, progress.done, rows, kill_cluster.count(folder))


@pytest.mark.parametrize("kind", kill_cluster.KINDS)
def test_training_goes_on_when_it_is_killed(life, kind):
    assert life.recovery[kind] is not None


def test_no_result_is_lost_or_counted_twice(life):
    assert 1000 < life.counts.acknowledged <= life.counts.recorded
    assert life.counts.lost == life.counts.double == life.counts.gaps == 0


def test_the_same_training_goes_on_after_its_end(life):
    """From checkpoints that are a second old at most."""
    for learner, done in life.before.items():
        assert 0.5 * done < life.again[learner] < life.done[learner]


def test_copies_join_each_with_a_file_of_its_own(life):
    players = Store(life.folder / "league.sqlite", create=False).load(LeagueSettings().decay).players.values()
    files = [player.weights.file for player in players if not player.is_learner]
    assert len(files) > 3 and len(set(files)) == len(files)
    assert {file.name for file in (life.folder / "weights").iterdir()} >= set(files)


def test_the_main_agent_learns_to_beat_its_teacher(life):
    """Its first copy, that is, which has met nobody else; later ones have others to beat, and go round."""
    players = Store(life.folder / "league.sqlite", create=False).load(LeagueSettings().decay).players
    first = load_snapshot(life.folder / "weights", players[f"{MAIN}.1"].weights, FOUNDER)
    assert expected(first, FOUNDER) > 0.1 > expected(FOUNDER, FOUNDER)


def test_a_learner_keeps_its_state(life):
    program = [ray.put(MatrixGame)]
    saved = Vault(program, str(life.folder / "weights"), str(life.folder / "checkpoints")).restore(MAIN)
    assert saved.resets == 0 and (saved.start == FOUNDER).all(), "no values are learned in this warm-up"
    assert saved.update >= life.done[MAIN] and saved.state.optimizer[0].trace.any()


def test_learners_log_what_they_do_on_two_devices(life):
    logged = {name: value for _, row in life.rows for name, value in row.items()}
    assert logged[f"devices/{MAIN}"] == 2
    assert 0 <= logged[f"win_rate/{MAIN} against teacher_any"] <= 1


def test_evaluators_play_frozen_players(life):
    totals = Store(life.folder / "league.sqlite", create=False).load(1.0).totals
    assert totals.games("teacher_any", f"{MAIN}.1") > 0


def test_frozen_weights_and_checkpoints_come_back(machines, tmp_path):
    vault = Vault([ray.put(MatrixGame)], str(tmp_path / "weights"), str(tmp_path / "checkpoints"))
    assert vault.restore(MAIN) is None
    names = {vault.freeze(MAIN, 3, FOUNDER + change) for change in (0, 0, 1)}
    assert len(names) == 2, "equal weights are one file"
    policies = [ray.get(vault.frozen_policy(name).policy[0]) for name in names]
    assert sorted(policy[0] for policy in policies) == [FOUNDER[0], FOUNDER[0] + 1]

    state = MatrixGame().init(FOUNDER + 2)
    for update in (5, 6, 6, 7):
        vault.save(MAIN, Saved(state, FOUNDER, update, 100, 1))
    saved = vault.restore(MAIN)
    assert saved[2:] == Saved(state, FOUNDER, 7, 100, 1)[2:] and (saved.state.weights == state.weights).all()
    newest = vault.learner(MAIN, known=None)
    assert newest.version == 7 and (ray.get(newest.policy[0]) == FOUNDER + 2).all()
    vault.publish(MAIN, 8, FOUNDER)
    assert vault.learner(MAIN, known=8) is None and vault.learner(MAIN, known=7).version == 8
