"""Matches: every game counted once, from both sides."""

import json
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Array, Int

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.description import TimeStep
from asterism.interface.observation import Race
from asterism.runtime import matches as module
from asterism.runtime.arena import Lanes, Outcomes, act_both, join, new_lanes, play_out, seats, side
from asterism.runtime.matches import Matches, Score
from asterism.runtime.players import BOTS, Controller, bot_drawer, scripted, spread
from asterism.runtime.setup import Setup, make_tools

LANES = 4


@pytest.fixture(scope="module")
def matches():
    """Games of 71 seconds at most."""
    return Matches(make_tools(Setup(game=GameSettings(step=32, time_limit=1600))), LANES)


def test_scores_add_up_to_the_games_asked_for(matches):
    """More than a wave of lanes, and not whole ones; nobody can have won so early by tearing down every structure."""
    shown = []
    bar = SimpleNamespace(advance=shown.append)
    score = matches.score("random", "easy", 6, seed=0, progress=bar)
    assert score == Score(0, 6, 0) and score.games == 6
    assert shown == [4, 2]


def test_unknown_bots_are_refused(matches):
    for pair in (("nobody", "easy"), ("easy", "nobody")):
        with pytest.raises(UserError, match="unknown bot 'nobody'"):
            matches.score(*pair, 4, seed=0)


def test_both_sides_are_played_equally_often(matches, monkeypatch):
    """Where the first side always wins, everybody wins half of the games."""

    def first_side_wins(game, home, away, params, seat, keys, races):
        return Outcomes(jnp.where(seat == 0, 1.0, -1.0), jnp.zeros_like(seat))

    monkeypatch.setattr(module, "play_games", first_side_wins)
    fresh = Matches(matches.tools, LANES)
    assert fresh.score("random", "easy", 8, seed=0) == Score(4, 0, 4)
    assert fresh.score("easy", "random", 6, seed=0) == Score(3, 0, 3)


def test_an_evaluation_that_was_cut_off_goes_on_after_the_last_opponent(tmp_path):
    """And its scores are those of one that was not."""
    path, asked, score = tmp_path / "played.json", [], lambda player: Score(len(player), 0, 1)

    class Cut(Matches):
        def __init__(self):
            pass

        def score(self, home, away, games, seed, progress=None, races=(0, 0)):
            if len(asked) == 2:
                raise KeyboardInterrupt
            asked.append(away)
            return score(away)

    def evaluate(played):
        keep = lambda: path.write_text(json.dumps(played))  # noqa: E731
        return module.evaluate_agent(Cut(), None, {"teacher": "itself"}, 6, 0, ("easy", "rush"), played, keep)

    with pytest.raises(KeyboardInterrupt):
        evaluate({})
    asked.clear()
    whole = evaluate(json.loads(path.read_text()))
    assert asked == ["itself"]
    assert whole == {"easy": score("easy"), "rush": score("rush"), "teacher": score("itself")}


def test_a_line_tells_the_score_and_its_interval():
    """Wilson's interval for 50 of 100 is 40.4% to 59.6%; draws count half."""
    line = Score(40, 20, 40).line("easy")
    assert line.split() == "easy: 40 wins 20 draws 40 losses 50.0% (95%: 40.4% to 59.6%)".split()


# The arena


def test_two_scripts_compiled_as_one_act_as_each_alone(matches):
    """`act_both` joins the two sides where both controllers are the same object; a twin of it takes the other path."""
    game, script, twin = matches.tools.game, matches.bot, scripted(matches.tools.game)
    keys = jax.random.split(jax.random.key(0), LANES)
    draw = bot_drawer(game, BOTS)
    home, away = (draw(jnp.arange(LANES) + offset, keys, Race.TERRAN) for offset in (0, 1))
    z = spread(game.no_strategy(), LANES)
    lanes = jax.jit(lambda: new_lanes(game, script, script, seats(LANES), z, keys))()
    joined, apart = (jax.jit(partial(act_both, script, other))((home, away), lanes, keys) for other in (script, twin))
    jax.tree.map(np.testing.assert_array_equal, joined, apart)
    assert len(np.unique(np.asarray(joined[0][1].action_type))) > 1


def test_games_begin_with_the_types_that_they_go_on_with(matches):
    """A weak type in new games would have a recording compile all of its loop twice."""
    game, script, keys = matches.tools.game, matches.bot, jax.random.split(jax.random.key(0), LANES)
    start = lambda keys: new_lanes(game, script, script, seats(LANES), spread(game.no_strategy(), LANES), keys)  # noqa: E731
    assert not [leaf for leaf in jax.tree.leaves(jax.eval_shape(start, keys)) if leaf.weak_type]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-9, 9), st.integers(-9, 9)), min_size=5, max_size=5))
@settings(max_examples=10, deadline=None)
def test_sides_are_taken_apart_as_they_were_joined(rows):
    seat, home, away = jnp.array(rows, jnp.int32).T
    both = join(home, away, seat)
    np.testing.assert_array_equal(side(both, seat), home)
    np.testing.assert_array_equal(side(both, 1 - seat), away)
    np.testing.assert_array_equal(both[np.arange(5), seat], home)


class State(NamedTuple):
    loop: Int[Array, ""]


class HigherWins(EmbeddedGame):
    """Each player shows a number; the higher wins, after as many turns as it says."""

    def __init__(self):
        pass

    def step(self, state, action):
        done = state.loop + 1 == action.max()
        reward = jnp.where(done, jnp.sign(action - action[::-1]), 0).astype(jnp.float32)
        return State(state.loop + 1), TimeStep(action, action, reward, done, jnp.ones(2, bool), jnp.ones(2, jnp.int32))


def test_every_game_is_played_to_its_own_end():
    """Games of different lengths side by side: each outcome is of the moment at which that game ended."""
    shows = Controller(lambda: jnp.int32(0), lambda number, memory, observation, key: (memory + 1, number), True)
    home, away = jnp.array([3, 1, 7, 2]), jnp.array([1, 4, 2, 2])
    seat, zeros, none = seats(4), jnp.zeros((4, 2), jnp.int32), jnp.zeros(4, jnp.int32)
    timestep = TimeStep(zeros, zeros, zeros * 0.0, none > 0, zeros == 0, zeros)
    lanes = Lanes(State(none), timestep, none, none, seat)
    outcomes = play_out(HigherWins(), shows, shows, (home, away), lanes, jax.random.split(jax.random.key(0), 4))
    np.testing.assert_array_equal(outcomes.reward, [1, -1, 1, 0])
    np.testing.assert_array_equal(outcomes.loops, [3, 4, 7, 2])


@pytest.mark.parametrize("games, lanes", [(1, 2), (4, 4), (40, 40), (50, 50), (80, 40), (200, 50), (205, 42)])
def test_no_more_games_are_played_than_make_both_sides_equal(games, lanes):
    """At most 50 side by side; of the last wave hardly any is thrown away."""
    assert module.lanes_for(games) == lanes
    assert 0 <= -(-games // lanes) * lanes - games < 2 * -(-games // lanes)
