"""Who attacks whom, damage and death. Fights are between the two players: arrays are [2, attackers, targets]."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game.accounting import finished
from asterism.game.rules import Kind
from asterism.game.state import State, Units, by_player, nearest, pop_orders
from asterism.game.world import World, cell_index, is_kind, order_kind

ACQUIRE = 5.0
"""Cells beyond its weapon's range in which a unit on attack-move, on patrol or idle takes up a fight."""
STRUCTURE_PENALTY = 50.0
"""Units come before structures as targets (StarCraft II's attack priority), then the nearest."""
UNARMED_PENALTY = 3.0


class Fights(NamedTuple):
    """What each unit fights this tick. N units."""

    target: Int[Array, " N"]
    """Slot of the enemy, -1 for none."""
    in_range: Bool[Array, " N"]
    chases: Bool[Array, " N"]
    """It goes after a target that is out of range."""


def across(values: Array) -> tuple[Array, Array]:
    """Values of attackers [2, slots, 1] and of their possible targets [2, 1, slots]."""
    mine = by_player(values)
    return mine[:, :, None], mine[::-1][:, None, :]


def enemy_distance(units: Units) -> Float[Array, "2 P P"]:
    """Distance between the centres of own and enemy units."""
    place = by_player(units.position)
    square = ((place[0][:, None] - place[1][None]) ** 2).sum(-1)
    distance = jnp.sqrt(square)
    return jnp.stack([distance, distance.T])


def visible_enemies(world: World, units: Units, distance: Float[Array, "2 P P"]) -> Bool[Array, "2 P"]:
    """Which enemy units each player sees: within sight of an own unit that is not lower, or flies."""
    sight, _ = across(jnp.where(finished(units) | world.units.structure[units.type], world.units.sight[units.type], 0.0))
    level = world.terrain.level.reshape(-1)[cell_index(units.position, world.terrain.level.shape[1])]
    flying = world.units.flying[units.type]
    above, below = across(jnp.where(flying, 100, level)), across(level)
    alive = across(units.type > 0)
    seen = (distance <= sight) & (above[0] >= below[1]) & alive[0] & alive[1]
    return seen.any(1)


def _weapon(world: World, state: State):
    """Damage of one volley of each unit against each enemy, and the reach of its weapon. [2, P, P] each."""
    units = state.units
    kind, enemy = across(units.type)
    flying = world.units.flying[enemy]
    upgrades = state.players.upgrades.astype(jnp.float32)

    def levels(table):
        """[2, P]: what the upgrades of its owner add to each unit."""
        return (table[by_player(units.type)] * upgrades[:, None]).sum(-1)

    def volley(weapon):
        bonus = (world.units.attributes[enemy] & weapon.bonus_attribute[kind]) > 0
        extra = weapon.bonus[kind] + levels(weapon.upgrade_bonus)[:, :, None]
        damage = weapon.damage[kind] + levels(weapon.upgrade_damage)[:, :, None] + jnp.where(bonus, extra, 0.0)
        armor = world.units.armor[enemy] + levels(world.units.upgrade_armor)[::-1][:, None, :]
        hit = weapon.attacks[kind] * jnp.maximum(damage - armor, 0.5)
        return jnp.where(weapon.damage[kind] > 0, hit, 0.0)

    ground, air = world.units.ground, world.units.air
    damage = jnp.where(flying, volley(air), volley(ground))
    reach = jnp.where(flying, air.range[kind], ground.range[kind])
    return damage, reach


def _weapon_rows(world: World, units: Units):
    return jnp.maximum(world.units.ground.range, world.units.air.range)[units.type]


def choose_targets(world: World, state: State, damage, reach, distance, seen) -> Fights:
    """Each armed unit's target: the one it was told, else the nearest that it may take up by itself."""
    units, count = state.units, len(state.units.type)
    slots = count // 2
    kind = order_kind(world, units.order_action[:, 0])
    radius = across(world.units.radius[units.type])
    edge = distance - radius[0] - radius[1]
    valid = seen[:, None, :] & (damage > 0) & across(finished(units))[0]
    idle = (kind == Kind.NO_OP) & ~world.units.worker[units.type]
    free = idle | (is_kind(kind, Kind.ATTACK, Kind.PATROL) & (units.order_target[:, 0] < 0))
    acquires = jnp.where(free, _weapon_rows(world, units) + ACQUIRE, 0.0)
    acquires = jnp.where(kind == Kind.HOLD, _weapon_rows(world, units), acquires)
    taken = valid & (edge <= across(acquires)[0]) & across(acquires > 0)[0]
    armed = (world.units.ground.damage + world.units.air.damage)[units.type] > 0
    penalty = jnp.where(world.units.structure[units.type] & ~armed, STRUCTURE_PENALTY, 0.0)
    penalty = penalty + jnp.where(world.units.worker[units.type], UNARMED_PENALTY, 0.0)
    score = jnp.where(taken, edge + across(penalty)[1], jnp.inf)
    enemies = (jnp.arange(2)[::-1] * slots)[:, None]
    auto = jnp.where(jnp.isfinite(score.min(2)), nearest(score) + enemies, -1).reshape(-1)
    told = units.order_target[:, 0]
    foe = (told >= 0) & (told < count) & ((told // slots) != (jnp.arange(count) // slots))
    told_valid = valid[jnp.arange(count) // slots, jnp.arange(count) % slots, told % slots]
    told = jnp.where((kind == Kind.ATTACK) & foe & told_valid, told, -1)
    target = jnp.where(told >= 0, told, auto)
    at = (jnp.arange(count) // slots, jnp.arange(count) % slots, target % slots)
    in_range = (target >= 0) & (edge[at] <= reach[at])
    chases = (target >= 0) & ~in_range & (kind != Kind.HOLD) & (world.units.speed[units.type] > 0)
    return Fights(target, in_range, chases)


def fight(world: World, state: State, dt: int) -> tuple[State, Fights]:
    """One tick of combat: targets, shots and their damage. The dead are taken off by `bury`."""
    units, count = state.units, len(state.units.type)
    slots = count // 2
    distance = enemy_distance(units)
    seen = visible_enemies(world, units, distance)
    damage, reach = _weapon(world, state)
    fights = choose_targets(world, state, damage, reach, distance, seen)
    cooldown = units.cooldown - dt
    fires = fights.in_range & (cooldown <= 0)
    at = (jnp.arange(count) // slots, jnp.arange(count) % slots, fights.target % slots)
    dealt = by_player(jnp.where(fires, damage[at], 0.0))
    aimed = by_player(fights.target % slots)[:, :, None] == jnp.arange(slots)
    suffered = (dealt[:, :, None] * aimed).sum(1)[::-1].reshape(-1)
    against_air = world.units.flying[units.type[jnp.maximum(fights.target, 0)]]
    period = jnp.where(against_air, world.units.air.cooldown[units.type], world.units.ground.cooldown[units.type])
    # A shot falls within the tick: what is left over of the tick counts for the next one.
    cooldown = jnp.where(fires, cooldown + period, jnp.maximum(cooldown, 0.0))
    return state._replace(units=units._replace(cooldown=cooldown, health=units.health - suffered)), fights


def bury(world: World, state: State) -> State:
    """Takes the dead off the field, and every order that points at them."""
    units, count = state.units, len(state.units.type)
    dead = (units.type > 0) & (units.health <= 0)
    emptied = dead[:, None]
    units = units._replace(
        type=jnp.where(dead, 0, units.type),
        order_action=jnp.where(emptied, 0, units.order_action),
        order_target=jnp.where(emptied, -1, units.order_target),
        working=units.working & ~dead,
        addon=jnp.where(dead | dead[jnp.maximum(units.addon, 0)], -1, units.addon),
    )
    lost = (units.order_target >= 0) & (units.order_target < count) & dead[jnp.clip(units.order_target, 0, count - 1)]
    # An order in the middle of the queue keeps its place: it becomes one to go where the target was.
    attack = world.unit_action["Attack_pt"]
    first = lost[:, 0]
    rest = lost.at[:, 0].set(False)
    units = units._replace(
        order_action=jnp.where(rest, attack, units.order_action),
        order_target=jnp.where(rest, -1, units.order_target),
    )
    return state._replace(units=pop_orders(units, first))
