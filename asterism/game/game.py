"""The embedded game: `reset` and `step`, pure and unbatched, for two players."""

from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.errors import UserError
from asterism.game import (
    buffs,
    cargo,
    casting,
    combat,
    commands,
    construction,
    creep,
    detours,
    economy,
    fog,
    landing,
    larvae,
    limits,
    mending,
    modifiers,
    movement,
    production,
    sight,
    vitals,
)
from asterism.game.geometry import length
from asterism.game.maps import load_map
from asterism.game.observe import observe
from asterism.game.rules import Rules, load_rules
from asterism.game.settings import GameSettings
from asterism.game.skipping import one_by_one
from asterism.game.spawning import UNHARMED
from asterism.game.state import Players, State, Turn, Units, by_player, give_orders, owners
from asterism.game.world import World, make_world
from asterism.interface.action import Action, ActionResult
from asterism.interface.description import GameDescription, TimeStep
from asterism.interface.observation import Race, Strategy
from asterism.interface.sizes import InterfaceSize, interface_size


class EmbeddedGame:
    """StarCraft II's rules in JAX (`asterism.interface.description.Game`).

    Both methods are pure functions of their arguments and can be jitted and vmapped.
    """

    def __init__(self, settings: GameSettings | None = None, size: InterfaceSize | None = None):
        self.settings = settings or GameSettings()
        self.size = size or interface_size("tiny")
        self.map = load_map(self.settings.map)
        self.rules: Rules = load_rules(self.settings.rules, self.map.cells)
        _check_races(self.rules, self.settings)

    @cached_property
    def description(self) -> GameDescription:
        """What agents know of this game."""
        game = self.rules.description
        return limits.seen_through_camera(game) if self.settings.interface == "camera" else game

    @cached_property
    def world(self) -> World:
        """The constants that a step reads."""
        with jax.ensure_compile_time_eval():
            return make_world(self.rules, self.map, self.settings)

    def no_strategy(self) -> Strategy:
        """z for two players who are free to play as they like."""
        game, size = self.description, self.size
        return Strategy(
            build_order=jnp.zeros((2, size.build_order), jnp.int16),
            build_order_location=jnp.zeros((2, size.build_order), jnp.int32),
            units=jnp.zeros((2, len(game.unit_types)), bool),
            effects=jnp.zeros((2, len(game.effects)), bool),
            upgrades=jnp.zeros((2, len(game.upgrades)), bool),
        )

    def reset(self, key: PRNGKeyArray, z: Strategy, races: Int[Array, " 2"] | None = None) -> tuple[State, TimeStep]:
        """A new game, of the given races (`Race`) or of those of the settings. `key` draws the races that are random,
        and who is told the enemy's; there is no other chance."""
        races = self.draw_races(key) if races is None else races
        return self.start(races, z, told=draw_told(key, self.settings.hidden_race))

    def draw_races(self, key: PRNGKeyArray) -> Int[Array, " 2"]:
        """`Race` of each player; one that is "random" in the settings is drawn."""
        return draw_races(key, self.settings.races)

    def start(
        self,
        races: Int[Array, " 2"],
        z: Strategy,
        vision: Bool[Array, " 2"] | None = None,
        income: Float[Array, " 2"] | None = None,
        told: Bool[Array, " 2"] | None = None,
    ) -> tuple[State, TimeStep]:
        """A new game of the given races (`Race`) and cheats (`Players`), whatever the settings say. `told`: who knows
        the enemy's race; both."""
        state = self.opening(races, z)
        given = {"vision": vision, "income": income, "knows_race": told}
        players = state.players._replace(**{name: value for name, value in given.items() if value is not None})
        return self._look(state._replace(players=players), jnp.zeros(2), jnp.zeros((), bool))

    def opening(self, races: Int[Array, " 2"], z: Strategy) -> State:
        """The state with which a game of the given races begins, before anybody looks at it."""
        state = initial_state(self.world, self.description, self.settings, self.size, z, races)
        return spread_workers(self.world, state)

    def step(self, state: State, action: Action) -> tuple[State, TimeStep]:
        """Applies the actions of the players whose turn it is, then plays `settings.step` game loops."""
        return one_by_one(self._step)(state, action)

    def _step(self, state: State, action: Action) -> tuple[State, TimeStep]:
        acting, before, wait = state.loop >= state.turn.next_loop, state, self.settings.latency_ticks
        shared = (self.settings, self.size, self.description)

        def command(state: State) -> State:
            return commands.command_players(
                self.world, state, action, acting, *shared, decided=before if wait else None
            )

        def turn(index: Int[Array, ""], state: State) -> State:
            now = partial(tick, self.world, dt=self.settings.tick)
            return jax.lax.cond(index == wait, command, now, state) if wait else now(state)

        state = state if wait else command(state)
        ticks = self.settings.step // self.settings.tick + (wait > 0)
        state = jax.lax.fori_loop(0, ticks, turn, state)
        reward, done = result(self.world, state, self.settings.time_limit)
        return self._look(state, reward, done)

    def _look(self, state: State, reward, done) -> tuple[State, TimeStep]:
        state, observation, privileged = observe(self.world, state, self.description, self.size)
        acting = state.loop >= state.turn.next_loop
        return state, TimeStep(observation, privileged, reward, done, acting, state.turn.result)


def tick(world: World, state: State, dt: int) -> State:
    """`dt` game loops: combat and movement; what mends, and deaths; mining; building, production; spells; sight."""
    for part in (war, fate, mining, making, *([magic] if world.magic is not None else [])):
        state = part(world, state, dt)
    return state._replace(loop=state.loop + dt)


def war(world: World, state: State, dt: int) -> State:
    """Attacks and movement."""
    before, hall, mods = state, economy.nearest_townhall(world, state.units), modifiers.modifiers(world, state)
    state, fights = combat.fight(world, state, mods, dt)
    state = casting.after_fight(world, before, state, fights)
    return movement.move(world, state, mods, fights, hall, dt)


def fate(world: World, state: State, dt: int) -> State:
    """Health, shields and energy that come and go by themselves, and deaths."""
    state = vitals.regenerate(world, state, modifiers.modifiers(world, state), dt)
    return combat.bury(world, cargo.ride(world, state))


def mining(world: World, state: State, dt: int) -> State:
    """Workers at their fields and town halls."""
    return economy.mine(world, state, economy.nearest_townhall(world, state.units), dt)


def making(world: World, state: State, dt: int) -> State:
    """Larvae, creep, construction, production and research."""
    before = state
    state = larvae.grow_larvae(world, state, dt)
    state = creep.spread_creep(world, state, dt)
    state = construction.place_structures(world, state)
    state = landing.land(world, state)
    state = production.order_warp_gates(world, state)
    state = production.begin_work(world, state)
    state = construction.construct(world, state, dt)
    state = production.finish_work(world, state, dt)
    state = modifiers.raise_health(world, before, state)
    return sight.count_homeless(world, state, dt)


def magic(world: World, state: State, dt: int) -> State:
    """Spells, effects on the ground, transports, repair and healing."""
    return mending.mend(world, cargo.carry(world, casting.cast(world, state, dt), dt), dt)


def result(world: World, state: State, time_limit: int) -> tuple[Float[Array, " 2"], Bool[Array, ""]]:
    """Reward and end: a player without structures has lost; a tie when both are, or at the time limit."""
    standing = by_player((state.units.type > 0) & world.units.structure[state.units.type]).any(1)
    reward = jnp.where(standing.all(), 0.0, standing.astype(jnp.float32) - standing[::-1].astype(jnp.float32))
    return reward, ~standing.all() | (state.loop >= time_limit)


def draw_races(key: PRNGKeyArray, races: tuple[str, str]) -> Int[Array, " 2"]:
    """`Race` of each player; one that is "random" is drawn."""
    drawn = jax.random.randint(key, (2,), Race.TERRAN, Race.PROTOSS + 1)
    fixed = jnp.array([0 if race == "random" else Race.named(race) for race in races])
    return jnp.where(fixed > 0, fixed, drawn)


def draw_told(key: PRNGKeyArray, hidden: float) -> Bool[Array, " 2"]:
    """Which players are told the enemy's race; each is not in a share `hidden` of games."""
    return jax.random.uniform(jax.random.fold_in(key, 1), (2,)) >= hidden


def _check_races(rules: Rules, settings: GameSettings) -> None:
    names = [KITS[Race.named(race)][0] for race in settings.races if race != "random"]
    names += [kit[0] for kit in KITS.values()] if "random" in settings.races else []
    if not set(names) <= rules.description.unit_index.keys():
        raise UserError(f"game setting rules is {settings.rules}, which has Terrans only: other races need rules full")


KITS = {
    Race.TERRAN: ("CommandCenter", "SCV"),
    Race.ZERG: ("Hatchery", "Drone", "Overlord", "Larva", "Larva", "Larva"),
    Race.PROTOSS: ("Nexus", "Probe"),
}
"""What each race starts with: its town hall, its workers' type, and what is beside them."""


def starting_types(world: World, game: GameDescription, slots: int) -> Int[Array, "4 slots"]:
    """Type of each slot of a player at the start, by `Race`."""
    table = np.zeros((4, slots), np.int32)
    for race, (hall, worker, *others) in KITS.items():
        names = [hall, *[worker] * int(world.economics.start_workers), *others]
        if hall in game.unit_index:
            table[race, : len(names)] = [game.unit_index[name] for name in names]
    return jnp.asarray(table)


def starting_places(world: World, kind: Int[Array, " N"]) -> Float[Array, "N 2"]:
    """Where the starting units stand: workers in a row beside the town hall, towards the middle of the map, larvae on
    another side; the other player's are the image of those."""
    count = len(kind)
    within, workers = jnp.arange(count) % (count // 2), world.economics.start_workers
    side = jnp.where(owners(count) == 0, 1.0, -1.0)[:, None]
    row = jnp.stack([jnp.full(count, 3.2), (within - (workers + 1) / 2) * 0.5], 1) * side
    larva = larvae.larva_offset(count) + side * (within - workers - 3.0)[:, None] * jnp.array([0.5, 0.0])
    offset = jnp.where((kind == world.larva)[:, None], larva, row)
    return world.terrain.starts[owners(count)] + jnp.where((within > 0)[:, None], offset, 0.0)


def initial_state(
    world: World,
    game: GameDescription,
    settings: GameSettings,
    size: InterfaceSize,
    z: Strategy,
    races: Int[Array, " 2"],
) -> State:
    """A town hall and its workers for each player."""
    slots, queue, count = settings.slots, settings.queue, 2 * settings.slots
    kind = starting_types(world, game, slots)[races].reshape(-1)
    units = Units(
        type=kind,
        position=starting_places(world, kind),
        health=world.units.health[kind],
        shield=world.units.shield[kind],
        energy=world.units.start_energy[kind],
        quiet=jnp.full(count, UNHARMED),
        build_left=jnp.zeros(count),
        cooldown=jnp.zeros(count),
        windup=jnp.zeros(count),
        aim=jnp.full(count, -1),
        order_action=jnp.zeros((count, queue), jnp.int32),
        order_target=jnp.full((count, queue), -1),
        order_position=jnp.zeros((count, queue, 2)),
        working=jnp.zeros(count, bool),
        timer=jnp.zeros(count),
        carrying=jnp.zeros(count, jnp.int32),
        load=jnp.zeros(count),
        addon=jnp.full(count, -1),
        rally=jnp.full((count, 2), -1.0),
        seeking=jnp.zeros(count, bool),
    )
    players = Players(
        race=races,
        minerals=jnp.full(2, world.economics.start_minerals),
        vespene=jnp.zeros(2),
        upgrades=jnp.zeros((2, len(game.upgrades)), bool),
        executed=jax.tree.map(jnp.zeros_like, z),
        executed_count=jnp.zeros(2, jnp.int32),
        camera=world.terrain.starts,
        explored=jnp.zeros((2, size.map, size.map), bool),
        creep=jnp.zeros((2, size.map, size.map), bool),
        amounts=jnp.broadcast_to(world.terrain.contents, (2, len(world.terrain.contents))),
        knows_race=jnp.ones(2, bool),
        enemy_upgrades=jnp.zeros((2, len(game.upgrades)), bool),
        homeless=jnp.zeros(2),
        vision=jnp.array(settings.vision),
        income=jnp.array(settings.income, jnp.float32),
    )
    zero = jnp.zeros(2, jnp.int32)
    turn = Turn(
        entities=jnp.full((2, size.entities), -1),
        next_loop=zero,
        action_type=zero,
        delay=zero,
        queued=zero,
        repeat=zero,
        selected=jnp.zeros(count, bool),
        target=zero - 1,
        available=jnp.zeros((2, len(game.actions)), bool),
        result=zero + ActionResult.SUCCESS,
        looked=zero,
        pace=limits.no_pace(settings, size),
    )
    amounts = world.terrain.contents
    zerg = None if world.larva < 0 else larvae.no_zerg(count)
    if zerg is not None:  # the first hatcheries lie on full creep
        zerg = zerg._replace(creep=world.units.creep_radius[kind])
    spells = None if world.magic is None else buffs.no_spells(world, count)
    snapshots = None if world.magic is None else fog.no_snapshots(slots)
    routes = detours.no_routes(count, world.terrain.level.shape[1]) if settings.blocking else None
    rest = jnp.zeros_like(amounts)
    return State(jnp.zeros((), jnp.int32), units, amounts, rest, players, turn, z, zerg, spells, snapshots, routes)


def spread_workers(world: World, state: State) -> State:
    """Sends the first workers to the fields of their base in turn, as players split them."""
    count = len(state.units.type)
    within = jnp.arange(count) % (count // 2)
    distance = length(world.terrain.resources - world.terrain.starts[:, None])
    distance = jnp.where(world.terrain.is_geyser, jnp.inf, distance)
    fields = jnp.argsort(distance, axis=1)[:, :8]
    chosen = fields[owners(count), within % 8] + count
    worker = world.units.worker[state.units.type]
    gather = world.unit_action["Harvest_Gather_unit"]
    return state._replace(
        units=give_orders(state.units, worker, gather, chosen, world.terrain.resources[chosen - count])
    )
