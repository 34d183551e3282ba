"""The tasks say what they ask: hand-worked answers are right, others wrong, and what is seen fits the interface."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.rules import load_rules
from asterism.interface.observation import Alliance, EntityField, MapPlane
from asterism.interface.sizes import interface_size
from asterism.interface.spec import action_spec, no_op, observation_spec, random_action, validate
from asterism.tasks import suite
from asterism.tasks.choosing import PERIODS, WAIT
from asterism.tasks.pointing import LEVELS

SIZE = interface_size("tiny")
RULES = load_rules("terran_v1", SIZE.location)
GAME = RULES.description
TASKS = suite(GAME, SIZE)
NOTHING = no_op(SIZE, 0)
EPISODES = 400
NEAR = ((3 * 14 + 2 * 2) / 16) ** 2 / 256
"""Share of the map within a cell of a random one: three rows of 16, two at the border, and columns alike."""
CHANCE = {
    "action_type": 1 / 4,
    "marines": 0.02,
    "weakest": 1 / 5,
    "match": 1 / 4,
    "location": NEAR,
    "delay": 9 / 128,
    "queue": 1 / 2,
    "memory": 1 / 2,
    "follow_z": 1 / 4,
    "scatter": NEAR,
}
"""Successes of random play; of `marines`, at most."""


def answer(name, scene, **parts):
    """What an action with these parts is worth in the last step."""
    task = TASKS[name]
    action = NOTHING._replace(**{part: jnp.asarray(value) for part, value in parts.items()})
    verdict = task.judge(scene, jnp.array(task.steps - 1), action)
    assert -1 <= verdict.reward <= 1
    return float(verdict.reward), bool(verdict.success)


@pytest.mark.parametrize("name", TASKS)
def test_random_play_fits_the_interface_and_succeeds_by_chance(name):
    task, step = TASKS[name], jnp.array(TASKS[name].steps - 1)

    def play(key):
        of_scene, of_action = jax.random.split(key)
        scene = task.draw(of_scene)
        seen = task.observe(scene, step)
        action = random_action(of_action, seen, GAME, SIZE)
        return seen, action, task.judge(scene, step, action)

    seen, action, verdict = jax.jit(jax.vmap(play))(jax.random.split(jax.random.key(0), EPISODES))
    first = jax.tree.map(lambda leaf: np.asarray(leaf)[0], (seen, action))
    validate(observation_spec(GAME, SIZE), first[0])
    validate(action_spec(GAME, SIZE), first[1])
    assert jnp.all(jnp.abs(verdict.reward) <= 1)
    spread = 4 * (CHANCE[name] * (1 - CHANCE[name]) / EPISODES) ** 0.5
    rate = float(verdict.success.mean())
    assert rate <= CHANCE[name] + spread and (name == "marines" or rate >= CHANCE[name] - spread)


def test_only_exactly_the_marines_are_right():
    scene = jnp.array([True, False, True, False, False, False, False, False]), jnp.arange(8)
    units = lambda *chosen: jnp.full(SIZE.selected, -1).at[: len(chosen)].set(jnp.array(chosen))  # noqa: E731
    assert answer("marines", scene, units=units(2, 0)) == (1.0, True)
    assert answer("marines", scene, units=units(0)) == (0.0, False)  # one of two
    assert answer("marines", scene, units=units(0, 2, 1, 3)) == (0.0, False)  # two of four
    assert answer("marines", scene, units=units(1)) == (-1.0, False)
    kinds = TASKS["marines"].observe(scene, jnp.array(0)).entities[:8, EntityField.UNIT_TYPE]
    assert (np.asarray(kinds) == GAME.unit_index["Marine"]).tolist() == scene[0].tolist()


def test_the_weakest_is_the_one_of_least_health():
    scene = jnp.array([20, 5, 35, 10]), jnp.arange(5)
    seen = TASKS["weakest"].observe(scene, jnp.array(0)).entities
    assert seen[:5, EntityField.HEALTH].tolist() == [20, 5, 35, 10, 45]
    assert (np.asarray(seen[:4, EntityField.ALLIANCE]) == Alliance.ENEMY).all()
    assert answer("weakest", scene, target_unit=1) == (1.0, True)
    assert answer("weakest", scene, target_unit=3) == (-1.0, False)


def test_the_match_has_the_levels_of_an_own_unit_and_the_other_enemy_has_not():
    task = TASKS["match"]
    for seed in range(20):
        scene = task.draw(jax.random.key(seed))
        seen = np.asarray(task.observe(scene, jnp.array(0)).entities[:4])
        levels = seen[:, [EntityField[name] for name in LEVELS]]
        assert seen[:, EntityField.ALLIANCE].tolist() == [Alliance.ENEMY] * 2 + [Alliance.SELF] * 2
        matched = [(levels[2:] == levels[enemy]).all(1).sum() for enemy in (0, 1)]
        assert sorted(matched) == [0, 1] and levels.max() <= 3
        right = matched.index(1)
        assert answer("match", scene, target_unit=right) == (1.0, True)
        assert answer("match", scene, target_unit=1 - right) == answer("match", scene, target_unit=2) == (-1.0, False)


def test_a_location_may_miss_the_marked_cell_by_one():
    scene = jnp.array(3 * SIZE.map + 5)  # x 5, y 3
    planes = np.asarray(TASKS["location"].observe(scene, jnp.array(0)).planes)
    for plane, value in ((MapPlane.ALERTS, 1), (MapPlane.CAMERA, 1), (MapPlane.VISIBILITY, 2)):
        assert np.argwhere(planes[plane] == value).tolist() == [[3, 5]]
    grain = SIZE.location // SIZE.map
    for y, x in ((3, 5), (2, 4), (4, 6)):
        assert answer("location", scene, location=grain * y * SIZE.location + grain * x) == (1.0, True)
    for y, x in ((3, 7), (5, 5), (15, 15)):
        assert answer("location", scene, location=grain * y * SIZE.location + grain * x) == (-1.0, False)


def test_planes_do_not_tell_who_of_the_enemies_is_the_tank():
    cells = jnp.arange(6) * 20
    one, other = (TASKS["scatter"].observe((jnp.array(i), cells), jnp.array(0)) for i in (0, 4))
    assert (one.planes == other.planes).all() and (one.entities != other.entities).any()
    y, x = divmod(80, SIZE.map)
    assert answer("scatter", (jnp.array(4), cells), location=2 * y * SIZE.location + 2 * x) == (1.0, True)
    assert not answer("scatter", (jnp.array(0), cells), location=2 * y * SIZE.location + 2 * x)[1]


def test_a_delay_may_miss_by_four_loops():
    """A Hellion fires every 2.5 / 1.4 seconds: 40 loops."""
    scene = jnp.array(2), jnp.arange(1)
    seen = TASKS["delay"].observe(scene, jnp.array(0)).entities[0]
    assert seen[EntityField.UNIT_TYPE] == GAME.unit_index["Hellion"] and seen[EntityField.WEAPON_COOLDOWN] == 40
    assert answer("delay", scene, delay=40) == (1.0, True)
    assert answer("delay", scene, delay=44)[1] and not answer("delay", scene, delay=45)[1]
    assert answer("delay", scene, delay=127) == (-1.0, False)


@pytest.mark.parametrize("name", PERIODS)
def test_periods_are_those_of_the_weapons(name):
    weapons = np.unique(RULES.units.weapons.of[GAME.unit_index[name]])
    assert np.round(RULES.units.weapons.cooldown[weapons[weapons > 0]]).tolist() == [PERIODS[name]]


def test_the_cue_is_seen_in_the_first_step_alone():
    task = TASKS["memory"]
    assert task.steps == WAIT + 1
    scenes = [(jnp.array(cue), jnp.arange(1)) for cue in range(2)]
    first, *later = ([task.observe(scene, jnp.array(step)) for scene in scenes] for step in (0, 1, WAIT))
    assert len({int(seen.entities[0, EntityField.UNIT_TYPE]) for seen in first}) == 2
    for seen in later:
        assert all(jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), seen[0], one)) for one in seen[1:])


@pytest.mark.parametrize("name", ["action_type", "memory", "follow_z"])
def test_each_scene_has_one_right_action_type(name):
    task = TASKS[name]
    choices = 2 if name == "memory" else 4
    for choice in range(choices):
        scene = jnp.array(choice), jnp.arange(3 if name == "action_type" else 2 if name == "follow_z" else 1)
        available = np.flatnonzero(task.observe(scene, jnp.array(0)).scalars.available_actions)
        right = [int(kind) for kind in available if answer(name, scene, action_type=kind) == (1.0, True)]
        assert len(available) == choices and len(right) == 1


def test_z_names_the_unit_to_train():
    scene = jnp.array(2), jnp.arange(2)
    z = TASKS["follow_z"].observe(scene, jnp.array(0)).z
    asked = int(z.build_order[0])
    assert np.flatnonzero(z.units).tolist() == [asked] and not z.build_order[1:].any()
    right = GAME.action_index[f"Train_{GAME.unit_types[asked].name}_quick"]
    assert answer("follow_z", scene, action_type=right) == (1.0, True)


def test_a_marine_at_work_is_given_orders_behind_the_first():
    for works in (0, 1):
        scene = jnp.array(works), jnp.arange(1)
        assert int(TASKS["queue"].observe(scene, jnp.array(0)).entities[0, EntityField.ORDER_LENGTH]) == works
        assert answer("queue", scene, queued=works) == (1.0, True)
        assert answer("queue", scene, queued=1 - works) == (-1.0, False)
