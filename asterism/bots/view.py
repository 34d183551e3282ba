"""An observation as scripted players read it, and the actions they make of it."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.observation import (
    LOADS,
    POSITION_SCALE,
    RATIO_SCALE,
    Alliance,
    DisplayType,
    EntityField,
    MapPlane,
    Observation,
    Statistic,
)
from asterism.interface.sizes import InterfaceSize


class View(NamedTuple):
    """What a scripted player looks at. E entities, U unit types."""

    type: Int[Array, " E"]
    own: Bool[Array, " E"]
    enemy: Bool[Array, " E"]
    neutral: Bool[Array, " E"]
    position: Float[Array, "E 2"]
    built: Bool[Array, " E"]
    order: Int[Array, " E"]
    """Action index of the first order, -1 for none."""
    orders: Int[Array, " E"]
    harvesters: Int[Array, " E"]
    wanted_harvesters: Int[Array, " E"]
    addon: Int[Array, " E"]
    carries: Bool[Array, " E"]
    energy: Int[Array, " E"]
    health: Int[Array, " E"]
    """With shields."""
    sound: Float[Array, " E"]
    """Share of its full health and shields."""
    buffs: Int[Array, "E 2"]
    """StarCraft II's ids of the first two buffs; of a worker that carries something the first says what."""
    snapshot: Bool[Array, " E"]
    """Remembered, not seen."""
    cooldown: Int[Array, " E"]
    """Game loops until it can attack, or warp in, again."""
    counts: Int[Array, " U"]
    minerals: Int[Array, ""]
    vespene: Int[Array, ""]
    used: Int[Array, ""]
    cap: Int[Array, ""]
    army: Int[Array, ""]
    loop: Int[Array, ""]
    upgrades: Bool[Array, " K"]
    available: Bool[Array, " A"]
    visibility: Int[Array, "H H"]
    """0 never seen, 1 seen before, 2 visible."""
    buildable: Bool[Array, "H H"]


def view(observation: Observation) -> View:
    """Reads an observation."""
    rows = observation.entities.astype(jnp.int32)
    column = lambda field: rows[:, field]  # noqa: E731
    alliance = column(EntityField.ALLIANCE)
    stats = observation.scalars.statistics
    return View(
        type=column(EntityField.UNIT_TYPE),
        own=(alliance == Alliance.SELF) & (column(EntityField.DISPLAY_TYPE) != DisplayType.PLACEHOLDER),
        enemy=alliance == Alliance.ENEMY,
        neutral=alliance == Alliance.NEUTRAL,
        position=rows[:, EntityField.X : EntityField.Y + 1] / POSITION_SCALE,
        built=column(EntityField.BUILD_PROGRESS) == 255,
        order=column(EntityField.ORDER_0) - 1,
        orders=column(EntityField.ORDER_LENGTH),
        harvesters=column(EntityField.ASSIGNED_HARVESTERS),
        wanted_harvesters=column(EntityField.IDEAL_HARVESTERS),
        addon=column(EntityField.ADDON),
        carries=jnp.isin(column(EntityField.BUFF_0), jnp.array(LOADS)),
        energy=column(EntityField.ENERGY),
        health=column(EntityField.HEALTH) + column(EntityField.SHIELD),
        sound=_sound(column),
        buffs=rows[:, EntityField.BUFF_0 : EntityField.BUFF_1 + 1],
        snapshot=column(EntityField.DISPLAY_TYPE) == DisplayType.SNAPSHOT,
        cooldown=column(EntityField.WEAPON_COOLDOWN),
        counts=observation.scalars.unit_counts.astype(jnp.int32),
        minerals=stats[Statistic.MINERALS],
        vespene=stats[Statistic.VESPENE],
        used=stats[Statistic.FOOD_USED],
        cap=stats[Statistic.FOOD_CAP],
        army=stats[Statistic.FOOD_ARMY],
        loop=observation.scalars.game_loop,
        upgrades=observation.scalars.upgrades,
        available=observation.scalars.available_actions,
        visibility=observation.planes[MapPlane.VISIBILITY].astype(jnp.int32),
        buildable=observation.planes[MapPlane.BUILDABLE] > 0,
    )


def _sound(column) -> Float[Array, " E"]:
    """Health and shields together, as a share of the most."""
    health, shield = column(EntityField.HEALTH), column(EntityField.SHIELD)
    full = lambda have, ratio: have * RATIO_SCALE / jnp.maximum(column(ratio), 1)  # noqa: E731
    most = full(health, EntityField.HEALTH_RATIO) + full(shield, EntityField.SHIELD_RATIO)
    return (health + shield) / jnp.maximum(most, 1.0)


class ActionMaker(NamedTuple):
    """Makes actions for one game and interface size."""

    game: GameDescription
    size: InterfaceSize

    def select(self, mask: Bool[Array, " E"]) -> Int[Array, " S"]:
        """The first entities of a mask, as many as one action can select."""
        return jnp.nonzero(mask, size=self.size.selected, fill_value=-1)[0].astype(jnp.int32)

    def location(self, place: Float[Array, " 2"]) -> Int[Array, ""]:
        """Flat cell of the location grid that holds a place in map cells."""
        cell = jnp.clip(
            jnp.floor(place * (self.size.location / self.game.map_cells)).astype(jnp.int32), 0, self.size.location - 1
        )
        return cell[1] * self.size.location + cell[0]

    def make(self, name: str, mask=None, target=0, place=None, queued=0, repeat=0) -> Action:
        """The action called `name`, by the units in `mask`, at an entity or a place; its delay is set later."""
        units = jnp.full(self.size.selected, -1, jnp.int32) if mask is None else self.select(mask)
        whole = lambda value: jnp.asarray(value, jnp.int32)  # noqa: E731
        location = whole(0) if place is None else self.location(place)
        index = self.game.action_index[name]
        return Action(whole(index), whole(0), whole(queued), whole(repeat), units, whole(target), location)


def nearest_row(position: Float[Array, "E 2"], mask: Bool[Array, " E"], place: Float[Array, " 2"]) -> Int[Array, ""]:
    """Index of the entity of a mask that is nearest to a place."""
    return jnp.where(mask, ((position - place) ** 2).sum(1), jnp.inf).argmin()
