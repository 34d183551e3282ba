"""What an agent does: one action with its parts, in AlphaStar's order."""

from enum import IntEnum
from typing import Any, NamedTuple

from jaxtyping import Array, Int


class Action(NamedTuple):
    """One action. S: most units that one action can select. Parts that the action type does not use are ignored."""

    action_type: Int[Array, "*b"]
    """Index into GameDescription.actions; 0 is no_op."""
    delay: Int[Array, "*b"]
    """Game loops until the next observation."""
    queued: Int[Array, "*b"]
    """1: after the orders that the units have already."""
    repeat: Int[Array, "*b"]
    """How many more times the action is given (training: at as many more structures)."""
    units: Int[Array, "*b S"]
    """Entity indices; -1 ends the selection and fills the rest."""
    target_unit: Int[Array, "*b"]
    """Entity index."""
    location: Int[Array, "*b"]
    """Flat cell of the location grid: y * location + x."""


class ActionParts(NamedTuple):
    """Something that each part of an action has: log-probability, logits, entropy, a mask."""

    action_type: Any
    delay: Any
    queued: Any
    repeat: Any
    units: Any
    target_unit: Any
    location: Any


class ActionResult(IntEnum):
    """What became of a player's last action: StarCraft II's own numbers, those that a game here can give."""

    SUCCESS = 1
    NOT_SUPPORTED = 2
    ERROR = 3
    RETRY = 5
    COOLDOWN = 6
    QUEUE_IS_FULL = 7
    NOT_ENOUGH_MINERALS = 9
    NOT_ENOUGH_VESPENE = 10
    NOT_ENOUGH_FOOD = 13
    NOT_ENOUGH_LIFE = 15
    NOT_ENOUGH_ENERGY = 17
    CANT_TARGET_THAT_UNIT = 36
    BUILD_TECH_REQUIREMENTS_NOT_MET = 40
    CANT_BUILD_LOCATION_INVALID = 44
    CANT_BUILD_TOO_CLOSE_TO_CREEP_SOURCE = 46
    CANT_BUILD_TOO_FAR_FROM_CREEP_SOURCE = 49
    CANT_BUILD_TOO_FAR_FROM_POWER_SOURCE = 50
    CANT_TRAIN_TOO_FAR_FROM_POWER_SOURCE = 52
    CANT_LAND_LOCATION_INVALID = 53
    CANT_WARP_IN_UNITS_THERE = 69
    TECH_REQUIREMENTS_NOT_MET = 79
    MUST_TARGET_VISIBLE_UNIT = 83
    MUST_TARGET_VISIBLE_LOCATION = 84
    ORDER_QUEUE_IS_FULL = 203
