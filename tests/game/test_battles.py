"""What holds in every fight, whoever fights whom."""

import jax
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ARMY = ("Marine Zealot SiegeTankSieged Mutalisk Colossus Hellion Archon Baneling VoidRay Overseer DarkTemplar").split()
SOLDIERS = st.lists(
    st.tuples(st.sampled_from(ARMY), st.integers(0, 1), st.integers(0, 40), st.integers(0, 40)), max_size=8
)
each = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def muster(battlefield, soldiers, turned):
    """Armies on open ground, off the edges of its cells, or the same turned by half a turn with players swapped."""
    new = type(battlefield)(battlefield.stages)
    for name, player, x, y in soldiers:
        place = np.array([22 + x / 8, 24 + y / 8]) + 1 / 16
        new.put(name, *(64 - place if turned else place), player=1 - player if turned else player)
    return new


@each
@given(SOLDIERS)
def test_a_fight_turned_by_half_a_turn_is_the_same_fight_bit_for_bit(field, soldiers):
    one, other = (muster(field, soldiers, turned) for turned in (False, True))
    for _ in range(10):
        one.fight(8)
        other.fight(8)
        swap = lambda leaf: np.concatenate(np.split(leaf, 2)[::-1])  # noqa: E731
        mirror = jax.tree.map(swap, other.units)
        alive = one.units.type > 0
        np.testing.assert_array_equal(one.units.type, mirror.type)
        for name in ("health", "shield", "cooldown", "windup", "quiet"):
            np.testing.assert_array_equal(getattr(one.units, name)[alive], getattr(mirror, name)[alive], name)


@each
@given(SOLDIERS)
def test_a_battle_only_takes_life_and_the_living_have_some(field, soldiers):
    battle = muster(field, soldiers, False)
    most, own = np.array(field.world.units.health), battle.units.type.copy()
    for _ in range(6):
        before = jax.tree.map(np.copy, battle.units)
        battle.battle(2)
        alive = battle.units.type > 0
        assert (battle.units.type[alive] == own[alive]).all()
        assert (battle.units.health[alive] <= most[own[alive]]).all() and (battle.units.shield >= 0).all()
        hurt = alive & (battle.units.health < before.health) & (before.type > 0)
        assert (battle.units.quiet[hurt] <= 16).all()
        assert (battle.units.cooldown[alive] >= 0).all() and (battle.units.windup[alive] >= 0).all()
