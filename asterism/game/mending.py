"""Repair by SCVs and MULEs, healing by Medivacs, shields from batteries, and templars that merge."""

import jax.numpy as jnp

from asterism.game import buffs
from asterism.game.accounting import finished
from asterism.game.geometry import length
from asterism.game.power import powered
from asterism.game.skipping import over_chunks, running, when
from asterism.game.spawning import renew
from asterism.game.state import State, by_player, give_orders, nearest, owners, pop_orders
from asterism.game.tables import ATTRIBUTES, load_economy
from asterism.game.tasks import Kind
from asterism.game.world import World, is_kind, order_kind, order_task

REACH = 0.3
"""Cells between the bodies of an SCV and what it repairs, or of two templars that merge."""
MECHANICAL, BIOLOGICAL = (1 << ATTRIBUTES.index(name) for name in ("mechanical", "biological"))


def mend(world: World, state: State, dt: int) -> State:
    """One tick of repair, healing and merging."""
    ordered = order_kind(world, state.units)
    state = when((ordered == Kind.REPAIR).any(), lambda state: repair(world, state, dt), state)
    heals = (state.units.type > 0) & (world.magic.heal_rate[state.units.type] > 0)
    state = when(heals.any(), lambda state: heal(world, state, dt), state)
    return when((ordered == Kind.MERGE).any(), lambda state: merge(world, state), state)


def repair(world: World, state: State, dt: int) -> State:
    """SCVs at a damaged mechanical unit or structure of their side mend it; a whole repair takes the target's repair
    time and a quarter of its cost. Where money runs short all repair as much slower."""
    units, players, count = state.units, state.players, len(state.units.type)
    player, target = owners(count), units.order_target[:, 0]
    at = jnp.clip(target, 0, count - 1)
    kind = units.type[at]
    repairs = (order_kind(world, units) == Kind.REPAIR) & (units.type > 0)
    valid = (target >= 0) & (target < count) & (target // (count // 2) == player) & (at != jnp.arange(count))
    valid &= finished(units)[at] & buffs.outside(world, state, units.type > 0)[at]
    valid &= ((world.units.attributes[kind] & MECHANICAL) > 0) & (world.magic.repair_time[kind] > 0)
    valid &= units.health[at] < world.units.health[kind]
    gap = length(units.position - units.position[at]) - world.units.radius[units.type] - world.units.radius[kind]
    works = repairs & valid & (gap <= REACH) & buffs.able(world, state, finished(units))
    full = world.units.health[kind]
    points = jnp.where(works, dt * full / jnp.maximum(world.magic.repair_time[kind], 1.0), 0.0)
    points = jnp.minimum(points, full - units.health[at])
    share = load_economy().repair_cost * points / jnp.maximum(full, 1.0)
    minerals = by_player(share * world.magic.minerals[kind]).sum(1)
    vespene = by_player(share * world.magic.vespene[kind]).sum(1)
    part = lambda have, cost: jnp.where(cost > have, have / jnp.maximum(cost, 1e-6), 1.0)  # noqa: E731
    afford = jnp.minimum(part(players.minerals, minerals), part(players.vespene, vespene))
    given = jnp.zeros(count).at[jnp.where(works, at, count)].add(points * afford[player], mode="drop")
    health = jnp.minimum(units.health + given, jnp.maximum(world.units.health[units.type], units.health))
    players = players._replace(
        minerals=jnp.maximum(players.minerals - minerals * afford, 0.0),
        vespene=jnp.maximum(players.vespene - vespene * afford, 0.0),
    )
    units = pop_orders(units._replace(health=health), repairs & ~valid)
    return state._replace(units=units, players=players)


def heal(world: World, state: State, dt: int) -> State:
    """Medivacs and shield batteries find the nearest unit of their side that needs them; Medivacs go there."""
    units, magic, kind = state.units, world.magic, state.units.type
    free = is_kind(order_kind(world, units), Kind.NO_OP, Kind.MOVE, Kind.PATROL, Kind.HOLD)
    shields = magic.heals_shield[kind]
    active = (magic.heal_rate[kind] > 0) & buffs.able(world, state, finished(units)) & (free | shields)
    active &= (units.energy > 1.0) & powered(world, units)
    hurt = buffs.outside(world, state, finished(units)) & (units.health > 0)
    lacks_health = hurt & (units.health < world.units.health[kind]) & ~world.units.structure[kind]
    lacks_health &= (world.units.attributes[kind] & BIOLOGICAL) > 0
    lacks_shield = hurt & (units.shield < world.units.shield[kind]) & ~shields
    needed = active.any() & (lacks_health | lacks_shield).any()
    return when(needed, lambda state: _heal(world, state, active, lacks_health, lacks_shield, dt), state)


def _heal(world: World, state: State, active, lacks_health, lacks_shield, dt: int) -> State:
    units, magic, kind = state.units, world.magic, state.units.type
    task, shields = order_kind(world, units), magic.heals_shield[kind]
    found, gap = _neediest(world, state, active, lacks_health, lacks_shield)
    near = (found >= 0) & (gap <= magic.heal_range[kind])
    at = jnp.maximum(found, 0)
    missing = jnp.where(
        shields, world.units.shield[kind[at]] - units.shield[at], world.units.health[kind[at]] - units.health[at]
    )
    points = jnp.minimum(magic.heal_rate[kind] * dt, units.energy / jnp.maximum(magic.heal_energy[kind], 1e-3))
    points = jnp.where(near, jnp.minimum(points, missing), 0.0)
    count = len(kind)
    to = jnp.where(near, at, count)
    add = lambda which: jnp.zeros(count).at[to].add(jnp.where(which, points, 0.0), mode="drop")  # noqa: E731
    top = lambda have, more, most: jnp.minimum(have + more, jnp.maximum(most[kind], have))  # noqa: E731
    units = units._replace(
        health=top(units.health, add(~shields), world.units.health),
        shield=top(units.shield, add(shields), world.units.shield),
        energy=jnp.maximum(units.energy - points * magic.heal_energy[kind], 0.0),
    )
    comes = (found >= 0) & ~near & (task == Kind.NO_OP) & (world.units.speed[kind] > 0)
    place = units.position[at]
    return state._replace(units=give_orders(units, comes, world.unit_action["Move_pt"], -1, place))


def _neediest(world: World, state: State, active, lacks_health, lacks_shield):
    """Slot of the nearest unit that each active healer can help, -1 for none, and the cells between their edges."""
    units, magic, kind = state.units, world.magic, state.units.type
    (x, y), rows = jnp.moveaxis(by_player(units.position), -1, 0), jnp.arange(2)[:, None]
    radius, acquires = by_player(world.units.radius[kind]), by_player(magic.heal_acquires[kind])
    of_shields, shield, health = map(by_player, (magic.heals_shield[kind], lacks_shield, lacks_health))
    slots = jnp.arange(x.shape[1])

    def look(at, real, found):
        healer = lambda values: values[rows, at][..., None]  # noqa: E731
        gap = jnp.sqrt((healer(x) - x[:, None]) ** 2 + (healer(y) - y[:, None]) ** 2)  # [2, healer, hurt]
        gap = gap - healer(radius) - radius[:, None]
        needs = jnp.where(healer(of_shields), shield[:, None], health[:, None]) & (gap <= healer(acquires))
        score = jnp.where(needs & (at[..., None] != slots), gap, jnp.inf)
        closest = score.min(2)
        to = jnp.where(real, at, len(slots))
        slot = jnp.where(jnp.isfinite(closest), nearest(score) + rows * len(slots), -1)
        return found[0].at[rows, to].set(slot, mode="drop"), found[1].at[rows, to].set(closest, mode="drop")

    nobody = jnp.full(x.shape, -1), jnp.full(x.shape, jnp.inf)
    slot, gap = over_chunks(by_player(active), look, nobody)
    return slot.reshape(-1), gap.reshape(-1)


def merge(world: World, state: State) -> State:
    """Templars told to merge walk to one another by twos; where they meet, one becomes an Archon that forms."""
    units, named, count = state.units, world.magic.named, len(state.units.type)
    task = order_task(world, units)
    merges = (world.tasks.kind[task] == Kind.MERGE) & finished(units)
    rank = running(by_player(merges)) - 1
    rank = jnp.where(by_player(merges), rank, -2)
    mate = (rank[:, :, None] ^ 1) == rank[:, None]  # [2, templar, other]
    paired = mate.any(2).reshape(-1) & merges
    base = owners(count) * (count // 2)
    partner = (mate * jnp.arange(count // 2)).sum(2).reshape(-1) + base
    place = jnp.where(paired[:, None], units.position[partner], units.position)
    met = paired & (length(units.position - place) <= 2 * world.units.radius[units.type] + REACH)
    met &= met[partner]
    first = met & (rank.reshape(-1) % 2 == 0)
    kind = jnp.full(count, named["Archon"])
    middle = (units.position + place) / 2
    units = units._replace(
        order_position=units.order_position.at[:, 0].set(jnp.where(merges[:, None], place, units.order_position[:, 0])),
        health=jnp.where(met & ~first, 0.0, units.health),
    )
    return state._replace(units=renew(world, units, first, kind, middle, world.tasks.time[task]))
