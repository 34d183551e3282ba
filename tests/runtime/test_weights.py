"""Weights of league players come back exactly, or are refused."""

import errno

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.errors import UserError
from asterism.runtime.checkpoints import load_weights, save_weights, weights_metadata


def network(seed: int, width: int = 3) -> eqx.Module:
    return eqx.nn.MLP(2, 1, width, 1, key=jax.random.key(seed))


def test_a_network_comes_back_exactly_with_its_metadata(tmp_path):
    digest = save_weights(tmp_path / "players" / "a.safetensors", network(1), {"step": 12, "parent": None})
    back = load_weights(tmp_path / "players" / "a.safetensors", network(2))
    assert eqx.tree_equal(back, network(1)) and not eqx.tree_equal(back, network(2))
    expected = {"step": 12, "parent": None, "sha256": digest}
    assert weights_metadata(tmp_path / "players" / "a.safetensors") == expected
    assert save_weights(tmp_path / "b", network(1), {"step": 12, "parent": None}) == digest
    assert save_weights(tmp_path / "c", network(2), {"step": 12, "parent": None}) != digest


def test_equal_weights_are_equal_files(tmp_path):
    for name in "abcdef":
        save_weights(tmp_path / name, network(1), {"step": 12})
    assert len({(tmp_path / name).read_bytes() for name in "abcdef"}) == 1


def test_shapes_alone_are_example_enough(tmp_path):
    def make():
        return {"w": jnp.ones((2, 2), jnp.bfloat16), "key": jax.random.key(5)}

    save_weights(tmp_path / "w", make())
    back = load_weights(tmp_path / "w", jax.eval_shape(make))
    assert back["w"].dtype == jnp.bfloat16 and (back["w"] == 1).all()
    assert jnp.array_equal(jax.random.normal(back["key"]), jax.random.normal(make()["key"]))


dtypes = st.sampled_from(["float32", "float64", "int8", "int64", "uint16", "bool"])
shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.text("abc/ é", max_size=4), st.tuples(dtypes, shapes), max_size=4), st.integers(0, 99))
def test_any_arrays_come_back(tmp_path_factory, kinds, seed):
    path = tmp_path_factory.mktemp("weights") / "w"
    random = np.random.default_rng(seed)
    tree = {name: np.array(random.normal(size=shape) * 9).astype(dtype) for name, (dtype, shape) in kinds.items()}
    save_weights(path, tree)
    back = load_weights(path, jax.tree.map(np.zeros_like, tree))
    assert jax.tree.all(jax.tree.map(lambda a, b: a.dtype == b.dtype and np.array_equal(a, b), tree, back))


def test_every_changed_byte_is_found(tmp_path):
    path = tmp_path / "w"
    save_weights(path, network(0), {"step": 1})
    whole = path.read_bytes()
    for position in range(len(whole)):
        broken = bytearray(whole)
        broken[position] ^= 0x11
        path.write_bytes(broken)
        with pytest.raises(UserError, match="are corrupt"):
            load_weights(path, network(0))
    for size in (0, 4, 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match="are corrupt"):
            load_weights(path, network(0))


def test_another_shape_and_a_missing_file_are_named(tmp_path):
    save_weights(tmp_path / "w", network(0, width=3))
    says = r"w does not fit: layers.0.weight is float32\[3,2\] there and float32\[4,2\] here"
    with pytest.raises(UserError, match=says):
        load_weights(tmp_path / "w", network(0, width=4))
    with pytest.raises(UserError, match="no weights at .*nothing"):
        load_weights(tmp_path / "nothing", network(0))


def test_a_full_disk_leaves_the_earlier_file(tmp_path, monkeypatch):
    save_weights(tmp_path / "w", network(1))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="disk full while writing .*w: free space"):
        save_weights(tmp_path / "w", network(2))
    assert [path.name for path in tmp_path.iterdir()] == ["w"]
    assert eqx.tree_equal(load_weights(tmp_path / "w", network(0)), network(1))


def test_names_that_clash_are_refused(tmp_path):
    with pytest.raises(ValueError, match="same name"):
        save_weights(tmp_path / "w", {"a.b": np.ones(1), "a": {"b": np.ones(1)}})
