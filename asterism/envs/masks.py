"""What may be chosen now, as arrays and in the form that Gymnasium's `sample(mask)` takes.

The parts of an action are masked apart from each other: the mask says which action types some listed unit can take, and
which entities are one's own, not which of these can take which type. Choose a type first and narrow the mask to it for
that. A unit that is still under construction counts, and so does a target that a spell does not work on: such an action
is legal and does nothing, and its result says why.
"""

from typing import Any

import numpy as np
from jaxtyping import Int8

from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.observation import Alliance, EntityField, Observation
from asterism.interface.sizes import InterfaceSize


def mask_arrays(game: GameDescription, observation: Observation) -> dict[str, Int8[np.ndarray, "*b _"]]:
    """Masks of `action_type` [*b, A]: available, and some listed unit can take it; `units` [*b, E]: one's own;
    `target_unit` [*b, E]: rows of the entity list that are not empty. int8, 1 for what may be chosen.

    Args:
      observation: of NumPy arrays, [*b, ...].
    """
    entities = np.asarray(observation.entities)
    alliance, types = entities[..., EntityField.ALLIANCE], entities[..., EntityField.UNIT_TYPE]
    own = alliance == Alliance.SELF
    here = np.zeros((*own.shape[:-1], len(game.unit_types)), np.float32)
    np.put_along_axis(here, np.where(own, types, 0).astype(np.int64), 1.0, -1)
    here[..., 0] = 0
    taken = here @ game.selectable.T.astype(np.float32) > 0
    available = np.asarray(observation.scalars.available_actions) & (taken | ~game.uses.units)
    return {
        "action_type": available.astype(np.int8),
        "units": own.astype(np.int8),
        "target_unit": (alliance != Alliance.ABSENT).astype(np.int8),
    }


def idle_arrays(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same masks for a player whose turn it is not: nothing but no_op, without units."""
    action_type = np.zeros_like(arrays["action_type"])
    action_type[..., 0] = 1
    return arrays | {"action_type": action_type, "units": np.zeros_like(arrays["units"])}


def narrow(
    game: GameDescription, observation: Observation, action_type: int | np.integer, arrays: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The masks of one player once it has chosen an action type: that type alone, and the units that can take it."""
    types = np.asarray(observation.entities)[:, EntityField.UNIT_TYPE]
    chosen = np.zeros_like(arrays["action_type"])
    chosen[action_type] = 1
    return arrays | {"action_type": chosen, "units": arrays["units"] & game.selectable[action_type][types]}


def sample_mask(size: InterfaceSize, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """One player's masks in the form that `action_space.sample(mask)` takes: of each place of `units` whether it may be
    empty (-1, first) or which entity; parts that are not masked are None. Where any unit may be chosen the first is."""
    units, none = arrays["units"], np.ones(1, np.int8)
    first = np.concatenate([none - units.any(keepdims=True), units])
    rest = np.concatenate([none, units])
    return dict.fromkeys(Action._fields) | {
        "action_type": arrays["action_type"],
        "units": (first, *[rest] * (size.selected - 1)),
        "target_unit": arrays["target_unit"],
    }
