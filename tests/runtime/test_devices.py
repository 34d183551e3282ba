"""Games shared out among devices: the same games as on one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh

from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.runtime import record
from asterism.runtime.devices import ALL, EACH, EACH_STEP, GAMES, games_mesh, gathered, over_games

needs_two = pytest.mark.skipif(jax.device_count() < 2, reason="JAX was started with one device")


@needs_two
def test_devices_share_games_evenly():
    assert games_mesh(8).size == 2
    assert games_mesh(7).size == 1


@needs_two
def test_each_device_has_its_games_and_all_of_what_is_shared():
    def function(scale, rows):
        assert rows.shape == (2, 3)
        return rows * scale, (rows * scale).T, jnp.full(2, rows.sum())

    run = over_games(function, games_mesh(4), (ALL, EACH), (EACH, EACH_STEP, EACH))
    rows = np.arange(12.0).reshape(4, 3)
    each, steps, sums = gathered(run(2.0, rows))
    np.testing.assert_array_equal(each, 2 * rows)
    np.testing.assert_array_equal(steps, 2 * rows.T)
    np.testing.assert_array_equal(sums, [15, 15, 51, 51])
    assert each.devices() == {jax.devices()[0]}


@needs_two
def test_recorded_games_do_not_depend_on_the_number_of_devices(monkeypatch):
    """Scripted players that draw chance at every step: equal to the last bit."""
    jax.config.update("jax_disable_most_optimizations", True)
    game = EmbeddedGame(GameSettings(time_limit=1200))
    settings = record.RecordSettings(lanes=4, pairs=(("random", "macro"),))
    one = Mesh(np.array(jax.devices()[:1]), (GAMES,))
    played = []
    for mesh in (games_mesh, lambda rows: one):
        monkeypatch.setattr(record, "games_mesh", mesh)
        played.append(record.play_wave(record.make_recorder(game, settings), [0, 1, 2, 3], seed=3))
    jax.config.update("jax_disable_most_optimizations", False)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, *played)))
    first, second = (game.trajectories[0].steps.action.action_type for game in played[0][:2])
    assert len(first) != len(second) or (first != second).any(), "the games should differ from each other"
