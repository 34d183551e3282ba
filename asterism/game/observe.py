"""What each player sees of a game."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from asterism.game import buffs, fog
from asterism.game.accounting import available_actions, counts, finished, supply
from asterism.game.commands import place_to_location
from asterism.game.entities import entity_list, entity_rows, entity_table, nameable, unit_table
from asterism.game.entity_columns import shown_levels
from asterism.game.limits import on_screen, too_fast
from asterism.game.planes import alert_cells, creep_cells, map_planes
from asterism.game.sight import visible_cells, visible_enemies, watched
from asterism.game.state import State, by_player
from asterism.game.world import World
from asterism.interface.description import GameDescription
from asterism.interface.observation import EntityField, Observation, Privileged, Race, Scalars, Strategy
from asterism.interface.sizes import InterfaceSize


class Sight(NamedTuple):
    """What both players see now."""

    enemies: Bool[Array, "2 P"]
    resources: Bool[Array, "2 R"]
    cells: Bool[Array, "2 H H"]


def look(world: World, state: State, size: InterfaceSize) -> Sight:
    """What both players see of a state."""
    places = jnp.broadcast_to(world.terrain.resources, (2, *world.terrain.resources.shape))
    return Sight(
        enemies=visible_enemies(world, state),
        resources=watched(world, state, places, jnp.ones(places.shape[:2], bool)),
        cells=visible_cells(world, state, size.map),
    )


def remember(world: World, state: State, sight: Sight, game: GameDescription, size: InterfaceSize) -> State:
    """The state in which the players know what they see: ground, creep, resources, structures, the enemy's race and the
    upgrades that its units show."""
    units, players = state.units, state.players
    clear = sight.enemies
    if world.settings.interface == "camera":
        place = by_player(units.position)[::-1]
        clear &= on_screen(players.camera[:, None], place)
    kinds = jnp.zeros((2, len(game.unit_types)), bool)
    kinds = kinds.at[jnp.arange(2)[:, None], by_player(units.type)[::-1]].max(clear)
    shows = jnp.asarray(shown_levels(world, game).any(0), jnp.float32)
    shown = (kinds.astype(jnp.float32) @ shows > 0) & players.upgrades[::-1]
    creep = jnp.where(sight.cells, creep_cells(world, state, size.map), players.creep)
    players = players._replace(
        explored=players.explored | sight.cells,
        creep=players.creep if state.zerg is None else creep,
        amounts=jnp.where(sight.resources, state.amounts, players.amounts),
        knows_race=players.knows_race | clear.any(1),
        enemy_upgrades=players.enemy_upgrades | shown,
    )
    return fog.remember(world, state._replace(players=players), sight.enemies)


def usable(world: World, state: State, game: GameDescription, entities: Int[Array, "2 E F"]) -> Bool[Array, "2 A"]:
    """Actions that are available and that the camera and the rate limit allow. `entities`: what both players see."""
    available = available_actions(world, state, game.selectable)
    if game.on_screen.any():
        something = (entities[:, :, EntityField.ON_SCREEN] > 0).any(1, keepdims=True)
        available &= something | jnp.asarray(~(game.on_screen & game.uses.target_unit))
    if state.turn.pace is not None:
        available &= ~too_fast(world, state)[:, None] | (jnp.arange(len(game.actions)) == 0)
    return available


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
    done = finished(units)
    rows = [
        state.players.minerals,
        state.players.vespene,
        used,
        cap,
        eaten(army),
        eaten(worker),
        number(idle),
        number(army),
        number(done & (kind == world.warp_gate)),
        number(done & (kind == world.larva)),
    ]
    return jnp.stack(rows, 1).astype(jnp.int32)


def privileged(world: World, state: State, stats, owned, executed: Strategy) -> Privileged:
    """What the value networks see of each player."""
    value = by_player(jnp.where(state.units.type > 0, world.units.value[state.units.type], 0.0)).sum(1)
    score = value + state.players.minerals + state.players.vespene
    return Privileged(stats, owned, state.players.upgrades, score.astype(jnp.int32), executed)


def observe(
    world: World, state: State, game: GameDescription, size: InterfaceSize
) -> tuple[State, Observation, Privileged]:
    """Both players' observations; the state with what they now remember (`remember`), and what each entity row is."""
    units = state.units
    cells = world.terrain.level.shape[1]
    sight = look(world, state, size)
    done = counts(world, units, finished(units))
    owned = counts(world, units, units.type > 0).astype(jnp.int16)
    executed = state.players.executed
    executed = executed._replace(units=executed.units | (done > 0), upgrades=state.players.upgrades)
    state = state._replace(players=state.players._replace(executed=executed))
    state = remember(world, state, sight, game, size)
    listed = jnp.stack([entity_list(world, state, p, sight.enemies[p], size) for p in range(2)])
    table = unit_table(world, state, game)
    tables = [entity_table(world, state, table, p, sight.resources[p], game) for p in range(2)]
    entities = jnp.stack([entity_rows(world, state, tables[p], p, listed[p]) for p in range(2)])
    available = usable(world, state, game, entities)
    state = state._replace(turn=state.turn._replace(entities=nameable(state, listed), available=available))
    alerts = alert_cells(world, state, size.map)
    planes = [map_planes(world, state, p, sight.cells[p], alerts[p], entities[p]) for p in range(2)]
    stats = statistics(world, state)
    known = place_to_location(
        jnp.stack([executed.build_order_location % cells, executed.build_order_location // cells], -1) + 0.5,
        size,
        cells,
    )
    told = executed._replace(build_order_location=jnp.where(executed.build_order > 0, known, 0))
    scalars = scalars_of(world, state, stats, owned)
    return (
        state,
        Observation(entities, jnp.stack(planes), scalars, state.z),
        privileged(world, state, stats, owned, told),
    )


def scalars_of(world: World, state: State, stats: Int[Array, "2 10"], owned: Int[Array, "2 U"]) -> Scalars:
    """Both players' scalars. `stats`: `statistics`; `owned`: their units by type."""
    players, turn = state.players, state.turn
    race = players.race.astype(jnp.uint8)
    narrow = lambda values: values.astype(jnp.int16)  # noqa: E731
    return Scalars(
        game_loop=jnp.broadcast_to(state.loop, 2),
        statistics=stats,
        races=jnp.stack([race, jnp.where(players.knows_race, race[::-1], Race.UNKNOWN)], 1),
        upgrades=players.upgrades,
        enemy_upgrades=players.enemy_upgrades,
        available_actions=turn.available,
        unit_counts=owned,
        mmr=jnp.array(world.settings.mmr, jnp.int16),
        last_action_type=narrow(turn.action_type),
        last_delay=narrow(turn.delay),
        last_queued=narrow(turn.queued),
        last_repeat=narrow(turn.repeat),
    )
