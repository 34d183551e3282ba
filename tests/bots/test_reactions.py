"""What scripted players do about single events, on a first observation that is changed by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.bots.levels import Difficulty
from asterism.bots.plans import WORKERS_ATTACK, Playbook
from asterism.bots.script import Script
from asterism.bots.styles import ALL_KINDS
from asterism.bots.war import LARGE, LARGER, Campaign
from asterism.game.game import EmbeddedGame
from asterism.interface.observation import POSITION_SCALE, Alliance, EntityField, MapPlane, Race, Statistic

OURS, THEIRS = Alliance.SELF, Alliance.ENEMY


class Stage:
    """A scripted player, compiled once."""

    def __init__(self):
        self.game = game = EmbeddedGame()
        self.draw = jax.jit(Playbook(game.rules, game.settings.slots).draw)
        script = Script(game.rules, game.size, game.map.bases)

        def act(plan, observation, key, attacking):
            memory = script.initial_state()
            memory = memory._replace(war=memory.war._replace(attacking=attacking))
            return script.act(plan, memory, observation, key)[1]

        def campaign(plan, observation, old):
            return script.war.campaign(plan, script.know.scene(observation, jnp.int32(-1)), old)

        self.act = jax.jit(act)
        self.campaign = jax.jit(campaign)
        _, timestep = jax.jit(game.reset)(jax.random.key(0), game.no_strategy())
        self.first = jax.tree.map(lambda leaf: np.array(leaf[0]), timestep.observation)


class Scene:
    """The start of a game as player 0 sees it, without money, all workers at the minerals; units are added."""

    def __init__(self, stage: Stage):
        self.stage, self.game = stage, stage.game.description
        self.observation = jax.tree.map(np.copy, stage.first)
        self.rows, self.planes = self.observation.entities, self.observation.planes
        self.workers = self.of_type("SCV")
        self.order(self.workers, "Harvest_Gather_unit")
        self.hall = self.rows[self.of_type("CommandCenter")[0], EntityField.X : EntityField.Y + 1] / POSITION_SCALE
        self.have(MINERALS=0)

    def of_type(self, name: str):
        return np.flatnonzero(self.rows[:, EntityField.UNIT_TYPE] == self.game.unit_index[name])

    def order(self, rows, name: str):
        """Gives entities an order; an empty name takes all away."""
        self.rows[rows, EntityField.ORDER_LENGTH] = bool(name)
        self.rows[rows, EntityField.ORDER_0] = self.game.action_index[name] + 1 if name else 0

    def have(self, **amounts):
        for name, amount in amounts.items():
            self.observation.scalars.statistics[Statistic[name]] = amount

    def add(self, name: str, alliance: Alliance, place, built: int = 255) -> int:
        """Adds a sound unit at a place in cells, in the row of the last neutral one (all are taken); its row."""
        free = int(np.nonzero(self.rows[:, EntityField.ALLIANCE] == Alliance.NEUTRAL)[0][-1])
        self.rows[free] = 0
        self.rows[free, EntityField.UNIT_TYPE] = self.game.unit_index[name]
        self.rows[free, EntityField.ALLIANCE] = alliance
        self.rows[free, EntityField.BUILD_PROGRESS] = built
        self.rows[free, EntityField.HEALTH], self.rows[free, EntityField.HEALTH_RATIO] = 45, 255
        self.rows[free, EntityField.X : EntityField.Y + 1] = np.asarray(place) * POSITION_SCALE
        return free

    def at(self, loop: int):
        scalars = self.observation.scalars._replace(game_loop=np.asarray(loop, np.int32))
        self.observation = self.observation._replace(scalars=scalars)

    def plan(self, kind, level):
        whole = [jnp.int32(value) for value in (Race.TERRAN, level, ALL_KINDS.index(kind))]
        return self.stage.draw(jax.random.key(1), *whole)

    def reaction(self, kind="macro", level=Difficulty.VeryHard, seed=0, attacking=False):
        """Name, selected rows and all parts of the action that a bot takes."""
        plan = self.plan(kind, level)
        observation = jax.tree.map(jnp.asarray, self.observation)
        action = self.stage.act(plan, observation, jax.random.key(seed), jnp.asarray(attacking))
        action = jax.tree.map(np.asarray, action)
        return self.game.actions[int(action.action_type)].name, action.units[action.units >= 0].tolist(), action

    def place(self, action) -> np.ndarray:
        """Middle of the cell that an action is at."""
        size = self.stage.game.size.location
        line, column = divmod(int(action.location), size)
        return (np.array([column, line]) + 0.5) * self.game.map_cells / size


@pytest.fixture(scope="module")
def stage():
    return Stage()


@pytest.fixture
def scene(stage):
    return Scene(stage)


# Work


def test_who_has_nothing_to_do_waits(scene):
    assert scene.reaction()[0] == "no_op"


def test_an_idle_worker_goes_to_the_minerals_of_its_base(scene):
    scene.order(scene.workers[3], "")
    name, units, action = scene.reaction()
    assert name == "Harvest_Gather_unit" and units == [scene.workers[3]]
    field = scene.rows[action.target_unit]
    assert field[EntityField.UNIT_TYPE] == scene.game.unit_index["MineralField"]
    assert np.linalg.norm(field[EntityField.X : EntityField.Y + 1] / POSITION_SCALE - scene.hall) < 9


def test_a_structure_without_a_builder_gets_one(scene):
    depot = scene.add("SupplyDepot", OURS, scene.hall + 6, built=100)
    name, units, action = scene.reaction()
    assert name == "Smart_unit" and action.target_unit == depot
    assert len(units) == 1 and units[0] in scene.workers


def test_a_structure_with_its_builder_is_left_to_it(scene):
    scene.add("SupplyDepot", OURS, scene.hall + 6, built=100)
    scene.order(scene.add("SCV", OURS, scene.hall + 5), "Build_SupplyDepot_pt")
    assert scene.reaction()[0] != "Smart_unit"


def test_money_goes_to_workers_until_the_enemy_shows_more_soldiers(scene):
    scene.add("Barracks", OURS, scene.hall + 6)
    scene.have(MINERALS=50)
    scene.at(200)
    scene.observation.scalars.available_actions[scene.game.action_index["Train_Marine_quick"]] = True
    assert scene.reaction()[0] == "Train_SCV_quick"
    scene.add("Marine", THEIRS, scene.game.map_cells - scene.hall)
    assert scene.reaction()[0] == "Train_SCV_quick", "what stays at the enemy's home is no threat yet"
    scene.add("Marine", THEIRS, scene.hall + 20)
    assert scene.reaction()[0] == "Train_Marine_quick"


# Defence


def test_workers_are_called_up_against_workers_two_for_each(scene):
    """Against five workers ten fight, and no more once they do."""
    middle = scene.rows[scene.workers, EntityField.X : EntityField.Y + 1].mean(0) / POSITION_SCALE
    for offset in range(5):
        scene.add("SCV", THEIRS, middle + [offset / 2, 0])
    name, squad, _ = scene.reaction()
    assert name == "Attack_pt" and len(squad) == 10 and set(squad) <= set(scene.workers)
    scene.order(squad[:7], "Attack_pt")
    name, rest, _ = scene.reaction()
    assert name == "Attack_pt" and len(rest) == 3 and not set(rest) & set(squad[:7])
    scene.order(rest, "Attack_pt")
    assert scene.reaction()[0] == "no_op"


def test_low_levels_do_not_call_up_workers(scene):
    for offset in (3, 4, 5):
        scene.add("SCV", THEIRS, scene.hall + offset)
    assert scene.reaction(level=Difficulty.Medium)[0] == "no_op"
    assert scene.reaction(level=Difficulty.MediumHard)[0] == "Attack_pt"


def test_soldiers_in_number_spare_the_workers(scene):
    """Of equal supply to what has come, they fight alone."""
    for offset in (3, 4, 5):
        scene.add("SCV", THEIRS, scene.hall + offset)
    marines = {scene.add("Marine", OURS, scene.hall + [offset, -4]) for offset in (0, 1, 2)}
    name, units, action = scene.reaction()
    assert name == "Attack_pt" and set(units) == marines
    assert np.linalg.norm(scene.place(action) - (scene.hall + 3)) < 1.5


def test_one_stray_worker_calls_nobody_up_and_one_soldier_does(scene):
    scene.add("SCV", THEIRS, scene.hall + 3)
    assert scene.reaction()[0] == "no_op"
    scene.add("Marine", THEIRS, scene.hall + 4)
    name, squad, _ = scene.reaction()
    assert name == "Attack_pt" and set(squad) <= set(scene.workers) and len(squad) == 4


# Attack


def attackers(scene, place) -> list[int]:
    """Nine marines in a line from a place, enough for an attack."""
    rows = [scene.add("Marine", OURS, place + np.array([offset, 0])) for offset in range(9)]
    scene.have(FOOD_ARMY=90)
    scene.at(9000)
    return rows


def test_an_attack_goes_to_the_enemys_bases_while_nothing_is_seen_there(scene):
    marines = attackers(scene, scene.hall)
    bases = scene.stage.game.map.bases[1]
    goals = []
    for seed in range(8):
        name, units, action = scene.reaction(seed=seed)
        assert name == "Attack_pt" and units == sorted(marines)
        gap = np.linalg.norm(bases - scene.place(action), axis=1)
        assert gap.min() < 1.5
        goals.append(int(gap.argmin()))
    assert goals.count(0) > 2


def test_soldiers_search_what_was_never_seen(scene):
    """Where all bases are in sight and empty, they go to the one place that is not."""
    attackers(scene, scene.hall)
    row, column = np.argwhere(scene.planes[MapPlane.BUILDABLE] > 0)[40]
    scene.planes[MapPlane.VISIBILITY] = 2
    scene.planes[MapPlane.VISIBILITY, row, column] = 0
    cells = scene.game.map_cells / scene.planes.shape[1]
    hits = []
    for seed in range(12):
        name, _, action = scene.reaction("rush", seed=seed)
        assert name == "Attack_pt"
        hits.append(tuple(scene.place(action) // cells) == (column, row))
    assert sum(hits) >= 10


def test_soldiers_name_a_structure_as_their_target_and_move_upon_whoever_fights_back(scene):
    """A structure far from any soldier of the enemy is struck until one comes near; soldiers are gone for by place."""
    place = scene.hall + [20, 3]
    marines = attackers(scene, place - [9, 0])
    barracks = scene.add("Barracks", THEIRS, place)
    name, units, action = scene.reaction()
    assert name == "Attack_unit" and action.target_unit == barracks and units == sorted(marines)
    scene.order(marines, "Attack_unit")
    assert scene.reaction(attacking=True)[0] == "no_op"
    enemy = place + [2, 4]
    scene.add("Marine", THEIRS, enemy)
    name, units, action = scene.reaction(attacking=True)
    assert name == "Attack_pt" and len(units) and np.linalg.norm(scene.place(action) - place) < 5


@pytest.mark.parametrize("level", [Difficulty.Medium, Difficulty.VeryHard])
def test_an_attack_that_is_outdone_is_called_off_by_high_levels(scene, level):
    """Nine marines against six tanks."""
    place = 64 - scene.hall
    scene.order(attackers(scene, place), "Attack_pt")
    for offset in range(6):
        scene.add("SiegeTank", THEIRS, place + [offset, 4])
    name, units, action = scene.reaction(level=level, attacking=True)
    if level == Difficulty.Medium:
        assert name != "Move_pt"
    else:
        assert name == "Move_pt" and len(units) == 9 and np.linalg.norm(scene.place(action) - scene.hall) < 9


# Sparring partners


def test_who_is_cautious_comes_back_with_more_after_an_attack_that_came_to_nothing(scene):
    observation = jax.tree.map(jnp.asarray, scene.observation)
    on = Campaign(jnp.array(True), jnp.int32(0), jnp.float32(0), jnp.float32(0))
    for level, more in ((Difficulty.Hard, 1.0), (Difficulty.VeryHard, LARGER)):
        plan = scene.plan("rush", level)
        after = scene.stage.campaign(plan, observation, on)  # no soldier is left
        assert not after.attacking and after.wanted == more * plan.attack_supply
        again = scene.stage.campaign(plan, observation, after._replace(attacking=jnp.array(True)))
        assert again.wanted == more**2 * plan.attack_supply
    large = after._replace(attacking=jnp.array(True), wanted=jnp.float32(LARGE))
    assert scene.stage.campaign(plan, observation, large).wanted == LARGE, "there is a limit"


def test_a_worker_rush_sends_whoever_does_not_attack_yet(scene):
    scene.at(WORKERS_ATTACK)
    scene.order(scene.workers[:5], "Attack_pt")
    name, units, _ = scene.reaction("worker-rush")
    assert name == "Attack_pt" and units == sorted(scene.workers[5:])
    assert scene.reaction("macro")[0] != "Attack_pt"


def test_random_play_depends_on_the_key(scene):
    answers = {(scene.reaction("random", seed=seed)[0]) for seed in range(12)}
    assert len(answers) > 3
