"""Records: what comes out is what went in, and nothing else is accepted."""

import json

import jax
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_demos import GAME, HEADER, SIZE, toy_game, toy_trajectory

from asterism.demos.format import decode_manifest, decode_steps, encode_manifest, encode_steps, steps_spec, with_z
from asterism.demos.header import FILE_NAME, differences, read_header, write_header
from asterism.demos.writer import game_manifest
from asterism.errors import UserError

SPEC = steps_spec(GAME, SIZE)
TRAJECTORY = toy_trajectory(np.random.default_rng(0), 5, 1)
DATA = encode_steps(TRAJECTORY.steps, SPEC)


def assert_equal(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype


def test_steps_survive_the_round_trip_and_take_their_z_from_outside():
    assert_equal(with_z(decode_steps(DATA, SPEC, 5), TRAJECTORY.z), TRAJECTORY.steps)


def test_arrays_that_do_not_lie_in_order_are_stored_right():
    turned = jax.tree.map(lambda x: np.asfortranarray(x), TRAJECTORY.steps)
    assert encode_steps(turned, SPEC) == DATA


def test_z_is_not_stored_with_the_steps():
    assert not any(".z." in name for name in safetensors.numpy.load(DATA))


def test_the_manifest_survives_the_round_trip():
    manifest = game_manifest(toy_game(3))
    back = decode_manifest(encode_manifest(manifest, GAME, SIZE), GAME, SIZE)
    assert back.games == manifest.games
    assert_equal(back[1:], manifest[1:])


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("action.delay", lambda x: x + SIZE.delays, "outside 0 to 7"),
        ("action.delay", lambda x: x.astype(np.int64), "int64"),
        ("action.units", lambda x: x[:, :1], r"\[5, 1\]"),
        ("observation.planes", lambda x: x[:4], r"\[4, "),
        ("observation.entities", lambda x: x - 1, "outside"),
        ("privileged.score", lambda x: None, "missing"),
    ],
)
def test_steps_that_do_not_fit_the_spec_are_refused_by_name(name, change, reason):
    arrays = safetensors.numpy.load(DATA)
    arrays[name] = change(arrays[name])
    data = safetensors.numpy.save({key: np.ascontiguousarray(x) for key, x in arrays.items() if x is not None})
    with pytest.raises(ValueError, match=f"{name}.*{reason}"):
        decode_steps(data, SPEC, 5)


def test_an_unknown_array_and_another_length_are_refused():
    arrays = safetensors.numpy.load(DATA)
    with pytest.raises(ValueError, match="surprise is unknown"):
        decode_steps(safetensors.numpy.save({**arrays, "surprise": np.zeros(3)}), SPEC, 5)
    with pytest.raises(ValueError, match=r"\[5.*not.*\[6"):
        decode_steps(DATA, SPEC, 6)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_bytes_give_steps_or_a_value_error_and_nothing_else(data):
    damaged = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 4))):
        # The first 4 kB hold the header with names, types and offsets.
        damaged[data.draw(st.integers(0, 4000))] = data.draw(st.integers(0, 255))
    try:
        steps = decode_steps(bytes(damaged), SPEC, 5)
    except ValueError:
        return
    encode_steps(with_z(steps, TRAJECTORY.z), SPEC)


def test_the_header_carries_the_whole_description(tmp_path):
    write_header(tmp_path, HEADER)
    assert read_header(tmp_path) == HEADER
    other = HEADER.__class__(GAME, SIZE.__class__("toy", 3, 2, 8, 2), chunk_steps=5)
    assert differences(HEADER, other) == [
        "size.location",
        "size.delays",
        "size.build_order",
        "games_per_shard",
        "chunk_steps",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(format_version=99), "version 99"),
        (lambda d: d["size"].update(map="2"), "size.map is not of type int"),
        (lambda d: d["game"].update(actions=[]), "game.actions|out of range"),
        (lambda d: d["game"]["actions"][0].pop("ability_id"), r"actions\[0\] lacks ability_id"),
        (lambda d: d.update(extra=1), "unknown fields: extra"),
        (lambda d: d.pop("game"), "lacks game"),
    ],
)
def test_a_header_with_a_defect_is_refused_with_the_reason(tmp_path, change, reason):
    write_header(tmp_path, HEADER)
    data = json.loads((tmp_path / FILE_NAME).read_text())
    change(data)
    (tmp_path / FILE_NAME).write_text(json.dumps(data))
    with pytest.raises(UserError, match=reason):
        read_header(tmp_path)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(UserError, match="asterism record"):
        read_header(tmp_path / "nowhere")
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        read_header(tmp_path)
