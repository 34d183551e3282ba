"""Checkpoints come back exactly, or are refused; a kill or a full disk leaves the earlier ones."""

import shutil
import signal
import subprocess
import sys
import textwrap
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.errors import UserError
from asterism.runtime.checkpoints import Checkpoints


class State(NamedTuple):
    params: dict
    rest: list


def state(seed: int = 0) -> State:
    """One leaf of each kind that a stage has."""
    random = np.random.default_rng(seed)
    params = {
        "w": jnp.asarray(random.normal(size=(3, 4)), jnp.float32),
        "half": jnp.asarray(random.normal(size=5), jnp.bfloat16),
        "empty": jnp.zeros((0, 3)),
        "activation": jnp.tanh,
        "scalar": jnp.float32(random.normal()),
    }
    keys = jax.random.split(jax.random.key(seed), 2)
    return State(params, [seed, 0.5 + seed, seed > 0, random.integers(0, 9, 4), np.int16(seed), keys, None, "text"])


def same(one: State, other: State) -> bool:
    """Whether two states are the same, bit for bit and type for type."""

    def equal(a, b):
        if hasattr(a, "dtype") and jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        if hasattr(a, "dtype"):
            return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
        return type(a) is type(b) and a == b

    return jax.tree.structure(one) == jax.tree.structure(other) and all(
        equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


def test_everything_comes_back_exactly(tmp_path):
    with Checkpoints(tmp_path / "stage") as checkpoints:
        checkpoints.save(7, state(3))
    with Checkpoints(tmp_path / "stage") as checkpoints:
        assert checkpoints.latest() == 7
        assert same(checkpoints.restore(state(0)), state(3))
    assert not same(state(0), state(3))


def test_the_newest_are_kept(tmp_path):
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        assert checkpoints.steps() == [] and checkpoints.latest() is None
        for step in (1, 5, 20):
            checkpoints.save(step, state(step))
        assert checkpoints.steps() == [5, 20]
        assert same(checkpoints.restore(state(), step=5), state(5))
        assert same(checkpoints.restore(state()), state(20))


def test_a_missing_one_is_named(tmp_path):
    with Checkpoints(tmp_path / "none") as checkpoints:
        with pytest.raises(UserError, match="no checkpoint in .*none"):
            checkpoints.restore(state())
        with pytest.raises(UserError, match="no checkpoint at .*none/4"):
            checkpoints.restore(state(), step=4)


def test_any_byte_that_changed_is_found(tmp_path, capfd):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state(1))
        checkpoints.save(2, state(2))
    files = [file for file in (tmp_path / "2").rglob("*") if file.is_file() and file.stat().st_size]
    assert len(files) > 5
    for file in files:
        whole = file.read_bytes()
        broken = bytearray(whole)
        broken[len(whole) // 2] ^= 0xFF
        file.write_bytes(broken)
        with pytest.raises(UserError, match="2 is corrupt .*remove that folder .*goes on from step 1"):
            Checkpoints(tmp_path).restore(state())
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(UserError, match="is corrupt"):
            Checkpoints(tmp_path).restore(state())
        file.unlink()
        with pytest.raises(UserError, match="is corrupt|no checkpoint"):
            Checkpoints(tmp_path).restore(state(), step=2)
        file.write_bytes(whole)
    assert capfd.readouterr().err == ""
    shutil.rmtree(tmp_path / "2")
    assert same(Checkpoints(tmp_path).restore(state()), state(1))


def test_another_network_is_refused_by_the_first_leaf_that_differs(tmp_path):
    Checkpoints(tmp_path).save(1, state())
    wider = state()
    wider.params["w"] = jnp.zeros((3, 5))
    says = r"params.w is float32\[3,4\] there and float32\[3,5\] here"
    with pytest.raises(UserError, match=says):
        Checkpoints(tmp_path).restore(wider)
    more = state()
    more.params["bias"] = jnp.zeros(2)
    with pytest.raises(UserError, match=r"params.bias is nothing there and float32\[2\] here"):
        Checkpoints(tmp_path).restore(more)


def test_an_unfinished_one_does_not_count_and_is_cleared(tmp_path):
    Checkpoints(tmp_path).save(1, state(1))
    shutil.copytree(tmp_path / "1", tmp_path / "2")
    (tmp_path / "2" / "manifest.json").unlink()
    (tmp_path / "3.orbax-checkpoint-tmp").mkdir()
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.latest() == 1
    assert same(checkpoints.restore(state()), state(1))
    checkpoints.save(2, state(2))
    assert same(checkpoints.restore(state()), state(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]


def test_a_full_disk_leaves_the_earlier_one(tiny_disk, capfd):
    def big(seed):
        return {"w": np.random.default_rng(seed).random(40_000)}

    with Checkpoints(tiny_disk / "c") as checkpoints:
        checkpoints.save(1, big(1))
        with open(tiny_disk / "fill", "wb") as fill:
            fill.write(bytes(500_000))
        for _ in range(2):
            with pytest.raises(UserError, match="disk full while writing .*c/2: free space and run the same command"):
                checkpoints.save(2, big(2))
        assert capfd.readouterr().err == ""
        assert checkpoints.steps() == [1]
        (tiny_disk / "fill").unlink()
        checkpoints.save(2, big(2))
        assert np.array_equal(checkpoints.restore(big(0))["w"], big(2)["w"])
        assert np.array_equal(checkpoints.restore(big(0), step=1)["w"], big(1)["w"])


def test_kill_9_while_saving_leaves_a_whole_one(tmp_path):
    code = f"""
        import numpy as np
        from pathlib import Path
        from asterism.runtime.checkpoints import Checkpoints
        checkpoints = Checkpoints(Path({str(tmp_path)!r}))
        for step in range(1, 10**6):
            checkpoints.save(step, {{"w": np.full(50_000, step), "step": step}})
            print(step, flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) == 3:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    told = 3 + process.stdout.read().count("\n")
    with Checkpoints(tmp_path) as checkpoints:
        back = checkpoints.restore({"w": np.zeros(50_000, int), "step": 0})
        assert back["step"] in (told, told + 1)
        assert (back["w"] == back["step"]).all()
        checkpoints.save(back["step"] + 1, back)
