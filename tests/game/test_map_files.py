"""Maps that a user brings: the 96 files of real maps, one made by hand, and files that are none."""

from pathlib import Path

import numpy as np
import pytest

from asterism.errors import UserError
from asterism.game.map import hall_places
from asterism.game.map_files import read_map
from asterism.game.maps import load_map
from asterism.game.navigation import ground_distance

ROOT = Path(__file__).parents[2]
FILES = ROOT.parent / "shared" / "data" / "maps" / "npz"
real_maps = pytest.mark.skipif(not FILES.is_dir(), reason="../shared/data/maps is absent: it is no part of the project")
UNEVEN = {"StargazersAIE", "StasisLE"}
"""Maps with a base in their middle, so with an odd number of them."""


def sheet(game_map, margin=8, townhall=18, **changes):
    """The arrays of a file that holds a built-in map with a margin of cliffs around it."""
    wide = lambda grid: np.pad(np.asarray(grid), margin)  # noqa: E731
    fields, cells = len(game_map.minerals), game_map.cells + 2 * margin
    kinds = [(341 if contents == 1800 else 483) for contents in game_map.contents[:fields]]
    kinds += [342] * len(game_map.geysers) + [townhall, 149]
    places = np.concatenate([game_map.resources, game_map.starts[:1], [[30, 30]]]) + margin
    return {
        "pathing": np.packbits(wide(game_map.pathable)),
        "placement": np.packbits(wide(game_map.buildable)),
        "height": (191 + 16 * wide(game_map.height)).astype(np.uint8),
        "size": np.array([cells, cells]),
        "playable": np.array([margin, margin, cells - margin, cells - margin]),
        "start": game_map.starts[1:] + margin,
        "units": np.column_stack([kinds, np.full(len(kinds), 16), places]).astype(np.float32),
    } | changes


def write(path, arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("townhall", [18, 59, 86])
def test_a_map_that_was_written_is_read_as_it_was(tmp_path, townhall):
    game_map = load_map("seed:5")
    read = read_map(write(tmp_path / "mine.npz", sheet(game_map, townhall=townhall)))
    assert read.name == "mine"
    for name in ("pathable", "buildable", "starts", "minerals", "geysers", "contents"):
        np.testing.assert_array_equal(getattr(read, name), getattr(game_map, name))
    np.testing.assert_allclose(read.height, game_map.height, atol=1 / 16)
    assert {tuple(hall) for hall in read.bases.reshape(-1, 2)} == {
        tuple(hall) for hall in game_map.bases.reshape(-1, 2)
    }
    assert load_map(str(tmp_path / "mine.npz")).symmetry == "half turn"


def test_a_second_start_that_is_not_told_is_the_image_of_the_first(tmp_path):
    game_map = load_map("first_light")
    read = read_map(write(tmp_path / "one.npz", sheet(game_map, start=np.zeros((0, 2)))))
    np.testing.assert_array_equal(read.starts, game_map.starts)


def test_a_map_that_is_not_square_is_padded_with_cliffs(tmp_path):
    game_map = load_map("seed:5")
    arrays = sheet(game_map)
    arrays["playable"] = arrays["playable"] + (0, -8, 0, 8)
    read = read_map(write(tmp_path / "high.npz", arrays))
    assert read.cells == -(-(game_map.cells + 16) // 16) * 16
    assert read.pathable.sum() == game_map.pathable.sum() and read.symmetry == "half turn"


def test_ground_that_cannot_be_walked_to_is_cliff(tmp_path):
    game_map = load_map("first_light")
    pathable = game_map.pathable.copy()
    pathable[3:6, 50:54] = True
    arrays = sheet(game_map) | {"pathing": np.packbits(np.pad(pathable, 8))}
    assert not read_map(write(tmp_path / "island.npz", arrays)).pathable[3:6, 50:54].any()


def damage():
    whole = lambda **changes: lambda path: write(path, sheet(load_map("first_light"), **changes))  # noqa: E731
    units = sheet(load_map("first_light"))["units"]

    def without(name):
        arrays = sheet(load_map("first_light"))
        return lambda path: write(path, {key: value for key, value in arrays.items() if key != name})

    def cut(path):
        content = whole()(path).read_bytes()
        path.write_bytes(content[: len(content) // 2])

    def flipped(path):
        content = bytearray(whole()(path).read_bytes())
        content[400:420] = bytes(20)
        path.write_bytes(content)

    def single(path):
        with path.open("wb") as file:
            np.save(file, np.zeros(3))

    return {
        "empty": lambda path: path.write_bytes(b""),
        "text": lambda path: path.write_text("a map"),
        "cut": cut,
        "flipped": flipped,
        "single": single,
        "pickled": whole(units=np.array([{"a": 1}], dtype=object)),
        "no pathing": without("pathing"),
        "no units": without("units"),
        "short bits": whole(pathing=np.zeros(5, np.uint8)),
        "other height": whole(height=np.zeros((3, 3), np.uint8)),
        "size of three": whole(size=np.array([80, 80, 1])),
        "huge": whole(size=np.array([10**6, 10**6])),
        "outside": whole(playable=np.array([0, 0, 900, 900])),
        "words": whole(size=np.array(["a", "b"])),
        "not finite": whole(start=np.array([[np.nan, 3.0]])),
        "nobody": whole(units=units[:-2], start=np.zeros((0, 2))),
        "no fields": whole(units=units[-2:]),
        "start in a cliff": whole(units=np.concatenate([units[:-2], [[18, 1, 9, 70]]]).astype(np.float32)),
        "all cliff": whole(pathing=np.zeros(800, np.uint8), placement=np.zeros(800, np.uint8)),
    }


@pytest.mark.parametrize("kind", damage())
def test_a_file_that_is_no_map_is_refused_in_one_line(tmp_path, kind):
    path = tmp_path / "broken.npz"
    damage()[kind](path)
    with pytest.raises(UserError, match="broken.npz") as error:
        read_map(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


@real_maps
def test_there_are_96_files():
    assert len(list(FILES.glob("*.npz"))) == 96


@real_maps
@pytest.mark.parametrize("path", sorted(FILES.glob("*.npz")), ids=lambda path: path.stem)
def test_every_real_map_is_read_and_all_its_bases_can_be_walked_to(path):
    game_map = read_map(path)
    halls = np.unique(game_map.bases.reshape(-1, 2), axis=0)
    x, y = halls.astype(int).T
    assert np.isfinite(ground_distance(game_map.pathable, game_map.starts)[:, y, x]).all()
    assert hall_places(game_map.buildable, game_map.minerals, game_map.geysers)[y, x].all()
    assert len(halls) % 2 == (path.stem in UNEVEN) and 10 <= len(halls) <= 24
    # What is worked out for the mains from their resources is where the real game begins.
    np.testing.assert_array_equal(game_map.bases[:, 0], game_map.starts)
    with np.load(path) as arrays:
        kinds, places = arrays["units"][:, 0], arrays["units"][:, 2:4]
        told = np.concatenate([places[kinds == 18], arrays["start"]])
    moved = (game_map.starts[0] - told[0]) + told
    assert all((moved == start).all(1).any() for start in game_map.starts)
    # A town hall reaches all of its base's resources.
    far = np.hypot(*(game_map.resources[:, None] - halls).transpose(2, 0, 1)).min(1)
    assert (far < 10).mean() > 0.8 and (far > 5.9).all()
    assert 0 <= game_map.height.min() and game_map.height.max() <= 4
