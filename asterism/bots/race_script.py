"""Scripted players of all three races for the rules "full": economy, production, tech, attacks in waves and defence.

Like the Terran of the first rules (`asterism.bots.script`) one sees and acts through the interface of an agent: each
look at the game does the first thing on its list that there is to do.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.bots.race_styles import RacePlan
from asterism.bots.spending import AT_ONCE, Spending
from asterism.bots.view import ActionMaker, View, nearest_row, view
from asterism.game.rules import Rules
from asterism.game.tasks import Builder, Kind
from asterism.interface.action import Action
from asterism.interface.observation import Observation
from asterism.interface.sizes import InterfaceSize

MODES = (
    ("Morph_SiegeMode_quick", "SiegeTank", 12.0, True),
    ("Morph_Unsiege_quick", "SiegeTankSieged", 14.0, False),
    ("BurrowDown_quick", "LurkerMP", 9.0, True),
    ("BurrowUp_quick", "LurkerMPBurrowed", 11.0, False),
)
"""Action, unit type, cells, and whether it is taken with or without an enemy within so many cells."""
CASTS = (
    ("Effect_InjectLarva_unit", ("Queen",), 25, "townhall"),
    ("Effect_CalldownMULE_unit", ("OrbitalCommand",), 50, "minerals"),
    ("Effect_ChronoBoostEnergyCost_unit", ("Nexus",), 50, "busy"),
)
"""Action, who takes it, energy, and at what: where the game has the action."""
DEFENCE = 18.0
"""Enemies within this many cells of an own town hall are fought."""
SITES = 16
"""Places looked at for a structure."""
STRAY = 8.0
"""Cells from the army's gathering place at which a soldier is called back."""


class RaceBotState(NamedTuple):
    """What a scripted player remembers."""

    home: Int[Array, ""]
    """Which start it has; -1 before the first look."""
    attacking: Bool[Array, ""]


class Choice(NamedTuple):
    """Something that could be done now. E entities."""

    wanted: Bool[Array, ""]
    action: Int[Array, ""]
    units: Bool[Array, " E"]
    target: Int[Array, ""]
    place: Float[Array, " 2"]
    repeat: Int[Array, ""]


class RaceScript:
    """A scripted player for one set of rules and map; `act` is pure and unbatched, and plays any race."""

    def __init__(self, rules: Rules, size: InterfaceSize, bases: Float[np.ndarray, "2 n 2"]):
        self.game, self.size, self.maker = rules.description, size, ActionMaker(rules.description, size)
        self.spending = Spending(rules)
        self.bases = jnp.asarray(bases, jnp.float32)
        table = rules.units
        armed = table.armed
        self.table = jax.tree.map(jnp.asarray, table)
        self.soldier = jnp.asarray(armed & (table.speed > 0) & ~table.structure & ~table.worker)
        self.can_attack = jnp.asarray(self.game.selectable[self.game.action_index["Attack_pt"]])
        names = ("Medivac", "Overseer", "Observer", "WarpPrism")
        self.helper = jnp.asarray(np.isin([unit.name for unit in self.game.unit_types], names))
        self.harmless = jnp.asarray(~armed & ~table.structure)

    def initial_state(self) -> RaceBotState:
        """Memory before the first look."""
        return RaceBotState(jnp.int32(-1), jnp.zeros((), bool))

    def act(
        self, plan: RacePlan, state: RaceBotState, observation: Observation, key: PRNGKeyArray
    ) -> tuple[RaceBotState, Action]:
        """One look: the next memory and action."""
        seen = view(observation)
        keys = jax.random.split(key, 3)
        home = jnp.where(state.home < 0, self._home(seen), state.home)
        strong = (seen.army >= plan.attack_supply) & (seen.loop >= plan.attack_loop) | (seen.used >= 185)
        far = plan.attack_supply * plan.retreat_share
        attacking = strong | (state.attacking & (seen.army >= far) & (seen.army > 0))
        threat = self._threats(seen)
        fights = [
            self._defend(plan, seen, threat),
            *self._modes(seen),
            self._attack(plan, seen, home, attacking, keys[0]),
        ]
        makes = [self._purchase(plan, seen, home, threat.any(), keys[1])]
        # Neither war nor work may take all looks.
        war_first = jax.random.bernoulli(keys[2], 0.4)
        choices = [
            self._idle_workers(seen),
            *(choice._replace(wanted=choice.wanted & war_first) for choice in fights),
            *self._casts(seen),
            self._resume(seen),
            *makes,
            self._gas(seen),
            *fights,
            self._spread_workers(seen),
            self._help(plan, seen),
            self._gather_army(plan, seen, home, attacking),
        ]
        return RaceBotState(home, attacking), self._take(choices, plan)

    def _take(self, choices: list[Choice], plan: RacePlan) -> Action:
        """The first choice that is wanted, as an action."""
        stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *choices)
        chosen = jax.tree.map(lambda parts: parts[stacked.wanted.argmax()], stacked)
        whole = lambda value: jnp.where(stacked.wanted.any(), value, 0).astype(jnp.int32)  # noqa: E731
        return Action(
            action_type=whole(chosen.action),
            delay=plan.delay.astype(jnp.int32),
            queued=jnp.int32(0),
            repeat=whole(chosen.repeat),
            units=jnp.where(stacked.wanted.any(), self.maker.select(chosen.units), -1),
            target_unit=whole(chosen.target),
            location=whole(self.maker.location(chosen.place)),
        )

    def _choice(self, wanted, action, units, target=0, place=(0.0, 0.0), repeat=0) -> Choice:
        """A choice that is wanted where its action is available and somebody is there to take it."""
        index = self.game.action_index[action] if isinstance(action, str) else action
        whole = lambda value: jnp.asarray(value, jnp.int32)  # noqa: E731
        place = jnp.asarray(place, jnp.float32)
        return Choice(wanted & units.any(), whole(index), units, whole(target), place, whole(repeat))

    # What there is

    def _is(self, seen: View, *names: str) -> Bool[Array, " E"]:
        return jnp.isin(seen.type, jnp.array([self.game.unit_index[name] for name in names]))

    def _home(self, seen: View) -> Int[Array, ""]:
        hall = (seen.own & self.table.townhall[seen.type]).argmax()
        return jnp.linalg.norm(self.bases[:, 0] - seen.position[hall], axis=1).argmin().astype(jnp.int32)

    def _gaps(self, seen: View) -> Float[Array, "E E"]:
        return jnp.linalg.norm(seen.position[:, None] - seen.position[None], axis=-1)

    def _halls(self, seen: View) -> Bool[Array, " E"]:
        return seen.own & self.table.townhall[seen.type]

    def _army(self, seen: View) -> Bool[Array, " E"]:
        return seen.own & self.soldier[seen.type] & self.can_attack[seen.type] & seen.built

    def _miners(self, seen: View) -> Bool[Array, " E"]:
        """Workers at the minerals: those that gather, but not about a refinery."""
        gathers = (
            seen.own & self.table.worker[seen.type] & (seen.order == self.game.action_index["Harvest_Gather_unit"])
        )
        gas = seen.own & self.table.refinery[seen.type]
        return gathers & ~(gas & (self._gaps(seen) < 4.5)).any(1)

    def _minerals(self, seen: View) -> Bool[Array, " E"]:
        return seen.neutral & (seen.type == self.game.unit_index["MineralField"])

    def _nearest_miner(self, seen: View, place, pool: Bool[Array, " E"] | None = None) -> Bool[Array, " E"]:
        """The miner nearest to a place, one with empty hands if there is any."""
        miners = self._miners(seen) if pool is None else pool
        free = miners & ~seen.carries
        pool = jnp.where(free.any(), free, miners)
        return (jnp.arange(len(pool)) == nearest_row(seen.position, pool, place)) & pool

    def _threats(self, seen: View) -> Bool[Array, " E"]:
        """Enemies near an own town hall that can do harm, or build there."""
        near = jnp.where(self._halls(seen), self._gaps(seen), jnp.inf).min(1) < DEFENCE
        return seen.enemy & near & ~(self.harmless[seen.type] & self.table.flying[seen.type])

    # Work

    def _idle_workers(self, seen: View) -> Choice:
        """Workers without orders to the mineral field nearest to an own town hall."""
        idle = seen.own & self.table.worker[seen.type] & (seen.orders == 0)
        fields = self._minerals(seen)
        halls = self._halls(seen) & seen.built
        hall = nearest_row(seen.position, halls, seen.position[idle.argmax()])
        field = nearest_row(seen.position, fields, seen.position[hall])
        return self._choice(fields.any() & halls.any(), "Harvest_Gather_unit", idle, target=field)

    def _resume(self, seen: View) -> Choice:
        """A worker to a structure that its builder has left unfinished."""
        tasks = self.spending.tasks
        stays = (tasks.kind == Kind.BUILD) & (tasks.builder == Builder.STAYS)
        order_of = (
            jnp.full(self.table.structure.shape, -2)
            .at[jnp.where(stays, tasks.product, 0)]
            .set(jnp.where(stays, tasks.action, -2))
        )
        order = order_of.at[0].set(-2)[seen.type]
        builds = seen.own & (seen.order == order[:, None]) & (self._gaps(seen) < 5.0)
        left = seen.own & (order >= 0) & ~seen.built & ~builds.any(1)
        site = left.argmax()
        builder = self._nearest_miner(seen, seen.position[site])
        return self._choice(left.any(), "Smart_unit", builder, target=site)

    def _gas(self, seen: View) -> Choice:
        """One more worker to a refinery that has too few."""
        short = seen.own & self.table.refinery[seen.type] & seen.built & (seen.harvesters < seen.wanted_harvesters)
        refinery = short.argmax()
        enough = (seen.vespene > 300) & (seen.minerals < seen.vespene) | (self._miners(seen).sum() < 8)
        worker = self._nearest_miner(seen, seen.position[refinery])
        return self._choice(short.any() & ~enough, "Harvest_Gather_unit", worker, target=refinery)

    def _spread_workers(self, seen: View) -> Choice:
        """Up to four miners from a base that has too many to one that has too few."""
        halls = self._halls(seen) & seen.built
        over = jnp.where(halls, seen.harvesters - seen.wanted_harvesters, 0)
        crowded, empty = over.argmax(), over.argmin()
        moved = jnp.clip(jnp.minimum(over[crowded], -over[empty]), 0, AT_ONCE)
        near = self._miners(seen) & (self._gaps(seen)[crowded] < 9.0) & ~seen.carries
        field = nearest_row(seen.position, self._minerals(seen), seen.position[empty])
        near &= jnp.cumsum(near) <= moved
        return self._choice(moved > 1, "Harvest_Gather_unit", near, target=field)

    def _free_bases(self, seen: View, home) -> Bool[Array, " n"]:
        """Own bases on which nobody has a town hall."""
        halls = (seen.own | seen.enemy) & self.table.townhall[seen.type]
        gap = jnp.linalg.norm(self.bases[home][:, None] - seen.position[None], axis=-1)
        return ~(halls & (gap < 5.0)).any(1)

    def _purchase(self, plan: RacePlan, seen: View, home, threat, key) -> Choice:
        """What is made next, by whom and where."""
        free = self._free_bases(seen, home)
        weak = seen.army < plan.guard * jnp.maximum(seen.loop - 3000, 0) / 1000
        alarm = (threat | weak) & (seen.army < plan.attack_supply)
        miners = self._miners(seen)
        buy = self.spending.next_purchase(plan, seen, miners, free.any(), alarm)
        tasks = self.spending.tasks
        kind, product = tasks.kind[buy.task], tasks.product[buy.task]
        geysers = self._free_geysers(seen)
        geyser = nearest_row(seen.position, geysers, self.bases[home, 0])
        refinery = self.table.refinery[product]
        place = self._site(seen, home, free, kind, product, key)
        place = jnp.where(self.table.townhall[product], self.bases[home][free.argmax()], place)
        place = jnp.where(refinery, seen.position[geyser], place)
        builder = self._nearest_miner(seen, place, buy.makers)
        several = jnp.isin(kind, jnp.array([Kind.TRAIN, Kind.WARP]))
        number = jnp.where(kind == Kind.RESEARCH, 1, jnp.where(several, jnp.minimum(buy.number, AT_ONCE), buy.number))
        most = jnp.where(several, len(miners), number)
        units = jnp.where(kind == Kind.BUILD, builder, buy.makers & (jnp.cumsum(buy.makers) <= most))
        wanted = buy.wanted & (~refinery | geysers.any())
        repeat = jnp.where(several, number - 1, 0)
        return self._choice(wanted, tasks.action[buy.task], units, geyser, place, repeat)

    def _free_geysers(self, seen: View) -> Bool[Array, " E"]:
        """Geysers beside a finished town hall without a refinery on them."""
        geysers = seen.neutral & (seen.type == self.game.unit_index["VespeneGeyser"])
        near = (self._gaps(seen) < 10.0) & (self._halls(seen) & seen.built)
        taken = (self._gaps(seen) < 1.0) & self.table.refinery[seen.type] & (seen.own | seen.enemy)
        return geysers & near.any(1) & ~taken.any(1)

    def _site(self, seen: View, home, free: Bool[Array, " n"], kind, product, key) -> Float[Array, " 2"]:
        """A place for a structure beside a town hall, or a pylon where it needs power, off the way of the workers and
        off bases that are still to be taken; of several that chance proposes the best."""
        keys = jax.random.split(key, 3)
        halls = self._halls(seen) & seen.built
        pylons = seen.own & seen.built & (self.table.power_radius[seen.type] > 0)
        by_power = self.table.needs_power[product] | (kind == Kind.WARP)
        anchors = jnp.where(by_power & pylons.any(), pylons, halls)
        row = jax.random.categorical(keys[0], jnp.where(anchors, 0.0, -jnp.inf), shape=(SITES,))
        spread = jnp.where(by_power, 5.0, 9.0)
        offset = jax.random.uniform(keys[1], (SITES, 2), minval=-spread, maxval=spread)
        sites = jnp.clip(seen.position[row] + offset, 2.0, self.game.map_cells - 2.0)
        resources = seen.neutral | (seen.own & self.table.refinery[seen.type])
        gap = lambda places: jnp.linalg.norm(sites[:, None] - places[None], axis=-1)  # noqa: E731
        to_field = jnp.where(resources, gap(seen.position), jnp.inf).min(1)
        to_hall = jnp.where(halls, gap(seen.position), jnp.inf).min(1)
        to_base = jnp.where(free, gap(self.bases[home]), jnp.inf).min(1)
        to_others = jnp.where(seen.own & self.table.structure[seen.type], gap(seen.position), jnp.inf).min(1)
        # Cells of the map plane are coarser than those of the map.
        scale = seen.buildable.shape[0] / self.game.map_cells
        column, line = (jnp.floor(sites * scale).astype(jnp.int32)).T
        score = 4.0 * seen.buildable[line, column] + 3.0 * (to_field > 5.5) + 3.0 * (to_base > 7.0)
        score += (to_hall > 5.0) + jnp.clip(to_others, 0.0, 3.5) * 0.6
        return sites[score.argmax()]

    def _casts(self, seen: View) -> list[Choice]:
        """Spells of the economy, as far as the game has them."""
        choices = []
        for action, names, energy, at in CASTS:
            if action not in self.game.action_index:
                continue
            halls = self._halls(seen) & seen.built
            targets = {
                "townhall": halls,
                "minerals": self._minerals(seen) & (jnp.where(halls, self._gaps(seen), jnp.inf).min(1) < 9.0),
                "busy": seen.own & seen.built & self.table.structure[seen.type] & (seen.orders > 0),
            }[at]
            ready = seen.own & self._is(seen, *names) & (seen.energy >= energy) & (seen.orders == 0)
            first = ready & (jnp.cumsum(ready) == 1)
            target = nearest_row(seen.position, targets, seen.position[first.argmax()])
            can = seen.available[self.game.action_index[action]] & targets.any()
            choices.append(self._choice(can, action, first, target=target))
        return choices

    # War

    def _defend(self, plan: RacePlan, seen: View, threat: Bool[Array, " E"]) -> Choice:
        """All who have nothing to attack to the enemy that is nearest to a town hall."""
        away = jnp.where(self._halls(seen), self._gaps(seen), jnp.inf).min(1)
        row = jnp.where(threat, away, jnp.inf).argmin()
        free = self._army(seen) & ~self._busy(seen) & ((away < 2.5 * DEFENCE) | ~plan.stays_home[seen.type])
        return self._choice(threat.any(), "Attack_pt", free, place=seen.position[row])

    def _busy(self, seen: View) -> Bool[Array, " E"]:
        return seen.order == self.game.action_index["Attack_pt"]

    def _modes(self, seen: View) -> list[Choice]:
        """Sieging and burrowing where enemies are near, and back where none is."""
        foes = seen.enemy & ~self.table.flying[seen.type]
        gap = jnp.where(foes, self._gaps(seen), jnp.inf).min(1)
        choices = []
        for action, name, reach, near in MODES:
            units = (
                seen.own
                & self._is(seen, name)
                & ((gap < reach) == near)
                & (seen.order != self.game.action_index[action])
            )
            choices.append(self._choice(seen.available[self.game.action_index[action]], action, units))
        return choices

    def _attack(self, plan: RacePlan, seen: View, home, attacking, key) -> Choice:
        """Soldiers without a fight to the enemy: what is seen of it, else its bases, else where it may hide."""
        free = self._army(seen) & ~plan.stays_home[seen.type] & ~self._busy(seen)
        leader = free.argmax()
        keys = jax.random.split(key, 3)
        worth = seen.enemy & (self.table.structure[seen.type] | ~self.harmless[seen.type])
        worth &= ~self.table.flying[seen.type] | self.table.structure[seen.type]
        row = nearest_row(seen.position, worth, seen.position[leader])
        bases = self.bases[1 - home]
        column, line = (bases * self._scale(seen)).astype(jnp.int32).T
        unseen = seen.visibility[line, column] < 2
        base = jax.random.categorical(keys[0], jnp.where(unseen, jnp.arange(len(bases)) * -0.7, -20.0))
        found = seen.visibility[line[0], column[0]] > 0
        search = ~unseen.any() | (found & jax.random.bernoulli(keys[1], 0.3))
        blind = jnp.where(search, self._hiding_place(seen, keys[2]), bases[base])
        place = jnp.where(worth.any(), seen.position[row], blind)
        return self._choice(attacking, "Attack_pt", free, place=place)

    def _scale(self, seen: View) -> float:
        return seen.visibility.shape[0] / self.game.map_cells

    def _hiding_place(self, seen: View, key) -> Float[Array, " 2"]:
        """A random place out of sight: most likely one never seen, where structures can stand."""
        weight = jnp.where(seen.buildable, 1.0, 0.02) * jnp.array([1.0, 0.2, 0.0])[seen.visibility]
        row, column = jnp.divmod(jax.random.categorical(key, jnp.log(weight + 1e-6).ravel()), weight.shape[1])
        return (jnp.stack([column, row]) + 0.5) / self._scale(seen)

    def _help(self, plan: RacePlan, seen: View) -> Choice:
        """Unarmed helpers after the soldier that is farthest from home."""
        soldiers = self._army(seen) & ~plan.stays_home[seen.type]
        away = jnp.where(self._halls(seen), self._gaps(seen), jnp.inf).min(1)
        place = seen.position[jnp.where(soldiers, away, -1.0).argmax()]
        far = jnp.linalg.norm(seen.position - place, axis=1) > 4.0
        units = seen.own & self.helper[seen.type] & seen.built & far & (seen.orders == 0)
        return self._choice(soldiers.any(), "Move_pt", units, place=place)

    def _gather_army(self, plan: RacePlan, seen: View, home, attacking) -> Choice:
        """Soldiers that stand about go to the outermost own base, on the side of the enemy."""
        halls = self._halls(seen)
        enemy = self.bases[1 - home, 0]
        hall = nearest_row(seen.position, halls, enemy)
        place = seen.position[hall] + 6.0 * _unit(enemy - seen.position[hall])
        away = jnp.linalg.norm(seen.position - place, axis=1) > STRAY
        free = self._army(seen) & away & (seen.orders == 0) & ~(attacking & ~plan.stays_home[seen.type])
        return self._choice(halls.any(), "Attack_pt", free, place=place)


def _unit(vector: Float[Array, " 2"]) -> Float[Array, " 2"]:
    return vector / jnp.maximum(jnp.linalg.norm(vector), 1e-3)
