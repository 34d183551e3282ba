"""Pictures of a game."""

import numpy as np
import pytest

from asterism.game.game import EmbeddedGame
from asterism.game.snapshot import Snapshot
from asterism.web.colours import PLAYERS
from asterism.web.draw import GamePainter
from asterism.web.strip import short_name

SLOTS, SCALE = 8, 8
STRIP = 80
PLACE = {0: (30.5, 24.5), 1: (38.5, 40.5)}
"""Where each player's unit stands: on open ground."""


@pytest.fixture(scope="module")
def game():
    return EmbeddedGame()


@pytest.fixture(scope="module")
def painter(game):
    return GamePainter(game, SCALE)


def moment(game, units=(), seen=None, **changes) -> Snapshot:
    """A snapshot with the given units: (slot, type's name, x, y)."""
    count, cells = 2 * SLOTS, game.map.cells
    fields = {
        "loop": np.array(0),
        "type": np.zeros(count, np.int16),
        "position": np.zeros((count, 2), np.float16),
        "health": np.full(count, 255, np.uint8),
        "shield": np.full(count, 255, np.uint8),
        "energy": np.zeros(count, np.uint8),
        "creep": np.zeros(count, np.uint8),
        "built": np.full(count, 255, np.uint8),
        "carrying": np.zeros(count, np.int8),
        "target": np.full(count, -1, np.int16),
        "amounts": np.full(len(game.map.minerals) + len(game.map.geysers), 1800, np.int16),
        "minerals": np.array([50, 50]),
        "vespene": np.array([0, 0]),
        "supply": np.full((2, 2), 15, np.int16),
        "upgrades": np.zeros((2, len(game.description.upgrades)), bool),
        "score": np.array([0, 0]),
        "visible": np.packbits(np.ones((2, cells, cells), bool) if seen is None else seen, axis=-1),
    } | changes
    for slot, name, x, y in units:
        fields["type"][slot] = game.description.unit_index[name]
        fields["position"][slot] = (x, y)
    return Snapshot(**fields)


def pixel(game, x, y):
    """Row and column of a place on the map in a frame."""
    return STRIP + int((game.map.cells - y) * SCALE), int(x * SCALE)


def board(frame):
    return frame[STRIP:].astype(int)


@pytest.mark.parametrize("name", ["SCV", "Marine", "Marauder", "Reaper", "Hellion", "SiegeTank"])
def test_a_unit_has_its_players_colour_at_its_place(game, painter, name):
    units = [(0, name, *PLACE[0]), (SLOTS, name, *PLACE[1])]
    frame = painter.frame(moment(game, units))
    assert frame.shape == (STRIP + 512, 512, 3) and frame.dtype == np.uint8
    for player in range(2):
        assert tuple(frame[pixel(game, *PLACE[player])]) == PLAYERS[player]


def test_swapped_players_have_swapped_colours(game, painter):
    frames = [
        painter.frame(moment(game, [(a, "Marine", *PLACE[0]), (b, "Marine", *PLACE[1])])) for a, b in [(0, 8), (8, 0)]
    ]
    for player in range(2):
        assert tuple(frames[1][pixel(game, *PLACE[player])]) == PLAYERS[1 - player]
        assert tuple(frames[0][pixel(game, *PLACE[player])]) == PLAYERS[player]


def test_a_dead_unit_leaves_no_trace(game, painter):
    """Its slot keeps place, health and target."""
    dead = moment(game, [(0, "Marine", *PLACE[0])], target=np.array([8, *[-1] * 15], np.int16))
    dead.type[0] = 0
    assert (painter.frame(dead) == painter.frame(moment(game))).all()


def test_only_the_neighbourhood_of_a_unit_changes(game, painter):
    empty, frame = painter.frame(moment(game)), painter.frame(moment(game, [(0, "SiegeTank", *PLACE[0])]))
    rows, columns = np.nonzero((board(frame) != board(empty)).any(-1))
    row, column = pixel(game, *PLACE[0])
    assert len(rows) and abs(rows + STRIP - row).max() <= 1.5 * SCALE and abs(columns - column).max() <= 1.5 * SCALE


@pytest.mark.parametrize("name", ["CommandCenter", "SupplyDepot", "BarracksTechLab", "Refinery"])
def test_a_structure_covers_its_footprint(game, painter, name):
    place = (32.0, 26.0)
    empty, frame = painter.frame(moment(game)), painter.frame(moment(game, [(0, name, *place)]))
    rows, columns = np.nonzero((board(frame) != board(empty)).any(-1))
    side = game.rules.units.footprint[game.description.unit_index[name]] * SCALE
    assert np.ptp(rows) + 1 == pytest.approx(side, abs=2) and np.ptp(columns) + 1 == pytest.approx(side, abs=2)


def test_the_further_a_structure_is_the_more_of_it_is_filled(game, painter):
    def light(built):
        units = [(0, "CommandCenter", 32.0, 26.0)]
        return board(painter.frame(moment(game, units, built=np.full(2 * SLOTS, built, np.uint8)))).sum()

    assert light(0) < light(80) < light(160) < light(255)


def test_fog_darkens_what_is_not_seen_and_nothing_else(game, painter):
    seen = np.zeros((2, 64, 64), bool)
    seen[0, 10:40, 5:30], seen[1, 40:60, 30:60] = True, True
    clear = painter.frame(moment(game, seen=seen))
    for player in range(2):
        fogged = painter.frame(moment(game, seen=seen), fog_of=player)
        mask = np.kron(seen[player, ::-1], np.ones((SCALE, SCALE), bool))
        assert (board(fogged)[mask] == board(clear)[mask]).all()
        assert (board(fogged)[~mask] <= board(clear)[~mask]).all()
        assert board(fogged)[~mask].sum() < 0.6 * board(clear)[~mask].sum()
        assert (fogged[:STRIP] == clear[:STRIP]).all()


def test_fog_hides_enemies_out_of_sight_but_no_own_units(game, painter):
    units = [(0, "Marine", *PLACE[0]), (SLOTS, "Marine", *PLACE[1])]
    colours = lambda frame: [tuple(frame[pixel(game, *PLACE[p])]) == PLAYERS[p] for p in range(2)]  # noqa: E731
    blind, one = np.zeros((2, 64, 64), bool), np.zeros((2, 64, 64), bool)
    one[0, int(PLACE[1][1]), int(PLACE[1][0])] = True
    assert colours(painter.frame(moment(game, units, blind), fog_of=0)) == [True, False]
    assert colours(painter.frame(moment(game, units, blind), fog_of=1)) == [False, True]
    assert colours(painter.frame(moment(game, units, one), fog_of=0)) == [True, True]


def test_a_field_shrinks_until_it_is_gone(game, painter):
    def area(left):
        frame = painter.frame(moment(game, amounts=np.full_like(moment(game).amounts, left)))
        x, y = game.map.minerals[0]
        row, column = pixel(game, x, y)
        blue, red = frame[row - 8 : row + 8, column - 12 : column + 12, [2, 0]].astype(int).transpose(2, 0, 1)
        return int((blue > red + 60).sum())

    assert area(1800) > area(600) > area(5) > area(0) == 0


def test_a_fight_and_a_wound_are_seen(game, painter):
    units = [(0, "Marine", 30.5, 30.5), (SLOTS, "Marine", 34.5, 30.5)]
    calm = painter.frame(moment(game, units))
    target = np.full(2 * SLOTS, -1, np.int16)
    target[0] = SLOTS
    fight = painter.frame(moment(game, units, target=target))
    assert (fight[pixel(game, 32.5, 30.5)] != calm[pixel(game, 32.5, 30.5)]).any()
    health = np.full(2 * SLOTS, 255, np.uint8)
    health[0] = 100
    hurt = np.nonzero((painter.frame(moment(game, units, health=health)) != calm).any((1, 2)))[0]
    assert len(hurt) and hurt.max() < pixel(game, 30.5, 30.5)[0]


def test_the_strip_tells_time_and_values(game, painter):
    strip = lambda *args, **kwargs: painter.frame(moment(game, **kwargs), *args)[:STRIP].astype(int)  # noqa: E731
    changed = (strip(loop=np.array(1344)) != strip()).any((0, 2))
    assert changed[220:292].any() and not changed[:220].any() and not changed[292:].any()
    win, lose = strip(("a", "b"), (1.0, 0.0)), strip(("a", "b"), (-1.0, 0.0))
    blue = lambda picture: np.nonzero((picture == PLAYERS[0]).all(-1)[55:75].any(0))[0].mean()  # noqa: E731
    assert blue(lose) < 95 < blue(win)
    assert (win[:, 292:] == lose[:, 292:]).all()
    long = strip(("x" * 200, "b"))
    assert (long[:, 220:] == strip(("a", "b"))[:, 220:]).all()


def test_the_scale_sets_the_size(game):
    assert GamePainter(game, 4).frame(moment(game)).shape == (40 + 256, 256, 3)


@pytest.mark.parametrize(
    "name, short", [("TerranInfantryWeaponsLevel1", "IW1"), ("ZergFlyerArmorsLevel3", "FA3"), ("ShieldWall", "SW")]
)
def test_short_names_of_upgrades(name, short):
    assert short_name(name) == short
