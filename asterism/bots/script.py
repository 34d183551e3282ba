"""A scripted Terran player: each look at the game does the first thing on its list that there is to do.

It sees and acts through the same interface, with the same delays, as an agent.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.bots.parameters import BotParameters
from asterism.bots.view import ActionMaker, Option, View, first_wanted, nearest_row, view
from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.observation import Observation
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import random_action

STRUCTURES = ("CommandCenter", "Refinery", "Barracks", "EngineeringBay", "Factory")
TECH_LABS = {"BarracksTechLab": "Barracks", "FactoryTechLab": "Factory"}
ARMY = {
    "Marine": "Barracks",
    "Marauder": "Barracks",
    "Reaper": "Barracks",
    "Hellion": "Factory",
    "SiegeTank": "Factory",
}
UPGRADES = ("Research_TerranInfantryWeapons_quick", "Research_TerranInfantryArmor_quick")
QUEUED = 2
"""Units that a structure trains or has queued at most."""
DEFENCE = 16.0
"""Enemies within this many cells of an own town hall are fought."""
MILITIA = 10.0
"""Enemy workers that come this near to an own town hall are fought by workers where soldiers are too few."""
DANGER = 8.0
"""Cells within which an enemy that moves is fought before any structure."""
SQUAD = 4
"""Workers called up at a look. A defence in several actions is seen by whoever learns from it; one great one is not."""


class BotState(NamedTuple):
    """What a scripted player remembers."""

    home: Int[Array, ""]
    """Which start it has; -1 before the first look."""
    attacking: Bool[Array, ""]


class Script:
    """A scripted player for one game and map; `act` is pure and unbatched."""

    def __init__(self, game: GameDescription, size: InterfaceSize, bases: Float[np.ndarray, "2 n 2"]):
        self.game, self.size, self.make = game, size, ActionMaker(game, size).make
        self.bases = jnp.asarray(bases, jnp.float32)
        self.centre = jnp.full(2, game.map_cells / 2.0)

    def initial_state(self) -> BotState:
        """Memory before the first look."""
        return BotState(jnp.int32(-1), jnp.zeros((), bool))

    def act(
        self, parameters: BotParameters, state: BotState, observation: Observation, key: PRNGKeyArray
    ) -> tuple[BotState, Action]:
        """One look: the next memory and action."""
        seen = view(observation)
        keys = jax.random.split(key, 4)
        home = jnp.where(state.home < 0, self._home(seen), state.home)
        far = parameters.attack_supply * parameters.retreat_share
        strong = (seen.army >= parameters.attack_supply) & (seen.loop >= parameters.attack_loop)
        attacking = strong | (state.attacking & (seen.army >= far) & (seen.army > 0))
        saving, construction = self._construction(parameters, seen, home, keys[0])
        options = [
            self._defend(seen, home),
            self._call_up(seen, home),
            self._idle_workers(seen),
            self._resume(seen),
            self._supply(seen, home, keys[1]),
            self._workers(parameters, seen),
            *construction,
            *self._upgrades(parameters, seen),
            *self._army(parameters, seen, saving),
            self._gas(seen),
            self._attack(parameters, seen, home, attacking, keys[2]),
            self._gather_army(seen, home, attacking),
        ]
        busy, action = first_wanted(options, self.make("no_op"))
        delay = jnp.where(busy, parameters.delay, parameters.rest)
        scripted = action._replace(delay=delay.astype(jnp.int32))
        chance = random_action(keys[3], observation, self.game, self.size)
        action = jax.tree.map(lambda a, b: jnp.where(parameters.random, a, b), chance, scripted)
        return BotState(home, attacking), action

    def _is(self, seen: View, *names: str) -> Bool[Array, " E"]:
        return jnp.isin(seen.type, jnp.array([self.game.unit_index[name] for name in names]))

    def _own(self, seen: View, *names: str) -> Bool[Array, " E"]:
        return seen.own & self._is(seen, *names)

    def _can(self, seen: View, name: str) -> Bool[Array, ""]:
        return seen.available[self.game.action_index[name]]

    def _home(self, seen: View) -> Int[Array, ""]:
        hall = self._own(seen, "CommandCenter").argmax()
        return jnp.linalg.norm(self.bases[:, 0] - seen.position[hall], axis=1).argmin().astype(jnp.int32)

    def _army_mask(self, seen: View) -> Bool[Array, " E"]:
        return self._own(seen, *ARMY)

    def _foes(self, seen: View) -> Bool[Array, " E"]:
        """Enemies that are no structures."""
        return seen.enemy & self._is(seen, "SCV", *ARMY)

    def _attacking(self, seen: View) -> Bool[Array, " E"]:
        """On the way to a fight, or at an enemy's structure with nobody near who fights back."""
        endangered = (self._foes(seen) & (self._gaps(seen) < DANGER)).any(1)
        at_structure = (seen.order == self.game.action_index["Attack_unit"]) & ~endangered
        return (seen.order == self.game.action_index["Attack_pt"]) | at_structure

    def _gaps(self, seen: View) -> Float[Array, "E E"]:
        return jnp.linalg.norm(seen.position[:, None] - seen.position[None], axis=-1)

    def _miners(self, seen: View) -> Bool[Array, " E"]:
        """Workers at the minerals: those that gather, but not about a refinery."""
        gathers = self._own(seen, "SCV") & (seen.order == self.game.action_index["Harvest_Gather_unit"])
        return gathers & ~(self._own(seen, "Refinery") & (self._gaps(seen) < 4.5)).any(1)

    def _defend(self, seen: View, home) -> Option:
        """All soldiers to the enemy that is nearest to home."""
        halls = self._own(seen, "CommandCenter")
        near = seen.enemy & (jnp.where(halls, self._gaps(seen), jnp.inf).min(1) < DEFENCE)
        place = seen.position[nearest_row(seen.position, near, self.bases[home, 0])]
        free = self._army_mask(seen) & ~self._attacking(seen)
        return Option(near.any() & free.any(), self.make("Attack_pt", free, place=place))

    def _call_up(self, seen: View, home) -> Option:
        """Against workers that attack: miners until own fighters are half as many more, a soldier counting for two."""
        halls = self._own(seen, "CommandCenter")
        near = seen.enemy & self._is(seen, "SCV") & (jnp.where(halls, self._gaps(seen), jnp.inf).min(1) < MILITIA)
        fighting = self._own(seen, "SCV") & self._attacking(seen)
        missing = 3 * near.sum() // 2 + 1 - fighting.sum() - 2 * self._army_mask(seen).sum()
        miners = self._miners(seen)
        called = miners & (jnp.cumsum(miners) <= jnp.minimum(missing, SQUAD))
        place = seen.position[nearest_row(seen.position, near, self.bases[home, 0])]
        return Option((near.sum() > 1) & called.any(), self.make("Attack_pt", called, place=place))

    def _idle_workers(self, seen: View) -> Option:
        """Workers without orders, or told to stand or walk about, to the nearest mineral field."""
        lost = jnp.array([self.game.action_index[name] for name in ("HoldPosition_quick", "Patrol_pt")])
        idle = self._own(seen, "SCV") & ((seen.orders == 0) | jnp.isin(seen.order, lost))
        field = nearest_row(seen.position, seen.neutral & self._is(seen, "MineralField"), seen.position[idle.argmax()])
        action = self.make("Harvest_Gather_unit", idle, target=field)
        return Option(idle.any() & self._can(seen, "Harvest_Gather_unit"), action)

    def _pending(self, seen: View, name: str) -> Int[Array, ""]:
        """Workers on their way to build a structure, and structures growing."""
        sent = self._own(seen, "SCV") & (seen.order == self.game.action_index[f"Build_{name}_pt"])
        growing = self._own(seen, name) & ~seen.built
        return jnp.maximum(sent.sum(), growing.sum())

    def _site(self, home, key: PRNGKeyArray, spread: float) -> Float[Array, " 2"]:
        """A random place beside the first town hall, away from its minerals."""
        hall = self.bases[home, 0]
        inward = jnp.sign(self.centre - hall)
        return hall + inward * 4.0 + jax.random.uniform(key, (2,), minval=-spread, maxval=spread)

    def _builder(self, seen: View, place) -> Bool[Array, " E"]:
        miners = self._miners(seen)
        free = miners & ~seen.carries
        pool = jnp.where(free.any(), free, miners)
        row = nearest_row(seen.position, pool, place)
        return (jnp.arange(len(pool)) == row) & pool

    def _resume(self, seen: View) -> Option:
        """A worker to a structure whose builder is gone."""
        order_of = jnp.full(len(self.game.unit_types), -2)
        for name in (*STRUCTURES, "SupplyDepot"):
            order_of = order_of.at[self.game.unit_index[name]].set(self.game.action_index[f"Build_{name}_pt"])
        order = order_of[seen.type]
        builds = self._own(seen, "SCV") & (seen.order == order[:, None]) & (self._gaps(seen) < 5.0)
        left = seen.own & (order >= 0) & ~seen.built & ~builds.any(1)
        site = left.argmax()
        builder = self._builder(seen, seen.position[site])
        return Option(left.any() & builder.any(), self.make("Smart_unit", builder, target=site))

    def _supply(self, seen: View, home, key) -> Option:
        """A supply depot before supply runs out; two at a time later."""
        place = self._site(home, key, 8.0)
        builder = self._builder(seen, place)
        margin = jnp.where(seen.used < 20, 3, jnp.where(seen.used < 40, 6, 10))
        short = (seen.cap - seen.used < margin) & (self._pending(seen, "SupplyDepot") < jnp.where(seen.used < 30, 1, 2))
        wanted = short & (seen.cap < 200) & self._can(seen, "Build_SupplyDepot_pt") & builder.any()
        return Option(wanted, self.make("Build_SupplyDepot_pt", builder, place=place))

    def _workers(self, parameters: BotParameters, seen: View) -> Option:
        halls = self._own(seen, "CommandCenter") & seen.built & (seen.orders == 0)
        few = seen.counts[self.game.unit_index["SCV"]] < parameters.workers
        return Option(few & halls.any() & self._can(seen, "Train_SCV_quick"), self.make("Train_SCV_quick", halls))

    def _next_structure(self, parameters: BotParameters, seen: View) -> Int[Array, ""]:
        """Type of the first structure of the order, then of the goals, that is still missing; 0 for none."""
        units = len(self.game.unit_types)
        kinds = jnp.arange(units)
        mine = seen.own[:, None] & (seen.type[:, None] == kinds)
        have = mine.sum(0)
        hall = self.game.unit_index["CommandCenter"]
        for name in STRUCTURES:
            growing = (self._own(seen, name) & ~seen.built).sum()
            sent = self._pending(seen, name) - growing
            have = have.at[self.game.unit_index[name]].add(jnp.maximum(sent, 0))
        for lab, host in TECH_LABS.items():
            ordered = self._own(seen, host) & (seen.order == self.game.action_index["Build_TechLab_quick"])
            growing = (self._own(seen, lab) & ~seen.built).sum()
            have = have.at[self.game.unit_index[lab]].add(jnp.maximum(ordered.sum() - growing, 0))
        listed = parameters.order[:, None] == kinds
        needed = jnp.cumsum(listed, 0)
        # The town hall of the start is not part of the order.
        built = have.at[hall].add(-1)[parameters.order]
        missing = (parameters.order > 0) & ((listed * needed).sum(1) > built)
        missing &= (parameters.order != hall) | (seen.army >= parameters.expand_army)
        missing &= have[parameters.order] < parameters.goal[parameters.order]
        goal = parameters.goal
        short = (goal > have) & ((kinds != hall) | (seen.army >= parameters.expand_army))
        rest = jnp.where(short.any(), jnp.where(short, goal - have, 0).argmax(), 0)
        due = parameters.order[missing.argmax()]
        # With money to spare and no way to go on (no gas yet), the goals come first.
        stuck = (seen.minerals >= 250) & jnp.isin(
            due, jnp.array([self.game.unit_index[n] for n in (*TECH_LABS, "Factory")])
        )
        return jnp.where(missing.any() & ~stuck, due, rest)

    def _construction(self, parameters: BotParameters, seen: View, home, key) -> tuple[Bool[Array, ""], list[Option]]:
        """The next structure; and whether money is to be kept for it."""
        due = self._next_structure(parameters, seen)
        idle = (self._own(seen, *set(ARMY.values())) & seen.built & (seen.orders == 0)).any()
        exposed = idle & (seen.army < parameters.guard * (seen.loop - 2400) / 1000)
        options = []
        for name in STRUCTURES:
            action, mask, target, place = f"Build_{name}_pt", None, 0, None
            if name == "Refinery":
                geysers = seen.neutral & self._is(seen, "VespeneGeyser")
                taken = self._own(seen, "Refinery")
                gap = jnp.abs(seen.position[:, None] - seen.position[None]).max(-1)
                geysers &= ~(taken & (gap < 1.0)).any(1)
                target = nearest_row(seen.position, geysers, self.bases[home, 0])
                mask = self._builder(seen, seen.position[target]) & geysers.any()
            elif name == "CommandCenter":
                halls = self._own(seen, "CommandCenter")
                gap = jnp.linalg.norm(self.bases[home][:, None] - seen.position[None], axis=-1)
                taken = (halls & (gap < 4.0)).any(1)
                place = self.bases[home][(~taken).argmax()]
                mask = self._builder(seen, place)
            else:
                place = self._site(home, key, 7.0)
                mask = self._builder(seen, place)
            wanted = (due == self.game.unit_index[name]) & self._can(seen, action) & mask.any() & ~exposed
            options.append(Option(wanted, self.make(action, mask, target=target, place=place)))
        for lab, host in TECH_LABS.items():
            mask = self._own(seen, host) & seen.built & (seen.addon == 0) & (seen.orders == 0)
            mask &= jnp.cumsum(mask) == 1
            wanted = (due == self.game.unit_index[lab]) & mask.any() & self._can(seen, "Build_TechLab_quick")
            options.append(Option(wanted, self.make("Build_TechLab_quick", mask)))
        return (due > 0) & ~exposed, options

    def _upgrades(self, parameters: BotParameters, seen: View) -> list[Option]:
        idle = self._own(seen, "EngineeringBay") & seen.built & (seen.orders == 0)
        wanted = parameters.upgrades & idle.any()
        return [Option(wanted & self._can(seen, name), self.make(name, idle)) for name in UPGRADES]

    def _army(self, parameters: BotParameters, seen: View, saving) -> list[Option]:
        """Train the unit that the army has least of for its share, where a structure has at most one order. The money
        for a town hall that a worker is on its way to build is left alone."""
        options = []
        founding = self._own(seen, "SCV") & (seen.order == self.game.action_index["Build_CommandCenter_pt"])
        least = jnp.where(founding.any(), 450, jnp.where(saving & (seen.army >= 8), 150, 0))
        share = parameters.army / jnp.maximum(1.0, seen.counts)
        for name, host in ARMY.items():
            index = self.game.unit_index[name]
            rivals = [self.game.unit_index[n] for n, h in ARMY.items() if h == host and n != name]
            can_rival = jnp.array([False])
            for rival in rivals:
                other = f"Train_{self.game.unit_types[rival].name}_quick"
                can_rival = jnp.append(can_rival, self._can(seen, other) & (share[rival] > share[index]))
            mask = self._own(seen, host) & seen.built & (seen.orders < QUEUED)
            wanted = (share[index] > 0) & mask.any() & self._can(seen, f"Train_{name}_quick") & ~can_rival.any()
            kept = seen.minerals < least
            repeat = jnp.minimum(mask.sum() - 1, 3)
            options.append(Option(wanted & ~kept, self.make(f"Train_{name}_quick", mask, repeat=repeat)))
        return options

    def _gas(self, seen: View) -> Option:
        """One more worker to a refinery that has too few."""
        short = self._own(seen, "Refinery") & seen.built & (seen.harvesters < seen.wanted_harvesters)
        refinery = short.argmax()
        worker = self._builder(seen, seen.position[refinery])
        action = self.make("Harvest_Gather_unit", worker, target=refinery)
        return Option(short.any() & worker.any() & (seen.vespene < 400), action)

    def _attack(self, parameters: BotParameters, seen: View, home, attacking, key) -> Option:
        """Fighters without a fight to the enemy: what is seen of it, else its bases, else where it may hide.

        A structure is told as a target, not as a place: whoever learns from it need not learn to name each place.
        """
        workers = self._own(seen, "SCV") & (seen.loop >= parameters.worker_attack)
        free = (self._army_mask(seen) & attacking | workers) & ~self._attacking(seen)
        keys = jax.random.split(key, 4)
        bases = self.bases[1 - home]
        base = jnp.where(jax.random.bernoulli(keys[0], 0.6), 0, jax.random.randint(keys[1], (), 0, len(bases)))
        # Once the enemy's start is known and nothing of it in sight, what is left may be anywhere.
        first = free.argmax()
        there = jnp.linalg.norm(seen.position[first] - bases[0]) < 8.0
        search = there | (self._seen_before(seen, bases[0]) & jax.random.bernoulli(keys[2]))
        blind = jnp.where(search, self._hiding_place(seen, keys[3]), bases[base])
        foes = self._foes(seen)
        close = foes & (self._gaps(seen)[first] < DANGER)
        row = nearest_row(seen.position, jnp.where(close.any(), close, seen.enemy), seen.position[first])
        move = self.make("Attack_pt", free, place=jnp.where(seen.enemy.any(), seen.position[row], blind))
        strike = self.make("Attack_unit", free, target=row)
        at_structure = seen.enemy[row] & ~foes[row]
        return Option(free.any(), jax.tree.map(lambda a, b: jnp.where(at_structure, a, b), strike, move))

    def _cell(self, seen: View) -> float:
        return self.game.map_cells / seen.visibility.shape[0]

    def _seen_before(self, seen: View, place) -> Bool[Array, ""]:
        column, row = (place / self._cell(seen)).astype(jnp.int32)
        return seen.visibility[row, column] > 0

    def _hiding_place(self, seen: View, key) -> Float[Array, " 2"]:
        """A random place out of sight: most likely one never seen, where structures can stand."""
        weight = jnp.where(seen.buildable, 1.0, 0.2) * jnp.array([1.0, 0.1, 0.0])[seen.visibility]
        row, column = jnp.divmod(jax.random.categorical(key, jnp.log(weight + 1e-6).ravel()), weight.shape[1])
        return (jnp.stack([column, row]) + 0.5) * self._cell(seen)

    def _gather_army(self, seen: View, home, attacking) -> Option:
        """Soldiers that stand about go to the ramp of the main."""
        place = 0.6 * self.bases[home, 0] + 0.4 * self.bases[home, 1]
        away = jnp.linalg.norm(seen.position - place, axis=1) > 7.0
        free = self._army_mask(seen) & away & (seen.orders == 0)
        return Option(~attacking & free.any(), self.make("Attack_pt", free, place=place))
