"""What is kept of a state for pictures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.game import EmbeddedGame, draw_races, initial_state
from asterism.game.sight import visible_cells
from asterism.game.snapshot import snapshot


@pytest.fixture(scope="module")
def game():
    return EmbeddedGame()


@pytest.fixture(scope="module")
def start(game):
    races = draw_races(jax.random.key(0), game.settings.races)
    return initial_state(game.world, game.description, game.settings, game.size, game.no_strategy(), races)


@pytest.fixture(scope="module")
def take(game):
    return jax.jit(lambda state: snapshot(game.world, state))


def test_the_start_of_a_game(game, start, take):
    seen = take(start)
    hall, worker = game.description.unit_index["CommandCenter"], game.description.unit_index["SCV"]
    for player in range(2):
        kinds = np.split(np.asarray(seen.type), 2)[player]
        assert kinds.tolist() == [hall] + [worker] * 12 + [0] * (game.settings.slots - 13)
    assert seen.minerals.tolist() == [50, 50] and seen.vespene.tolist() == [0, 0]
    assert seen.supply.tolist() == [[12, 15], [12, 15]]
    assert seen.score.tolist() == [400 + 12 * 50 + 50] * 2
    alive = np.asarray(seen.type) > 0
    assert (seen.health[alive] == 255).all() and (seen.built[alive] == 255).all() and (seen.health[~alive] == 0).all()
    assert (seen.target == -1).all()
    assert np.abs(seen.position - start.units.position)[alive].max() < 1 / 16
    assert (seen.amounts == start.amounts).all()
    unpacked = np.unpackbits(np.asarray(seen.visible), axis=-1).astype(bool)
    assert (unpacked == visible_cells(game.world, start, game.map.cells)).all()
    assert unpacked[0, 11, 11] and not unpacked[1, 11, 11] and unpacked[1, 52, 52]


def test_it_is_small(start, take):
    assert sum(part.nbytes for part in take(start)) < 4000


def test_wounds_construction_and_fights(game, start, take):
    marine, slots = game.description.unit_index["Marine"], game.settings.slots
    units = start.units
    full, whole = game.rules.units.health[marine], game.rules.units.build_time[units.type[0]]
    kind = units.type.at[jnp.array([20, slots + 20, 21])].set(marine)
    place = units.position.at[20].set((30.0, 30.0)).at[slots + 20].set((33.0, 30.0)).at[21].set((30.0, 14.0))
    health = units.health.at[jnp.array([20, 21])].set(jnp.array([full / 5, full])).at[slots + 20].set(0.01)
    left = units.build_left.at[0].set(whole * 0.75)
    state = start._replace(units=units._replace(type=kind, position=place, health=health, build_left=left))
    seen = take(state)
    assert seen.health[20] == 51 and seen.health[slots + 20] == 1
    assert seen.built[0] == 63 and seen.built[slots] == 255
    assert seen.target[20] == slots + 20 and seen.target[slots + 20] == 20
    assert seen.target[21] == -1
    assert seen.supply.tolist() == [[14, 0], [13, 15]]
