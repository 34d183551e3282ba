"""Which spells units could cast now, and what they lack for the others."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from asterism.game import buffs
from asterism.game.state import State, owners
from asterism.game.world import World


class Lacks(NamedTuple):
    """Why units cannot cast a spell."""

    energy: Bool[Array, "*s N"]
    life: Bool[Array, "*s N"]
    time: Bool[Array, "*s N"]
    """Its cooldown is not over."""


def lacks(world: World, state: State, spell: Int[Array, "*s N"]) -> Lacks:
    """What each unit lacks to cast `spell` now."""
    units, table = state.units, world.magic.spells
    slot = table.cooldown_slot[spell]
    wait = jnp.where(slot == 0, state.spells.cooldown[:, 0], state.spells.cooldown[:, 1])
    wait = jnp.where(slot == 2, state.spells.cooldown[:, 2], wait)
    return Lacks(
        energy=table.energy[spell] > units.energy,
        life=table.health[spell] >= units.health,
        time=(table.cooldown[spell] > 0) & (wait > 0),
    )


def payable(world: World, state: State, spell: Int[Array, "*s N"]) -> Bool[Array, "*s N"]:
    """Which units could cast `spell` now: energy, health and cooldown allow it, nothing silences them, and they
    are real."""
    units, lack = state.units, lacks(world, state, spell)
    acts = buffs.able(world, state, (units.type > 0) & (units.build_left <= 0)) & ~buffs.hallucinated(world, state)
    return ~(lack.energy | lack.life | lack.time) & acts & (spell > 0)


def castable(world: World, state: State, selectable: Bool[np.ndarray, "A U"]) -> Bool[Array, "2 A"]:
    """Actions that some own unit could cast now, or that are no spells. `selectable`: which types take which action."""
    actions, types = np.nonzero(selectable)
    spell = np.asarray(world.tasks.spell)[np.asarray(world.task)[actions, types]]
    actions, types, spell = actions[spell > 0], types[spell > 0], spell[spell > 0]
    most = int(np.bincount(types, minlength=1).max(initial=0))
    action_of, spell_of = np.zeros((2, most, selectable.shape[1]), np.int32)
    for row, kind in enumerate(types):
        place = int((types[:row] == kind).sum())
        action_of[place, kind], spell_of[place, kind] = actions[row], spell[row]
    kind = state.units.type
    can = payable(world, state, jnp.asarray(spell_of)[:, kind])
    able = jnp.ones((2, len(selectable)), bool).at[:, actions].set(False)
    return able.at[owners(len(kind)), jnp.asarray(action_of)[:, kind]].max(can)
