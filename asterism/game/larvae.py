"""Larvae: they come of hatcheries, by themselves and from a queen's injections."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished
from asterism.game.economy import nearest_own
from asterism.game.skipping import when
from asterism.game.spawning import spawn
from asterism.game.state import Loops, State, Units, Zerg, owners
from asterism.game.tables import load_economy
from asterism.game.world import World

HOME = 8.0
"""Cells from the middle of its hatchery beyond which a larva has none."""
ASIDE = (0.0, -3.2)
"""Cells from the middle of a hatchery to where player 0's larvae appear; player 1's do on the other side."""


def no_zerg(count: int) -> Zerg:
    """What is known of `count` units before any hatchery or tumour stands."""
    zero = jnp.zeros(count)
    whole = jnp.zeros(count, jnp.int32)
    return Zerg(zero + load_economy().larva_time, zero, whole, whole, zero)


def homes(world: World, units: Units) -> tuple[Int[Array, " N"], Int[Array, " N"]]:
    """Slot of each larva's hatchery (-1 for none, and for other units), and each hatchery's larvae."""
    home, square = nearest_own(units, finished(units) & world.units.larva_home[units.type])
    larva = (units.type > 0) & (units.type == world.larva)
    home, count = jnp.where(larva & (square <= HOME**2), home, -1), len(home)
    return home, jnp.zeros(count, jnp.int32).at[jnp.where(home >= 0, home, count)].add(1, mode="drop")


def grow_larvae(world: World, state: State, dt: Loops) -> State:
    """Hatcheries with fewer than three larvae get one every 11 seconds; injections bring three more after 29.

    Larvae whose hatchery is gone die.
    """
    if state.zerg is None:
        return state
    units = state.units
    any_ = (units.type > 0) & ((units.type == world.larva) | world.units.larva_home[units.type])
    return when(any_.any(), lambda state: _grow_larvae(world, state, dt), state)


def _grow_larvae(world: World, state: State, dt: Loops) -> State:
    units, zerg, economy = state.units, state.zerg, load_economy()
    home = finished(units) & world.units.larva_home[units.type]
    hatchery, number = homes(world, units)
    lost = (units.type > 0) & (units.type == world.larva) & (hatchery < 0)
    units = units._replace(health=jnp.where(lost, 0.0, units.health))
    few = home & (number < economy.larva_natural)
    left = jnp.where(few, zerg.larva_left - dt, economy.larva_time)
    natural = few & (left <= 0)
    zerg = _inject(zerg, home, dt)
    released = home & (zerg.injected > 0) & (number < economy.larva_most)
    spawned, child = _spawn_larvae(world, units, natural | released)
    came = child >= 0
    zerg = zerg._replace(
        larva_left=jnp.where(natural & came, left + economy.larva_time, jnp.maximum(left, 0.0)),
        injected=jnp.where(home, zerg.injected - (released & ~natural & came), 0),
    )
    return state._replace(units=spawned, zerg=zerg)


def _inject(zerg: Zerg, home: Bool[Array, " N"], dt: Loops) -> Zerg:
    """Injections ripen, one after the other."""
    economy = load_economy()
    ripe = home & (zerg.inject_left > 0) & (zerg.inject_left <= dt)
    left = jnp.where(home, jnp.maximum(zerg.inject_left - dt, 0.0), 0.0)
    starts = home & (left <= 0) & (zerg.injects > 0)
    return zerg._replace(
        inject_left=jnp.where(starts, float(economy.inject_time), left),
        injects=jnp.where(home, zerg.injects - starts, 0),
        injected=zerg.injected + ripe * economy.inject_larvae,
    )


def _spawn_larvae(world: World, units: Units, want: Bool[Array, " N"]) -> tuple[Units, Int[Array, " N"]]:
    count = len(units.type)
    place = units.position + larva_offset(count)
    return spawn(world, units, want, jnp.full(count, world.larva), place, jnp.zeros(count))


def larva_offset(count: int) -> Float[Array, "N 2"]:
    """Where the larvae of each slot's hatchery lie, from its middle."""
    return jnp.array(ASIDE) * jnp.where(owners(count) == 0, 1.0, -1.0)[:, None]
