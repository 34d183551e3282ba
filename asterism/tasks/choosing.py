"""Tasks of the heads that choose one of a few: action type, delay, queued; and of what informs them: memory and z."""

import jax
import jax.numpy as jnp

from asterism.interface.observation import Alliance, Statistic
from asterism.tasks.scene import Studio
from asterism.tasks.task import Task, right_or_wrong

TOLERANCE = 4
"""Game loops by which a delay may miss."""
PERIODS = {"Marine": 14, "Marauder": 24, "Hellion": 40}
"""Game loops between two shots."""
WAIT = 30
"""Steps from the cue to the answer."""


def action_type(studio: Studio) -> Task:
    """What is short: supply, workers, an army, or none of them. One of four action types is right."""
    answers = ("Build_SupplyDepot_pt", "Train_SCV_quick", "Train_Marine_quick", "Build_CommandCenter_pt")
    amounts = jnp.asarray(studio.blank.scalars.statistics)
    kinds = studio.units(["SCV", "CommandCenter", "Barracks"])
    short = [(Statistic.FOOD_USED, 31), (Statistic.FOOD_WORKERS, 5), (Statistic.ARMY_COUNT, 0)]

    def observe(scene, step):
        right, cells = scene
        seen = studio.moment(answers, kinds, cells)
        statistics = amounts
        for index, (which, value) in enumerate(short):
            statistics = statistics.at[which].set(jnp.where(right == index, value, statistics[which]))
        return seen._replace(scalars=seen.scalars._replace(statistics=statistics))

    def judge(scene, step, action):
        return right_or_wrong(action.action_type == jnp.asarray(studio.actions(answers))[scene[0]])

    return Task("action_type", "choose an action type by context", 1, _draw(studio, 4, len(kinds)), observe, judge)


def delay(studio: Studio) -> Task:
    """A unit has just fired; look again when its weapon is ready, give or take `TOLERANCE`."""
    kinds, periods = studio.units(list(PERIODS)), tuple(PERIODS.values())

    def observe(scene, step):
        which, cells = scene
        ready = jnp.asarray(periods)[which]
        return studio.moment(["no_op"], jnp.asarray(kinds)[which][None], cells, WEAPON_COOLDOWN=ready)

    def judge(scene, step, action):
        return right_or_wrong(jnp.abs(action.delay - jnp.asarray(periods)[scene[0]]) <= TOLERANCE)

    return Task("delay", "choose the right delay", 1, _draw(studio, len(periods), 1), observe, judge)


def queue(studio: Studio) -> Task:
    """Queue the action if the Marine is at work on an order, and only then."""
    busy = int(studio.actions(["Move_pt"])[0]) + 1

    def observe(scene, step):
        works, cells = scene
        orders = {"ORDER_LENGTH": works, "ORDER_0": works * busy}
        return studio.moment(["HoldPosition_quick"], studio.units(["Marine"]), cells, **orders)

    def judge(scene, step, action):
        return right_or_wrong(action.queued == scene[0])

    return Task("queue", "queue behind an order", 1, _draw(studio, 2, 1), observe, judge)


def memory(studio: Studio) -> Task:
    """An enemy unit is seen in the first step alone; ever after, and `WAIT` steps later still, its type decides."""
    cues = studio.units(["Marine", "SiegeTank"])
    answers = ("Train_Hellion_quick", "Train_Reaper_quick")

    def observe(scene, step):
        cue, cells = scene
        kind = jnp.where(step == 0, jnp.asarray(cues)[cue], 0)[None]
        return studio.moment(answers, kind, cells, Alliance.ENEMY)

    def judge(scene, step, action):
        return right_or_wrong(action.action_type == jnp.asarray(studio.actions(answers))[scene[0]])

    return Task("memory", f"remember a cue for {WAIT} steps", WAIT + 1, _draw(studio, len(cues), 1), observe, judge)


def follow_z(studio: Studio) -> Task:
    """The strategy z asks for one unit, as the only entry of its build order and among its units: train that."""
    asked = studio.units(["Marine", "Marauder", "Reaper", "Hellion"])
    answers = [f"Train_{studio.game.unit_types[kind].name}_quick" for kind in asked]

    def observe(scene, step):
        right, cells = scene
        seen = studio.moment(answers, studio.units(["Barracks", "Factory"]), cells)
        kind = jnp.asarray(asked)[right]
        order = jnp.zeros_like(seen.z.build_order).at[0].set(kind.astype(jnp.int16))
        units = jnp.zeros_like(seen.z.units).at[kind].set(True)
        return seen._replace(z=seen.z._replace(build_order=order, units=units))

    def judge(scene, step, action):
        return right_or_wrong(action.action_type == jnp.asarray(studio.actions(answers))[scene[0]])

    return Task("follow_z", "follow z", 1, _draw(studio, 4, 2), observe, judge)


def _draw(studio: Studio, choices: int, units: int):
    """Which choice is right, and where the units are."""

    def draw(key):
        of_choice, of_cells = jax.random.split(key)
        return jax.random.randint(of_choice, (), 0, choices), studio.cells(of_cells, units)

    return draw
