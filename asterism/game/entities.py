"""The entity list of an observation: own units anywhere, enemies in sight, resources, snapshots, placeholders.

`Turn.entities` numbers what a row stands for: slots of units, then resources, then snapshots, then placeholders.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from asterism.game import fog
from asterism.game.accounting import on_field
from asterism.game.economy import townhall_distance
from asterism.game.entity_columns import (
    NEAR_HALL,
    harvester_columns,
    placeholder_columns,
    planned_structures,
    resource_columns,
    snapshot_columns,
    spell_columns,
    unit_columns,
)
from asterism.game.limits import on_screen
from asterism.game.state import State, by_player, owners
from asterism.game.world import World
from asterism.interface.description import GameDescription
from asterism.interface.observation import POSITION_SCALE, Alliance, Cloak, DisplayType, EntityField
from asterism.interface.sizes import InterfaceSize

ORDERS = tuple(field for field in EntityField if field.name.startswith("ORDER_"))
OWN_ONLY = (
    *ORDERS,
    EntityField.ADDON,
    EntityField.ASSIGNED_HARVESTERS,
    EntityField.IDEAL_HARVESTERS,
    EntityField.CARGO_USED,
    EntityField.CARGO_MAX,
    EntityField.WEAPON_COOLDOWN,
    EntityField.HALLUCINATION,
)
"""Fields that StarCraft II does not fill for enemies (s2clientprotocol, raw.proto)."""
DOTS = (
    EntityField.ALLIANCE,
    EntityField.DISPLAY_TYPE,
    EntityField.X,
    EntityField.Y,
    EntityField.ON_SCREEN,
    EntityField.WAS_SELECTED,
    EntityField.WAS_TARGETED,
)
"""All that the camera interface shows of enemies outside the camera (pysc2's converter, `mask_offscreen_enemies`)."""


def entity_priority(world: World, state: State, player: int, seen: Bool[Array, " P"]) -> Int[Array, " M"]:
    """Rank of everything that can be in a player's entity list (lower comes first); 99 is not in it.

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
    resource = jnp.where(state.players.amounts[player] > 0, resource, 99)
    ranks = [rank, resource]
    if state.snapshots is not None:
        listed = (state.snapshots.type[player] > 0) & state.snapshots.hidden[player]
        planned = by_player(planned_structures(world, state)[0])[player]
        ranks += [jnp.where(listed, 2, 99), jnp.where(planned > 0, 4, 99)]
    return jnp.concatenate(ranks)


def entity_list(world: World, state: State, player: int, seen, size: InterfaceSize) -> Int[Array, " E"]:
    """What each row of a player's list stands for; -1 where it is empty."""
    rank = entity_priority(world, state, player, seen)
    total = len(rank)
    order = jnp.sort(rank * total + jnp.arange(total))[: size.entities]
    listed = jnp.where(order < 99 * total, order % total, -1)
    return jnp.pad(listed, (0, size.entities - len(listed)), constant_values=-1)


def stack_columns(columns: dict[EntityField, Array], rows: int) -> Int[Array, "M F"]:
    """`rows` rows of the entity list, zero in the fields that are not among the columns."""
    zero = jnp.zeros(rows, jnp.int16)
    return jnp.stack([columns[f].astype(jnp.int16) if f in columns else zero for f in EntityField], 1)


def unit_table(world: World, state: State, game: GameDescription) -> Int[Array, "N F"]:
    """All units as rows of the entity list, without alliance and what only one player knows."""
    columns = unit_columns(world, state, game) | harvester_columns(world, state) | spell_columns(world, state)
    return stack_columns(columns, len(state.units.type))


def entity_table(
    world: World, state: State, units: Int[Array, "N F"], player: int, watched: Bool[Array, " R"], game: GameDescription
) -> Int[Array, "L F"]:
    """Everything that can be in a player's list as rows of it. `units`: `unit_table`; `watched`: resources it sees."""
    resources = resource_columns(world, state.players.amounts[player], watched, game)
    parts = [units, stack_columns(resources, len(state.amounts))]
    if state.snapshots is not None:
        slots = len(state.units.type) // 2
        snapshots = snapshot_columns(world, jax.tree.map(lambda values: values[player], state.snapshots))
        parts += [stack_columns(snapshots, slots), stack_columns(placeholder_columns(world, state, player), slots)]
    return jnp.concatenate(parts)


def nameable(state: State, listed: Int[Array, "*b"]) -> Int[Array, "*b"]:
    """What actions can name of what is listed: no placeholders, which are not there yet."""
    return jnp.where(listed >= len(state.units.type) * 3 // 2 + len(state.amounts), -1, listed)


def entity_rows(world: World, state: State, table, player: int, listed: Int[Array, " E"]) -> Int[Array, "E F"]:
    """One player's entity list: rows of the table, with alliance, selection, target; what enemies hide left out."""
    count = len(state.units.type)
    rows = table[jnp.maximum(listed, 0)]
    display = rows[:, EntityField.DISPLAY_TYPE]
    own = (listed >= 0) & (listed < count) & (listed // (count // 2) == player)
    own |= display == DisplayType.PLACEHOLDER
    enemy = ((listed >= 0) & (listed < count) & ~own) | fog.is_snapshot(state, nameable(state, listed))
    alliance = jnp.where(own, Alliance.SELF, jnp.where(enemy, Alliance.ENEMY, Alliance.NEUTRAL))
    rows = jnp.where(enemy[:, None] & np.isin(list(EntityField), OWN_ONLY), 0, rows)
    # An enemy that is cloaked is listed only when it is detected.
    cloak = rows[:, EntityField.CLOAK]
    cloak = jnp.where(enemy & (cloak == Cloak.ALLIED), Cloak.DETECTED, cloak)
    shown = on_screen(state.players.camera[player], rows[:, EntityField.X : EntityField.Y + 1] / POSITION_SCALE)
    selected = own & state.turn.selected[jnp.clip(listed, 0, count - 1)] & (listed < count)
    targeted = (listed >= 0) & (listed == state.turn.target[player])
    columns = {
        EntityField.ALLIANCE: alliance,
        EntityField.CLOAK: cloak,
        EntityField.ON_SCREEN: shown,
        EntityField.WAS_SELECTED: selected,
        EntityField.WAS_TARGETED: targeted,
    }
    for field, value in columns.items():
        rows = rows.at[:, field].set(value.astype(rows.dtype))
    if world.settings.interface == "camera":
        dot = enemy & (display == DisplayType.VISIBLE) & ~shown
        rows = jnp.where(dot[:, None] & ~np.isin(list(EntityField), DOTS), 0, rows)
    return jnp.where((listed >= 0)[:, None], rows, 0)
