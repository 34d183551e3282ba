"""Random games of the full rules: a batch of all match-ups, each step and each part of its ticks kept.

Three kinds of lanes: two random players; the image of each of those games, made anew before each step, in which the
players are swapped and do the image of what they did; and a random player against one who never does anything.
"""

from functools import partial
from itertools import combinations_with_replacement
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from asterism.game import buffs, commands
from asterism.game.game import fate, magic, making, mining, war
from asterism.game.observe import observe
from asterism.interface.observation import Race
from asterism.interface.spec import no_op, random_action

STEPS, LOOPS = 240, 8
FREE = list(combinations_with_replacement((Race.TERRAN, Race.ZERG, Race.PROTOSS), 2))
"""Races of the players of the free games; their images have the other match-ups."""
PAUSED = [(Race.ZERG, Race.TERRAN), (Race.PROTOSS, Race.ZERG), (Race.TERRAN, Race.PROTOSS)]
"""Of the games whose second player does nothing."""
LANES = [*FREE, *((b, a) for a, b in FREE), *PAUSED]
FIRST_IMAGE, FIRST_PAUSED = len(FREE), 2 * len(FREE)
IMAGES = slice(FIRST_IMAGE, FIRST_PAUSED)
LOPSIDED = (
    *("Build_TechLab_quick", "Build_Reactor_quick", "Land_pt"),
    *("Build_Barracks_pt", "Build_Factory_pt", "Build_Starport_pt"),
)
"""Actions that no free game has: an add-on stands to the right of its structure, whoever owns it."""
MONEY = 2500.0
"""Minerals and vespene of each player at the start: enough that everything gets made."""
PARTS = ("command", "war", "fate", "mining", "making", "magic")
WORKERS = 6
"""Of the twelve; the others make room for what `BASES` has."""

PLACES = ((28.5, 14.5), (28.5, 10.5), (36.5, 14.5), (36.5, 10.5))
BASES = {
    Race.TERRAN: (
        *("Barracks", "Factory", "EngineeringBay", "SupplyDepot"),
        *("BarracksTechLab", "Marine", "SiegeTank", "Medivac", "Ghost"),
    ),
    Race.ZERG: (
        *("SpawningPool", "RoachWarren", "HydraliskDen", "BanelingNest"),
        *("Overlord", "Overlord", "Queen", "Zergling", "Infestor"),
    ),
    Race.PROTOSS: (
        *("Gateway", "CyberneticsCore", "RoboticsFacility", "TwilightCouncil"),
        *("Pylon", "Zealot", "Sentry", "HighTemplar", "WarpPrism"),
    ),
}
"""What each player has beside its start: four structures at `PLACES`, one between them, and soldiers."""
REFINERIES = {Race.TERRAN: "Refinery", Race.ZERG: "Extractor", Race.PROTOSS: "Assimilator"}
QUEUES = {
    Race.TERRAN: ("Train_SCV_quick", 3),
    Race.ZERG: ("Train_Queen_quick", 2),
    Race.PROTOSS: ("Train_Probe_quick", 3),
}
"""What the town hall of each player has in its queue, paid for."""


class Books(NamedTuple):
    """What a part of a tick may change of what is worth something."""

    type: jax.Array
    health: jax.Array
    build_left: jax.Array
    orders: jax.Array
    laid: jax.Array
    working: jax.Array
    carrying: jax.Array
    load: jax.Array
    fake: jax.Array
    minerals: jax.Array
    vespene: jax.Array
    upgrades: jax.Array
    amounts: jax.Array


def books(world, state) -> Books:
    """The books of one game as they stand."""
    units, players = state.units, state.players
    fake = buffs.hallucinated(world, state)
    owned = (units.type, units.health, units.build_left, units.order_action, units.order_target[:, 0] >= 0)
    money = (players.minerals, players.vespene, players.upgrades, state.amounts)
    return Books(*owned, units.working, units.carrying, units.load, fake, *money)


PLACES_OF = ("position", "order_position", "pending_place", "place", "camera")
SLOTS_OF = ("aim", "order_target", "addon", "pending_target", "inside", "bond_target", "source", "target")


class Image:
    """Half a turn of the map with the players swapped: what becomes of slots, places, states and actions."""

    def __init__(self, world, size, slots, cells):
        self.size, self.slots, self.cells = size, slots, cells
        resources = np.array(world.terrain.resources)
        self.resource = jnp.asarray(np.abs(cells - resources[:, None] - resources).sum(-1).argmin(1))

    def slot(self, index):
        """Of slots, N plus resources, N + R plus snapshots; what is negative stays."""
        units, resources = 2 * self.slots, len(self.resource)
        at_resource = units + self.resource[jnp.clip(index - units, 0, resources - 1)]
        turned = jnp.where(index < units, (index + self.slots) % units, at_resource)
        return jnp.where((index < 0) | (index >= units + resources), index, turned)

    def fields(self, part, turn):
        """A named tuple of arrays, each turned along its first axis by `turn`, with the places and slots in it."""

        def field(name):
            value = getattr(part, name)
            if value is None:
                return None
            if hasattr(value, "_fields"):
                return self.fields(value, turn)
            value = self.slot(value) if name in SLOTS_OF else self.cells - value if name in PLACES_OF else value
            value = jnp.where(value < 0, value, self.cells - value) if name == "rally" else value
            return turn(value)

        return type(part)(*map(field, part._fields))

    def state(self, state):
        """The image of one game. What its players see is left to the next look."""
        halves = lambda values: jnp.roll(values, len(values) // 2, 0)  # noqa: E731
        ends = lambda values: values[::-1]  # noqa: E731
        turn = self.fields(state.turn, ends)._replace(selected=halves(state.turn.selected))
        players = self.fields(state.players, ends)
        mirror = lambda plane: plane[:, ::-1, ::-1]  # noqa: E731
        players = players._replace(
            explored=mirror(players.explored), creep=mirror(players.creep), amounts=players.amounts[:, self.resource]
        )
        return state._replace(
            units=self.fields(state.units, halves),
            zerg=self.fields(state.zerg, halves),
            spells=self.fields(state.spells, halves),
            players=players,
            snapshots=self.fields(state.snapshots, ends),
            turn=turn,
            z=self.fields(state.z, ends),
            amounts=state.amounts[self.resource],
            idle=state.idle[self.resource],
        )

    def action(self, before, after, action):
        """One player's action as the other player gives it in the image, by the entity lists of both."""
        same = (after == self.slot(before)[:, None]) & (before >= 0)[:, None]
        row = jnp.where(same.any(1), same.argmax(1), -1)
        chosen = jnp.where(action.units >= 0, row[action.units], -1)
        place = self.size.location**2 - 1 - action.location
        return action._replace(units=chosen, target_unit=row[action.target_unit], location=place)


class FullPlay:
    """The games, played once. `compiled`: the game of the scenarios."""

    def __init__(self, compiled):
        self.game, self.world, self.size = compiled.game, compiled.world, compiled.game.size
        self.kinds, self.slots = self.game.description.unit_index, self.game.settings.slots
        self.image = Image(self.world, self.size, self.slots, self.game.map.cells)
        geysers = np.array(self.world.terrain.resources)[np.array(self.world.terrain.is_geyser)]
        self.geyser = geysers[np.abs(geysers - np.array(self.world.terrain.starts[0])).sum(1).argmin()]
        self.lopsided = jnp.array([action.name in LOPSIDED for action in self.game.description.actions])
        keys = jax.random.split(jax.random.key(5), STEPS)
        self.first = self.start()
        _, played = jax.jit(lambda first, keys: jax.lax.scan(self.turn, first, keys))(self.first, keys)
        self.states, self.actions, self.books = jax.tree.map(np.asarray, played)

    def start(self):
        """Each lane's state at the start."""
        opening = jax.vmap(self.game.opening, in_axes=(0, None))
        states = jax.tree.map(np.array, jax.jit(opening)(jnp.array(LANES, jnp.int32), self.game.no_strategy()))
        for lane, races in enumerate(LANES):
            for player, race in enumerate(races):
                self.settle(jax.tree.map(lambda leaf, lane=lane: leaf[lane], states), player, race)
        states.players.minerals[:], states.players.vespene[:] = MONEY, MONEY
        return jax.tree.map(lambda leaf: jnp.asarray(leaf.copy()), states)

    def settle(self, state, player, race):
        """Puts what `BASES` has into one player's part of a state (views of NumPy arrays)."""
        units, table, cells = state.units, self.world.units, self.game.map.cells
        resources = np.array(self.world.terrain.resources)
        own = slice(player * self.slots, (player + 1) * self.slots)
        units.type[own][1 + WORKERS : 13] = 0
        units.order_action[own][1 + WORKERS : 13] = 0
        geyser = np.abs(resources - (np.subtract(cells, self.geyser) if player else self.geyser)).sum(1).argmin()
        units.order_target[own][WORKERS, 0] = 2 * self.slots + geyser
        action, count = QUEUES[race]
        units.order_action[own][0, :count] = self.game.description.action_index[action]
        soldiers = [(30.3 + 2 * i, 7.2) for i in range(4)]
        places = [self.geyser, *PLACES, (31, 14) if race is Race.TERRAN else (33, 12), *soldiers]
        for name, place in zip((REFINERIES[race], *BASES[race]), places, strict=True):
            slot = own.start + int(np.flatnonzero(units.type[own] == 0)[0])
            kind = self.kinds[name]
            units.type[slot] = kind
            units.position[slot] = np.subtract(cells, place) if player else place
            units.health[slot], units.shield[slot] = table.health[kind], table.shield[kind]
            units.energy[slot] = table.energy[kind]
            if name == "BarracksTechLab":
                units.addon[units.type == self.kinds["Barracks"]] = slot

    def turn(self, states, key):
        """One step of all games: the images become those of the free games, everybody looks and acts, a tick passes."""
        images = jax.vmap(self.image.state)(jax.tree.map(lambda leaf: leaf[:FIRST_IMAGE], states))
        states = jax.tree.map(lambda all_, own: all_.at[IMAGES].set(own), states, images)
        states, observation, _ = jax.vmap(lambda state: observe(self.world, state, self.game.description, self.size))(
            states
        )
        actions = self.act(key, states, observation)
        after, kept = jax.vmap(self.step)(states, actions)
        return after, (after, actions, kept)

    def act(self, key, states, observation):
        """The actions of all players of all games."""
        random = lambda key, seen: random_action(key, seen, self.game.description, self.size)  # noqa: E731
        keys = jax.random.split(key, (len(LANES), 2))
        actions = jax.vmap(jax.vmap(random))(keys, observation)
        actions = actions._replace(delay=actions.delay % 16)
        lopsided = self.lopsided[actions.action_type] & (jnp.arange(len(LANES)) < FIRST_PAUSED)[:, None]
        actions = actions._replace(action_type=jnp.where(lopsided, 0, actions.action_type))
        rows, free = states.turn.entities, jax.tree.map(lambda leaf: leaf[:FIRST_IMAGE], actions)
        turned = jax.vmap(jax.vmap(self.image.action))(rows[:FIRST_IMAGE], rows[IMAGES][:, ::-1], free)
        actions = jax.tree.map(lambda all_, own: all_.at[IMAGES].set(own[:, ::-1]), actions, turned)
        idle = no_op(self.size, 1)
        return jax.tree.map(lambda all_, none: all_.at[FIRST_PAUSED:, 1].set(none), actions, idle)

    def step(self, state, action):
        """`EmbeddedGame.step` of one tick without the look after it, and the books before and after each part."""
        game, acting = self.game, state.loop >= state.turn.next_loop
        before = books(self.world, state)
        state = commands.command_players(self.world, state, action, acting, game.settings, self.size, game.description)
        told = books(self.world, state)
        parts = [partial(part, self.world, dt=LOOPS) for part in (war, fate, mining, making, magic)]

        def part(state, i):
            state = jax.lax.switch(i, parts, state)
            return state, books(self.world, state)

        state, rest = jax.lax.scan(part, state, jnp.arange(len(parts)))
        kept = jax.tree.map(lambda a, b, c: jnp.concatenate([a[None], b[None], c]), before, told, rest)
        return state._replace(loop=state.loop + LOOPS), kept
