"""Work done only where there is something to do, so that a tick costs what happens in it and not what could.

A CPU runs the games of a batch one after the other and passes by what is not needed in each. Where a GPU runs them side
by side, all is worked out for all and what is not needed is thrown away: the results are the same.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

CHUNK = 8
"""Places of a list that are worked on together."""
WORD = 32
"""Bits."""
EXACT = jax.lax.Precision.HIGHEST
"""GPUs would round the factors of a product to 10 bits."""


def when(needed: Bool[Array, ""], stage: Callable[[Any], Any], state: Any) -> Any:
    """`stage(state)` where it is needed, else `state` as it is. Cheap for the leaves that `stage` does not touch."""
    return jax.lax.cond(needed, stage, lambda state: state, state)


def one_by_one(function: Callable) -> Callable:
    """`function`, whose lanes under `vmap` run one after the other on a CPU, where `when` then saves time."""

    @jax.custom_batching.custom_vmap
    def call(*arguments):
        return function(*arguments)

    @call.def_vmap
    def lanes(size, batched, *arguments):
        spread = jax.tree.map(
            lambda leaf, own: leaf if own else jnp.broadcast_to(leaf, (size, *jnp.shape(leaf))),
            arguments,
            tuple(batched),
        )
        if jax.default_backend() == "cpu":
            results = jax.lax.map(lambda row: call(*row), spread)
        else:
            results = jax.vmap(function)(*spread)
        return results, jax.tree.map(lambda _: True, results)

    return call


def running(values: Array) -> Array:
    """Sums of all entries up to each, along the last axis: of flags, or of amounts, exact below 2^24.

    Flags are counted in words of bits, amounts summed in a product: XLA's CPU code for `cumsum` takes ten times as
    long."""
    count = values.shape[-1]
    if values.dtype != bool:
        return jnp.matmul(values, np.triu(np.ones((count, count), np.float32)), precision=EXACT)
    words, (word, bit) = -(-count // WORD), np.divmod(np.arange(count), WORD)
    spare = [(0, 0)] * (values.ndim - 1) + [(0, words * WORD - count)]
    flags = jnp.pad(values, spare).reshape(*values.shape[:-1], words, WORD)
    bits = jnp.where(flags, np.uint32(1) << np.arange(WORD, dtype=np.uint32), np.uint32(0)).sum(-1, dtype=jnp.uint32)
    before = (jax.lax.population_count(bits)[..., None, :] * np.tri(words, k=-1, dtype=np.uint32)).sum(-1)
    up_to = bits[..., word] & np.uint32((2 << bit.astype(np.uint64)) - 1)
    return (jax.lax.population_count(up_to) + before[..., word]).astype(jnp.int32)


def chosen(values: Array, rows: Bool[np.ndarray | Array, "*a M"], empty: bool) -> Bool[Array, "..."]:
    """The flags [*b, M] of the few entries that each row of a constant table names; `empty` where it names fewer than
    another."""
    rows = np.asarray(rows)
    index = np.argsort(~rows, axis=-1, kind="stable")[..., : max(rows.sum(-1).max(), 1)]
    return jnp.where(np.take_along_axis(rows, index, -1), values[..., index], empty)


def listed(which: Bool[Array, "*b M"]) -> tuple[Int[Array, "*b M"], Int[Array, "*b"]]:
    """Indices of the entries in `which`, in their order and then zeros, and how many there are."""
    size = which.shape[-1]
    rank = running(which)
    rows = which.reshape(-1, size)
    place = jnp.where(which, rank - 1, size).reshape(-1, size)
    empty = jnp.zeros(rows.shape, jnp.int32)
    found = empty.at[jnp.arange(len(rows))[:, None], place].set(jnp.arange(size), mode="drop")
    return found.reshape(which.shape), rank[..., -1]


def over_chunks(
    which: Bool[Array, "*b M"], body: Callable[[Array, Array, Any], Any], start: Any, chunk: int = CHUNK
) -> Any:
    """Goes through the entries in `which` a few at a time, in their order.

    Args:
      body: (indices [*b, C], whether each is one of them [*b, C], what was found so far) -> what is found now.
      start: what is found where there is none.
      chunk: how many at a time.
    """
    size = which.shape[-1]
    chunk = min(chunk, size)
    spare = -size % chunk
    order, count = listed(which)
    order = jnp.pad(order, [(0, 0)] * (which.ndim - 1) + [(0, spare)])

    def turn(i, found):
        at = jax.lax.dynamic_slice_in_dim(order, i * chunk, chunk, -1)
        return body(at, i * chunk + jnp.arange(chunk) < count[..., None], found)

    return jax.lax.fori_loop(0, (count.max() + chunk - 1) // chunk, turn, start)


def any_of(which: Bool[Array, " M"], test: Callable[[Int[Array, " C"]], Bool[Array, " C *n"]], shape) -> Array:
    """Whether anything in `which` passes a test with each of what has `shape`: `test(indices)` is [C, *shape]."""

    def body(at, real, found):
        return found | (test(at) & real.reshape(-1, *[1] * len(shape))).any(0)

    return over_chunks(which, body, jnp.zeros(shape, bool))
