"""Economies of real games: how they are read, and the game's own mining under the same decisions."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from asterism.errors import UserError
from asterism.runtime.economies import (
    MINUTE,
    GameEconomy,
    Layout,
    PlayerEconomy,
    base_places,
    default_layout,
    mined,
    read_economy,
    read_layouts,
    recorded_rate,
)
from asterism.runtime.imposed import CONTROL, make_schedules, miner, mining_game

SHARED = Path(__file__).parents[3] / "shared" / "data"
HALLS = [(40.5, 40.5), (70.5, 40.5), (100.5, 100.5)]
MINERALS, RICH = 341, 146


def game_with(workers, minutes=3, kind=MINERALS, mules=(), gas=0):
    """Two players with a town hall and as many workers as in `workers`, at one map of the built-in maps' bases."""
    layout = default_layout(HALLS)
    geysers = np.array(HALLS) + (3, 7)  # as on ladder maps
    layout = Layout(layout.minerals, np.full_like(layout.mineral_types, kind), geysers, layout.geyser_types[:3])
    times = np.arange(0.0, (minutes + 1) * MINUTE, 160)
    same = lambda value: np.full(len(times), float(value))  # noqa: E731
    players = tuple(
        PlayerEconomy(
            race="Terran",
            times=times,
            workers=same(count),
            mineral_rate=same(0),
            vespene_rate=same(54.3 * gas),
            halls=[(*hall, 0.0)],
            refineries=[(*geyser, 0.0)] if gas else [],
            mules=list(mules),
            builders=[],
        )
        for count, hall, geyser in zip(workers, (HALLS[0], HALLS[2]), geysers[[0, 2]], strict=True)
    )
    return GameEconomy("test", layout, True, players)


def income(games, tick=8, minutes=3):
    """Minerals and vespene a minute [G, 2], after the first."""
    schedules = make_schedules(games, minutes * MINUTE + CONTROL)
    both = jax.jit(jax.vmap(miner(mining_game(tick), schedules)))(schedules)
    first, last = MINUTE // CONTROL, minutes * MINUTE // CONTROL
    return [np.asarray(total[:, last] - total[:, first]) / (minutes - 1) for total in both]


@pytest.fixture(scope="module")
def incomes():
    """By tick: of 8 and 16, 20 and 24 workers, and of 12 with one and three on a geyser."""
    games = [game_with((8, 16)), game_with((20, 24)), game_with((12, 12), gas=1), game_with((12, 12), gas=3)]
    return {tick: income(games, tick) for tick in (1, 4, 8)}


def test_income_depends_on_the_tick_by_no_more_than_a_hundredth_and_a_trip(incomes):
    for tick in (4, 8):
        for at_tick, at_one in zip(incomes[tick], incomes[1], strict=True):
            np.testing.assert_allclose(at_tick, at_one, rtol=0.01, atol=5.0)


def test_sixteen_workers_bring_twice_what_eight_do_and_more_bring_less_each(incomes):
    eight, sixteen, twenty, twenty_four = incomes[8][0][:2].ravel()
    assert 55 < eight / 8 < 60
    assert sixteen == pytest.approx(2 * eight, rel=0.03)
    assert sixteen < twenty < 20 * sixteen / 16
    assert twenty_four == pytest.approx(8 * 5 * MINUTE / 53, rel=0.02)  # every field always at work


def test_one_worker_on_gas_brings_61_and_three_163(incomes):
    one, three = incomes[8][1][2:, 0]
    assert one == pytest.approx(61, rel=0.04)
    assert three == pytest.approx(163, rel=0.03)


def test_rich_fields_give_seven_for_five_and_a_mule_225_in_its_life():
    games = [game_with((8, 8)), game_with((8, 8), kind=RICH), game_with((8, 8), mules=[MINUTE + 1.0])]
    plain, rich, mule = income(games)[0]
    assert rich == pytest.approx(7 / 5 * plain, rel=1e-3)
    assert (mule - plain) * 2 == pytest.approx(225, abs=26)


def test_the_integral_of_a_recorded_rate_is_what_was_mined():
    loops = np.arange(0, 8000, 16)
    total = np.where(loops > 100, (loops - 100) * 0.5 + (loops - 100) ** 2 * 6e-5, 0.0)
    times, rates = recorded_rate(total, 16)
    for minute in (2, 3, 4, 5):
        assert mined(times, rates, minute * MINUTE) == pytest.approx(total[minute * MINUTE // 16], rel=0.005)


def test_town_halls_belong_where_their_resources_were_laid():
    found = base_places(default_layout(HALLS))
    assert {tuple(place) for place in found} == set(HALLS)


@pytest.mark.parametrize("text", ["", "[]", '{"map": "x"}', '{"version": "5.0", "map": "x", "players": [{}, {}]}'])
def test_a_bad_file_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "game.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"game\.json is no game") as error:
        read_economy(path, {})
    assert "\n" not in str(error.value)
    path.write_text('{"a map": {"resources": {"MineralField": [1, 2]}}}')
    with pytest.raises(UserError, match="no file of map layouts"):
        read_layouts(path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent: it is no part of the project")
def test_real_games_are_mined_as_they_were():
    """A sample of what benchmarks/economy.py does with all: every twelfth game of version 5.0."""
    layouts = read_layouts(SHARED / "maps" / "replay_layouts.json")
    files = [f for f in sorted((SHARED / "z").glob("*.json")) if json.loads(f.read_text())["version"].startswith("5.0")]
    games = [read_economy(file, layouts) for file in files[::12]]
    schedules = make_schedules(games, 5 * MINUTE + CONTROL)
    minerals, _ = jax.jit(jax.vmap(miner(mining_game(8), schedules)))(schedules)
    errors = [
        float(minerals[i, 5 * MINUTE // CONTROL, k]) / mined(player.times, player.mineral_rate, 5 * MINUTE) - 1
        for i, game in enumerate(games)
        for k, player in enumerate(game.players)
        if player.times[-1] > 5 * MINUTE + 120
    ]
    assert len(errors) > 12
    assert np.median(np.abs(errors)) <= 0.025
    assert abs(np.median(errors)) <= 0.02
