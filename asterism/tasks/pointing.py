"""Tasks of the heads that point: selected units, target unit, location; and of the scatter connection."""

import jax
import jax.numpy as jnp

from asterism.interface.observation import Alliance, MapPlane
from asterism.tasks.scene import Studio
from asterism.tasks.task import Task, Verdict, right_or_wrong

SQUAD = 8
"""Own units in sight where some are to be selected."""
FOES = 4
"""Enemies in sight where one is to be the target."""
PAIR = 2
"""Units of each side where one is to be matched with one of the other."""
LEVELS = ("WEAPON_UPGRADE", "ARMOR_UPGRADE", "SHIELD_UPGRADE")
"""By what they match: each from 0 to 3."""
STRANGERS = 6
"""Enemies in sight where one is to be pointed at."""
BESIDE = 1
"""Map cells by which a location may miss. (The map's skips, from which locations are made, resolve two by two.)"""


def marines(studio: Studio) -> Task:
    """Select all Marines and nobody else; there is at least one Marine and one SCV. The reward is the share of those
    selected or to be selected that are both."""
    marine, other = studio.units(["Marine", "SCV"])

    def draw(key):
        of_count, of_order, of_cells = jax.random.split(key, 3)
        count = jax.random.randint(of_count, (), 1, SQUAD // 2 + 1)
        chosen = jax.random.permutation(of_order, jnp.arange(SQUAD) < count)
        return chosen, studio.cells(of_cells, SQUAD)

    def observe(scene, step):
        chosen, cells = scene
        return studio.moment(["HoldPosition_quick"], jnp.where(chosen, marine, other), cells)

    def judge(scene, step, action):
        right = jnp.zeros(studio.size.entities, bool).at[:SQUAD].set(scene[0])
        # What ends the selection, -1, goes into a row that is cut off.
        selected = jnp.zeros(studio.size.entities + 1, bool).at[action.units].set(True)[:-1]
        share = (selected & right).sum() / (selected | right).sum()
        return Verdict(2 * share - 1, share == 1)

    return Task("marines", "select exactly the Marines", 1, draw, observe, judge)


def weakest(studio: Studio) -> Task:
    """Target the enemy of the least health: all differ by 5 at least."""
    steps = jnp.arange(1, 10)
    marine = studio.units(["Marine"])[0]

    def draw(key):
        of_health, of_cells = jax.random.split(key)
        return 5 * jax.random.permutation(of_health, steps)[:FOES], studio.cells(of_cells, FOES + 1)

    def observe(scene, step):
        health, cells = scene
        alliance = jnp.array([Alliance.ENEMY] * FOES + [Alliance.SELF])
        health = jnp.append(health, 45)
        columns = {"HEALTH": health, "HEALTH_RATIO": health * 255 // 45}
        return studio.moment(["Attack_unit"], jnp.full(FOES + 1, marine), cells, alliance, **columns)

    def judge(scene, step, action):
        return right_or_wrong(action.target_unit == jnp.argmin(scene[0]))

    return Task("weakest", "target the weakest enemy", 1, draw, observe, judge)


def match(studio: Studio) -> Task:
    """Target the enemy whose three levels of upgrades are those of an own unit: whose, only a comparison of each enemy
    with each own unit can tell."""
    marine = studio.units(["Marine"])[0]

    def draw(key):
        of_levels, of_place, of_cells = jax.random.split(key, 3)
        levels = jax.random.permutation(of_levels, 4 ** len(LEVELS))[: 2 * PAIR - 1]
        # The own units come last; one of them has a twin among the enemies.
        place, twin = jax.random.randint(of_place, (2,), 0, PAIR)
        enemies = jnp.insert(levels[: PAIR - 1], place, levels[PAIR - 1 :][twin])
        return jnp.concatenate([enemies, levels[PAIR - 1 :]]), place, studio.cells(of_cells, 2 * PAIR)

    def observe(scene, step):
        levels, _, cells = scene
        alliance = jnp.repeat(jnp.array([Alliance.ENEMY, Alliance.SELF]), PAIR)
        columns = {name: levels // 4**index % 4 for index, name in enumerate(LEVELS)}
        return studio.moment(["Attack_unit"], jnp.full(2 * PAIR, marine), cells, alliance, **columns)

    def judge(scene, step, action):
        return right_or_wrong(action.target_unit == scene[1])

    return Task("match", "compare units with each other", 1, draw, observe, judge)


def location(studio: Studio) -> Task:
    """Point at the one cell of the map that is in sight and in the camera's view, where there is an alert."""

    def draw(key):
        return studio.cells(key, 1)[0]

    def observe(scene, step):
        seen = studio.moment(["raw_move_camera"])
        here = jnp.zeros(studio.size.map**2, bool).at[scene].set(True).reshape(studio.size.map, studio.size.map)
        planes = seen.planes.at[jnp.array([MapPlane.ALERTS, MapPlane.CAMERA])].set(here.astype(seen.planes.dtype))
        return seen._replace(planes=planes.at[MapPlane.VISIBILITY].set(jnp.where(here, 2, 1)))

    def judge(scene, step, action):
        return _hit(studio, scene, action)

    return Task("location", "point at a marked location", 1, draw, observe, judge)


def scatter(studio: Studio) -> Task:
    """Point at the one enemy that is a Siege Tank: the planes show where enemies are, but not who is who."""
    marine, tank = studio.units(["Marine", "SiegeTank"])

    def draw(key):
        of_place, of_cells = jax.random.split(key)
        return jax.random.randint(of_place, (), 0, STRANGERS), studio.cells(of_cells, STRANGERS)

    def observe(scene, step):
        which, cells = scene
        kinds = jnp.where(jnp.arange(STRANGERS) == which, tank, marine)
        return studio.moment(["raw_move_camera"], kinds, cells, Alliance.ENEMY)

    def judge(scene, step, action):
        which, cells = scene
        return _hit(studio, cells[which], action)

    return Task("scatter", "point at a unit that only the scatter connection shows", 1, draw, observe, judge)


def _hit(studio: Studio, goal, action) -> Verdict:
    """Whether the location lies in the goal, a cell of the map planes, or in one of the eight around it."""
    rows = jnp.stack(jnp.divmod(jnp.stack([studio.map_cell(action.location), goal]), studio.size.map))
    return right_or_wrong(jnp.abs(rows[:, 0] - rows[:, 1]).max() <= BESIDE)
