"""Mines as real players did: what they decided is imposed on the game, the mining is the game's own.

Imposed are the number of workers on minerals and on gas, town halls and refineries from when they stood, and MULEs from
when they were called. The game's stages of mining and movement do the rest; workers go straight, since the ground of
most recorded maps is not known.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game import economy, movement
from asterism.game.game import EmbeddedGame, initial_state, spread_workers
from asterism.game.geometry import length
from asterism.game.modifiers import modifiers
from asterism.game.rules import make_rules
from asterism.game.settings import GameSettings
from asterism.game.state import State, Units, by_player, give_orders, nearest, owners, pop_orders
from asterism.game.tables import load_economy
from asterism.game.targets import Fights
from asterism.game.world import World
from asterism.interface.observation import Race
from asterism.runtime.economies import GAS_A_WORKER, NEAR_HALL, WINDOW, GameEconomy, PlayerEconomy

CONTROL = 16
"""Loops from one moment at which counts are imposed to the next."""
CHANGES = 2
"""Workers of each player that change their job at such a moment."""
HALLS, REFINERIES, MULES = 6, 8, 8
"""Slots of a player's town halls, refineries and MULEs, in this order; its workers have the rest."""
SLOTS = 112
GAS_TRIP = 85
"""Loops from the order to the first vespene at the town hall."""
TRANSFER = 96
"""Loops after which the next of too many workers goes to another town hall."""
MULE_DROP = 1.375
"""Cells from the middle of a field at which a MULE comes down."""
NEVER = 1e6
AWAY = -1000.0


class Schedule(NamedTuple):
    """What is imposed on one game. T control steps, R resources, N slots."""

    resources: Float[Array, "R 2"]
    contents: Float[Array, " R"]
    trip: Float[Array, " R"]
    nearer: Int[Array, " R"]
    place: Float[Array, "N 2"]
    """Where the town halls and refineries of these slots stand."""
    stands: Float[Array, " N"]
    """From which loop they and the MULEs are there."""
    miners: Int[Array, "T 2"]
    """Workers on minerals."""
    drillers: Int[Array, "T 2"]
    """Workers on gas."""


def counts(player: PlayerEconomy, loops: int, imposed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Workers on minerals and on gas at each control step.

    Args:
      imposed: as recorded; otherwise as a default policy has them: three to a refinery, nobody away to build.
    """
    times = np.arange(0, loops, CONTROL)
    workers = np.round(np.interp(times, player.times, player.workers))
    places = sum((times >= done).astype(float) for *_, done in player.refineries) * load_economy().workers_per_geyser
    if not imposed:
        gas = np.minimum(places, workers)
        return (workers - gas).astype(np.int32), np.broadcast_to(gas, times.shape).astype(np.int32)
    # The rate at a sample is that of the loops before it, and who goes to a geyser brings something only a trip later.
    gas = np.round(np.interp(times + WINDOW / 2 + GAS_TRIP, player.times, player.vespene_rate) / GAS_A_WORKER)
    gas = np.minimum(gas, places)
    away = sum(((times >= left) & (times < back)).astype(float) for left, back in player.builders)
    return np.maximum(workers - gas - away, 0).astype(np.int32), gas.astype(np.int32)


def make_schedules(games: list[GameEconomy], loops: int, imposed: bool = True) -> Schedule:
    """Schedules of games [G, ...], resources padded to the same number."""
    chosen = [_near_bases(game, loops) for game in games]
    fields, geysers = (max(1, *(len(pick[i]) for pick in chosen)) for i in (0, 1))
    parts = [_schedule(g, *pick, fields, geysers, loops, imposed) for g, pick in zip(games, chosen, strict=True)]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *parts)


def field_count(schedules: Schedule) -> int:
    """How many of the resources are mineral fields: they come first."""
    return int((~np.isin(schedules.trip[0], GAS_TRIPS)).sum())


GAS_TRIPS = tuple(row.per_trip for row in load_economy().resources if row.kind == "vespene")


def _near_bases(game: GameEconomy, loops: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the mineral fields and geysers that a player can use by then."""
    halls = np.array([hall[:2] for player in game.players for hall in player.halls if hall[2] <= loops])
    gas = [refinery[:2] for player in game.players for refinery in player.refineries]
    near = lambda points, places, reach: np.flatnonzero(  # noqa: E731
        (np.hypot(*np.moveaxis(points[:, None] - np.reshape(places, (-1, 2)), -1, 0)) < reach).any(1)
    )
    return near(game.layout.minerals, halls, NEAR_HALL + 1.5), near(game.layout.geysers, gas, 1.5)


def _schedule(game: GameEconomy, mineral, geyser, fields: int, geysers: int, loops: int, imposed: bool) -> Schedule:
    layout, rows = game.layout, {row.id: row for row in load_economy().resources}
    resources = np.full((fields + geysers, 2), AWAY, np.float32)
    contents, trip = np.zeros((2, fields + geysers), np.float32)
    trip[:fields], trip[fields:] = 5, 4
    for first, places, kinds, which in (
        (0, layout.minerals, layout.mineral_types, mineral),
        (fields, layout.geysers, layout.geyser_types, geyser),
    ):
        span = slice(first, first + len(which))
        resources[span] = places[which]
        contents[span] = [rows[kind].contents for kind in kinds[which]]
        trip[span] = [rows[kind].per_trip for kind in kinds[which]]
    place, stands = np.full((2, SLOTS, 2), AWAY, np.float32), np.full((2, SLOTS), NEVER, np.float32)
    for i, player in enumerate(game.players):
        mules = [(*_beside(layout.minerals, player.halls[0]), start) for start in player.mules]
        for first, most, items in (
            (0, HALLS, player.halls),
            (HALLS, REFINERIES, player.refineries),
            (HALLS + REFINERIES, MULES, mules),
        ):
            items = [item for item in items if item[2] <= loops][:most]
            for slot, (x, y, done) in enumerate(items, first):
                place[i, slot], stands[i, slot] = (x, y), done
    far = [((resources - place[i, 0]) ** 2).sum(1) for i in range(2)]
    miners, drillers = zip(*(counts(player, loops, imposed) for player in game.players), strict=True)
    return Schedule(
        resources=resources,
        contents=contents,
        trip=trip,
        nearer=(far[1] < far[0]).astype(np.int32),
        place=place.reshape(-1, 2),
        stands=stands.reshape(-1),
        miners=np.stack(miners, 1),
        drillers=np.stack(drillers, 1),
    )


def _beside(fields: np.ndarray, hall: tuple[float, float, float]) -> np.ndarray:
    """Where a MULE is called: at the field nearest to a town hall."""
    way = fields[np.hypot(*(fields - hall[:2]).T).argmin()] - hall[:2]
    return hall[:2] + way * (1 - MULE_DROP / np.hypot(*way))


def mining_game(tick: int) -> EmbeddedGame:
    """A game of workers, MULEs, town halls and refineries, whose workers know no walls."""
    game = EmbeddedGame(GameSettings(slots=SLOTS, tick=tick, step=CONTROL))
    rules = make_rules("mining", ("SCV", "MULE", "CommandCenter", "Refinery"), (), game.map.cells)
    game.rules = replace(rules, units=rules.units._replace(flying=rules.units.speed > 0))
    return game


def miner(game: EmbeddedGame, schedules: Schedule) -> Callable[[Schedule], tuple[Array, Array]]:
    """A function of one of the schedules (to be vmapped): the minerals and the vespene, [T, 2] each, that both players
    have mined by each control step, none at the first."""
    fields = field_count(schedules)
    settings = game.settings
    races = jnp.full(2, Race.TERRAN)
    start = initial_state(game.world, game.description, settings, game.size, game.no_strategy(), races)
    terrain = game.world.terrain
    is_geyser = jnp.arange(schedules.contents.shape[1]) >= fields
    radius = jnp.where(is_geyser, *_radii(game.world))

    def one(schedule: Schedule):
        world = game.world._replace(
            terrain=terrain._replace(
                resources=schedule.resources,
                contents=schedule.contents,
                trip=schedule.trip,
                nearer=schedule.nearer,
                is_geyser=is_geyser,
                resource_radius=radius,
                starts=by_player(schedule.place)[:, 0],
            )
        )

        def body(state, wanted):
            mined = state.players.minerals, state.players.vespene
            state = impose(game, world, state, schedule, fields, *wanted)
            ticks = CONTROL // settings.tick
            return jax.lax.fori_loop(0, ticks, lambda _, s: mining_tick(world, s, settings.tick), state), mined

        first = begin(game, world, start, schedule)
        _, (minerals, vespene) = jax.lax.scan(body, first, (schedule.miners, schedule.drillers))
        return minerals - minerals[0], vespene

    return one


def _radii(world: World) -> tuple[float, float]:
    radius, gas = np.asarray(world.terrain.resource_radius), np.asarray(world.terrain.is_geyser)
    return float(radius[gas][0]), float(radius[~gas][0])


def mining_tick(world: World, state: State, dt: int) -> State:
    """The stages of a tick that mining needs."""
    hall = economy.nearest_townhall(world, state.units)
    state = economy.mine(world, state, hall, dt)
    none = jnp.zeros(len(state.units.type), bool)
    fights = Fights(
        target=jnp.full(len(none), -1),
        weapon=jnp.zeros(len(none), int),
        in_range=none,
        chases=none,
        follows=none,
        held=none,
    )
    mods = modifiers(world, state)
    return movement.move(world, state, mods, fights, hall, dt)._replace(loop=state.loop + dt)


def begin(game: EmbeddedGame, world: World, start: State, schedule: Schedule) -> State:
    """The first moment: town halls, and workers round the first of each player on their way to its fields."""
    index, count = game.description.unit_index, 2 * SLOTS
    within = jnp.arange(count) % SLOTS
    hall, refinery = within < HALLS, (within >= HALLS) & (within < HALLS + REFINERIES)
    there = schedule.stands < NEVER
    first = HALLS + REFINERIES + MULES
    worker = (within >= first) & (within < first + game.world.economics.start_workers)
    kind = jnp.where(hall & there, index["CommandCenter"], jnp.where(refinery & there, index["Refinery"], 0))
    kind = jnp.where(worker, index["SCV"], kind)
    home = by_player(schedule.place)[owners(count), 0]
    units = start.units._replace(
        type=kind,
        position=jnp.where(worker[:, None], home, schedule.place),
        health=jnp.ones(count),  # of those who come later too
        build_left=jnp.where(kind > 0, schedule.stands, 0.0) * ~worker,
    )
    idle = jnp.zeros_like(schedule.contents)
    state = spread_workers(world, start._replace(units=units, amounts=schedule.contents, idle=idle))
    # Workers start on the side of the fields.
    units = state.units
    way = units.order_position[:, 0] - home
    way = way / jnp.maximum(length(way), 1.0)[:, None] * (economy.HALL_RADIUS + 0.375)
    return state._replace(units=units._replace(position=units.position + way * worker[:, None]))


def one_of(which: Bool[Array, " N"], where: Bool[Array, " 2"]) -> Bool[Array, " N"]:
    """The first of each player's units in `which`, of the players in `where`."""
    mine = by_player(which)
    return (mine & (jnp.cumsum(mine, 1) == 1) & where[:, None]).reshape(-1)


def impose(game: EmbeddedGame, world: World, state: State, schedule: Schedule, fields: int, miners, drillers) -> State:
    """Structures, MULEs and the numbers of workers as they are wanted now ([2] each)."""
    units, within = state.units, jnp.arange(2 * SLOTS) % SLOTS
    scv, mule = game.description.unit_index["SCV"], game.description.unit_index["MULE"]
    fixed = within < HALLS + REFINERIES
    is_mule = ~fixed & (within < HALLS + REFINERIES + MULES)
    age = state.loop - schedule.stands
    lives = is_mule & (age >= 0) & (age < MULE_LIFE)
    called = lives & (units.type == 0)
    units = units._replace(
        build_left=jnp.where(fixed, jnp.maximum(-age, 0.0), units.build_left),
        type=jnp.where(is_mule, jnp.where(lives, mule, 0), units.type),
    )
    units = appear(units, called, mule, schedule.place)
    for _ in range(CHANGES):
        units = change_job(world, state._replace(units=units), schedule, fields, scv, miners, drillers)
    return state._replace(units=units)


MULE_LIFE = load_economy().mule_life


def appear(units: Units, which: Bool[Array, " N"], kind: int, place: Float[Array, "N 2"]) -> Units:
    """Units of type `kind` in the empty slots `which`, which look for a field."""
    one = which[:, None]
    return units._replace(
        type=jnp.where(which, kind, units.type),
        position=jnp.where(one, place, units.position),
        carrying=jnp.where(which, 0, units.carrying),
        load=jnp.where(which, 0.0, units.load),
        working=units.working & ~which,
        timer=jnp.where(which, 0.0, units.timer),
        order_action=jnp.where(one, 0, units.order_action),
        order_target=jnp.where(one, -1, units.order_target),
        seeking=units.seeking | which,
    )


def change_job(world: World, state: State, schedule: Schedule, fields: int, scv: int, miners, drillers) -> Units:
    """One worker of each player to gas or from it, one more or fewer, and one to a town hall with room."""
    units, count = state.units, len(state.units.type)
    player = owners(count)
    within = jnp.arange(count) % SLOTS
    resource = units.order_target[:, 0] - count
    worker = units.type == scv
    drills = worker & (resource >= fields)
    digs = worker & ~drills
    free = (units.carrying == 0) & ~units.working
    have = lambda which: by_player(which).sum(1)  # noqa: E731
    load = economy.worker_load(world, units)
    crowd = load[player, jnp.clip(resource, 0, load.shape[1] - 1)] * (resource >= 0)
    # Who leaves a field is one of those where most are.
    idle = digs & free
    most = by_player(jnp.where(idle, crowd, 0)).max(1)[player]
    spare = idle & (crowd == most)

    to_gas = one_of(spare, have(drills) < drillers)
    open_geyser = economy.refineries(world, units)
    open_geyser &= load < world.economics.workers_per_geyser
    geyser = nearest(jnp.where(open_geyser, load.astype(jnp.float32), jnp.inf))[player]
    to_gas &= open_geyser.any(1)[player]
    units = give_orders(
        units, to_gas, world.unit_action["Harvest_Gather_unit"], count + geyser, world.terrain.resources[geyser]
    )
    to_minerals = one_of(drills & free, have(drills) > drillers)
    units = pop_orders(units, to_minerals)
    units = units._replace(seeking=units.seeking | to_minerals)

    number = have((digs & ~to_gas) | to_minerals)
    gone = one_of(spare & ~to_gas, number > miners)
    units = units._replace(type=jnp.where(gone, 0, units.type), seeking=units.seeking & ~gone)
    born = one_of((units.type == 0) & ~gone & (within >= HALLS + REFINERIES + MULES), number < miners)
    halls = by_player((units.build_left <= 0) & (within < HALLS) & (units.type > 0))
    turn = (state.loop // CONTROL) % jnp.maximum(halls.sum(1), 1)
    chosen = nearest(-(halls & (jnp.cumsum(halls, 1) == turn[:, None] + 1)).astype(jnp.float32))
    home = by_player(schedule.place)[jnp.arange(2), chosen]
    outward = world.terrain.resources[:fields].mean(0) - home
    home = home + outward / jnp.maximum(length(outward), 1.0)[:, None] * (economy.HALL_RADIUS + 0.375)
    units = appear(units, born, scv, home[player])

    near = economy.townhall_distance(world, units, world.terrain.resources) < economy.HOME
    room = (near & (load < 2) & (state.amounts > 0) & ~world.terrain.is_geyser).any(1)
    room &= state.loop % TRANSFER == 0
    moves = one_of(spare & ~to_gas & ~gone & (crowd > 2), room)
    return units._replace(seeking=units.seeking | moves)
