"""Masks of random observations of a toy game agree with what the interface calls selectable, type by type."""

import jax
import numpy as np
import pytest
from toys import random_observation, toy_game

from asterism.envs.masks import idle_arrays, mask_arrays, narrow, sample_mask
from asterism.envs.spaces import action_space, observation_space
from asterism.interface.observation import Alliance, EntityField
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import selectable_entities

GAME, SIZE = toy_game(), InterfaceSize("toy", entities=16, map=4, location=4, selected=3)
OBSERVATIONS = [random_observation(np.random.default_rng(seed), GAME, SIZE) for seed in range(12)]


@pytest.mark.parametrize("seen", OBSERVATIONS)
def test_types_that_somebody_can_take_and_who(seen):
    arrays = mask_arrays(GAME, seen)
    for kind, action in enumerate(GAME.actions):
        takers = np.asarray(selectable_entities(GAME, seen, kind))
        possible = seen.scalars.available_actions[kind] and (takers.any() or not action.selects)
        assert arrays["action_type"][kind] == possible
        assert (narrow(GAME, seen, kind, arrays)["units"] == takers).all()


@pytest.mark.parametrize("seen", OBSERVATIONS)
def test_samples_keep_to_the_mask(seen):
    space = action_space(GAME, SIZE)
    space.seed(0)
    arrays = mask_arrays(GAME, seen)
    alliance = seen.entities[:, EntityField.ALLIANCE]
    for _ in range(5):
        kind = space.sample(sample_mask(SIZE, arrays))["action_type"]
        action = space.sample(sample_mask(SIZE, narrow(GAME, seen, kind, arrays)))
        assert action in space and action["action_type"] == kind
        assert alliance[action["target_unit"]] != Alliance.ABSENT
        chosen = action["units"][action["units"] >= 0]
        takers = np.asarray(selectable_entities(GAME, seen, kind))
        assert takers[chosen].all() and len(chosen) >= takers.any()


def test_many_at_once():
    batch = jax.tree.map(lambda *leaves: np.stack(leaves), *OBSERVATIONS)
    for name, mask in mask_arrays(GAME, batch).items():
        assert (mask == [mask_arrays(GAME, seen)[name] for seen in OBSERVATIONS]).all()


def test_who_waits_may_do_nothing():
    space, mask = action_space(GAME, SIZE), sample_mask(SIZE, idle_arrays(mask_arrays(GAME, OBSERVATIONS[0])))
    action = space.sample(mask)
    assert action["action_type"] == 0 and (action["units"] == -1).all()


def test_spaces_have_the_types_of_the_game():
    space = observation_space(GAME, SIZE)
    assert (space["entities"].dtype, space["planes"].dtype) == (np.int16, np.uint8)
    assert space["scalars"]["game_loop"].shape == () and space["z"]["units"].dtype == np.int8
    assert action_space(GAME, SIZE)["units"].start.tolist() == [-1] * 3
