"""The standard environments: their own projects' checks, and that they play the embedded game."""

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

from asterism.envs import AgainstBot, TwoPlayers, VectorAgainstBot
from asterism.envs.spaces import selectable_mask
from asterism.errors import UserError
from asterism.game.settings import GameSettings
from asterism.interface.spec import no_op

SHORT = GameSettings(slots=20, time_limit=640)


@pytest.fixture(scope="module")
def env():
    return AgainstBot("rush", SHORT, render_mode="rgb_array")


@pytest.fixture(scope="module")
def pair():
    return TwoPlayers(SHORT, render_mode="rgb_array")


@pytest.fixture(scope="module")
def many():
    return VectorAgainstBot(3, "rush", SHORT)


def idle(env, delay):
    return {name: np.asarray(part) for name, part in no_op(env.game.size, delay)._asdict().items()}


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def test_gymnasiums_own_check(env):
    check_env(env, skip_render_check=True)


def test_pettingzoos_own_checks(pair):
    parallel_api_test(pair, num_cycles=40)
    parallel_seed_test(lambda: TwoPlayers(SHORT), num_cycles=10)


def test_a_step_lasts_until_the_next_decision_is_due(env):
    _, info = env.reset(seed=3)
    assert info["game_loop"] == 0
    observation, *_, info = env.step(idle(env, 0))
    assert info["game_loop"] == 32 and observation["scalars"]["game_loop"] == 32
    *_, info = env.step(idle(env, 100))
    assert info["game_loop"] == 32 + 128, "delays are rounded up to whole steps"


def test_time_that_runs_out_truncates(env):
    env.reset(seed=3)
    ends = [env.step(idle(env, 127))[2:4] for _ in range(5)]
    assert ends == [(False, False)] * 4 + [(False, True)]


def test_the_side_is_drawn_and_the_seed_decides(env):
    sides = {env.reset(seed=seed)[1]["side"] for seed in range(8)}
    assert sides == {0, 1}
    first, again = (env.reset(seed=5)[0] for _ in range(2))
    assert same(first, again)


def test_masked_samples_are_valid_actions(env):
    observation, info = env.reset(seed=1)
    env.action_space.seed(0)
    for _ in range(5):
        action = env.action_space.sample(info["action_mask"])
        assert info["action_mask"]["action_type"][action["action_type"]]
        chosen = action["units"][action["units"] >= 0]
        assert (observation["entities"][chosen, 1] == 1).all(), "own entities only"
        observation, *_, info = env.step(action)
    takers = selectable_mask(env.game.description, observation)
    train = env.game.description.action_index["Train_SCV_quick"]
    halls = observation["entities"][:, 0] == env.game.description.unit_index["CommandCenter"]
    assert (takers[train] == (halls & (observation["entities"][:, 1] == 1))).all() and takers[train].any()


def test_pictures(env, pair):
    for each in (env, pair):
        each.reset(seed=0)
        picture = each.render()
        assert picture.dtype == np.uint8 and picture.shape[2] == 3 and len(np.unique(picture)) > 10


def test_both_players_play_the_same_game(pair):
    observations, infos = pair.reset(seed=0)
    workers = observations["player_0"]["scalars"]["statistics"][5]
    assert workers == 12 and all(info["acting"] for info in infos.values())
    observations, rewards, terminations, truncations, infos = pair.step({"player_0": idle(pair, 127)})
    assert not infos["player_0"]["acting"] and infos["player_1"]["acting"], "one waits, the other did nothing"
    assert rewards == {"player_0": 0.0, "player_1": 0.0} and not any(terminations.values())


def test_many_games_are_single_games(many):
    """Games side by side differ, and one that has ended begins anew at the next step."""
    _, infos = many.reset(seed=0)
    assert infos["available_actions"].shape == (3, len(many.game.description.actions))
    wait = jax.tree.map(lambda part: np.stack([part] * 3), idle(many, 127))
    steps = [many.step(wait) for _ in range(6)]
    loops = np.stack([step[0]["scalars"]["game_loop"] for step in steps])
    assert (loops == np.array([128, 256, 384, 512, 640, 0])[:, None]).all()
    assert [step[3].all() for step in steps] == [False] * 4 + [True, False]
    assert many.observation_space.contains(steps[0][0])


def test_what_is_wrong_is_said(env):
    with pytest.raises(UserError, match="unknown bot 'rish'"):
        AgainstBot("rish", SHORT)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="no location"):
        env.step({k: v for k, v in idle(env, 0).items() if k != "location"})
    fresh = AgainstBot("easy", SHORT)
    with pytest.raises(gymnasium.error.ResetNeeded):
        fresh.step(idle(env, 0))
