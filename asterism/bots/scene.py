"""What all parts of a scripted player know: the tables of the rules, what stands where, and how a choice is made."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.bots.plans import Plan, who_hits
from asterism.bots.view import ActionMaker, View, nearest_row, view
from asterism.game.rules import Rules
from asterism.game.tasks import Kind
from asterism.interface.observation import Observation
from asterism.interface.sizes import InterfaceSize

DEFENCE = 18.0
"""Enemies within this many cells of an own town hall are fought."""
MATCHED = 0.75
"""Share of the worth of the enemy's soldiers in sight that the own ones are to have."""
HELPERS = ("Medivac", "Overseer", "Observer", "WarpPrism")
"""Unarmed types that follow the army."""


class Choice(NamedTuple):
    """Something that could be done now. E entities."""

    wanted: Bool[Array, ""]
    action: Int[Array, ""]
    units: Bool[Array, " E"]
    target: Int[Array, ""]
    place: Float[Array, " 2"]
    repeat: Int[Array, ""]


class Scene(NamedTuple):
    """A look at the game, with what several parts ask of it. E entities."""

    seen: View
    home: Int[Array, ""]
    """Which start it has."""
    gaps: Float[Array, "E E"]
    """Cells between the middles of each two entities."""
    halls: Bool[Array, " E"]
    """Own town halls, unfinished ones too."""
    away: Float[Array, " E"]
    """Cells to the nearest of them."""
    army: Bool[Array, " E"]
    """Own finished soldiers that take attack orders."""
    foes: Bool[Array, " E"]
    """Enemies in sight that fight: neither workers nor unarmed."""
    threat: Bool[Array, " E"]
    """Enemies near an own town hall that can do harm, or build there."""
    miners: Bool[Array, " E"]
    """Workers at the minerals: those that gather, but not about a refinery."""
    drillers: Bool[Array, " E"]
    """Workers that gather vespene."""
    walking: Bool[Array, " E"]
    """Workers on their way to a site."""


class Knowledge:
    """The rules and the map as a scripted player knows them; methods are pure and unbatched."""

    def __init__(self, rules: Rules, size: InterfaceSize, bases: Float[np.ndarray, "2 n 2"]):
        self.game, self.size, self.maker = rules.description, size, ActionMaker(rules.description, size)
        self.bases = jnp.asarray(bases, jnp.float32)
        table = rules.units
        ground, air = who_hits(rules, "SCV"), who_hits(rules, "Overlord")
        armed = table.armed | ground | air
        self.table = jax.tree.map(jnp.asarray, table)
        self.hits_air = jnp.asarray(air)
        self.soldier = jnp.asarray(armed & (table.speed > 0) & ~table.structure & ~table.worker)
        self.fighter = jnp.asarray(armed & ~table.worker)
        self.can_attack = jnp.asarray(self.game.selectable[self.game.action_index["Attack_pt"]])
        self.helper = jnp.asarray(np.isin([unit.name for unit in self.game.unit_types], HELPERS))
        self.harmless = jnp.asarray(~armed & ~table.structure)
        sites = np.zeros(len(self.game.actions), bool)
        sites[rules.tasks.action[rules.tasks.kind == Kind.BUILD]] = True
        self.builds = jnp.asarray(sites)
        self.attacks = jnp.array([self.game.action_index[name] for name in ("Attack_pt", "Attack_unit")])

    def scene(self, observation: Observation, home: Int[Array, ""]) -> Scene:
        """One look. `home`: which start it has, -1 if that is not known yet."""
        seen = view(observation)
        gaps = jnp.linalg.norm(seen.position[:, None] - seen.position[None], axis=-1)
        halls = seen.own & self.table.townhall[seen.type]
        away = jnp.where(halls, gaps, jnp.inf).min(1)
        gathers = seen.order == self.game.action_index["Harvest_Gather_unit"]
        gas = seen.own & self.table.refinery[seen.type]
        by_gas = (gas & (gaps < 4.5)).any(1)
        sites = seen.own & self.table.structure[seen.type] & ~seen.built
        worker = seen.own & self.table.worker[seen.type]
        first = jnp.linalg.norm(self.bases[:, 0] - seen.position[halls.argmax()], axis=1).argmin().astype(jnp.int32)
        return Scene(
            seen=seen,
            home=jnp.where(home < 0, first, home),
            gaps=gaps,
            halls=halls,
            away=away,
            army=seen.own & self.soldier[seen.type] & self.can_attack[seen.type] & seen.built,
            foes=seen.enemy & self.fighter[seen.type] & ~seen.snapshot,
            threat=seen.enemy & (away < DEFENCE) & ~(self.harmless[seen.type] & self.table.flying[seen.type]),
            miners=worker & gathers & ~by_gas,
            drillers=worker & gathers & by_gas,
            walking=worker & self.builds[seen.order] & (seen.order >= 0) & ~(sites & (gaps < 4.0)).any(1),
        )

    def choice(self, wanted, action, units, target=0, place=(0.0, 0.0), repeat=0) -> Choice:
        """A choice that is wanted where somebody is there to take it."""
        index = self.game.action_index[action] if isinstance(action, str) else action
        whole = lambda value: jnp.asarray(value, jnp.int32)  # noqa: E731
        place = jnp.asarray(place, jnp.float32)
        return Choice(wanted & units.any(), whole(index), units, whole(target), place, whole(repeat))

    def named(self, seen: View, *names: str) -> Bool[Array, " E"]:
        """Entities of these types, as far as the game has them."""
        return jnp.isin(seen.type, jnp.array([self.game.unit_index.get(name, -1) for name in names]))

    def minerals(self, seen: View) -> Bool[Array, " E"]:
        """Mineral fields."""
        return seen.neutral & (seen.type == self.game.unit_index["MineralField"])

    def nearest_miner(self, scene: Scene, place, pool: Bool[Array, " E"] | None = None) -> Bool[Array, " E"]:
        """The miner nearest to a place, one with empty hands if there is any."""
        miners = scene.miners if pool is None else pool
        free = miners & ~scene.seen.carries
        pool = jnp.where(free.any(), free, miners)
        return (jnp.arange(len(pool)) == nearest_row(scene.seen.position, pool, place)) & pool

    def rally(self, scene: Scene) -> Float[Array, " 2"]:
        """Where soldiers gather: before the own base that is nearest to the enemy's."""
        enemy = self.bases[1 - scene.home, 0]
        hall = scene.seen.position[nearest_row(scene.seen.position, scene.halls, enemy)]
        way = enemy - hall
        return hall + 6.0 * way / jnp.maximum(jnp.linalg.norm(way), 1e-3)

    def worth(self, seen: View, which: Bool[Array, " E"]) -> Float[Array, ""]:
        """What entities are worth in minerals and vespene, as far as they are sound."""
        return jnp.where(which, self.table.value[seen.type] * seen.sound, 0.0).sum()

    def supply(self, seen: View, which: Bool[Array, " E"]) -> Float[Array, ""]:
        """Supply of entities."""
        return jnp.where(which, self.table.supply[seen.type], 0.0).sum()

    def alarm(self, plan: Plan, scene: Scene, item: Int[Array, ""]) -> Bool[Array, ""]:
        """Soldiers come before all else: there is a threat, or fewer of them than the enemy shows on this side of the
        map, or than the plan keeps once its opening is over. (Whoever sees all of the map would grow no economy for as
        long as the enemy's soldiers at home counted.)"""
        seen, last = scene.seen, len(plan.opening.task) - 1
        opened = (item > last) | (plan.opening.task[jnp.minimum(item, last)] == 0)
        weak = opened & (seen.army < plan.guard * jnp.maximum(seen.loop - 3000, 0) / 1000)
        starts = self.bases[jnp.stack([scene.home, 1 - scene.home]), 0]
        ours, theirs = jnp.linalg.norm(seen.position - starts[:, None], axis=-1)
        moving = scene.foes & ~self.table.structure[seen.type] & (ours < theirs)
        outdone = MATCHED * self.worth(seen, moving) > self.worth(seen, scene.army)
        return outdone | ((scene.threat.any() | weak) & (seen.army < plan.attack_supply))
