"""Cloak and detection, planes in movement."""

import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.entities import entity_rows, unit_table
from asterism.interface.observation import Cloak, EntityField


def seen(field, target):
    """Whether anybody of the first player has `target` for a target."""
    return (field.fight().target[: len(field.units.type) // 2] == target).any()


@pytest.mark.parametrize("name", ["DarkTemplar", "LurkerMPBurrowed", "Observer"])
def test_what_is_cloaked_takes_a_detector(field, name):
    field.put("Stalker", 24, 32)
    target = field.put(name, 27, 32, player=1)
    assert not seen(field, target)
    detector = field.put("Observer", 27, 32 + 10.9)  # it detects 11 cells far
    assert seen(field, target)
    field.units.position[detector, 1] = 32 + 11.1
    assert not seen(field, target)


def test_a_cannon_detects_and_shoots_only_with_power(field):
    cannon, target = field.put("PhotonCannon", 24, 32), field.put("DarkTemplar", 29, 32, player=1)
    assert not seen(field, target)
    pylon = field.put("Pylon", 22, 32)
    assert field.fight().target[cannon] == target
    field.units.build_left[pylon] = 100
    assert not seen(field, target)


def test_the_list_tells_who_is_cloaked_and_who_is_detected(field):
    slots = [
        field.put(name, 24 + i, 32, player=i % 2) for i, name in enumerate(("DarkTemplar", "DarkTemplar", "Zealot"))
    ]
    state = field.frozen
    table = unit_table(field.world, state, field.stages.game.description)
    rows = np.array(entity_rows(field.world, state, table, 0, jnp.array(slots)))
    assert list(rows[:, EntityField.CLOAK]) == [Cloak.ALLIED, Cloak.DETECTED, Cloak.NONE]
    assert list(rows[:, EntityField.SHIELD]) == [80, 80, 50]


def test_flyers_part_from_each_other_but_not_from_those_below(field):
    field.put("Marine", 24, 32)
    flyers = [field.put("Mutalisk", 24, 32), field.put("Mutalisk", 24, 32)]
    burrowed = field.put("RoachBurrowed", 24, 32)
    field.battle(10)
    places = field.units.position
    assert np.hypot(*(places[flyers[0]] - places[flyers[1]])) > 0.9  # two radii are 1
    assert list(places[0]) == [24, 32] == list(places[burrowed])
