"""A scripted player's soldiers: defence, attacks, raids on workers, and what single units do in a fight."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.bots.plans import Plan
from asterism.bots.scene import DEFENCE, Choice, Knowledge, Scene
from asterism.bots.spending import idle_money
from asterism.bots.view import nearest_row
from asterism.game.rules import Rules

MODES = (
    ("Morph_SiegeMode_quick", ("SiegeTank",), 0, 12.0, "ground", True, ""),
    ("Morph_Unsiege_quick", ("SiegeTankSieged",), 0, 14.0, "ground", False, ""),
    ("BurrowDown_quick", ("LurkerMP",), 0, 9.0, "ground", True, ""),
    ("BurrowUp_quick", ("LurkerMPBurrowed",), 0, 11.0, "ground", False, ""),
    ("Effect_Stim_quick", ("Marine", "Marauder"), 0, 7.0, "fighters", True, "Stimpack"),
    ("Behavior_CloakOn_quick", ("Banshee",), 50, 10.0, "any", True, "BansheeCloak"),
    ("Behavior_CloakOff_quick", ("Banshee",), 0, 16.0, "any", False, "BansheeCloak"),
    ("Behavior_PulsarBeamOn_quick", ("Oracle",), 40, 6.0, "ground", True, "OracleWeapon"),
    ("Behavior_PulsarBeamOff_quick", ("Oracle",), 0, 12.0, "ground", False, "OracleWeapon"),
    ("Effect_VoidRayPrismaticAlignment_quick", ("VoidRay",), 0, 6.0, "any", True, "VoidRaySwarmDamageBoost"),
    ("Effect_GuardianShield_quick", ("Sentry",), 75, 8.0, "fighters", True, "GuardianShield"),
)
"""Action, who takes it, energy, cells, whom it is about, and whether it is taken with or without one of them within so
many cells: with them only by those who lack the buff, without them only by those who have it."""
SHOTS = (
    ("Effect_CorrosiveBile_pt", "Ravager", 0, 9.0),
    ("Effect_YamatoGun_unit", "Battlecruiser", 100, 10.0),
)
"""Action, who takes it, energy, and cells to the enemy at which it is aimed."""
STRAY = 8.0
"""Cells from the army's gathering place at which a soldier is called back."""
FIGHT = 13.0
"""Cells about the foremost soldier that count as one fight."""
SOUND = 0.45
"""Share of its health with which a raider goes home."""
CLOSE = 11.0
"""Cells to an enemy that fights at which a soldier leaves structures alone."""
AMONG = 13.0
"""Cells from a town hall at which enemies are among the workers, and from those at which a worker is called up."""
TOGETHER = 0.35
"""Share of the supply of an attack that waits for each other to follow it."""
AGAIN = 320
"""Game loops, on average, after which soldiers who meet nobody are told anew where to go."""
IDLE_MONEY = 800
"""Minerals with which an attack begins whatever the supply: there is no room for more soldiers."""
LARGER, LARGE = 1.5, 36
"""So many times as large is an attack after one that came to nothing, of players with caution: up to that supply, or
1.4 times that of their first."""
LULL = 3600
"""Game loops without an attack after which one begins with whatever there is."""


class Campaign(NamedTuple):
    """What a player remembers of its war."""

    attacking: Bool[Array, ""]
    since: Int[Array, ""]
    """Game loop since which it is so."""
    wanted: Float[Array, ""]
    """Supply for the next attack; 0 before the first look."""
    air: Float[Array, ""]
    """Share of the enemy's fighters that fly, as far as they were seen."""


class War:
    """What there is to do for soldiers; methods are pure and unbatched."""

    def __init__(self, knowledge: Knowledge, rules: Rules):
        self.know = knowledge
        self.game, self.table, self.bases = knowledge.game, knowledge.table, knowledge.bases
        rows = [row for row in MODES if row[0] in self.game.action_index]
        types = [unit.name for unit in self.game.unit_types]
        ids = rules.magic.buffs.id if rules.magic else []
        buff = lambda name: ids[rules.magic.buff_index[name]] if name and rules.magic else 0  # noqa: E731
        kinds = ("any", "ground", "fighters")
        self.mode_action = jnp.array([self.game.action_index[row[0]] for row in rows])
        self.mode_types = jnp.asarray(np.array([np.isin(types, row[1]) for row in rows]))
        self.mode_energy = jnp.array([row[2] for row in rows])
        self.mode_reach = jnp.array([row[3] for row in rows])
        self.mode_whom = jnp.array([kinds.index(row[4]) for row in rows])
        self.mode_near = jnp.array([row[5] for row in rows])
        self.mode_buff = jnp.array([int(buff(row[6])) for row in rows])
        self.is_spell = jnp.array([bool(row[6]) for row in rows])

    def campaign(self, plan: Plan, scene: Scene, old: Campaign) -> Campaign:
        """Whether an attack is on: it begins with enough supply or after a long lull, and ends when it is spent or
        meets more than it can beat. The next one is to be larger."""
        seen = scene.seen
        wanted = jnp.where(old.wanted > 0, old.wanted, plan.attack_supply)
        enough = (
            (seen.army >= wanted)
            | (scene.army.sum() >= plan.attack_count)
            | (seen.used >= 185)
            | (seen.minerals > IDLE_MONEY + idle_money(plan, seen))
        )
        lull = (seen.loop > plan.attack_loop + LULL) & (seen.loop > old.since + LULL)
        begins = ~old.attacking & (seen.loop >= plan.attack_loop) & (enough | lull) & (seen.army > 0)
        ours, theirs = self._balance(scene)
        beaten = (plan.caution > 0) & (ours < plan.caution * theirs) & (seen.used < 185)
        spent = seen.army < jnp.where(plan.groups, 0.3 * plan.attack_supply, 1)
        ends = old.attacking & (beaten | spent)
        larger = jnp.minimum(LARGER * wanted, jnp.maximum(LARGE, 1.4 * plan.attack_supply))
        foes = scene.foes & ~self.table.structure[seen.type]
        flies = self.know.worth(seen, foes & self.table.flying[seen.type])
        share = flies / jnp.maximum(self.know.worth(seen, foes), 1.0)
        return Campaign(
            attacking=(old.attacking | begins) & ~ends,
            since=jnp.where(begins | ends, seen.loop, old.since).astype(jnp.int32),
            wanted=jnp.where(ends & (plan.caution > 0), larger, wanted).astype(jnp.float32),
            air=jnp.where(foes.any(), 0.9 * old.air + 0.1 * share, old.air).astype(jnp.float32),
        )

    def _outside(self, plan: Plan, scene: Scene) -> Bool[Array, " E"]:
        """Soldiers who are not at home."""
        return scene.army & (scene.away > 1.3 * DEFENCE) & ~plan.stays_home[scene.seen.type]

    def _front(self, scene: Scene, soldiers: Bool[Array, " E"]) -> Int[Array, ""]:
        """The soldier that is nearest to an enemy who fights."""
        gap = jnp.where(scene.foes, scene.gaps, jnp.inf).min(1)
        return jnp.where(soldiers, gap, jnp.inf).argmin()

    def _balance(self, scene: Scene) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """What both sides have in the fight that goes on away from home."""
        soldiers = scene.army & (scene.away > 1.3 * DEFENCE)
        near = scene.gaps[self._front(scene, soldiers)] < FIGHT
        ours = self.know.worth(scene.seen, soldiers & near)
        return ours, jnp.where(soldiers.any(), self.know.worth(scene.seen, scene.foes & near), 0.0)

    def _busy(self, scene: Scene) -> Bool[Array, " E"]:
        return (scene.seen.order[:, None] == self.know.attacks).any(1)

    def defend(self, plan: Plan, scene: Scene) -> Choice:
        """All who have nothing to attack to the enemy that is nearest to a town hall."""
        seen = scene.seen
        row = jnp.where(scene.threat, scene.away, jnp.inf).argmin()
        free = scene.army & ~self._busy(scene) & ((scene.away < 2.5 * DEFENCE) | ~plan.stays_home[seen.type])
        return self.know.choice(scene.threat.any(), "Attack_pt", free, place=seen.position[row])

    def militia(self, plan: Plan, scene: Scene) -> Choice:
        """Workers against those on the ground who are among them, while there are hardly any soldiers."""
        seen = scene.seen
        foes = scene.threat & ~self.table.flying[seen.type] & (scene.away < AMONG) & ~self.table.structure[seen.type]
        foes &= ~seen.snapshot
        few = self.know.supply(seen, scene.army & (scene.away < DEFENCE)) < self.know.supply(seen, foes)
        fights = self._busy(scene) & seen.own & self.table.worker[seen.type]
        called = jnp.clip(2 * foes.sum() - fights.sum(), 0, 12)
        row = jnp.where(foes, scene.away, jnp.inf).argmin()
        near = scene.miners & (scene.gaps[row] < AMONG) & (seen.sound > 0.3)
        squad = near & (jnp.cumsum(near) <= called)
        alone = (foes & self.know.fighter[seen.type]).any() | (foes.sum() >= 3)
        return self.know.choice(plan.militia & few & alone, "Attack_pt", squad, place=seen.position[row])

    def modes(self, plan: Plan, scene: Scene) -> list[Choice]:
        """Sieging, burrowing, stimpack, cloak and such where enemies are near, and back where none is."""
        if not len(self.mode_action):
            return []
        seen = scene.seen
        real = seen.enemy & ~seen.snapshot
        whom = jnp.stack([real, real & ~self.table.flying[seen.type], scene.foes])
        gap = jnp.where(whom[:, None], scene.gaps[None], jnp.inf).min(2)[self.mode_whom]
        has = ((seen.buffs[None] == self.mode_buff[:, None, None]).any(2)) & (self.mode_buff > 0)[:, None]
        near = self.mode_near[:, None]
        units = seen.own & seen.built & self.mode_types[:, seen.type] & ((gap < self.mode_reach[:, None]) == near)
        units &= (seen.energy >= self.mode_energy[:, None]) & (seen.order != self.mode_action[:, None])
        units &= jnp.where(self.is_spell[:, None], jnp.where(near, ~has & (seen.sound > 0.6), has), True)
        can = units.any(1) & seen.available[self.mode_action] & (plan.spells | ~self.is_spell)
        row = can.argmax()
        return [self.know.choice(can.any(), self.mode_action[row], units[row])]

    def shots(self, plan: Plan, scene: Scene) -> list[Choice]:
        """Spells that are aimed at an enemy, by one unit at a time: the first that is near enough."""
        seen, choices = scene.seen, []
        gap = jnp.where(scene.foes, scene.gaps, jnp.inf)
        for action, name, energy, reach in SHOTS:
            if action not in self.game.action_index:
                continue
            index = self.game.action_index[action]
            able = seen.own & self.know.named(seen, name) & (seen.energy >= energy) & (gap.min(1) < reach)
            able &= seen.order != index
            unit = able.argmax()
            target = gap[unit].argmin()
            one = able & (jnp.arange(len(able)) == unit)
            can = plan.spells & seen.available[index]
            choices.append(self.know.choice(can, index, one, target=target, place=seen.position[target]))
        return choices

    def raid(self, plan: Plan, scene: Scene, attacking: Bool[Array, ""]) -> list[Choice]:
        """Raiders in a pack to the enemy's mineral fields and upon its workers; hurt ones and outdone packs go home."""
        seen = scene.seen
        raiders = seen.own & seen.built & plan.raider[seen.type]
        fit = raiders & (seen.sound > jnp.where(scene.away < DEFENCE, 0.8, SOUND))
        leader = jnp.where(fit, scene.away, -1.0).argmax()
        near = scene.gaps[leader] < 9.0
        danger = self.know.worth(seen, scene.foes & near & self.know.hits_air[seen.type])
        outdone = danger > 1.5 * self.know.worth(seen, raiders & near)
        on = (fit.sum() >= plan.pack) | (fit & (scene.away > 2 * DEFENCE)).any()
        halls = seen.enemy & self.table.townhall[seen.type]
        hall = seen.position[nearest_row(seen.position, halls, seen.position[leader])]
        hall = jnp.where(halls.any(), hall, self.bases[1 - scene.home, 0])
        fields = self.know.minerals(seen) & (jnp.linalg.norm(seen.position - hall, axis=1) < 9.0)
        middle = jnp.where(fields[:, None], seen.position, 0.0).sum(0) / jnp.maximum(fields.sum(), 1)
        goal = jnp.where(fields.any(), middle, hall)
        prey = seen.enemy & ~seen.snapshot & self.table.worker[seen.type] & near
        victim = nearest_row(seen.position, prey, seen.position[leader])
        there = jnp.linalg.norm(seen.position - goal, axis=1) < 5.0
        flees = raiders & (~fit | outdone) & (scene.away > DEFENCE) & (seen.order != self.game.action_index["Move_pt"])
        hunts = fit & (scene.gaps[victim] < 10.0) & ~self._busy(scene)
        goes = fit & ~there & (seen.orders == 0)
        strikes = fit & there & ~self._busy(scene)
        free = on & ~attacking & ~scene.threat.any()
        return [
            self.know.choice(~attacking, "Move_pt", flees, place=self.know.rally(scene)),
            self.know.choice(free & ~outdone & prey.any(), "Attack_unit", hunts, target=victim),
            self.know.choice(free & ~outdone & ~prey.any(), "Attack_pt", strikes, place=hall),
            self.know.choice(free & ~outdone, "Move_pt", goes, place=goal),
        ]

    def attack(self, plan: Plan, scene: Scene, attacking: Bool[Array, ""], key: PRNGKeyArray) -> Choice:
        """Soldiers without a fight to the enemy: what is seen of it, else its bases, else where it may hide. In groups,
        those at home wait until they are enough to follow."""
        seen = scene.seen
        soldiers = scene.army & ~plan.stays_home[seen.type]
        outside = self._outside(plan, scene)
        behind = self.know.supply(seen, soldiers & ~outside)
        follow = ~plan.groups | ~outside.any() | (behind >= TOGETHER * plan.attack_supply)
        keys = jax.random.split(key, 4)
        # Some never come where they were sent: those who meet nobody are told again from time to time.
        alone = jnp.where(seen.enemy & ~seen.snapshot, scene.gaps, jnp.inf).min(1) > FIGHT
        again = alone & jax.random.bernoulli(keys[3], jnp.minimum(plan.delay / AGAIN, 1.0))
        # Whoever strikes at a structure does not see who strikes back.
        close = jnp.where(scene.foes & ~self.table.structure[seen.type], scene.gaps, jnp.inf).min(1) < CLOSE
        again |= close & (seen.order == self.game.action_index["Attack_unit"])
        free = soldiers & (~self._busy(scene) | again) & (outside | follow)
        return self._strike(attacking, scene, free, close, keys[:3])

    def all_in(self, plan: Plan, scene: Scene, key: PRNGKeyArray) -> Choice:
        """All workers to the enemy, from the plan's moment on."""
        seen = scene.seen
        workers = seen.own & self.table.worker[seen.type] & ~self._busy(scene)
        close = jnp.zeros_like(workers)
        return self._strike(seen.loop >= plan.workers_attack, scene, workers, close, jax.random.split(key, 3))

    def _strike(self, wanted: Bool[Array, ""], scene: Scene, units: Bool[Array, " E"], close, keys) -> Choice:
        """Units to what is seen of the enemy, else to its bases, else to where it may hide. A structure is named as the
        target, unless enemies are `close`: whoever learns from it need not learn to name each place."""
        seen, first = scene.seen, units.argmax()
        start = seen.position[first]
        worth = seen.enemy & (self.table.structure[seen.type] | ~self.know.harmless[seen.type])
        worth &= ~self.table.flying[seen.type] | self.table.structure[seen.type]
        row = nearest_row(seen.position, worth, start)
        bases = self.bases[1 - scene.home]
        column, line = (bases * self._scale(scene)).astype(jnp.int32).T
        unseen = seen.visibility[line, column] < 2
        base = jax.random.categorical(keys[0], jnp.where(unseen, jnp.arange(len(bases)) * -0.7, -20.0))
        found = seen.visibility[line[0], column[0]] > 0
        search = ~unseen.any() | (found & jax.random.bernoulli(keys[1], 0.3))
        blind = jnp.where(search, self._hiding_place(scene, keys[2]), bases[base])
        structure = worth.any() & self.table.structure[seen.type[row]] & ~seen.snapshot[row] & ~close[first]
        action = jnp.where(structure, self.game.action_index["Attack_unit"], self.game.action_index["Attack_pt"])
        place = jnp.where(worth.any(), seen.position[row], blind)
        return self.know.choice(wanted, action, units, target=row, place=place)

    def _scale(self, scene: Scene) -> float:
        return scene.seen.visibility.shape[0] / self.game.map_cells

    def _hiding_place(self, scene: Scene, key: PRNGKeyArray) -> Float[Array, " 2"]:
        """A random place out of sight: most likely one never seen, where structures can stand."""
        seen = scene.seen
        weight = jnp.where(seen.buildable, 1.0, 0.02) * jnp.array([1.0, 0.2, 0.0])[seen.visibility]
        row, column = jnp.divmod(jax.random.categorical(key, jnp.log(weight + 1e-6).ravel()), weight.shape[1])
        return (jnp.stack([column, row]) + 0.5) / self._scale(scene)

    def retreat(self, plan: Plan, scene: Scene, attacking: Bool[Array, ""]) -> Choice:
        """Soldiers of an attack that is over go home."""
        units = self._outside(plan, scene) & self._busy(scene) & ~plan.raider[scene.seen.type]
        return self.know.choice(
            ~attacking & (plan.caution > 0) & ~scene.threat.any(), "Move_pt", units, place=self.know.rally(scene)
        )

    def help(self, plan: Plan, scene: Scene) -> Choice:
        """Unarmed helpers after the soldier that is farthest from home."""
        seen = scene.seen
        soldiers = scene.army & ~plan.stays_home[seen.type]
        place = seen.position[jnp.where(soldiers, scene.away, -1.0).argmax()]
        far = jnp.linalg.norm(seen.position - place, axis=1) > 4.0
        units = seen.own & self.know.helper[seen.type] & seen.built & far & (seen.orders == 0)
        return self.know.choice(soldiers.any(), "Move_pt", units, place=place)

    def gather(self, plan: Plan, scene: Scene, attacking: Bool[Array, ""]) -> Choice:
        """Soldiers that stand about go before the outermost own base."""
        seen = scene.seen
        place = self.know.rally(scene)
        away = jnp.linalg.norm(seen.position - place, axis=1) > STRAY
        stays = ~attacking | plan.stays_home[seen.type] | (plan.groups & (scene.away < 1.3 * DEFENCE))
        free = scene.army & away & (seen.orders == 0) & stays & (~plan.raider[seen.type] | (scene.away < DEFENCE))
        return self.know.choice(scene.halls.any(), "Attack_pt", free, place=place)
