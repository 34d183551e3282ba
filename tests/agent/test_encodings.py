"""Every field of an observation as the network reads it, against AlphaStar's table (Extended Data Table 1) by hand."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.agent.encodings import IntegerEncoder, entity_table, plane_table
from asterism.agent.initializer import initialize
from asterism.agent.scalar_encoder import sinusoids
from asterism.interface.observation import EntityField, MapPlane, Race

F, P = EntityField, MapPlane


def written_out(encodings, values) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, one-hots) that stand for each value: what a layer whose weights are the identity gives."""
    make = lambda width: initialize(lambda init: IntegerEncoder(init, {0: encodings}, width), jax.random.key(0))  # noqa: E731
    dense, rows = len(make(1).dense), len(make(1).lookup)
    eye = jnp.eye(dense + rows)
    encoder = eqx.tree_at(lambda e: (e.dense, e.lookup), make(dense + rows), (eye[:dense], eye[dense:]))
    out = np.asarray(encoder(jnp.asarray(values)[:, None]))
    return out[:, :dense], out[:, dense:]


ONE_HOTS = [
    # field, classes, {value: class}; amounts beyond the last count as the last
    (F.ALLIANCE, 5, {0: 0, 4: 4}),
    (F.HEALTH, 39, {0: 0, 1: 1, 3: 1, 4: 2, 45: 6, 1500: 38, 9999: 38}),
    (F.SHIELD, 32, {0: 0, 80: 8, 1000: 31, 2000: 31}),
    (F.ENERGY, 15, {0: 0, 50: 7, 200: 14, 255: 14}),
    (F.CARGO_USED, 9, {0: 0, 8: 8, 20: 8}),
    (F.CARGO_MAX, 9, {4: 4, 8: 8}),
    (F.DISPLAY_TYPE, 5, {0: 0, 4: 4}),
    (F.CLOAK, 5, {0: 0, 4: 4}),
    (F.MINERALS, 19, {0: 0, 99: 0, 100: 1, 1799: 17, 1800: 18}),
    (F.VESPENE, 26, {0: 0, 2250: 22, 2500: 25}),
    (F.MINED_MINERALS, 43, {0: 0, 25: 5, 1800: 42}),
    (F.MINED_VESPENE, 51, {0: 0, 2500: 50}),
    (F.ASSIGNED_HARVESTERS, 24, {0: 0, 16: 16, 23: 23, 30: 23}),
    (F.IDEAL_HARVESTERS, 17, {0: 0, 16: 16, 17: 16}),
    (F.WEAPON_COOLDOWN, 32, {0: 0, 31: 31, 60: 31}),
    (F.ORDER_LENGTH, 9, {0: 0, 8: 8, 9: 8}),
    (F.BUFF_0, 320, {0: 0, 275: 275}),
    (F.BUFF_1, 320, {0: 0, 319: 319}),
    (F.WEAPON_UPGRADE, 4, {0: 0, 3: 3}),
    (F.ARMOR_UPGRADE, 4, {1: 1}),
    (F.SHIELD_UPGRADE, 4, {2: 2}),
    (P.VISIBILITY, 4, {0: 0, 3: 3}),
    (P.OWNER, 5, {0: 0, 4: 4}),
]
RATIOS = (F.BUILD_PROGRESS, F.HEALTH_RATIO, F.SHIELD_RATIO, F.ENERGY_RATIO)
NUMBERS = [
    # field, {value: number in 0..1}
    *((field, {0: 0.0, 51: 0.2, 255: 1.0}) for field in RATIOS),
    *((field, {0: 0.0, 1: 1.0}) for field in (F.POWERED, F.HALLUCINATION, F.ACTIVE, F.ON_SCREEN, F.IN_CARGO)),
    *((field, {0: 0.0, 1: 1.0}) for field in (F.WAS_SELECTED, F.WAS_TARGETED)),
    *((field, {0: 0.0, 1: 1.0}) for field in (P.CREEP, P.ALERTS, P.PATHABLE, P.BUILDABLE, P.CAMERA)),
    (P.HEIGHT, {0: 0.0, 102: 0.4, 255: 1.0}),
]  # fmt: skip


def encodings_of(game, field):
    """The field's rows of the tables."""
    return plane_table()[field] if isinstance(field, MapPlane) else entity_table(game)[field]


@pytest.mark.parametrize("field,classes,examples", ONE_HOTS, ids=lambda value: getattr(value, "name", ""))
def test_amounts_and_kinds_are_one_hots(game, field, classes, examples):
    numbers, hot = written_out(encodings_of(game, field), list(examples))
    assert numbers.shape[1] == 0
    np.testing.assert_array_equal(hot, np.eye(classes)[list(examples.values())])


@pytest.mark.parametrize("field,examples", NUMBERS, ids=lambda value: getattr(value, "name", ""))
def test_shares_and_flags_are_numbers(game, field, examples):
    numbers, hot = written_out(encodings_of(game, field), list(examples))
    assert hot.shape[1] == 0
    np.testing.assert_allclose(numbers[:, 0], list(examples.values()), atol=1e-6)


def test_attributes_are_thirteen_flags(game):
    numbers, _ = written_out(entity_table(game)[F.ATTRIBUTES], [0, 0b1000000000101])
    np.testing.assert_array_equal(numbers, [[0] * 13, [1, 0, 1, *[0] * 9, 1]])


@pytest.mark.parametrize("field", [F.X, F.Y])
def test_places_are_binary_and_a_number(game, field):
    """In eighths of a cell: 20.25 cells are 162, binary 10100010; the toy map has 64 cells."""
    numbers, _ = written_out(entity_table(game)[field], [162])
    np.testing.assert_allclose(numbers, [[162 / 512, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("field", [F.ORDER_PROGRESS_0, F.ORDER_PROGRESS_1])
def test_progress_is_a_number_and_ten_classes(game, field):
    numbers, hot = written_out(entity_table(game)[field], [0, 128, 255])
    np.testing.assert_allclose(numbers[:, 0], [0, 128 / 255, 1], atol=1e-6)
    np.testing.assert_array_equal(hot, np.eye(10)[[0, 4, 9]])


@pytest.mark.parametrize("field", [F.UNIT_TYPE, F.ADDON, F.ORDER_0, F.ORDER_3])
def test_types_and_orders_have_a_class_each(game, field):
    classes = len(game.unit_types) if field in (F.UNIT_TYPE, F.ADDON) else len(game.actions) + 1
    _, hot = written_out(entity_table(game)[field], np.arange(classes))
    np.testing.assert_array_equal(hot, np.eye(classes))


def test_every_field_is_in_one_of_these_tests():
    rest = [F.ATTRIBUTES, F.X, F.Y, F.ORDER_PROGRESS_0, F.ORDER_PROGRESS_1]
    rest += [F.UNIT_TYPE, F.ADDON, F.ORDER_0, F.ORDER_1, F.ORDER_2, F.ORDER_3]
    # By name: a field of one enumeration equals the other's of the same number.
    named = {repr(field) for field in [*rest, *(field for field, *_ in [*ONE_HOTS, *NUMBERS])]}
    assert named == {repr(field) for field in [*EntityField, *MapPlane]} and len({*EntityField}) == 43


def test_roots_are_rounded_down_for_every_amount(game):
    amounts = np.arange(1501)
    _, hot = written_out(entity_table(game)[F.HEALTH], amounts)
    np.testing.assert_array_equal(hot.argmax(1), [math.isqrt(amount) for amount in amounts])


def test_scalars_by_hand(params, batch, size):
    """Logarithms, roots, one-hots; z says whether it is masked."""
    observation = jax.tree.map(lambda leaf: leaf[0], batch[0])
    scalars, z = observation.scalars, observation.z
    scalars = scalars._replace(
        statistics=jnp.arange(10, dtype=scalars.statistics.dtype) * 100,
        unit_counts=jnp.full_like(scalars.unit_counts, 9),
        races=jnp.array([Race.ZERG, Race.UNKNOWN], scalars.races.dtype),
        mmr=jnp.asarray(7200, scalars.mmr.dtype),
        last_delay=jnp.asarray(5, scalars.last_delay.dtype),
        last_queued=jnp.asarray(1, scalars.last_queued.dtype),
        last_repeat=jnp.asarray(2, scalars.last_repeat.dtype),
    )
    got = params.policy.scalar_encoder._features(scalars, z._replace(units=jnp.zeros_like(z.units)))
    np.testing.assert_allclose(got["statistics"], np.log1p(np.arange(10) * 100), rtol=1e-6)
    np.testing.assert_array_equal(got["unit_counts"], np.full(len(scalars.unit_counts), 3.0))
    races = len(Race)
    np.testing.assert_array_equal(got["races"].reshape(2, races), np.eye(races)[[Race.ZERG, Race.UNKNOWN]])
    np.testing.assert_array_equal(got["mmr"], np.eye(7)[6])
    np.testing.assert_array_equal(got["last_delay"], np.eye(size.delays)[5])
    np.testing.assert_array_equal(got["last_repeat"], [0, 1, *np.eye(size.repeats)[2]])
    assert not got["units"].any() and got["upgrades"][-1] == np.asarray(z.upgrades).any()


def test_time_is_waves_from_a_loop_to_an_hour():
    """The first sine turns once in 2 pi loops, the last one 10,000 ** (1 - 1 / 32) times as slowly."""
    waves = np.asarray(sinusoids(jnp.asarray(300), 64))
    rates = 10_000.0 ** -(np.arange(32) / 32)
    np.testing.assert_allclose(waves, np.concatenate([np.sin(300 * rates), np.cos(300 * rates)]), atol=2e-4)
