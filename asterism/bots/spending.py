"""What a scripted player makes next: supply, its opening, workers, the goals of its style in their order, or soldiers.

All of these are rows of one list; a row is a task of the rules (`asterism.game.tasks`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.bots.plans import Plan, who_hits
from asterism.bots.view import View
from asterism.game.rules import Rules
from asterism.game.tasks import Builder, Kind

SAVED_FOR = 2
"""Goals for which money is put aside."""
AT_ONCE = 4
"""Most units that one action orders."""
EARLY, PATIENCE = 40, 900
"""Game loops before its time at which an item of an opening is begun, and after it, or after the item before, at which
it is given up."""
MINUTE = 1344
"""Game loops."""
FIRST_SUPPLY = 360
"""Game loop from which on a player wants a source of supply beside those of the start."""
RICH = 400
"""Minerals with which soldiers are made beside the opening; with twice as many goals are taken up, too."""
BEFORE_GOALS = 3
"""Rows of supply, opening and workers."""


class Purchase(NamedTuple):
    """What is made next. E entities."""

    wanted: Bool[Array, ""]
    task: Int[Array, ""]
    """Index into `Rules.tasks`."""
    makers: Bool[Array, " E"]
    """Those that can; of workers, any."""
    number: Int[Array, ""]
    """How many to make at once."""


class Wishes(NamedTuple):
    """What the player has a mind to."""

    item: Int[Array, ""]
    """Place in its opening, of its next item."""
    alarm: Bool[Array, ""]
    """Soldiers come before all but supply."""
    air: Float[Array, ""]
    """Share of the enemy's fighters that fly, as far as they were seen."""
    walking: Bool[Array, " E"]
    """Workers on their way to a site: what they are to build is paid when they begin."""


class Rows(NamedTuple):
    """The list of what could be made. R rows, E entities."""

    task: Int[Array, " R"]
    missing: Int[Array, " R"]
    """How many more are wanted."""
    makers: Bool[Array, "R E"]
    possible: Bool[Array, " R"]
    """Its requirements stand, and somebody is there who can make it."""
    affordable: Bool[Array, " R"]


class Spending:
    """The rules of a game as a player reads them; methods are pure and unbatched."""

    def __init__(self, rules: Rules):
        tasks, units = rules.tasks, rules.units
        self.tasks = tasks._replace(**{name: jnp.asarray(column) for name, column in tasks._asdict().items()})
        self.counts_as = jnp.asarray(units.counts_as)
        self.townhall, self.refinery = jnp.asarray(units.townhall), jnp.asarray(units.refinery)
        self.users = jnp.asarray(_users(rules))
        self.egg = rules.description.unit_index.get("Egg", -1)
        self.site_cost = jnp.asarray(_site_cost(rules))
        self.reactor = jnp.asarray(units.addon & ~units.techlab)
        self.techlab = jnp.asarray(units.techlab)
        self.structure = jnp.asarray(units.structure)
        self.supply_provided = jnp.asarray(units.supply_provided)
        self.hits_air = jnp.asarray(who_hits(rules, "Overlord"))

    def advance(self, plan: Plan, seen: View, item: Int[Array, ""], since: Int[Array, ""]) -> Int[Array, ""]:
        """Place of the next item of the opening, that of the last look being `item`, since game loop `since`.

        What is begun is done, even if it is lost later; what cannot be begun for long is given up.
        """
        tasks, count, loop = plan.opening
        places = jnp.arange(len(tasks))
        # A worker on its way may never build.
        built = self.tasks.kind[tasks] == Kind.BUILD
        have = jnp.where(built, self._owned(seen, tasks), self._have(seen, tasks))
        open_ = (places >= item) & (have < count) & (tasks > 0)
        first = jnp.where(open_.any(), open_.argmax(), len(tasks))
        due = loop[jnp.minimum(first, len(tasks) - 1)]
        stuck = (first == item) & (seen.loop > jnp.maximum(due, since) + PATIENCE)
        return jnp.where(stuck, first + 1, first).astype(jnp.int32)

    def next_purchase(
        self, plan: Plan, seen: View, wishes: Wishes, miners: Bool[Array, " E"], bases: Bool[Array, ""]
    ) -> Purchase:
        """The first row that is wanted and that there is money for, once what comes before it is paid.

        Args:
          miners: workers that may be sent to build.
          bases: there is a free base for a town hall.
        """
        rows = self._rows(plan, seen, wishes, miners, bases)
        first = BEFORE_GOALS + len(plan.goal)
        wanted = rows.possible & (rows.missing > 0)
        minerals, vespene = self.tasks.minerals[rows.task], self.tasks.vespene[rows.task]
        saved = wanted[:first] & (jnp.cumsum(wanted[:first]) <= BEFORE_GOALS + SAVED_FOR)
        # Minerals for what waits for vespene need not be kept yet.
        kept_m = jnp.where(saved & (vespene[:first] <= seen.vespene), minerals[:first], 0.0)
        kept_v = jnp.where(saved, vespene[:first], 0.0)
        before_m = jnp.cumsum(kept_m) - kept_m
        before_v = jnp.cumsum(kept_v) - kept_v
        army_m, army_v = (jnp.where(wishes.alarm, 0.0, kept.sum()) for kept in (kept_m, kept_v))
        share = jnp.where(wanted[first:], self._preference(plan, seen, wishes, rows.task[first:]), 0.0)
        top = (share >= share.max()) & wanted[first:]
        topmost = jnp.where(top & (vespene[first:] <= seen.vespene - army_v), minerals[first:], 0.0).max()
        spent_m, spent_v = self._unpaid(seen, wishes)
        soldier = jnp.where(top & (vespene[first:] <= seen.vespene), minerals[first:], 0.0).max()
        first_m = jnp.where(wishes.alarm, soldier, 0.0)
        before_m = jnp.where(jnp.arange(first) > 0, before_m + first_m, before_m)
        left_m = seen.minerals - spent_m - jnp.concatenate([before_m, army_m + jnp.where(top, 0.0, topmost)])
        left_v = seen.vespene - spent_v - jnp.concatenate([before_v, jnp.full(len(top), army_v)])
        places = jnp.arange(len(wanted))
        freely = (places == 0) | (seen.used < 14) | wishes.alarm
        reserve = jnp.where(freely, 0.0, idle_money(plan, seen))
        can = wanted & rows.affordable & (left_m >= minerals + reserve) & (left_v >= vespene)
        rank = jnp.where(places < first, places, 1000 - share[jnp.maximum(places - first, 0)])
        # A town hall that makes worker after worker would never become what it is to become.
        morphs = (self.tasks.kind[rows.task] == Kind.MORPH) & (places >= BEFORE_GOALS) & (places < first)
        rank = jnp.where(morphs, BEFORE_GOALS - 1.5, rank)
        rank = jnp.where(wishes.alarm & (places >= first), rank - 1000, rank + (places == 0) * -2000)
        row = jnp.where(can, rank, jnp.inf).argmin()
        reach = jnp.minimum(left_m[row] // jnp.maximum(minerals[row], 1), left_v[row] // jnp.maximum(vespene[row], 1))
        reach = jnp.where(vespene[row] > 0, reach, left_m[row] // jnp.maximum(minerals[row], 1))
        number = jnp.clip(jnp.minimum(reach, rows.missing[row]), 1, 32).astype(jnp.int32)
        return Purchase(can.any(), rows.task[row], rows.makers[row], number)

    def _unpaid(self, seen: View, wishes: Wishes) -> Float[Array, " 2"]:
        """Minerals and vespene for what workers are on their way to build."""
        return jnp.where(wishes.walking, self.site_cost[:, seen.order], 0.0).sum(1)

    def _preference(self, plan: Plan, seen: View, wishes: Wishes, task: Int[Array, " C"]) -> Float[Array, " C"]:
        """How much each kind of soldier is wanted: by the plan, less for each that is there, more if it hits what flies
        and the enemy flies."""
        hits = self.hits_air[self.tasks.product[task]]
        fit = jnp.where(hits, 1.0 + 3.0 * wishes.air, 1.0 - 0.8 * wishes.air)
        return plan.weight * fit / (1.0 + self._owned(seen, task))

    def _rows(self, plan: Plan, seen: View, wishes: Wishes, miners, bases) -> Rows:
        """Supply, the next item of the opening, workers, goals, soldiers."""
        last = len(plan.opening.task) - 1
        item = jax.tree.map(lambda row: row[jnp.minimum(wishes.item, last)], plan.opening)
        ahead = (wishes.item <= last) & (item.task > 0)
        task = jnp.concatenate(
            [plan.supply[None], jnp.where(ahead, item.task, 0)[None], plan.worker[None], plan.goal, plan.army]
        )
        kind = self.tasks.kind[task]
        makers = self._makers(seen, task, miners)
        have = self._have(seen, task)
        money = seen.minerals - self._unpaid(seen, wishes)[0] - idle_money(plan, seen)
        workers = self._wanted_workers(plan, seen)
        # Not too many before the opening is over: what comes later is worth more of the room.
        spare = ((money >= RICH) | (have[2] >= workers)) & (seen.army < plan.attack_supply / 2)
        free = ~ahead | spare | wishes.alarm | plan.keen
        # An egg of two finds no way out where there is room for one.
        eggs = (seen.own & (seen.type == self.egg)).sum()
        room = jnp.maximum(plan.room - seen.counts.sum() - eggs - 1, 0)
        many = jnp.where(free, jnp.minimum(AT_ONCE * 4, room), 0)
        goal_due = ((seen.used >= plan.from_supply) & ~ahead) | (money >= 2 * RICH)
        wanted = jnp.concatenate(
            [
                self._wanted_supply(plan, seen)[None] + have[0],
                jnp.where(seen.loop >= item.loop - EARLY, jnp.maximum(item.count, have[1]), 0)[None],
                jnp.minimum(workers, have[2] + room)[None],
                jnp.where(goal_due, plan.count, 0),
                many + have[-len(plan.army) :],
            ]
        )
        done = (seen.own & seen.built)[:, None] & (seen.type[:, None] == jnp.arange(self.structure.shape[0]))
        stands = (self.counts_as & done.any(0)).any(1)
        before = self.tasks.requires_upgrade[task]
        tech = (stands | ~self.tasks.requires[task]).all(1) & ((before < 0) | seen.upgrades[jnp.maximum(before, 0)])
        product = self.tasks.product[task]
        tech &= ~self.townhall[product] | (kind != Kind.BUILD) | bases
        return Rows(
            task=task,
            missing=jnp.where(task > 0, wanted - have, 0),
            makers=makers,
            possible=tech & makers.any(1),
            affordable=seen.available[self.tasks.action[task]],
        )

    def _have(self, seen: View, task: Int[Array, " R"]) -> Int[Array, " R"]:
        """How many of what each task makes there are, ordered ones too."""
        upgrade = jnp.maximum(self.tasks.upgrade[task], 0)
        owned = jnp.where(self.tasks.kind[task] == Kind.RESEARCH, seen.upgrades[upgrade], self._owned(seen, task))
        return owned + self._coming(seen, task)

    def _makers(self, seen: View, task: Int[Array, " R"], miners: Bool[Array, " E"]) -> Bool[Array, "R E"]:
        """Who could begin each task now."""
        kind = self.tasks.kind[task][:, None]
        users = self.users[task][:, seen.type] & seen.own & seen.built
        idle = seen.orders == 0
        twice = self.reactor[seen.addon] & (seen.orders < 2)
        equipped = self.techlab[seen.addon] | ~self.tasks.needs_addon[task][:, None]
        mobile = ~self.structure[seen.type]
        free = jnp.where(kind == Kind.TRAIN, (idle | twice) & equipped, idle)
        free = jnp.where(kind == Kind.ADDON, idle & (seen.addon == 0), free)
        free = jnp.where(kind == Kind.BUILD, miners, free)
        free = jnp.where(kind == Kind.WARP, seen.cooldown == 0, free)
        at_it = seen.order == self.tasks.action[task][:, None]
        return users & jnp.where(kind == Kind.MORPH, idle | (mobile & ~at_it), free)

    def _owned(self, seen: View, task: Int[Array, " R"]) -> Int[Array, " R"]:
        """Units of what each task makes, unfinished ones too."""
        return (self.counts_as[self.tasks.product[task]] * seen.counts).sum(1)

    def _coming(self, seen: View, task: Int[Array, " R"]) -> Int[Array, " R"]:
        """What is ordered and not there yet."""
        at_it = seen.own & (seen.order == self.tasks.action[task][:, None])
        kind = self.tasks.kind[task]
        # An add-on's action is the same for several structures.
        at_it &= (kind != Kind.ADDON)[:, None] | self.users[task][:, seen.type]
        product = self.tasks.product[task]
        growing = (self.counts_as[product][:, seen.type] & seen.own & ~seen.built).sum(1)
        stays = (kind == Kind.ADDON) | ((kind == Kind.BUILD) & (self.tasks.builder[task] == Builder.STAYS))
        sent = at_it.sum(1) * jnp.maximum(self.tasks.count[task], 1)
        return sent - jnp.where(stays, jnp.minimum(sent, growing), 0)

    def _wanted_supply(self, plan: Plan, seen: View) -> Int[Array, ""]:
        """How many more sources of supply are wanted beside those that are there or ordered."""
        task = plan.supply[None]
        product = self.tasks.product[plan.supply]
        growing = (seen.own & ~seen.built & (seen.type == product)).sum()
        coming = (self._coming(seen, task)[0] + growing) * self.supply_provided[product]
        halls = (seen.own & ~seen.built & self.townhall[seen.type]).sum()
        margin = jnp.where(seen.used < 16, 2, 3 + seen.used // 5)
        cap = jnp.minimum(seen.cap + coming + 6 * halls, 200)
        # The first comes in time whatever the supply: of a race whose workers build it other structures require it.
        first = jnp.where(self.tasks.kind[plan.supply] == Kind.BUILD, 1, 2)
        none = (seen.counts[product] + self._coming(seen, task)[0] < first) & (seen.loop >= FIRST_SUPPLY)
        short = ((cap - seen.used < margin) & (cap < 200)) | none
        return jnp.where(short, jnp.where(seen.used > 60, 2, 1), 0)

    def _wanted_workers(self, plan: Plan, seen: View) -> Int[Array, ""]:
        """As many as the bases can use, those of unfinished bases too, at most those of the plan."""
        base = seen.own & (self.townhall | self.refinery)[seen.type]
        grown = 12 + (plan.growth * seen.loop / MINUTE).astype(jnp.int32)
        room = jnp.where(base & seen.built, seen.wanted_harvesters, 0).sum() + 8 * (base & ~seen.built).sum()
        return jnp.minimum(jnp.minimum(jnp.maximum(room + 2, 16), plan.workers), grown)


def idle_money(plan: Plan, seen: View) -> Float[Array, ""]:
    """Minerals that the player leaves lying about."""
    return plan.idle * seen.loop / MINUTE


def _site_cost(rules: Rules) -> Float[np.ndarray, "2 A"]:
    """Minerals and vespene of the structure that each action has a worker build; 0 for other actions."""
    tasks = rules.tasks
    cost = np.zeros((2, len(rules.description.actions)), np.float32)
    sites = tasks.kind == Kind.BUILD
    cost[:, tasks.action[sites]] = tasks.minerals[sites], tasks.vespene[sites]
    return cost


def _users(rules: Rules) -> Bool[np.ndarray, "T U"]:
    """Unit types that can begin each task; of an upgrade's later levels, those of the first."""
    selectable = rules.description.selectable
    table = np.zeros((len(rules.tasks.kind), selectable.shape[1]), bool)
    for action, row in enumerate(rules.task):
        for unit in np.flatnonzero(selectable[action]):
            task = int(row[unit])
            while task:
                table[task, unit] = True
                task = int(rules.tasks.next_level[task])
    return table
