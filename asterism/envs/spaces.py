"""Gymnasium spaces of observations and actions, and masks of what is valid now."""

from typing import Any

import numpy as np
from dm_env.specs import BoundedArray
from gymnasium import spaces

from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.observation import Alliance, EntityField, Observation
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import action_spec, observation_spec


def as_dict(value: Any) -> Any:
    """Nested named tuples as nested dictionaries of NumPy arrays; flags as int8, as Gymnasium has them."""
    if hasattr(value, "_asdict"):
        return {name: as_dict(item) for name, item in value._asdict().items()}
    array = np.asarray(value)
    return array.astype(np.int8) if array.dtype == bool else array


def _space(spec: Any) -> spaces.Space:
    if hasattr(spec, "_asdict"):
        return spaces.Dict({name: _space(item) for name, item in spec._asdict().items()})
    if spec.dtype == bool:
        return spaces.MultiBinary(spec.shape)
    low, high = (np.broadcast_to(bound, spec.shape).astype(spec.dtype) for bound in (spec.minimum, spec.maximum))
    return spaces.Box(low, high, spec.shape, spec.dtype)


def observation_space(game: GameDescription, size: InterfaceSize) -> spaces.Dict:
    """One player's `Observation`, field by field."""
    return _space(observation_spec(game, size))


def action_space(game: GameDescription, size: InterfaceSize) -> spaces.Dict:
    """One player's `Action`: numbers to choose from, and entities to select (-1 for none)."""

    def choice(spec: BoundedArray) -> spaces.Space:
        low, count = int(spec.minimum), int(spec.maximum) - int(spec.minimum) + 1
        if not spec.shape:
            return spaces.Discrete(count, start=low)
        return spaces.MultiDiscrete(np.full(spec.shape, count), start=np.full(spec.shape, low))

    return spaces.Dict({name: choice(spec) for name, spec in action_spec(game, size)._asdict().items()})


def action_mask(observation: Observation, size: InterfaceSize) -> dict[str, Any]:
    """What may be chosen now, in the form that `action_space(...).sample(mask)` takes: available action types, own
    entities, entities that exist. Which own entities can take a type is `selectable_mask`."""
    alliance = np.asarray(observation.entities)[:, EntityField.ALLIANCE]
    own = np.concatenate([[1], alliance == Alliance.SELF]).astype(np.int8)
    present = (alliance != Alliance.ABSENT).astype(np.int8)
    present[0] |= ~present.any()
    return {
        "action_type": np.asarray(observation.scalars.available_actions).astype(np.int8),
        "delay": None,
        "queued": None,
        "repeat": None,
        "units": (own,) * size.selected,
        "target_unit": present,
        "location": None,
    }


def selectable_mask(game: GameDescription, observation: dict[str, Any]) -> np.ndarray:
    """Which entities of an observation (as a dictionary) may be selected for each action type; int8 [A, E]."""
    entities = observation["entities"]
    own = entities[:, EntityField.ALLIANCE] == Alliance.SELF
    return (game.selectable[:, entities[:, EntityField.UNIT_TYPE]] & own).astype(np.int8)


def read_action(action: dict[str, Any], batch: tuple[int, ...] = ()) -> Action:
    """An `Action` of NumPy arrays from one of an action space; ValueError where a part is missing or misshapen."""
    parts = {}
    for name in Action._fields:
        if name not in action:
            raise ValueError(f"the action has no {name}: it needs {', '.join(Action._fields)}")
        parts[name] = np.asarray(action[name], np.int32)
        if parts[name].shape[: len(batch)] != batch:
            raise ValueError(f"the action's {name} has shape {parts[name].shape}: it must begin with {batch}")
    return Action(**parts)
