"""Scripted players of the three races: each builds, techs up, expands, attacks, and keeps to an agent's interface."""

import jax
import numpy as np
import pytest

from asterism.bots.race_styles import RACE_STYLES, draw_plan, race_style, tasks_for
from asterism.errors import UserError
from asterism.game.rules import full
from asterism.interface.spec import action_spec, validate
from asterism.runtime.race_films import MINUTE, SHOT_EVERY, play_races, race_game

PAIRS = [("terran", "zerg"), ("zerg", "protoss"), ("protoss", "terran")]
MINUTES, SLOTS = 8, 96
SEATS = [(lane, player, name) for lane, pair in enumerate(PAIRS) for player, name in enumerate(pair)]


@pytest.fixture(scope="module")
def rules():
    return full()


class Played:
    """Eight minutes of three games, compiled once."""

    def __init__(self):
        self.game = race_game("first_light", MINUTES, SLOTS)
        self.kinds = self.game.description.unit_index
        self.games = play_races(self.game, PAIRS, seed=1)

    def counts(self, minute, lane, player):
        """Units of each type that a player has, by name."""
        shot = min(round(minute * MINUTE / SHOT_EVERY), int(self.games.alive[:, lane].sum()) - 1)
        types = self.games.shots.type[shot, lane].reshape(2, SLOTS)[player]
        return {name: int((types == kind).sum()) for name, kind in self.kinds.items()}

    def most(self, lane, player):
        """The most units of each type that a player had at a time."""
        types = self.games.shots.type[:, lane].reshape(-1, 2, SLOTS)[:, player]
        return {name: int((types == kind).sum(1).max()) for name, kind in self.kinds.items()}


@pytest.fixture(scope="module")
def played():
    return Played()


WORKERS = {"terran": "SCV", "zerg": "Drone", "protoss": "Probe"}
HALLS = {
    "terran": ("CommandCenter", "OrbitalCommand"),
    "zerg": ("Hatchery", "Lair"),
    "protoss": ("Nexus",),
}
TECH = {
    "terran": ("BarracksReactor", "BarracksTechLab", "FactoryTechLab", "Starport", "EngineeringBay"),
    "zerg": ("SpawningPool", "RoachWarren", "Lair", "HydraliskDen", "EvolutionChamber"),
    "protoss": ("CyberneticsCore", "WarpGate", "RoboticsFacility", "Forge", "TwilightCouncil"),
}
ARMY = {
    "terran": ("Marine", "Marauder", "SiegeTank", "Medivac"),
    "zerg": ("Queen", "Zergling", "Roach", "Hydralisk"),
    "protoss": ("Zealot", "Stalker", "Immortal"),
}


@pytest.mark.parametrize("lane, player, name", SEATS)
def test_everybody_mines_and_expands(played, lane, player, name):
    assert played.counts(2, lane, player)[WORKERS[name]] >= 18
    counts = played.counts(5, lane, player)
    assert counts[WORKERS[name]] >= 28
    assert sum(counts[hall] for hall in HALLS[name]) >= 2


@pytest.mark.parametrize("lane, player, name", SEATS)
def test_everybody_reaches_its_tech_and_has_an_army_of_several_types(played, lane, player, name):
    most = played.most(lane, player)
    assert all(most[kind] >= 1 for kind in TECH[name]), {kind: most[kind] for kind in TECH[name]}
    assert sum(most[kind] >= 1 for kind in ARMY[name]) >= 3, {kind: most[kind] for kind in ARMY[name]}
    assert played.games.shots.upgrades[:, lane, player].any(0).sum() >= 2


@pytest.mark.parametrize("lane, player, name", SEATS)
def test_nobody_hoards(played, lane, player, name):
    """Money is spent, and never overspent."""
    alive = played.games.alive[:, lane]
    minerals = played.games.shots.minerals[alive, lane, player]
    assert minerals.min() >= 0 and played.games.shots.vespene[alive, lane, player].min() >= 0
    first_minutes = minerals[: round(6 * MINUTE / SHOT_EVERY)]
    assert first_minutes.mean() < 350, first_minutes.mean()


def test_somebody_attacks_and_there_are_losses(played):
    """Soldiers cross the middle of the map, units come under fire, and somebody loses supply."""
    shots = played.games.shots
    soldiers = np.isin(shots.type, [played.kinds[name] for names in ARMY.values() for name in names if name != "Queen"])
    starts = np.repeat(np.array(played.game.world.terrain.starts), SLOTS, 0)
    place = shots.position.astype(float)
    across = np.linalg.norm(place - starts[::-1], axis=-1) < np.linalg.norm(place - starts, axis=-1)
    assert (across & soldiers).sum(-1).max() >= 5
    assert (shots.target >= 0).any()
    used = shots.supply[..., 0].astype(int)
    assert (np.maximum.accumulate(used) - used).max() > 8


def test_every_action_is_valid_and_none_names_nobody(played):
    spec = action_spec(played.game.description, played.game.size)
    rows = played.game.description.actions
    for actions in played.games.played:
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), actions)
        for index in range(0, len(flat.action_type), 7):
            validate(spec, jax.tree.map(lambda leaf, index=index: leaf[index], flat))
        named = (flat.units >= 0).any(-1)
        selects = np.array([row.selects for row in rows])[flat.action_type]
        assert (named == selects).all()


# The styles as data


@pytest.mark.parametrize("name", RACE_STYLES)
def test_what_a_goal_requires_is_an_earlier_goal(rules, name):
    """Otherwise it would never be built."""
    style, counts_as = RACE_STYLES[name], rules.units.counts_as
    have = np.zeros(counts_as.shape[0], bool)
    for start in (style.worker, style.supply, *HALLS[name][:1]):
        have[rules.description.unit_index[start]] = True
    known = set()
    for _, goal, _ in (*style.goals, *((0, unit, 1) for unit in style.army)):
        task = tasks_for(rules, goal)[0]
        required = np.flatnonzero(rules.tasks.requires[task])
        assert all((counts_as[unit] & have).any() for unit in required), goal
        before = rules.tasks.requires_upgrade[task]
        assert before < 0 or rules.description.upgrades[before] in known, goal
        have[rules.tasks.product[task]] |= rules.tasks.product[task] > 0
        known.add(goal)


@pytest.mark.parametrize("name", RACE_STYLES)
def test_goals_come_in_the_order_of_supply_and_keep_to_the_rate_of_an_agent(name):
    style = RACE_STYLES[name]
    supplies = [supply for supply, _, _ in style.goals]
    assert supplies == sorted(supplies)
    assert min(style.delay) * 22 >= 112


@pytest.mark.parametrize("name", RACE_STYLES)
def test_numbers_are_drawn_from_the_styles_ranges(rules, name):
    style = RACE_STYLES[name]
    plans = [draw_plan(jax.random.key(seed), rules, style) for seed in range(12)]
    for field in ("workers", "attack_supply", "attack_loop", "delay"):
        low, high = getattr(style, field)
        values = [int(getattr(plan, field)) for plan in plans]
        assert low <= min(values) and max(values) <= high and len(set(values)) > 1


def test_an_unknown_bot_is_refused():
    with pytest.raises(UserError, match="unknown bot 'orc': choose one of terran, zerg, protoss"):
        race_style("orc")
