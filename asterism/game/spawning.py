"""How a slot of the state becomes a new unit."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game.skipping import listed, running
from asterism.game.state import Units, by_player
from asterism.game.world import World

START_HEALTH = 0.1
"""Share of health and shields with which construction begins."""

UNHARMED = 1e4
"""Game loops since a new unit was last damaged: long ago."""


def renew(
    world: World,
    units: Units,
    which: Bool[Array, " N"],
    kind: Int[Array, " N"],
    position: Float[Array, "N 2"],
    build_left,
) -> Units:
    """The slots in `which` become new units of type `kind` at `position` without orders, with `build_left` loops of
    construction to be done."""
    take = lambda new, old: jnp.where(which.reshape(-1, *([1] * (old.ndim - 1))), new, old)  # noqa: E731
    share = jnp.where(build_left > 0, START_HEALTH, 1.0)
    return units._replace(
        type=take(kind, units.type),
        position=take(position, units.position),
        health=take(share * world.units.health[kind], units.health),
        shield=take(share * world.units.shield[kind], units.shield),
        energy=take(world.units.start_energy[kind], units.energy),
        quiet=take(UNHARMED, units.quiet),
        build_left=take(build_left, units.build_left),
        cooldown=take(0.0, units.cooldown),
        windup=take(0.0, units.windup),
        aim=take(-1, units.aim),
        order_action=take(0, units.order_action),
        order_target=take(-1, units.order_target),
        working=take(False, units.working),
        timer=take(0.0, units.timer),
        carrying=take(0, units.carrying),
        load=take(0.0, units.load),
        addon=take(-1, units.addon),
        rally=take(-1.0, units.rally),
        seeking=take(False, units.seeking),
    )


def spawn(
    world: World,
    units: Units,
    want: Bool[Array, " N"],
    kind: Int[Array, " N"],
    position: Float[Array, "N 2"],
    build_left,
) -> tuple[Units, Int[Array, " N"]]:
    """New units, at most one a parent slot, in free slots of the parent's player.

    Args:
      want: the parents; `kind`, `position` and `build_left` (loops) describe the child of each.
    Returns:
      The units, and for each parent its child's slot (-1 where it wanted none or no slot was free).
    """
    count = units.type.shape[0]
    slots = count // 2
    wanted, slot = by_player(want), jnp.arange(count)
    free, number = listed(by_player(units.type == 0))
    place = running(wanted) - 1
    served = wanted & (place < number[:, None])
    base = (jnp.arange(2) * slots)[:, None]
    taken = jnp.take_along_axis(free, jnp.clip(place, 0, slots - 1), 1) + base
    child = jnp.where(served, taken, -1).reshape(-1)
    at = jnp.where(child >= 0, child, count)
    parent = jnp.zeros(count, jnp.int32).at[at].set(slot, mode="drop")
    born = jnp.zeros(count, bool).at[at].set(True, mode="drop")
    return renew(world, units, born, kind[parent], position[parent], build_left[parent]), child


def change_type(world: World, units: Units, which: Bool[Array, " N"], kind: Int[Array, " N"]) -> Units:
    """The units in `which` become of type `kind` and keep their share of health and shields."""
    table = world.units
    share = lambda have, most: have / jnp.maximum(most[units.type], 1.0) * most[kind]  # noqa: E731
    gains_energy = which & (table.energy[kind] > 0) & (table.energy[units.type] <= 0)
    return units._replace(
        type=jnp.where(which, kind, units.type),
        health=jnp.where(which, share(units.health, table.health), units.health),
        shield=jnp.where(which, share(units.shield, table.shield), units.shield),
        energy=jnp.where(gains_energy, table.start_energy[kind], units.energy),
        addon=jnp.where(which & table.flying[kind], -1, units.addon),  # it stays where it is
    )
