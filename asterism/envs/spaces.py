"""Gymnasium spaces of observations and actions, and what crosses between them and the game's named tuples."""

from typing import Any

import numpy as np
from dm_env.specs import BoundedArray
from gymnasium import spaces

from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import action_spec, observation_spec


def as_dict(value: Any) -> Any:
    """Nested named tuples as nested dictionaries of NumPy arrays of their own; flags as int8, as Gymnasium has them."""
    if hasattr(value, "_asdict"):
        return {name: as_dict(item) for name, item in value._asdict().items()}
    array = np.array(value)
    return array.astype(np.int8) if array.dtype == bool else array


def _space(spec: Any) -> spaces.Space:
    if hasattr(spec, "_asdict"):
        return spaces.Dict({name: _space(item) for name, item in spec._asdict().items()})
    if spec.dtype == bool:
        return spaces.MultiBinary(spec.shape)
    low, high = (np.broadcast_to(bound, spec.shape).astype(spec.dtype) for bound in (spec.minimum, spec.maximum))
    return spaces.Box(low, high, spec.shape, spec.dtype)


def observation_space(game: GameDescription, size: InterfaceSize) -> spaces.Space:
    """One player's `Observation`, field by field, of the same types."""
    return _space(observation_spec(game, size))


def action_space(game: GameDescription, size: InterfaceSize) -> spaces.Space:
    """One player's `Action`: numbers to choose from, and entities to select (-1 for none)."""

    def choice(spec: BoundedArray) -> spaces.Space:
        low, count = int(spec.minimum), int(spec.maximum) - int(spec.minimum) + 1
        if not spec.shape:
            return spaces.Discrete(count, start=low)
        return spaces.MultiDiscrete(np.full(spec.shape, count), start=np.full(spec.shape, low))

    return spaces.Dict({name: choice(spec) for name, spec in action_spec(game, size)._asdict().items()})


def read_action(action: Any, spec: Action, batch: tuple[int, ...] = ()) -> Action:
    """The `Action` that an element of an action space is, or the same parts as an `Action`, [*batch, ...].

    Raises ValueError, naming the part, where one is missing, misshapen or out of bounds (`action_spec`).
    """
    parts, action = {}, action._asdict() if isinstance(action, Action) else action
    for name, part in spec._asdict().items():
        if name not in action:
            raise ValueError(f"the action has no {name}: it needs {', '.join(spec._fields)}")
        value = np.asarray(action[name])
        if value.shape != batch + part.shape:
            raise ValueError(f"the action's {name} has shape {value.shape}: it must be {batch + part.shape}")
        if not np.issubdtype(value.dtype, np.integer):
            raise ValueError(f"the action's {name} is of type {value.dtype}: it must be whole numbers")
        if (value < part.minimum).any() or (value > part.maximum).any():
            raise ValueError(f"the action's {name} must lie between {part.minimum} and {part.maximum}: {value}")
        parts[name] = value.astype(part.dtype)
    return Action(**parts)
