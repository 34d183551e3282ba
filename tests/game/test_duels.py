"""Duels of every pair of unit types against arithmetic done from the tables, hit by hit."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.combat import fight
from asterism.game.game import EmbeddedGame
from asterism.game.modifiers import modifiers
from asterism.game.settings import GameSettings
from asterism.game.tables import load_units, load_upgrades
from asterism.interface.sizes import InterfaceSize

HORIZON = 248
"""Game loops of a duel: most weapons attack five times or more."""
PLANES = {"ground": ("ground", "any"), "air": ("air", "any"), "any": ("ground", "air", "any"), "none": ()}


@pytest.fixture(scope="module")
def game():
    return EmbeddedGame(GameSettings(rules="full"), InterfaceSize("test", entities=64, map=16, location=64, selected=4))


@pytest.fixture(scope="module")
def start(game):
    """A state of three slots a player."""
    state = jax.eval_shape(game.reset, jax.random.key(0), game.no_strategy())[0]
    state = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
    few = lambda tree: jax.tree.map(lambda leaf: leaf[:6], tree)  # noqa: E731
    return state._replace(units=few(state.units), zerg=few(state.zerg), spells=None)


def usable(row):
    """The table's weapons, of a Carrier its interceptors': eight that fire one after another."""
    if row.name != "Carrier":
        return [(w, w.cooldown, w.range) for w in row.weapons]
    (beam,) = next(r for r in load_units() if r.name == "Interceptor").weapons
    return [(beam, beam.cooldown / 8, 8.0)]


def weapon_for(attacker, target):
    """The first weapon that fits, its pace and its longest range against the target."""
    fits = [
        (w, cooldown, reach)
        for w, cooldown, reach in usable(attacker)
        if w.target in PLANES[target.plane]
        and w.targets in ("", "structures" if target.is_structure else "units")
        and w.damage
    ]
    same = [reach for w, _, reach in fits if (w.damage, w.attacks) == (fits[0][0].damage, fits[0][0].attacks)]
    return (*fits[0][:2], max(same)) if fits else None


@cache
def effects(row, field, of=""):
    """Sum over all upgrades of what each adds to a field of a unit or, once an upgrade, of its weapon."""
    ids = {row.id, 85 if row.name == "Carrier" else row.id}
    total = 0.0
    for upgrade in load_upgrades():
        found = [e for e in upgrade.effects if e.unit in ids and e.field == field and (not of or e.of == of)]
        total += found[0].value if found else 0.0
    return total


def outcome(attacker, target, upgraded):
    """Loop of death (infinite within the horizon), then health and shield at the horizon."""
    weapon, cooldown, _ = weapon_for(attacker, target)
    gain = (lambda row, field, of="": effects(row, field, of)) if upgraded else (lambda *_: 0.0)
    of = f"weapon:{weapon.name}"
    damage = weapon.damage + gain(attacker, "damage", of)
    for name in target.attributes:
        base = weapon.bonus_damage if name == weapon.bonus_attribute else 0.0
        damage += base + gain(attacker, f"damage_bonus:{name.capitalize()}", of)
    rate = 1 + gain(attacker, "attack_rate_multiplier_add", of)
    armor = 0.0 if weapon.ignores_armor else target.armor + gain(target, "armor")
    plate = 0.0 if weapon.ignores_armor else gain(target, "shield_armor")
    health, shield = target.max_health + gain(target, "health"), target.max_shield
    most = 1 if weapon.suicide else 10**6
    for attack in range(most):
        time = (weapon.damage_point + attack * max(cooldown, 1.0)) / rate
        if time > HORIZON:
            break
        for _ in range(weapon.attacks):
            against = max(damage + weapon.bonus_shield_damage - plate, 0.5)
            if shield >= against:
                shield -= against
            elif shield > 0:
                health -= max(min(against - shield, damage) - armor, 0.0)
                shield = 0.0
            else:
                health -= max(damage - armor, 0.5)
        if health <= 0:
            return time, health, shield
    return np.inf, health, shield


def pairs(game):
    rows = {row.name: row for row in load_units()}
    units = [rows[u.name] for u in game.description.unit_types if u.name in rows]
    return [(a, b) for a in units for b in units if weapon_for(a, b)]


@pytest.fixture(scope="module")
def play(game, start):
    """A compiled batch of duels: types of attackers and targets, whether all upgrades are known, tick -> first loop at
    which each target is dead, its health and shield at the end. The target does not fight."""
    world, kinds, actions = game.world, game.description.unit_index, game.description.action_index
    place = jnp.array([[24.0, 32.0], [18.5, 32.0], [24.0, 30.0], [24.0, 32.0], [0, 0], [0, 0]])

    @jax.jit
    @partial(jax.vmap, in_axes=(0, 0, 0, None, None))
    def duel(attacker, target, distance, upgraded, tick):
        units = start.units._replace(
            type=jnp.array([0, kinds["Pylon"], kinds["Overseer"], 0, 0, 0]).at[0].set(attacker).at[3].set(target),
            position=place.at[2:4, 0].add(distance),
            order_action=start.units.order_action.at[0, 0].set(actions["Attack_unit"]),
            order_target=start.units.order_target.at[0, 0].set(3),
        )
        players = start.players._replace(upgrades=jnp.broadcast_to(upgraded, start.players.upgrades.shape))
        state = start._replace(units=units, players=players)
        mods = modifiers(world, state)
        mods = mods._replace(attack_rate=mods.attack_rate * (jnp.arange(6) < 3))
        state = state._replace(units=units._replace(health=mods.health, shield=world.units.shield[units.type]))

        def step(i, carry):
            state, dead = carry
            state, _ = fight(world, state, mods, tick)
            dies = jnp.isinf(dead) & (state.units.health[3] <= 0)
            units = state.units._replace(type=jnp.where(state.units.health <= 0, 0, state.units.type))
            return state._replace(units=units), jnp.where(dies, (i + 1) * tick, dead)

        state, dead = jax.lax.fori_loop(0, HORIZON // tick, step, (state, jnp.inf))
        return dead, state.units.health[3], state.units.shield[3]

    def run(duels, upgraded, tick):
        types = [jnp.array([kinds[row.name] for row in rows]) for rows in zip(*duels, strict=True)]
        gap = [weapon_for(a, b)[2] + (effects(a, "range") if upgraded else 0.0) - 0.05 for a, b in duels]
        distance = jnp.array([a.radius + b.radius + g for (a, b), g in zip(duels, gap, strict=True)])
        return [np.array(v) for v in duel(*types, distance, upgraded, tick)]

    return run


@pytest.mark.parametrize("upgraded", [False, True])
def test_every_duel_goes_as_the_tables_say(game, play, upgraded):
    """The target dies in the tick in which its last hit falls, at tick 1, 4 and 8; else it has what it should have.

    An attack's hits fall at damage point + n x cooldown from the first tick on.
    """
    duels = pairs(game)
    assert len(duels) > 5000
    time, *left = np.array([outcome(a, b, upgraded) for a, b in duels]).T
    for tick in (1, 4, 8):
        dead, *have = play(duels, upgraded, tick)
        # The tick ends at or after the hit. What falls on its very end may be rounded into the next.
        late = np.where(np.isinf(time), np.where(np.isinf(dead), 0.0, -np.inf), dead - np.minimum(time, 1e9))
        report([duels, late, time], (late < -0.01) | (late > tick + 0.01))
        for value, due in zip(have, left, strict=True):
            report([duels, value, due], np.isinf(time) & (np.abs(value - due) > 0.02))


def test_no_pair_that_can_fight_is_left_out(game):
    """Nor any type that has a weapon, the Oracle's beam and the interceptors of a Carrier included."""
    weapons, kinds = game.rules.units.weapons, game.description.unit_types
    armed = weapons.of[:, weapons.target_class] > 0  # [attacker, target]
    table = {(kinds[a].name, kinds[b].name) for a, b in np.argwhere(armed)}
    assert {(a.name, b.name) for a, b in pairs(game)} == table
    assert armed.any(1).sum() == 55


def report(columns, wrong):
    rows = [(a.name, b.name, *rest) for (a, b), *rest, w in zip(*columns, wrong, strict=True) if w]
    assert not rows, (len(rows), rows[:8])
