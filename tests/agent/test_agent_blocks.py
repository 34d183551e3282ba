"""Blocks against what they stand for."""

from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.agent.choice import sample_cell
from asterism.agent.config import AGENT_SIZES, CoreConfig, PointerConfig
from asterism.agent.convolution import DIMENSIONS, Downsample, Upsample
from asterism.agent.core import Core
from asterism.agent.encodings import Bits, Category, IntegerEncoder, Number, Quantity, entity_table, plane_table
from asterism.agent.initializer import initialize
from asterism.agent.pointers import SelectedUnitsHead
from asterism.interface.observation import EntityField, MapPlane

KEY = jax.random.key(0)
ENTITIES, ROUNDS = 4, 3


@pytest.fixture(scope="module")
def head():
    return initialize(lambda init: SelectedUnitsHead(init, 8, 5, 16, PointerConfig(width=8, key=8)), KEY)


@pytest.fixture(scope="module")
def moment():
    """Embedding, keys, what is selectable (not entity 2), unit types, used."""
    embedding, keys = jax.random.normal(KEY, (16,)), jax.random.normal(KEY, (ENTITIES, 8))
    return embedding, keys, jnp.arange(ENTITIES) != 2, jnp.ones(5), jnp.array(True)


def test_probabilities_of_all_selections_sum_to_one(head, moment):
    selections = [choice for count in (1, 2, 3) for choice in permutations((0, 1, 3), count)]
    padded = jnp.array([choice + (-1,) * (ROUNDS - len(choice)) for choice in selections])
    score = jax.vmap(lambda units: head.score(units, *moment, temperature=0.7).log_prob)
    assert float(jnp.exp(score(padded)).sum()) == pytest.approx(1, abs=1e-5)


def test_a_forbidden_or_repeated_unit_has_no_probability(head, moment):
    score = jax.vmap(lambda units: head.score(units, *moment, temperature=0.7).log_prob)
    assert (score(jnp.array([[2, -1, -1], [0, 0, -1], [-1, -1, -1]])) < -1e8).all()


def test_sampled_selections_are_scored_alike(head, moment):
    sample = jax.vmap(lambda key: head.sample(key, *moment, rounds=ROUNDS, temperature=0.7))
    sampled = sample(jax.random.split(KEY, 100))
    scored = jax.vmap(lambda units: head.score(units, *moment, temperature=0.7))(sampled.units)
    np.testing.assert_allclose(sampled.log_prob, scored.log_prob, atol=1e-5)
    np.testing.assert_allclose(sampled.embedding, scored.embedding, atol=1e-5)
    np.testing.assert_array_equal(sampled.rounds, scored.rounds)
    assert len(np.unique(sampled.units, axis=0)) > 3


def test_a_selection_does_not_depend_on_those_beside_it(head, moment):
    """The loop goes on for the longest of them; one that has ended is left as it was."""
    draw = lambda key: head.sample(key, *moment, rounds=ROUNDS, temperature=0.7)  # noqa: E731
    keys = jax.random.split(KEY, 20)
    together, alone = jax.vmap(draw)(keys), jax.lax.map(draw, keys)
    assert len(np.unique(together.rounds.sum(1))) > 1
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), together, alone)


def test_with_nothing_to_select_the_selection_is_empty_for_certain(head, moment):
    embedding, keys, selectable, types, used = moment
    empty = head.sample(KEY, embedding, keys, selectable & False, types, used, rounds=ROUNDS, temperature=1.0)
    assert (empty.units == -1).all()
    assert empty.log_prob == 0
    np.testing.assert_array_equal(empty.embedding, embedding)


def test_cells_are_sampled_as_often_as_their_probability():
    logits = jax.random.normal(KEY, (16,)).at[5].set(-1e9)
    cells = jax.vmap(lambda key: sample_cell(key, logits))(jax.random.split(KEY, 20_000))
    probability = jax.nn.softmax(logits)
    frequency = jnp.bincount(cells, length=16) / len(cells)
    assert (jnp.abs(frequency - probability) <= 5 * jnp.sqrt(probability / len(cells))).all()


@pytest.mark.parametrize("kernel", [2, 4])
def test_resolution_changes_are_strided_convolutions(kernel):
    x = jax.random.normal(KEY, (6, 6, 3))
    down = initialize(lambda init: Downsample(init, 3, 5, kernel), KEY)
    pad = [(kernel // 2 - 1,) * 2] * 2
    expected = jax.lax.conv_general_dilated(x[None], down.weight, (2, 2), pad, dimension_numbers=DIMENSIONS)[0]
    np.testing.assert_allclose(down(x), expected, atol=1e-5)
    up = initialize(lambda init: Upsample(init, 3, 5, kernel), KEY)
    expected = jax.lax.conv_transpose(x[None], up.weight, (2, 2), "SAME", dimension_numbers=DIMENSIONS)[0]
    np.testing.assert_allclose(up(x), expected, atol=1e-5)


def test_a_reset_core_has_no_past():
    core = initialize(lambda init: Core(init, 3, CoreConfig(width=4, layers=2)), KEY)
    zero = tuple(layer.zeros() for layer in core.layers)
    x = jax.random.normal(KEY, (5, 3))
    _, whole = core.unroll(zero, x, jnp.arange(5) == 2)
    _, tail = core.unroll(zero, x[2:], jnp.zeros(3, bool))
    _, without = core.unroll(zero, x, jnp.zeros(5, bool))
    np.testing.assert_allclose(whole[2:], tail, atol=1e-6)
    assert jnp.abs(whole[2:] - without[2:]).max() > 1e-3


def test_every_column_is_encoded(game):
    assert set(entity_table(game)) == set(EntityField)
    assert set(plane_table()) == set(MapPlane)


@pytest.mark.parametrize("one_hot", [True, False])
def test_integers_are_encoded_as_the_table_says(one_hot):
    """Against the encodings written out by hand and multiplied with the weights."""
    table = {0: (Category(3), Number(10)), 1: (Quantity(30, root=True),), 2: (Quantity(40, step=10),), 3: (Bits(4),)}
    encoder = initialize(lambda init: IntegerEncoder(init, table, 6, one_hot), KEY)
    x = jnp.array([[1, 17, 25, 0b1010], [2, 99, 99, 0b10001], [9, 0, 0, 0]])
    rows = {True: ([1, 3 + 4, 9 + 2], [2, 3 + 5, 9 + 4], [2, 3, 9]), False: ([1], [2], [2])}[one_hot]
    numbers = {
        True: ([0.1], [0.2], [0.9]),
        False: ([0.1, np.sqrt(17 / 30), 25 / 40], [0.2, 1, 1], [0.9, 0, 0]),
    }[one_hot]
    digits = ([0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0])
    for got, row, number, digit in zip(encoder(x), rows, numbers, digits, strict=True):
        expected = encoder.lookup[jnp.array(row)].sum(0) + jnp.array([*number, *digit]) @ encoder.dense
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_config_presets_grow():
    widths = [AGENT_SIZES[name].core.width for name in ("tiny", "small", "full")]
    assert widths == sorted(widths)
    assert widths[-1] == 384
