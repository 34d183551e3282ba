"""Structures and resources stop who walks: units go round them, and a wall keeps them out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from asterism.game import movement
from asterism.game.detours import no_routes
from asterism.game.game import EmbeddedGame
from asterism.game.map import Map
from asterism.game.modifiers import modifiers
from asterism.game.navigation import ground_distance
from asterism.game.settings import GameSettings
from asterism.game.targets import Fights
from asterism.game.world import make_terrain
from asterism.interface.sizes import interface_size

SIDE, SLOTS, TICK, TICKS = 48, 32, 8, 40
FIELD, GEYSER = np.array([[8.0, 40.5]]), np.array([[40.5, 40.5]])
OPEN = np.pad(np.ones((SIDE - 2, SIDE - 2), bool), 1)
SHAPES = {
    "one": [(24, 24)],
    "row": [(24, 16 + 2 * i) for i in range(8)],
    "L": [(24, 18 + 2 * i) for i in range(6)] + [(22 - 2 * i, 28) for i in range(4)],
    "U": [(26, 18 + 2 * i) for i in range(6)] + [(24 - 2 * i, y) for i in range(4) for y in (18, 28)],
}
"""Middles of supply depots, all of which are open to the left."""


@pytest.fixture(scope="module")
def compiled_yard(tmp_path_factory):
    yard = CompiledYard()
    with pytest.MonkeyPatch.context() as patch:  # tables of test maps do not stay in the user's cache folder
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield yard


class CompiledYard:
    """Movement alone, `TICKS` ticks of it, on ground of any shape."""

    def __init__(self):
        self.game = EmbeddedGame(GameSettings(rules="full", slots=SLOTS, blocking=True), interface_size("tiny"))
        self.world, self.index = self.game.world, self.game.description.unit_index
        shapes = jax.eval_shape(self.game.reset, jax.random.key(0), self.game.no_strategy())[0]
        state = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        none = jnp.full(2 * SLOTS, -1)
        self.empty = state._replace(
            units=state.units._replace(addon=none, rally=jnp.full((2 * SLOTS, 2), -1.0)),
            spells=state.spells._replace(inside=none),
            amounts=jnp.zeros(2),
            idle=jnp.zeros(2),
            routes=no_routes(2 * SLOTS, SIDE),
        )
        self.run = jax.jit(self._run)
        self.terrains = {}

    def _run(self, terrain, state):
        world, none = self.world._replace(terrain=terrain), jnp.full(2 * SLOTS, -1)
        peace = Fights(none, none * 0, *[none > 0] * 4)

        def tick(state, _):
            state = movement.move(world, state, modifiers(world, state), peace, none, TICK)
            return state._replace(loop=state.loop + TICK), (state.units.position, state.units.order_action[:, 0] > 0)

        return jax.lax.scan(tick, state, None, TICKS)

    def terrain(self, ground):
        """The ground as the game has it, with a mineral field and a geyser."""
        if ground.tobytes() in self.terrains:
            return self.terrains[ground.tobytes()]
        place, full = np.array([[1.5, 1.5], [SIDE - 1.5, SIDE - 1.5]]), np.ones(2)
        made = Map(
            "test", np.zeros(ground.shape), ground, ground, place, place[:, None], FIELD, GEYSER, full, full == 0
        )  # fmt: skip
        terrain = jax.tree.map(jnp.asarray, make_terrain(made, np.zeros((1, SIDE, SIDE), bool)))
        return self.terrains.setdefault(ground.tobytes(), terrain)


class Yard:
    """Units and structures on one piece of ground, at peace."""

    def __init__(self, compiled, ground=OPEN):
        self.compiled, self.ground = compiled, ground
        self.terrain = compiled.terrain(ground)
        self.state = jax.tree.map(np.array, compiled.empty)

    @property
    def units(self):
        return self.state.units

    def put(self, name, *place, player=0, goal=None, order="Move_pt", target=-1):
        mine = slice(player * SLOTS, (player + 1) * SLOTS)
        slot = mine.start + int(np.flatnonzero(self.units.type[mine] == 0)[0])
        kind = self.compiled.index[name]
        self.units.type[slot], self.units.position[slot] = kind, place
        self.units.health[slot] = self.compiled.world.units.health[kind]
        if goal is not None:
            self.send(slot, goal, order, target)
        return slot

    def send(self, slot, goal, order="Move_pt", target=-1):
        self.units.order_action[slot, 0] = self.compiled.game.description.action_index[order]
        self.units.order_target[slot, 0], self.units.order_position[slot, 0] = target, goal

    def walls(self, places, name="SupplyDepot", player=0):
        return [self.put(name, *place, player=player) for place in places]

    def free(self):
        """Cells that can be walked on."""
        table, free = self.compiled.world.units, self.ground.copy()
        for slot in np.flatnonzero(np.array(table.blocks)[self.units.type]):
            half = table.footprint[self.units.type[slot]] / 2
            (left, low), (right, high) = (np.rint(self.units.position[slot] + s * half).astype(int) for s in (-1, 1))
            free[low:high, left:right] = False
        resources = zip(np.concatenate([FIELD, GEYSER]), [(1, 0.5), (1.5, 1.5)], self.state.amounts, strict=True)
        for (x, y), (across, up), left in resources:
            free[int(y - up) : int(y + up), int(x - across) : int(x + across)] &= left == 0
        return free

    def play(self, rounds=1):
        """Positions [T, N, 2] after each tick, and who has an order then."""
        places, busy = [], []
        for _ in range(rounds):
            state = jax.tree.map(lambda leaf: jnp.asarray(leaf.copy()), self.state)
            state, (place, has) = self.compiled.run(self.terrain, state)
            self.state = jax.tree.map(np.array, state)
            places.append(place), busy.append(has)
        return np.concatenate(places), np.concatenate(busy)


def assert_nobody_went_through(free, places):
    """Everybody stands on free ground, and on the same side of every complete wall as before."""
    part = label(free)[0]
    cells = [np.floor(places + 1e-3 * np.array(offset)).astype(int) for offset in ((-1, -1), (-1, 1), (1, -1), (1, 1))]
    of = np.array([part[y, x] for x, y in (np.moveaxis(cell, -1, 0) for cell in cells)])  # either side of an edge
    assert (of.max(0) > 0).all(), places[of.max(0) == 0]
    assert (of == of[:, :1].max(0)).any(0).all()


def due(yard, slots, goals):
    """Ticks that the shortest way takes each unit; infinite where there is none."""
    free = yard.free()
    x, y = np.floor(yard.units.position[slots]).astype(int).T
    way = ground_distance(free, np.array(goals, float))[np.arange(len(slots)), y, x]
    return way / np.array(yard.compiled.world.units.speed)[yard.units.type[slots]] / TICK


def arrival(busy, slots):
    """Tick after which each unit has no order any more; infinite if it always has one."""
    return np.where(busy[-1, slots], np.inf, busy[:, slots].sum(0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("player", [0, 1])
def test_units_go_round_in_little_more_than_the_time_of_the_shortest_way(compiled_yard, shape, player):
    yard = Yard(compiled_yard)
    yard.walls(SHAPES[shape])
    starts = [(21.3, 23.2), (17.6, 24.7), (8.5, 21.5)]
    goals = [(29.5, 22.5), (33.5, 25.5), (40.5, 23.5)]
    slots = [yard.put("Marine", *s, player=player, goal=g) for s, g in zip(starts, goals, strict=True)]
    shortest = due(yard, slots, goals)
    places, busy = yard.play(2)
    assert_nobody_went_through(yard.free(), places[:, slots])
    took = arrival(busy, slots)
    assert (took <= 1.2 * shortest + 3).all(), (took, shortest)
    assert (took >= 0.9 * shortest - 2).all()


def scatter(yard, random, count):
    """Structures of all sizes, by twos and threes beside each other so that they make walls, pockets and gaps."""
    sizes = {"SensorTower": 1, "SupplyDepot": 2, "Barracks": 3, "CommandCenter": 5}
    taken, reach = ~yard.ground, 1 + np.argwhere(yard.ground).max()
    for number in range(count):
        name = random.choice(list(sizes), p=[0.2, 0.5, 0.2, 0.1])
        side = sizes[name]
        for _ in range(20):
            left, low = random.integers(1, reach - side, 2)
            beside = taken[low - 1 : low + side + 1, left - 1 : left + side + 1]
            if not taken[low : low + side, left : left + side].any() and (beside.any() or number % 3 == 0):
                taken[low : low + side, left : left + side] = True
                yard.put(name, left + side / 2, low + side / 2, player=number % 2)
                break


def cliffs(seed):
    """A small piece of ground with cliffs of all sizes."""
    random, ground = np.random.default_rng(seed), np.pad(np.ones((32, 32), bool), (1, SIDE - 33))
    for _ in range(8):
        (x, y), (w, h) = random.integers(0, 33, 2), random.integers(1, 9, 2)
        ground[y : y + h, x : x + w] = False
    parts, _ = label(ground)
    return parts == 1 + np.bincount(parts[parts > 0] - 1).argmax()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 2))
def test_everybody_with_a_way_to_its_goal_gets_there_and_nobody_goes_through_anything(compiled_yard, seed, number):
    random = np.random.default_rng(seed)
    yard = Yard(compiled_yard, cliffs(number))
    yard.state.amounts[:] = 1
    scatter(yard, random, 30)
    ys, xs = np.nonzero(yard.free())
    places = np.stack([xs, ys], 1)[random.integers(len(xs), size=(2, 24))] + random.uniform(0.05, 0.95, (2, 24, 2))
    kinds = random.choice(["Marine", "Zergling", "Roach", "SiegeTank"], 24)
    slots = [
        yard.put(kind, *start, player=i % 2, goal=goal)
        for i, (kind, start, goal) in enumerate(zip(kinds, *places, strict=True))
    ]
    shortest = due(yard, slots, places[1])
    track, busy = yard.play(3)
    assert_nobody_went_through(yard.free(), track[:, slots])
    took, reachable = arrival(busy, slots), np.isfinite(shortest)
    far = np.hypot(*(track[-1, slots] - places[1]).T)[reachable]
    # Others may stand there; and in a narrow way to it somebody may rest, whom one cannot pass.
    assert (far >= 4.5).sum() <= 1 and (far < 6.5).all(), (seed, np.array(slots)[reachable][far >= 4.5])
    assert (took <= 2 * shortest + 16)[reachable].all(), (seed, took, shortest)  # it learns of a wall when it sees it
    assert took[reachable].sum() <= 1.25 * shortest[reachable].sum() + 3 * reachable.sum()
    assert np.ptp(track[-8:, slots], axis=0).max() < 1.5  # everybody has come to rest
    assert np.isfinite(took[reachable]).all()


def wall(yard, x=24):
    """Depots from one side of the map to the other. Returns their slots from below."""
    return yard.walls([(x, 2 + 2 * i) for i in range(SIDE // 2 - 1)])


def test_a_wall_keeps_everybody_out_until_a_depot_is_lowered(compiled_yard):
    yard = Yard(compiled_yard)
    depots = wall(yard)
    goal = (36.5, 21.5)
    lings = [yard.put("Zergling", 10.5 + i % 3, 20.5 + i // 3, player=1, goal=goal) for i in range(9)]
    places, busy = yard.play()
    assert (places[:, lings, 0] < 23).all()
    assert not busy[-1, lings].any()  # they have given up
    assert np.ptp(places[-8:, lings], axis=0).max() < 0.2  # and stand
    assert (places[-1, lings, 0] > 19).all()
    for slot in lings:
        yard.send(slot, goal)
    yard.units.type[depots[9]] = compiled_yard.index["SupplyDepotLowered"]
    places, busy = yard.play()
    assert (places[-1, lings, 0] > 30).all()
    assert not busy[-1, lings].any()
    through = np.abs(places[:, lings, 0] - 24) < 1
    assert (np.abs(places[:, lings, 1] - 20)[through] <= 1).all()


def test_who_waits_before_a_wall_goes_on_once_it_is_open(compiled_yard):
    yard = Yard(compiled_yard)
    depots, goal = wall(yard), (36.5, 21.5)
    ling = yard.put("Zergling", 16.5, 30.5, goal=goal, order="Patrol_pt")
    places, _ = yard.play()
    assert (places[:, ling, 0] < 23).all()
    yard.units.type[depots[3]] = 0  # it has fallen
    places, _ = yard.play()
    assert (places[:, ling, 0] > 30).any()


def test_a_gap_of_one_cell_is_wide_enough(compiled_yard):
    yard = Yard(compiled_yard)
    yard.walls([(24, 2 + 2 * i) for i in range(10)] + [(24, 23 + 2 * i) for i in range(12)])
    slots = [yard.put("Zergling", 12.5 + i % 2, 30.5 + i // 2, goal=(36.5, 30.5)) for i in range(6)]
    places, busy = yard.play()
    assert (places[-1, slots, 0] > 30).all() and not busy[-1, slots].any()
    assert_nobody_went_through(yard.free(), places[:, slots])


def test_both_players_go_alike(compiled_yard):
    """A yard turned by half a turn with the players swapped: everybody goes the turned way."""
    random = np.random.default_rng(3)
    one, other = Yard(compiled_yard), Yard(compiled_yard)
    scatter(one, random, 44)
    ys, xs = np.nonzero(one.free())
    for i in range(20):
        start, goal = np.stack([xs, ys], 1)[random.integers(len(xs), size=2)] + random.uniform(0.1, 0.9, (2, 2))
        one.put("Zergling", *start, player=i % 2, goal=goal)
    swap = lambda leaf: np.concatenate(np.split(leaf, 2)[::-1])  # noqa: E731
    there = one.units.type > 0
    for name in ("type", "health", "order_action", "order_target", "position", "order_position"):
        getattr(other.units, name)[:] = swap(getattr(one.units, name))
    other.units.position[swap(there)] = SIDE - other.units.position[swap(there)]
    other.units.order_position[swap(there), 0] = SIDE - other.units.order_position[swap(there), 0]
    (places, busy), (turned, also) = one.play(), other.play()
    halves = lambda track: np.concatenate(np.split(track, 2, 1)[::-1], 1)[:, there]  # noqa: E731
    np.testing.assert_allclose(SIDE - halves(turned), places[:, there], atol=2e-3)
    np.testing.assert_array_equal(halves(also), busy[:, there])


def test_who_is_built_on_steps_out_on_the_nearest_side(compiled_yard):
    yard = Yard(compiled_yard)
    yard.put("CommandCenter", 20.5, 20.5)
    yard.walls([(24, 20), (24, 22)])
    near, beside, inner = (yard.put("Marine", *place) for place in [(20.2, 22.6), (22.8, 20.3), (18.4, 19.9)])
    flyer, lowered = yard.put("Medivac", 20.5, 20.0), yard.put("SupplyDepotLowered", 32, 32)
    guest = yard.put("Marine", 32.3, 32.2)
    places, _ = yard.play()
    assert_nobody_went_through(yard.free(), places[1:, [near, beside, inner]])
    np.testing.assert_allclose(places[0, near], (20.2, 23), atol=0.05)
    np.testing.assert_allclose(places[0, inner], (18, 19.9), atol=0.05)
    assert np.abs(places[0, beside] - (22.8, 20.3)).max() < 4
    for slot, place in ((flyer, (20.5, 20.0)), (lowered, (32, 32)), (guest, (32.3, 32.2))):
        np.testing.assert_allclose(places[-1, slot], place, atol=1e-5)


def test_workers_at_their_work_and_flyers_go_as_if_nothing_stood_there(compiled_yard):
    tracks = []
    for blocked in (False, True):
        yard = Yard(compiled_yard)
        gathers = yard.put("SCV", 20.5, 30.5, goal=FIELD[0], order="Harvest_Gather_unit", target=2 * SLOTS)
        builds = yard.put("SCV", 30.5, 8.5, goal=(12, 12), order="Build_SupplyDepot_pt")
        flies = yard.put("Mutalisk", 12.5, 30.5, player=1, goal=(36.5, 20.5))
        walks = yard.put("SCV", 20.5, 28.5, goal=(10.5, 36.5))
        if blocked:
            yard.state.amounts[:] = 1000
            yard.walls([(16, 26 + 2 * i) for i in range(8)] + [(22, 10), (22, 12), (26, 24), (24, 26)])
        tracks.append(yard.play()[0][:, [gathers, builds, flies, walks]])
    np.testing.assert_array_equal(tracks[0][:, :3], tracks[1][:, :3])
    assert np.abs(tracks[0][:, 3] - tracks[1][:, 3]).max() > 1  # the same worker on a walk goes round


def test_a_goal_in_a_structure_is_reached_at_its_edge(compiled_yard):
    yard = Yard(compiled_yard)
    yard.put("CommandCenter", 30.5, 20.5)
    slots = [yard.put("Marine", *place, goal=(30.5, 20.5)) for place in [(10.5, 12.5), (40.5, 40.5), (30.5, 30.5)]]
    places, busy = yard.play()
    assert not busy[-1, slots].any()
    gap = np.maximum(np.abs(places[-1, slots] - (30.5, 20.5)) - 2.5, 0)
    assert (np.hypot(*gap.T) < 1.1).all() and (gap.max(1) > 0).all()


@pytest.mark.parametrize("name, foe", [("Zergling", "Nexus"), ("Zealot", "Hatchery"), ("SCV", "Bunker")])
def test_melee_strikes_structures_from_the_edge_of_their_footprint(walled, name, foe):
    target = walled.put(foe, 30.5, 30.5, player=1)
    slots = [walled.put(name, 26.5, 26.5 + i) for i in range(3)]
    life = walled.units.health[target] + walled.units.shield[target]
    walled.order("Attack_unit", *slots, target=target).wait(25)
    assert walled.units.health[target] + walled.units.shield[target] < life - 40
    gap = np.maximum(
        np.abs(walled.units.position[slots] - (30.5, 30.5)) - walled.rules.units.footprint[walled.kinds[foe]] / 2, 0
    )
    assert (gap.max(1) > 0).all()


def test_an_attack_move_that_a_wall_stops_attacks_the_wall(walled):
    walls = [walled.put("SupplyDepot", 30, 2 + 2 * i, player=1) for i in range(28)]
    ling = walled.put("Zergling", 26.5, 26.5)
    walled.order("Attack_pt", ling, place=(40, 26)).wait(40)
    assert walled.units.position[ling, 0] < 29
    assert (walled.units.health[walls] < 400).any()


def test_bunkers_are_boarded_and_left_and_town_halls_repaired_from_outside(walled):
    bunker, hall = walled.put("Bunker", 30.5, 30.5), walled.put("CommandCenter", 22.5, 30.5, health=1000)
    marines = [walled.put("Marine", 30.5 + i, 24.5) for i in range(2)]
    worker = walled.put("SCV", 26.5, 24.5)
    walled.money(1000, 1000)
    walled.order("Smart_unit", *marines, target=bunker).order("Effect_Repair_unit", worker, target=hall)
    walled.until(lambda: (walled.state.spells.inside[marines] == bunker).all(), 60)
    walled.until(lambda: walled.units.health[hall] > 1010, 40)
    walled.order("UnloadAll_quick", bunker).wait(12)
    assert (walled.state.spells.inside[marines] < 0).all()
    assert (np.abs(walled.units.position[marines] - (30.5, 30.5)).max(1) > 1.5).all()


def test_what_is_trained_stands_outside(walled):
    barracks = walled.put("Barracks", 26.5, 26.5)
    walled.put("SupplyDepot", 40, 40)
    walled.money(50).order("Train_Marine_quick", barracks)
    walled.until(lambda: walled.count("Marine") == 1, 60)
    walled.wait(1)
    marine = int(np.flatnonzero(walled.units.type == walled.kinds["Marine"])[0])
    assert np.abs(walled.units.position[marine] - (26.5, 26.5)).max() > 1.5
