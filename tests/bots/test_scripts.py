"""Scripted players at play: they keep to the rules and the rate of an agent, and open as real players do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import assert_valid

from asterism.bots.build_orders import load_build_orders
from asterism.bots.parameters import STYLES, bot_style, draw_parameters
from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import EntityField
from asterism.interface.spec import action_spec, validate
from asterism.runtime.players import bot_drawer, scripted, select, spread

LANES, STEPS = 3, 130
"""Steps of 16 game loops: a minute and a half."""
NAMES = tuple(STYLES)
WINDOW, MOST = 112, 22
"""AlphaStar's rate limit: actions in 5 seconds."""


class Play:
    """Short games between bots, compiled once."""

    def __init__(self):
        self.game = game = EmbeddedGame(GameSettings(step=16))
        self.names = game.description.unit_index
        self.draw = bot_drawer(game, NAMES)
        player = scripted(game)
        act = jax.vmap(jax.vmap(player.act))

        def play(params, key):
            def step(carry, key):
                state, timestep, memory = carry
                new, action = act(params, memory, timestep.observation, jax.random.split(key, (LANES, 2)))
                memory = select(timestep.acting, new, memory)
                seen = timestep.observation
                columns = seen.entities, seen.scalars.available_actions, seen.scalars.unit_counts, action
                row = seen.scalars.game_loop, *columns, timestep.acting
                return (*jax.vmap(game.step)(state, action), memory), row

            keys = jax.random.split(key, LANES)
            start = jax.vmap(game.reset)(keys, spread(game.no_strategy(), LANES))
            memory = spread(spread(player.initial_memory(), 2), LANES)
            return jax.lax.scan(step, (*start, memory), jax.random.split(key, STEPS))[1]

        # Compiling takes longer than playing.
        self.play = jax.jit(play, compiler_options={"xla_backend_optimization_level": 0})

    def __call__(self, names, seed):
        """What the two saw and did: (loop, entities, available, counts, action, acted), each [N, B, 2, ...]."""
        index = jnp.tile(jnp.array([NAMES.index(name) for name in names]), LANES)
        params = self.draw(index, jax.random.split(jax.random.key(seed), len(index)))
        params = jax.tree.map(lambda leaf: leaf.reshape(LANES, 2, *leaf.shape[1:]), params)
        return jax.tree.map(np.asarray, self.play(params, jax.random.key(seed)))


@pytest.fixture(scope="module")
def play():
    return Play()


@pytest.fixture(scope="module")
def games(play):
    """What each bot saw and did, by name: [N, B, ...] of all fields of `Play`."""
    played = {}
    pairs = ("macro", "rush"), ("easy", "easy"), ("random", "random"), ("worker-rush", "worker-rush")
    for seed, pair in enumerate(pairs):
        both = play(pair, seed)
        played |= {name: jax.tree.map(lambda leaf, i=i: leaf[:, :, i], both) for i, name in enumerate(pair)}
    return played


def given(game):
    """(step, lane) of the moments at which a bot gave an action, the one that does nothing included."""
    return [tuple(where) for where in np.argwhere(game[-1])]


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_valid(play, games, name):
    _, entities, available, _, action, _ = games[name]
    spec = action_spec(play.game.description, play.game.size)
    moments = given(games[name])
    assert len(moments) > LANES * 5
    for where in moments:
        one = jax.tree.map(lambda leaf, where=where: leaf[where], action)
        validate(spec, one)
        assert_valid(play.game.description, entities[where], available[where], one)


@pytest.mark.parametrize("name", ["easy", "rush", "macro"])
def test_scripts_waste_no_action(play, games, name):
    """A type that takes units is given to one or more; and they have done something of all that an opening takes."""
    action = games[name][4]
    rows = [play.game.description.actions[kind] for kind in action.action_type[games[name][-1]]]
    counts = (action.units >= 0).sum(-1)[games[name][-1]]
    assert all(count > 0 for row, count in zip(rows, counts, strict=True) if row.selects)
    assert {row.name for row in rows} >= {"no_op", "Train_SCV_quick", "Build_SupplyDepot_pt", "Build_Barracks_pt"}


@pytest.mark.parametrize("name", NAMES)
def test_nobody_acts_faster_than_an_agent_may(games, name):
    loop, action, acted = games[name][0], games[name][4], games[name][-1]
    for lane in range(LANES):
        loops = loop[acted[:, lane] & (action.action_type[:, lane] > 0), lane]
        assert max(((loops >= first) & (loops < first + WINDOW)).sum() for first in loops) <= MOST


@pytest.mark.parametrize("name", ["easy", "rush", "macro"])
def test_the_delays_of_scripts_keep_to_the_rate_on_a_finer_clock_too(name):
    """However short the game's steps are, and whatever is drawn."""
    assert min(bot_style(name).delay) * MOST >= WINDOW


def first_loop(play, game, structure):
    """Game loop at which each lane first has a structure, finished or not; -1 for never."""
    there = game[3][:, :, play.names[structure]] > 0
    return np.where(there.any(0), game[0][there.argmax(0), np.arange(LANES)], -1)


@pytest.mark.parametrize("name", ["easy", "rush", "macro"])
def test_the_first_barracks_stands_when_real_players_start_theirs(play, games, name):
    """Within the span of the real games, some seconds more allowed for; its depot was finished before (480 loops)."""
    starts = [min(i.loop for i in order.items if i.unit == "Barracks") for order in load_build_orders("terran")]
    depot, barracks = (first_loop(play, games[name], kind) for kind in ("SupplyDepot", "Barracks"))
    assert ((depot > 150) & (depot < 700)).all(), depot
    assert ((barracks >= min(starts)) & (barracks <= max(starts))).all(), barracks
    assert (barracks - depot >= 480).all(), (depot, barracks)


def test_nobody_stops_making_workers(play, games):
    """Twelve at the start; a minute and a half later 14, or as many as the style wants at least."""
    for name in ("easy", "rush", "macro"):
        assert (games[name][3][-1, :, play.names["SCV"]] >= min(14, STYLES[name].workers[0])).all()


def test_only_a_worker_rush_attacks_with_workers(play, games):
    """In the first minute and a half nobody else attacks at all."""
    attack, scv = play.game.description.action_index["Attack_pt"], play.names["SCV"]
    for name in ("easy", "rush", "macro"):
        assert not (games[name][4].action_type == attack).any()
    _, entities, _, _, action, acted = games["worker-rush"]
    attacks = np.argwhere(acted & (action.action_type == attack))
    assert len(attacks)
    for where in map(tuple, attacks):
        units = action.units[where]
        assert (entities[where][units[units >= 0], EntityField.UNIT_TYPE] == scv).all()


# What is drawn


def subsequence(short, long):
    rest = iter(long)
    return all(item in rest for item in short)


@pytest.mark.parametrize("name", ["easy", "rush", "macro"])
def test_build_orders_are_real_ones(play, name):
    """Each is what one real player built of the structures that the style follows, all of them and in his order."""
    style, types = STYLES[name], play.game.description.unit_types
    real = [[item.unit for item in order.items] for order in load_build_orders("terran")]
    drawn = play.draw(jnp.full(60, NAMES.index(name)), jax.random.split(jax.random.key(3), 60)).order
    orders = {tuple(types[kind].name for kind in row if kind) for row in np.asarray(drawn)}
    for order in orders:
        wanted = [(kind, order.count(kind)) for kind in style.follows]
        assert any(subsequence(order, r) and wanted == [(k, r.count(k)) for k in style.follows] for r in real), order
    assert len(orders) >= (2 if len(style.follows) == 1 else 5)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_drawn_from_the_styles_ranges(play, name):
    style = STYLES[name]
    drawn = play.draw(jnp.full(60, NAMES.index(name)), jax.random.split(jax.random.key(4), 60))
    for field in ("workers", "attack_supply", "attack_loop", "delay", "rest", "expand_army", "worker_attack"):
        low, high = getattr(style, field)
        values = np.asarray(getattr(drawn, field))
        assert low <= values.min() and values.max() <= high
        assert low == high or len(set(values.tolist())) > 1, field
    assert (np.asarray(drawn.random) == (name == "random")).all()


def test_the_key_and_nothing_else_decides_which_bot_is_drawn(play):
    game = play.game.description
    one, two, other = (draw_parameters(jax.random.key(seed), game, STYLES["macro"]) for seed in (5, 5, 6))
    jax.tree.map(np.testing.assert_array_equal, one, two)
    assert not all(map(np.array_equal, jax.tree.leaves(one), jax.tree.leaves(other)))


def test_unknown_bots_are_refused(play):
    with pytest.raises(UserError, match="'nobody'.*random, worker-rush, easy, rush, macro"):
        bot_style("nobody")
    with pytest.raises(UserError, match="'nobody'"):
        bot_drawer(play.game, ("easy", "nobody"))
