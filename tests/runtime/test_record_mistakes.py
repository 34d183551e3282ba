"""Mistakes in recorded games: what is carried out differs from what was meant in the arguments, and in nothing else."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.sizes import interface_size
from asterism.interface.spec import no_op, selectable_entities
from asterism.runtime.record import RecordSettings, with_mistakes

DRAWS = 400


@pytest.fixture(scope="module")
def opening():
    """A game, what its first player sees at the start, and an order of that player to one of its workers."""
    game = EmbeddedGame(GameSettings(), interface_size("tiny"))
    _, timestep = jax.jit(game.reset)(jax.random.key(0), game.no_strategy())
    seen = jax.tree.map(lambda leaf: leaf[0], timestep.observation)
    depot = jnp.int32(game.description.action_index["Build_SupplyDepot_pt"])
    worker = selectable_entities(game.description, seen, depot).argmax()
    empty = no_op(game.size, delay=7)
    meant = empty._replace(action_type=depot, units=empty.units.at[0].set(worker), location=jnp.int32(33))
    return game, seen, meant


def carried_out(opening, noise):
    game, seen, meant = opening
    draw = jax.jit(jax.vmap(partial(with_mistakes, game, noise, seen, meant)))
    return draw(jax.random.split(jax.random.key(1), DRAWS))


def test_without_noise_the_action_is_the_one_meant(opening):
    done = carried_out(opening, 0.0)
    for field, meant in zip(done, opening[2], strict=True):
        np.testing.assert_array_equal(field, np.broadcast_to(meant, field.shape))


def test_type_delay_and_flags_are_never_changed(opening):
    done = carried_out(opening, 1.0)
    for name in ("action_type", "delay", "queued", "repeat"):
        assert (np.asarray(getattr(done, name)) == int(getattr(opening[2], name))).all()


def test_wrong_units_can_still_take_the_order(opening):
    game, seen, meant = opening
    units = np.asarray(carried_out(opening, 1.0).units)
    able = np.asarray(selectable_entities(game.description, seen, meant.action_type))
    assert (units >= 0).any(1).all() and able[units[units >= 0]].all()
    assert len({tuple(row) for row in units.tolist()}) > DRAWS / 2


def test_each_argument_is_wrong_as_often_as_asked(opening):
    share = (np.asarray(carried_out(opening, 0.3).location) != int(opening[2].location)).mean()
    # Five standard deviations of a binomial share; a random place is the right one once in a thousand.
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / DRAWS)


@pytest.mark.parametrize("noise", [-0.1, 1.1])
def test_noise_that_is_no_probability_is_refused(noise):
    with pytest.raises(UserError, match="noise"):
        RecordSettings(noise=noise)
