"""What learners are asked to follow: strategies z of recorded games, of real games, or of both.

A z belongs to a side of the map, since its build order says where things stand.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from asterism.bots.build_orders import BuildItem, BuildOrder, load_build_orders
from asterism.bots.openings import LEFT_OUT
from asterism.demos import Demos, RecordedPlayer, StrategyLibrary, recorded_strategies, strategy_library
from asterism.errors import UserError
from asterism.game.commands import place_to_location
from asterism.game.game import EmbeddedGame
from asterism.game.tables import RACES
from asterism.interface.observation import Race, Strategy
from asterism.runtime.league_settings import StrategySource
from asterism.runtime.supervised import select_entries, wins, with_a_plan

REACH = 15.0
"""Map cells: what real players built farther from their start, town halls apart, is asked for at this distance. Real
maps are two to three times as wide as ours."""
ENOUGH = 8
"""Entries that a real build order must have among the units of the game, or it says too little."""


def strategies_to_follow(
    demos: Demos, best: set[RecordedPlayer], game: EmbeddedGame, source: StrategySource = "recorded"
) -> StrategyLibrary:
    """The strategies that learners of each race on each side are asked for. `best`: players whose victories are
    recorded.

    Raises UserError where there is none for a side.
    """
    found = [
        (side, int(Race.named(race)), strategies_of(demos, best, game, source, side, race))
        for side in range(2)
        for race in races_on(game, side)
    ]
    sides = [[one for on, _, strategies in found if on == side for one in strategies] for side in range(2)]
    if source == "real" and not all(sides):
        side = sides.index([])
        raise UserError(f"no real game has a build order for side {side} of this match-up: use recorded strategies")
    return strategy_library(*sides, [race for _, race, strategies in found for _ in strategies])


def races_on(game: EmbeddedGame, side: int) -> tuple[str, ...]:
    """Names of the races that the player on a side can have."""
    race = game.settings.races[side]
    return RACES if race == "random" else (race,)


def strategies_of(
    demos: Demos, best: set[RecordedPlayer], game: EmbeddedGame, source: StrategySource, side: int, race: str
) -> list[Strategy]:
    """Those of one race on one side."""
    recorded = recorded_on(demos, best, side, race) if source != "real" else []
    return recorded + (real_strategies(game, side, race) if source != "recorded" else [])


def recorded_on(demos: Demos, best: set[RecordedPlayer], side: int, race: str) -> list[Strategy]:
    """Strategies that a race played on a side: those with which the best players won, or where they won nothing, what
    those who are worth imitating, or all, have played."""
    pools = wins(demos, best), select_entries(demos, with_a_plan), demos
    there = lambda entry: entry.player == side and entry.info.races[side] == race  # noqa: E731
    chosen = (select_entries(pool, there) for pool in pools)
    return next(filter(None, map(recorded_strategies, chosen)), [])


def real_strategies(game: EmbeddedGame, side: int, race: str) -> list[Strategy]:
    """Strategies of real players of a race (`asterism/bots/data/build_orders.json`) against races that the game's other
    player can have, laid onto the game's map.

    Lost games are left out. Effects are not known of real games: none are asked for.
    """
    enemies = races_on(game, 1 - side)
    orders = [order for order in load_build_orders(race) if order.enemy in enemies and order.won is not False]
    return [real_strategy(order, game, side) for order in orders if len(entries(order, game)) >= ENOUGH]


def entries(order: BuildOrder, game: EmbeddedGame) -> list[BuildItem]:
    """The items of a build order that the game has."""
    listed, index = game.rules.units.in_build_order, game.description.unit_index
    known = [item for item in order.items if item.unit in index and item.unit not in LEFT_OUT]
    return [item for item in known if listed[index[item.unit]]]


def real_strategy(order: BuildOrder, game: EmbeddedGame, side: int) -> Strategy:
    """One real player's z for the player on a side."""
    description, items = game.description, entries(order, game)[: game.size.build_order]
    kinds = np.array([description.unit_index[item.unit] for item in items])
    cells = np.asarray(place_to_location(jnp.asarray(places(order, items, game, side)), game.size, game.map.cells))
    blank = game.no_strategy()
    order_of, locations = np.zeros((2, game.size.build_order), np.int32)
    order_of[: len(items)], locations[: len(items)] = kinds, cells
    upgrades = {item.upgrade for item in order.upgrades}
    return Strategy(
        build_order=order_of.astype(blank.build_order.dtype),
        build_order_location=locations.astype(blank.build_order_location.dtype),
        units=np.array([unit.name in order.counts for unit in description.unit_types]),
        effects=np.zeros(len(description.effects), bool),
        upgrades=np.array([upgrade in upgrades for upgrade in description.upgrades]),
    )


def places(order: BuildOrder, items: list[BuildItem], game: EmbeddedGame, side: int) -> Float[np.ndarray, "n 2"]:
    """Where the items are to stand, in map cells.

    Town halls take the bases of the game's map in their order. All else keeps its offset from the start, mirrored so
    that the enemy lies on the same side; trained units have no place of their own and count as at the start.
    """
    start, bases = game.map.starts[side], iter(game.map.bases[side][1:])
    real, here = np.subtract(order.enemy_start, order.start), game.map.starts[1 - side] - start
    mirror = np.where(real * here < 0, -1.0, 1.0)
    halls = game.rules.units.townhall

    def place(item: BuildItem) -> np.ndarray:
        if item.position is not None and halls[game.description.unit_index[item.unit]]:
            return next(bases, start)
        offset = mirror * np.array(item.position or (0, 0), float)
        return start + offset * min(1.0, REACH / max(np.hypot(*offset), 1e-6))

    return np.array([place(item) for item in items]).reshape(-1, 2)
