"""The confusion of action types, counted by hand."""

import jax.numpy as jnp
import numpy as np

from asterism.interface.action import Action, ActionParts
from asterism.interface.network import UnrollOutput
from asterism.learning.confusion import confusion, most_frequent, type_scores


def four_steps():
    """Types 1, 1, 1, 2 of three were recorded; 1, 1, 2, 2 were the likeliest. Only type 1 uses the delay."""
    recorded, likeliest = jnp.array([[1, 1], [1, 2]]), jnp.array([[1, 1], [2, 2]])
    action = Action(recorded, *[recorded] * 6)
    none = jnp.zeros((2, 2))
    log_probs = ActionParts(*[none] * 7)._replace(
        action_type=jnp.array([[-1.0, -2.0], [-3.0, -5.0]]), delay=jnp.array([[-0.5, -0.25], [0.0, -9.0]])
    )
    logits = ActionParts(*[None] * 7)._replace(action_type=jnp.eye(3)[likeliest])
    used = ActionParts(*[jnp.zeros((2, 2), bool)] * 7)._replace(action_type=jnp.ones((2, 2), bool), delay=recorded == 1)
    return UnrollOutput(logits, log_probs, None, none), action, used


def test_counts_and_losses_by_hand():
    table = confusion(*four_steps())
    np.testing.assert_array_equal(table.counts, [[0, 0, 0], [0, 2, 1], [0, 0, 1]])
    rows = type_scores(table, ["a", "b", "c"])
    assert [(row.name, row.steps) for row in rows] == [("b", 3), ("c", 1)]
    assert rows[0].losses == {"action_type": 2.0, "delay": 0.25} and rows[1].losses == {"action_type": 5.0}
    np.testing.assert_allclose([row.right for row in rows], [2 / 3, 1.0])


def test_shares_of_the_most_frequent():
    """Whatever is left out falls to the last column, so that a row sums to 1."""
    counts = np.array([[0, 1, 3], [0, 6, 2], [0, 0, 0]])
    kinds, shares = most_frequent(counts, 1)
    assert kinds == [1]
    np.testing.assert_allclose(shares, [[0.75, 0.25]])
    kinds, shares = most_frequent(counts, 9)
    assert kinds == [1, 0]
    np.testing.assert_allclose(shares, [[0.75, 0.0, 0.25], [0.25, 0.0, 0.75]])
