"""Pseudo-rewards for following a strategy z (AlphaStar, Methods: Multi-agent learning, and Extended Data)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float, Integer, Shaped

from asterism.interface.observation import Strategy

SAME_TYPE_COST = 0.8
"""Most that two build order entries of one type can cost, however far apart; entries of two types cost 1."""


class StrategyValues(NamedTuple):
    """One thing for each of the four parts of z that are rewarded, in the order of the value outputs."""

    build_order: Shaped[Array, "*b"]
    units: Shaped[Array, "*b"]
    upgrades: Shaped[Array, "*b"]
    effects: Shaped[Array, "*b"]


def build_order_distance(
    executed: Integer[Array, " L"],
    target: Integer[Array, " L"],
    executed_xy: Float[Array, "L 2"],
    target_xy: Float[Array, "L 2"],
    scale: Float[ArrayLike, ""],
) -> Float[Array, ""]:
    """Edit distance of two build orders up to the length of the shorter one.

    Entries are type numbers, 0 is empty and all empty entries are last; places are in map cells. Inserting, deleting
    and exchanging cost 1; two entries of one type cost their squared distance, scaled so that `scale` map cells and
    all beyond cost 0.8.

    The executed build order is a prefix that grows as the game goes on, so it is compared with as much of the target:
    what is still to come costs nothing yet, a wrong entry costs when it is made, and what follows the target's end is
    free.
    """
    squared = ((executed_xy[:, None] - target_xy[None]) ** 2).sum(-1) / scale**2
    exchange = jnp.where(executed[:, None] == target[None], SAME_TYPE_COST * jnp.minimum(squared, 1.0), 1.0)
    steps = jnp.arange(len(target) + 1.0)

    def next_row(row, costs):
        without_insertion = jnp.append(row[0] + 1.0, jnp.minimum(row[:-1] + costs, row[1:] + 1.0))
        # Insertions along a row cost 1 each: row[j] = min over i <= j of without_insertion[i] + (j - i).
        row = jax.lax.cummin(without_insertion - steps) + steps
        return row, row

    _, rows = jax.lax.scan(next_row, steps, exchange)
    length = jnp.minimum((executed != 0).sum(), (target != 0).sum())
    # The table holds the distance of every pair of prefixes.
    return jnp.vstack([steps, rows])[length, length]


def hamming_distance(executed: Bool[Array, " N"], target: Bool[Array, " N"]) -> Float[Array, ""]:
    """In how many entries two cumulative statistics differ."""
    return (executed != target).sum().astype(jnp.float32)


def strategy_distances(
    executed: Strategy, target: Strategy, location: int, map_cells: int, scale: Float[ArrayLike, ""] = 10.0
) -> StrategyValues:
    """How far what a player has done is from the z that it was asked to follow; one of each, unbatched.

    `location` is the side of the location grid (InterfaceSize), `map_cells` that of the map (GameDescription);
    `scale` is the distance in map cells at which a building in the wrong place costs most (infinity: places do not
    matter).
    """

    def places(cells):
        return jnp.stack([cells % location, cells // location], -1) * (map_cells / location)

    return StrategyValues(
        build_order=build_order_distance(
            executed.build_order,
            target.build_order,
            places(executed.build_order_location),
            places(target.build_order_location),
            scale,
        ),
        units=hamming_distance(executed.units, target.units),
        upgrades=hamming_distance(executed.upgrades, target.upgrades),
        effects=hamming_distance(executed.effects, target.effects),
    )


def time_decay(game_loop: Integer[Array, "*b"], loops_per_second: float = 22.4) -> Float[Array, "*b"]:
    """How much a pseudo-reward counts: 1, from 8 minutes on 1/2, from 16 minutes on 1/4, from 24 minutes on 0."""
    minutes = game_loop / (60.0 * loops_per_second)
    return jnp.select([minutes < 8, minutes < 16, minutes < 24], [1.0, 0.5, 0.25], 0.0)


def pseudo_rewards(
    distances_tm1: StrategyValues,
    distances_t: StrategyValues,
    game_loop_t: Integer[Array, "*b"],
    discount_t: Float[Array, "*b"],
    enabled: StrategyValues,
    loops_per_second: float = 22.4,
) -> Float[Array, "*b 4"]:
    """Rewards of the move from one step to the next: by how much it brought the player closer to z, or took it away.

    Minus the change of each distance, times `time_decay`; 0 where `enabled` is false (each is drawn true with
    probability 0.25 a game), and 0 where `discount_t` is 0, since then the distances `_t` are those of a new game.
    Order as in StrategyValues.
    """
    weight = time_decay(game_loop_t, loops_per_second) * (discount_t > 0)
    closer = jax.tree.map(jnp.subtract, distances_tm1, distances_t)
    return jnp.stack([jnp.where(on, weight * change, 0.0) for on, change in zip(enabled, closer, strict=True)], -1)
