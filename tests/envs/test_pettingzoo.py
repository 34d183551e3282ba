"""Both players through PettingZoo: PettingZoo's own checks, and that they play the same game."""

import warnings

import gymnasium
import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test
from pettingzoo.utils import parallel_to_aec

from asterism.envs import TwoPlayers
from asterism.interface.action import ActionResult
from asterism.interface.observation import EntityField, Statistic


@pytest.fixture(scope="module")
def pair(short):
    return TwoPlayers(short, render_mode="rgb_array")


def test_pettingzoos_own_checks(pair, short):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(pair, num_cycles=40)
        parallel_seed_test(lambda: TwoPlayers(short), num_cycles=10)


def test_turn_by_turn(short):
    """PettingZoo's other form, made by its own conversion, passes its checks too."""
    api_test(parallel_to_aec(TwoPlayers(short)), num_cycles=10)
    seed_test(lambda: parallel_to_aec(TwoPlayers(short)), num_cycles=10)


def test_both_players_play_the_same_game(pair, idle):
    observations, infos = pair.reset(seed=0)
    assert observations["player_0"]["scalars"]["statistics"][Statistic.FOOD_WORKERS] == 12
    assert all(info["acting"] for info in infos.values())
    _, rewards, terminations, truncations, infos = pair.step({"player_0": idle(pair, 127)})
    assert not infos["player_0"]["acting"] and infos["player_1"]["acting"], "one waits, the other did nothing"
    assert infos["player_0"]["action_mask"]["action_type"].tolist() == [1] + [0] * (
        len(pair.game.description.actions) - 1
    )
    assert rewards == {"player_0": 0.0, "player_1": 0.0}
    assert not any(terminations.values()) and not any(truncations.values())


def test_time_that_runs_out_truncates_both(pair, idle):
    pair.reset(seed=0)
    for _ in range(20):
        _, _, terminations, truncations, _ = pair.step({agent: idle(pair, 127) for agent in pair.agents})
    assert pair.agents == [] and all(truncations.values()) and not any(terminations.values())
    with pytest.raises(gymnasium.error.ResetNeeded):
        pair.step({})


def test_masked_play_is_valid(pair):
    _, infos = pair.reset(seed=0)
    results, observations = [], None
    for agent in pair.possible_agents:
        pair.action_space(agent).seed(7)
    while pair.agents:
        actions = {}
        for agent in (agent for agent in pair.agents if infos[agent]["acting"]):
            space = pair.action_space(agent)
            kind = space.sample(infos[agent]["action_mask"])["action_type"]
            actions[agent] = space.sample(pair.mask_for(agent, kind)) | {"delay": 0}
        before = observations
        observations, *_, infos = pair.step(actions)
        for agent, action in actions.items():
            assert observations[agent]["scalars"]["last_action_type"] == action["action_type"]
            if before is None:
                continue
            chosen = before[agent]["entities"][action["units"][action["units"] >= 0]]
            if (chosen[:, EntityField.BUILD_PROGRESS] == 255).any():
                results.append(infos[agent]["result"])
    assert len(results) > 10 and ActionResult.NOT_SUPPORTED not in results


def test_the_last_structure_decides(pair, idle):
    pair.reset(seed=0)
    units = pair._state.units
    kept = np.arange(len(units.type)) >= pair.game.settings.slots
    units = units._replace(type=np.where(kept, np.asarray(units.type), 0))
    pair._state = pair._state._replace(units=units)
    _, rewards, terminations, truncations, _ = pair.step({})
    assert rewards == {"player_0": -1.0, "player_1": 1.0}
    assert all(terminations.values()) and not any(truncations.values())


def test_pictures(pair):
    pair.reset(seed=0)
    picture = pair.render()
    assert picture.dtype == np.uint8 and picture.shape[2] == 3 and len(np.unique(picture)) > 10


def test_environments_of_one_configuration_share_what_is_compiled(pair, short):
    assert TwoPlayers(short)._step is pair._step
