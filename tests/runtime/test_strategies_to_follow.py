"""What the league's learners are asked to follow, of recorded games and of real ones."""

from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.bots.build_orders import BuildItem, BuildOrder, UpgradeItem, load_build_orders
from asterism.demos import Demos, GameInfo, RecordedPlayer
from asterism.demos.header import Header
from asterism.demos.reader import Entry
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.rules import terran_v1
from asterism.game.settings import GameSettings
from asterism.interface.observation import Race, Strategy
from asterism.interface.sizes import interface_size
from asterism.runtime.strategies import real_strategies, real_strategy, strategies_to_follow

NAMES = ("macro", "random")
RACES = ("terran", "zerg", "protoss")
BEST = {RecordedPlayer("terran", "macro")}


@cache
def game(*races: str) -> EmbeddedGame:
    """A game with all units, or without races one of the first rules."""
    settings = GameSettings(rules="full", races=races) if races else GameSettings()
    return EmbeddedGame(settings, interface_size("tiny"))


def demos(*outcomes, z: Strategy | None = None, races: tuple[str, str] = ("terran", "terran")) -> Demos:
    """Recorded games of `NAMES`, with strategy `z` or else a number: 2 i + player in game i. Outcomes of player 0."""
    entries = []
    for number, outcome in enumerate(outcomes):
        info = GameInfo(number, "first_light", 1, NAMES if number % 2 == 0 else NAMES[::-1], races)
        for player in range(2):
            played = z or Strategy(*[np.full(2, 2 * number + player)] * 5)
            entries.append(Entry(Path(), 0, 1, number, player, outcome * (1 - 2 * player), played, info))
    return Demos(Path(), Header(terran_v1().description, interface_size("tiny")), tuple(entries))


def asked(*outcomes) -> tuple[set[int], set[int]]:
    """Numbers of the recorded strategies that the players on both sides may be asked for."""
    library = strategies_to_follow(demos(*outcomes), BEST, game())
    units, fits = np.asarray(library.strategies.units), np.asarray(library.fits)
    return tuple(set(units[fits[side], 0].tolist()) for side in range(2))


def test_players_are_asked_for_what_the_best_won_with_on_their_own_side():
    """The macro players won game 0 as player 0 and game 1 as player 1. A z of the other side says to build there."""
    assert asked(1, -1, -1) == ({0}, {3})


def test_a_side_that_won_nothing_is_asked_for_what_was_played_there():
    """By those who are worth imitating, if any: game 1 has such a player on side 1, the only other game has none."""
    assert asked(1, 0) == ({0}, {3})
    assert asked(1) == ({0}, {1})


def order(**changes) -> BuildOrder:
    """A Terran who started at (20, 100), its enemy at (120, 30): so up and right is towards it, but for the sign."""
    items = [("Barracks", (4, -3)), ("Marine", None), ("CommandCenter", (0, -30)), ("Starport", (30, 40))]
    facts = dict(
        game="", version="5", map="", race="terran", enemy="zerg", won=True, mmr=None, loops=9000, start=(20, 100),
        enemy_start=(120, 30), items=tuple(BuildItem(name, 0, 0, place) for name, place in items),
        upgrades=(UpgradeItem("Stimpack", 0, 5000),), counts={"Barracks": 1, "Marine": 4},
    )  # fmt: skip
    return BuildOrder(**facts | changes)


@pytest.mark.parametrize("side", [0, 1])
def test_a_real_build_order_is_laid_onto_the_map(side):
    """The barracks towards the enemy, the second command centre at the natural, what was far away within reach."""
    here = game("terran", "zerg") if side == 0 else game("zerg", "terran")
    z, units = real_strategy(order(), here, side), here.description.unit_index
    assert z.build_order[:5].tolist() == [
        units["Barracks"],
        units["Marine"],
        units["CommandCenter"],
        units["Starport"],
        0,
    ]
    cells = z.build_order_location[:4]
    grain = here.map.cells / here.size.location
    places = np.stack([cells % here.size.location, cells // here.size.location], 1) * grain
    start, towards = here.map.starts[side], np.sign(here.map.starts[1 - side] - here.map.starts[side])
    expected = [start + towards * [4, 3], start, here.map.bases[side][1], start + towards * [9, -12]]
    np.testing.assert_allclose(places + grain / 2, expected, atol=grain)
    assert {here.description.unit_types[i].name for i in np.flatnonzero(z.units)} == {"Barracks", "Marine"}
    assert [here.description.upgrades[i] for i in np.flatnonzero(z.upgrades)] == ["Stimpack"]


@pytest.mark.parametrize("own", RACES)
@pytest.mark.parametrize("enemy", RACES)
def test_every_match_up_has_real_strategies(own, enemy):
    """Of winners alone, with every name known to the game: nothing is dropped but what no build order lists."""
    here = game(own, enemy)
    known = here.description.unit_index
    of_race = [o for o in load_build_orders(own) if o.enemy == enemy]
    assert {item.unit for o in of_race for item in o.items} <= set(known)
    assert 5 <= len(real_strategies(here, 0, own)) <= sum(o.won is not False for o in of_race)


def test_the_source_of_strategies_is_chosen():
    here = game("terran", "zerg")
    played = demos(1, -1, z=real_strategies(here, 0, "terran")[0], races=here.settings.races)
    recorded, real, both = (
        strategies_to_follow(played, BEST, here, source).fits.sum(1) for source in ("recorded", "real", "both")
    )
    assert recorded.tolist() == [1, 1]
    assert real.tolist() == [len(real_strategies(here, side, race)) for side, race in enumerate(here.settings.races)]
    assert both.tolist() == (recorded + real).tolist()


def test_a_game_that_no_real_game_is_like_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("asterism.runtime.strategies.load_build_orders", lambda race: ())
    with pytest.raises(UserError, match="no real game"):
        strategies_to_follow(demos(1, -1), BEST, game(), "real")


def test_where_races_are_drawn_each_is_asked_for_what_it_played():
    """Two games of Terran against Zerg: nobody has played a Protoss, who is asked for nothing."""
    here, best = game("random", "random"), {RecordedPlayer(race, "macro") for race in RACES}
    library = strategies_to_follow(demos(1, -1, races=("terran", "zerg")), best, here)
    units, races = np.asarray(library.strategies.units)[:, 0], np.asarray(library.races)
    assert {(int(z), Race(race).name) for z, race in zip(units, races, strict=True)} == {(0, "TERRAN"), (3, "ZERG")}
    found = lambda side, race: bool(library.sample(jax.random.key(0), jnp.int32(side), int(race))[1])  # noqa: E731
    asked = {(side, race) for side in range(2) for race in (Race.TERRAN, Race.ZERG, Race.PROTOSS) if found(side, race)}
    assert asked == {(0, Race.TERRAN), (1, Race.ZERG)}


def test_where_races_are_drawn_real_strategies_are_of_all_match_ups():
    real = strategies_to_follow(demos(1), BEST, game("random", "random"), "real")
    of = lambda race, enemy: len(real_strategies(game(race, enemy), 0, race))  # noqa: E731
    for race in RACES:
        count = int(((np.asarray(real.races) == Race.named(race)) & np.asarray(real.fits)[0]).sum())
        assert count == sum(of(race, enemy) for enemy in RACES)
