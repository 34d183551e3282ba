"""Makes what real players made: the orders of a record are imposed, what comes of them is the game's own.

Imposed are a tape (`tapes`), who carries out its orders (`recorded_orders`), and money that suffices. Requirements,
supply, build times and larvae are the game's. Places are not checked: the ground of most recorded maps is not known.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from asterism.game import combat, construction, larvae, production
from asterism.game.accounting import finished, supply
from asterism.game.cancelling import cancel_work
from asterism.game.game import EmbeddedGame, initial_state
from asterism.game.settings import GameSettings
from asterism.game.state import Loops, State, by_player
from asterism.game.tasks import TIMED, Kind
from asterism.game.world import World, is_kind
from asterism.runtime.productions import ROWS, GameProduction
from asterism.runtime.recorded_orders import Given, Order, Verdict, give, nothing_given
from asterism.runtime.tapes import NEVER, Tape

CELLS = 256
"""Side of the ground."""
SPARE = 60
"""Slots for what nobody ordered: larvae, and the units at the start."""
PLENTY = 1e6


class Played(NamedTuple):
    """What came of it."""

    slot: Int[Array, "2 I"]
    """Of whom was told, then of what it is at; -1 for nobody yet."""
    begun: Int[Array, "2 I"]
    """NEVER if it did not begin, or the loop; so for `done`."""
    done: Int[Array, "2 I"]
    verdict: Int[Array, "2 I"]
    """`Verdict`."""
    help: Int[Array, "2 I"]
    """`Help`."""
    supply: Float[Array, "T 2 2"]
    """Used and made of each player at each sample."""


class Progress(NamedTuple):
    """A game under way."""

    state: State
    item: Int[Array, " 2"]
    """The next of each player."""
    played: Played


def production_game(games: list[GameProduction], loops: int) -> EmbeddedGame:
    """A game with all rules and room for whatever one of these players makes in as many loops."""
    count = lambda item: ROWS[item.kind].count if item.kind in ROWS else 0  # noqa: E731
    most = max(sum(count(i) for i in player.items if i.start < loops) for game in games for player in game.players)
    return EmbeddedGame(GameSettings(rules="full", slots=-(-(most + SPARE) // 16) * 16, tick=1, step=1, queue=2))


def open_world(world: World) -> World:
    """Level ground on which everything may stand, in each other's place too, with creep and power wherever asked."""
    units, terrain = world.units, world.terrain
    none, ground = jnp.zeros(len(units.health), bool), jnp.ones((CELLS, CELLS), bool)
    return world._replace(
        units=units._replace(
            refinery=none,
            needs_power=none,
            needs_creep=none,
            blocked_by_creep=none,
            power_radius=jnp.where(units.power_radius > 0, 2.0 * CELLS, 0.0),
        ),
        terrain=terrain._replace(
            level=jnp.zeros((CELLS, CELLS), jnp.int32),
            pathable=ground,
            buildable=ground,
            placeable=jnp.ones((len(terrain.placeable), CELLS, CELLS), bool),
        ),
        rectangle=jnp.zeros_like(world.rectangle),
    )


def producer(game: EmbeddedGame, loops: int) -> Callable[[Tape], Played]:
    """A function of one of the tapes: what comes of it in as many loops. For several use `jax.lax.map`: their next
    events do not come at the same time."""
    base = open_world(game.world)

    def one(tape: Tape) -> Played:
        world = base._replace(terrain=base.terrain._replace(starts=tape.starts))
        state = initial_state(world, game.description, game.settings, game.size, game.no_strategy(), tape.races)
        none = jnp.full(tape.task.shape, -1)
        zero = jnp.zeros_like(none)
        nothing = Played(none, zero + NEVER, zero + NEVER, zero, zero, jnp.zeros((len(tape.samples), 2, 2)))
        first = Progress(state._replace(spells=None, snapshots=None), jnp.zeros(2, jnp.int32), nothing)
        cancel = game.description.action_index["Cancel_quick"]
        body = lambda progress: advance(world, tape, loops, cancel, progress)  # noqa: E731
        return jax.lax.while_loop(lambda progress: progress.state.loop < loops, body, first).played

    return one


def advance(world: World, tape: Tape, loops: int, cancel: int, progress: Progress) -> Progress:
    """The next order of each player that is due now, or else the time until something happens."""
    state, item, played = progress
    rows, here = jnp.arange(2), jnp.minimum(item, tape.task.shape[1] - 1)
    loop = state.loop
    purse = jnp.full(2, PLENTY)
    state = state._replace(
        players=state.players._replace(minerals=purse, vespene=purse, upgrades=tape.known <= loop),
    )
    state, played = call_off(world, tape, cancel, state, played)
    due = (item < tape.task.shape[1]) & (tape.start[rows, here] <= loop)
    order = Order(due, jnp.where(due, tape.task[rows, here], 0), tape.place[rows, here], tape.avoid[rows, here])
    before = state.units.type
    idle = lambda: (state, nothing_given())  # noqa: E731
    state, given = jax.lax.cond(due.any(), lambda: give(world, state, order), idle)
    item = item + due
    dt = jnp.where(due.any(), 0, until_next(world, state, tape, item, loops))
    played = look(world, state, tape, played, dt)
    state = stages(world, state, dt)
    played = note(world, state, order, given, before, here, played)
    state, played = follow(world, tape, state, played, loop, dt)
    return Progress(state._replace(loop=loop + dt), item, played)


def until_next(world: World, state: State, tape: Tape, item: Int[Array, " 2"], loops: int) -> Int[Array, ""]:
    """Loops until the next order, the end of a work, or a larva; at most until the end of the game."""
    units, loop = state.units, state.loop
    kind = world.tasks.kind[world.task[units.order_action[:, 0], units.type]]
    busy = finished(units) & units.working
    left = jnp.stack([
        jnp.where(busy & is_kind(kind, *TIMED), units.timer, jnp.inf),
        jnp.where(units.type > 0, units.build_left, jnp.inf),
        units.cooldown,
        jnp.where(finished(units) & world.units.larva_home[units.type], state.zerg.larva_left, jnp.inf),
        jnp.where(finished(units) & (kind == Kind.TRAIN) & ~units.working, 1.0, jnp.inf),
    ])  # fmt: skip
    soonest = jnp.where(left > 0, left, jnp.inf).min()
    events = jnp.concatenate([tape.start.reshape(-1), tape.over.reshape(-1), tape.known.reshape(-1)]) - loop
    soonest = jnp.minimum(soonest, jnp.where(events > 0, events, NEVER).min())
    return jnp.clip(soonest, 1, loops - loop).astype(jnp.int32)


def stages(world: World, state: State, dt: Loops) -> State:
    """The stages of a tick that production needs."""
    state = larvae.grow_larvae(world, state, dt)
    state = construction.place_structures(world, state)
    state = production.begin_work(world, state)
    state = construction.construct(world, state, dt)
    state = production.finish_work(world, state, dt)
    units = state.units
    return state._replace(units=units._replace(cooldown=jnp.maximum(units.cooldown - dt, 0.0)))


def call_off(world: World, tape: Tape, cancel: int, state: State, played: Played) -> tuple[State, Played]:
    """What is called off now goes, by the game's own rules."""
    count = len(state.units.type)
    over = (played.slot >= 0) & (played.begun < NEVER) & (played.done == NEVER) & (tape.over <= state.loop)
    which = jnp.zeros(count, bool).at[jnp.where(over, played.slot, count)].set(True, mode="drop")

    def cancelled() -> State:
        told = jnp.where(which, world.task[cancel, state.units.type], 0)
        return combat.bury(world, cancel_work(world, state, told)[0])

    state = jax.lax.cond(over.any(), cancelled, lambda: state)
    return state, played._replace(slot=jnp.where(over, -1, played.slot))


def look(world: World, state: State, tape: Tape, played: Played, dt: Int[Array, ""]) -> Played:
    """The supply at the samples that the next `dt` loops pass."""
    passed = (tape.samples > state.loop) & (tape.samples <= state.loop + dt)
    now = jnp.stack(supply(world, state))
    return played._replace(supply=jnp.where(passed[:, None, None], now, played.supply))


def note(
    world: World,
    state: State,
    order: Order,
    given: Given,
    before: Int[Array, " N"],
    here: Int[Array, " 2"],
    played: Played,
) -> Played:
    """Writes down what the stages have made of the orders, each at its place `here`. `before`: types before them."""
    kind, product = world.tasks.kind[order.task], world.tasks.product[order.task]
    rows, count = jnp.arange(2), len(before)
    new = by_player(state.units.type != before) & (by_player(state.units.type) == product[:, None])
    placed = is_kind(kind, Kind.BUILD, Kind.ADDON, Kind.WARP)
    slot = jnp.where(placed, new.argmax(1) + rows * (count // 2), given.slot)
    begins = jnp.where(placed, new.any(1), (kind != Kind.MORPH) | state.units.working[given.slot])
    verdict = jnp.where(begins, Verdict.TAKEN, Verdict.GROUND)
    verdict = jnp.where(given.verdict == Verdict.OPEN, verdict, given.verdict)
    at = jnp.where(order.due, here, played.slot.shape[1])
    slot = jnp.where((verdict == Verdict.TAKEN) & (kind != Kind.RESEARCH), slot, -1)
    return played._replace(
        slot=played.slot.at[rows, at].set(slot, mode="drop"),
        verdict=played.verdict.at[rows, at].set(verdict, mode="drop"),
        help=played.help.at[rows, at].set(given.help, mode="drop"),
    )


def follow(world: World, tape: Tape, state: State, played: Played, loop, dt) -> tuple[State, Played]:
    """Which items have begun since `loop` and are done `dt` later; who imposes its end gets what is left until then."""
    units, tasks, count = state.units, world.tasks, len(state.units.type)
    kind, at = tasks.kind[tape.task], jnp.clip(played.slot, 0, count - 1)
    placed = is_kind(kind, Kind.BUILD, Kind.ADDON, Kind.WARP)
    ordered = units.order_action[at, 0] == tasks.action[tape.task]
    at_work = units.working[at] & ordered
    begins = (played.slot >= 0) & (played.begun == NEVER) & (placed | (at_work & (units.order_action[at, 1] == 0)))
    begun = jnp.where(begins, loop, played.begun)
    left = jnp.maximum(tape.due - loop - dt, 1).astype(jnp.float32)
    to = jnp.where(begins & (tape.due >= 0), at, count)
    units = units._replace(
        build_left=units.build_left.at[jnp.where(placed, to, count)].set(left, mode="drop"),
        timer=units.timer.at[jnp.where(placed, count, to)].set(left, mode="drop"),
    )
    is_product = units.type[at] == tasks.product[tape.task]
    ends = jnp.where(
        placed, is_product & (units.build_left[at] <= 0), jnp.where(kind == Kind.TRAIN, ~at_work, is_product)
    )
    ends &= (played.slot >= 0) & (begun < NEVER) & (played.done == NEVER)
    return state._replace(units=units), played._replace(begun=begun, done=jnp.where(ends, loop + dt, played.done))
