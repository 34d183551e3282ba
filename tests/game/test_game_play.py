"""What holds in every game: random play keeps to the rules, the same key gives the same game, sides are equal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.game.accounting import supply
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.game.world import walkable
from asterism.interface.sizes import interface_size
from asterism.interface.spec import observation_spec, random_action, validate

GAMES, STEPS = 6, 300


BASE = (  # what each player has beside its start, so that random players make everything
    *(("Barracks", 28.5, 14.5), ("BarracksTechLab", 31, 14), ("Factory", 28.5, 4.5), ("FactoryTechLab", 31, 4)),
    *(("EngineeringBay", 40.5, 14.5), ("SupplyDepot", 36, 16), ("SupplyDepot", 38, 16), ("Refinery", 9.5, 18.5)),
    *(("Marine", 36, 10), ("Marine", 37, 10), ("Marauder", 38, 10)),
)


def settle(game, state):
    """The state with `BASE` added for both players, half a turn apart."""
    units = state.units
    for player in range(2):
        for i, (name, x, y) in enumerate(BASE):
            slot, kind = player * len(units.type) // 2 + 13 + i, game.description.unit_index[name]
            place = (x, y) if player == 0 else (64 - x, 64 - y)
            units = units._replace(
                type=units.type.at[slot].set(kind),
                position=units.position.at[slot].set(jnp.array(place)),
                health=units.health.at[slot].set(game.world.units.health[kind]),
            )
            if "TechLab" in name:
                units = units._replace(addon=units.addon.at[slot - 1].set(slot))
    return state._replace(units=units)


class RandomPlay:
    """Games of random players, every step kept."""

    def __init__(self):
        self.game = game = EmbeddedGame(GameSettings(step=16), interface_size("tiny"))

        def act(key, observation):
            keys = jax.random.split(key, 2)
            action = jax.vmap(lambda k, o: random_action(k, o, game.description, game.size))(keys, observation)
            return action._replace(delay=action.delay % 32)

        def play(key):
            def step(carry, key):
                state, timestep = carry
                # Both are given money from time to time, so that everything gets made.
                rich = jax.random.bernoulli(key, 0.1)
                money = state.players.minerals + 150.0 * rich, state.players.vespene + 75.0 * rich
                state = state._replace(players=state.players._replace(minerals=money[0], vespene=money[1]))
                state, timestep = game.step(state, act(key, timestep.observation))
                return (state, timestep), (state, timestep)

            start = game.reset(key, game.no_strategy())
            settled = settle(game, start[0]), start[1]
            strong = jax.tree.map(lambda x: x.astype(x.dtype), settled)
            return jax.lax.scan(step, strong, jax.random.split(key, STEPS))[1]

        self.play = jax.jit(jax.vmap(play))
        self.keys = jax.random.split(jax.random.key(3), GAMES)
        self.states, self.timesteps = jax.tree.map(np.array, self.play(self.keys))


@pytest.fixture(scope="module")
def random_play():
    return RandomPlay()


def test_every_observation_fits_the_spec(random_play):
    game = random_play.game
    spec = observation_spec(game.description, game.size)
    for g in range(GAMES):
        for t in range(0, STEPS, 20):
            for player in range(2):
                one = jax.tree.map(lambda x, at=(g, t, player): x[at], random_play.timesteps.observation)
                validate(spec, one)


def test_money_is_never_negative_and_never_a_fraction(random_play):
    for amount in (random_play.states.players.minerals, random_play.states.players.vespene):
        assert (amount >= 0).all() and (amount == np.round(amount)).all()


def test_supply_in_use_exceeds_the_cap_only_when_supply_was_lost(random_play):
    world = random_play.game.world
    used, cap = jax.vmap(jax.vmap(lambda s: jnp.stack(supply(world, s))))(random_play.states).transpose(2, 0, 1, 3)
    used, cap = np.array(used), np.array(cap)
    assert (used >= 0).all() and (used == used.astype(int)).all()
    grew = (used[:, 1:] > used[:, :-1]) & (cap[:, 1:] >= cap[:, :-1])
    assert (used[:, 1:] <= cap[:, 1:])[grew].all()


def test_units_stay_on_walkable_ground_and_health_within_bounds(random_play):
    units, world = random_play.states.units, random_play.game.world
    mobile = (units.type > 0) & ~np.array(world.units.structure)[units.type]
    assert np.array(walkable(world, jnp.asarray(units.position)))[mobile].all()
    most = np.array(world.units.health)[units.type]
    assert ((units.health > 0) & (units.health <= most))[units.type > 0].all()
    assert (units.order_action[units.type == 0] == 0).all()


def test_orders_point_at_what_exists(random_play):
    units = random_play.states.units
    total = units.type.shape[-1]
    target = units.order_target
    at_unit = (units.order_action > 0) & (target >= 0) & (target < total)
    kinds = np.take_along_axis(units.type[..., None], np.clip(target, 0, total - 1), 2)
    assert (kinds[at_unit] > 0).all()
    # No order follows an empty one.
    empty = units.order_action == 0
    assert (empty[..., 1:] | ~empty[..., :-1]).all()


def test_much_happens_in_random_play(random_play):
    executed = random_play.states.players.executed.units[:, -1].any((0, 1))
    assert executed.sum() >= 13


def test_a_game_is_the_same_alone_and_in_a_batch_and_again(random_play):
    again = random_play.play(random_play.keys[2:3])
    for a, b in zip(jax.tree.leaves(again[0]), jax.tree.leaves(random_play.states), strict=True):
        np.testing.assert_array_equal(np.array(a)[0], b[2])


def mirrored(scenario, tolerance):
    slots = scenario.slots
    own, other = scenario.units.position[:slots], scenario.units.position[slots:]
    alive = scenario.units.type[:slots] > 0
    np.testing.assert_array_equal(scenario.units.type[:slots], scenario.units.type[slots:])
    np.testing.assert_allclose(own[alive], 64 - other[alive], atol=tolerance)


def test_both_sides_mine_alike(scenario):
    for _ in range(15):
        scenario.wait(20)
        mirrored(scenario, 1e-3)
        assert scenario.minerals(0) == scenario.minerals(1)


def test_both_sides_of_a_mirrored_battle_fare_alike(empty):
    random = np.random.default_rng(0)
    for _ in range(12):
        x, y = random.uniform((21, 21), (29, 43))
        kind = random.choice(["Marine", "Marauder", "SiegeTank"])
        for player, place in ((0, (x, y)), (1, (64 - x, 64 - y))):
            slot = empty.put(kind, *place, player=player)
            empty.units.order_action[slot, 0] = empty.actions["Attack_pt"]
            empty.units.order_position[slot, 0] = (38.5, 33.5) if player == 0 else (25.5, 30.5)
    # A crowd that pushes magnifies what rounding differs by; who shoots whom and who falls stays the same.
    for tolerance in np.linspace(0.01, 0.5, 30):
        empty.wait(1)
        mirrored(empty, tolerance)
    health = empty.units.health.reshape(2, -1)
    full = np.array(empty.rules.units.health)[empty.units.type].reshape(2, -1)
    assert (health < full).any() and abs(health.sum(1)[0] / health.sum(1)[1] - 1) < 0.02
