"""The state of one game. N = 2 x slots units (player 0's first), Q orders each, R resources (fields, then geysers)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt8

from asterism.game.skipping import when
from asterism.interface.observation import Strategy

Loops = int | Int[Array, ""]
"""Game loops that pass at once: those of a tick, or as many as it takes until something happens."""


class Units(NamedTuple):
    """Units and structures; a slot of type 0 is empty. Times in game loops, places in cells."""

    type: Int[Array, " N"]
    position: Float[Array, "N 2"]
    health: Float[Array, " N"]
    shield: Float[Array, " N"]
    energy: Float[Array, " N"]
    quiet: Float[Array, " N"]
    """Since it was last damaged."""
    build_left: Float[Array, " N"]
    """Construction still to be done; 0 for a finished unit."""
    cooldown: Float[Array, " N"]
    """Until the next attack can begin."""
    windup: Float[Array, " N"]
    """Until the attack that has begun hits; 0 for none."""
    aim: Int[Array, " N"]
    """Slot of what that attack is aimed at."""
    order_action: Int[Array, "N Q"]
    """Action index; 0 is no order, and none follows it."""
    order_target: Int[Array, "N Q"]
    """Slot of a unit, or N plus a resource; -1 is none."""
    order_position: Float[Array, "N Q 2"]
    working: Bool[Array, " N"]
    """The first order's work (training, research, mining) has begun and `timer` loops of it are left."""
    timer: Float[Array, " N"]
    """Of a mining worker that does not work: minus the loops since it arrived where it works or hands over next."""
    carrying: Int[Array, " N"]
    """0 nothing, 1 minerals, 2 vespene."""
    load: Float[Array, " N"]
    """How much of it."""
    addon: Int[Array, " N"]
    """Slot of the add-on, -1 for none."""
    rally: Float[Array, "N 2"]
    """Where trained units go, or the other end of a patrol; negative for nowhere."""
    seeking: Bool[Array, " N"]
    """A worker without a field, to be sent to one."""


class Zerg(NamedTuple):
    """What only games with Zerg know of each unit."""

    larva_left: Float[Array, " N"]
    """Of a hatchery: until its next larva."""
    inject_left: Float[Array, " N"]
    """Of a hatchery: until the larvae that a queen has injected hatch; 0 for none."""
    injects: Int[Array, " N"]
    """Of a hatchery: injections that wait for the first to be over."""
    injected: Int[Array, " N"]
    """Of a hatchery: injected larvae that have yet to come out, one a tick."""
    creep: Float[Array, " N"]
    """Of a source of creep: cells that its creep reaches so far."""


class Fields(NamedTuple):
    """What spells have left on the ground, each player's in its own half of G slots."""

    spell: Int[Array, " G"]
    """Index into the spell table; 0 is an empty slot."""
    place: Float[Array, "G 2"]
    delay: Float[Array, " G"]
    """Until it strikes; negative once it has."""
    left: Float[Array, " G"]
    """Of its duration."""
    source: Int[Array, " G"]
    """Slot of its caster."""
    target: Int[Array, " G"]
    """Slot, or N plus resource; -1 for none."""
    count: Int[Array, " G"]
    """Units that it has yet to bring."""


class Spells(NamedTuple):
    """What only games with spells know of each unit. Times in game loops."""

    buffs: Float[Array, "N B"]
    """Loops left of each buff."""
    cooldown: Float[Array, "N C"]
    """Until each spell with a cooldown can be cast again."""
    pending: Int[Array, " N"]
    """Spell that is cast this tick beside the unit's orders, 0 for none."""
    pending_target: Int[Array, " N"]
    pending_place: Float[Array, "N 2"]
    life: Float[Array, " N"]
    """Until a summoned unit is gone; 0 for one that stays."""
    inside: Int[Array, " N"]
    """Slot of the transport that the unit is in, -1 for none."""
    bond: Int[Array, " N"]
    """Spell that the unit keeps up, 0 for none."""
    bond_target: Int[Array, " N"]
    """Slot that it keeps it up on, or of a shade the slot of its Adept; -1 for none."""
    bond_left: Float[Array, " N"]
    barrier: Float[Array, " N"]
    """Damage that the unit's barrier still absorbs."""
    fields: Fields


class Snapshots(NamedTuple):
    """The enemy's structures as each player last saw them, by the slots (P a player) that they had then.

    It outlives its structure: whoever is in the slot now may be another.
    """

    type: Int[Array, "2 P"]
    """0 for none."""
    position: Float[Array, "2 P 2"]
    health: Float[Array, "2 P"]
    shield: Float[Array, "2 P"]
    build_left: Float[Array, "2 P"]
    hidden: Bool[Array, "2 P"]
    """The structure was not seen when its player last looked."""


class Routes(NamedTuple):
    """Ways round structures to as many as eight goals a player, each a bit, in the frame of the player (`obstacles`).

    P cells of the map with a border of one.
    """

    goal: Float[Array, "2 8 2"]
    """Negative for none."""
    age: Int[Array, "2 8"]
    """Ticks since it was asked for."""
    open: Bool[Array, " P"]
    """Cells that could be walked on a tick ago."""
    front: UInt8[Array, "2 P"]
    """Cells that are farthest from their goal of those found so far."""
    reached: UInt8[Array, "2 P"]
    """Cells found so far."""
    known: UInt8[Array, "2 P"]
    """Cells for which there is a direction, if only from before the ground has changed."""
    direction: UInt8[Array, "3 2 P"]
    """Which of `DIRECTIONS` (`detours`) to go from each cell: the three bits of its number."""
    follows: Bool[Array, " N"]
    """Units that go by the route to their goal."""


class Players(NamedTuple):
    """What each of the two players has and has done."""

    race: Int[Array, " 2"]
    """`Race`."""
    minerals: Float[Array, " 2"]
    vespene: Float[Array, " 2"]
    upgrades: Bool[Array, "2 K"]
    executed: Strategy
    executed_count: Int[Array, " 2"]
    """Entries of `executed.build_order` in use."""
    camera: Float[Array, "2 2"]
    explored: Bool[Array, "2 H H"]
    creep: Bool[Array, "2 H H"]
    """As each player last saw it."""
    amounts: Float[Array, "2 R"]
    """What is left in each resource, as each player last saw it."""
    knows_race: Bool[Array, " 2"]
    """Whether each player knows the enemy's race."""
    enemy_upgrades: Bool[Array, "2 K"]
    """The enemy's upgrades that each player has seen on units."""
    homeless: Float[Array, " 2"]
    """Game loops since each player last had a town hall."""
    vision: Bool[Array, " 2"]
    """It sees the whole map: a cheat, but what is cloaked takes a detector still."""
    income: Float[Array, " 2"]
    """Its workers bring back so many times what they take: 1, or more as a cheat."""


class Pace(NamedTuple):
    """How often each player has acted of late. L: actions that the rate limit allows in a window."""

    loops: Int[Array, "2 L"]
    """Game loops of the last actions that counted, the oldest first."""
    last: Int[Array, "2 D"]
    """The last action, all its parts but the delay: an equal one is a duplicate, which does not count."""


class Turn(NamedTuple):
    """What each player saw and did last, needed to read the next action."""

    entities: Int[Array, "2 E"]
    """Slot, N plus resource, or N + R plus snapshot, of each row of the entity list; -1 for none."""
    next_loop: Int[Array, " 2"]
    """Game loop at which the player's next observation is due."""
    action_type: Int[Array, " 2"]
    delay: Int[Array, " 2"]
    queued: Int[Array, " 2"]
    repeat: Int[Array, " 2"]
    selected: Bool[Array, " N"]
    target: Int[Array, " 2"]
    """As in `entities`; -1 for none."""
    available: Bool[Array, "2 A"]
    """Actions that each player could take when it last looked."""
    result: Int[Array, " 2"]
    """`ActionResult` of the last action, or of what came of it since."""
    looked: Int[Array, " 2"]
    """Game loop of the observation on which each player last acted."""
    pace: Pace | None
    """None where no player could act more often than the rate limit allows."""


class State(NamedTuple):
    """One game."""

    loop: Int[Array, ""]
    units: Units
    amounts: Float[Array, " R"]
    """What is left in each resource."""
    idle: Float[Array, " R"]
    """Loops since a worker last left each resource."""
    players: Players
    turn: Turn
    z: Strategy
    """[2, ...]: what the players are asked to follow."""
    zerg: Zerg | None
    """None where the rules have no Zerg."""
    spells: Spells | None = None
    """None where the rules have no spells."""
    snapshots: Snapshots | None = None
    """None where the rules let structures be forgotten."""
    routes: Routes | None = None
    """None where structures block nobody."""


def owners(count: int) -> Int[Array, " N"]:
    """Player of each of `count` slots."""
    return jnp.arange(count) // (count // 2)


def by_player(values: Array) -> Array:
    """[N, ...] -> [2, slots, ...]."""
    return values.reshape(2, -1, *values.shape[1:])


def nearest(score: Float[Array, "*b"], axis: int = -1) -> Int[Array, "*c"]:
    """Index of the smallest entry along an axis, the first of equals.

    XLA's CPU code for this is faster than for argmin, and fastest along an axis that is not the last.
    """
    count = score.shape[axis]
    index = jnp.arange(count).reshape([-1 if a == axis % score.ndim else 1 for a in range(score.ndim)])
    smallest = score.min(axis, keepdims=True)
    return jnp.minimum(jnp.where(score == smallest, index, count).min(axis), count - 1)


def pop_orders(units: Units, which: Bool[Array, " N"]) -> Units:
    """Drops the first order of the units in `which`; the next moves up."""

    def shift(orders, empty):
        moved = jnp.concatenate([orders[:, 1:], jnp.full_like(orders[:, :1], empty)], 1)
        return jnp.where(which.reshape(-1, *([1] * (orders.ndim - 1))), moved, orders)

    def drop(units):
        return units._replace(
            order_action=shift(units.order_action, 0),
            order_target=shift(units.order_target, -1),
            order_position=shift(units.order_position, 0.0),
            working=units.working & ~which,
        )

    return when(which.any(), drop, units)


def give_orders(units: Units, which: Bool[Array, " N"], action, target, position, queued=False) -> Units:
    """Gives the units in `which` an order: in place of all that they have, or where `queued` behind them.

    A full queue stays as it is. `action`, `target`, `position` and `queued` are one for all, or one a unit.
    """
    return when(which.any(), lambda units: _give_orders(units, which, action, target, position, queued), units)


def _give_orders(units: Units, which: Bool[Array, " N"], action, target, position, queued) -> Units:
    count, depth = units.order_action.shape
    each = lambda value: jnp.broadcast_to(jnp.asarray(value).reshape(-1, 1), (count, depth))  # noqa: E731
    fresh = which & ~jnp.broadcast_to(queued, count)
    length = jnp.where(fresh, 0, (units.order_action > 0).sum(1))
    place = jnp.arange(depth)
    slot = which[:, None] & (place == length[:, None])
    cleared = fresh[:, None] & (place > 0)
    where = jnp.broadcast_to(position, (count, 2))[:, None]
    return units._replace(
        order_action=jnp.where(slot, each(action), jnp.where(cleared, 0, units.order_action)),
        order_target=jnp.where(slot, each(target), jnp.where(cleared, -1, units.order_target)),
        order_position=jnp.where(slot[..., None], where, units.order_position),
        working=units.working & ~fresh,
        timer=jnp.where(fresh, 0.0, units.timer),
        rally=jnp.where(fresh[:, None], -1.0, units.rally),
        seeking=units.seeking & ~which,
    )
