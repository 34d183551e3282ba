"""Frozen weights are those on record, and only so many stay in memory."""

import numpy as np
import pytest

from asterism.errors import UserError
from asterism.league import Snapshot
from asterism.runtime.checkpoints import save_weights
from asterism.runtime.snapshots import WeightsCache, load_snapshot


def weights(value):
    return {"a": np.full(50, value, np.float32), "b": np.full(50, value, np.float32)}


def test_weights_on_record_are_read(tmp_path):
    digest = save_weights(tmp_path / "main_1.safetensors", weights(1))
    read = load_snapshot(tmp_path, Snapshot("main_1.safetensors", digest), weights(0))
    assert (read["a"] == 1).all() and (read["b"] == 1).all()


def test_a_whole_file_with_other_weights_is_refused(tmp_path):
    digest = save_weights(tmp_path / "main_1.safetensors", weights(1))
    save_weights(tmp_path / "main_1.safetensors", weights(2))
    with pytest.raises(UserError, match="main_1.safetensors.* not those on record"):
        load_snapshot(tmp_path, Snapshot("main_1.safetensors", digest), weights(0))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no weights at .*main_1"):
        load_snapshot(tmp_path, Snapshot("main_1.safetensors", "0"), weights(0))


class Loader:
    """400 bytes for each player, and who was loaded."""

    def __init__(self):
        self.loaded = []

    def __call__(self, player):
        self.loaded.append(player)
        return weights(int(player))


def test_weights_used_last_stay():
    loader = Loader()
    cache = WeightsCache(loader, 1200)
    for player in "123":
        assert (cache[player]["a"] == int(player)).all()
    assert cache.nbytes == 1200
    cache["1"]
    cache["4"]
    assert loader.loaded == ["1", "2", "3", "4"]
    assert [player for player in "1234" if player in cache] == ["1", "3", "4"]
    cache["2"]
    assert loader.loaded[-1] == "2" and [player for player in "1234" if player in cache] == ["1", "2", "4"]
    assert cache.nbytes == 1200


def test_bytes_stay_below_the_limit_however_many_come():
    cache = WeightsCache(Loader(), 1999)
    assert max((cache[str(player)], cache.nbytes)[1] for player in range(100)) == 1600


def test_too_large_alone_is_kept_alone():
    loader = Loader()
    cache = WeightsCache(loader, 100)
    for player in "1122":
        cache[player]
    assert loader.loaded == ["1", "2"] and cache.nbytes == 400
