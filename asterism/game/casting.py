"""Spells: who is told to cast one, the way into range, what it costs, and what it does at once."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.game import buffs
from asterism.game.accounting import at_work, finished
from asterism.game.castable import payable
from asterism.game.creep import on_creep
from asterism.game.fields import fits, lay, run_fields
from asterism.game.geometry import length
from asterism.game.placement import clear_ground
from asterism.game.skipping import over_chunks, running, when
from asterism.game.spawning import spawn
from asterism.game.spellbook import AREA, CASTER, TARGET
from asterism.game.state import State, Units, by_player, give_orders, nearest, owners, pop_orders
from asterism.game.tables import load_economy
from asterism.game.targets import Fights
from asterism.game.tasks import Kind
from asterism.game.world import World, on_ground, order_task

REACH = 0.1
"""Cells beyond a spell's range from which it is still cast: where a caster comes to stand."""
TUMOR_WAIT = 304.0
"""Loops from its birth until a creep tumour can spread."""
APPROACHES = (Kind.CAST, Kind.LOAD, Kind.UNLOAD, Kind.BOARD, Kind.REPAIR, Kind.MERGE)
"""Tasks that `order_spells` gives, and on which units go to their target."""

ORDERED = (Kind.CAST, Kind.LOAD, Kind.UNLOAD, Kind.REPAIR, Kind.MERGE)
"""Tasks that `order_spells` looks after."""


class Casting(NamedTuple):
    """What each unit is about to cast. N units."""

    spell: Int[Array, " N"]
    """Index into the spell table, 0 for none."""
    instant: Bool[Array, " N"]
    """Beside its orders."""
    target: Int[Array, " N"]
    """Slot, or N plus resource; -1 for a place."""
    place: Float[Array, "N 2"]


def order_spells(world: World, state: State, command) -> tuple[State, Bool[Array, " N"]]:
    """Gives the casting units their order, or where a spell is instant has it cast this tick.

    Of several that could cast, the nearest does, unless the spell is each unit's own. Returns the state, and which
    units took the order.
    """
    if state.spells is None:
        return state, jnp.zeros(len(state.units.type), bool)
    units, table, count = state.units, world.magic.spells, len(state.units.type)
    task, player = command.task, owners(len(state.units.type))
    spell = jnp.where(world.tasks.kind[task] == Kind.CAST, world.tasks.spell[task], 0)
    target, place = command.target[player], command.place[player]
    place = jnp.where(table.aimed[spell][:, None] | (spell == 0)[:, None], place, units.position)
    own = (target >= 0) & (target < count) & (target // (count // 2) == player)
    able = payable(world, state, spell) & _about(world, state, spell, target)
    far = length(units.position - place) + jnp.where(units.order_action[:, 0] > 0, 1.0, 0.0)
    closest = nearest(by_player(jnp.where(able, far, jnp.inf)))
    chosen = (closest[:, None] == jnp.arange(count // 2)).reshape(-1) | table.every[spell]
    casts = able & chosen
    now = casts & table.transient[spell]
    at = jnp.where(world.units.flying[units.type][:, None], place, on_ground(world, place))
    spells = state.spells._replace(
        pending=jnp.where(now, spell, state.spells.pending),
        pending_target=jnp.where(now, target, state.spells.pending_target),
        pending_place=jnp.where(now[:, None], place, state.spells.pending_place),
    )
    moves = world.tasks.kind[task]
    others = (moves == Kind.LOAD) | (moves == Kind.UNLOAD) | (moves == Kind.REPAIR) | (moves == Kind.MERGE)
    others &= (moves == Kind.UNLOAD) | (moves == Kind.MERGE) | own
    # Structures do not go: who they are to load comes to them.
    still = world.units.speed[units.type] <= 0
    calls = (moves == Kind.LOAD) & still & others
    which = (casts & ~now) | (others & ~calls)
    place = jnp.where((moves == Kind.CAST)[:, None], place, at)
    units = give_orders(units, which, command.action[player], target, place, command.queued[player])
    called = jnp.zeros(count, bool).at[jnp.where(calls, target, count)].set(True, mode="drop")
    called &= (world.units.cargo[units.type] > 0) & ~at_work(world, units)
    caller = jnp.full(count, -1).at[jnp.where(calls, target, count)].max(jnp.arange(count), mode="drop")
    units = give_orders(units, called, command.action[player], caller, units.position[jnp.maximum(caller, 0)])
    return state._replace(units=units, spells=spells), casts | others


def is_beside(world: World, task: Int[Array, " N"]) -> Bool[Array, " N"]:
    """Tasks that cast a spell beside whatever their caster does."""
    if world.magic is None:
        return jnp.zeros(len(task), bool)
    return (world.tasks.kind[task] == Kind.CAST) & world.magic.spells.transient[world.tasks.spell[task]]


def smart(world: World, units: Units, at: Int[Array, " N"], action: Int[Array, " N"]) -> Int[Array, " N"]:
    """What Smart at own unit `at` (-1 for none) means, else `action`: get into a transport, repair what is damaged."""
    slot = jnp.maximum(at, 0)
    kind = units.type[slot]
    room = (
        (at >= 0) & (world.units.cargo_capacity[kind] > 0) & (world.units.cargo[units.type] > 0) & finished(units)[slot]
    )
    room &= ~world.units.townhall[kind] & (
        world.tasks.kind[world.task[world.magic.named["Load_unit"], units.type]] == Kind.BOARD
    )
    mends = (at >= 0) & (world.task[world.magic.named["Effect_Repair_unit"], units.type] > 0) & finished(units)[slot]
    mends &= (world.magic.repair_time[kind] > 0) & (units.health[slot] < world.units.health[kind])
    action = jnp.where(mends, world.magic.named["Effect_Repair_unit"], action)
    return jnp.where(room, world.magic.named["Load_unit"], action)


def _about(world: World, state: State, spell: Int[Array, " N"], target: Int[Array, " N"]) -> Bool[Array, " N"]:
    """Whether each unit's target is one that its spell can be about. A place always is."""
    count, kind = len(state.units.type), state.units.type
    slot = jnp.clip(target, 0, count - 1)
    is_unit = (target >= 0) & (target < count)
    own = slot // (count // 2) == owners(count)
    good = fits(world, spell, own, kind[slot]) & buffs.outside(world, state, kind > 0)[slot]
    asks = world.magic.spells.subject[spell] == TARGET
    return jnp.where(asks, is_unit & good & (slot != jnp.arange(count)), True)


def _wanted(world: World, state: State) -> Casting:
    units, spells = state.units, state.spells
    task = order_task(world, units)
    ordered = jnp.where(world.tasks.kind[task] == Kind.CAST, world.tasks.spell[task], 0)
    instant = spells.pending > 0
    either = lambda now, first: jnp.where(instant.reshape(-1, *([1] * (now.ndim - 1))), now, first)  # noqa: E731
    return Casting(
        spell=either(spells.pending, ordered),
        instant=instant,
        target=either(spells.pending_target, units.order_target[:, 0]),
        place=either(spells.pending_place, units.order_position[:, 0]),
    )


def _point(world: World, units: Units, target: Int[Array, " N"], place) -> tuple[Float[Array, "N 2"], Array]:
    """Where each target is now, and its radius."""
    count = len(units.type)
    slot = jnp.clip(target, 0, count - 1)
    is_unit = (target >= 0) & (target < count)
    return (
        jnp.where(is_unit[:, None], units.position[slot], place),
        jnp.where(is_unit, world.units.radius[units.type[slot]], 0.0),
    )


def _gap(world: World, units: Units, target: Int[Array, " N"], place) -> Float[Array, " N"]:
    """Cells from each unit's edge to its target's edge, or to a place."""
    point, radius = _point(world, units, target, place)
    own = jnp.where(target >= 0, world.units.radius[units.type], 0.0)
    return length(units.position - point) - radius - own


def approach(world: World, state: State, goal, stop, moves):
    """Where units go that cast, load, unload or repair: to their target, until it is within range.

    Takes and gives back what `movement.goals` found for all.
    """
    if state.spells is None:
        return goal, stop, moves
    units, magic = state.units, world.magic
    task = order_task(world, units)
    kind, spell, target = world.tasks.kind[task], world.tasks.spell[task], units.order_target[:, 0]
    which = jnp.isin(kind, jnp.array(APPROACHES)) & (units.type > 0) & (world.units.speed[units.type] > 0)
    point, radius = _point(world, units, target, units.order_position[:, 0])
    own = jnp.where(target >= 0, world.units.radius[units.type], 0.0)
    reach = jnp.where(kind == Kind.CAST, magic.spells.range[spell], 0.0)
    reach = jnp.where(kind == Kind.LOAD, magic.load_range[units.type], reach)
    # What shoots from where it stands has arrived once it is in range.
    near = length(units.position - point) <= radius + own + reach
    going = which & ~units.working & ~near
    return (
        jnp.where(which[:, None], point, goal),
        jnp.where(which, radius + own + reach - REACH / 2, stop),
        jnp.where(which, going, moves),
    )


def cast(world: World, state: State, dt: int) -> State:
    """One tick of all that spells do, but for what combat and movement ask of `buffs`."""
    spells, kind, named = state.spells, state.units.type, world.magic.named
    lasting = (spells.buffs > 0).any() | (spells.cooldown > 0).any()
    state = when(lasting, lambda state: buffs.wear_off(world, state, dt), state)
    casts = (_wanted(world, state).spell > 0) | (kind == named["LiberatorAG"])
    state = when(casts.any(), lambda state: _cast(world, state, dt), state)
    state = when((state.spells.fields.spell > 0).any(), lambda state: run_fields(world, state, dt), state)
    state = when((state.spells.bond > 0).any(), lambda state: _keep_up(world, state, dt), state)
    kind = state.units.type
    ends = (state.spells.life > 0) | (world.magic.trap[kind] > 0)
    state = when(ends.any(), lambda state: _count_life(world, state, dt), state)
    return when((world.magic.becomes[kind] > 0).any(), lambda state: _grow_up(world, state), state)


def _cast(world: World, state: State, dt: int) -> State:
    units, table, count = state.units, world.magic.spells, len(state.units.type)
    casting = _wanted(world, state)
    spell, target = casting.spell, casting.target
    slot = jnp.clip(target, 0, count - 1)
    able = payable(world, state, spell) & _about(world, state, spell, target)
    able &= ~table.stands_on_creep[spell] | on_creep(world, state, units.position)
    able &= ~table.on_creep[spell] | on_creep(world, state, casting.place)
    point, _ = _point(world, units, target, casting.place)
    point, clear = _sites(world, state, table.summon[spell], point)
    able &= clear
    near = _gap(world, units, target, casting.place) <= table.range[spell] + REACH
    near |= ~table.aimed[spell]
    ordered = (spell > 0) & ~casting.instant
    begins = ordered & able & near & ~units.working & (table.prep[spell] > 0)
    timer = jnp.where(begins, table.prep[spell], units.timer)
    preparing = ordered & (units.working | begins) & (table.prep[spell] > 0)
    timer = jnp.where(preparing, timer - dt, timer)
    shaken = preparing & table.shakes[spell] & (units.quiet <= dt) & ~begins
    ready = able & jnp.where(preparing, timer <= 0, near & ~(ordered & (table.prep[spell] > 0))) & ~shaken
    state = state._replace(units=units._replace(timer=timer, working=units.working | begins))
    state, paid = _use_up(world, state, ready, spell)
    area = paid & (table.subject[spell] == AREA)
    state, laid = lay(world, state, area, spell, target, point)
    fires = paid & (~area | laid)
    state = _charge(world, state, fires, spell)
    state = _act(world, state, fires, spell, slot, point)
    # An order that cannot be carried out is dropped, and what is done is done.
    waits = ordered & able & ~ready & ~shaken | (ordered & able & area & ~laid)
    over = ordered & (fires | ~waits)
    units = pop_orders(state.units, over)
    spells = state.spells._replace(pending=jnp.zeros_like(spell))
    state = state._replace(units=units, spells=spells)
    return _record(world, state, fires, spell)


def _sites(world: World, state: State, kind: Int[Array, " N"], place: Float[Array, "N 2"]):
    """Where on the grid a structure of each type would stand that a spell brings, and whether there is ground."""
    odd = (world.units.footprint[kind] % 2)[:, None] == 1
    site = jnp.where(odd, jnp.floor(place) + 0.5, jnp.round(place))
    clear = jax.vmap(lambda k, p, o: clear_ground(world, state, k, p[0], p[1], o))(kind, site, owners(len(kind)))
    structure = world.units.structure[kind] & (kind > 0)
    return jnp.where(structure[:, None], site, place), clear | ~structure


def _use_up(world: World, state: State, ready: Bool[Array, " N"], spell: Int[Array, " N"]) -> tuple[State, Array]:
    """Takes minerals, vespene and stored units for spells that cost them, one such spell a player and tick."""
    table, units, players = world.magic.spells, state.units, state.players
    dear = (table.minerals[spell] > 0) | (table.consumes[spell] > 0)
    first = by_player(ready & dear)
    first = (first & (running(first) == 1)).reshape(-1)
    player = owners(len(spell))
    minerals, vespene = table.minerals[spell], table.vespene[spell]
    affords = (minerals <= players.minerals[player]) & (vespene <= players.vespene[player])
    wanted = by_player(jnp.where(first, table.consumes[spell], 0)).max(1)
    stock = (units.type == wanted[player]) & (wanted[player] > 0) & finished(units)
    used = by_player(stock)
    used = (used & (running(used) == 1)).reshape(-1)
    has = (table.consumes[spell] == 0) | by_player(used).any(1)[player]
    pays = first & affords & has
    used &= by_player(pays).any(1)[player]
    spent = lambda cost: by_player(jnp.where(pays, cost, 0.0)).sum(1)  # noqa: E731
    players = players._replace(minerals=players.minerals - spent(minerals), vespene=players.vespene - spent(vespene))
    units = units._replace(health=jnp.where(used, 0.0, units.health))
    return state._replace(units=units, players=players), ready & (pays | ~dear)


def _charge(world: World, state: State, fires: Bool[Array, " N"], spell: Int[Array, " N"]) -> State:
    """Energy, health and cooldown that a spell costs its caster."""
    units, spells, table = state.units, state.spells, world.magic.spells
    paid = lambda field: jnp.where(fires, getattr(table, field)[spell], 0.0)  # noqa: E731
    slot = table.cooldown_slot[spell][:, None] == jnp.arange(spells.cooldown.shape[1])
    waits = (fires & (table.cooldown[spell] > 0))[:, None] & slot
    return state._replace(
        units=units._replace(
            energy=jnp.maximum(units.energy - paid("energy"), 0.0),
            health=jnp.where(fires & table.dies[spell], 0.0, units.health - paid("health")),
        ),
        spells=spells._replace(cooldown=jnp.where(waits, table.cooldown[spell][:, None], spells.cooldown)),
    )


def _act(world: World, state: State, fires: Bool[Array, " N"], spell, slot: Int[Array, " N"], point) -> State:
    """What a spell does at once to its caster or its target. `slot`: of the target."""
    units, spells, table, count = state.units, state.spells, world.magic.spells, len(state.units.type)
    at_target = fires & (table.subject[spell] == TARGET)
    on = jnp.where(at_target, slot, count)
    bonus = (world.units.attributes[units.type[slot]] & table.bonus_attribute[spell]) > 0
    damage = table.damage[spell] + jnp.where(bonus, table.bonus[spell], 0.0)
    damage = damage + table.per_energy[spell] * units.energy[slot]
    harm = at_target & ~buffs.untouchable(world, state)[slot]
    add = lambda values: jnp.zeros(count).at[on].add(values, mode="drop")  # noqa: E731
    drained = add(jnp.where(table.per_energy[spell] > 0, 1.0, 0.0)) > 0
    healed = jnp.minimum(
        units.health + add(table.heal[spell]), jnp.maximum(world.units.health[units.type], units.health)
    )
    units = units._replace(energy=jnp.where(drained, 0.0, units.energy), health=healed)
    units = buffs.hurt(units, add(jnp.where(harm, damage, 0.0)))
    units = _teleport(world, units, fires, spell, on, point)
    held = table.bond[spell] > 0
    each = jnp.arange(spells.buffs.shape[1])
    gives = lambda who, buff: (who & (buff >= 0))[:, None] & (buff[:, None] == each)  # noqa: E731
    lasting = jnp.where(gives(at_target & ~held, table.buff[spell]), table.buff_time[spell][:, None], 0.0)
    given = spells.buffs.at[on].max(lasting, mode="drop")
    itself = gives(fires & (table.subject[spell] == CASTER), table.buff[spell])
    given = jnp.maximum(given, jnp.where(itself, table.buff_time[spell][:, None], 0.0))
    lasts = jnp.maximum(table.life[spell], table.delay[spell])[:, None]
    given = jnp.maximum(given, jnp.where(gives(fires & ~held, table.caster_buff[spell]), lasts, 0.0))
    given = jnp.where(gives(fires, table.ends[spell]), 0.0, given)
    bonds = fires & held
    state = state._replace(
        units=units,
        spells=spells._replace(
            buffs=given,
            bond=jnp.where(bonds, spell, spells.bond),
            bond_target=jnp.where(bonds, jnp.where(at_target, slot, -1), spells.bond_target),
            bond_left=jnp.where(bonds, table.bond[spell], spells.bond_left),
        ),
    )
    return _salvage(world, _inject(world, state, at_target & table.injects[spell], slot), fires & table.salvages[spell])


def _teleport(world: World, units: Units, fires, spell, on, point) -> Units:
    """Blinks and jumps of casters, and targets that are pulled to them."""
    table, count = world.magic.spells, len(units.type)
    way = point - units.position
    far = jnp.maximum(length(way), 1e-3)
    place = units.position + way * jnp.minimum(1.0, table.reach[spell] / far)[:, None]
    place = jnp.where(world.units.flying[units.type][:, None], place, on_ground(world, place))
    blinks = fires & table.blinks[spell]
    position = jnp.where(blinks[:, None], place, units.position)
    pulls = fires & table.pulls[spell]
    beside = units.position + way / far[:, None] * (2 * world.units.radius[units.type])[:, None]
    beside = on_ground(world, beside)
    pulled = jnp.where(pulls, on, count)
    # One of several casters: the last slot, the same whichever player it is.
    puller = jnp.full(count, -1).at[pulled].max(jnp.arange(count), mode="drop")
    position = jnp.where((puller >= 0)[:, None], beside[jnp.maximum(puller, 0)], position)
    return units._replace(position=position)


def _inject(world: World, state: State, injects: Bool[Array, " N"], slot: Int[Array, " N"]) -> State:
    """Injections wait in the hatchery's line."""
    if state.zerg is None:
        return state
    count = len(slot)
    more = jnp.zeros(count, jnp.int32).at[jnp.where(injects, slot, count)].add(1, mode="drop")
    return state._replace(zerg=state.zerg._replace(injects=state.zerg.injects + more))


def _salvage(world: World, state: State, which: Bool[Array, " N"]) -> State:
    """Structures are taken apart for a share of what they cost."""
    units, players, share = state.units, state.players, load_economy().salvage_fraction
    back = lambda cost: by_player(jnp.where(which, cost[units.type], 0.0)).sum(1) * share  # noqa: E731
    players = players._replace(
        minerals=players.minerals + back(world.magic.minerals), vespene=players.vespene + back(world.magic.vespene)
    )
    return state._replace(units=units._replace(health=jnp.where(which, 0.0, units.health)), players=players)


def _record(world: World, state: State, fires: Bool[Array, " N"], spell: Int[Array, " N"]) -> State:
    """Notes the effects that each player has used (z). A Liberator's zone counts once it stands."""
    players, table = state.players, world.magic.spells
    effects = jnp.arange(players.executed.effects.shape[1])
    zone = (state.units.type == world.magic.named["LiberatorAG"]) & finished(state.units)
    number = jnp.where(fires, table.effect[spell], 0)
    number = jnp.where(zone & (number == 0), world.magic.named["LiberatorZone"], number)
    used = by_player((number[:, None] == effects) & (effects > 0)).any(1)
    return state._replace(
        players=players._replace(executed=players.executed._replace(effects=players.executed.effects | used))
    )


def _keep_up(world: World, state: State, dt: int) -> State:
    """Spells that last while their caster keeps them up: a lock, a beam, a parasite. They end with distance or death,
    and where the caster has to stand with its next order."""
    units, spells, table, count = state.units, state.spells, world.magic.spells, len(state.units.type)
    spell, at = spells.bond, jnp.maximum(spells.bond_target, 0)
    left = spells.bond_left - dt
    has_target = spells.bond_target >= 0
    there = ~has_target | buffs.outside(world, state, units.type > 0)[at]
    near = ~has_target | (_gap(world, units, spells.bond_target, units.position) <= table.break_range[spell])
    stays = ~table.roots[spell] | (units.order_action[:, 0] == 0)
    holds = (spell > 0) & (spells.bond_left > 0) & there & near & stays & buffs.able(world, state, units.type > 0)
    age = table.bond[spell] - spells.bond_left
    late = (table.later_buff[spell] >= 0) & (age >= table.later[spell])
    buff = jnp.where(late, table.later_buff[spell], table.buff[spell])
    each = jnp.arange(spells.buffs.shape[1])
    time = jnp.where(holds, jnp.minimum(spells.bond_left, dt), 0.0)
    lasting = jnp.where((buff[:, None] == each) & (buff >= 0)[:, None], time[:, None], 0.0)
    on = jnp.where(holds & has_target, at, count)
    given = spells.buffs.at[on].max(lasting, mode="drop")
    own = (table.caster_buff[spell][:, None] == each) & holds[:, None]
    given = jnp.maximum(given, jnp.where(own, time[:, None], 0.0))
    goes_on = holds & (left > 0)
    shade = (spell == 0) & has_target
    return state._replace(
        spells=spells._replace(
            buffs=given,
            bond=jnp.where(goes_on, spell, 0),
            bond_target=jnp.where(goes_on | shade, spells.bond_target, -1),
            bond_left=jnp.where(goes_on, left, 0.0),
        )
    )


def _count_life(world: World, state: State, dt: int) -> State:
    """Summoned units whose time is up are gone: an Adept takes the place of its shade, a nova bursts. Traps spring."""
    units, spells, magic, count = state.units, state.spells, world.magic, len(state.units.type)
    grown = units.build_left <= 0
    counts = (spells.life > 0) & (units.type > 0) & grown
    left = jnp.where(counts, spells.life - dt, spells.life)
    ends = counts & (left <= 0)
    adept = spells.bond_target
    arrives = ends & (units.type == magic.named["AdeptPhaseShift"]) & (adept >= 0)
    to = jnp.where(arrives, adept, count)
    moved = jnp.zeros(count, bool).at[to].set(True, mode="drop")
    place = jnp.zeros((count, 2)).at[to].set(units.position, mode="drop")
    sprung = _sprung(world, state, (magic.trap[units.type] > 0) & grown)
    spell = jnp.where(sprung, magic.trap[units.type], jnp.where(ends, magic.last_spell[units.type], 0))
    units = units._replace(
        health=jnp.where(ends | sprung, 0.0, units.health),
        shield=jnp.where(ends | sprung, 0.0, units.shield),
        position=jnp.where(moved[:, None], place, units.position),
    )
    state = state._replace(units=units, spells=spells._replace(life=jnp.where(ends, 0.0, left)))
    return lay(world, state, spell > 0, spell, jnp.full(count, -1), units.position)[0]


def _sprung(world: World, state: State, traps: Bool[Array, " N"]) -> Bool[Array, " N"]:
    """Traps with an enemy that walks near them."""
    units, own = state.units, by_player(state.units.position)
    walks = ~world.units.flying[units.type] & ~world.units.structure[units.type]
    walks &= buffs.outside(world, state, units.type > 0)
    prey, rows = by_player(walks)[::-1, None], jnp.arange(2)[:, None]

    def look(at, real, sprung):
        near = length(own[rows, at][:, :, None] - own[::-1, None]) <= world.magic.trap_radius
        return sprung.at[rows, at].max((near & prey).any(2) & real)

    traps = by_player(traps)
    return over_chunks(traps, look, jnp.zeros(traps.shape, bool)).reshape(-1)


def _grow_up(world: World, state: State) -> State:
    """Creep tumours burrow once they are built; their first cooldown runs from then."""
    units, to = state.units, world.magic.becomes[state.units.type]
    turns = finished(units) & (to > 0)
    cooldown = jnp.where(turns[:, None], TUMOR_WAIT, state.spells.cooldown)
    return state._replace(
        units=units._replace(type=jnp.where(turns, to, units.type)), spells=state.spells._replace(cooldown=cooldown)
    )


def after_fight(world: World, before: State, after: State, fights: Fights) -> State:
    """What a tick's attacks set off: what buffs of those attacked do, broodlings, charging Zealots, concussive slow."""
    if after.spells is None:
        return after
    harmed = (after.units.health != before.units.health) | (after.units.shield != before.units.shield)
    needed = ((fights.target >= 0) | harmed).any()
    return when(needed, lambda after: _after_fight(world, before, after, fights), after)


def _after_fight(world: World, before: State, after: State, fights: Fights) -> State:
    state = buffs.protect(world, before, after)
    units, spells, named, table = state.units, state.spells, world.magic.named, world.magic.spells
    count = len(units.type)
    target = jnp.maximum(fights.target, 0)
    fired = fights.in_range & (units.cooldown > before.units.cooldown)
    charge = world.magic.spell_index["Charge"]
    known = state.players.upgrades[owners(count)]
    gap = _gap(world, units, fights.target, units.position)
    wait = spells.cooldown[:, 0]
    charges = (units.type == named["Zealot"]) & fights.chases & known[:, named["Charge upgrade"]] & (wait <= 0)
    charges &= gap <= table.radius[charge]
    slows = fired & (units.type == named["Marauder"]) & known[:, named["PunisherGrenades upgrade"]]
    slowed = jnp.zeros(count, bool).at[jnp.where(slows, target, count)].set(True, mode="drop")
    slowed &= ~world.units.structure[units.type] & (units.type != named["Ultralisk"])
    given = spells.buffs.at[:, world.magic.buff_index["Charging"]].max(jnp.where(charges, table.buff_time[charge], 0.0))
    given = given.at[:, world.magic.buff_index["Slow"]].max(jnp.where(slowed, 24.0, 0.0))
    cooldown = spells.cooldown.at[:, 0].set(jnp.where(charges, table.cooldown[charge], wait))
    throws = fired & (units.type == named["BroodLord"])
    kind = jnp.full(count, named["Broodling"])
    place = on_ground(world, units.position[target])
    spawned, child = spawn(world, units, throws, kind, place, jnp.zeros(count))
    born = jnp.zeros(count, bool).at[jnp.where(child >= 0, child, count)].set(True, mode="drop")
    life = jnp.where(born, 80.0, spells.life)
    return state._replace(units=spawned, spells=spells._replace(buffs=given, cooldown=cooldown, life=life))
