"""How raw integers become numbers, as data (AlphaStar, Extended Data Table 1 and supplementary pseudocode).

A one-hot times a matrix is a row of that matrix, so one-hots are looked up and never written out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Integer

from asterism.agent.initializer import Initializer
from asterism.interface.description import GameDescription
from asterism.interface.observation import POSITION_SCALE, RATIO_SCALE, EntityField, MapPlane


@dataclass(frozen=True)
class Category:
    """One-hot of `size` classes; larger values count as the last."""

    size: int


@dataclass(frozen=True)
class Quantity:
    """An amount up to `most`: one-hot of floor(sqrt(x)) if `root`, else of floor(x / step); or one float."""

    most: int
    root: bool = False
    step: int = 1


@dataclass(frozen=True)
class Number:
    """The float x / most, at most 1, or its root. A flag is Number(1): as good as a one-hot of two."""

    most: int
    root: bool = False


@dataclass(frozen=True)
class Bits:
    """The lowest `count` binary digits."""

    count: int


Encoding = Category | Quantity | Number | Bits
Table = Mapping[int, tuple[Encoding, ...]]
"""The encodings of each column of an array of integers."""

FLAG = (Number(1),)
BUFFS = 320
"""StarCraft II's buff ids are below this."""


def entity_table(game: GameDescription) -> Table:
    """The encodings of each `EntityField`."""
    units, orders = Category(len(game.unit_types)), Category(len(game.actions) + 1)
    ratio = Number(RATIO_SCALE)
    position = (Bits(11), Number(game.map_cells * POSITION_SCALE))
    order_progress = (ratio, Quantity(RATIO_SCALE, step=26))
    level = (Category(4),)
    return {
        EntityField.UNIT_TYPE: (units,),
        EntityField.ALLIANCE: (Category(5),),
        EntityField.ATTRIBUTES: (Bits(13),),
        EntityField.HEALTH: (Quantity(1500, root=True),),
        EntityField.SHIELD: (Quantity(1000, root=True),),
        EntityField.ENERGY: (Quantity(200, root=True),),
        EntityField.CARGO_USED: (Quantity(8),),
        EntityField.CARGO_MAX: (Quantity(8),),
        EntityField.BUILD_PROGRESS: (ratio,),
        EntityField.HEALTH_RATIO: (ratio,),
        EntityField.SHIELD_RATIO: (ratio,),
        EntityField.ENERGY_RATIO: (ratio,),
        EntityField.DISPLAY_TYPE: (Category(5),),
        EntityField.X: position,
        EntityField.Y: position,
        EntityField.CLOAK: (Category(5),),
        EntityField.POWERED: FLAG,
        EntityField.HALLUCINATION: FLAG,
        EntityField.ACTIVE: FLAG,
        EntityField.ON_SCREEN: FLAG,
        EntityField.IN_CARGO: FLAG,
        EntityField.MINERALS: (Quantity(1800, step=100),),
        EntityField.VESPENE: (Quantity(2500, step=100),),
        EntityField.MINED_MINERALS: (Quantity(1800, root=True),),
        EntityField.MINED_VESPENE: (Quantity(2500, root=True),),
        EntityField.ASSIGNED_HARVESTERS: (Quantity(23),),
        EntityField.IDEAL_HARVESTERS: (Quantity(16),),
        EntityField.WEAPON_COOLDOWN: (Quantity(31),),
        EntityField.ORDER_LENGTH: (Quantity(8),),
        EntityField.ORDER_0: (orders,),
        EntityField.ORDER_1: (orders,),
        EntityField.ORDER_2: (orders,),
        EntityField.ORDER_3: (orders,),
        EntityField.ORDER_PROGRESS_0: order_progress,
        EntityField.ORDER_PROGRESS_1: order_progress,
        EntityField.BUFF_0: (Category(BUFFS),),
        EntityField.BUFF_1: (Category(BUFFS),),
        EntityField.ADDON: (units,),
        EntityField.WEAPON_UPGRADE: level,
        EntityField.ARMOR_UPGRADE: level,
        EntityField.SHIELD_UPGRADE: level,
        EntityField.WAS_SELECTED: FLAG,
        EntityField.WAS_TARGETED: FLAG,
    }


def plane_table() -> Table:
    """The encodings of each `MapPlane`."""
    return {
        MapPlane.HEIGHT: (Number(255),),
        MapPlane.VISIBILITY: (Category(4),),
        MapPlane.CREEP: FLAG,
        MapPlane.OWNER: (Category(5),),
        MapPlane.ALERTS: FLAG,
        MapPlane.PATHABLE: FLAG,
        MapPlane.BUILDABLE: FLAG,
        MapPlane.CAMERA: FLAG,
    }


class IntegerEncoder(eqx.Module):
    """A linear layer over the encoded columns of an array of integers."""

    lookup: Float[Array, "rows w"]
    """The one-hots' share of the matrix, the columns' tables one after the other."""
    dense: Float[Array, "features w"]
    bias: Float[Array, " w"]
    columns: tuple[tuple[int, Encoding], ...] = eqx.field(static=True)

    def __init__(self, init: Initializer, table: Table, width: int, one_hot: bool = True):
        """`one_hot`: whether a `Quantity` is a one-hot or a float."""
        self.columns = tuple(
            (int(column), encoding if one_hot else _as_float(encoding))
            for column, encodings in sorted(table.items())
            for encoding in encodings
        )
        rows = sum(_classes(encoding) for _, encoding in self.columns)
        features = sum(_features(encoding) for _, encoding in self.columns)
        inputs = features + sum(_classes(encoding) > 0 for _, encoding in self.columns)
        self.lookup = init.uniform((rows, width), inputs)
        self.dense = init.uniform((features, width), inputs)
        self.bias = jnp.zeros(width)

    def __call__(self, x: Integer[Array, "*b columns"]) -> Float[Array, "*b w"]:
        x = x.astype(jnp.int32)
        total, row = self._features(x) @ self.dense + self.bias, 0
        for column, encoding in self.columns:
            if size := _classes(encoding):
                total += self.lookup[row : row + size][_class(encoding, x[..., column])]
                row += size
        return total

    def _features(self, x: Integer[Array, "*b columns"]) -> Float[Array, "*b features"]:
        """Floats first, then binary digits."""
        numbers = [(column, encoding) for column, encoding in self.columns if isinstance(encoding, Number)]
        most = np.array([encoding.most for _, encoding in numbers], np.float32)
        scaled = jnp.clip(x[..., np.array([column for column, _ in numbers], int)] / most, 0.0, 1.0)
        rooted = np.array([encoding.root for _, encoding in numbers], bool)
        if rooted.any():
            scaled = jnp.where(rooted, jnp.sqrt(scaled), scaled)
        digits = [
            (x[..., column, None] >> np.arange(encoding.count)) & 1
            for column, encoding in self.columns
            if isinstance(encoding, Bits)
        ]
        return jnp.concatenate([scaled, *digits], -1, dtype=jnp.float32)


def _as_float(encoding: Encoding) -> Encoding:
    """A quantity as a float, anything else as it is."""
    return Number(encoding.most, encoding.root) if isinstance(encoding, Quantity) else encoding


def _classes(encoding: Encoding) -> int:
    """Classes of a one-hot; 0 for other encodings."""
    if isinstance(encoding, Category):
        return encoding.size
    if isinstance(encoding, Quantity):
        return (math.isqrt(encoding.most) if encoding.root else encoding.most // encoding.step) + 1
    return 0


def _features(encoding: Encoding) -> int:
    """Floats of an encoding; 0 for one-hots."""
    return encoding.count if isinstance(encoding, Bits) else int(isinstance(encoding, Number))


def _class(encoding: Encoding, x: Integer[Array, "*b"]) -> Integer[Array, "*b"]:
    """Index of the one-hot's class."""
    if isinstance(encoding, Quantity):
        x = jnp.clip(x, 0, encoding.most)
        x = jnp.sqrt(x.astype(jnp.float32)).astype(jnp.int32) if encoding.root else x // encoding.step
    return jnp.clip(x, 0, _classes(encoding) - 1)
