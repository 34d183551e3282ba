"""A toy game, random observations that fit its spec, and what makes an action valid."""

import jax
import numpy as np
from dm_env.specs import BoundedArray

from asterism.interface.action import Action
from asterism.interface.description import ActionType, GameDescription, UnitType
from asterism.interface.observation import Alliance, DisplayType, EntityField, Observation, Privileged, Statistic
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import observation_spec, strategy_spec

MOST = 2000
"""Amounts in random observations stay below this."""


def toy_game(unit_types: int = 12, actions: int = 10) -> GameDescription:
    """A game whose actions use every combination of parts, each open to a third of the unit types."""
    units = tuple(UnitType(index, f"unit{index}" if index else "none") for index in range(unit_types))
    kinds = []
    for index in range(1, actions):
        selects = index % 4 != 0
        takers = tuple(unit.name for unit in units[1:] if (unit.id + index) % 3 == 0) if selects else ()
        kinds.append(
            ActionType(
                id=index,
                name=f"action{index}",
                ability_id=index,
                general_id=index,
                queued=index % 2 == 0,
                selects=selects,
                target_unit=index % 3 == 0,
                location=index % 3 == 1,
                repeat=index % 2 == 1,
                units=takers,
            )
        )
    no_op = ActionType(0, "no_op", 0, 0, False, False, False, False)
    return GameDescription("toy", units, (no_op, *kinds), ("armor", "weapons", "range"), ("scan",), map_cells=64)


def _draw(rng: np.random.Generator, spec):
    """A nested value within a nested spec."""

    def one(leaf):
        high = np.minimum(np.asarray(leaf.maximum, np.int64), MOST)
        return rng.integers(np.asarray(leaf.minimum, np.int64), high + 1, leaf.shape).astype(leaf.dtype)

    return jax.tree.map(one, spec, is_leaf=lambda node: isinstance(node, BoundedArray))


def random_observation(rng: np.random.Generator, game: GameDescription, size: InterfaceSize) -> Observation:
    """Half of the present entities are the player's own; no_op is available. (NumPy's: nothing to compile.)"""
    observation = _draw(rng, observation_spec(game, size))
    alliance = rng.integers(1, 1 + max(Alliance), size.entities)
    observation.entities[:, EntityField.ALLIANCE] = np.where(rng.random(size.entities) < 0.5, Alliance.SELF, alliance)
    observation.entities[rng.integers(1, size.entities + 1) :] = 0
    observation.entities[:, EntityField.DISPLAY_TYPE] = DisplayType.VISIBLE
    observation.scalars.available_actions[0] = True
    return observation


def random_privileged(rng: np.random.Generator, game: GameDescription, size: InterfaceSize) -> Privileged:
    """Of both players: [2, ...]."""
    units, upgrades = len(game.unit_types), len(game.upgrades)
    spec = Privileged(
        statistics=BoundedArray((len(Statistic),), np.int32, 0, MOST),
        unit_counts=BoundedArray((units,), np.int16, 0, 50),
        upgrades=BoundedArray((upgrades,), bool, False, True),
        score=BoundedArray((), np.int32, 0, MOST),
        executed=strategy_spec(game, size),
    )
    return stack(_draw(rng, spec) for _ in range(2))


def stack(trees):
    """Pytrees of the same form as one, with a new first axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)


def assert_valid(game: GameDescription, entities: np.ndarray, available: np.ndarray, action: Action) -> None:
    """One action ([] each) is one that a player who sees these entities may give.

    Its type is available; its units are own ones of types that can take it, once each, then -1; its target exists.
    """
    row = game.actions[int(action.action_type)]
    assert available[action.action_type], f"{row.name} is not available"
    count = int((action.units >= 0).sum())
    units = action.units[:count]
    assert (action.units[count:] == -1).all() and len(set(units.tolist())) == count
    assert (entities[units, EntityField.ALLIANCE] == Alliance.SELF).all()
    assert {game.unit_types[kind].name for kind in entities[units, EntityField.UNIT_TYPE]} <= set(row.units), row.name
    if row.target_unit:
        assert entities[action.target_unit, EntityField.ALLIANCE] != Alliance.ABSENT, row.name
