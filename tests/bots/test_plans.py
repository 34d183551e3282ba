"""Styles, openings, levels and names of the scripted players of the three races, as data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.bots.levels import LEVELS, Difficulty
from asterism.bots.names import DEFAULT, BotName, parse_bot
from asterism.bots.openings import FITS, openings
from asterism.bots.plans import GOALS, NEVER, TYPES, WORKERS_ATTACK, Playbook, opening_arrays, style_plan, tasks_for
from asterism.bots.styles import ALL_KINDS, KINDS, RACES, SPARRING, STYLES, parse_goals
from asterism.errors import UserError
from asterism.game.rules import full, load_rules
from asterism.interface.observation import Race

EVERY = list(STYLES)
SLOTS = 64


@pytest.fixture(scope="module")
def rules():
    return full()


@pytest.fixture(scope="module")
def first_rules():
    return load_rules("terran_v1", 64)


@pytest.fixture(scope="module")
def book(rules):
    return Playbook(rules, SLOTS)


@pytest.fixture(scope="module")
def draw(book):
    return jax.jit(jax.vmap(book.draw))


def plans(draw, race, level, kind=-1, count=64):
    """Plans of as many games."""
    fill = lambda value: jnp.full(count, int(value))  # noqa: E731
    keys = jax.random.split(jax.random.key(1), count)
    return jax.tree.map(np.asarray, draw(keys, fill(Race.named(race)), fill(level), fill(kind)))


# Styles


def test_every_race_has_every_style():
    assert EVERY == [(race, kind) for race in RACES for kind in KINDS]


@pytest.mark.parametrize("pair", EVERY)
def test_what_a_goal_requires_is_an_earlier_goal(rules, pair):
    """Otherwise it might never be built, whatever the opening was."""
    race, counts_as = RACES[pair[0]], rules.units.counts_as
    have = np.zeros(counts_as.shape[0], bool)
    for start in (race.worker, race.supply, race.hall):
        have[rules.description.unit_index[start]] = True
    known = set()
    for _, goal, _ in (*parse_goals(STYLES[pair]), *((0, unit, 1) for unit in STYLES[pair].army)):
        task = tasks_for(rules, goal)[0]
        required = np.flatnonzero(rules.tasks.requires[task])
        assert all((counts_as[unit] & have).any() for unit in required), goal
        before = rules.tasks.requires_upgrade[task]
        assert before < 0 or rules.description.upgrades[before] in known, goal
        have[rules.tasks.product[task]] |= rules.tasks.product[task] > 0
        known.add(goal)


@pytest.mark.parametrize("pair", EVERY)
def test_goals_come_in_the_order_of_supply(rules, pair):
    supplies = [supply for supply, _, _ in parse_goals(STYLES[pair])]
    assert supplies == sorted(supplies) and len(supplies) <= GOALS
    assert (style_plan(rules, STYLES[pair]).army > 0).sum() <= TYPES


@pytest.mark.parametrize("pair", EVERY)
def test_raiders_are_soldiers_of_the_style_and_the_race(rules, pair):
    style = STYLES[pair]
    assert set(style.raiders) <= set(style.army)
    of = {int(rules.units.race[rules.description.unit_index[name]]) for name in style.army}
    assert of == {Race.named(style.race)}
    assert (style.kind == "air") == bool(style.raiders)


# Openings


@pytest.mark.parametrize("pair", EVERY)
def test_openings_are_of_real_players_and_can_be_made(rules, pair):
    rows = openings(*pair)
    assert len(rows) >= 5
    for items in rows:
        assert [item.loop for item in items] == sorted(item.loop for item in items)
        assert all(tasks_for(rules, item.unit) for item in items)


def test_openings_tell_styles_apart():
    """A rush has its soldiers' structures before a second base, a macro game has bases early, air flies early."""
    first = lambda items, *names: min((i.loop for i in items if i.unit in names), default=99_999)  # noqa: E731
    for race, hall, barracks in (("terran", "CommandCenter", "Barracks"), ("protoss", "Nexus", "Gateway")):
        for items in openings(race, "rush"):
            early = [item for item in items if item.loop < first(items, hall)]
            assert sum(item.unit == barracks for item in early) >= 2
        assert all(sum(item.unit == hall for item in items) >= 2 for items in openings(race, "macro"))
    assert all(first(items, "SpawningPool") < first(items, "Hatchery") for items in openings("zerg", "rush"))
    assert all(first(items, "Hatchery") < first(items, "SpawningPool") for items in openings("zerg", "timing"))
    assert all(first(items, "Stargate") <= 4200 for items in openings("protoss", "air"))
    assert set(FITS) == set(STYLES)


@pytest.mark.parametrize("pair", EVERY)
def test_a_plan_begins_with_one_of_its_styles_openings(rules, draw, pair):
    drawn = plans(draw, pair[0], Difficulty.VeryHard, KINDS.index(pair[1]))
    types = [unit.name for unit in rules.description.unit_types]
    made = lambda row: tuple(types[rules.tasks.product[task]] for task in row if task)  # noqa: E731
    asked = {tuple(item.unit for item in items) for items in openings(*pair)}
    seen = {made(row) for row in drawn.opening.task}
    assert seen <= asked and len(seen) > 1
    real = {tuple(item.loop for item in items) for items in openings(*pair)}
    assert {tuple(row[row > 0].tolist()) for row in drawn.opening.loop} <= real


def test_counts_of_an_opening_grow_with_each_item_and_include_the_start(draw):
    drawn = plans(draw, "terran", Difficulty.VeryHard, KINDS.index("macro"), 4)
    for task, count in zip(drawn.opening.task, drawn.opening.count, strict=True):
        for kind in set(task[task > 0].tolist()):
            row = count[task == kind]
            assert (row == np.arange(len(row)) + row[0]).all() and row[0] in (1, 2)


# Rules that lack some of the units


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_rules_keep_what_they_have_of_a_style(first_rules, kind):
    """In the order of the style, and nothing else; likewise of its openings."""
    game, tasks, style = first_rules.description, first_rules.tasks, STYLES["terran", kind]
    made = lambda task: game.upgrades[tasks.upgrade[task]] if tasks.upgrade[task] >= 0 else names[tasks.product[task]]  # noqa: E731
    names = [unit.name for unit in game.unit_types]
    known = {*names, *game.upgrades}
    plan = style_plan(first_rules, style)
    goals = [(supply, name, count) for supply, name, count in parse_goals(style) if name in known]
    rows = zip(plan.from_supply, plan.goal, plan.count, strict=True)
    assert [(supply, made(task), count) for supply, task, count in rows if task] == goals
    assert [names[tasks.product[task]] for task in plan.army if task] == [name for name in style.army if name in known]
    assert (made(plan.worker), made(plan.supply)) == ("SCV", "SupplyDepot")
    for items in openings("terran", kind):
        opening = opening_arrays(first_rules, items, "terran")
        kept = [(item.unit, item.loop) for item in items if item.unit in known]
        rows = zip(opening.task, opening.loop, strict=True)
        assert [(made(task), loop) for task, loop in rows if task] == kept and kept


# Sparring partners


@pytest.mark.parametrize("race", list(RACES))
def test_sparring_partners_are_of_every_race(draw, rules, race):
    names = [unit.name for unit in rules.description.unit_types]
    rush, random = (plans(draw, race, DEFAULT, ALL_KINDS.index(kind)) for kind in ("worker-rush", "random"))
    for drawn in (rush, random):
        assert {names[rules.tasks.product[task]] for task in drawn.worker} == {RACES[race].worker}
    assert random.random.all() and not rush.random.any()
    assert 0 <= rush.workers_attack.min() < 300 and WORKERS_ATTACK - 300 < rush.workers_attack.max() < WORKERS_ATTACK


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != "worker-rush"])
def test_the_workers_of_others_never_all_attack(draw, kind):
    drawn = plans(draw, "protoss", DEFAULT, ALL_KINDS.index(kind))
    assert (drawn.workers_attack == NEVER).all() and drawn.random.all() == drawn.random.any() == (kind == "random")


# Levels


def test_levels_are_those_of_the_real_game():
    names = "VeryEasy Easy Medium MediumHard Hard Harder VeryHard CheatVision CheatMoney CheatInsane".split()
    assert [level.name for level in Difficulty] == names and list(map(int, Difficulty)) == list(range(1, 11))
    assert list(LEVELS) == list(Difficulty)
    assert [level.vision for level in LEVELS.values()] == [False] * 7 + [True] * 3
    assert [level.income for level in LEVELS.values()] == [1.0] * 8 + [1.5, 2.0]


@pytest.mark.parametrize(
    "field, sign",
    [("delay", -1), ("pace", -1), ("idle", -1), ("workers", 1), ("growth", 1), ("bases", 1), ("groups", 1)]
    + [("caution", 1), ("spells", 1), ("militia", 1), ("vision", 1), ("income", 1)],
)
def test_a_higher_level_is_worse_at_nothing(field, sign):
    values = [sign * getattr(level, field) for level in LEVELS.values()]
    assert values == sorted(values)


def test_levels_keep_to_the_rate_of_an_agent():
    assert min(level.delay for level in LEVELS.values()) * 22 >= 112


def test_a_level_draws_its_styles_only(draw, rules):
    """VeryEasy neither rushes nor flies; VeryHard does all."""
    openings_of = lambda level: {tuple(row) for row in plans(draw, "zerg", level).opening.task.tolist()}  # noqa: E731
    kinds = {kind: plans(draw, "zerg", Difficulty.VeryHard, KINDS.index(kind)).attack_loop.min() for kind in KINDS}
    easy = plans(draw, "zerg", Difficulty.VeryEasy)
    assert easy.attack_loop.min() > 1.1 * kinds["timing"] and not easy.raider.any()
    hard = plans(draw, "zerg", Difficulty.VeryHard)
    assert hard.attack_loop.min() < 2100 and hard.raider.any() and len(openings_of(Difficulty.VeryHard)) > 8


def test_workers_and_attacks_keep_to_the_room_of_the_game(draw):
    drawn = plans(draw, "protoss", Difficulty.CheatInsane)
    assert drawn.workers.max() < 0.4 * SLOTS and drawn.attack_supply.max() < 0.4 * SLOTS


# Names


@pytest.mark.parametrize(
    "name, bot",
    [
        ("easy", BotName(Difficulty.Easy)),
        ("VERYHARD", BotName(Difficulty.VeryHard)),
        ("macro", BotName(kind="macro")),
        ("Hard:rush", BotName(Difficulty.Hard, "rush")),
        ("rush:hard", BotName(Difficulty.Hard, "rush")),
        ("zerg:CheatInsane:air", BotName(Difficulty.CheatInsane, "air", "zerg")),
        ("protoss", BotName(race="protoss")),
        ("random", BotName(kind="random")),
        ("Easy:Worker-Rush", BotName(Difficulty.Easy, "worker-rush")),
    ],
)
def test_names_resolve(name, bot):
    assert parse_bot(name) == bot


def test_sparring_partners_come_after_the_styles_and_a_level_draws_none():
    assert ALL_KINDS[: len(KINDS)] == KINDS and set(ALL_KINDS) - set(KINDS) == set(SPARRING)
    assert BotName().number == -1 and [BotName(kind=kind).number for kind in ALL_KINDS] == list(range(len(ALL_KINDS)))
    assert all(set(level.styles) <= set(KINDS) for level in LEVELS.values())


@pytest.mark.parametrize(
    "name, message",
    [
        ("orc", "unknown bot 'orc': name a level (VeryEasy, Easy, Medium"),
        ("verhard", "unknown bot 'verhard': did you mean VeryHard?"),
        ("hard:", "unknown bot 'hard:': name a level"),
        ("hard:easy", "unknown bot 'hard:easy': it names two levels"),
        ("rush:macro", "unknown bot 'rush:macro': it names two styles"),
    ],
)
def test_an_unknown_name_gives_one_clear_line(name, message):
    with pytest.raises(UserError) as error:
        parse_bot(name)
    assert message in str(error.value) and "\n" not in str(error.value)
