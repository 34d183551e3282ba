"""A scripted player's economy: workers, sites, what is made next, and spells that help with it."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.bots.plans import Plan
from asterism.bots.scene import Choice, Knowledge, Scene
from asterism.bots.spending import AT_ONCE, Spending, Wishes
from asterism.bots.view import View, nearest_row
from asterism.game.tasks import Builder, Kind

CASTS = (
    ("Effect_InjectLarva_unit", ("Queen",), 25, "townhall"),
    ("Effect_CalldownMULE_unit", ("OrbitalCommand",), 50, "minerals"),
    ("Effect_ChronoBoostEnergyCost_unit", ("Nexus",), 50, "busy"),
)
"""Action, who takes it, energy, and at what: where the game has the action."""
SITES = 16
"""Places looked at for a structure."""


class Work:
    """What there is to do at home; methods are pure and unbatched."""

    def __init__(self, knowledge: Knowledge, spending: Spending):
        self.know, self.spending = knowledge, spending
        self.game, self.table, self.bases = knowledge.game, knowledge.table, knowledge.bases

    def idle_workers(self, scene: Scene) -> Choice:
        """Workers without orders to the mineral field nearest to an own town hall."""
        seen = scene.seen
        idle = seen.own & self.table.worker[seen.type] & (seen.orders == 0)
        fields, halls = self.know.minerals(seen), scene.halls & seen.built
        hall = nearest_row(seen.position, halls, seen.position[idle.argmax()])
        field = nearest_row(seen.position, fields, seen.position[hall])
        return self.know.choice(fields.any() & halls.any(), "Harvest_Gather_unit", idle, target=field)

    def resume(self, scene: Scene) -> Choice:
        """A worker to a structure that its builder has left unfinished."""
        seen, tasks = scene.seen, self.spending.tasks
        stays = (tasks.kind == Kind.BUILD) & (tasks.builder == Builder.STAYS)
        order_of = (
            jnp.full(self.table.structure.shape, -2)
            .at[jnp.where(stays, tasks.product, 0)]
            .set(jnp.where(stays, tasks.action, -2))
        )
        order = order_of.at[0].set(-2)[seen.type]
        builds = seen.own & (seen.order == order[:, None]) & (scene.gaps < 5.0)
        left = seen.own & (order >= 0) & ~seen.built & ~builds.any(1)
        site = left.argmax()
        builder = self.know.nearest_miner(scene, seen.position[site])
        return self.know.choice(left.any(), "Smart_unit", builder, target=site)

    def gas(self, scene: Scene) -> Choice:
        """One more worker to a refinery that has too few."""
        seen = scene.seen
        short = seen.own & self.table.refinery[seen.type] & seen.built & (seen.harvesters < seen.wanted_harvesters)
        refinery = short.argmax()
        enough = (seen.vespene > 150) & (seen.minerals < seen.vespene) | (scene.miners.sum() < 8)
        worker = self.know.nearest_miner(scene, seen.position[refinery])
        return self.know.choice(short.any() & ~enough, "Harvest_Gather_unit", worker, target=refinery)

    def leave_gas(self, scene: Scene) -> Choice:
        """One worker back to the minerals while there is vespene that minerals lack for."""
        seen = scene.seen
        much = (seen.vespene > 350) & (seen.minerals < 150) & (scene.drillers.sum() > 3)
        worker = scene.drillers & ~seen.carries
        worker &= jnp.cumsum(worker) == 1
        field = nearest_row(seen.position, self.know.minerals(seen), seen.position[worker.argmax()])
        return self.know.choice(much, "Harvest_Gather_unit", worker, target=field)

    def spread_workers(self, scene: Scene) -> Choice:
        """Up to four miners from a base that has too many to one that has too few."""
        seen = scene.seen
        halls = scene.halls & seen.built
        over = jnp.where(halls, seen.harvesters - seen.wanted_harvesters, 0)
        crowded, empty = over.argmax(), over.argmin()
        moved = jnp.clip(jnp.minimum(over[crowded], -over[empty]), 0, AT_ONCE)
        near = scene.miners & (scene.gaps[crowded] < 9.0) & ~seen.carries
        field = nearest_row(seen.position, self.know.minerals(seen), seen.position[empty])
        near &= jnp.cumsum(near) <= moved
        return self.know.choice(moved > 1, "Harvest_Gather_unit", near, target=field)

    def _free_bases(self, scene: Scene) -> Bool[Array, " n"]:
        """Own bases on which nobody has a town hall."""
        seen = scene.seen
        halls = (seen.own | seen.enemy) & self.table.townhall[seen.type]
        gap = jnp.linalg.norm(self.bases[scene.home][:, None] - seen.position[None], axis=-1)
        return ~(halls & (gap < 5.0)).any(1)

    def purchase(self, plan: Plan, scene: Scene, wishes: Wishes, key: PRNGKeyArray) -> Choice:
        """What is made next, by whom and where."""
        seen, tasks = scene.seen, self.spending.tasks
        free = self._free_bases(scene)
        buy = self.spending.next_purchase(plan, seen, wishes, scene.miners, free.any())
        kind, product = tasks.kind[buy.task], tasks.product[buy.task]
        geysers = self._free_geysers(scene)
        geyser = nearest_row(seen.position, geysers, self.bases[scene.home, 0])
        refinery = self.table.refinery[product]
        place = self._site(scene, free, kind, product, key)
        place = jnp.where(self.table.townhall[product], self.bases[scene.home][free.argmax()], place)
        place = jnp.where(refinery, seen.position[geyser], place)
        builder = self.know.nearest_miner(scene, place, buy.makers)
        several = jnp.isin(kind, jnp.array([Kind.TRAIN, Kind.WARP]))
        number = jnp.where(kind == Kind.RESEARCH, 1, jnp.where(several, jnp.minimum(buy.number, AT_ONCE), buy.number))
        most = jnp.where(several, len(scene.miners), number)
        units = jnp.where(kind == Kind.BUILD, builder, buy.makers & (jnp.cumsum(buy.makers) <= most))
        wanted = buy.wanted & (~refinery | geysers.any())
        repeat = jnp.where(several, number - 1, 0)
        return self.know.choice(wanted, tasks.action[buy.task], units, geyser, place, repeat)

    def _free_geysers(self, scene: Scene) -> Bool[Array, " E"]:
        """Geysers beside a finished town hall without a refinery on them."""
        seen = scene.seen
        geysers = seen.neutral & (seen.type == self.game.unit_index["VespeneGeyser"])
        near = (scene.gaps < 10.0) & (scene.halls & seen.built)
        taken = (scene.gaps < 1.0) & self.table.refinery[seen.type] & (seen.own | seen.enemy)
        return geysers & near.any(1) & ~taken.any(1)

    def _site(
        self, scene: Scene, free: Bool[Array, " n"], kind: Int[Array, ""], product: Int[Array, ""], key: PRNGKeyArray
    ) -> Float[Array, " 2"]:
        """A place for a structure beside a town hall, or a pylon where it needs power, off the way of the workers and
        off bases that are still to be taken; of several that chance proposes the best."""
        keys, seen = jax.random.split(key, 2), scene.seen
        halls = scene.halls & seen.built
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
        to_base = jnp.where(free, gap(self.bases[scene.home]), jnp.inf).min(1)
        to_others = jnp.where(seen.own & self.table.structure[seen.type], gap(seen.position), jnp.inf).min(1)
        # Cells of the map plane are coarser than those of the map.
        scale = seen.buildable.shape[0] / self.game.map_cells
        column, line = (jnp.floor(sites * scale).astype(jnp.int32)).T
        score = 4.0 * seen.buildable[line, column] + 3.0 * (to_field > 5.5) + 3.0 * (to_base > 7.0)
        score += (to_hall > 5.0) + jnp.clip(to_others, 0.0, 3.5) * 0.6
        return sites[score.argmax()]

    def casts(self, scene: Scene) -> list[Choice]:
        """Spells of the economy, as far as the game has them."""
        choices = []
        for action, names, energy, at in CASTS:
            if action in self.game.action_index:
                choices.append(self._cast(scene, action, names, energy, self._target(scene, at)))
        return choices

    def _target(self, scene: Scene, at: str) -> Bool[Array, " E"]:
        seen, halls = scene.seen, scene.halls & scene.seen.built
        if at == "minerals":
            return self.know.minerals(seen) & (jnp.where(halls, scene.gaps, jnp.inf).min(1) < 9.0)
        # Larvae take up room: more of them are called for when there are few.
        larvae = (seen.own & self.know.named(seen, "Larva")).sum()
        return halls & (larvae < halls.sum()) if at == "townhall" else self._busy(seen)

    def _busy(self, seen: View) -> Bool[Array, " E"]:
        return seen.own & seen.built & self.table.structure[seen.type] & (seen.orders > 0)

    def _cast(self, scene: Scene, action: str, names: tuple[str, ...], energy: int, targets) -> Choice:
        seen = scene.seen
        ready = seen.own & self.know.named(seen, *names) & (seen.energy >= energy) & (seen.orders == 0)
        first = ready & (jnp.cumsum(ready) == 1)
        target = nearest_row(seen.position, targets, seen.position[first.argmax()])
        can = seen.available[self.game.action_index[action]] & targets.any()
        return self.know.choice(can, action, first, target=target)
