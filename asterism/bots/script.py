"""Scripted players of every race, level and style, for any set of rules.

One sees and acts through the interface of an agent: each look at the game does the first thing on its list that there
is to do. What is the player's own is data (`Plan`), so that one compiled script plays all.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from asterism.bots.plans import Plan
from asterism.bots.scene import Choice, Knowledge
from asterism.bots.spending import Spending, Wishes
from asterism.bots.war import Campaign, War
from asterism.bots.work import Work
from asterism.game.rules import Rules
from asterism.interface.action import Action
from asterism.interface.observation import Observation
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import random_action

WAR_FIRST = 0.4
"""Share of the looks at which war comes before work: neither may take all of them."""


class Memory(NamedTuple):
    """What a scripted player remembers."""

    home: Int[Array, ""]
    """Which start it has; -1 before the first look."""
    item: Int[Array, ""]
    """Place in its opening, of its next item."""
    since: Int[Array, ""]
    """Game loop since which that is the next."""
    war: Campaign


class Script:
    """A scripted player for one set of rules and map; `act` is pure and unbatched, and plays any race."""

    def __init__(self, rules: Rules, size: InterfaceSize, bases: Float[np.ndarray, "2 n 2"]):
        self.know = Knowledge(rules, size, bases)
        self.spending = Spending(rules)
        self.work, self.war = Work(self.know, self.spending), War(self.know, rules)

    def initial_state(self) -> Memory:
        """Memory before the first look."""
        whole, none = jnp.int32(0), jnp.float32(0)
        return Memory(jnp.int32(-1), whole, whole, Campaign(jnp.zeros((), bool), whole, none, none))

    def act(self, plan: Plan, state: Memory, observation: Observation, key: PRNGKeyArray) -> tuple[Memory, Action]:
        """One look: the next memory and action."""
        scene = self.know.scene(observation, state.home)
        item = self.spending.advance(plan, scene.seen, state.item, state.since)
        since = jnp.where(item == state.item, state.since, scene.seen.loop).astype(jnp.int32)
        campaign = self.war.campaign(plan, scene, state.war)
        wishes = Wishes(item, self.know.alarm(plan, scene, item), campaign.air, scene.walking)
        keys = jax.random.split(key, 5)
        fights = [
            *self.war.modes(plan, scene),
            *self.war.shots(plan, scene),
            self.war.retreat(plan, scene, campaign.attacking),
            *self.war.raid(plan, scene, campaign.attacking),
            self.war.defend(plan, scene),
            self.war.attack(plan, scene, campaign.attacking, keys[0]),
        ]
        war_first = jax.random.bernoulli(keys[2], WAR_FIRST)
        choices = [
            self.war.all_in(plan, scene, keys[3]),
            self.war.militia(plan, scene),
            self.work.idle_workers(scene),
            *(choice._replace(wanted=choice.wanted & war_first) for choice in fights),
            *self.work.casts(scene),
            self.work.resume(scene),
            self.work.purchase(plan, scene, wishes, keys[1]),
            self.work.leave_gas(scene),
            self.work.gas(scene),
            *fights,
            self.work.spread_workers(scene),
            self.war.help(plan, scene),
            self.war.gather(plan, scene, campaign.attacking),
        ]
        chance = random_action(keys[4], observation, self.know.game, self.know.size)
        action = jax.tree.map(partial(jnp.where, plan.random), chance, self._take(choices, plan))
        return Memory(scene.home, item, since, campaign), action

    def _take(self, choices: list[Choice], plan: Plan) -> Action:
        """The first choice that is wanted, as an action."""
        stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *choices)
        chosen = jax.tree.map(lambda parts: parts[stacked.wanted.argmax()], stacked)
        whole = lambda value: jnp.where(stacked.wanted.any(), value, 0).astype(jnp.int32)  # noqa: E731
        return Action(
            action_type=whole(chosen.action),
            delay=plan.delay.astype(jnp.int32),
            queued=jnp.int32(0),
            repeat=whole(chosen.repeat),
            units=jnp.where(stacked.wanted.any(), self.know.maker.select(chosen.units), -1),
            target_unit=whole(chosen.target),
            location=whole(self.know.maker.location(chosen.place)),
        )
