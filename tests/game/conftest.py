"""Hand-made games: one compiled step for all scenarios, of 8 game loops, so that times can be told to the tick."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game import combat, movement, vitals
from asterism.game.damage import Blows, strike
from asterism.game.game import EmbeddedGame
from asterism.game.modifiers import modifiers
from asterism.game.observe import observe
from asterism.game.settings import GameSettings
from asterism.interface.action import Action
from asterism.interface.observation import EntityField, Race
from asterism.interface.sizes import InterfaceSize

SIZE = InterfaceSize("test", entities=192, map=16, location=64, selected=16)


class Compiled:
    """The game of the scenarios, compiled once a session."""

    def __init__(self, **settings):
        self.game = EmbeddedGame(GameSettings(**({"step": 8, "tick": 8} | settings)), SIZE)
        self.rules, self.world = self.game.rules, self.game.world
        self.step = jax.jit(self.game.step)
        self.look = jax.jit(lambda state: observe(self.world, state, self.game.description, SIZE))
        races = jnp.array([Race.named(race) for race in self.game.settings.races])
        state, _, _ = self.look(jax.jit(self.game.opening)(races, self.game.no_strategy()))
        self.start = jax.tree.map(np.array, state)


class Scenario:
    """One game whose state can be edited. Times are counted in steps of 8 game loops (one tick)."""

    def __init__(self, compiled: Compiled):
        self.compiled, self.game, self.rules = compiled, compiled.game, compiled.rules
        self.kinds = self.game.description.unit_index
        self.actions = self.game.description.action_index
        self.state = jax.tree.map(np.array, compiled.start)
        self.timestep = None

    @property
    def units(self):
        return self.state.units

    @property
    def slots(self):
        return len(self.units.type) // 2

    def clear(self, workers_only=True):
        """Takes away the workers, or everything."""
        worker = np.array(self.rules.units.worker)[self.units.type]
        self.units.type[worker if workers_only else slice(None)] = 0
        for name in ("order_action", "working", "carrying"):
            getattr(self.units, name)[self.units.type == 0] = 0
        return self

    def put(self, name, *place, player=0, health=None):
        """A new finished unit; returns its slot."""
        first = player * self.slots
        slot = first + int(np.flatnonzero(self.units.type[first : first + self.slots] == 0)[0])
        kind = self.kinds[name]
        self.units.type[slot], self.units.position[slot] = kind, place
        self.units.health[slot] = self.rules.units.health[kind] if health is None else health
        self.units.shield[slot], self.units.energy[slot] = (
            self.rules.units.shield[kind],
            self.rules.units.start_energy[kind],
        )
        for field, value in (
            ("build_left", 0),
            ("cooldown", 0),
            ("windup", 0),
            ("timer", 0),
            ("order_action", 0),
            ("order_target", -1),
        ):
            getattr(self.units, field)[slot] = value
        self.units.addon[slot] = -1
        if self.state.spells is not None:
            for field, value in (("buffs", 0), ("cooldown", 0), ("life", 0), ("inside", -1), ("bond", 0)):
                getattr(self.state.spells, field)[slot] = value
        return slot

    def learn(self, name, player=0):
        """An upgrade that the player has."""
        self.state.players.upgrades[player, self.game.description.upgrades.index(name)] = True
        return self

    def buff(self, slot, name):
        """Loops left of a unit's buff."""
        return float(self.state.spells.buffs[slot, self.game.world.magic.buff_index[name]])

    def with_addon(self, name, *place, player=0):
        """A structure with a tech lab; returns the structure's slot."""
        slot = self.put(name, *place, player=player)
        self.units.addon[slot] = self.put(name + "TechLab", place[0] + 2.5, place[1] - 0.5, player=player)
        return slot

    def money(self, minerals, vespene=0, player=0):
        self.state.players.minerals[player], self.state.players.vespene[player] = minerals, vespene
        return self

    def minerals(self, player=0):
        return float(self.state.players.minerals[player])

    def vespene(self, player=0):
        return float(self.state.players.vespene[player])

    def see(self):
        """Observes the edited state, without playing on."""
        state, observation, privileged = self.compiled.look(self.state)
        self.state = jax.tree.map(np.array, state)
        return observation, privileged

    def row(self, slot, player=0):
        """A unit's row in a player's entity list, by field; None if it is not listed."""
        entities = np.array(self.see()[0].entities[player])
        rows = np.flatnonzero(self.state.turn.entities[player] == slot)
        return dict(zip(EntityField, entities[rows[0]].tolist(), strict=True)) if len(rows) else None

    def action(self, name="no_op", units=(), target=None, place=(0, 0), queued=0, repeat=0, delay=0, player=0):
        """The action as an agent gives it; `units` and `target` are slots, a resource is -1 minus its index."""
        row = {int(slot): row for row, slot in enumerate(self.state.turn.entities[player]) if slot >= 0}
        chosen = np.full(SIZE.selected, -1, np.int32)
        chosen[: len(units)] = [row[u] for u in units]
        slot = None if target is None else target if target >= 0 else 2 * self.slots - 1 - target
        x, y = (int(np.floor(v)) for v in place)
        whole = np.int32
        parts = (
            self.actions[name],
            delay,
            queued,
            repeat,
            chosen,
            0 if slot is None else row[slot],
            y * SIZE.location + x,
        )
        return Action(*(part if isinstance(part, np.ndarray) else whole(part) for part in parts))

    def play(self, first=None, second=None):
        """One step with the actions of both players."""
        own = [first if first is not None else self.action(), second if second is not None else self.action()]
        action = jax.tree.map(lambda *parts: jnp.asarray(np.stack(parts)), *own)
        state, self.timestep = self.compiled.step(self.state, action)
        self.state = jax.tree.map(np.array, state)
        return self

    def order(self, name, *units, player=0, **parts):
        """Observes, gives one player's action and plays one step."""
        self.see()
        action = self.action(name, units, player=player, **parts)
        return self.play(None, action) if player else self.play(action)

    def wait(self, steps):
        for _ in range(steps):
            self.play()
        return self

    def until(self, done, most):
        """Steps played until `done()` holds, at most `most`."""
        for step in range(most):
            if done():
                return step
            self.play()
        assert done(), f"not after {most} steps"
        return most

    def count(self, name, player=0):
        first = player * self.slots
        return int((self.units.type[first : first + self.slots] == self.kinds[name]).sum())

    def first_order(self, slot):
        return self.game.description.actions[int(self.units.order_action[slot, 0])].name

    def orders(self, slot):
        return [self.game.description.actions[int(a)].name for a in self.units.order_action[slot] if a > 0]


@pytest.fixture(scope="session")
def compiled():
    return Compiled()


@pytest.fixture(scope="session")
def compiled_full():
    return Compiled(rules="full", races=("zerg", "protoss"), slots=32)


@pytest.fixture(scope="session")
def compiled_blocking():
    return Compiled(rules="full", races=("zerg", "protoss"), slots=32, blocking=True)


@pytest.fixture(scope="session")
def compiled_camera():
    """All limits at once, and times to the game loop."""
    limits = {"interface": "camera", "latency": 3, "hidden_race": 1.0, "mmr": (4000, 5200)}
    return Compiled(slots=20, step=4, tick=1, **limits)


def town_halls(compiled):
    """A game of all races in which each player has a town hall and nothing else."""
    scenario = Scenario(compiled).clear()
    larvae = ~scenario.rules.units.structure[scenario.units.type]
    scenario.units.type[larvae] = 0
    return scenario


@pytest.fixture
def arena(compiled_full):
    """Town halls of both players on ground where nothing blocks anybody."""
    return town_halls(compiled_full)


@pytest.fixture
def walled(compiled_blocking):
    """The same where structures stand in the way."""
    return town_halls(compiled_blocking)


@pytest.fixture
def view(compiled_camera):
    """Town halls of both players on a game with a camera, that of the first in the middle of the map."""
    game = Scenario(compiled_camera).clear()
    game.state.players.camera[0] = (32, 32)
    return game


@pytest.fixture
def scenario(compiled):
    """A game at its start."""
    return Scenario(compiled)


@pytest.fixture
def empty(compiled):
    """A game in which each player has a town hall and nothing else."""
    return Scenario(compiled).clear()


@pytest.fixture
def full(compiled_full):
    """A game of all races in which player 0 has a Hatchery, an Overlord and three larvae, player 1 a Nexus."""
    return Scenario(compiled_full).clear()


SLOTS = 8
"""Of each player on a battlefield."""


class Stages:
    """The stages of combat of the full rules, each compiled when it is first used."""

    def __init__(self):
        self.game = EmbeddedGame(GameSettings(rules="full"), SIZE)
        self.world, self.kinds = self.game.world, self.game.description.unit_index
        shapes = jax.eval_shape(self.game.reset, jax.random.key(0), self.game.no_strategy())[0]
        state = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        few = lambda tree: jax.tree.map(lambda leaf: leaf[: 2 * SLOTS], tree)  # noqa: E731
        units = few(state.units)._replace(
            addon=jnp.full(2 * SLOTS, -1), rally=jnp.full((2 * SLOTS, 2), -1.0), quiet=jnp.full(2 * SLOTS, 1e3)
        )
        turn = state.turn._replace(selected=units.working)
        self.empty = state._replace(units=units, zerg=few(state.zerg), spells=None, turn=turn, routes=None)
        self.modifiers = jax.jit(lambda state: modifiers(self.world, state))
        self.strike = jax.jit(lambda state, blows: strike(self.world, state, modifiers(self.world, state), blows))
        self.fight = jax.jit(lambda state, dt: combat.fight(self.world, state, modifiers(self.world, state), dt))
        self.battle = jax.jit(self._battle, static_argnums=1)

    def _battle(self, state, dt):
        mods = modifiers(self.world, state)
        state, fights = combat.fight(self.world, state, mods, dt)
        state = movement.move(self.world, state, mods, fights, jnp.full(2 * SLOTS, -1), dt)
        state = vitals.regenerate(self.world, state, mods, dt)
        return combat.bury(self.world, state)


class Battlefield:
    """Units of the full rules on open ground."""

    def __init__(self, stages: Stages):
        self.stages, self.world, self.kinds = stages, stages.world, stages.kinds
        self.state = jax.tree.map(np.array, stages.empty)

    @property
    def units(self):
        return self.state.units

    def put(self, name, *place, player=0, order="", target=-1, health=None):
        """A new unit; returns its slot."""
        mine = slice(player * SLOTS, (player + 1) * SLOTS)
        slot = mine.start + int(np.flatnonzero(self.units.type[mine] == 0)[0])
        kind, table = self.kinds[name], self.world.units
        self.units.type[slot], self.units.position[slot] = kind, place
        self.units.health[slot] = table.health[kind] if health is None else health
        self.units.shield[slot], self.units.energy[slot] = table.shield[kind], table.start_energy[kind]
        if order:
            self.units.order_action[slot, 0] = self.stages.game.description.action_index[order]
        self.units.order_target[slot, 0] = target
        return slot

    @property
    def frozen(self):
        """The state as it is now: a compiled stage may still be reading NumPy's own memory when a test writes to it."""
        return jax.tree.map(lambda leaf: jnp.asarray(leaf.copy()), self.state)

    def modifiers(self):
        return self.stages.modifiers(self.frozen)

    def know(self, *upgrades, player=0):
        known = self.stages.game.description.upgrades
        self.state.players.upgrades[player, [known.index(name) for name in upgrades]] = True

    def strike(self, attacker, target):
        """Lets one attack fall; returns what each unit has lost in health and shields together."""
        units, weapons = self.units, self.world.units.weapons
        count = len(units.type)
        row = np.zeros(count, np.int32)
        row[attacker] = weapons.of[units.type[attacker], weapons.target_class[units.type[target]]]
        blows = Blows(*map(jnp.asarray, (np.full(count, target), row, np.float32(np.arange(count) == attacker))))
        after = self.stages.strike(self.frozen, blows)
        return np.array(units.health - after.health + units.shield - after.shield)

    def fight(self, loops=1):
        """Combat alone for one tick."""
        state, fights = self.stages.fight(self.frozen, loops)
        self.state = jax.tree.map(np.array, state)
        return jax.tree.map(np.array, fights)

    def battle(self, ticks, dt=8):
        """A game in which nothing is made."""
        state = self.frozen
        for _ in range(ticks):
            state = self.stages.battle(state, dt)
        self.state = jax.tree.map(np.array, state)


@pytest.fixture(scope="session")
def stages():
    return Stages()


@pytest.fixture
def field(stages):
    return Battlefield(stages)
