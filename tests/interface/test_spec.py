"""The spec: what it lets pass, what it refuses, and the random actions that it makes."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from dm_env.specs import BoundedArray
from toys import assert_valid, random_observation, stack, toy_game

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.interface.action import ActionParts
from asterism.interface.observation import Alliance, EntityField
from asterism.interface.sizes import SIZES, InterfaceSize, interface_size
from asterism.interface.spec import action_spec, no_op, observation_spec, random_action, validate, zeros

GAME = toy_game()
SIZE = InterfaceSize("toy", entities=24, map=16, location=32, selected=4)
SPECS = {"action": action_spec(GAME, SIZE), "observation": observation_spec(GAME, SIZE)}
DRAWS = 300


@jax.jit
@jax.vmap
def draw(key, observation):
    return random_action(key, observation, GAME, SIZE)


@pytest.fixture(scope="module")
def drawn():
    """Random observations, and a random action in each. [300, ...]"""
    rng = np.random.default_rng(0)
    observation = stack(random_observation(rng, GAME, SIZE) for _ in range(DRAWS))
    return observation, jax.tree.map(np.asarray, draw(jax.random.split(jax.random.key(0), DRAWS), observation))


def each(tree):
    return [jax.tree.map(lambda leaf, i=i: leaf[i], tree) for i in range(DRAWS)]


def test_random_actions_are_within_bounds_and_masks(drawn):
    for observation, action in zip(*map(each, drawn), strict=True):
        validate(SPECS["action"], action)
        assert_valid(GAME, observation.entities, observation.scalars.available_actions, action)


def test_random_actions_reach_everything(drawn):
    """All types, selections of one unit and of as many as can be, every cell's row and column, every repeat."""
    action = drawn[1]
    assert set(action.action_type) == set(range(len(GAME.actions)))
    assert set((action.units >= 0).sum(1)) == set(range(SIZE.selected + 1))
    assert set(action.location // SIZE.location) == set(action.location % SIZE.location) == set(range(SIZE.location))
    assert set(action.repeat) == set(range(SIZE.repeats)) and set(action.queued) == {0, 1}


def test_random_actions_select_units_where_there_are_any(drawn):
    """An action that selects has at least one unit, if the player owns one that can take it."""
    for observation, action in zip(*map(each, drawn), strict=True):
        row, entities = GAME.actions[action.action_type], observation.entities
        own = entities[entities[:, EntityField.ALLIANCE] == Alliance.SELF, EntityField.UNIT_TYPE]
        able = [kind for kind in own if GAME.unit_types[kind].name in row.units]
        assert (action.units >= 0).any() == (row.selects and len(able) > 0)


def test_where_only_no_op_is_available_it_is_drawn(drawn):
    available = np.broadcast_to(np.arange(len(GAME.actions)) == 0, (DRAWS, len(GAME.actions)))
    observation = drawn[0]._replace(scalars=drawn[0].scalars._replace(available_actions=available))
    assert (draw(jax.random.split(jax.random.key(1), DRAWS), observation).action_type == 0).all()


def test_no_op_selects_nothing_and_waits():
    action = no_op(SIZE, 22)
    validate(SPECS["action"], action)
    assert (int(action.action_type), int(action.delay)) == (0, 22) and (action.units == -1).all()


# What is refused


def leaves(spec):
    return jax.tree.leaves(spec, is_leaf=lambda node: isinstance(node, BoundedArray))


def with_leaf(spec, index, value):
    """Zeros that fit, with one leaf changed."""
    values = jax.tree.leaves(zeros(spec))
    values[index] = value
    tree = jax.tree.structure(spec, is_leaf=lambda node: isinstance(node, BoundedArray))
    return jax.tree.unflatten(tree, values)


@pytest.mark.parametrize("kind", SPECS)
def test_every_field_refuses_other_types_and_shapes_by_name(kind):
    spec = SPECS[kind]
    validate(spec, zeros(spec))
    for index, leaf in enumerate(leaves(spec)):
        for wrong in (np.zeros(leaf.shape, np.float32), np.zeros((*leaf.shape, 2), leaf.dtype)):
            with pytest.raises(ValueError, match=leaf.name):
                validate(spec, with_leaf(spec, index, wrong))


@pytest.mark.parametrize("kind", SPECS)
def test_every_field_refuses_what_is_out_of_range_by_name(kind):
    """One step beyond either bound, wherever the field's own numbers go as far."""
    spec, tried = SPECS[kind], 0
    for index, leaf in enumerate(leaves(spec)):
        if leaf.dtype == bool:
            continue
        limits = np.iinfo(leaf.dtype)
        for value in (int(np.min(leaf.minimum)) - 1, int(np.min(leaf.maximum)) + 1):
            if limits.min <= value <= limits.max:
                tried += 1
                with pytest.raises(ValueError, match=leaf.name):
                    validate(spec, with_leaf(spec, index, np.full(leaf.shape, value, leaf.dtype)))
    assert tried >= len(leaves(spec))


def test_each_entity_column_has_its_own_bound():
    spec = SPECS["observation"].entities
    entities = np.zeros(spec.shape, np.int16)
    entities[3, EntityField.HEALTH] = 1500
    spec.validate(entities)
    for field, value in ((EntityField.ALLIANCE, 5), (EntityField.UNIT_TYPE, 12), (EntityField.HEALTH_RATIO, 256)):
        wrong = entities.copy()
        wrong[3, field] = value
        with pytest.raises(ValueError, match="entities"):
            spec.validate(wrong)


# Sizes and descriptions


@pytest.mark.parametrize(
    "setting", [{"location": 24}, {"map": 0}, {"entities": 0}, {"selected": -1}, {"delays": 0}, {"repeats": 0}]
)
def test_sizes_refuse_nonsense(setting):
    with pytest.raises(UserError, match=f"toy.*{next(iter(setting))}"):
        replace(SIZE, **setting)


def test_sizes_by_name():
    for name, size in SIZES.items():
        assert interface_size(name) is size and size.name == name
    with pytest.raises(UserError, match="'huge'.*tiny, small, full"):
        interface_size("huge")


def test_full_size_is_alphastars():
    full = interface_size("full")
    assert (full.entities, full.map, full.location, full.selected, full.delays) == (512, 128, 256, 64, 128)


@pytest.mark.parametrize("game", [GAME, EmbeddedGame().description], ids=lambda game: game.name)
def test_tables_of_a_description_agree_with_its_rows(game):
    names = dict(zip(ActionParts._fields[2:], ("queued", "repeat", "selects", "target_unit", "location"), strict=True))
    assert game.uses.action_type.all() and game.uses.delay.all()
    for index, row in enumerate(game.actions):
        assert game.action_index[row.name] == index
        takers = {unit.name for unit, can in zip(game.unit_types, game.selectable[index], strict=True) if can}
        assert takers == set(row.units)
        for part, name in names.items():
            assert getattr(game.uses, part)[index] == getattr(row, name), (row.name, part)
    assert not game.selectable[:, 0].any(), "an empty row of the entity list can be selected"


def test_a_description_begins_with_none_and_no_op():
    with pytest.raises(UserError, match="toy.*none.*no_op"):
        replace(GAME, actions=GAME.actions[1:])
    with pytest.raises(UserError, match="toy.*none.*no_op"):
        replace(GAME, unit_types=GAME.unit_types[1:])


def test_the_embedded_game_begins_within_the_spec():
    game = EmbeddedGame()
    _, timestep = jax.jit(game.reset)(jax.random.key(0), game.no_strategy())
    spec = observation_spec(game.description, game.size)
    for player in range(2):
        observation = jax.tree.map(lambda leaf, p=player: leaf[p], timestep.observation)
        validate(spec, observation)
        own = observation.entities[observation.entities[:, EntityField.ALLIANCE] == Alliance.SELF]
        names = [game.description.unit_types[int(kind)].name for kind in own[:, EntityField.UNIT_TYPE]]
        assert sorted(names) == ["CommandCenter"] + ["SCV"] * 12
    assert timestep.acting.all() and not timestep.done and (timestep.reward == 0).all()
