"""What each player sees of a game."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt8

from asterism.game import buffs, cargo, fog
from asterism.game.accounting import available_actions, counts, current_task, finished, on_field, supply
from asterism.game.commands import place_to_location
from asterism.game.economy import townhall_distance, worker_load
from asterism.game.geometry import length
from asterism.game.modifiers import upgraded
from asterism.game.power import powered
from asterism.game.sight import cloaked, visible_cells, visible_enemies
from asterism.game.state import Snapshots, State, by_player, owners
from asterism.game.tasks import TIMED
from asterism.game.world import World, is_kind
from asterism.interface.description import GameDescription
from asterism.interface.observation import (
    POSITION_SCALE,
    RATIO_SCALE,
    Alliance,
    Cloak,
    EntityField,
    MapPlane,
    Observation,
    Privileged,
    Scalars,
    Strategy,
)
from asterism.interface.sizes import InterfaceSize

EXACT = jax.lax.Precision.HIGHEST
SNAPSHOT = 2
"""Display type of what is remembered; 1 is what is seen."""
NEAR_HALL = 10.0
"""Resources within this many cells of an own town hall belong to its base."""


def entity_priority(world: World, state: State, player: int, seen: Bool[Array, " P"]) -> Int[Array, " M"]:
    """Rank of every unit, resource and snapshot in a player's entity list (lower comes first); 99 is not in it.

    Where the list is too short for all, workers and distant resources are the first to be left out.
    """
    units, count = state.units, len(state.units.type)
    own = (owners(count) == player) & on_field(units)
    worker = world.units.worker[units.type]
    idle = units.order_action[:, 0] == 0
    enemy = jnp.zeros((2, count // 2), bool).at[1 - player].set(seen).reshape(-1)
    rank = jnp.where(own & ~worker, 0, jnp.where(own & idle, 1, jnp.where(own, 4, 99)))
    rank = jnp.where(enemy, 2, rank)
    near = townhall_distance(world, units, world.terrain.resources)[player] < NEAR_HALL
    # One field stands for its base, so that even a short list shows where each base is.
    head = world.terrain.first_field | world.terrain.is_geyser
    resource = jnp.where(head, jnp.where(near, 3, 6), jnp.where(near, 5, 7))
    resource = jnp.where(state.amounts > 0, resource, 99)
    ranks = [rank, resource]
    if state.snapshots is not None:
        listed = (state.snapshots.type[player] > 0) & state.snapshots.hidden[player]
        ranks.append(jnp.where(listed, 2, 99))
    return jnp.concatenate(ranks)


def entity_list(world: World, state: State, player: int, seen, size: InterfaceSize) -> Int[Array, " E"]:
    """Slot, N plus resource, or N + R plus snapshot, of each row of the list; -1 where it is empty."""
    rank = entity_priority(world, state, player, seen)
    total = len(rank)
    order = jnp.sort(rank * total + jnp.arange(total))[: size.entities]
    listed = jnp.where(order < 99 * total, order % total, -1)
    return jnp.pad(listed, (0, size.entities - len(listed)), constant_values=-1)


def unit_columns(world: World, state: State) -> dict[EntityField, Array]:
    """Columns of the entity list that do not depend on who looks, for all units."""
    units, table = state.units, world.units
    kind = units.type
    health = jnp.maximum(units.health, 0.0)
    task = current_task(world, state)
    busy = units.working & is_kind(world.tasks.kind[task], *TIMED)
    total = jnp.maximum(world.tasks.time[task], 1.0)
    progress = jnp.where(busy, 1.0 - units.timer / total, 0.0)
    levels = lambda t: (t[kind] > 0) @ state.players.upgrades.astype(jnp.float32).T  # noqa: E731
    level = lambda t: jnp.take_along_axis(levels(t), owners(len(kind))[:, None], 1)[:, 0]  # noqa: E731
    armament = (table.weapons.upgrade_damage[table.weapons.of] > 0).any(1)
    ratio = lambda have, most: jnp.clip(have / jnp.maximum(most, 1.0), 0.0, 1.0) * RATIO_SCALE  # noqa: E731
    built = 1.0 - units.build_left / jnp.maximum(table.build_time[kind], 1.0)
    orders = units.order_action
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
        EntityField.DISPLAY_TYPE: jnp.ones_like(kind),
        EntityField.X: units.position[:, 0] * POSITION_SCALE,
        EntityField.Y: units.position[:, 1] * POSITION_SCALE,
        # As the owner sees it; an enemy's is told apart in `entity_rows`.
        EntityField.CLOAK: jnp.where(cloaked(world, units), Cloak.ALLIED, Cloak.NONE),
        EntityField.POWERED: table.needs_power[kind] & powered(world, units) & finished(units),
        EntityField.ACTIVE: orders[:, 0] > 0,
        EntityField.WEAPON_COOLDOWN: jnp.maximum(units.cooldown, 0.0),
        EntityField.ORDER_LENGTH: (orders > 0).sum(1),
        EntityField.ORDER_0: jnp.where(orders[:, 0] > 0, orders[:, 0] + 1, 0),
        EntityField.ORDER_1: jnp.where(orders[:, 1] > 0, orders[:, 1] + 1, 0),
        EntityField.ORDER_2: jnp.where(orders[:, 2] > 0, orders[:, 2] + 1, 0),
        EntityField.ORDER_3: jnp.where(orders[:, 3] > 0, orders[:, 3] + 1, 0),
        EntityField.ORDER_PROGRESS_0: progress * RATIO_SCALE,
        EntityField.ADDON: jnp.where(units.addon >= 0, kind[jnp.maximum(units.addon, 0)], 0),
        EntityField.WEAPON_UPGRADE: level(armament),
        EntityField.ARMOR_UPGRADE: level(table.upgrade_armor),
        EntityField.SHIELD_UPGRADE: level(table.upgrade_shield_armor),
        EntityField.BUFF_0: units.carrying,
    }


def spell_columns(world: World, state: State) -> dict[EntityField, Array]:
    """Buffs, cloak, cargo and what is a hallucination."""
    if state.spells is None:
        return {}
    units, spells = state.units, state.spells
    first, second = buffs.buff_columns(world, state)
    cloak = buffs.cloaked(world, state)
    shown = jnp.where(buffs.detected(world, state, cloak), Cloak.DETECTED, Cloak.CLOAKED)
    loaded = units.carrying > 0
    return {
        EntityField.BUFF_0: jnp.where(loaded, units.carrying, first),
        EntityField.BUFF_1: jnp.where(loaded, first, second),
        EntityField.CLOAK: jnp.where(cloak, shown, Cloak.NONE),
        EntityField.CARGO_USED: cargo.used(world, state),
        EntityField.CARGO_MAX: jnp.minimum(cargo.capacity(world, state), 8),
        EntityField.IN_CARGO: spells.inside >= 0,
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


def resource_columns(world: World, state: State, types: tuple[int, int]) -> dict[EntityField, Array]:
    """Columns of mineral fields and geysers."""
    gas = world.terrain.is_geyser
    amount = state.amounts
    full = world.terrain.contents
    return {
        EntityField.UNIT_TYPE: jnp.where(gas, types[1], types[0]),
        EntityField.DISPLAY_TYPE: jnp.ones_like(gas),
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
        EntityField.DISPLAY_TYPE: jnp.full_like(kind, SNAPSHOT),
        EntityField.X: snapshots.position[:, 0] * POSITION_SCALE,
        EntityField.Y: snapshots.position[:, 1] * POSITION_SCALE,
    }


def stack_columns(columns: dict[EntityField, Array], rows: int) -> Int[Array, "M F"]:
    """`rows` rows of the entity list, zero in the fields that are not among the columns."""
    zero = jnp.zeros(rows, jnp.int16)
    return jnp.stack([columns[f].astype(jnp.int16) if f in columns else zero for f in EntityField], 1)


def entity_table(world: World, state: State, types: tuple[int, int]) -> Int[Array, "M F"]:
    """All units and resources as rows of the entity list, without alliance and what only one player knows."""
    units = unit_columns(world, state) | harvester_columns(world, state) | spell_columns(world, state)
    resources = resource_columns(world, state, types)
    return jnp.concatenate([stack_columns(units, len(state.units.type)), stack_columns(resources, len(state.amounts))])


def with_snapshots(world: World, state: State, table: Int[Array, "M F"], player: int) -> Int[Array, "L F"]:
    """`entity_table` with one player's snapshots below."""
    if state.snapshots is None:
        return table
    own = jax.tree.map(lambda values: values[player], state.snapshots)
    return jnp.concatenate([table, stack_columns(snapshot_columns(world, own), len(own.type))])


def entity_rows(table, state: State, player: int, listed: Int[Array, " E"]) -> Int[Array, "E F"]:
    """One player's entity list: rows of the table, with alliance, selection, target; the enemy's orders hidden."""
    count = len(state.units.type)
    rows = table[jnp.maximum(listed, 0)]
    own = (listed >= 0) & (listed < count) & (listed // (count // 2) == player)
    enemy = ((listed >= 0) & (listed < count) & ~own) | fog.is_snapshot(state, listed)
    alliance = jnp.where(own, Alliance.SELF, jnp.where(enemy, Alliance.ENEMY, Alliance.NEUTRAL))
    hidden = jnp.zeros(len(EntityField), bool)
    orders = [f for f in EntityField if f.name.startswith("ORDER_")]
    secret = [
        *orders,
        EntityField.ASSIGNED_HARVESTERS,
        EntityField.IDEAL_HARVESTERS,
        EntityField.BUFF_0,
        EntityField.ACTIVE,
        EntityField.CARGO_USED,
        EntityField.HALLUCINATION,
    ]
    hidden = hidden.at[jnp.array(secret)].set(True)
    rows = jnp.where(enemy[:, None] & hidden, 0, rows)
    # An enemy that is cloaked is listed only when it is detected.
    cloak = rows[:, EntityField.CLOAK]
    cloak = jnp.where(enemy & (cloak == Cloak.ALLIED), Cloak.DETECTED, cloak)
    half = jnp.array([16, 10]) * POSITION_SCALE
    camera = state.players.camera[player] * POSITION_SCALE
    offset = jnp.abs(rows[:, EntityField.X : EntityField.Y + 1] - camera)
    selected = own & state.turn.selected[jnp.clip(listed, 0, count - 1)]
    targeted = (listed >= 0) & (listed == state.turn.target[player])
    columns = {
        EntityField.ALLIANCE: alliance,
        EntityField.CLOAK: cloak,
        EntityField.ON_SCREEN: (offset <= half).all(1),
        EntityField.WAS_SELECTED: selected,
        EntityField.WAS_TARGETED: targeted,
    }
    for field, value in columns.items():
        rows = rows.at[:, field].set(value.astype(rows.dtype))
    return jnp.where((listed >= 0)[:, None], rows, 0)


def plane_share(cells: int, side: int) -> Float[np.ndarray, "H h"]:
    """How much of each row of a plane of `side` cells each row of the map covers; a plane's rows may be finer."""
    edge = np.arange(side + 1)[:, None] * (cells / side)
    row = np.arange(cells)
    overlap = np.minimum(edge[1:], row + 1) - np.maximum(edge[:-1], row)
    return (np.maximum(overlap, 0) * side / cells).astype(np.float32)


def map_planes(world: World, state: State, player: int, visible, entities, side: int) -> UInt8[Array, "P H H"]:
    """One player's map planes."""
    cells = world.terrain.level.shape[1]
    share = plane_share(cells, side)
    whole = lambda grid: grid.astype(jnp.float32)  # noqa: E731
    mean = lambda grid: jnp.einsum("ah,hw,bw->ab", share, whole(grid), share, precision=EXACT)  # noqa: E731
    height = jnp.minimum(jnp.floor(mean(world.terrain.level) * 100 + 1e-3), 255)
    seen = jnp.where(visible, 2, jnp.where(state.players.explored[player], 1, 0))
    cell = entities[:, EntityField.X : EntityField.Y + 1].astype(jnp.int32) * side // (POSITION_SCALE * cells)
    cell = jnp.clip(cell, 0, side - 1)
    owner = jnp.zeros((side, side), jnp.uint8)
    owner = owner.at[cell[:, 1], cell[:, 0]].max(entities[:, EntityField.ALLIANCE].astype(jnp.uint8))
    middle = (jnp.arange(side) + 0.5) * (cells / side)
    camera = state.players.camera[player]
    on_screen = (jnp.abs(middle - camera[1]) <= 10)[:, None] & (jnp.abs(middle - camera[0]) <= 16)[None]
    planes = {
        MapPlane.HEIGHT: height,
        MapPlane.VISIBILITY: seen,
        MapPlane.OWNER: owner,
        MapPlane.PATHABLE: mean(world.terrain.pathable) > 0.5,
        MapPlane.BUILDABLE: mean(world.terrain.buildable) > 0.5,
        MapPlane.CAMERA: on_screen,
    }
    zero = jnp.zeros((side, side), jnp.uint8)
    return jnp.stack([planes[p].astype(jnp.uint8) if p in planes else zero for p in MapPlane])


def statistics(world: World, state: State) -> Int[Array, "2 10"]:
    """`Statistic` of both players."""
    units, kind = state.units, state.units.type
    used, cap = supply(world, state)
    alive = (kind > 0) & ~buffs.hallucinated(world, state)
    worker = alive & world.units.worker[kind]
    army = alive & ~worker & ~world.units.structure[kind]
    eaten = lambda which: by_player(jnp.where(which, world.units.supply[kind], 0.0)).sum(1)  # noqa: E731
    number = lambda which: by_player(which).sum(1)  # noqa: E731
    idle = worker & (units.order_action[:, 0] == 0)
    zero = jnp.zeros(2)
    rows = [
        state.players.minerals,
        state.players.vespene,
        used,
        cap,
        eaten(army),
        eaten(worker),
        number(idle),
        number(army),
    ]
    return jnp.stack([*rows, zero, zero], 1).astype(jnp.int32)


def privileged(world: World, state: State, stats, owned, executed: Strategy) -> Privileged:
    """What the value networks see of each player."""
    value = by_player(jnp.where(state.units.type > 0, world.units.value[state.units.type], 0.0)).sum(1)
    score = value + state.players.minerals + state.players.vespene
    return Privileged(stats, owned, state.players.upgrades, score.astype(jnp.int32), executed)


def observe(
    world: World, state: State, game: GameDescription, size: InterfaceSize
) -> tuple[State, Observation, Privileged]:
    """Both players' observations; the state with what they now remember: explored ground, snapshots of structures, what
    each entity row is."""
    units, players = state.units, state.players
    cells = world.terrain.level.shape[1]
    seen = visible_enemies(world, state)
    visible = visible_cells(world, state, size.map)
    done = counts(world, units, finished(units))
    owned = counts(world, units, units.type > 0).astype(jnp.int16)
    executed = players.executed._replace(units=players.executed.units | (done > 0), upgrades=players.upgrades)
    players = players._replace(explored=players.explored | visible, executed=executed)
    state = fog.remember(world, state._replace(players=players), seen)
    available = available_actions(world, state, game.selectable)
    listed = jnp.stack([entity_list(world, state, p, seen[p], size) for p in range(2)])
    state = state._replace(turn=state.turn._replace(entities=listed, available=available))
    table = entity_table(world, state, (game.unit_index["MineralField"], game.unit_index["VespeneGeyser"]))
    stats = statistics(world, state)
    known = place_to_location(
        jnp.stack([executed.build_order_location % cells, executed.build_order_location // cells], -1) + 0.5,
        size,
        cells,
    )
    told = executed._replace(build_order_location=jnp.where(executed.build_order > 0, known, 0))
    entities = [entity_rows(with_snapshots(world, state, table, p), state, p, listed[p]) for p in range(2)]
    planes = [map_planes(world, state, p, visible[p], entities[p], size.map) for p in range(2)]
    race = players.race.astype(jnp.uint8)
    narrow = lambda values: values.astype(jnp.int16)  # noqa: E731
    scalars = Scalars(
        game_loop=jnp.broadcast_to(state.loop, 2),
        statistics=stats,
        races=jnp.stack([race, race[::-1]], 1),
        upgrades=players.upgrades,
        enemy_upgrades=jnp.zeros_like(players.upgrades),
        available_actions=available,
        unit_counts=owned,
        mmr=jnp.zeros(2, jnp.int16),
        last_action_type=narrow(state.turn.action_type),
        last_delay=narrow(state.turn.delay),
        last_queued=narrow(state.turn.queued),
        last_repeat=narrow(state.turn.repeat),
    )
    observation = Observation(jnp.stack(entities), jnp.stack(planes), scalars, state.z)
    return state, observation, privileged(world, state, stats, owned, told)
