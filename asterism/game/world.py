"""What never changes during games: rules, map and settings, made ready for compiled code."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.maps import Map, free_ground, free_rectangles
from asterism.game.navigation import cached_waypoints
from asterism.game.rules import ActionTable, Kind, Rules, UnitTable
from asterism.game.settings import GameSettings
from asterism.game.tables import load_economy

ADDON_OFFSET = (2.5, -0.5)


class Terrain(NamedTuple):
    """The map as arrays. C cells, G goal blocks, R resources, B bases."""

    level: Int[Array, "h w"]
    pathable: Bool[Array, "h w"]
    placeable: Bool[Array, "F h w"]
    """For each kind of footprint: a structure may stand with its centre in (or at the lower left corner of) the cell."""
    waypoint: Int[Array, "G C"]
    starts: Float[Array, "2 2"]
    bases: Float[Array, "2 B 2"]
    resources: Float[Array, "R 2"]
    is_geyser: Bool[Array, " R"]
    resource_radius: Float[Array, " R"]


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
    actions: ActionTable
    terrain: Terrain
    economics: Economics
    footprint: Int[Array, " U"]
    """Row of `Terrain.placeable` of each unit type."""
    rectangle: Float[Array, "U 4"]
    """Ground that a structure keeps to itself, from its centre: x, y offset of the middle, half width, half height."""
    unit_action: dict[str, int]
    """Index of the actions that the rules themselves give: Move_pt, Attack_unit, Harvest_Gather_unit."""
    addon_type: Int[Array, " U"]


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


def make_world(rules: Rules, game_map: Map, settings: GameSettings) -> World:
    """Gathers everything constant as arrays on the device."""
    del settings
    placeable, footprint = _footprints(game_map, rules)
    economy = load_economy()
    normal = {r.kind: r for r in economy.resources if r.name in ("MineralField", "VespeneGeyser")}
    geysers, minerals = len(game_map.geysers), len(game_map.minerals)
    terrain = Terrain(
        level=game_map.height,
        pathable=game_map.pathable,
        placeable=placeable,
        waypoint=cached_waypoints(game_map.pathable),
        starts=game_map.starts.astype(np.float32),
        bases=game_map.bases.astype(np.float32),
        resources=np.concatenate([game_map.minerals, game_map.geysers]).astype(np.float32),
        is_geyser=np.arange(minerals + geysers) >= minerals,
        resource_radius=np.repeat([0.5, 1.9], [minerals, geysers]).astype(np.float32),
    )
    economics = Economics(
        trip=np.array([normal["minerals"].per_trip, normal["vespene"].per_trip], np.float32),
        time=np.array([economy.mineral_time + economy.mineral_return_delay, economy.vespene_time], np.float32),
        amount=np.array([normal["minerals"].contents, normal["vespene"].contents], np.float32),
        start_minerals=float(economy.start_minerals),
        start_workers=economy.start_workers,
        supply_cap=float(economy.supply_cap),
    )
    addon_type = np.zeros(len(rules.units.addon), np.int32)
    names = rules.description.unit_index
    for name, index in names.items():
        if name.endswith("TechLab") and name != "TechLab":
            addon_type[names[name.removesuffix("TechLab")]] = index
    tables = jax.tree.map(jnp.asarray, (rules.units, rules.actions, terrain, economics))
    wanted = ("Move_pt", "Attack_pt", "Attack_unit", "Harvest_Gather_unit")
    given = {name: rules.description.action_index[name] for name in wanted}
    return World(*tables, jnp.asarray(footprint), jnp.asarray(_rectangles(rules)), given, jnp.asarray(addon_type))


def order_kind(world: World, order_action: Int[Array, " N"]) -> Int[Array, " N"]:
    """What the first order of each unit is (`Kind`)."""
    return world.actions.kind[order_action]


def is_kind(kinds, *which: Kind):
    """Whether each kind is one of `which`."""
    return jnp.isin(kinds, jnp.array(which))


def cell_index(position: Float[Array, "n 2"], side: int) -> Int[Array, " n"]:
    """Flat index of the map cell of each position; `side` cells a row."""
    cell = jnp.clip(jnp.floor(position).astype(jnp.int32), 0, side - 1)
    return cell[..., 1] * side + cell[..., 0]
