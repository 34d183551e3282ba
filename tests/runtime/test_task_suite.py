"""The quickest task is learned from scratch, by the agent's own network and losses, and not without its part."""

import jax
import jax.numpy as jnp
import pytest

from asterism.errors import UserError
from asterism.runtime.removals import REMOVALS
from asterism.runtime.task_suite import Classroom, TasksConfig


@pytest.fixture(scope="module")
def classroom():
    return Classroom(TasksConfig(episodes=500))


def test_an_agent_learns_to_follow_z(classroom):
    learned = classroom.learn("follow_z", "", seed=0)
    assert learned.successes > 0.95 * learned.episodes >= 0.95 * 500


def test_parts_that_are_taken_out_are_zero_and_nothing_else_is(classroom):
    params = jax.eval_shape(classroom.network.init, jax.random.key(0))
    ones = jax.tree.map(lambda leaf: jnp.ones(leaf.shape), params)
    gone = {name: jax.tree.leaves_with_path(REMOVALS[name].weights(ones)) for name in REMOVALS}
    changed = {name: {jax.tree_util.keystr(p) for p, leaf in leaves if not leaf.all()} for name, leaves in gone.items()}
    assert changed["scatter"] == {".policy.spatial_encoder.mix"}
    assert changed["pointers"] == {".policy.units.keys.weight", ".policy.units.keys.bias"}
    assert changed["attention"] and all(".attention.output" in path for path in changed["attention"])
    assert not changed["memory"] and not changed["z"]
    assert REMOVALS["memory"].forgets


@pytest.mark.parametrize("wrong", [{"names": ("juggle",)}, {"without": ("luck",)}, {"seeds": 0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UserError):
        TasksConfig(**wrong)
