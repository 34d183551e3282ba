"""Many games side by side through Gymnasium: each is what a single environment plays."""

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array
from gymnasium.wrappers.vector import DictInfoToList

import asterism.envs
from asterism.envs import AgainstBot, VectorAgainstBot

COUNT = 3


@pytest.fixture(scope="module")
def many(short):
    asterism.envs.register()
    return gymnasium.make_vec("Asterism-v0", num_envs=COUNT, opponent="rush", settings=short, render_mode="rgb_array")


def test_it_is_its_own_vector_form(many):
    assert isinstance(many.unwrapped, VectorAgainstBot)
    assert many.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert many.observation_space.contains(many.reset(seed=0)[0])


def test_many_games_are_single_games(many, short, same):
    """Step by step the same as Gymnasium's own vector of single environments, through the end of games and on."""
    single = SyncVectorEnv([lambda: AgainstBot("rush", short)] * COUNT)
    assert single.observation_space == many.observation_space and single.action_space == many.action_space
    one, other = many.reset(seed=4), single.reset(seed=4)
    many.action_space.seed(0)
    loops, ended = [], 0
    for _ in range(16):
        assert same(one[0], other[0])
        for name in ("result", "side", "game_loop", "_side"):
            assert (one[-1][name] == other[-1][name]).all(), name
        assert (one[-1]["action_mask"]["action_type"] == other[-1]["action_mask"]["action_type"]).all()
        action = many.action_space.sample()
        one, other = many.step(action), single.step(action)
        assert all((a == b).all() and a.dtype == b.dtype for a, b in zip(one[1:4], other[1:4], strict=True))
        ended += one[3].sum()
        loops.append(one[0]["scalars"]["game_loop"])
    assert ended >= COUNT and (np.array(loops) == 0).sum() >= COUNT, "games ended and began anew"


def test_a_game_that_has_ended_begins_anew_at_the_next_step(many, idle):
    many.reset(seed=0)
    wait = jax.tree.map(lambda part: np.stack([part] * COUNT), idle(many, 127))
    steps = [many.step(wait) for _ in range(6)]
    loops = np.stack([step[0]["scalars"]["game_loop"] for step in steps])
    assert (loops == np.array([128, 256, 384, 512, 640, 0])[:, None]).all()
    assert [step[3].all() for step in steps] == [False] * 4 + [True, False]


def test_masks_are_arrays_and_infos_split(many, idle):
    many.reset(seed=0)
    *_, infos = many.step(jax.tree.map(lambda part: np.stack([part] * COUNT), idle(many, 0)))
    size, game = many.game.size, many.game.description
    shapes = {name: mask.shape for name, mask in infos["action_mask"].items() if name[0] != "_"}
    expected = {"action_type": len(game.actions), "units": size.entities, "target_unit": size.entities}
    assert shapes == {name: (COUNT, length) for name, length in expected.items()}
    single = DictInfoToList(many)._convert_info_to_list(infos)
    assert [info["game_loop"] for info in single] == [32] * COUNT
    assert (single[1]["action_mask"]["units"] == infos["action_mask"]["units"][1]).all()


def test_seeds_may_be_given_one_by_one(many, same):
    first, _ = many.reset(seed=[9, 4, 9])
    empty = create_empty_array(many.single_observation_space, COUNT)
    single = [AgainstBot("rush", many.game.settings).reset(seed=seed)[0] for seed in (9, 4, 9)]
    assert same(first, concatenate(many.single_observation_space, single, empty))
    assert many.np_random_seed == (9, 4, 9)
    with pytest.raises(ValueError, match="2 seeds for 3 games"):
        many.reset(seed=[1, 2])


def test_pictures(many):
    many.reset(seed=0)
    pictures = many.render()
    assert len(pictures) == COUNT and pictures[0].dtype == np.uint8 and pictures[0].shape[2] == 3
