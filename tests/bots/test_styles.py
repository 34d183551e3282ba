"""Scripted players of the three races: all styles play, each as it is meant to, and keep to an agent's interface."""

from collections import Counter

import jax
import numpy as np
import pytest

from asterism.bots.levels import LEVELS
from asterism.bots.names import DEFAULT, parse_bot
from asterism.bots.styles import STYLES
from asterism.game.tasks import Kind
from asterism.interface.spec import action_spec, validate
from asterism.runtime.race_films import MINUTE, SHOT_EVERY, play_races, race_game

PAIRS = [
    ("terran:rush", "protoss:rush"),
    ("zerg:rush", "protoss:timing"),
    ("zerg:timing", "terran:timing"),
    ("terran:macro", "zerg:macro"),
    ("terran:air", "protoss:macro"),
    ("zerg:air", "protoss:air"),
]
MINUTES, SLOTS = 8, 64
SEATS = [(lane, player, name) for lane, pair in enumerate(PAIRS) for player, name in enumerate(pair)]


class Played:
    """Eight minutes of six games, compiled once."""

    def __init__(self):
        self.game = race_game("first_light", MINUTES, SLOTS)
        self.kinds = self.game.description.unit_index
        self.games = play_races(self.game, PAIRS, seed=1)

    def types(self, lane, player):
        """Types of a player's slots, by picture."""
        return self.games.shots.type[:, lane].reshape(-1, 2, SLOTS)[:, player]

    def most(self, lane, player, minute=MINUTES):
        """The most units of each type that a player had at a time, up to a minute."""
        types = self.types(lane, player)[: round(minute * MINUTE / SHOT_EVERY)]
        return {name: int((types == kind).sum(1).max()) for name, kind in self.kinds.items()}

    def where(self, lane, player, *names, nowhere=1e3):
        """Places of a player's units of these types, by picture; `nowhere` for all others."""
        place = self.games.shots.position[:, lane].astype(float).reshape(-1, 2, SLOTS, 2)[:, player]
        mine = np.isin(self.types(lane, player), [self.kinds[name] for name in names])
        return np.where(mine[..., None], place, nowhere)


@pytest.fixture(scope="module")
def played():
    return Played()


def test_every_style_plays():
    names = [parse_bot(name) for pair in PAIRS for name in pair]
    assert {(name.race, name.kind) for name in names} == set(STYLES) and len(names) == len(STYLES)


# What each style shows: the most of each type, up to a minute.
SHOWS = {
    "terran:rush": (4, {"Barracks": 2}, ("Marine", "Reaper"), 5),
    "terran:timing": (7, {"BarracksTechLab": 1, "Factory": 1}, ("Marine", "Marauder", "SiegeTank"), 8),
    "terran:macro": (7, {"Barracks": 3, "OrbitalCommand": 2, "EngineeringBay": 1}, ("Marine", "Marauder"), 6),
    "terran:air": (7, {"Starport": 1, "StarportTechLab": 1}, ("Banshee",), 1),
    "zerg:rush": (4, {"SpawningPool": 1}, ("Zergling",), 6),
    "zerg:timing": (7, {"RoachWarren": 1, "Hatchery": 2}, ("Roach", "Ravager"), 5),
    "zerg:macro": (7, {"Hatchery": 3, "Queen": 2}, ("Zergling", "Roach", "Hydralisk"), 6),
    "zerg:air": (8, {"Lair": 1, "Spire": 1}, ("Mutalisk",), 2),
    "protoss:rush": (4, {"Gateway": 2}, ("Zealot", "Stalker", "Adept", "Sentry"), 3),
    "protoss:timing": (7, {"TwilightCouncil": 1}, ("Stalker", "Immortal"), 5),
    "protoss:macro": (7, {"Nexus": 2, "Assimilator": 2}, ("Zealot", "Stalker", "Immortal"), 4),
    "protoss:air": (7, {"Stargate": 1}, ("Oracle", "VoidRay", "Phoenix", "Carrier"), 1),
}


@pytest.mark.parametrize("lane, player, name", [seat for seat in SEATS if seat[2] != "protoss:timing"])
def test_each_style_makes_what_it_is_known_for(played, lane, player, name):
    minute, structures, soldiers, number = SHOWS[name]
    most = played.most(lane, player, minute)
    assert all(most[kind] >= count for kind, count in structures.items()), {kind: most[kind] for kind in structures}
    assert sum(most[kind] for kind in soldiers) >= number, {kind: most[kind] for kind in soldiers}


@pytest.mark.parametrize("lane, player, name", SEATS)
def test_the_structures_of_a_game_begin_with_those_of_the_drawn_opening(played, lane, player, name):
    """The first three, without what is made for supply, are among the first five that are begun, the first is first:
    what has to wait for its site lets others by."""
    tasks, game = played.game.rules.tasks, played.game.description
    order = [task for task in np.asarray(played.games.plans[player].opening.task[lane]) if task]
    asked = [int(tasks.product[task]) for task in order if tasks.kind[task] == Kind.BUILD]
    sites = set(tasks.product[tasks.kind == Kind.BUILD].tolist())
    built = [int(kind) for kind in played.games.built[lane, player] if int(kind) in sites]
    label = lambda kinds: [game.unit_types[kind].name for kind in kinds]  # noqa: E731
    assert not Counter(label(asked[:3])) - Counter(label(built[:5]))
    assert label(built[:1]) == label(asked[:1])


@pytest.mark.parametrize("lane, player, name", [seat for seat in SEATS if "rush" not in seat[2]])
def test_who_does_not_rush_mines_and_expands(played, lane, player, name):
    most = played.most(lane, player, 5)
    assert max(most[worker] for worker in ("SCV", "Drone", "Probe")) >= 20
    assert sum(most[hall] for hall in ("CommandCenter", "OrbitalCommand", "Hatchery", "Lair", "Nexus")) >= 2


@pytest.mark.parametrize("lane, player, name", SEATS)
def test_nobody_hoards(played, lane, player, name):
    """Money is spent, and never overspent."""
    shots, alive = played.games.shots, played.games.alive[:, lane]
    minerals = shots.minerals[alive, lane, player]
    assert minerals.min() >= 0 and shots.vespene[alive, lane, player].min() >= 0
    first_minutes = minerals[: round(5 * MINUTE / SHOT_EVERY)]
    assert first_minutes.mean() < 550, first_minutes.mean()


@pytest.mark.parametrize("name", ["zerg:rush", "protoss:rush"])
def test_a_rush_comes_early(played, name):
    """By 4:30 its soldiers are in the enemy's half."""
    lane, player, _ = next(seat for seat in SEATS if seat[2] == name)
    start = np.asarray(played.game.world.terrain.starts)
    place = played.where(lane, player, *SHOWS[name][2])[: round(4.5 * MINUTE / SHOT_EVERY)]
    across = np.linalg.norm(place - start[1 - player], axis=-1) < np.linalg.norm(place - start[player], axis=-1)
    assert (across & (place[..., 0] < 999)).sum(1).max() >= 2


@pytest.mark.parametrize("name", ["terran:air", "zerg:air", "protoss:air"])
def test_raiders_come_to_the_enemys_workers(played, name):
    lane, player, _ = next(seat for seat in SEATS if seat[2] == name)
    raiders = played.where(lane, player, *STYLES[tuple(name.split(":"))].raiders)
    workers = played.where(lane, 1 - player, "SCV", "Drone", "Probe", nowhere=-1e3)
    assert np.linalg.norm(raiders[:, :, None] - workers[:, None], axis=-1).min() < 15.0


def test_soldiers_fight_and_somebody_loses_supply(played):
    shots = played.games.shots
    assert (shots.target >= 0).any()
    used = shots.supply[..., 0].astype(int)
    assert (np.maximum.accumulate(used) - used).max() > 8


def test_every_action_is_valid_and_none_names_nobody(played):
    spec = action_spec(played.game.description, played.game.size)
    rows = played.game.description.actions
    for actions in played.games.played:
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), actions)
        for index in range(0, len(flat.action_type), 13):
            validate(spec, jax.tree.map(lambda leaf, index=index: leaf[index], flat))
        named = (flat.units >= 0).any(-1)
        selects = np.array([row.selects for row in rows])[flat.action_type]
        assert (named == selects).all()
        assert (flat.delay == LEVELS[DEFAULT].delay).all()
