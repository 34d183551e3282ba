"""Work by lists and in turn gives what work on everything at once gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.game import damage, economy, movement, sight
from asterism.game.modifiers import modifiers
from asterism.game.skipping import CHUNK, any_of, chosen, listed, one_by_one, over_chunks, running, when

flags = st.lists(st.booleans(), min_size=24, max_size=24).map(np.array)


@given(flags)
@settings(max_examples=25, deadline=None)
def test_running_sums_are_those_of_numpy(which):
    assert (np.asarray(running(jnp.asarray(which))) == np.cumsum(which)).all()
    costs = np.where(which, 37.5, 0.0).astype(np.float32)
    assert (np.asarray(running(jnp.asarray(costs))) == np.cumsum(costs)).all()


@given(flags)
@settings(max_examples=25, deadline=None)
def test_a_list_has_every_entry_once_and_in_order(which):
    order, count = listed(jnp.asarray(which.reshape(2, 12)))
    for row, indices, number in zip(which.reshape(2, 12), order, count, strict=True):
        assert np.asarray(indices)[: int(number)].tolist() == np.flatnonzero(row).tolist()


@pytest.mark.parametrize("number", [0, 1, CHUNK, CHUNK + 1, 21])
def test_chunks_go_through_all_that_are_listed(number):
    which = np.isin(np.arange(24), np.random.default_rng(number).permutation(24)[:number])
    visit = lambda at, real, seen: seen.at[at].add(real)  # noqa: E731
    assert (np.asarray(over_chunks(jnp.asarray(which), visit, jnp.zeros(24))) == which).all()


@given(flags, st.booleans())
@settings(max_examples=25, deadline=None)
def test_entries_that_rows_of_a_table_name_are_those_of_the_table(flag, empty):
    table = np.random.default_rng(int(flag.sum())).random((5, 24)) < 0.1
    found = np.asarray(chosen(jnp.asarray(flag), table, empty))
    assert (found.all(1) == (~table | flag).all(1)).all() if empty else (found.any(1) == (table & flag).any(1)).all()


@given(flags, st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_any_of_is_any_over_those_listed(which, step):
    test = lambda at: (at[:, None] % step) == (jnp.arange(7) % step)  # noqa: E731
    expected = (which[:, None] & np.asarray(test(jnp.arange(24)))).any(0)
    assert (np.asarray(any_of(jnp.asarray(which), test, (7,))) == expected).all()


def test_lanes_in_turn_are_lanes_side_by_side():
    """Nested, and with an argument that all lanes share."""

    def step(x, y):
        return when(x > 0, lambda v: v * y, x), x + y

    x, y = jnp.arange(-3.0, 3.0).reshape(2, 3), jnp.float32(7.0)
    over = lambda f: jax.vmap(jax.vmap(f, (0, None)), (0, None))  # noqa: E731
    for ours, plain in zip(over(one_by_one(step))(x, y), over(step)(x, y), strict=True):
        assert (np.asarray(ours) == np.asarray(plain)).all()


def crowd(scenario, seed):
    """A scenario with every slot taken by a unit of a random type somewhere on the map."""
    random, units, world = np.random.default_rng(seed), scenario.units, scenario.compiled.world
    count = len(units.type)
    units.type[:] = random.integers(1, world.units.health.shape[0] - 2, count)
    units.position[:] = random.uniform(1, 63, (count, 2))
    units.health[:] = np.asarray(world.units.health)[units.type] * random.choice(
        [0.0, 0.5, 1.0], count, p=[0.1, 0.1, 0.8]
    )
    units.build_left[:] = random.choice([0.0, 100.0], count, p=[0.8, 0.2])
    return world, jax.tree.map(jnp.asarray, scenario.state)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_watched_is_what_a_pair_by_pair_search_finds(compiled_full, full, seed):
    world, state = crowd(full, seed)
    kind, table, position = np.asarray(state.units.type), world.units, np.asarray(state.units.position, np.float64)
    level = np.asarray(world.terrain.level)
    above = np.where(np.asarray(table.flying)[kind], 100, level[tuple(position.T[::-1].astype(int))])
    grown = (np.asarray(state.units.build_left) <= 0) | np.asarray(table.structure)[kind]
    reach = np.where(grown, np.asarray(table.sight)[kind], 0.0)
    sees = (np.asarray(state.units.health) > 0) & ~np.asarray(world.magic.absent)[kind]
    places = np.random.default_rng(seed).uniform(1, 63, (2, 50, 2)).astype(np.float32)
    ours = np.asarray(sight.watched(world, state, jnp.asarray(places), jnp.ones((2, 50), bool)))
    for player in range(2):
        own = slice(player * len(kind) // 2, (player + 1) * len(kind) // 2)
        for place, seen in zip(places[player], ours[player], strict=True):
            gap = np.hypot(*(position[own] - place).T)
            if np.abs(gap - reach[own]).min() < 1e-3:
                continue  # too close to call in single precision
            high = above[own] >= level[int(place[1]), int(place[0])]
            assert seen == ((gap <= reach[own]) & high & sees[own]).any()


@pytest.mark.parametrize("seed", range(3))
def test_bodies_push_as_pair_by_pair_and_the_nearest_hall_is_the_nearest(full, seed):
    world, state = crowd(full, seed)
    units = state.units._replace(position=state.units.position / 4)  # a tight crowd
    bodies = movement.bodies(world, units)
    ours = np.asarray(movement.separation(world, units, bodies))
    radius, flying = np.asarray(world.units.body)[units.type], np.asarray(world.units.flying)[units.type]
    place, count = np.asarray(units.position, np.float64), len(radius)
    angle = 2.4 * (np.arange(count) % (count // 2))
    side = np.where(np.arange(count) < count // 2, 0.01, -0.01)[:, None]
    place = place + side * np.stack([np.cos(angle), np.sin(angle)], 1)
    pushed = np.zeros((count, 2))
    for i in np.flatnonzero(bodies):
        for j in np.flatnonzero(bodies):
            gap = np.linalg.norm(place[i] - place[j])
            if i != j and flying[i] == flying[j] and gap < radius[i] + radius[j]:
                pushed[i] += 0.5 * (radius[i] + radius[j] - gap) * (place[i] - place[j]) / max(gap, 1e-3)
    np.testing.assert_allclose(ours[np.asarray(bodies)], pushed[np.asarray(bodies)], atol=2e-3)
    halls = np.asarray(world.units.townhall)[units.type] & (np.asarray(units.build_left) <= 0)
    found = np.asarray(economy.nearest_townhall(world, units))
    for unit in range(count):
        own = np.flatnonzero(halls & (np.arange(count) // (count // 2) == unit // (count // 2)))
        place = np.asarray(units.position, np.float64)
        far = np.linalg.norm(place[own] - place[unit], axis=1)
        assert (
            found[unit] == -1
            if len(own) == 0
            else abs(np.linalg.norm(place[found[unit]] - place[unit]) - far.min()) < 1e-4
        )


@pytest.mark.parametrize("seed", range(3))
def test_blows_on_targets_alone_are_those_of_every_pair(full, seed):
    """Of weapons that reach nobody else, on shields and armor."""
    world, state = crowd(full, seed)
    random, count, weapons = np.random.default_rng(seed), len(state.units.type), world.units.weapons
    state = state._replace(units=state.units._replace(shield=world.units.shield[state.units.type] * 0.3))
    enemy = (1 - np.arange(count) // (count // 2)) * (count // 2)
    target = jnp.asarray(np.where(random.random(count) < 0.8, enemy + random.integers(0, 6, count), -1))
    weapon = weapons.of[state.units.type, weapons.target_class[state.units.type[target]]]
    narrow = (weapon > 0) & ~(weapons.ring_radius[weapon] >= 0).any(1)
    blows = damage.Blows(target, weapon, jnp.where(narrow & (target >= 0), 2.0, 0.0))
    mods, nobody = modifiers(world, state), jnp.zeros(count, bool)
    one, every = (damage.wound(world, state, mods, blows, wide, state.units) for wide in (nobody, ~nobody))
    assert (np.asarray(one.health) < np.asarray(state.units.health)).sum() >= 3
    for name in ("health", "shield", "quiet"):
        np.testing.assert_allclose(getattr(one, name), getattr(every, name), atol=1e-3, err_msg=name)


@pytest.mark.parametrize("own", [False, True])
def test_areas_of_many_attacks_are_the_sum_of_each_alone(full, own):
    """Where there are no shields. Fewer attackers than a list is worked on at a time, and more."""
    world, state = crowd(full, 0)
    random, count, table = np.random.default_rng(0), len(state.units.type), world.units
    spreads = (np.asarray(table.weapons.ring_radius) >= 0).any(1)
    spreads &= np.asarray(table.weapons.friendly_fire) if own else ~np.asarray(table.weapons.suicide)
    kinds = np.flatnonzero(spreads[np.asarray(table.weapons.of)].any(1))
    kind = jnp.asarray(random.choice(kinds, count))
    units = state.units._replace(type=kind, health=table.health[kind], shield=jnp.zeros(count))
    units = units._replace(position=jnp.asarray(random.uniform(20, 26, (count, 2)), jnp.float32))
    state = state._replace(units=units)
    target = jnp.asarray((1 - np.arange(count) // (count // 2)) * (count // 2) + random.integers(0, count // 2, count))
    weapon = table.weapons.of[kind, table.weapons.target_class[kind[target]]]
    mods = modifiers(world, state)

    def lost(hits):
        blows = damage.Blows(target, weapon, hits.astype(jnp.float32))
        wide = hits & jnp.asarray(spreads)[weapon]
        return units.health - damage.wound(world, state, mods, blows, wide, units, own).health

    some = jnp.arange(count) % 11 == 0
    each = jax.jit(jax.vmap(lost))(jnp.concatenate([jnp.eye(count, dtype=bool), some[None], ~some[None]]))
    alone, few, many = each[:count], *each[count:]
    assert ((many > 0).sum() > count // 2) and (few > 0).any()
    np.testing.assert_allclose(few, alone[some].sum(0), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(many, alone[~some].sum(0), rtol=1e-4, atol=1e-3)
