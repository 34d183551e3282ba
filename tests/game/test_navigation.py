"""Ways on random ground: walkable all along, short, alike for both players, and never a unit stuck."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, label

from asterism.errors import UserError
from asterism.game.game import initial_state
from asterism.game.map import SYMMETRIES, Map
from asterism.game.map_generator import generate_map
from asterism.game.movement import approach
from asterism.game.navigation import (
    LANDMARK_REACH,
    NEAR,
    VIEW,
    between,
    cached_paths,
    find_paths,
    ground_distance,
    next_corner,
)
from asterism.game.world import make_terrain

SIDE = 48
UNITS = 128


def noise(random):
    """Winding caves with many corners."""
    field = gaussian_filter(random.standard_normal((SIDE, SIDE)), random.uniform(0.6, 2.5))
    return field > np.quantile(field, random.uniform(0.2, 0.5))


def rooms(random):
    """Thin walls with narrow doors."""
    ground = np.ones((SIDE, SIDE), bool)
    for wall in random.integers(3, SIDE - 3, 8):
        grid = ground if random.random() < 0.5 else ground.T
        door = random.integers(1, SIDE - 4, 3)
        grid[wall] = False
        for start in door:
            grid[wall, start : start + random.integers(1, 4)] = True
    return ground


def blocks(random):
    """Open ground with cliffs of all sizes on it."""
    ground = np.ones((SIDE, SIDE), bool)
    for _ in range(25):
        (x, y), (w, h) = random.integers(0, SIDE, 2), random.integers(1, 12, 2)
        ground[y : y + h, x : x + w] = False
    return ground


def connected(ground):
    """The largest part of the ground."""
    ground = ground.copy()
    ground[[0, -1]] = ground[:, [0, -1]] = False
    parts, count = label(ground)
    if not count:
        ground[2:5, 2:5] = True
        return connected(ground)
    return parts == 1 + np.bincount(parts[parts > 0] - 1).argmax()


GROUNDS = {"noise": noise, "rooms": rooms, "blocks": blocks}
seeds = st.integers(0, 2**32 - 1)


def ground_map(pathable) -> Map:
    none, place = np.zeros((0, 2)), np.array([[1.5, 1.5], [2.5, 2.5]])
    return Map(
        "test", np.zeros(pathable.shape), pathable, pathable, place, place[:, None], none, none, np.zeros(0),
        np.zeros(0, bool),
    )  # fmt: skip


def places_on(pathable, random, count):
    ys, xs = np.nonzero(pathable)
    chosen = random.integers(len(xs), size=count)
    return np.stack([xs, ys], 1)[chosen] + random.uniform(0.01, 0.99, (count, 2))


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Tables of random maps do not stay in the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def walk(compiled):
    """Where units are after so many steps of a pace, from where to where, by the game's own functions."""
    game = compiled.game
    units = jax.eval_shape(
        lambda: (
            initial_state(
                compiled.world, game.description, game.settings, game.size, game.no_strategy(), jnp.ones(2, int)
            ).units
        )
    )
    units = jax.tree.map(lambda leaf: jnp.zeros((UNITS, *leaf.shape[1:]), leaf.dtype), units)
    units = units._replace(type=units.type + game.description.unit_index["Marine"])

    @jax.jit
    def walk(terrain, start, goal, pace, steps):
        world, stop = compiled.world._replace(terrain=terrain), jnp.zeros(UNITS)
        step = lambda _, place: approach(world, units._replace(position=place), goal, stop, pace)  # noqa: E731
        return jax.lax.fori_loop(0, steps, step, start)

    def run(game_map, start, goal, pace, steps):
        terrain = jax.tree.map(jnp.asarray, make_terrain(game_map, np.zeros((1, *game_map.pathable.shape), bool)))
        as_float = lambda values: jnp.asarray(values, jnp.float32)  # noqa: E731
        return np.asarray(walk(terrain, as_float(start), as_float(goal), as_float(pace), steps))

    return run


def assert_arrive(walk, game_map, random):
    """Units of all paces, at ticks of 1, 4 and 8 loops, are at their goals after the time that twice the way takes."""
    start, goal = (places_on(game_map.pathable, random, UNITS) for _ in range(2))
    cells = np.floor(start).astype(int)
    way = ground_distance(game_map.pathable, goal)[np.arange(UNITS), cells[:, 1], cells[:, 0]]
    assert np.isfinite(way).all()
    for tick in (1, 4, 8):
        pace = tick * random.uniform(0.1, 0.45, UNITS)
        steps = int((2 * way / np.minimum(pace, 1.0)).max()) + 40
        end = walk(game_map, start, goal, pace, steps)
        far = np.hypot(*(end - goal).T)
        worst = far.argmax()
        assert far[worst] < 0.1, (tick, pace[worst], start[worst], goal[worst], end[worst])


@pytest.mark.parametrize("kind", GROUNDS)
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_nobody_is_ever_stuck(walk, kind, seed):
    random = np.random.default_rng(seed)
    assert_arrive(walk, ground_map(connected(GROUNDS[kind](random))), random)


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_nobody_is_ever_stuck_on_a_generated_map(walk, seed):
    assert_arrive(walk, generate_map(seed, side=96), np.random.default_rng(seed))


def lookup(paths, side):
    paths = jax.tree.map(jnp.asarray, paths)
    return lambda here, goal: np.asarray(next_corner(paths, side, jnp.asarray(here), jnp.asarray(goal)))


@pytest.mark.parametrize("kind", GROUNDS)
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_the_straight_way_to_the_next_corner_is_free_from_anywhere_in_the_cell(kind, seed):
    random = np.random.default_rng(seed)
    pathable = connected(GROUNDS[kind](random))
    here, goal = (random.choice(np.flatnonzero(pathable), 2000) for _ in range(2))
    corner = lookup(find_paths(pathable), SIDE)(here, goal)
    anywhere = lambda cell: np.stack([cell % SIDE, cell // SIDE], 1) + random.uniform(0, 1, (len(cell), 2))  # noqa: E731
    start, end = anywhere(here), anywhere(corner)
    for share in np.linspace(0, 1, 100):
        x, y = np.floor(start + (end - start) * share).astype(int).T
        assert pathable[y, x].all()


@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_a_way_from_corner_to_corner_is_little_longer_than_the_shortest(seed):
    random = np.random.default_rng(seed)
    pathable = connected(blocks(random))
    here, goal = (random.choice(np.flatnonzero(pathable), 300) for _ in range(2))
    place = lambda cell: np.stack([cell % SIDE, cell // SIDE], 1) + 0.5  # noqa: E731
    shortest = ground_distance(pathable, place(goal))[np.arange(300), here // SIDE, here % SIDE]
    step, gone = lookup(find_paths(pathable), SIDE), np.zeros(300)
    for _ in range(200):
        corner = step(here, goal)
        gone, here = gone + np.hypot(*(place(corner) - place(here)).T), corner
    assert (here == goal).all()
    assert (gone <= shortest + 2 * LANDMARK_REACH).all()
    assert gone.sum() <= 1.05 * shortest.sum()


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_both_players_go_the_same_ways_on_a_symmetric_map(symmetry, seed):
    random, turn = np.random.default_rng(seed), SYMMETRIES[symmetry]
    half = noise(random)
    image = turn(np.arange(SIDE**2).reshape(SIDE, SIDE)).reshape(-1)
    step = lookup(find_paths(half | turn(half), image), SIDE)
    here, goal = random.integers(SIDE**2, size=(2, 3000))
    ground = lambda cell: step(cell, cell)  # noqa: E731
    axis = lambda cell: (image[cell] == cell) | (image[ground(cell)] == ground(cell))  # noqa: E731
    apart = ~axis(here) & ~axis(goal)  # what lies on the axis can go either way
    here, goal = here[apart], goal[apart]
    np.testing.assert_array_equal(step(image[here], image[goal]), image[step(here, goal)])


@settings(max_examples=100, deadline=None)
@given(dx=st.integers(-VIEW, VIEW), dy=st.integers(-VIEW, VIEW), seed=seeds)
def test_the_cells_between_are_those_that_a_straight_line_can_touch(dx, dy, seed):
    random = np.random.default_rng(seed)
    listed = {tuple(cell) for cell in between(dx, dy).tolist()}
    start, end = random.uniform(0, 1, (2, 400, 2))
    end = end + (dx, dy)
    touched = {
        tuple(np.floor(p).astype(int).tolist()) for s in np.linspace(0, 1, 60) for p in start + (end - start) * s
    }
    assert touched <= listed
    assert len(listed) <= 4 * (max(abs(dx), abs(dy)) + 1)


def test_an_island_leads_nowhere_and_a_goal_in_a_cliff_to_the_ground_beside_it():
    pathable = np.zeros((16, 16), bool)
    pathable[1:6, 1:6] = pathable[10:15, 10:15] = True
    step = lookup(find_paths(pathable), 16)
    here, there, cliff = np.array([2 * 16 + 2]), np.array([12 * 16 + 12]), np.array([2 * 16 + 6])
    assert step(here, there) == here
    assert step(here, cliff) == 2 * 16 + 5


def test_ground_that_there_is_none_of_or_too_much_is_refused():
    for pathable in (np.zeros((16, 16), bool), np.ones((272, 272), bool)):
        with pytest.raises(UserError, match="walkable cells"):
            find_paths(pathable)


def test_tables_are_kept_and_a_damaged_one_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    pathable = connected(blocks(np.random.default_rng(1)))
    first = cached_paths(pathable)
    (stored,) = (tmp_path / ".cache" / "asterism" / "maps").iterdir()
    stored.write_bytes(stored.read_bytes()[:500])
    for again in (cached_paths(pathable), cached_paths(pathable)):
        assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert stored.stat().st_size > 500


def test_tables_stay_small():
    pathable = generate_map(2, side=144).pathable
    tables = find_paths(pathable)
    cells = pathable.sum()
    assert sum(table.nbytes for table in tables) < 64 * 2**20
    assert tables.near.nbytes == 2 * cells * (2 * NEAR + 1) ** 2
    assert len(tables.far) < cells / 30
