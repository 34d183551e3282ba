"""The columns of the entity list: what each field of it says of units, resources, snapshots and placeholders."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs, cargo
from asterism.game.accounting import current_task, finished, on_field
from asterism.game.economy import worker_load
from asterism.game.geometry import length
from asterism.game.modifiers import upgraded
from asterism.game.power import powered
from asterism.game.sight import cloaked
from asterism.game.skipping import chosen
from asterism.game.state import Snapshots, State, by_player, owners
from asterism.game.tables import load_economy
from asterism.game.tasks import TIMED, Kind
from asterism.game.world import World, is_kind
from asterism.interface.description import GameDescription
from asterism.interface.observation import LOADS, POSITION_SCALE, RATIO_SCALE, Cloak, DisplayType, EntityField, Race

NEAR_HALL = 10.0
"""Resources within this many cells of an own town hall belong to its base."""


def planned_structures(world: World, state: State) -> tuple[Int[Array, " N"], Float[Array, "N 2"]]:
    """The type of the structure that each unit is told to build next and has not begun, 0 for none, and its place."""
    units, count = state.units, len(state.units.type)
    task = world.task[units.order_action, units.type[:, None]]
    begun = (units.order_target >= 0) & (units.order_target < count)
    plans = (world.tasks.kind[task] == Kind.BUILD) & ~begun & on_field(units)[:, None]
    first = plans & (jnp.cumsum(plans, 1) == 1)
    return (first * world.tasks.product[task]).sum(1), (first[..., None] * units.order_position).sum(1)


def shown_levels(world: World, game: GameDescription) -> Bool[np.ndarray, "3 U K"]:
    """Which upgrades count as levels of each type's weapons, armor and shields: those that come by levels."""
    leveled = np.array(["Level" in name for name in game.upgrades])
    table = world.units
    weapons = (np.asarray(table.weapons.upgrade_damage)[np.asarray(table.weapons.of)] > 0).any(1)
    return (
        np.stack([weapons, np.asarray(table.upgrade_armor) > 0, np.asarray(table.upgrade_shield_armor) > 0]) & leveled
    )


def loads(world: World, state: State) -> Int[Array, " N"]:
    """StarCraft II's buff id of what each worker carries, 0 for nothing."""
    units = state.units
    minerals, rich, terran, protoss, zerg = LOADS
    gas = np.zeros(max(Race) + 1, np.int32)
    gas[[Race.TERRAN, Race.PROTOSS, Race.ZERG]] = terran, protoss, zerg
    most = {row.name: row.per_trip for row in load_economy().resources}
    mineral = jnp.where(units.load == most["RichMineralField"], rich, minerals)
    vespene = jnp.asarray(gas)[world.units.race[units.type]]
    return jnp.where(units.carrying == 1, mineral, jnp.where(units.carrying == 2, vespene, 0))


def unit_columns(world: World, state: State, game: GameDescription) -> dict[EntityField, Array]:
    """Columns of the entity list that do not depend on who looks, for all units."""
    units, table = state.units, world.units
    kind, owner = units.type, owners(len(units.type))
    health = jnp.maximum(units.health, 0.0)
    levels = chosen(state.players.upgrades, shown_levels(world, game), False).sum(-1)  # [2, 3, U]
    ratio = lambda have, most: jnp.clip(have / jnp.maximum(most, 1.0), 0.0, 1.0) * RATIO_SCALE  # noqa: E731
    built = 1.0 - units.build_left / jnp.maximum(table.build_time[kind], 1.0)
    works = powered(world, units)
    return {
        EntityField.UNIT_TYPE: kind,
        EntityField.ATTRIBUTES: table.attributes[kind],
        EntityField.HEALTH: jnp.ceil(health),
        EntityField.SHIELD: jnp.ceil(units.shield),
        EntityField.ENERGY: jnp.floor(units.energy),
        EntityField.CARGO_MAX: table.cargo_capacity[kind],
        EntityField.BUILD_PROGRESS: built * RATIO_SCALE,
        EntityField.HEALTH_RATIO: ratio(health, upgraded(state, table.health, table.upgrade_health)),
        EntityField.SHIELD_RATIO: ratio(units.shield, table.shield[kind]),
        EntityField.ENERGY_RATIO: ratio(units.energy, table.energy[kind]),
        EntityField.DISPLAY_TYPE: jnp.full_like(kind, DisplayType.VISIBLE),
        EntityField.X: units.position[:, 0] * POSITION_SCALE,
        EntityField.Y: units.position[:, 1] * POSITION_SCALE,
        # As the owner sees it; an enemy's is told apart in `entity_rows`.
        EntityField.CLOAK: jnp.where(cloaked(world, units), Cloak.ALLIED, Cloak.NONE),
        EntityField.POWERED: table.needs_power[kind] & works & finished(units),
        EntityField.WEAPON_COOLDOWN: jnp.maximum(units.cooldown, 0.0),
        EntityField.ADDON: jnp.where(units.addon >= 0, kind[jnp.maximum(units.addon, 0)], 0),
        EntityField.WEAPON_UPGRADE: levels[owner, 0, kind],
        EntityField.ARMOR_UPGRADE: levels[owner, 1, kind],
        EntityField.SHIELD_UPGRADE: levels[owner, 2, kind],
        EntityField.BUFF_0: loads(world, state),
        **order_columns(world, state, works),
    }


def order_columns(world: World, state: State, works: Bool[Array, " N"]) -> dict[EntityField, Array]:
    """What units are told, and how far the first orders are. `works`: those that do not lack power."""
    units = state.units
    task = current_task(world, state)
    busy = units.working & is_kind(world.tasks.kind[task], *TIMED)
    progress = jnp.where(busy, 1.0 - units.timer / jnp.maximum(world.tasks.time[task], 1.0), 0.0) * RATIO_SCALE
    told, number = units.order_action, (units.order_action > 0).sum(1)
    ids = jnp.where(told > 0, told + 1, 0)
    ids = jnp.pad(ids, ((0, 0), (0, max(0, 4 - ids.shape[1]))))[:, :4]
    second = jnp.zeros_like(progress)
    if (np.asarray(world.units.addon) & ~np.asarray(world.units.techlab)).any():
        # What its reactor trains is the structure's own second order, as in StarCraft II.
        addon = jnp.maximum(units.addon, 0)
        shares = (units.addon >= 0) & ~world.units.techlab[units.type[addon]] & (number > 0) & (number[addon] > 0)
        joined = jnp.stack([ids[:, 0], ids[addon, 0], ids[:, 1], ids[addon, 1]], 1)
        ids = jnp.where(shares[:, None], joined, ids)
        second = jnp.where(shares, progress[addon], second)
        number = number + jnp.where(shares, number[addon], 0)
    return {
        EntityField.ACTIVE: busy & works & world.units.structure[units.type],
        EntityField.ORDER_LENGTH: number,
        EntityField.ORDER_0: ids[:, 0],
        EntityField.ORDER_1: ids[:, 1],
        EntityField.ORDER_2: ids[:, 2],
        EntityField.ORDER_3: ids[:, 3],
        EntityField.ORDER_PROGRESS_0: progress,
        EntityField.ORDER_PROGRESS_1: second,
    }


def spell_columns(world: World, state: State) -> dict[EntityField, Array]:
    """Buffs, cloak, cargo and what is a hallucination."""
    if state.spells is None:
        return {}
    first, second = buffs.buff_columns(world, state)
    load = loads(world, state)
    return {
        EntityField.BUFF_0: jnp.where(load > 0, load, first),
        EntityField.BUFF_1: jnp.where(load > 0, first, second),
        EntityField.CLOAK: jnp.where(buffs.cloaked(world, state), Cloak.ALLIED, Cloak.NONE),
        EntityField.CARGO_USED: cargo.used(world, state),
        EntityField.CARGO_MAX: jnp.minimum(cargo.capacity(world, state), 8),
        EntityField.IN_CARGO: state.spells.inside >= 0,
        EntityField.HALLUCINATION: buffs.hallucinated(world, state),
    }


def harvester_columns(world: World, state: State) -> dict[EntityField, Array]:
    """Assigned and ideal harvesters of town halls and refineries."""
    units, kind, count = state.units, state.units.type, len(state.units.type)
    load = worker_load(world, units)[owners(count)]
    distance = length(units.position[:, None] - world.terrain.resources)
    minerals = (distance < NEAR_HALL) & ~world.terrain.is_geyser & (state.amounts > 0)
    geyser = (distance < 1.0) & world.terrain.is_geyser & (state.amounts > 0)
    hall, refinery = world.units.townhall[kind], world.units.refinery[kind]
    of = jnp.where(hall[:, None], minerals, geyser & refinery[:, None])
    ideal = jnp.where(hall, 2 * minerals.sum(1), jnp.where(refinery & geyser.any(1), 3, 0))
    return {
        EntityField.ASSIGNED_HARVESTERS: (of * load).sum(1),
        EntityField.IDEAL_HARVESTERS: jnp.where(finished(units), ideal, 0),
    }


def resource_columns(
    world: World, amount: Float[Array, " R"], seen: Bool[Array, " R"], game: GameDescription
) -> dict[EntityField, Array]:
    """Columns of mineral fields and geysers, that hold `amount` as far as a player knows, who sees those in `seen`."""
    gas = world.terrain.is_geyser
    full = world.terrain.contents
    return {
        EntityField.UNIT_TYPE: jnp.where(gas, game.unit_index["VespeneGeyser"], game.unit_index["MineralField"]),
        EntityField.DISPLAY_TYPE: jnp.where(seen, DisplayType.VISIBLE, DisplayType.SNAPSHOT),
        EntityField.X: world.terrain.resources[:, 0] * POSITION_SCALE,
        EntityField.Y: world.terrain.resources[:, 1] * POSITION_SCALE,
        EntityField.BUILD_PROGRESS: jnp.full(amount.shape, RATIO_SCALE),
        EntityField.MINERALS: jnp.where(gas, 0.0, amount),
        EntityField.VESPENE: jnp.where(gas, amount, 0.0),
        EntityField.MINED_MINERALS: jnp.where(gas, 0.0, full - amount),
        EntityField.MINED_VESPENE: jnp.where(gas, full - amount, 0.0),
    }


def snapshot_columns(world: World, snapshots: Snapshots) -> dict[EntityField, Array]:
    """Columns of the snapshots that one player has: what could be seen, nothing that the structure kept to itself."""
    kind, table = snapshots.type, world.units
    health = jnp.maximum(snapshots.health, 0.0)
    share = lambda have, most: jnp.clip(have / jnp.maximum(most, 1.0), 0.0, 1.0) * RATIO_SCALE  # noqa: E731
    return {
        EntityField.UNIT_TYPE: kind,
        EntityField.ATTRIBUTES: table.attributes[kind],
        EntityField.HEALTH: jnp.ceil(health),
        EntityField.SHIELD: jnp.ceil(snapshots.shield),
        EntityField.BUILD_PROGRESS: RATIO_SCALE - share(snapshots.build_left, table.build_time[kind]),
        EntityField.HEALTH_RATIO: share(health, table.health[kind]),
        EntityField.SHIELD_RATIO: share(snapshots.shield, table.shield[kind]),
        EntityField.DISPLAY_TYPE: jnp.full_like(kind, DisplayType.SNAPSHOT),
        EntityField.X: snapshots.position[:, 0] * POSITION_SCALE,
        EntityField.Y: snapshots.position[:, 1] * POSITION_SCALE,
    }


def placeholder_columns(world: World, state: State, player: int) -> dict[EntityField, Array]:
    """Columns of the structures that one player's units are on their way to build."""
    kind, place = (by_player(values)[player] for values in planned_structures(world, state))
    return {
        EntityField.UNIT_TYPE: kind,
        EntityField.ATTRIBUTES: world.units.attributes[kind],
        EntityField.DISPLAY_TYPE: jnp.full_like(kind, DisplayType.PLACEHOLDER),
        EntityField.X: place[:, 0] * POSITION_SCALE,
        EntityField.Y: place[:, 1] * POSITION_SCALE,
    }
