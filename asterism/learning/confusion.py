"""How an imitator's choices differ from the recorded ones, by action type."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Integer

from asterism.interface.action import Action, ActionParts
from asterism.interface.network import UnrollOutput


class Confusion(NamedTuple):
    """Sums over steps; A action types."""

    counts: Integer[Array | np.ndarray, "A A"]
    """Steps by the recorded action type (row) and the likeliest (column)."""
    losses: ActionParts
    """[A] each: cross-entropy of a part over the steps with the action type that use it."""
    uses: ActionParts
    """[A] each: how many steps those are."""


def confusion(output: UnrollOutput, action: Action, used: ActionParts) -> Confusion:
    """The confusion of steps of any leading shape; `used` says which parts each action uses."""
    kinds = output.logits.action_type.shape[-1]
    recorded = action.action_type.reshape(-1)
    likeliest = output.logits.action_type.argmax(-1).reshape(-1)

    def by_type(values: Array) -> Array:
        return jax.ops.segment_sum(values.reshape(-1), recorded, kinds)

    return Confusion(
        counts=jnp.zeros((kinds, kinds), jnp.int32).at[recorded, likeliest].add(1),
        losses=jax.tree.map(lambda log_prob, use: by_type(jnp.where(use, -log_prob, 0.0)), output.log_probs, used),
        uses=jax.tree.map(lambda use: by_type(use.astype(jnp.int32)), used),
    )


class TypeScore(NamedTuple):
    """One recorded action type."""

    name: str
    steps: int
    right: float
    """Share of its steps in which it was the likeliest."""
    losses: dict[str, float]
    """Mean cross-entropy (nats) of each part that it uses."""


def type_scores(table: Confusion, names: Sequence[str]) -> list[TypeScore]:
    """A row for each action type that was recorded, the most frequent first. The table holds numpy arrays."""
    steps = table.counts.sum(1)
    losses, uses = table.losses._asdict(), table.uses._asdict()
    return [
        TypeScore(
            names[kind],
            int(steps[kind]),
            float(table.counts[kind, kind] / steps[kind]),
            {part: float(losses[part][kind] / uses[part][kind]) for part in losses if uses[part][kind] > 0},
        )
        for kind in np.argsort(-steps, kind="stable")
        if steps[kind] > 0
    ]


def most_frequent(counts: Integer[np.ndarray, "A A"], most: int) -> tuple[list[int], Float[np.ndarray, "n m"]]:
    """The action types recorded most often, at most `most`, and what was likeliest in each one's steps, as shares of
    them: a column for each of these types in the same order, then one for all others."""
    steps = counts.sum(1)
    kinds = [int(kind) for kind in np.argsort(-steps, kind="stable")[:most] if steps[kind] > 0]
    among = counts[np.ix_(kinds, kinds)]
    rows = np.column_stack([among, steps[kinds] - among.sum(1)])
    return kinds, rows / steps[kinds, None]
