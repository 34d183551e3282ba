"""Built-in and generated maps are fair, whole, and have room for what belongs on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.errors import UserError
from asterism.game.map import MULTIPLE, SYMMETRIES, Map, free_ground, hall_places, order_bases
from asterism.game.map_generator import BASES, generate_map
from asterism.game.maps import MAPS, load_map
from asterism.game.navigation import ground_distance
from asterism.game.planes import plane_share


def assert_sound(game_map: Map):
    """What holds for every map, whoever made it."""
    cells, halls = game_map.cells, game_map.bases.reshape(-1, 2)
    assert cells % MULTIPLE == 0 and game_map.height.shape == game_map.pathable.shape == (cells, cells)
    assert not (game_map.buildable & ~game_map.pathable).any()
    assert np.isfinite(ground_distance(game_map.pathable, game_map.starts)[:, game_map.pathable]).all()
    free = hall_places(game_map.buildable, game_map.minerals, game_map.geysers)
    assert free[halls[:, 1].astype(int), halls[:, 0].astype(int)].all()
    assert (game_map.bases[:, 0] == game_map.starts).all()
    assert len(game_map.contents) == len(game_map.rich) == len(game_map.minerals) + len(game_map.geysers)
    taken = (
        game_map.buildable.sum()
        - free_ground(game_map.buildable, game_map.minerals, game_map.geysers, townhall=False).sum()
    )
    assert taken == 2 * len(game_map.minerals) + 9 * len(game_map.geysers)  # all on ground, none on another
    level = np.round(game_map.height[game_map.buildable], 6)
    assert (level == np.round(level)).all()  # only ramps lie between levels


def assert_ramps_rise_little_by_little(game_map: Map):
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        height, ground = (np.roll(grid, shift, (0, 1)) for grid in (game_map.height, game_map.pathable))
        assert np.abs(height - game_map.height)[ground & game_map.pathable].max() <= 0.5


def assert_fair(game_map: Map):
    """One player's half is the image of the other's under half a turn."""
    turn = SYMMETRIES[game_map.symmetry]
    assert game_map.symmetry == "half turn"
    for grid in (game_map.height, game_map.pathable, game_map.buildable):
        np.testing.assert_array_equal(turn(grid), grid)
    np.testing.assert_array_equal(game_map.cells - game_map.starts[0], game_map.starts[1])
    np.testing.assert_array_equal(game_map.cells - game_map.bases[0], game_map.bases[1])
    kinds = np.r_[np.zeros(len(game_map.minerals)), np.ones(len(game_map.geysers))]
    rows = np.column_stack([game_map.resources, kinds, game_map.contents, game_map.rich])
    turned = np.column_stack([game_map.cells - game_map.resources, rows[:, 2:]])
    assert set(map(tuple, rows)) == set(map(tuple, turned))


@pytest.mark.parametrize("name", MAPS)
def test_a_built_in_map_is_sound_and_fair(name):
    game_map = load_map(name)
    assert game_map.name == name
    assert_sound(game_map)
    assert_fair(game_map)


def test_the_larger_built_in_maps_have_at_least_four_bases_a_player():
    larger = [load_map(name) for name in MAPS if name != "first_light"]
    assert len(larger) >= 3
    assert all(game_map.bases.shape[1] >= 4 and game_map.cells >= 88 for game_map in larger)
    assert len({game_map.cells for game_map in larger}) > 1


def test_first_light_is_as_it_was():
    game_map = load_map("first_light")
    assert game_map.pathable.sum() == 2872 and game_map.buildable.sum() == 2784 and game_map.height.sum() == 3252
    assert (len(game_map.minerals), len(game_map.geysers)) == (48, 12)
    assert set(game_map.contents) == {1800, 2250} and not game_map.rich.any()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**40), side=st.sampled_from([None, *BASES]))
def test_every_seed_gives_a_sound_and_fair_map(seed, side):
    game_map = generate_map(seed, side)
    assert_sound(game_map)
    assert_fair(game_map)
    assert_ramps_rise_little_by_little(game_map)
    assert side in (None, game_map.cells)
    assert game_map.bases.shape[1] == BASES[game_map.cells]
    again = generate_map(seed, side)
    assert all(np.array_equal(getattr(game_map, name), getattr(again, name)) for name in vars(again))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_main_lies_highest_and_has_one_way_in_past_the_natural(seed):
    game_map = generate_map(seed)
    main, natural = game_map.bases[0, :2]
    x, y = main.astype(int)
    assert game_map.height[y, x] == 2 == game_map.height.max()
    ramp = game_map.pathable & (game_map.height > 1) & (game_map.height < 2)
    closed = ground_distance(game_map.pathable & ~ramp, main[None])[0]
    reached = np.isfinite(closed)
    assert (game_map.height[reached] == 2).all()  # without its ramp nothing else can be walked to
    way = ground_distance(game_map.pathable, main[None])[0]
    halls = game_map.bases[0].astype(int)
    assert way[halls[:, 1], halls[:, 0]].argsort()[:2].tolist() == [0, 1]
    assert np.hypot(*(natural - main)) < 35


def test_seeds_differ_in_layout_and_size():
    maps = [generate_map(seed) for seed in range(12)]
    assert len({game_map.cells for game_map in maps}) >= 3
    assert len({game_map.pathable.tobytes() for game_map in maps}) == 12
    assert any(game_map.rich.any() for game_map in maps) and not all(game_map.rich.any() for game_map in maps)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_such_map", "unknown map 'no_such_map': choose first_light"),
        ("seed:", "a whole number"),
        ("seed:-3", "a whole number"),
        ("seed:one", "a whole number"),
        ("nowhere/none.npz", "no map file"),
    ],
)
def test_a_map_that_there_is_none_of_is_refused_in_one_line(name, says):
    with pytest.raises(UserError, match=says) as error:
        load_map(name)
    assert "\n" not in str(error.value)


def test_a_seed_is_a_name():
    named, made = load_map("seed:7"), generate_map(7)
    assert named.name == "seed:7" and (named.pathable == made.pathable).all()
    for wrong in ({"seed": -1}, {"seed": 1, "side": 100}):
        with pytest.raises(UserError):
            generate_map(**wrong)


def test_bases_are_ordered_by_the_way_and_a_middle_one_is_everyones():
    pathable = np.ones((16, 32), bool)
    pathable[:12, 5] = False  # a wall, passed at the top
    starts = np.array([[1.5, 1.5], [30.5, 1.5]])
    halls = np.array([[30.5, 1.5], [8.5, 1.5], [16.0, 8.5], [1.5, 10.5], [1.5, 1.5], [23.5, 1.5]])
    pathable[:12, 26] = False
    bases = order_bases(pathable, starts, halls)
    assert bases[0].tolist() == [[1.5, 1.5], [1.5, 10.5], [16.0, 8.5], [8.5, 1.5]]
    assert bases[1].tolist()[0] == [30.5, 1.5] and [16.0, 8.5] in bases[1].tolist()
    assert bases.shape == (2, 4, 2)


def test_ground_kept_from_town_halls_lacks_its_corners():
    """The masks of StarCraft II's footprints: a field's loses a cell at each corner, a geyser's three."""
    ground, none = np.ones((16, 16), bool), np.zeros((0, 2))
    field = ~free_ground(ground, np.array([[8.0, 8.5]]), none, townhall=True)[5:12, 4:12]
    assert ["".join(".o"[cell] for cell in row) for row in field.astype(int)] == [
        ".oooooo.", *["oooooooo"] * 5, ".oooooo.",
    ]  # fmt: skip
    geyser = ~free_ground(ground, none, np.array([[8.5, 8.5]]), townhall=True)[4:13, 4:13]
    assert ["".join(".o"[cell] for cell in row) for row in geyser.astype(int)] == [
        "..ooooo..", ".ooooooo.", *["ooooooooo"] * 5, ".ooooooo.", "..ooooo..",
    ]  # fmt: skip
    assert (~free_ground(ground, np.array([[1.0, 0.5]]), none, townhall=False)).sum() == 2
    assert (~free_ground(ground, np.array([[1.0, 0.5]]), none, townhall=True)).sum() == 5 * 4 - 1


@pytest.mark.parametrize(("cells", "side"), [(64, 16), (64, 128), (96, 64), (112, 16), (144, 128)])
def test_planes_of_any_size_show_the_mean_of_what_they_cover(cells, side):
    share = plane_share(cells, side)
    np.testing.assert_allclose(share.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(share.sum(0), side / cells, rtol=1e-5)
    assert (share[0] > 0).sum() == -(-cells // side)
    if cells % side == 0:
        grid = np.random.default_rng(0).random((cells, cells)).astype(np.float32)
        blocks = grid.reshape(side, cells // side, side, -1).mean((1, 3))
        np.testing.assert_allclose(share @ grid @ share.T, blocks, rtol=1e-5)
