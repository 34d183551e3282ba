"""Games shared out among devices: the same games as on one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh

from asterism.game.game import EmbeddedGame
from asterism.interface.spec import random_action
from asterism.runtime.arena import advance, new_lanes, seats, split_keys
from asterism.runtime.devices import ALL, EACH, EACH_STEP, GAMES, games_mesh, gathered, over_games
from asterism.runtime.players import Controller, spread

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
@pytest.mark.skipif(
    jax.__version_info__ >= (0, 11), reason="XLA there fuses multiplications and additions by the shape of the batch"
)
def test_games_do_not_depend_on_the_number_of_devices():
    """Players that draw all their actions: the state of every game is the same, but for what XLA rounds otherwise in
    batches of another shape."""
    game, games = EmbeddedGame(), 4

    def act(params, memory, observation, key):
        return memory, random_action(key, observation, game.description, game.size)

    player = Controller(lambda: jnp.zeros(()), act, own_params=False)

    def play(seat, keys):
        keys, start = split_keys(keys, 2)
        lanes = new_lanes(game, player, player, seat, spread(game.no_strategy(), len(seat)), start)
        step = lambda lanes, keys: (advance(game, player, player, ((), ()), lanes, keys)[0], None)  # noqa: E731
        return jax.lax.scan(step, lanes, split_keys(keys, 30))[0].state

    keys = jax.random.split(jax.random.key(0), games)
    one = Mesh(np.array(jax.devices()[:1]), (GAMES,))
    shared, alone = (
        over_games(play, mesh, (EACH, EACH), EACH)(seats(games), keys) for mesh in (games_mesh(games), one)
    )
    equal = lambda a, b: np.allclose(a, b, rtol=0, atol=1e-3) if a.dtype == np.float32 else np.array_equal(a, b)  # noqa: E731
    assert all(jax.tree.leaves(jax.tree.map(equal, shared, alone)))
    places = np.asarray(alone.units.position)
    assert len(np.unique(places, axis=0)) == games, "the games should differ from each other"
