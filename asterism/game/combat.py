"""Who attacks whom, damage and death. Fights are between the two players: arrays are [2, targets, attackers]."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs
from asterism.game.accounting import current_task, finished
from asterism.game.sight import across, enemy_distance, visible_enemies
from asterism.game.state import State, by_player, nearest, owners, pop_orders
from asterism.game.tasks import QUEUED, Kind
from asterism.game.world import World, is_kind, order_kind

ACQUIRE = 5.0
"""Cells beyond its weapon's range in which a unit on attack-move, on patrol or idle takes up a fight."""
STRUCTURE_PENALTY = 50.0
"""Units come before structures as targets (StarCraft II's attack priority), then the nearest."""
UNARMED_PENALTY = 3.0
LEAST_DAMAGE = 0.5
"""A hit takes at least this much, whatever the armour."""


class Fights(NamedTuple):
    """What each unit fights this tick. N units."""

    target: Int[Array, " N"]
    """Slot of the enemy, -1 for none."""
    in_range: Bool[Array, " N"]
    chases: Bool[Array, " N"]
    """It goes after a target that is out of range."""
    follows: Bool[Array, " N"]
    """Its target is the one it was told to attack, and it sees it."""


def _volley(world: World, state: State, target: Int[Array, " N"]) -> Float[Array, " N"]:
    """Damage of one volley of each unit against its target, armour and upgrades of both counted."""
    kind = state.units.type
    enemy = kind[target]
    upgrades = state.players.upgrades.astype(jnp.float32)
    player = owners(len(kind))
    armor = (world.units.armor + upgrades @ world.units.upgrade_armor.T)[player[target], enemy]
    if state.spells is not None:
        armor = armor + buffs.armor(world, state, world.units.ground.range[kind] > 1.0, target)

    def volley(weapon):
        bonus = (world.units.attributes[enemy] & weapon.bonus_attribute[kind]) > 0
        extra = (weapon.bonus + upgrades @ weapon.upgrade_bonus.T)[player, kind]
        damage = (weapon.damage + upgrades @ weapon.upgrade_damage.T)[player, kind] + jnp.where(bonus, extra, 0.0)
        return weapon.attacks[kind] * jnp.maximum(damage - armor, LEAST_DAMAGE)

    damage = jnp.where(world.units.flying[enemy], volley(world.units.air), volley(world.units.ground))
    return buffs.damage_dealt(world, state, damage, target)


def choose_targets(world: World, state: State, distance, seen) -> Fights:
    """Each armed unit's target: the one it was told, else the nearest that it may take up by itself."""
    units, table, count = state.units, world.units, len(state.units.type)
    slots, kinds = count // 2, units.type
    kind = order_kind(world, units)
    reach_most = buffs.attack_range(world, state, jnp.maximum(table.ground.range, table.air.range)[kinds])
    radius = across(table.radius[kinds])
    edge = distance - radius[0] - radius[1]
    able = buffs.armed(world, state, finished(units))
    hits_ground, hits_air = (by_player(able & (w.damage[kinds] > 0))[:, None, :] for w in (table.ground, table.air))
    valid = seen[:, :, None] & jnp.where(across(table.flying[kinds])[1], hits_air, hits_ground)
    idle = (kind == Kind.NO_OP) & ~table.worker[kinds]
    free = idle | (is_kind(kind, Kind.ATTACK, Kind.PATROL) & (units.order_target[:, 0] < 0))
    acquires = jnp.where(free, reach_most + ACQUIRE, jnp.where(kind == Kind.HOLD, reach_most, -1e3))
    armed = (table.ground.damage + table.air.damage)[kinds] > 0
    penalty = jnp.where(table.structure[kinds] & ~armed, STRUCTURE_PENALTY, 0.0)
    penalty = penalty + jnp.where(table.worker[kinds], UNARMED_PENALTY, 0.0)
    score = jnp.where(valid & (edge <= across(acquires)[0]), edge + across(penalty)[1], jnp.inf)
    enemies = (jnp.arange(2)[::-1] * slots)[:, None]
    auto = jnp.where(jnp.isfinite(score.min(1)), nearest(score, axis=1) + enemies, -1).reshape(-1)

    player, within = jnp.arange(count) // slots, jnp.arange(count) % slots
    told = units.order_target[:, 0]
    foe = (kind == Kind.ATTACK) & (told >= 0) & (told < count) & (told // slots != player)
    follows = foe & valid[player, told % slots, within]
    target = jnp.where(follows, told, auto)
    flying = table.flying[kinds[jnp.maximum(target, 0)]]
    reach = jnp.where(flying, table.air.range[kinds], table.ground.range[kinds])
    reach = buffs.attack_range(world, state, reach)
    in_range = (target >= 0) & (edge[player, target % slots, within] <= reach)
    chases = (target >= 0) & ~in_range & (kind != Kind.HOLD) & (table.speed[kinds] > 0)
    return Fights(target, in_range, chases, follows)


def fight(world: World, state: State, dt: int) -> tuple[State, Fights]:
    """One tick of combat: targets, shots and their damage. The dead are taken off by `bury`."""
    units, slots = state.units, len(state.units.type) // 2
    distance = enemy_distance(units)
    fights = choose_targets(world, state, distance, visible_enemies(world, state, distance))
    cooldown = units.cooldown - buffs.attack_time(world, state, dt)
    fires = fights.in_range & (cooldown <= 0)
    target = jnp.maximum(fights.target, 0)
    dealt = by_player(jnp.where(fires, _volley(world, state, target), 0.0))
    aimed = by_player(target % slots)[:, :, None] == jnp.arange(slots)
    suffered = jnp.where(aimed, dealt[:, :, None], 0.0).sum(1)[::-1].reshape(-1)
    against_air = world.units.flying[units.type[target]]
    period = jnp.where(against_air, world.units.air.cooldown[units.type], world.units.ground.cooldown[units.type])
    # A shot falls within the tick: what is left over of the tick counts for the next one.
    cooldown = jnp.where(fires, cooldown + period, jnp.maximum(cooldown, 0.0))
    # An attacker remembers where it last saw the enemy that it was told to attack.
    last_seen = jnp.where(fights.follows[:, None], units.position[target], units.order_position[:, 0])
    units = units._replace(
        cooldown=cooldown,
        health=units.health - suffered,
        order_position=units.order_position.at[:, 0].set(last_seen),
    )
    return state._replace(units=units), fights


def bury(world: World, state: State) -> State:
    """Takes the dead off the field, and every order that points at them. What they had yet to make is paid back."""
    units, players, count = state.units, state.players, len(state.units.type)
    dead = (units.type > 0) & (units.health <= 0)
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
