"""Fights: attacks begin, hit and kill. Arrays of pairs are [2, targets, attackers], by the attackers' player."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from asterism.game import buffs
from asterism.game.accounting import current_task
from asterism.game.damage import Blows, strike
from asterism.game.modifiers import Modifiers
from asterism.game.sight import visible_enemies
from asterism.game.skipping import when
from asterism.game.state import State, Units, by_player, pop_orders
from asterism.game.targets import Fights, choose_targets
from asterism.game.tasks import QUEUED
from asterism.game.world import World, is_kind

EXPLODED = -jnp.inf
"""Health of what has exploded."""


def fight(world: World, state: State, mods: Modifiers, dt: int | Int[Array, ""]) -> tuple[State, Fights]:
    """One tick of combat: targets, attacks and their damage. The dead are taken off by `bury`."""
    units, seen = state.units, visible_enemies(world, state)
    none = jnp.full(len(units.type), -1)
    idle = Fights(none, none + 1, *[none > 0] * 4)
    armed = (units.aim >= 0) | (units.cooldown > 0) | ((units.type > 0) & (units.health <= 0))
    needed = seen.any() | armed.any()
    return when(needed, lambda _: _fight(world, state, mods, seen, dt), (state, idle))


def _fight(world: World, state: State, mods: Modifiers, seen: Bool[Array, "2 P"], dt) -> tuple[State, Fights]:
    fights = choose_targets(world, state, mods, seen)
    units, blows = attack(world, state.units, mods, fights, dt)
    if np.asarray(world.units.weapons.suicide).any():
        blows = explode(world, state.units, blows)
        bang = world.units.weapons.suicide[blows.weapon] & (blows.count > 0)
        units = units._replace(health=jnp.where(bang, EXPLODED, units.health))
    units = strike(world, state._replace(units=units), mods, blows)
    # An attacker remembers where it last saw the enemy that it was told to attack.
    target = jnp.maximum(fights.target, 0)
    last_seen = jnp.where(fights.follows[:, None], units.position[target], units.order_position[:, 0])
    units = units._replace(order_position=units.order_position.at[:, 0].set(last_seen))
    return state._replace(units=units), fights


def explode(world: World, units: Units, blows: Blows) -> Blows:
    """Banelings that have been killed explode where they fell, in the tick after."""
    weapons = world.units.weapons
    bomb = jnp.asarray(np.where(np.asarray(weapons.suicide)[np.asarray(weapons.of)], weapons.of, 0).max(1))[units.type]
    fell = (bomb > 0) & (units.health <= 0) & jnp.isfinite(units.health)
    return Blows(
        jnp.where(fell, -1, blows.target), jnp.where(fell, bomb, blows.weapon), jnp.where(fell, 1.0, blows.count)
    )


def attack(
    world: World, units: Units, mods: Modifiers, fights: Fights, dt: int | Int[Array, ""]
) -> tuple[Units, Blows]:
    """Attacks that begin and those that hit in this tick.

    An attack hits when its damage point has passed; a unit that has turned away by then has not attacked at all. Times
    within the tick are kept, so that hits fall at the same loops whatever the tick, but for the first attack on a
    target, which begins with a tick.
    """
    weapons, row = world.units.weapons, fights.weapon
    rate = jnp.maximum(mods.attack_rate, 1e-6)
    period, point = weapons.cooldown[row] / rate, weapons.damage_point[row] / rate
    lost = (units.windup > 0) & ~fights.held
    cooldown = jnp.where(lost, 0.0, units.cooldown)
    goes_on = fights.held & (units.windup > dt)
    first = jnp.maximum(cooldown, 0.0)
    begun = jnp.where(fights.in_range, jnp.maximum(jnp.ceil((dt - first) / period), 0.0), 0.0)
    begun = jnp.where(weapons.suicide[row], jnp.minimum(begun, 1.0), begun)
    last = first + (begun - 1.0) * period + point - dt
    waits = (begun > 0) & (last > 0)
    landed = (fights.held & ~goes_on) + begun - waits
    units = units._replace(
        cooldown=jnp.where(begun > 0, first + begun * period - dt, jnp.maximum(cooldown - dt, 0.0)),
        windup=jnp.where(waits, last, jnp.where(goes_on, units.windup - dt, 0.0)),
        aim=fights.target,
    )
    return units, Blows(fights.target, row, landed)


def gone(world: World, units: Units) -> Bool[Array, " N"]:
    """Units to be taken off: those without health, but a bomb only when it has exploded."""
    weapons = world.units.weapons
    over = (units.type > 0) & (units.health <= 0)
    if not np.asarray(weapons.suicide).any():
        return over
    bomb = jnp.asarray(np.asarray(weapons.suicide)[np.asarray(weapons.of)].any(1))[units.type]
    return over & ~(bomb & jnp.isfinite(units.health))


def bury(world: World, state: State) -> State:
    """Takes the dead off the field, and every order that points at them. What they had yet to make is paid back."""
    dead = gone(world, state.units)
    return when(dead.any(), lambda state: buffs.forget(_bury(world, state, dead)), state)


def _bury(world: World, state: State, dead: Bool[Array, " N"]) -> State:
    units, players, count = state.units, state.players, len(state.units.type)
    table, orders = world.tasks, units.order_action
    paid = jnp.stack([table.minerals, table.vespene], 1) * is_kind(table.kind, *QUEUED)[:, None]
    tasks = jnp.stack([current_task(world, state, place) for place in range(orders.shape[1])], 1)
    back = by_player(jnp.where(dead[:, None, None], paid[tasks], 0.0)).sum((1, 2))
    players = players._replace(minerals=players.minerals + back[:, 0], vespene=players.vespene + back[:, 1])
    units = units._replace(
        type=jnp.where(dead, 0, units.type),
        order_action=jnp.where(dead[:, None], 0, orders),
        order_target=jnp.where(dead[:, None], -1, units.order_target),
        working=units.working & ~dead,
        addon=jnp.where(dead | dead[jnp.maximum(units.addon, 0)], -1, units.addon),
    )
    lost = (units.order_target >= 0) & (units.order_target < count) & dead[jnp.clip(units.order_target, 0, count - 1)]
    # An order in the middle of the queue keeps its place: it becomes one to go where the target was.
    first = lost[:, 0]
    rest = lost.at[:, 0].set(False)
    units = units._replace(
        order_action=jnp.where(rest, world.unit_action["Attack_pt"], units.order_action),
        order_target=jnp.where(rest, -1, units.order_target),
    )
    turn = state.turn._replace(selected=state.turn.selected & ~dead)
    return state._replace(units=pop_orders(units, first), players=players, turn=turn)
