"""Production of real games: how a record is read, and what the game's own rules make of it."""

import json
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest

from asterism.errors import UserError
from asterism.runtime.agreement import products, samples, unknown_items
from asterism.runtime.produced import producer, production_game
from asterism.runtime.productions import read_production
from asterism.runtime.recorded_orders import Help, Verdict
from asterism.runtime.tapes import make_tapes

SHARED = Path(__file__).parents[3] / "shared" / "data" / "z"
LOOPS = 4032
FIELDS = ["loop", "food_used", "food_made", "minerals_used_in_progress_army", "minerals_lost_army"]
FIELDS += ["minerals_killed_army"]


def built(kind, start, done, over=None, how="init", source="exact"):
    """An item as the files have it."""
    item = {"type": kind, "kind": how, "start": start, "start_src": source, "done": done, "x": 60, "y": 60}
    return item if over is None else {**item, "cancelled_or_killed": over}


def player(race, production, workers_supply, stats, upgrades=()):
    """A player as the files have it; `stats`: (loop, supply used, made) of each sample."""
    return {
        "race": race,
        "start_location": [40, 40],
        "production": production,
        "workers_supply": workers_supply,
        "upgrades": [{"name": name, "loop": loop} for name, loop in upgrades],
        "playerstats": [[*row, 0, 0, 0] for row in stats],
    }


TERRAN = player(
    "Terran",
    [
        built("Barracks", 800, 1840),
        built("OrbitalCommand", 1900, 2460, how="morph", source="est"),
        built("Marine", 1850, 2250, how="born", source="est"),
        built("Factory", 2000, 3060),  # its builder left it for 100 loops
        built("BarracksTechLab", 2300, 2700),
        built("SiegeTank", 3100, 3820, how="born", source="est"),  # at the Factory, with the Barracks' tech lab
        built("Frobnicator", 3200, 3300),
    ],
    [["SCV", 12, 284], ["SCV", 284, 556], ["SupplyDepot", 300, 780], ["MULE", 2500, 2500]],
    [(1, 12, 15), (160, 13, 15), (320, 14, 15), (780, 14, 15), (800, 14, 23), (1920, 15, 23), (3200, 18, 23)],
)
ZERG = player(
    "Zerg",
    [
        built("Extractor", 300, None, 330),
        built("Zergling", 1000, 1384, how="born", source="egg"),  # there is no spawning pool
        built("SpawningPool", 800, 1840),
        built("Zergling", 1850, 2234, how="born", source="egg"),
        built("Zergling", 1850, 2234, how="born", source="egg"),
        built("Queen", 1850, 2650, how="born", source="est"),
    ],
    [["Drone", 20, 292], ["Drone", 25, 297], ["Drone", 310, 582], ["Overlord", 340, 740]],
    # The Drone comes back out of the extractor that is called off: more than there is supply for.
    [(1, 12, 14), (160, 14, 14), (305, 13, 14), (320, 14, 14), (336, 15, 14), (800, 15, 22), (1000, 14, 22),
     (1920, 17, 22)],
)  # fmt: skip
PROTOSS = player(
    "Protoss",
    [
        built("Gateway", 720, 1760),
        built("Stalker", 1800, 2408, how="born", source="est"),  # there is no cybernetics core
        built("CyberneticsCore", 1800, 2600),
        built("Stalker", 2610, 3050, how="born", source="est_clamped"),  # under chrono boost
        built("WarpGate", 3510, 3670, how="morph", source="est"),
        built("Stalker", 3700, 3781),
        built("Zealot", 3710, 3966),  # 448 loops before the only gate is ready again, and slowly
    ],
    [["Pylon", 300, 700], ["Pylon", 500, 900]],
    [(1, 12, 15), (800, 12, 23), (960, 12, 31), (2560, 12, 31), (3200, 14, 31), (3720, 18, 31)],
    [("WarpGateResearch", 3500)],
)


def record(first, second):
    """A game as the files have it; the second player's part of the map is another."""
    away = [{**item, "x": item["x"] + 80} for item in second["production"]]
    players = first, {**second, "production": away, "start_location": [120, 40]}
    return {"version": "5.0.14", "game_loops": 9000, "playerstats_fields": FIELDS, "players": players}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Items and samples by game: of the invented games, and of some real ones where there are any."""
    paths = []
    for name, players in (("first", (TERRAN, ZERG)), ("second", (PROTOSS, TERRAN))):
        paths.append(tmp_path_factory.mktemp("games") / f"{name}.json")
        paths[-1].write_text(json.dumps(record(*players)))
    games = [read_production(path) for path in paths]
    real = [read_production(path, "5.0") for path in sorted(SHARED.glob("*.json"))[::25]]
    games += [game for game in real if game is not None and game.same_rules]
    game = production_game(games, LOOPS)
    tapes, items = make_tapes(games, game.rules, LOOPS)
    played = jax.tree.map(np.asarray, jax.jit(partial(jax.lax.map, producer(game, LOOPS + 100)))(tapes))
    both = (game.rules, games, tapes, items, played)
    return products(*both), samples(*both), games, game.rules


def of(made, race, kind, game="first"):
    """The items of one kind of an invented game."""
    return [p for p in made[0] if p.game.startswith(game) and p.race == race and p.name == kind]


def test_supply_is_as_it_was_worked_out_by_hand(made):
    found = [s for s in made[1] if s.game.startswith(("first", "second"))]
    assert len(found) == len(TERRAN["playerstats"]) * 2 + len(ZERG["playerstats"]) + len(PROTOSS["playerstats"])
    assert [(s.used, s.made) for s in found] == [(s.recorded_used, s.recorded_made) for s in found]
    assert [s.loop for s in found if not s.is_certain] == [2560]  # chrono boost makes no Stalker that fast


def test_items_take_the_games_own_time(made):
    for race, kind, time in (
        ("Terran", "Barracks", 1040),
        ("Terran", "SupplyDepot", 480),
        ("Terran", "BarracksTechLab", 400),
        ("Zerg", "Drone", 272),
        ("Zerg", "SpawningPool", 1040),
    ):
        assert [(p.took, p.recorded, p.is_timed) for p in of(made, race, kind)][:1] == [(time, time, True)]


def test_what_its_player_made_last_is_not_compared(made):
    (factory,) = of(made, "Terran", "Factory")
    assert factory.interrupted and factory.took == 1060 and not factory.is_timed
    stalker = of(made, "Protoss", "Stalker", "second")[1]
    assert stalker.verdict is Verdict.TAKEN and stalker.took < 440 and not stalker.is_timed


def test_a_build_order_that_lacks_a_requirement_is_refused(made):
    refused = [(p.race, p.name, p.start) for p in made[0] if p.verdict is Verdict.REQUIREMENT]
    assert refused == [("Zerg", "Zergling", 1000), ("Protoss", "Stalker", 1801)]


def test_what_the_record_leaves_out_is_seen_to(made):
    (tank,) = of(made, "Terran", "SiegeTank")
    assert tank.verdict is Verdict.TAKEN and tank.help is Help.CARRIED
    assert of(made, "Protoss", "Stalker", "second")[2].took == 81
    (zealot,) = of(made, "Protoss", "Zealot", "second")
    assert zealot.verdict is Verdict.TAKEN and zealot.help is Help.HURRIED and zealot.took == 256
    assert len(of(made, "Zerg", "Zergling")) == 2  # of which one is a pair
    assert unknown_items(made[3], made[2][:1]) == {"Frobnicator": 1}


def test_losses_of_both_sides_tables_end_the_comparison(tmp_path):
    path = tmp_path / "game.json"
    first, second = json.loads(json.dumps([TERRAN, ZERG]))
    second["playerstats"][3][-1] = 50
    path.write_text(json.dumps(record(first, second)))
    game = read_production(path, "5.0")
    assert [player.unharmed for player in game.players] == [320, np.inf]
    assert game.same_rules and read_production(path, "4.9") is None
    first["playerstats"][0][1] = 8
    path.write_text(json.dumps(record(first, second)))
    assert not read_production(path).same_rules


@pytest.mark.parametrize("text", ["", "[]", '{"version": "5.0"}', '{"version": "5.0", "players": [{}, {}]}'])
def test_a_bad_file_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "game.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"game\.json is no game") as error:
        read_production(path)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent: it is no part of the project")
def test_real_games_are_made_as_they_were(made):
    """A sample of what benchmarks/economy.py does with all: their first three minutes."""
    real = [p for p in made[0] if not p.game.startswith(("first", "second"))]
    assert len(real) > 150
    assert [p for p in real if p.verdict is Verdict.REQUIREMENT] == []
    timed = [p for p in real if p.is_timed]
    assert len(timed) > 50 and all(p.took == p.recorded for p in timed)
    found = [s for s in made[1] if not s.game.startswith(("first", "second"))]
    assert len(found) > 100
    assert np.mean([s.made == s.recorded_made for s in found]) > 0.98
    assert np.mean([s.used == s.recorded_used for s in found]) > 0.95
