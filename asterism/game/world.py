"""What never changes during games: rules, map and settings, made ready for compiled code."""

from functools import reduce
from operator import or_
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy.ndimage import distance_transform_edt

from asterism.game.maps import Map, free_ground, free_rectangles
from asterism.game.navigation import cached_waypoints, symmetric
from asterism.game.rules import Rules, TaskTable, UnitTable
from asterism.game.settings import GameSettings
from asterism.game.spellbook import Magic
from asterism.game.state import Units
from asterism.game.tables import load_economy
from asterism.game.tasks import Builder, Kind

ADDON_OFFSET = (2.5, -0.5)


class Terrain(NamedTuple):
    """The map as arrays. C cells, G goal blocks, R resources, B bases."""

    level: Int[Array, "h w"]
    pathable: Bool[Array, "h w"]
    buildable: Bool[Array, "h w"]
    placeable: Bool[Array, "F h w"]
    """For each kind of footprint: a structure may have its centre in the cell, or at its lower left corner."""
    waypoint: Int[Array, "G C"]
    starts: Float[Array, "2 2"]
    bases: Float[Array, "2 B 2"]
    resources: Float[Array, "R 2"]
    is_geyser: Bool[Array, " R"]
    resource_radius: Float[Array, " R"]
    nearest_ground: Int[Array, " C"]
    """The walkable cell nearest to each cell."""


class Economics(NamedTuple):
    """Constants of mining; times in game loops. [2]: minerals, vespene."""

    trip: Float[Array, " 2"]
    time: Float[Array, " 2"]
    amount: Float[Array, " 2"]
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
    build_action: Int[Array, " U"]
    """The action with which a worker builds each type and stays with it, 0 for none."""
    larva: int
    """Type of the Larva, -1 if the rules have none."""
    warp_gate: int
    """Type of the WarpGate, -1 if the rules have none."""
    magic: Magic | None
    """Spells and buffs; None where the rules have none."""
    reveal_after: int
    """Game loops without a town hall after which a player's structures are shown to the enemy."""


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
            free = free_ground(game_map, townhall=kind[4])
            masks.append(free_rectangles(free, *extent) if w else np.zeros_like(free))
        index[u] = kinds.index(kind)
    return np.stack(masks), index


def _nearest_ground(pathable):
    rows, columns = distance_transform_edt(~pathable, return_distances=False, return_indices=True)
    return (rows * pathable.shape[1] + columns).reshape(-1).astype(np.int32)


def make_world(rules: Rules, game_map: Map, settings: GameSettings) -> World:
    """Gathers everything constant as arrays on the device."""
    placeable, footprint = _footprints(game_map, rules)
    economy = load_economy()
    normal = {r.kind: r for r in economy.resources if r.name in ("MineralField", "VespeneGeyser")}
    kinds = ("minerals", "vespene")
    trip = np.array([normal[kind].per_trip for kind in kinds], np.float32)
    waypoint = cached_waypoints(game_map.pathable)
    geysers, minerals = len(game_map.geysers), len(game_map.minerals)
    terrain = Terrain(
        level=game_map.height,
        pathable=game_map.pathable,
        buildable=game_map.buildable,
        placeable=placeable,
        waypoint=symmetric(waypoint) if (game_map.pathable == game_map.pathable[::-1, ::-1]).all() else waypoint,
        starts=game_map.starts.astype(np.float32),
        bases=game_map.bases.astype(np.float32),
        resources=np.concatenate([game_map.minerals, game_map.geysers]).astype(np.float32),
        is_geyser=np.arange(minerals + geysers) >= minerals,
        resource_radius=np.repeat([0.5, 1.9], [minerals, geysers]).astype(np.float32),
        nearest_ground=_nearest_ground(game_map.pathable),
    )
    economics = Economics(
        trip=trip,
        time=np.array([economy.mineral_time + economy.mineral_return_delay, economy.vespene_time], np.float32),
        amount=trip * np.floor(np.array([normal[kind].contents for kind in kinds], np.float32) / trip),
        start_minerals=float(economy.start_minerals),
        start_workers=economy.start_workers,
        supply_cap=float(economy.supply_cap),
    )
    magic = None
    if rules.magic is not None:  # names stay known while compiling
        magic = Magic(*(v if isinstance(v, dict) else jax.tree.map(jnp.asarray, v) for v in rules.magic))
    tables = jax.tree.map(jnp.asarray, (rules.units, rules.tasks, rules.task, terrain, economics))
    wanted = ("Move_pt", "Attack_pt", "Attack_unit", "Harvest_Gather_unit")
    given = {name: rules.description.action_index[name] for name in wanted}
    build_action = np.zeros(len(rules.units.addon), np.int32)
    builds = (rules.tasks.kind == Kind.BUILD) & (rules.tasks.builder == Builder.STAYS)
    build_action[rules.tasks.product[builds]] = rules.tasks.action[builds]
    footprint, rectangle, build_action = map(jnp.asarray, (footprint, _rectangles(rules), build_action))
    named = (rules.description.unit_index.get(name, -1) for name in ("Larva", "WarpGate"))
    return World(*tables, footprint, rectangle, given, build_action, *named, magic, settings.reveal_after)


def order_task(world: World, units: Units) -> Int[Array, " N"]:
    """What the first order of each unit is (index into `World.tasks`), of an upgrade the first level."""
    return world.task[units.order_action[:, 0], units.type]


def order_kind(world: World, units: Units) -> Int[Array, " N"]:
    """What the first order of each unit is (`Kind`)."""
    return world.tasks.kind[order_task(world, units)]


def is_kind(kinds, *which: Kind):
    """Whether each kind is one of `which`."""
    return reduce(or_, [kinds == kind for kind in which])


def cell_index(position: Float[Array, "*n 2"], side: int) -> Int[Array, "*n"]:
    """Flat index of the map cell of each position; `side` cells a row."""
    cell = jnp.clip(jnp.floor(position).astype(jnp.int32), 0, side - 1)
    return cell[..., 1] * side + cell[..., 0]


def walkable(world: World, place: Float[Array, "*n 2"]) -> Bool[Array, "*n"]:
    """Whether each place is on the map and not in a cliff."""
    h, w = world.terrain.pathable.shape
    x, y = place[..., 0], place[..., 1]
    inside = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    return inside & world.terrain.pathable.reshape(-1)[cell_index(place, w)]


def on_ground(world: World, place: Float[Array, "*n 2"]) -> Float[Array, "*n 2"]:
    """Each place, or where it cannot be walked on the middle of the nearest cell that can."""
    w = world.terrain.pathable.shape[1]
    cell = world.terrain.nearest_ground[cell_index(place, w)]
    middle = jnp.stack([cell % w, cell // w], -1) + 0.5
    return jnp.where(walkable(world, place)[..., None], place, middle)
