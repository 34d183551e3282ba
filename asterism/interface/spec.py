"""One nested spec of observations and actions: it validates the ones and draws random valid others."""

import jax
import jax.numpy as jnp
import numpy as np
from dm_env.specs import BoundedArray
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.observation import (
    POSITION_SCALE,
    Alliance,
    DisplayType,
    EntityField,
    MapPlane,
    Observation,
    Privileged,
    Race,
    Scalars,
    Statistic,
    Strategy,
)
from asterism.interface.sizes import InterfaceSize

INT16 = np.iinfo(np.int16)
INT32 = np.iinfo(np.int32)


def strategy_spec(game: GameDescription, size: InterfaceSize) -> Strategy:
    """Spec of z, and of what a player has done so far."""
    units, upgrades = len(game.unit_types), len(game.upgrades)
    return Strategy(
        build_order=BoundedArray((size.build_order,), np.int16, 0, units + upgrades - 1, "build_order"),
        build_order_location=BoundedArray(
            (size.build_order,), np.int32, 0, size.location**2 - 1, "build_order_location"
        ),
        units=BoundedArray((units,), bool, False, True, "units"),
        effects=BoundedArray((len(game.effects),), bool, False, True, "effects"),
        upgrades=BoundedArray((upgrades,), bool, False, True, "upgrades"),
    )


def entity_spec(game: GameDescription, size: InterfaceSize) -> BoundedArray:
    """Spec of the entity list, each column with its own bounds."""
    high = np.full(len(EntityField), INT16.max)
    for field, most in (
        (EntityField.UNIT_TYPE, len(game.unit_types) - 1),
        (EntityField.ALLIANCE, Alliance.ENEMY),
        (EntityField.ATTRIBUTES, 2**13 - 1),
        (EntityField.DISPLAY_TYPE, 4),
        (EntityField.CLOAK, 4),
        (EntityField.ADDON, len(game.unit_types) - 1),
        (EntityField.X, game.map_cells * 8),
        (EntityField.Y, game.map_cells * 8),
    ):
        high[field] = most
    for field in EntityField:
        if "RATIO" in field.name or "PROGRESS" in field.name:
            high[field] = 255
        if field.name in (
            "POWERED",
            "HALLUCINATION",
            "ACTIVE",
            "ON_SCREEN",
            "IN_CARGO",
            "WAS_SELECTED",
            "WAS_TARGETED",
        ):
            high[field] = 1
        if field.name.startswith("ORDER_") and field.name[-1].isdigit() and "PROGRESS" not in field.name:
            high[field] = len(game.actions)
    shape = (size.entities, len(EntityField))
    return BoundedArray(shape, np.int16, 0, np.broadcast_to(high, shape), "entities")


def observation_spec(game: GameDescription, size: InterfaceSize) -> Observation:
    """Spec of one player's observation."""
    actions, upgrades = len(game.actions), len(game.upgrades)
    flag = {"minimum": False, "maximum": True}
    return Observation(
        entities=entity_spec(game, size),
        planes=BoundedArray((len(MapPlane), size.map, size.map), np.uint8, 0, 255, "planes"),
        scalars=Scalars(
            game_loop=BoundedArray((), np.int32, 0, INT32.max, "game_loop"),
            statistics=BoundedArray((len(Statistic),), np.int32, 0, INT32.max, "statistics"),
            races=BoundedArray((2,), np.uint8, 0, max(Race), "races"),
            upgrades=BoundedArray((upgrades,), bool, name="upgrades", **flag),
            enemy_upgrades=BoundedArray((upgrades,), bool, name="enemy_upgrades", **flag),
            available_actions=BoundedArray((actions,), bool, name="available_actions", **flag),
            unit_counts=BoundedArray((len(game.unit_types),), np.int16, 0, INT16.max, "unit_counts"),
            mmr=BoundedArray((), np.int16, 0, INT16.max, "mmr"),
            last_action_type=BoundedArray((), np.int16, 0, actions - 1, "last_action_type"),
            last_delay=BoundedArray((), np.int16, 0, size.delays - 1, "last_delay"),
            last_queued=BoundedArray((), np.int16, 0, 1, "last_queued"),
            last_repeat=BoundedArray((), np.int16, 0, size.repeats - 1, "last_repeat"),
        ),
        z=strategy_spec(game, size),
    )


def privileged_spec(game: GameDescription, size: InterfaceSize) -> Privileged:
    """Spec of what the value networks see, [2, ...]: a player itself and the other one."""
    upgrades = len(game.upgrades)
    player = Privileged(
        statistics=BoundedArray((len(Statistic),), np.int32, 0, INT32.max, "statistics"),
        unit_counts=BoundedArray((len(game.unit_types),), np.int16, 0, INT16.max, "unit_counts"),
        upgrades=BoundedArray((upgrades,), bool, False, True, "upgrades"),
        score=BoundedArray((), np.int32, 0, INT32.max, "score"),
        executed=strategy_spec(game, size),
    )
    return jax.tree.map(lambda spec: spec.replace(shape=(2, *spec.shape)), player)


def action_spec(game: GameDescription, size: InterfaceSize) -> Action:
    """Spec of one action."""
    return Action(
        action_type=BoundedArray((), np.int32, 0, len(game.actions) - 1, "action_type"),
        delay=BoundedArray((), np.int32, 0, size.delays - 1, "delay"),
        queued=BoundedArray((), np.int32, 0, 1, "queued"),
        repeat=BoundedArray((), np.int32, 0, size.repeats - 1, "repeat"),
        units=BoundedArray((size.selected,), np.int32, -1, size.entities - 1, "units"),
        target_unit=BoundedArray((), np.int32, 0, size.entities - 1, "target_unit"),
        location=BoundedArray((), np.int32, 0, size.location**2 - 1, "location"),
    )


def validate(spec, value) -> None:
    """Raises ValueError, naming the field, where a nested value does not fit its nested spec."""
    is_spec = lambda node: isinstance(node, BoundedArray)  # noqa: E731
    jax.tree.map(lambda s, v: s.validate(np.asarray(v)), spec, value, is_leaf=is_spec)


def zeros(spec):
    """A nested value of zeros (-1 where that is the minimum) that fits a nested spec."""
    is_spec = lambda node: isinstance(node, BoundedArray)  # noqa: E731
    return jax.tree.map(
        lambda s: jnp.asarray(np.broadcast_to(s.minimum, s.shape).astype(s.dtype)), spec, is_leaf=is_spec
    )


def no_op(size: InterfaceSize, delay: int) -> Action:
    """The action that does nothing and looks again after `delay` game loops."""
    zero = jnp.zeros((), jnp.int32)
    units = jnp.full((size.selected,), -1, jnp.int32)
    return Action(zero, zero + delay, zero, zero, units, zero, zero)


def selectable_entities(game: GameDescription, observation: Observation, action_type) -> Bool[Array, " E"]:
    """Which entities may be selected for an action type: own ones of a type that can take it."""
    types = observation.entities[:, EntityField.UNIT_TYPE]
    own = observation.entities[:, EntityField.ALLIANCE] == Alliance.SELF
    own &= observation.entities[:, EntityField.DISPLAY_TYPE] != DisplayType.PLACEHOLDER
    return own & jnp.asarray(game.selectable)[action_type][types]


def targetable_entities(game: GameDescription, observation: Observation, action_type) -> Bool[Array, " E"]:
    """Which entities may be the target of an action type: all but placeholders, or of some types those on screen. If
    there is none, the type does not need one."""
    entities = observation.entities
    present = entities[:, EntityField.ALLIANCE] != Alliance.ABSENT
    there = present & (entities[:, EntityField.DISPLAY_TYPE] != DisplayType.PLACEHOLDER)
    if game.on_screen.any():
        there &= (entities[:, EntityField.ON_SCREEN] > 0) | ~jnp.asarray(game.on_screen)[action_type]
    return jnp.where(there.any(), there, present)


def targetable_cells(
    game: GameDescription, observation: Observation, action_type, size: InterfaceSize
) -> Bool[Array, " N"]:
    """Which cells of the location grid may be the target of an action type: all, or of some types those on screen."""
    if not game.on_screen.any():
        return jnp.ones(size.location**2, bool)
    shown, grain = observation.planes[MapPlane.CAMERA] > 0, size.location // size.map
    shown = jnp.repeat(jnp.repeat(shown, grain, 0), grain, 1).reshape(-1)
    return shown | ~jnp.asarray(game.on_screen)[action_type]


def through_camera(game: GameDescription, size: InterfaceSize, observation: Observation, action: Action) -> Action:
    """The action, or the camera's move to its target where that must be inside the camera and is not: so who knows
    nothing of the camera can play with it."""
    if not game.on_screen.any():
        return action
    kind = action.action_type
    names = jnp.asarray(game.uses.target_unit)[kind]
    row = observation.entities[action.target_unit].astype(jnp.int32)
    x, y = row[EntityField.X : EntityField.Y + 1] * size.location // (POSITION_SCALE * game.map_cells)
    cell = jnp.clip(y, 0, size.location - 1) * size.location + jnp.clip(x, 0, size.location - 1)
    cells = targetable_cells(game, observation, kind, size)
    inside = jnp.where(names, row[EntityField.ON_SCREEN] > 0, cells[action.location])
    stays = inside | ~jnp.asarray(game.on_screen)[kind]
    move = no_op(size, 0)._replace(
        action_type=jnp.asarray(game.action_index["raw_move_camera"]),
        delay=action.delay,
        location=jnp.where(names, cell, action.location),
    )
    return jax.tree.map(lambda old, new: jnp.where(stays, old, new).astype(jnp.int32), action, move)


def random_action(key: PRNGKeyArray, observation: Observation, game: GameDescription, size: InterfaceSize) -> Action:
    """A random valid action: an available type, units that can take it, any target, any location, any delay."""
    of_type, of_arguments = jax.random.split(key)
    available = observation.scalars.available_actions
    action_type = jax.random.categorical(of_type, jnp.where(available, 0.0, -jnp.inf)).astype(jnp.int32)
    return random_arguments(of_arguments, observation, action_type, game, size)


def random_arguments(
    key: PRNGKeyArray,
    observation: Observation,
    action_type: Int[Array, ""],
    game: GameDescription,
    size: InterfaceSize,
) -> Action:
    """An action of the type with random valid arguments: units that can take it, any target, location and delay."""
    keys = jax.random.split(key, 7)
    selectable = selectable_entities(game, observation, action_type) & jnp.asarray(game.uses.units)[action_type]
    order = jnp.argsort(jnp.where(selectable, jax.random.uniform(keys[0], selectable.shape), 2.0))[: size.selected]
    most = jnp.minimum(selectable.sum(), size.selected)
    count = jax.random.randint(keys[1], (), 1, jnp.maximum(most, 1) + 1)
    chosen = (jnp.arange(size.selected) < count) & selectable[order]
    targets = targetable_entities(game, observation, action_type)
    location = jax.random.randint(keys[6], (), 0, size.location**2)
    if game.on_screen.any():
        cells = targetable_cells(game, observation, action_type, size)
        location = jax.random.categorical(keys[6], jnp.where(cells, 0.0, -jnp.inf)).astype(jnp.int32)
    return Action(
        action_type=action_type,
        delay=jax.random.randint(keys[2], (), 0, size.delays),
        queued=jax.random.randint(keys[3], (), 0, 2),
        repeat=jax.random.randint(keys[4], (), 0, size.repeats),
        units=jnp.where(chosen, order, -1).astype(jnp.int32),
        target_unit=jax.random.categorical(keys[5], jnp.where(targets, 0.0, -jnp.inf)).astype(jnp.int32),
        location=location,
    )
