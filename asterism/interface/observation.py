"""What an agent sees, as raw integers: encoding happens inside the network (AlphaStar, Extended Data Table 1)."""

from enum import IntEnum
from typing import NamedTuple

from jaxtyping import Array, Bool, Int, Integer


class Alliance(IntEnum):
    """StarCraft II's own numbers; 0 marks an empty row of the entity list."""

    ABSENT = 0
    SELF = 1
    ALLY = 2
    NEUTRAL = 3
    ENEMY = 4


class Cloak(IntEnum):
    """StarCraft II's own numbers; 0 where it is not known."""

    CLOAKED = 1
    DETECTED = 2
    NONE = 3
    ALLIED = 4


class EntityField(IntEnum):
    """Columns of `Observation.entities`. Ratios and progress in 1/255, positions in 1/8 map cell, times in loops."""

    UNIT_TYPE = 0  # index into GameDescription.unit_types; 0 is none or unknown
    ALLIANCE = 1
    ATTRIBUTES = 2  # bit field of the 13 attribute flags
    HEALTH = 3
    SHIELD = 4
    ENERGY = 5
    CARGO_USED = 6
    CARGO_MAX = 7
    BUILD_PROGRESS = 8
    HEALTH_RATIO = 9
    SHIELD_RATIO = 10
    ENERGY_RATIO = 11
    DISPLAY_TYPE = 12  # `DisplayType`
    X = 13
    Y = 14
    CLOAK = 15
    POWERED = 16
    HALLUCINATION = 17
    ACTIVE = 18
    ON_SCREEN = 19
    IN_CARGO = 20
    MINERALS = 21
    VESPENE = 22
    MINED_MINERALS = 23
    MINED_VESPENE = 24
    ASSIGNED_HARVESTERS = 25
    IDEAL_HARVESTERS = 26
    WEAPON_COOLDOWN = 27
    ORDER_LENGTH = 28
    ORDER_0 = 29  # 1 + index into GameDescription.actions; 0 is no order
    ORDER_1 = 30
    ORDER_2 = 31
    ORDER_3 = 32
    ORDER_PROGRESS_0 = 33
    ORDER_PROGRESS_1 = 34
    BUFF_0 = 35
    BUFF_1 = 36
    ADDON = 37  # unit type index of the add-on; 0 is none
    WEAPON_UPGRADE = 38
    ARMOR_UPGRADE = 39
    SHIELD_UPGRADE = 40
    WAS_SELECTED = 41
    WAS_TARGETED = 42


class DisplayType(IntEnum):
    """StarCraft II's own numbers."""

    VISIBLE = 1
    SNAPSHOT = 2
    """As it was when it was last seen."""
    HIDDEN = 3
    PLACEHOLDER = 4
    """An own structure that a worker is on its way to build."""


LOADS = (271, 272, 273, 274, 275)
"""StarCraft II's buff ids of what workers carry: minerals, rich minerals, gas of Terran, Protoss and Zerg."""

CAMERA = (32, 20)
"""Width and height of what the camera shows, in map cells (AlphaStar)."""

POSITION_SCALE = 8
"""Entity positions are integers in 1/8 of a map cell."""

RATIO_SCALE = 255
"""Ratios and progress are integers in 1/255."""


class MapPlane(IntEnum):
    """Planes of `Observation.planes`."""

    HEIGHT = 0  # 0..255
    VISIBILITY = 1  # 0 never seen, 1 seen before, 2 visible
    CREEP = 2
    OWNER = 3  # Alliance of the units in the cell
    ALERTS = 4
    PATHABLE = 5
    BUILDABLE = 6
    CAMERA = 7


class Statistic(IntEnum):
    """Entries of `Scalars.statistics`: StarCraft II's `PlayerCommon`; supply in whole units."""

    MINERALS = 0
    VESPENE = 1
    FOOD_USED = 2
    FOOD_CAP = 3
    FOOD_ARMY = 4
    FOOD_WORKERS = 5
    IDLE_WORKERS = 6
    ARMY_COUNT = 7
    WARP_GATES = 8
    LARVA = 9


class Race(IntEnum):
    """StarCraft II's own numbers; UNKNOWN for an opponent whose race is hidden."""

    UNKNOWN = 0
    TERRAN = 1
    ZERG = 2
    PROTOSS = 3
    RANDOM = 4

    @classmethod
    def named(cls, name: str) -> "Race":
        """The race with a name in small letters; KeyError for another."""
        return cls[name.upper()]


class Scalars(NamedTuple):
    """All that is neither an entity nor a map. U, A, K: unit types, actions, upgrades of the game's description."""

    game_loop: Int[Array, "*b"]
    statistics: Int[Array, "*b 10"]
    races: Integer[Array, "*b 2"]
    """Own, enemy (`Race`)."""
    upgrades: Bool[Array, "*b K"]
    enemy_upgrades: Bool[Array, "*b K"]
    available_actions: Bool[Array, "*b A"]
    unit_counts: Integer[Array, "*b U"]
    """Own units and structures, those under construction included."""
    mmr: Integer[Array, "*b"]
    last_action_type: Integer[Array, "*b"]
    last_delay: Integer[Array, "*b"]
    last_queued: Integer[Array, "*b"]
    last_repeat: Integer[Array, "*b"]


class Strategy(NamedTuple):
    """The strategy statistics z, and in the same form what a player has done so far. L: entries of a build order.

    A build order entry is a unit type index, or the number of unit types plus an upgrade index; 0 is empty.
    All zero is how a masked z looks (AlphaStar, Methods: z is zeroed at random in supervised learning).
    """

    build_order: Integer[Array, "*b L"]
    build_order_location: Integer[Array, "*b L"]
    """Flat cell of the location grid."""
    units: Bool[Array, "*b U"]
    """Unit types built at least once."""
    effects: Bool[Array, "*b F"]
    upgrades: Bool[Array, "*b K"]


class Observation(NamedTuple):
    """One player's view of one game. E entities, P planes of H x H cells."""

    entities: Int[Array, "*b E 43"]
    """int16, columns `EntityField`; rows without an entity are zero and last."""
    planes: Integer[Array, "*b P H H"]
    """uint8, `MapPlane`; indexed [plane, y, x]."""
    scalars: Scalars
    z: Strategy
    """The strategy the player is asked to follow; all zero when it is free."""


class Privileged(NamedTuple):
    """What only the value networks see, of one player; learners get both players' (AlphaStar, Methods: Value)."""

    statistics: Int[Array, "*b 10"]
    unit_counts: Integer[Array, "*b U"]
    upgrades: Bool[Array, "*b K"]
    score: Int[Array, "*b"]
    """Value of everything owned, in minerals plus vespene."""
    executed: Strategy
    """What the player has done so far."""
