"""What spells leave on the ground for a while: storms, scans, clouds, force fields, strikes that are on their way."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.buffs import hurt, outside, untouchable
from asterism.game.economy import send_to_minerals
from asterism.game.geometry import length
from asterism.game.skipping import listed, running, when
from asterism.game.spawning import spawn
from asterism.game.spellbook import ENEMY, OWN
from asterism.game.state import Fields, State, by_player, give_orders, owners
from asterism.game.tables import ATTRIBUTES
from asterism.game.world import World, on_ground

STRUCTURE, MASSIVE = (1 << ATTRIBUTES.index(name) for name in ("structure", "massive"))


def lay(
    world: World, state: State, wants: Bool[Array, " N"], spell: Int[Array, " N"], target, place: Float[Array, "N 2"]
) -> tuple[State, Bool[Array, " N"]]:
    """New effects on the ground, at most one a caster, in free slots of its player.

    Returns:
      The state, and which casters laid theirs: the others found no slot free.
    """
    fields, table = state.spells.fields, world.magic.spells
    wanted, count = by_player(wants), len(wants)
    free, number = listed(by_player(fields.spell == 0))
    room = free.shape[1]
    rank = running(wanted) - 1
    laid = wanted & (rank < number[:, None])
    slot = jnp.take_along_axis(free, jnp.clip(rank, 0, room - 1), 1) + (jnp.arange(2) * room)[:, None]
    at = jnp.where(laid, slot, 2 * room).reshape(-1)
    source = jnp.zeros(2 * room, jnp.int32).at[at].set(jnp.arange(count), mode="drop")
    new = jnp.zeros(2 * room, bool).at[at].set(True, mode="drop")
    take = lambda values, old: jnp.where(new.reshape(-1, *([1] * (old.ndim - 1))), values[source], old)  # noqa: E731
    fields = Fields(
        spell=take(spell, fields.spell),
        place=take(place, fields.place),
        delay=take(table.delay[spell], fields.delay),
        left=take(table.duration[spell], fields.left),
        source=jnp.where(new, source, fields.source),
        target=take(target, fields.target),
        count=take(jnp.where(table.summon[spell] > 0, table.count[spell], 0), fields.count),
    )
    return state._replace(spells=state.spells._replace(fields=fields)), laid.reshape(-1)


def fits(world: World, spell: Int[Array, "*a"], own: Bool[Array, "*b"], kind: Int[Array, "*c"]) -> Bool[Array, "*d"]:
    """Whether a spell can be about a unit of type `kind`, the caster's `own` or not. Shapes broadcast."""
    table = world.magic.spells
    attributes, plane = world.units.attributes[kind], world.units.flying[kind].astype(jnp.int32)
    needs = table.needs[spell]
    good = table.whose[spell] != jnp.where(own, ENEMY, OWN)
    good &= (table.plane[spell] == 2) | (table.plane[spell] == plane)
    return good & ((needs == 0) | ((needs & attributes) > 0)) & ((table.bars[spell] & attributes) == 0)


def affected(world: World, state: State) -> tuple[Bool[Array, "G N"], Float[Array, "G N"]]:
    """Which units each effect on the ground is about and reaches, and their distance from its middle."""
    units, fields, table = state.units, state.spells.fields, world.magic.spells
    x = fields.place[:, 0, None] - units.position[:, 0]
    y = fields.place[:, 1, None] - units.position[:, 1]
    distance = jnp.sqrt(x**2 + y**2)
    by_edge = jnp.where(table.extends[fields.spell][:, None], world.units.radius[units.type], 0.0)
    own = owners(len(fields.spell))[:, None] == owners(len(units.type))
    inside = distance - by_edge <= table.radius[fields.spell][:, None]
    present = outside(world, state, units.type > 0) & (fields.spell > 0)[:, None]
    return inside & fits(world, fields.spell[:, None], own, units.type) & present, distance


def total(values: Float[Array, "G N"]) -> Float[Array, " N"]:
    """Sum over effects, each player's first: the order of the two players must not show."""
    parts = by_player(values).sum(1)
    return parts[0] + parts[1]


def run_fields(world: World, state: State, dt: int) -> State:
    """`dt` loops of every effect on the ground: they follow who they belong to, strike, give their buff, end."""
    state = _follow(world, state)
    fields, spells, table = state.spells.fields, state.spells, world.magic.spells
    spell = fields.spell
    delay = fields.delay - dt
    strikes = (spell > 0) & (fields.delay >= 0) & (delay <= 0)
    delay = jnp.where(strikes, -1.0, jnp.where(fields.delay < 0, -1.0, delay))
    live = jnp.where((spell > 0) & (delay < 0), jnp.minimum(fields.left, dt), 0.0)
    near, distance = affected(world, state)
    struck = near & strikes[:, None]
    state = _strike(world, state, struck, distance)
    state = _recall(world, state, struck & table.recalls[spell][:, None])
    time = jnp.where(strikes, table.buff_time[spell], 0.0)
    time = jnp.maximum(time, jnp.where(live > 0, live + table.buff_time[spell], 0.0))
    given = jnp.where(near, time[:, None], 0.0)
    which = table.buff[spell][:, None] == jnp.arange(spells.buffs.shape[1])  # [G, B]
    used = np.flatnonzero(np.isin(np.arange(spells.buffs.shape[1]), np.asarray(table.buff)))
    lasting = jnp.where(which[:, None, used], given[:, :, None], 0.0).max(0)
    buffs = state.spells.buffs.at[:, used].max(lasting)
    broken = _shattered(world, state, strikes, near)
    left = jnp.where(broken, 0.0, jnp.where(delay < 0, fields.left - live, fields.left))
    ended = (delay < 0) & (left <= 0) & (fields.count == 0)
    fields = state.spells.fields._replace(spell=jnp.where(ended, 0, spell), delay=delay, left=left)
    state = state._replace(spells=state.spells._replace(buffs=buffs, fields=fields))
    return summon(world, state)


def _follow(world: World, state: State) -> State:
    """Effects go with their caster or target; a strike that its caster has to guide is off when that gives up."""
    units, fields, table = state.units, state.spells.fields, world.magic.spells
    count = len(units.type)
    spell = fields.spell
    leader = jnp.where(table.follows_caster[spell], fields.source, fields.target)
    follows = (table.follows_caster[spell] | table.follows_target[spell]) & (leader >= 0) & (leader < count)
    leader = jnp.clip(leader, 0, count - 1)
    alive = units.type[leader] > 0
    place = jnp.where((follows & alive)[:, None], units.position[leader], fields.place)
    guided = (table.bond[spell] > 0) & (fields.delay >= 0)
    off = guided & (state.spells.bond[fields.source] != spell)
    off |= table.follows_caster[spell] & ~alive
    # What follows a unit that is gone stays where it was.
    target = jnp.where(table.follows_target[spell] & ~alive, -1, fields.target)
    spell = jnp.where(off, 0, spell)
    return state._replace(spells=state.spells._replace(fields=fields._replace(spell=spell, place=place, target=target)))


def _strike(world: World, state: State, struck: Bool[Array, "G N"], distance: Float[Array, "G N"]) -> State:
    """Damage, healing and loss of energy of what strikes."""
    units, spell, table = state.units, state.spells.fields.spell, world.magic.spells
    column = lambda field: getattr(table, field)[spell][:, None]  # noqa: E731
    attributes = world.units.attributes[units.type]
    rings = table.rings[spell]
    part = jnp.zeros_like(distance)
    for ring in range(rings.shape[1]):
        inside = distance <= rings[:, ring, 0, None]
        part = jnp.maximum(part, jnp.where(inside, rings[:, ring, 1, None], 0.0))
    structure = ((attributes & STRUCTURE) > 0) & (column("structure_damage") > 0)
    damage = column("damage") + jnp.where((attributes & column("bonus_attribute")) > 0, column("bonus"), 0.0)
    damage = jnp.where(structure, column("structure_damage"), damage) * part
    harmed = struck & ~untouchable(world, state)
    shield_damage = total(jnp.where(harmed, column("shield_damage"), 0.0))
    drained = total(jnp.where(struck, column("energy_change"), 0.0))
    healed = total(jnp.where(struck, column("heal"), 0.0))
    units = units._replace(
        shield=jnp.maximum(units.shield - shield_damage, 0.0),
        quiet=jnp.where(shield_damage > 0, 0.0, units.quiet),
        energy=jnp.maximum(units.energy + drained, 0.0),
        health=jnp.minimum(units.health + healed, jnp.maximum(world.units.health[units.type], units.health)),
    )
    return state._replace(units=hurt(units, total(jnp.where(harmed, damage, 0.0))))


def _recall(world: World, state: State, moved: Bool[Array, "G N"]) -> State:
    """Units in the area appear round the caster."""
    units, fields = state.units, state.spells.fields
    first = moved & (jnp.cumsum(moved, 0) == 1)
    source = (first * fields.source[:, None]).sum(0)
    middle = jnp.where(first[..., None], fields.place[:, None], 0.0).sum(0)
    offset = units.position - middle
    gap = world.units.radius[units.type[source]] + world.units.radius[units.type]
    far = jnp.maximum(length(offset), 1e-3)
    place = units.position[source] + offset / far[:, None] * (gap + 0.5 * far)[:, None]
    place = jnp.where(world.units.flying[units.type][:, None], place, on_ground(world, place))
    which = first.any(0)
    position = jnp.where(which[:, None], place, units.position)
    orders = jnp.where(which[:, None], 0, units.order_action)
    working = units.working & ~which
    return state._replace(units=units._replace(position=position, order_action=orders, working=working))


def _shattered(world: World, state: State, strikes: Bool[Array, " G"], near) -> Bool[Array, " G"]:
    """Force fields that a massive unit on the ground walks into, or that a strike such as a corrosive bile breaks."""
    units, fields, table = state.units, state.spells.fields, world.magic.spells
    giant = ((world.units.attributes[units.type] & MASSIVE) > 0) & ~world.units.flying[units.type]
    giant &= outside(world, state, units.type > 0)
    reach = table.radius[fields.spell][:, None] + world.units.radius[units.type]
    touched = (length(fields.place[:, None] - units.position) <= reach) & giant
    bile = strikes & table.shatters[fields.spell]
    hit = length(fields.place[:, None] - fields.place) <= table.radius[fields.spell][:, None]
    return table.blocks[fields.spell] & (touched.any(1) | (hit & bile).any(1))


def summon(world: World, state: State) -> State:
    """Units that a strike brings appear, one a caster and tick, and get to know what they are for."""
    units, spells, fields, table = state.units, state.spells, state.spells.fields, world.magic.spells
    count = len(units.type)
    ready = (fields.count > 0) & (fields.delay < 0)
    # Of several that one caster has laid, the first.
    at = jnp.where(ready, fields.source, count)
    order = jnp.arange(len(at))
    first = jnp.full(count, len(at)).at[at].min(order, mode="drop")
    chosen = ready & (first[jnp.minimum(at, count - 1)] == order)
    field = jnp.minimum(first, len(at) - 1)
    wants = first < len(at)
    spell = fields.spell[field]
    place = jnp.where(table.at_caster[spell][:, None], units.position, fields.place[field])
    place = jnp.where(world.units.flying[table.summon[spell]][:, None], place, on_ground(world, place))
    spawned, child = spawn(world, units, wants, table.summon[spell], place, table.build_time[spell])
    born = child >= 0
    slot = jnp.where(born, child, count)

    def of_child(values, none):
        return jnp.full((count, *values.shape[1:]), none, values.dtype).at[slot].set(values, mode="drop")

    is_child = of_child(born, False)
    goal = of_child(jnp.where(born, table.goal[spell], 0), 0)
    target = fields.target[field]
    target = of_child(jnp.where(target >= count, target, -1), -1)
    nowhere = is_child & (goal == world.unit_action["Harvest_Gather_unit"]) & (target < 0)
    orders = is_child & (goal > 0) & ~nowhere
    spawned = give_orders(spawned, orders, goal, target, of_child(fields.place[field], 0.0))
    spawned = send_to_minerals(spawned, nowhere)
    life = jnp.where(is_child, of_child(table.life[spell], 0.0), spells.life)
    buff = of_child(table.summon_buff[spell], -1)
    buffs = jnp.where(is_child[:, None], 0.0, spells.buffs)
    buffs = jnp.where((buff[:, None] == jnp.arange(buffs.shape[1])) & is_child[:, None], 1e6, buffs)
    shade = is_child & (spawned.type == world.magic.named["AdeptPhaseShift"])
    parent = of_child(jnp.arange(count), -1)
    done = chosen & born[jnp.minimum(at, count - 1)]
    left = fields.count - done
    over = done & (left == 0) & (fields.left <= 0)
    return state._replace(
        units=spawned,
        spells=spells._replace(
            life=life,
            buffs=buffs,
            bond_target=jnp.where(shade, parent, spells.bond_target),
            fields=fields._replace(count=left, spell=jnp.where(over, 0, fields.spell)),
        ),
    )


def force_fields(world: World, state: State) -> tuple[Float[Array, "G 2"], Float[Array, " G"]] | None:
    """Place and radius of what blocks the ground, the radius negative for what does not; None without spells."""
    if state.spells is None:
        return None
    fields, table = state.spells.fields, world.magic.spells
    stands = table.blocks[fields.spell] & (fields.delay < 0) & (fields.left > 0)
    return fields.place, jnp.where(stands, table.radius[fields.spell], -100.0)


def blocked(
    world: World, state: State, start: Float[Array, "N 2"], goal: Float[Array, "*k N 2"]
) -> Bool[Array, "*k N"]:
    """Whether a force field stands between each walking unit and `goal`, a step away. Who stands in it can get out."""
    found = force_fields(world, state)
    if found is None:
        return jnp.zeros(goal.shape[:-1], bool)
    place, radius = found
    kind = state.units.type

    def stopped(_):
        giant = (world.units.attributes[kind] & MASSIVE) > 0
        reach = radius + world.units.radius[kind][:, None]
        before = length(start[:, None] - place)
        after = length(goal[..., None, :] - place)
        return ((after < reach) & (after < before)).any(-1) & ~world.units.flying[kind] & ~giant

    return when((radius > 0).any(), stopped, jnp.zeros(goal.shape[:-1], bool))
