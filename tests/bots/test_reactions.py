"""What scripted players do about single events, on a first observation that is changed by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.bots.parameters import STYLES, draw_parameters
from asterism.bots.script import Script
from asterism.game.game import EmbeddedGame
from asterism.interface.observation import POSITION_SCALE, Alliance, EntityField, MapPlane, Statistic


class Scene:
    """The start of a game as player 0 sees it, to which units are added."""

    def __init__(self, game, act):
        self.game, self.act = game, act
        _, timestep = game.reset(jax.random.key(0), game.no_strategy())
        self.observation = jax.tree.map(lambda leaf: np.array(leaf[0]), timestep.observation)
        self.rows = self.observation.entities
        self.hall = self.rows[self.find("CommandCenter"), EntityField.X : EntityField.Y + 1] / POSITION_SCALE

    def find(self, name: str) -> int:
        return int((self.rows[:, EntityField.UNIT_TYPE] == self.game.description.unit_index[name]).argmax())

    def add(self, name: str, alliance: Alliance, place, built: int = 255) -> int:
        """Adds a unit at a place in cells, in the row of the last neutral one (all are taken); returns the row."""
        free = int(np.nonzero(self.rows[:, EntityField.ALLIANCE] == Alliance.NEUTRAL)[0][-1])
        self.rows[free] = 0
        self.rows[free, EntityField.UNIT_TYPE] = self.game.description.unit_index[name]
        self.rows[free, EntityField.ALLIANCE] = alliance
        self.rows[free, EntityField.BUILD_PROGRESS] = built
        self.rows[free, EntityField.X : EntityField.Y + 1] = np.asarray(place) * POSITION_SCALE
        return free

    def reaction(self, style: str, seed: int = 0):
        """Name and parts of the action that a bot takes."""
        parameters = draw_parameters(jax.random.key(1), self.game.description, STYLES[style])
        observation = jax.tree.map(jnp.asarray, self.observation)
        _, action = self.act(parameters, observation, jax.random.key(seed))
        return self.game.description.actions[int(action.action_type)].name, jax.tree.map(np.asarray, action)

    def selected(self, action) -> set[str]:
        types = self.rows[action.units[action.units >= 0], EntityField.UNIT_TYPE]
        return {self.game.description.unit_types[kind].name for kind in types}


@pytest.fixture(scope="module")
def stage():
    game = EmbeddedGame()
    script = Script(game.description, game.size, game.map.bases)
    act = jax.jit(
        lambda parameters, observation, key: script.act(parameters, script.initial_state(), observation, key),
        compiler_options={"xla_backend_optimization_level": 0},
    )
    return game, act


@pytest.fixture
def scene(stage):
    scene = Scene(*stage)
    workers = scene.rows[:, EntityField.UNIT_TYPE] == scene.game.description.unit_index["SCV"]
    scene.rows[workers, EntityField.ORDER_LENGTH] = 1
    scene.rows[workers, EntityField.ORDER_0] = scene.game.description.action_index["Harvest_Gather_unit"] + 1
    return scene


def test_a_structure_without_a_builder_gets_one(scene):
    depot = scene.add("SupplyDepot", Alliance.SELF, scene.hall + 6, built=100)
    name, action = scene.reaction("macro")
    assert name == "Smart_unit" and action.target_unit == depot and scene.selected(action) == {"SCV"}


def test_a_structure_with_its_builder_is_left_to_it(scene):
    scene.add("SupplyDepot", Alliance.SELF, scene.hall + 6, built=100)
    builder = scene.add("SCV", Alliance.SELF, scene.hall + 5)
    scene.rows[builder, EntityField.ORDER_LENGTH] = 1
    scene.rows[builder, EntityField.ORDER_0] = scene.game.description.action_index["Build_SupplyDepot_pt"] + 1
    assert scene.reaction("macro")[0] != "Smart_unit"


def test_workers_are_called_up_in_squads_until_they_are_half_as_many_more(scene):
    """Against five workers eight fight (3 * 5 // 2 + 1): four at each look. A soldier counts for two of them."""
    for offset in (3, 4, 5, 6, 7):
        scene.add("SCV", Alliance.ENEMY, scene.hall + offset)
    called = []
    while (answer := scene.reaction("macro"))[0] == "Attack_pt" and len(called) < 3:
        squad = answer[1].units[answer[1].units >= 0]
        assert scene.selected(answer[1]) == {"SCV"}
        scene.rows[squad, EntityField.ORDER_0] = scene.game.description.action_index["Attack_pt"] + 1
        called.append(len(squad))
    assert called == [4, 4]
    scene.rows[squad, EntityField.ORDER_0] = scene.game.description.action_index["Harvest_Gather_unit"] + 1
    scene.add("Marine", Alliance.SELF, scene.hall + 2)
    soldiers = scene.rows[:, EntityField.UNIT_TYPE] == scene.game.description.unit_index["Marine"]
    scene.rows[soldiers, EntityField.ORDER_0] = scene.game.description.action_index["Attack_pt"] + 1
    name, action = scene.reaction("macro")
    assert name == "Attack_pt" and (action.units >= 0).sum() == 2


def test_one_stray_worker_calls_nobody_up(scene):
    scene.add("SCV", Alliance.ENEMY, scene.hall + 3)
    assert scene.reaction("macro")[0] != "Attack_pt"


def attackers(scene, place) -> list[int]:
    """Nine marines in a line from a place, ready to attack; nothing can be built."""
    rows = [scene.add("Marine", Alliance.SELF, place + [offset, 0]) for offset in range(9)]
    scene.observation.scalars.statistics[Statistic.FOOD_ARMY] = 30
    scene.observation.scalars.available_actions[:] = False
    scene.observation = scene.observation._replace(
        scalars=scene.observation.scalars._replace(game_loop=np.asarray(9000, np.int32))
    )
    return rows


def test_soldiers_search_what_was_never_seen(scene):
    """The enemy's start is known and empty: half the searches go elsewhere, nearly all to the one unseen place."""
    attackers(scene, scene.hall)
    scene.observation.scalars.statistics[Statistic.MINERALS] = 0
    planes = scene.observation.planes
    row, column = np.argwhere(planes[MapPlane.BUILDABLE] > 0)[40]
    planes[MapPlane.VISIBILITY] = 2
    planes[MapPlane.VISIBILITY, row, column] = 0
    goals = []
    for seed in range(12):
        name, action = scene.reaction("rush", seed)
        assert name == "Attack_pt" and scene.selected(action) == {"Marine"}
        goals.append(divmod(int(action.location), scene.game.size.location))
    scale = scene.game.size.location // planes.shape[1]
    hits = [(y // scale, x // scale) == (row, column) for y, x in goals]
    assert 2 <= sum(hits) <= 10


def test_soldiers_strike_a_structure_and_move_upon_whoever_fights_back(scene):
    place = 64 - scene.hall
    marines = attackers(scene, place)
    barracks = scene.add("Barracks", Alliance.ENEMY, place + [3, 0])
    name, action = scene.reaction("macro")
    assert name == "Attack_unit" and action.target_unit == barracks and scene.selected(action) == {"Marine"}
    scene.rows[marines, EntityField.ORDER_LENGTH] = 1
    scene.rows[marines, EntityField.ORDER_0] = scene.game.description.action_index["Attack_unit"] + 1
    assert scene.reaction("macro")[0] == "no_op"
    scene.add("Marine", Alliance.ENEMY, place + [0, 4])
    name, action = scene.reaction("macro")
    assert name == "Attack_pt" and scene.selected(action) == {"Marine"}
