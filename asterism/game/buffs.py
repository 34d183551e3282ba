"""What buffs do to units: factors and sums that the stages of a tick ask for. Without spells all is as it is."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.game.geometry import length
from asterism.game.skipping import over_chunks, when
from asterism.game.spellbook import SLOTS_FOR_COOLDOWN
from asterism.game.state import Fields, Spells, State, Units, by_player
from asterism.game.tables import load_economy
from asterism.game.world import World

FIELDS = 16
"""Effects on the ground that one player can have at a time."""


def no_spells(world: World, count: int) -> Spells:
    """`count` units without buffs, and no effects on the ground."""
    zero, none, whole = jnp.zeros(count), jnp.full(count, -1), jnp.zeros(count, jnp.int32)
    ground = jnp.zeros(2 * FIELDS)
    index = ground.astype(jnp.int32)
    fields = Fields(index, jnp.zeros((2 * FIELDS, 2)), ground - 1, ground, index, index - 1, index)
    return Spells(
        buffs=jnp.zeros((count, len(world.magic.buffs.id))),
        cooldown=jnp.zeros((count, SLOTS_FOR_COOLDOWN)),
        pending=whole,
        pending_target=none,
        pending_place=jnp.zeros((count, 2)),
        life=zero,
        inside=none,
        bond=whole,
        bond_target=none,
        bond_left=zero,
        barrier=zero,
        fields=fields,
    )


def forget(state: State) -> State:
    """Empty slots have no buffs and belong nowhere; who was in a transport that is gone stands outside."""
    if state.spells is None:
        return state
    spells, empty = state.spells, state.units.type == 0
    keep = lambda values, none=0: jnp.where(empty.reshape(-1, *([1] * (values.ndim - 1))), none, values)  # noqa: E731
    inside = jnp.where(empty[jnp.maximum(spells.inside, 0)], -1, spells.inside)
    return state._replace(
        spells=spells._replace(
            buffs=keep(spells.buffs),
            cooldown=keep(spells.cooldown),
            pending=keep(spells.pending),
            life=keep(spells.life),
            inside=keep(inside, -1),
            bond=keep(spells.bond),
            bond_target=keep(spells.bond_target, -1),
            bond_left=keep(spells.bond_left),
            barrier=keep(spells.barrier),
        )
    )


def product(world: World, state: State, field: str) -> Float[Array, " N"]:
    """Product of the factors `field` of each unit's buffs."""
    values = np.asarray(getattr(world.magic.buffs, field))
    which = np.flatnonzero(values != 1.0)
    return jnp.where(state.spells.buffs[:, which] > 0, values[which], 1.0).prod(1)


def total(world: World, state: State, field: str) -> Float[Array, " N"] | Int[Array, " N"]:
    """Sum of `field` of each unit's buffs."""
    values = np.asarray(getattr(world.magic.buffs, field))
    which = np.flatnonzero(values != 0)
    return jnp.where(state.spells.buffs[:, which] > 0, values[which], 0).sum(1)


def has(world: World, state: State, *flags: str) -> Bool[Array, " N"]:
    """Units with a buff that has one of `flags`."""
    if state.spells is None:
        return jnp.zeros(len(state.units.type), bool)
    values = np.any([np.asarray(getattr(world.magic.buffs, flag)) for flag in flags], axis=0)
    return (state.spells.buffs[:, np.flatnonzero(values)] > 0).any(1)


def outside(world: World, state: State, which: Bool[Array, " N"]) -> Bool[Array, " N"]:
    """Those of `which` that are on the field: neither in a transport nor in store."""
    if state.spells is None:
        return which
    return which & (state.spells.inside < 0) & ~world.magic.absent[state.units.type]


def able(world: World, state: State, which: Bool[Array, " N"]) -> Bool[Array, " N"]:
    """Those of `which` that act: on the field, neither stunned nor silenced."""
    if state.spells is None:
        return which
    return outside(world, state, which) & ~has(world, state, "stuns", "silences")


def armed(world: World, state: State, which: Bool[Array, " N"]) -> Bool[Array, " N"]:
    """Those of `which` that can attack: on the field or in a bunker, with their weapon in use."""
    if state.spells is None:
        return which
    spells, kind = state.spells, state.units.type
    shelter = world.magic.bunker[kind[jnp.maximum(spells.inside, 0)]] & (spells.inside >= 0)
    shelter &= ~world.units.worker[kind]
    need = world.magic.armed_by[kind]
    has_need = (need < 0) | (jnp.take_along_axis(spells.buffs, jnp.maximum(need, 0)[:, None], 1)[:, 0] > 0)
    busy = (spells.bond > 0) & world.magic.spells.roots[spells.bond]
    which &= has_need & ~busy & ~has(world, state, "stuns", "disarms")
    return which & ((spells.inside < 0) | shelter)


def speed(world: World, state: State, pace: Float[Array, " N"]) -> Float[Array, " N"]:
    """`pace` with what buffs do to it; nothing for who is stunned, held by its own spell, or not on the field."""
    if state.spells is None:
        return pace
    spells = state.spells
    rooted = (spells.bond > 0) & world.magic.spells.roots[spells.bond]
    stands = rooted | has(world, state, "stuns") | ~outside(world, state, state.units.type > 0)
    return jnp.where(stands, 0.0, pace * product(world, state, "speed"))


def shelter(world: World, state: State) -> Float[Array, " N"]:
    """Cells that those in a bunker shoot farther, from its edge."""
    inside = state.spells.inside
    radius = world.units.radius[state.units.type]
    return jnp.where(inside >= 0, load_economy().bunker_range + radius[jnp.maximum(inside, 0)] - radius, 0.0)


def hallucinated(world: World, state: State) -> Bool[Array, " N"]:
    """Units that are not what they seem."""
    if state.spells is None:
        return jnp.zeros(len(state.units.type), bool)
    return state.spells.buffs[:, world.magic.buff_index["Hallucination"]] > 0


def work_rate(world: World, state: State) -> Float[Array, " N"] | float:
    """Factor on each unit's production, research, morphs, warp cooldown: 1.5 with chrono boost, 0 contaminated."""
    return 1.0 if state.spells is None else product(world, state, "rate")


def supply_added(world: World, state: State) -> Int[Array, " 2"] | int:
    """Supply that extra supplies have added to each player's depots."""
    return 0 if state.spells is None else by_player(total(world, state, "supply")).sum(1)


def cloaked(world: World, state: State) -> Bool[Array, " N"]:
    """Units that the enemy sees only by detection: by nature, burrowed, or by a spell, and not shown by another."""
    if state.spells is None:
        return jnp.zeros(len(state.units.type), bool)
    hidden = world.magic.cloaked[state.units.type] | has(world, state, "cloaks")
    return hidden & (state.units.build_left <= 0) & ~has(world, state, "reveals")


def detected(world: World, state: State, cloak: Bool[Array, " N"]) -> Bool[Array, " N"]:
    """Those in `cloak` that are within the enemy's detection: of a detector or of a scan."""
    units, fields = state.units, state.spells.fields
    reach = jnp.where((units.type > 0) & (units.build_left <= 0), world.units.detection[units.type], 0.0)
    reach = jnp.where(outside(world, state, reach > 0), reach, 0.0)
    scan = jnp.maximum(_scans(world, state), 0.0)
    place = jnp.concatenate([by_player(units.position), by_player(fields.place)], 1)
    radius = jnp.concatenate([by_player(reach), by_player(scan)], 1)
    theirs, rows = by_player(units.position)[::-1], jnp.arange(2)[:, None]

    def look(at, real, seen):
        x, y = (theirs[rows, at, axis][..., None] - place[:, None, :, axis] for axis in range(2))
        near = ((x**2 + y**2 <= radius[:, None] ** 2) & (radius[:, None] > 0)).any(2)
        return seen.at[rows, at].max(near & real)

    cloak = by_player(cloak)[::-1]
    return over_chunks(cloak, look, jnp.zeros(cloak.shape, bool))[::-1].reshape(-1)


def hidden(world: World, state: State) -> Bool[Array, " N"]:
    """Units that the enemy does not see wherever it looks: cloaked and not detected, or not on the field."""
    if state.spells is None:
        return jnp.zeros(len(state.units.type), bool)
    cloak = cloaked(world, state)
    return (cloak & ~detected(world, state, cloak)) | ~outside(world, state, state.units.type > 0)


def _scans(world: World, state: State) -> Float[Array, " G"]:
    """Radius of each scan, negative for other effects on the ground."""
    fields, spells = state.spells.fields, world.magic.spells
    return jnp.where(spells.detects[fields.spell] & (fields.delay < 0), spells.radius[fields.spell], -1.0)


def scanned(world: World, state: State, place: Float[Array, "2 M 2"]) -> Bool[Array, "2 M"]:
    """Places that are in scans of each player."""
    scans = _scans(world, state)

    def scan(_):
        away = length(by_player(state.spells.fields.place)[:, None] - place[:, :, None])
        return (away <= by_player(scans)[:, None]).any(2)

    return when((scans >= 0).any(), scan, jnp.zeros(place.shape[:2], bool))


def truly_seen(world: World, state: State, found: Bool[Array, "2 P"]) -> Bool[Array, "2 P"]:
    """The enemies that each player sees, where `found` are within sight or in scans: revealed ones too, the
    cloaked only by detection."""
    shown = by_player(has(world, state, "reveals") & (state.units.type > 0))[::-1]
    return (found | shown) & ~by_player(hidden(world, state))[::-1] & by_player(state.units.type > 0)[::-1]


def scanned_cells(world: World, state: State, centre: Float[Array, " H"]) -> Bool[Array, "2 H H"]:
    """Cells, with their middles at `centre` along both axes, that each player sees by scans."""
    place, radius = state.spells.fields.place, _scans(world, state)
    dx, dy = (place[:, 0, None] - centre) ** 2, (place[:, 1, None] - centre) ** 2
    near = dy[:, :, None] + dx[:, None, :] <= jnp.where(radius < 0, -1.0, radius**2)[:, None, None]
    return by_player(near).any(1)


def hurt(units: Units, damage: Float[Array, " N"]) -> Units:
    """Damage: shields first, then health."""
    absorbed = jnp.minimum(jnp.maximum(units.shield, 0.0), damage)
    return units._replace(
        shield=units.shield - absorbed,
        health=units.health - (damage - absorbed),
        quiet=jnp.where(damage > 0, 0.0, units.quiet),
    )


def untouchable(world: World, state: State) -> Bool[Array, " N"]:
    """Units that nothing damages."""
    return world.magic.invulnerable[state.units.type] | has(world, state, "shields")


def protect(world: World, before: State, after: State) -> State:
    """What buffs of those attacked do to the damage of a tick: none for the invulnerable, more for hallucinations, less
    in a shroud; barriers of Immortals absorb it."""
    if after.spells is None:
        return after
    units, old, spells, magic = after.units, before.units, after.spells, world.magic
    same = (old.type == units.type) & (units.type > 0)
    shield, health = old.shield - units.shield, old.health - units.health
    lost = jnp.where(same, jnp.maximum(shield, 0.0) + jnp.maximum(health, 0.0), 0.0)
    factor = jnp.where(untouchable(world, after), 0.0, product(world, after, "taken"))
    true = lost * factor
    row, overload = magic.spell_index["ImmortalBarrier"], magic.buff_index["ImmortalOverload"]
    slot = magic.spells.cooldown_slot[row]
    ready = (units.type == magic.named["Immortal"]) & (units.build_left <= 0) & (spells.cooldown[:, slot] <= 0)
    rises = ready & (true > 0)
    barrier = jnp.where(rises, magic.buffs.absorbs[overload], spells.barrier)
    absorbed = jnp.minimum(barrier, true)
    changed = (factor != 1.0) | (absorbed > 0)
    fresh = hurt(old._replace(quiet=units.quiet), jnp.where(same, true - absorbed, 0.0))
    lasts = jnp.where(rises, magic.spells.buff_time[row], spells.buffs[:, overload])
    wait = jnp.where(rises, magic.spells.cooldown[row], spells.cooldown[:, slot])
    return after._replace(
        units=units._replace(
            shield=jnp.where(same & changed, fresh.shield, units.shield),
            health=jnp.where(same & changed, fresh.health, units.health),
        ),
        spells=spells._replace(
            barrier=barrier - absorbed,
            buffs=spells.buffs.at[:, overload].set(lasts),
            cooldown=spells.cooldown.at[:, slot].set(wait),
        ),
    )


def wear_off(world: World, state: State, dt: int) -> State:
    """Buffs act over `dt` loops and run out: damage and healing over time, energy that they take or give."""
    units, spells, table = state.units, state.spells, world.magic.buffs
    lasting = jnp.minimum(spells.buffs, dt)

    def spent(field):
        values = np.asarray(getattr(table, field))
        which = np.flatnonzero(values)
        return (lasting[:, which] * values[which]).sum(1)

    damage = jnp.where(untouchable(world, state) | (units.type == 0), 0.0, spent("damage"))
    heal = jnp.minimum(spent("heal"), jnp.maximum(world.units.health[units.type] - units.health, 0.0))
    heal = jnp.where(units.health > 0, heal, 0.0)
    most = world.units.energy[units.type]
    # What a buff takes comes on top of what the unit regains.
    energy = jnp.clip(units.energy + spent("energy"), 0.0, jnp.maximum(most, units.energy))
    units = hurt(units, damage)
    units = units._replace(health=units.health + heal, energy=energy)
    left = jnp.maximum(spells.buffs - dt, 0.0)
    ended = np.asarray(table.toggle) & (energy <= 0)[:, None]
    left = jnp.where(ended, 0.0, left)
    barrier = jnp.where(left[:, world.magic.buff_index["ImmortalOverload"]] > 0, spells.barrier, 0.0)
    rate = jnp.asarray(work_rate(world, state))[:, None]
    return state._replace(
        units=units,
        spells=spells._replace(
            buffs=left,
            barrier=barrier,
            cooldown=jnp.maximum(spells.cooldown - dt * rate, 0.0),
        ),
    )


def buff_columns(world: World, state: State) -> tuple[Int[Array, " N"], Int[Array, " N"]]:
    """StarCraft II's ids of the first two buffs of each unit, 0 for none."""
    ids = np.append(np.asarray(world.magic.buffs.id), 0)[::-1]  # ids[i]: that of the buff before the last i - 1
    on = (state.spells.buffs > 0) & (ids[:0:-1] > 0)
    place = jnp.where(on, np.arange(len(ids) - 1, 0, -1), 0)
    first = place.max(1)
    second = jnp.where(place < first[:, None], place, 0).max(1)
    return jnp.asarray(ids)[first], jnp.asarray(ids)[second]
