"""Observations made by hand: a quiet moment of a game, with the units that a task puts into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Int, PRNGKeyArray

from asterism.interface.description import GameDescription
from asterism.interface.observation import (
    POSITION_SCALE,
    RATIO_SCALE,
    Alliance,
    Cloak,
    DisplayType,
    EntityField,
    MapPlane,
    Observation,
    Privileged,
    Race,
    Statistic,
)
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import observation_spec, zeros

MOMENT = 2000
"""Game loops since the game began."""
AMOUNTS = {
    Statistic.MINERALS: 400,
    Statistic.VESPENE: 100,
    Statistic.FOOD_USED: 20,
    Statistic.FOOD_CAP: 31,
    Statistic.FOOD_ARMY: 4,
    Statistic.FOOD_WORKERS: 16,
    Statistic.ARMY_COUNT: 4,
}
"""Statistics at that moment."""
FULL_HEALTH = 45
"""Health of a unit, unless a task says otherwise."""


@dataclass(frozen=True)
class Studio:
    """Makes observations of one game at one size. Cells are those of the map planes: y * side + x."""

    game: GameDescription
    size: InterfaceSize

    @cached_property
    def blank(self) -> Observation:
        """A moment without units, in which nothing can be done. All ground is flat, seen, and free."""
        seen = zeros(observation_spec(self.game, self.size))
        planes = np.zeros(seen.planes.shape, np.uint8)
        planes[MapPlane.VISIBILITY] = 2
        planes[[MapPlane.PATHABLE, MapPlane.BUILDABLE, MapPlane.CAMERA]] = 1
        amounts = np.zeros(len(Statistic), np.int32)
        amounts[list(AMOUNTS)] = list(AMOUNTS.values())
        scalars = seen.scalars._replace(
            game_loop=np.int32(MOMENT),
            statistics=amounts,
            races=np.array([Race.TERRAN, Race.TERRAN], np.uint8),
        )
        return jax.tree.map(np.asarray, seen._replace(planes=planes, scalars=scalars))

    def units(self, names: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Indices of unit types."""
        return np.array([self.game.unit_index[name] for name in names])

    def actions(self, names: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Indices of action types."""
        return np.array([self.game.action_index[name] for name in names])

    def cells(self, key: PRNGKeyArray, count: int) -> Int[Array, " n"]:
        """Different random cells of the map planes."""
        return jax.random.permutation(key, self.size.map**2)[:count]

    def moment(
        self,
        available: Sequence[str] | Bool[Array, " A"],
        kinds: Int[ArrayLike, " n"] = (),
        cells: Int[ArrayLike, " n"] = (),
        alliance: Int[ArrayLike, "*n"] = Alliance.SELF,
        **columns: Int[ArrayLike, "*n"],
    ) -> Observation:
        """What is seen of n units in the middle of their cells; those of kind 0 are left out, and must be last.

        Args:
          available: the actions that can be done, by name or as flags.
          kinds: unit type indices.
          columns: further columns of the entities, called as in `EntityField`.
        """
        blank = self.blank
        if not isinstance(available, jax.Array):
            available = jnp.zeros(len(self.game.actions), bool).at[self.actions(available)].set(True)
        kinds, cells = jnp.asarray(kinds, jnp.int32), jnp.asarray(cells, jnp.int32)
        there = kinds > 0
        y, x = jnp.divmod(cells, self.size.map)
        grain = self.game.map_cells * POSITION_SCALE // self.size.map
        values = {
            "UNIT_TYPE": kinds,
            "ALLIANCE": alliance,
            "HEALTH": FULL_HEALTH,
            "HEALTH_RATIO": RATIO_SCALE,
            "BUILD_PROGRESS": RATIO_SCALE,
            "DISPLAY_TYPE": DisplayType.VISIBLE,
            "CLOAK": Cloak.NONE,
            "ON_SCREEN": 1,
            "X": x * grain + grain // 2,
            "Y": y * grain + grain // 2,
        } | columns
        entities = jnp.asarray(blank.entities)
        for name, value in values.items():
            column = jnp.where(there, jnp.asarray(value), 0).astype(entities.dtype)
            entities = entities.at[: len(kinds), EntityField[name]].set(column)
        sides = entities[: len(kinds), EntityField.ALLIANCE]
        owner = jnp.zeros((self.size.map, self.size.map), jnp.uint8).at[y, x].max(sides.astype(jnp.uint8))
        counts = jnp.zeros(len(self.game.unit_types), jnp.int16).at[kinds].add((sides == Alliance.SELF) & there)
        return blank._replace(
            entities=entities,
            planes=jnp.asarray(blank.planes).at[MapPlane.OWNER].set(owner),
            scalars=blank.scalars._replace(available_actions=available, unit_counts=counts),
        )

    def privileged(self, observation: Observation) -> Privileged:
        """What the value networks see, [2, ...]: as if both players owned the same. It tells them no secret."""
        scalars = observation.scalars
        executed = jax.tree.map(jnp.zeros_like, observation.z)
        one = Privileged(scalars.statistics, scalars.unit_counts, scalars.upgrades, jnp.zeros((), jnp.int32), executed)
        return jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), one)

    def map_cell(self, location: Int[Array, "*b"]) -> Int[Array, "*b"]:
        """The cell of the map planes in which a cell of the location grid lies."""
        y, x = jnp.divmod(location, self.size.location)
        grain = self.size.location // self.size.map
        return y // grain * self.size.map + x // grain
