"""What never changes during games: rules, map and settings, made ready for compiled code."""

from functools import reduce
from operator import or_
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.map import Map, free_ground, free_rectangles
from asterism.game.navigation import Paths, cached_paths
from asterism.game.rules import Rules, TaskTable, UnitTable
from asterism.game.settings import GameSettings
from asterism.game.spellbook import Magic
from asterism.game.state import Units
from asterism.game.tables import load_economy, load_units
from asterism.game.tasks import Builder, Kind

ADDON_OFFSET = (2.5, -0.5)
BORDER = 1e-4
"""Cells by which a place counts as farther from the border of its cell than it is: more than rounding makes of it."""


class Terrain(NamedTuple):
    """The map as arrays. R resources (mineral fields, then geysers), B bases a player."""

    level: Int[Array, "h w"]
    """Cliff level, which sight goes by: the upper half of a ramp counts as high ground."""
    pathable: Bool[Array, "h w"]
    buildable: Bool[Array, "h w"]
    placeable: Bool[Array, "F h w"]
    """For each kind of footprint: a structure may have its centre in the cell, or at its lower left corner."""
    paths: Paths
    starts: Float[Array, "2 2"]
    bases: Float[Array, "2 B 2"]
    resources: Float[Array, "R 2"]
    is_geyser: Bool[Array, " R"]
    resource_radius: Float[Array, " R"]
    contents: Float[Array, " R"]
    """Minerals or vespene that each resource holds at the start."""
    trip: Float[Array, " R"]
    """What a worker takes from it at a time."""
    nearer: Int[Array, " R"]
    """The player whose start is nearer."""
    first_field: Bool[Array, " R"]
    """One mineral field of each base, which stands for it where lists are short."""


class Economics(NamedTuple):
    """Constants of mining; times in game loops. [2]: minerals, vespene."""

    time: Float[Array, " 2"]
    """From one trip to the next that a resource can serve."""
    mule_trip: float
    mule_time: float
    acceleration: float
    """Of workers, cells a loop, gained a loop."""
    workers_per_field: int
    workers_per_geyser: int
    start_minerals: float
    start_workers: int
    supply_cap: float


class World(NamedTuple):
    """Rules, terrain and settings that the stages of a step read. Tables are jnp arrays."""

    units: UnitTable
    tasks: TaskTable
    task: Int[Array, "A U"]
    """What an action is for a unit type (index into `tasks`)."""
    terrain: Terrain
    economics: Economics
    footprint: Int[Array, " U"]
    """Row of `Terrain.placeable` of each unit type."""
    rectangle: Float[Array, "U 4"]
    """Ground that a structure keeps to itself, from its centre: x, y offset of the middle, half width, half height."""
    unit_action: dict[str, int]
    """Index of the actions that the rules themselves give: Move_pt, Attack_unit, Harvest_Gather_unit."""
    mule: Bool[Array, " U"]
    build_action: Int[Array, " U"]
    """The action with which a worker builds each type and stays with it, 0 for none."""
    addon_for: Int[Array, "U U"]
    """The type that an add-on takes on beside a structure; 0 where they do not fit."""
    larva: int
    """Type of the Larva, -1 if the rules have none."""
    warp_gate: int
    """Type of the WarpGate, -1 if the rules have none."""
    magic: Magic | None
    """Spells and buffs; None where the rules have none."""
    reveal_after: int
    """Game loops without a town hall after which a player's structures are shown to the enemy."""
    settings: GameSettings


def _rectangles(rules: Rules):
    side = np.asarray(rules.units.footprint, np.float32)
    takes = np.asarray(rules.units.takes_addon)
    half = np.stack([np.zeros_like(side), np.zeros_like(side), side / 2, side / 2], 1)
    half[takes] = (1.0, 0.0, 2.5, 1.5)  # the add-on's two columns are kept free
    return half


def _footprints(game_map: Map, rules: Rules):
    """Kinds of footprints, the map of free places of each, and the kind of each unit type."""
    rectangles = _rectangles(rules)
    townhall = np.asarray(rules.units.townhall)
    kinds, masks = [], []
    index = np.zeros(len(rectangles), np.int32)
    for u, (x, y, w, h) in enumerate(rectangles):
        kind = (x, y, w, h, bool(townhall[u]))
        if kind not in kinds:
            kinds.append(kind)
            extent = [int(np.floor(v)) for v in (w - x, w + x + 0.5, h - y, h + y + 0.5)]
            free = free_ground(game_map.buildable, game_map.minerals, game_map.geysers, townhall=kind[4])
            masks.append(free_rectangles(free, *extent) if w else np.zeros_like(free))
        index[u] = kinds.index(kind)
    return np.stack(masks), index


def make_terrain(game_map: Map, placeable: Bool[np.ndarray, "F h w"]) -> Terrain:
    """The map as arrays, with the tables of its ways."""
    minerals, geysers = len(game_map.minerals), len(game_map.geysers)
    first = np.unique(game_map.base_of[:minerals], return_index=True)[1]
    places = game_map.resources.astype(np.float32)
    distance = [((places - start) ** 2).sum(1) for start in game_map.starts.astype(np.float32)]
    return Terrain(
        level=np.floor(game_map.height + 0.5).astype(np.int32),
        pathable=game_map.pathable,
        buildable=game_map.buildable,
        placeable=placeable,
        paths=cached_paths(game_map.pathable, game_map.image()),
        starts=game_map.starts.astype(np.float32),
        bases=game_map.bases.astype(np.float32),
        resources=places,
        is_geyser=np.arange(minerals + geysers) >= minerals,
        resource_radius=np.repeat([1.0, 2.25], [minerals, geysers]).astype(np.float32),
        contents=game_map.contents.astype(np.float32),
        trip=_trips(game_map),
        nearer=(distance[1] < distance[0]).astype(np.int32),
        first_field=np.isin(np.arange(minerals + geysers), first),
    )


def _trips(game_map: Map) -> Float[np.ndarray, " R"]:
    """What a worker takes at a time from each resource."""
    rows = {row.name: row.per_trip for row in load_economy().resources}
    names = [["MineralField", "RichMineralField"]] * len(game_map.minerals)
    names += [["VespeneGeyser", "RichVespeneGeyser"]] * len(game_map.geysers)
    return np.array([rows[name[int(rich)]] for name, rich in zip(names, game_map.rich, strict=True)], np.float32)


def make_world(rules: Rules, game_map: Map, settings: GameSettings) -> World:
    """Gathers everything constant as arrays on the device."""
    placeable, footprint = _footprints(game_map, rules)
    economy = load_economy()
    terrain = make_terrain(game_map, placeable)
    economics = Economics(
        time=np.array(
            [np.ceil(economy.mineral_time) + economy.mineral_return_delay, np.ceil(economy.vespene_time) + 1],
            np.float32,
        ),
        mule_trip=float(economy.mule_per_trip),
        mule_time=float(np.ceil(economy.mule_time) + economy.mineral_return_delay),
        acceleration=next(row.acceleration for row in load_units() if row.is_worker),
        workers_per_field=economy.workers_per_field,
        workers_per_geyser=economy.workers_per_geyser,
        start_minerals=float(economy.start_minerals),
        start_workers=economy.start_workers,
        supply_cap=float(economy.supply_cap),
    )
    magic = None
    if rules.magic is not None:  # names stay known while compiling
        magic = Magic(*(v if isinstance(v, dict) else jax.tree.map(jnp.asarray, v) for v in rules.magic))
    tables = jax.tree.map(jnp.asarray, (rules.units, rules.tasks, rules.task, terrain, economics))
    wanted = ("Move_pt", "Attack_pt", "Attack_unit", "Harvest_Gather_unit", "Morph_WarpGate_quick")
    given = {name: index for name, index in rules.description.action_index.items() if name in wanted}
    build_action = np.zeros(len(rules.units.addon), np.int32)
    builds = (rules.tasks.kind == Kind.BUILD) & (rules.tasks.builder == Builder.STAYS)
    build_action[rules.tasks.product[builds]] = rules.tasks.action[builds]
    mule = np.array([unit.name == "MULE" for unit in rules.description.unit_types])
    constants = (footprint, _rectangles(rules), mule, build_action, _addons(rules.description.unit_index))
    footprint, rectangle, mule, build_action, addon_for = map(jnp.asarray, constants)
    named = (rules.description.unit_index.get(name, -1) for name in ("Larva", "WarpGate"))
    constants = (footprint, rectangle, given, mule, build_action, addon_for, *named, magic)
    return World(*tables, *constants, settings.reveal_after, settings)


def _addons(units: dict[str, int]):
    """[U, U] the type of an add-on of the second type's kind beside a structure of the first."""
    table = np.zeros((len(units), len(units)), np.int32)
    for role in ("TechLab", "Reactor"):
        types = [name for name in units if name.endswith(role)]
        for name in types:
            table[units[name.removesuffix(role)], [units[other] for other in types]] = units[name]
    return table


def order_task(world: World, units: Units) -> Int[Array, " N"]:
    """What the first order of each unit is (index into `World.tasks`), of an upgrade the first level."""
    return world.task[units.order_action[:, 0], units.type]


def order_kind(world: World, units: Units) -> Int[Array, " N"]:
    """What the first order of each unit is (`Kind`)."""
    return world.tasks.kind[order_task(world, units)]


def is_kind(kinds, *which: Kind):
    """Whether each kind is one of `which`."""
    return reduce(or_, [kinds == kind for kind in which])


def inward(place: Float[Array, "*n"], side: int) -> Float[Array, "*n"]:
    """Places a hair nearer to the middle of a map of `side` cells. On the border of two cells both players so take the
    same: the image of a place lies in the image of its cell."""
    return place + BORDER * jnp.sign(side / 2 - place)


def cell_index(position: Float[Array, "*n 2"], side: int) -> Int[Array, "*n"]:
    """Flat index of the map cell of each position; `side` cells a row."""
    cell = jnp.clip(jnp.floor(inward(position, side)).astype(jnp.int32), 0, side - 1)
    return cell[..., 1] * side + cell[..., 0]


def walkable(world: World, place: Float[Array, "*n 2"]) -> Bool[Array, "*n"]:
    """Whether each place is on the map and not in a cliff."""
    h, w = world.terrain.pathable.shape
    x, y = place[..., 0], place[..., 1]
    inside = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    return inside & world.terrain.pathable.reshape(-1)[cell_index(place, w)]


def on_ground(world: World, place: Float[Array, "*n 2"]) -> Float[Array, "*n 2"]:
    """Each place, or where it cannot be walked on the middle of the nearest cell that can."""
    w, paths = world.terrain.pathable.shape[1], world.terrain.paths
    cell = paths.cell[paths.ground[cell_index(place, w)]]
    middle = jnp.stack([cell % w, cell // w], -1) + 0.5
    return jnp.where(walkable(world, place)[..., None], place, middle)
