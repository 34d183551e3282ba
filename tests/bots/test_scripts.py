"""Scripted players in the first rules: they keep to the interface and the rate of an agent, and open as they should."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import assert_valid

from asterism.bots.levels import LEVELS
from asterism.bots.names import parse_bot
from asterism.bots.plans import WORKERS_ATTACK
from asterism.bots.styles import SPARRING
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import Alliance, EntityField, Race
from asterism.interface.spec import action_spec, validate
from asterism.runtime.players import bot_drawer, scripted, select, spread

PAIRS = ("macro", "rush"), ("easy", "medium"), ("random", "random"), ("worker-rush", "worker-rush")
"""Sparring partners meet their like: against them others call up their workers."""
NAMES = tuple(dict.fromkeys(name for pair in PAIRS for name in pair))
BUILDERS = [name for name in NAMES if name not in SPARRING]
LANES, STEP = 2, 16
STEPS = WORKERS_ATTACK // STEP + 8
WINDOW, MOST = 112, 22
"""AlphaStar's rate limit: actions in 5 seconds."""


class Seat:
    """What one kind of player saw and did: [N, L, ...], L of its lanes."""

    def __init__(self, columns, plans):
        self.loop, self.entities, self.available, self.counts, self.action, self.acted = columns
        self.plans = plans

    def moments(self, kind=None):
        """(step, lane) of the moments at which it gave an action, of one type if that is named."""
        given = self.acted if kind is None else self.acted & (self.action.action_type == kind)
        return [tuple(where) for where in np.argwhere(given)]


class Play:
    """Short games of all pairs, compiled and played once."""

    def __init__(self):
        self.game = game = EmbeddedGame(GameSettings(step=STEP))
        self.names = game.description.unit_index
        player, count = scripted(game), LANES * len(PAIRS)
        act = jax.vmap(jax.vmap(player.act))

        def play(params, key):
            def step(carry, key):
                state, timestep, memory = carry
                seen = timestep.observation
                new, action = act(params, memory, seen, jax.random.split(key, (count, 2)))
                memory = select(timestep.acting, new, memory)
                columns = seen.entities, seen.scalars.available_actions, seen.scalars.unit_counts, action
                row = seen.scalars.game_loop, *columns, timestep.acting
                return (*jax.vmap(game.step)(state, action), memory), row

            keys = jax.random.split(key, count)
            start = jax.vmap(game.reset)(keys, spread(game.no_strategy(), count))
            memory = spread(spread(player.initial_memory(), 2), count)
            return jax.lax.scan(step, (*start, memory), jax.random.split(key, STEPS))[1]

        index = jnp.array([NAMES.index(name) for pair in PAIRS for _ in range(LANES) for name in pair])
        plans = bot_drawer(game, NAMES)(index, jax.random.split(jax.random.key(0), len(index)), Race.TERRAN)
        plans = jax.tree.map(lambda leaf: leaf.reshape(count, 2, *leaf.shape[1:]), plans)
        columns = jax.tree.map(np.asarray, jax.jit(play)(plans, jax.random.key(0)))
        self.seats = {}
        for place, pair in enumerate(PAIRS):
            lanes = slice(place * LANES, (place + 1) * LANES)
            for side, name in enumerate(pair):
                of_steps = jax.tree.map(lambda leaf, w=(lanes, side): leaf[:, w[0], w[1]], columns)
                plan = jax.tree.map(lambda leaf, w=(lanes, side): np.asarray(leaf[w[0], w[1]]), plans)
                self.seats[name] = Seat(of_steps, plan)


@pytest.fixture(scope="module")
def play():
    return Play()


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_valid(play, name):
    seat, spec = play.seats[name], action_spec(play.game.description, play.game.size)
    assert len(seat.moments()) > LANES * 20
    for where in seat.moments():
        one = jax.tree.map(lambda leaf, where=where: leaf[where], seat.action)
        validate(spec, one)
        assert_valid(play.game.description, seat.entities[where], seat.available[where], one)


@pytest.mark.parametrize("name", NAMES)
def test_nobody_acts_faster_than_an_agent_or_his_level_may(play, name):
    seat, level = play.seats[name], LEVELS[parse_bot(name).level]
    for lane in range(LANES):
        looks = seat.loop[seat.acted[:, lane], lane]
        assert max(((looks >= first) & (looks < first + WINDOW)).sum() for first in looks) <= MOST
        assert name == "random" or set(np.diff(looks).tolist()) == {level.delay}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "random"])
def test_scripts_waste_no_action(play, name):
    """A type that takes units is given to one or more, any other to nobody."""
    seat = play.seats[name]
    selects = np.array([row.selects for row in play.game.description.actions])
    assert ((seat.action.units >= 0).any(-1) == selects[seat.action.action_type])[seat.acted].all()


@pytest.mark.parametrize("name", BUILDERS)
def test_who_has_a_plan_builds_a_depot_before_barracks_and_goes_on_making_workers(play, name):
    seat = play.seats[name]
    depot, barracks = (seat.counts[:, :, play.names[kind]] > 0 for kind in ("SupplyDepot", "Barracks"))
    assert depot[-1].all() and barracks[-1].all()
    # A depot takes 30 / 1.4 seconds, 480 game loops.
    begun = [np.take(seat.loop[:, 0], there.argmax(0)) for there in (depot, barracks)]
    assert (begun[1] - begun[0] >= 480).all(), begun
    assert (seat.counts[-1, :, play.names["SCV"]] >= 13).all()


def test_the_opening_of_who_plays_it_at_a_real_players_pace_comes_at_its_time(play):
    """The second structure of an opening is begun within 15 seconds of its time, on the way there included."""
    seat, tasks = play.seats["macro"], play.game.rules.tasks
    barracks = play.names["Barracks"]
    for lane in range(LANES):
        opening = jax.tree.map(lambda leaf, lane=lane: leaf[lane], seat.plans.opening)
        due = opening.loop[(tasks.product[opening.task] == barracks).argmax()]
        begun = seat.loop[(seat.counts[:, lane, barracks] > 0).argmax(), lane]
        assert abs(int(begun) - int(due)) < 15 * 22.4, (begun, due)


def test_workers_rush_all_at_once_when_the_plan_says_so(play):
    """As many as one action can take at the first look, all others right after."""
    seat, kinds = play.seats["worker-rush"], play.game.description.action_index
    attack, most = kinds["Attack_pt"], play.game.size.selected
    for lane, begins in enumerate(seat.plans.workers_attack):
        at = [step for step, where in seat.moments(attack) if where == lane]
        assert 0 <= begins < WORKERS_ATTACK and begins <= seat.loop[at[0], lane] < begins + STEP
        rows = seat.entities[at[0], lane]
        workers = (rows[:, EntityField.ALLIANCE] == Alliance.SELF) & (rows[:, EntityField.UNIT_TYPE] == 1)
        units = seat.action.units[at[0], lane]
        units = units[units >= 0]
        assert workers[units].all() and len(units) == min(workers.sum(), most) >= 12
        rows = seat.entities[at[0] + 4, lane]
        workers = (rows[:, EntityField.ALLIANCE] == Alliance.SELF) & (rows[:, EntityField.UNIT_TYPE] == 1)
        assert (rows[workers, EntityField.ORDER_0] == attack + 1).sum() >= workers.sum() - 1


@pytest.mark.parametrize("name", BUILDERS)
def test_nobody_else_attacks_in_the_first_minute_and_a_half(play, name):
    seat = play.seats[name]
    attacks = seat.moments(play.game.description.action_index["Attack_pt"])
    assert not [where for where in attacks if seat.loop[where] < 90 * 22.4]


def test_random_play_takes_all_sorts_of_actions(play):
    """Of those that were available at some time, nearly all; its delays are drawn too."""
    seat = play.seats["random"]
    taken, offered = set(seat.action.action_type[seat.acted].tolist()), set(np.nonzero(seat.available)[2].tolist())
    assert len(taken) >= 8 and len(taken) > 0.7 * len(offered), (len(taken), len(offered))
    assert len(set(seat.action.delay[seat.acted].tolist())) > 20
    assert seat.plans.random.all() and not play.seats["macro"].plans.random.any()
