"""Every unit of the three races has a picture of its own."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from test_draw import PLACE, SCALE, SLOTS, board, moment, pixel

from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.game.snapshot import CREEP_SCALE
from asterism.web.draw import GamePainter
from asterism.web.shapes import MARKS, OUTLINES, buried, label, shape

NEUTRAL = ("none", "MineralField", "VespeneGeyser")


@pytest.fixture(scope="module")
def game():
    return EmbeddedGame(GameSettings(rules="full", races=("terran", "zerg")))


@pytest.fixture(scope="module")
def painter(game):
    return GamePainter(game, SCALE)


def names(game, structures):
    table = game.rules.units.structure
    types = game.description.unit_types
    return [t.name for i, t in enumerate(types) if bool(table[i]) == structures and t.name not in NEUTRAL]


def test_each_unit_type_has_a_shape_of_its_own(game):
    shapes = Counter(shape(name) for name in names(game, structures=False))
    assert max(shapes.values()) == 1
    assert {mark for _, mark in shapes} <= set(MARKS)


def test_outlines_are_as_wide_as_the_unit():
    for name, points in OUTLINES.items():
        if points:
            reach = np.abs(points).max()
            assert 0.8 <= reach <= 1.4, name


def test_structures_of_a_race_have_letters_of_their_own(game):
    """But for forms of one structure, and the tech labs of different ones."""
    rows = [(int(game.rules.units.race[game.description.unit_index[n]]), label(n), n) for n in names(game, True)]
    for (race, letters, name), (other_race, others, other) in product(rows, rows):
        if race == other_race and letters == others and name != other:
            ends = ("Flying", "Burrowed", "Queen", "Uprooted", "TechLab")
            assert name.endswith(ends) or other.endswith(ends), (name, other)


def test_every_type_can_be_drawn_near_its_place(game):
    scale, table = 4, game.rules.units
    painter = GamePainter(game, scale)
    map_of = lambda *units: painter.frame(moment(game, units))[10 * scale :].astype(int)  # noqa: E731
    empty = map_of()
    for name in [*names(game, False), *names(game, True)]:
        kind = game.description.unit_index[name]
        rows, columns = np.nonzero((map_of((0, name, *PLACE[0])) != empty).any(-1))
        size = max(table.footprint[kind] / 2, table.radius[kind])
        assert len(rows), name
        if table.power_radius[kind] == 0:
            assert np.abs(rows / scale - (64 - PLACE[0][1])).max() <= 1.5 * size + 1.5, name
            assert np.abs(columns / scale - PLACE[0][0]).max() <= 1.5 * size + 1.5, name


def change(game, painter, name, **fields):
    """Pixels that the given fields of slot 0 change in the picture of a unit."""

    def draw(values):
        columns = {key: np.full(2 * SLOTS, value, np.uint8) for key, value in values.items()}
        return board(painter.frame(moment(game, [(0, name, *PLACE[0])], **columns)))

    plain = {"health": 255, "shield": 255, "energy": 0, "built": 255}
    return int((draw(plain) != draw(plain | fields)).any(-1).sum())


@pytest.mark.parametrize(
    "name, fields",
    [("Zealot", {"shield": 90}), ("Zergling", {"health": 90}), ("Queen", {"energy": 200}), ("Nexus", {"built": 100}),
     ("Hatchery", {"built": 100})],
)  # fmt: skip
def test_health_shields_energy_and_progress_are_seen(game, painter, name, fields):
    assert change(game, painter, name, **fields) > 5


def test_who_has_no_shields_shows_none(game, painter):
    assert change(game, painter, "Zergling", shield=90) == 0


def test_what_is_burrowed_lets_the_ground_through(game, painter):
    """It changes less of what is seen of the ground."""
    assert buried("RoachBurrowed") and not buried("Roach") and not buried("CreepTumorBurrowed")
    empty = board(painter.frame(moment(game)))
    above, below = (
        np.abs(board(painter.frame(moment(game, [(0, name, *PLACE[0])]))) - empty).sum()
        for name in ("Roach", "RoachBurrowed")
    )
    assert 0 < below < 0.8 * above


def test_a_flyer_has_a_shadow_and_a_walker_has_none(game, painter):
    """Beyond its body, to the lower right."""
    spot = pixel(game, PLACE[0][0] + 0.45, PLACE[0][1] - 0.75)
    plain = painter.frame(moment(game))[spot].astype(int).sum()
    shade = {name: painter.frame(moment(game, [(0, name, *PLACE[0])]))[spot].astype(int).sum()
             for name in ("Banshee", "Hydralisk")}  # fmt: skip
    assert shade["Banshee"] < 0.8 * plain and abs(shade["Hydralisk"] - plain) < 0.1 * plain


def test_creep_covers_the_ground_as_far_as_it_reaches(game, painter):
    place, reach = (32.5, 25.5), 5.0
    creep = np.zeros(2 * SLOTS, np.uint8)
    creep[0] = reach * CREEP_SCALE
    units = [(0, "CreepTumor", *place)]
    bare, covered = board(painter.frame(moment(game, units))), board(painter.frame(moment(game, units, creep=creep)))
    rows, columns = np.nonzero((bare != covered).any(-1))
    distance = np.hypot(columns / SCALE - place[0], 64 - rows / SCALE - place[1])
    assert distance.max() == pytest.approx(reach, abs=0.5)
    purple = covered[pixel(game, place[0] + 3, place[1])[0] - 80, pixel(game, place[0] + 3, place[1])[1]]
    assert purple[1] < min(purple[0], purple[2])


def test_fog_hides_the_enemys_creep_and_power(game, painter):
    creep = np.zeros(2 * SLOTS, np.uint8)
    creep[SLOTS] = 5 * CREEP_SCALE
    units = [(SLOTS, "CreepTumor", *PLACE[1]), (SLOTS + 1, "Pylon", 40.0, 30.0)]
    blind = np.zeros((2, 64, 64), bool)
    hidden = painter.frame(moment(game, units, blind, creep=creep), fog_of=0)
    nothing = painter.frame(moment(game, seen=blind), fog_of=0)
    assert (board(hidden) == board(nothing)).all()
    assert (board(painter.frame(moment(game, units, blind, creep=creep), fog_of=1)) != board(nothing)).any()


def test_only_a_finished_pylon_gives_power(game, painter):
    spot = pixel(game, 32.0 + 5.0, 26.0)
    frames = [
        painter.frame(moment(game, [(0, "Pylon", 32.0, 26.0)], built=np.full(2 * SLOTS, built, np.uint8)))[spot]
        for built in (100, 255)
    ]
    plain = painter.frame(moment(game))[spot]
    assert (frames[0] == plain).all() and (frames[1] != plain).any()
