"""Distances to a strategy z against plain references, and the rewards for coming closer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.interface.observation import Strategy
from asterism.learning.pseudo_rewards import (
    StrategyValues,
    build_order_distance,
    hamming_distance,
    pseudo_rewards,
    strategy_distances,
    time_decay,
)

L = 6
jit_distance = jax.jit(build_order_distance)


def order(*types, xy=None):
    """A padded build order and its places, by default all at the origin."""
    entries = jnp.array(list(types) + [0] * (L - len(types)))
    places = jnp.zeros((L, 2)) if xy is None else jnp.zeros((L, 2)).at[: len(types)].set(jnp.array(xy, float))
    return entries, places


def distance(executed, target, scale=10.0):
    return float(jit_distance(executed[0], target[0], executed[1], target[1], scale))


def levenshtein(executed, target, cost):
    """The textbook table of two sequences of (type, place)."""
    table = np.zeros((len(executed) + 1, len(target) + 1))
    table[:, 0], table[0] = np.arange(len(executed) + 1), np.arange(len(target) + 1)
    for i, a in enumerate(executed, 1):
        for j, b in enumerate(target, 1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + cost(a, b))
    return table[-1, -1]


entries = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 15), st.integers(0, 15)), max_size=L)


@settings(deadline=None, max_examples=100)
@given(executed=entries, target=entries, scale=st.sampled_from([5.0, 12.0, np.inf]))
def test_build_order_distance_is_the_edit_distance_of_equally_long_prefixes(executed, target, scale):
    def cost(a, b):
        squared = (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2
        return 0.8 * min(squared / scale**2, 1) if a[0] == b[0] else 1

    arrays = [order(*(e[0] for e in side), xy=[e[1:] for e in side] or np.zeros((0, 2))) for side in (executed, target)]
    n = min(len(executed), len(target))
    assert distance(*arrays, scale) == pytest.approx(levenshtein(executed[:n], target[:n], cost), abs=1e-5)


@pytest.mark.parametrize(
    "executed, target, expected",
    [
        ((), (1, 2, 3), 0),  # nothing done yet
        ((1, 2), (1, 2, 3), 0),  # on the way
        ((1, 2, 3, 1), (1, 2, 3), 0),  # done, and went on
        ((1, 1), (1, 2, 3), 1),  # one wrong
        ((2, 3, 1), (1, 2, 3), 2),  # shifted: one deleted, one inserted
        ((1, 2), (), 0),  # a z without a build order asks for nothing
    ],
)
def test_build_order_distance_by_hand(executed, target, expected):
    assert distance(order(*executed), order(*target)) == pytest.approx(expected)


@pytest.mark.parametrize("cells, expected", [(0, 0.0), (5, 0.2), (10, 0.8), (40, 0.8)])
def test_same_type_elsewhere_costs_its_squared_distance_up_to_0_8(cells, expected):
    assert distance(order(1, xy=[(0, 0)]), order(1, xy=[(0, cells)])) == pytest.approx(expected)


@settings(deadline=None, max_examples=30)
@given(a=entries, b=entries)
def test_build_order_distance_is_symmetric_and_bounded_by_the_length(a, b):
    first, second = (order(*(e[0] for e in side), xy=[e[1:] for e in side] or np.zeros((0, 2))) for side in (a, b))
    assert distance(first, second) == pytest.approx(distance(second, first))
    assert 0 <= distance(first, second) <= min(len(a), len(b))
    assert distance(first, first) == 0


def test_hamming_distance_counts_differences():
    assert hamming_distance(jnp.array([True, False, True]), jnp.array([False, False, True])) == 1


def strategy(build_order=(), location=0, units=(), upgrades=(), effects=()):
    def flags(members, size):
        return jnp.zeros(size, bool).at[jnp.array(members, int)].set(True)

    places = jnp.where(jnp.arange(L) < len(build_order), location, 0)
    return Strategy(order(*build_order)[0], places, flags(units, 5), flags(effects, 4), flags(upgrades, 3))


def test_strategy_distances_name_their_parts():
    """One unit, two upgrades and three effects off; the build order agrees."""
    executed, target = strategy((1, 2)), strategy((1, 2), units=[3], upgrades=[0, 2], effects=[0, 1, 2])
    assert strategy_distances(executed, target, location=16, map_cells=64) == StrategyValues(0, 1, 2, 3)


def test_places_are_measured_in_map_cells_not_grid_cells():
    """Two grid cells down and one right at 4 map cells each: 80 squared cells, of 20 squared."""
    executed, target = strategy((1,)), strategy((1,), location=2 * 16 + 1)
    actual = strategy_distances(executed, target, location=16, map_cells=64, scale=20.0)
    assert actual.build_order == pytest.approx(0.8 * 80 / 400)


@pytest.mark.parametrize(
    "minutes, expected",
    [(0, 1), (7.99, 1), (8.01, 0.5), (15.99, 0.5), (16.01, 0.25), (23.99, 0.25), (24.01, 0), (90, 0)],
)
def test_pseudo_rewards_fade(minutes, expected):
    assert time_decay(jnp.array(int(minutes * 60 * 22.4))) == expected


ON = StrategyValues(*[jnp.array(True)] * 4)


def values(*numbers):
    return StrategyValues(*(jnp.array(float(number)) for number in numbers))


def reward(before, after, loop=0, discount=1.0, enabled=ON):
    return np.asarray(pseudo_rewards(before, after, jnp.array(loop), jnp.array(discount), enabled))


def test_coming_closer_pays_and_going_away_costs():
    np.testing.assert_allclose(reward(values(1, 5, 2, 0), values(2, 3, 2, 1)), [-1, 2, 0, -1])


def test_rewards_are_halved_switched_off_and_never_cross_games():
    before, after = values(4, 4, 4, 4), values(3, 3, 3, 3)
    np.testing.assert_allclose(reward(before, after, loop=round(10 * 60 * 22.4)), [0.5] * 4)
    enabled = StrategyValues(*(jnp.array(on) for on in (True, False, True, False)))
    np.testing.assert_allclose(reward(before, after, enabled=enabled), [1, 0, 1, 0])
    np.testing.assert_allclose(reward(before, after, discount=0.0), [0] * 4)


def test_rewards_of_a_game_add_up_to_the_whole_change():
    """Before anything fades, the sum over a game is the first distance minus the last."""
    target = strategy((1, 2, 3), units=[1, 2])
    path = [strategy(), strategy((1,), units=[1]), strategy((1, 3), units=[1]), strategy((1, 3, 2), units=[1, 4])]
    batch = jax.tree.map(lambda *x: jnp.stack(x), *path)
    distances = jax.vmap(lambda executed: strategy_distances(executed, target, 16, 64))(batch)
    before, after = (jax.tree.map(lambda x, s=s: x[s], distances) for s in (slice(None, -1), slice(1, None)))
    on = jax.tree.map(lambda x: jnp.broadcast_to(x, 3), ON)
    rewards = pseudo_rewards(before, after, jnp.arange(3), jnp.ones(3), on)
    assert rewards.shape == (3, 4)
    np.testing.assert_allclose(rewards.sum(0), [-2, 2 - 2, 0, 0], atol=1e-5)
