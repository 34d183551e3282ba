"""One game through Gymnasium: Gymnasium's own check, and that it is the embedded game."""

import warnings
from contextlib import nullcontext

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import asterism.envs
from asterism.envs import AgainstBot
from asterism.errors import UserError
from asterism.interface.action import Action, ActionResult
from asterism.interface.observation import Alliance, EntityField, Statistic
from asterism.interface.spec import observation_spec, privileged_spec, validate
from asterism.runtime.host.environment import Environment


@pytest.fixture(scope="module")
def env(short):
    return AgainstBot("rush", short, render_mode="rgb_array")


def test_gymnasiums_own_check(short):
    asterism.envs.register()
    asterism.envs.register()
    made = gymnasium.make("Asterism-v0", opponent="rush", settings=short, render_mode="rgb_array")
    assert isinstance(made.unwrapped, AgainstBot)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made.unwrapped)


def test_a_step_lasts_until_the_next_decision_is_due(env, idle):
    _, info = env.reset(seed=3)
    assert info["game_loop"] == 0
    observation, *_, info = env.step(idle(env, 0))
    assert info["game_loop"] == 32 and observation["scalars"]["game_loop"] == 32
    *_, info = env.step(idle(env, 100))
    assert info["game_loop"] == 32 + 128, "delays are rounded up to whole steps"


def test_time_that_runs_out_truncates(env, idle):
    env.reset(seed=3)
    ends = [env.step(idle(env, 127))[1:4] for _ in range(5)]
    assert ends == [(0.0, False, False)] * 4 + [(0.0, False, True)]
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(idle(env, 0))


def test_an_action_may_come_as_a_policy_gives_it(env, idle, same):
    steps = []
    for form in (lambda action: action, lambda action: Action(**action)):
        env.reset(seed=3)
        steps.append(env.step(form(idle(env, 40))))
    assert same(*steps)


def test_what_both_players_own_has_the_user_first(env, idle):
    spec = privileged_spec(env.game.description, env.game.size)
    for side in (0, 1):
        env.reset(seed=3, options={"side": side})
        for _ in range(4):  # the bot works, the user does not
            observation, *_ = env.step(idle(env, 127))
        validate(spec, env.privileged())
        own, other = env.privileged().statistics
        assert (own == observation["scalars"]["statistics"]).all() and (other != own).any()


def test_it_is_an_environment_for_host_games(env, idle):
    """What it shows is read, and values see the opponent too."""
    game, size, rng = env.game.description, env.game.size, np.random.default_rng(0)
    host = Environment(env, 7, game, size, lambda kind: nullcontext(), None, rng)
    seen = host.reset(seed=3)
    validate(observation_spec(game, size), seen.observation)
    validate(privileged_spec(game, size), seen.privileged)
    assert seen.privileged.unit_counts[1].any(), "own_view has zeros"
    *outcomes, last = [host.step(Action(**idle(env, 127))) for _ in range(5)]
    assert all(outcome.result is None for outcome in outcomes) and last.seen is None
    assert last.result[:4] == (7, 0.0, 5, True) and last.result.info["game_loop"] == 640


def test_the_side_is_drawn_or_chosen(env):
    assert {env.reset(seed=seed)[1]["side"] for seed in range(8)} == {0, 1}
    for side in (0, 1):
        assert [env.reset(seed=seed, options={"side": side})[1]["side"] for seed in range(4)] == [side] * 4


def masked_play(env, seed, steps):
    """Random masked play: what was seen and done."""
    episode = []
    observation, info = env.reset(seed=seed)
    env.action_space.seed(seed)
    for _ in range(steps):
        kind = env.action_space.sample(info["action_mask"])["action_type"]
        action = env.action_space.sample(env.mask_for(kind)) | {"delay": np.int64(0)}
        before = observation, info
        observation, reward, terminated, truncated, info = env.step(action)
        episode.append((*before, action, reward, info["result"]))
        if terminated or truncated:
            break
    return episode


def test_the_seed_decides_the_episode(env, same):
    first, again, other = (masked_play(env, seed, 12) for seed in (5, 5, 6))
    assert same(first, again)
    assert any(not same(a[0], b[0]) for a, b in zip(first[1:], other[1:], strict=True))


def test_masked_play_is_valid(env):
    """Every type is available, every selected unit is one's own and can take it; so the game never says that an action
    is none for its units."""
    selectable, uses = env.game.description.selectable, env.game.description.uses
    moments = [moment for seed in (1, 2, 3) for moment in masked_play(env, seed, 20)]
    for observation, info, action, _, result in moments:
        kind, entities = action["action_type"], observation["entities"]
        assert info["action_mask"]["action_type"][kind] and observation["scalars"]["available_actions"][kind]
        assert entities[action["target_unit"], EntityField.ALLIANCE] != Alliance.ABSENT
        chosen = entities[action["units"][action["units"] >= 0]]
        assert (chosen[:, EntityField.ALLIANCE] == Alliance.SELF).all()
        if uses.units[kind]:
            assert len(chosen) and selectable[kind][chosen[:, EntityField.UNIT_TYPE]].all()
        under_construction = (chosen[:, EntityField.BUILD_PROGRESS] < 255).all()
        assert result != ActionResult.NOT_SUPPORTED or under_construction
    assert len({moment[2]["action_type"].item() for moment in moments}) > 5
    assert any(moment[4] == ActionResult.SUCCESS for moment in moments)


def test_an_action_the_mask_forbids_is_refused_by_the_game(env, idle):
    """Training a marine needs barracks: the mask says so, and the game does nothing."""
    observation, info = env.reset(seed=0)
    marine = env.game.description.action_index["Train_Marine_quick"]
    assert not info["action_mask"]["action_type"][marine]
    hall = observation["entities"][:, EntityField.UNIT_TYPE] == env.game.description.unit_index["CommandCenter"]
    units = np.full(env.game.size.selected, -1)
    units[0] = hall.argmax()
    *_, info = env.step(idle(env, 0) | {"action_type": marine, "units": units})
    assert info["result"] == ActionResult.NOT_SUPPORTED


def test_narrowed_to_a_type_only_units_that_can_take_it_are_left(env):
    observation, _ = env.reset(seed=1)
    scv = env.game.description.action_index["Train_SCV_quick"]
    mask = env.mask_for(scv)
    entities = observation["entities"]
    halls = entities[:, EntityField.UNIT_TYPE] == env.game.description.unit_index["CommandCenter"]
    halls &= entities[:, EntityField.ALLIANCE] == Alliance.SELF
    assert halls.sum() == 1 and mask["action_type"].sum() == 1 and mask["action_type"][scv]
    assert (mask["units"][0] == [False, *halls]).all() and (mask["units"][1] == [True, *halls]).all()


@pytest.mark.parametrize("opponent", ["random", "worker-rush", "easy", "rush", "macro"])
def test_opponents_play(short, idle, opponent):
    """Whoever it is builds or trains something within 20 seconds of the game, or attacks; all share one program."""
    env = AgainstBot(opponent, short)
    env.reset(seed=0)
    began = env._match.state
    for _ in range(4):
        *_, info = env.step(idle(env, 127))
    theirs = np.arange(short.slots) + short.slots * (1 - info["side"])
    now = env._match.state
    orders = np.asarray(now.units.order_action)[theirs] != np.asarray(began.units.order_action)[theirs]
    spent = float(now.players.minerals[1 - info["side"]]) != float(now.players.minerals[info["side"]])
    assert orders.any() and (spent or opponent in ("random", "worker-rush"))
    assert env._decide is AgainstBot("rush", short)._decide


def test_a_win_terminates(env, idle):
    env.reset(seed=0, options={"side": 0})
    state = env._match.state
    own = np.arange(len(state.units.type)) < env.game.settings.slots
    units = state.units._replace(type=np.where(own, np.asarray(state.units.type), 0))
    env._match = env._match._replace(state=state._replace(units=units))
    _, reward, terminated, truncated, _ = env.step(idle(env, 0))
    assert (reward, terminated, truncated) == (1.0, True, False)


def test_pictures(env):
    env.reset(seed=0)
    picture = env.render()
    assert picture.dtype == np.uint8 and picture.shape[2] == 3 and len(np.unique(picture)) > 10
    assert AgainstBot("rush", env.game.settings).render() is None


def test_observations_belong_to_the_user(env, idle, same):
    observation, _ = env.reset(seed=0)
    assert observation["scalars"]["statistics"][Statistic.FOOD_WORKERS] == 12
    observation["entities"][:] = 0
    again, _ = env.reset(seed=0)
    assert again["entities"].any()


def test_what_is_wrong_is_said(env, short, idle):
    with pytest.raises(UserError, match="unknown opponent 'rish'"):
        AgainstBot("rish", short)
    with pytest.raises(UserError, match="render_mode is 'human'"):
        AgainstBot("rush", short, render_mode="human")
    with pytest.raises(UserError, match="side is 2"):
        env.reset(options={"side": 2})
    env.reset(seed=0)
    wait = idle(env, 0)
    with pytest.raises(ValueError, match="no location"):
        env.step({name: part for name, part in wait.items() if name != "location"})
    with pytest.raises(ValueError, match="delay must lie between 0 and 127"):
        env.step(wait | {"delay": 128})
    with pytest.raises(ValueError, match="units has shape"):
        env.step(wait | {"units": 3})
    with pytest.raises(ValueError, match="whole numbers"):
        env.step(wait | {"delay": 1.5})
    with pytest.raises(gymnasium.error.ResetNeeded):
        AgainstBot("easy", short).step(wait)
