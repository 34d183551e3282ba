"""What upgrades and creep make of the units' figures. Whatever else changes them for a time multiplies or adds here."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from asterism.game import buffs
from asterism.game.accounting import finished
from asterism.game.creep import on_creep
from asterism.game.skipping import when
from asterism.game.state import State, owners
from asterism.game.world import World

EXACT = jax.lax.Precision.HIGHEST


class Modifiers(NamedTuple):
    """Figures of each unit as they are now. Distances in cells, times in game loops."""

    speed: Float[Array, " N"]
    """Cells a loop; 0 for what cannot move."""
    attack_rate: Float[Array, " N"]
    """Factor on the pace of attacks; at 0 the unit cannot attack."""
    armor: Float[Array, " N"]
    shield_armor: Float[Array, " N"]
    range: Float[Array, " N"]
    """Added to that of the weapons."""
    health: Float[Array, " N"]
    """Most that it can have."""
    energy_regen: Float[Array, " N"]
    """Energy a loop."""
    ranged_armor: Float[Array, " N"]
    """More armor against weapons that are not melee."""
    dealt: Float[Array, " N"]
    """Factor on the damage that the unit deals."""
    armored_bonus: Float[Array, " N"]
    """More damage of each hit against armored units."""


def modifiers(world: World, state: State) -> Modifiers:
    """The figures of all units of a state: those of their types, with their players' upgrades and the creep below."""
    figures = _figures(world, state)
    creep = on_creep(world, state, state.units.position)
    speed = jnp.where(figures.acceleration > 0, figures.speed, 0.0)
    mods = Modifiers(
        speed=speed * jnp.where(creep, figures.creep_speed, 1.0),
        attack_rate=figures.attack_rate,
        armor=figures.armor,
        shield_armor=figures.shield_armor,
        range=figures.range,
        health=figures.health,
        energy_regen=figures.energy_regen,
        ranged_armor=jnp.zeros_like(speed),
        dealt=jnp.ones_like(speed),
        armored_bonus=jnp.zeros_like(speed),
    )
    return mods if state.spells is None else _buffed(world, state, mods)


class _Figures(NamedTuple):
    """Columns of the unit table that upgrades change."""

    acceleration: Array
    speed: Array
    creep_speed: Array
    attack_rate: Array
    armor: Array
    shield_armor: Array
    range: Array
    health: Array
    energy_regen: Array


def _figures(world: World, state: State) -> _Figures:
    """Of each unit [N], with the upgrades that its player has, if any."""
    table, kind = world.units, state.units.type
    zero = jnp.zeros_like(table.armor)
    base = _Figures(
        acceleration=table.acceleration,
        speed=table.speed,
        creep_speed=table.creep_speed,
        attack_rate=zero + 1.0,
        armor=table.armor,
        shield_armor=zero,
        range=zero,
        health=table.health,
        energy_regen=table.energy_regen,
    )
    added = _Figures(*(getattr(table, f"upgrade_{field}") for field in _Figures._fields))
    plain = jax.tree.map(lambda column: column[kind], base)
    raised = lambda _: jax.tree.map(lambda column, more: upgraded(state, column, more), base, added)  # noqa: E731
    return when(state.players.upgrades.any(), raised, plain)


def _buffed(world: World, state: State, mods: Modifiers) -> Modifiers:
    """The figures with what buffs, transports and bunkers do to them, where there are any."""
    spells, kind, magic = state.spells, state.units.type, world.magic
    special = (spells.inside >= 0) | (spells.bond > 0) | (magic.armed_by[kind] >= 0) | magic.absent[kind]
    needed = special.any() | (spells.buffs > 0).any()
    mods = mods._replace(attack_rate=jnp.where(finished(state.units), mods.attack_rate, 0.0))
    return when(needed, lambda mods: _with_buffs(world, state, mods), mods)


def _with_buffs(world: World, state: State, mods: Modifiers) -> Modifiers:
    can = buffs.armed(world, state, finished(state.units))
    return mods._replace(
        speed=buffs.speed(world, state, mods.speed),
        attack_rate=jnp.where(can, mods.attack_rate * buffs.product(world, state, "attack"), 0.0),
        armor=mods.armor + buffs.total(world, state, "armor"),
        shield_armor=mods.shield_armor + buffs.total(world, state, "shield_armor"),
        range=mods.range + buffs.total(world, state, "range") + buffs.shelter(world, state),
        ranged_armor=buffs.total(world, state, "ranged_armor"),
        dealt=buffs.product(world, state, "dealt"),
        armored_bonus=buffs.total(world, state, "armored_bonus"),
    )


def upgraded(state: State, values: Float[Array, " U"], per_upgrade: Float[Array, "U K"]) -> Float[Array, " N"]:
    """A column of the unit table for each unit, with what each upgrade of its player adds."""
    kind = state.units.type
    if not np.asarray(per_upgrade).any():
        return values[kind]
    which = np.flatnonzero(np.asarray(per_upgrade).any(0))
    known = state.players.upgrades[:, which].astype(jnp.float32)
    return (values + jnp.matmul(known, per_upgrade[:, which].T, precision=EXACT))[owners(len(kind)), kind]


def raise_health(world: World, before: State, state: State) -> State:
    """Units gain what an upgrade that has come since `before` adds to their health, new ones what all have added."""
    extra = world.units.upgrade_health
    if not np.asarray(extra).any():
        return state
    born = (state.units.type != before.units.type) | (finished(state.units) & ~finished(before.units))
    needed = born.any() | (state.players.upgrades != before.players.upgrades).any()
    return when(needed, lambda state: _raise_health(world, before, state), state)


def _raise_health(world: World, before: State, state: State) -> State:
    extra = world.units.upgrade_health
    gained = [upgraded(s, jnp.zeros_like(world.units.health), extra) for s in (before, state)]
    more = jnp.where(finished(state.units), jnp.maximum(gained[1] - gained[0], 0.0), 0.0)
    return state._replace(units=state.units._replace(health=state.units.health + more))
