"""Plans of scripted players: level, style and opening of one game as arrays, so that one compiled script plays all."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.bots.levels import LEVELS
from asterism.bots.openings import ITEMS, openings
from asterism.bots.styles import ALL_KINDS, KINDS, RACES, STYLES, Style, parse_goals
from asterism.game.rules import Rules
from asterism.game.tasks import Kind

GOALS, TYPES = 40, 12
"""Most goals of a style, and most tasks that make the unit types of its army."""
WORKERS_ATTACK = 2400
"""Game loop by which the workers of a worker rush attack, at the latest."""
NEVER = 1 << 30
"""A game loop that no game reaches."""
MANY = 3
"""Structures of one kind that a player may have however little room the game has."""
WORKER_SHARE, ARMY_SHARE = 0.36, 0.32
"""Most workers, and most supply and most soldiers that an attack waits for, as shares of the units and structures that
the game has room for."""


class Opening(NamedTuple):
    """The start of a game that a real player has played. L items, 0 for none; times in game loops."""

    task: Int[Array, "*b L"]
    """Tasks (index into `Rules.tasks`)."""
    count: Int[Array, "*b L"]
    """How many of what the task makes there are then, those of the start too."""
    loop: Int[Array, "*b L"]
    """When it was begun."""


class Plan(NamedTuple):
    """One scripted player in one game. G goals, C tasks that make soldiers, U unit types; times in game loops."""

    opening: Opening
    goal: Int[Array, "*b G"]
    """Tasks, 0 for none."""
    count: Int[Array, "*b G"]
    """How many of what each goal makes are wanted."""
    from_supply: Int[Array, "*b G"]
    """Own supply from which on it is wanted."""
    army: Int[Array, "*b C"]
    """Tasks that make soldiers, 0 for none."""
    weight: Float[Array, "*b C"]
    room: Int[Array, "*b"]
    """Most units and structures that it can own."""
    stays_home: Bool[Array, "*b U"]
    raider: Bool[Array, "*b U"]
    pack: Int[Array, "*b"]
    keen: Bool[Array, "*b"]
    """Soldiers are made beside the opening."""
    worker: Int[Array, "*b"]
    """The task that makes a worker."""
    supply: Int[Array, "*b"]
    workers: Int[Array, "*b"]
    growth: Float[Array, "*b"]
    bases: Int[Array, "*b"]
    idle: Float[Array, "*b"]
    attack_supply: Int[Array, "*b"]
    attack_count: Int[Array, "*b"]
    attack_loop: Int[Array, "*b"]
    guard: Float[Array, "*b"]
    delay: Int[Array, "*b"]
    groups: Bool[Array, "*b"]
    caution: Float[Array, "*b"]
    spells: Bool[Array, "*b"]
    militia: Bool[Array, "*b"]
    workers_attack: Int[Array, "*b"]
    """Game loop from which on all workers attack."""
    random: Bool[Array, "*b"]
    """It follows no plan but takes a random valid action at each look."""


class Ranges(NamedTuple):
    """The numbers of a style from which each game draws: [..., 2], both ends possible."""

    workers: Int[Array, "*b 2"]
    attack_supply: Int[Array, "*b 2"]
    attack_loop: Int[Array, "*b 2"]


def tasks_for(rules: Rules, name: str) -> list[int]:
    """The tasks that make the unit type or upgrade called `name` for something, the usual way first; none where the
    rules do not have it."""
    game, tasks = rules.description, rules.tasks
    if name in game.upgrades:
        made = (tasks.upgrade == game.upgrades.index(name)) & (tasks.kind == Kind.RESEARCH)
    elif name not in game.unit_index:
        return []
    else:
        made = (tasks.product == game.unit_index[name]) & (tasks.minerals + tasks.vespene > 0)
    return np.flatnonzero(made).tolist()


def who_hits(rules: Rules, name: str) -> Bool[np.ndarray, " U"]:
    """Unit types with a weapon for the unit type called `name`; none where the rules do not have it."""
    weapons, unit = rules.units.weapons, rules.description.unit_index.get(name)
    return weapons.of[:, weapons.target_class[unit]] > 0 if unit else np.zeros(len(weapons.of), bool)


class Playbook:
    """All styles, openings and levels for one set of rules; `draw` is pure, unbatched and can be compiled."""

    def __init__(self, rules: Rules, slots: int):
        """`slots`: most units and structures that a player can own; workers and attacks keep to a share of them."""
        self.rules, self.room = rules, slots
        races = [race for race in RACES if RACES[race].worker in rules.description.unit_index]
        kinds = [(race, kind) for race in races for kind in KINDS]
        whole = lambda *rows: np.stack(rows)  # noqa: E731
        self.plans = jax.tree.map(whole, *[style_plan(rules, STYLES[pair]) for pair in kinds])
        self.ranges = jax.tree.map(whole, *[_ranges(STYLES[pair]) for pair in kinds])
        lists = [[opening_arrays(rules, items, pair[0]) for items in openings(*pair)] for pair in kinds]
        self.first = np.cumsum([0, *map(len, lists[:-1])])
        self.number = np.array([len(rows) for rows in lists])
        self.openings = jax.tree.map(whole, *[row for rows in lists for row in rows])
        names = ("delay", "pace", "workers", "growth", "bases", "idle", "groups", "caution", "spells", "militia")
        self.levels = {name: np.array([getattr(level, name) for level in LEVELS.values()]) for name in names}
        self.allowed = np.array([[kind in level.styles for kind in KINDS] for level in LEVELS.values()])

    def draw(self, key: PRNGKeyArray, race: Int[Array, ""], level: Int[Array, ""], kind: Int[Array, ""]) -> Plan:
        """A scripted player for one game.

        Args:
          race: its `Race`.
          level: its `Difficulty`.
          kind: index into `ALL_KINDS`, or -1 for one of the styles of the level.
        """
        keys = jax.random.split(key, 5)
        allowed = jnp.asarray(self.allowed)[level - 1]
        drawn = jax.random.categorical(keys[0], jnp.where(allowed, 0.0, -jnp.inf))
        rush, random = (kind == ALL_KINDS.index(name) for name in ("worker-rush", "random"))
        known = jnp.where(rush | random, KINDS.index("macro"), jnp.where(kind < 0, drawn, kind))
        style = (race - 1) * len(KINDS) + known
        of_style = lambda tree: jax.tree.map(lambda leaf: jnp.asarray(leaf)[style], tree)  # noqa: E731
        can = {name: jnp.asarray(values)[level - 1] for name, values in self.levels.items()}
        plan, ranges = of_style(self.plans), of_style(self.ranges)
        chance = jax.random.uniform(keys[1])
        row = of_style(self.first) + jnp.floor(chance * of_style(self.number)).astype(jnp.int32)
        opening = jax.tree.map(lambda leaf: jnp.asarray(leaf)[row], self.openings)
        numbers = jax.random.uniform(keys[2], (3,))
        workers, supply, loop = (
            pair[0] + jnp.floor(share * (pair[1] - pair[0] + 1)).astype(jnp.int32)
            for pair, share in zip(ranges, numbers, strict=True)
        )
        makes = jnp.asarray(self.rules.tasks.product)[plan.goal]
        hall, refinery = (jnp.asarray(table)[makes] for table in (self.rules.units.townhall, self.rules.units.refinery))
        workers = jnp.minimum(jnp.minimum(workers, can["workers"]), int(WORKER_SHARE * self.room))
        scaled = jnp.maximum(MANY, plan.count * self.room // 128)
        gas = 1 + workers // 12 + 2 * plan.raider.any()
        most = jnp.where(hall, can["bases"], jnp.where(refinery, gas, scaled))
        noise = jax.random.uniform(keys[3], (TYPES,), minval=0.8, maxval=1.2)
        return plan._replace(
            opening=opening._replace(loop=(opening.loop * can["pace"]).astype(jnp.int32)),
            count=jnp.minimum(plan.count, most),
            weight=plan.weight * noise,
            room=jnp.int32(self.room),
            workers=workers,
            from_supply=(20 + (plan.from_supply - 20) * min(self.room / 128, 1.0)).astype(jnp.int32),
            attack_supply=jnp.minimum(supply, int(ARMY_SHARE * self.room)),
            attack_count=jnp.int32(ARMY_SHARE * self.room),
            attack_loop=(loop * jnp.minimum(can["pace"], 1.2)).astype(jnp.int32),
            workers_attack=jnp.where(rush, jax.random.randint(keys[4], (), 0, WORKERS_ATTACK), NEVER),
            random=random,
            **{name: can[name] for name in self.levels if name not in ("pace", "workers")},
        )


def style_plan(rules: Rules, style: Style) -> Plan:
    """A style as arrays, with zeros for what the game draws and what its level says."""
    race, types = RACES[style.race], [unit.name for unit in rules.description.unit_types]
    supply, names, counts = zip(*(goal for goal in parse_goals(style) if tasks_for(rules, goal[1])), strict=True)
    soldiers = [(task, weight) for name, weight in style.army.items() for task in tasks_for(rules, name)]
    tasks, weights = zip(*soldiers, strict=True)
    row = lambda values, length, dtype=np.int32: np.pad(np.array(values, dtype), (0, length - len(values)))  # noqa: E731
    zero, none = np.int32(0), np.float32(0)
    items = np.zeros(ITEMS, np.int32)
    return Plan(
        opening=Opening(items, items, items),
        goal=row([tasks_for(rules, name)[0] for name in names], GOALS),
        count=row(counts, GOALS),
        from_supply=row(supply, GOALS),
        army=row(tasks, TYPES),
        weight=row(weights, TYPES, np.float32),
        room=zero,
        stays_home=np.isin(types, race.stays_home),
        raider=np.isin(types, style.raiders),
        pack=np.int32(style.pack),
        keen=np.bool_(style.kind == "rush"),
        worker=np.int32(tasks_for(rules, race.worker)[0]),
        supply=np.int32(tasks_for(rules, race.supply)[0]),
        workers=zero,
        growth=none,
        bases=zero,
        idle=none,
        attack_supply=zero,
        attack_count=zero,
        attack_loop=zero,
        guard=np.float32(style.guard),
        delay=zero,
        groups=np.bool_(False),
        caution=none,
        spells=np.bool_(False),
        militia=np.bool_(False),
        workers_attack=zero,
        random=np.bool_(False),
    )


def _ranges(style: Style) -> Ranges:
    return Ranges(*(np.array(getattr(style, name), np.int32) for name in Ranges._fields))


def opening_arrays(rules: Rules, items, race: str) -> Opening:
    """An opening as arrays. `items`: `BuildItem` in order."""
    seen = {RACES[race].hall: 1}
    columns = np.zeros((3, ITEMS), np.int32)
    for place, item in enumerate(item for item in items if tasks_for(rules, item.unit)):
        seen[item.unit] = seen.get(item.unit, 0) + 1
        columns[:, place] = tasks_for(rules, item.unit)[0], seen[item.unit], item.loop
    return Opening(*columns)
