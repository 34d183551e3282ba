"""What a policy refuses, in one line each: files that are no agent's, and observations that are no observations."""

import json
import re
import shutil

import jax
import numpy as np
import pytest
import safetensors.numpy
from toys import random_observation, random_privileged, stack

from asterism import Policy
from asterism.envs.spaces import as_dict
from asterism.errors import UserError
from asterism.game.settings import GameSettings
from asterism.runtime.agents import save_agent
from asterism.runtime.setup import Setup, make_tools

SETUP = Setup(game=GameSettings(slots=20))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    example = make_tools(SETUP).example_params()
    save_agent(folder, "agent", jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), example), SETUP)
    return folder


@pytest.fixture
def run(saved, tmp_path):
    """A copy of a run's folder, to be spoilt."""
    return shutil.copytree(saved, tmp_path / "first-light")


def refusal(path, *arguments, **settings) -> str:
    with pytest.raises(UserError) as caught:
        Policy.load(path, *arguments, **settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_not_there(run, tmp_path):
    assert "nowhere does not exist: give the folder of a run" in refusal(tmp_path / "nowhere")
    assert "has no teacher.safetensors yet: go on with asterism train --name first-light" in refusal(run, "teacher")
    assert "unknown agent 'pupil': choose one of agent, agent_terran, agent_zerg, agent_protoss, teacher" in refusal(
        run, "pupil"
    )
    assert "is the file of one agent" in refusal(run / "agent.safetensors", "teacher")
    assert "no device 'abacus' here: JAX knows cpu" in refusal(run, device="abacus")
    (run / "agent.json").unlink()
    assert "has no config beside it: copy agent.json" in refusal(run)


def test_weights_that_are_spoilt(run):
    file = run / "agent.safetensors"
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[-1] ^= 1
    photo = b"\x89PNG\r\n\x1a\n" + bytes(100)
    for content, reason in (
        (b"", "cut off, or no safetensors at all"),
        (whole[:-1], "cut off, or no safetensors at all"),
        (photo, "cut off, or no safetensors at all"),
        (safetensors.numpy.save({"w": np.ones(3)}), "no header of Asterism's: another program's file?"),
        (bytes(changed), "the checksum is another"),
    ):
        file.write_bytes(content)
        assert f"agent.safetensors are corrupt ({reason}): put the file back" in refusal(run)


def changed_config(run, change):
    path = run / "agent.json"
    header = json.loads(path.read_text())
    change(header, header["config"]["setup"])
    path.write_text(json.dumps(header))


@pytest.mark.parametrize(
    "change, expected",
    [
        (
            lambda header, setup: setup.update(size="small"),
            r"agent.safetensors does not fit: policy\S+ is float32\[.*\] there and float32\[.*\] here: "
            "agent.json beside it, of size small, belongs to another agent or version",
        ),
        (
            lambda header, setup: setup["game"].update(rules="full"),
            "agent.json: the agent knows other units or actions than this version's rules 'full'",
        ),
        (
            lambda header, setup: header.update(format=7, asterism="9.0", more=1),
            r"agent.json is of format 7, written by asterism 9.0; this is [\d.]+, which reads format 1",
        ),
        (lambda header, setup: header.pop("asterism"), "agent.json is corrupt: copy agent.json again"),
        (lambda header, setup: setup.update(size="huge"), "agent.json: unknown size 'huge': choose one of tiny"),
        (lambda header, setup: setup.update(colour="red"), "agent.json: unknown setting setup.colour: another version"),
        (lambda header, setup: setup["game"].pop("slots"), "agent.json: missing setting setup.game.slots: another"),
        (
            lambda header, setup: setup["game"].update(tick="8"),
            "setting setup.game.tick must be a whole number, not '8'",
        ),
        (lambda header, setup: setup["game"].update(slots=1), "agent.json: game setting slots is 1"),
    ],
)
def test_a_config_that_is_anothers(run, change, expected):
    changed_config(run, change)
    assert re.search(expected, refusal(run))


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"format": 1, "asterism": "1"}', "[" * 100000])
def test_a_config_that_is_spoilt(run, content):
    (run / "agent.json").write_text(content)
    assert "agent.json is corrupt: copy agent.json again from where the weights came from" in refusal(run)


@pytest.fixture(scope="module")
def policy(saved):
    """Nothing is compiled: what is wrong is found before."""
    return Policy.load(saved)


@pytest.fixture(scope="module")
def seen(policy):
    return random_observation(np.random.default_rng(0), policy.game.description, policy.game.size)


def scalars(seen, **fields):
    return seen._replace(scalars=seen.scalars._replace(**fields))


@pytest.mark.parametrize(
    "spoil, expected",
    [
        (
            lambda seen: seen._replace(scalars=seen.entities),
            "observation.scalars is a ndarray: it must be Scalars, or a dictionary of its fields",
        ),
        (
            lambda seen: seen._replace(entities=seen.entities[:9]),
            r"observation.entities has shape \(9, 43\): it must be \(64, 43\), with an axis of games before or none",
        ),
        (
            lambda seen: seen._replace(planes=seen.planes[None, None]),
            r"observation.planes has shape \(1, 1, 8, 16, 16\): it must be \(8, 16, 16\)",
        ),
        (
            lambda seen: seen._replace(entities=seen.entities.astype(np.float32)),
            "observation.entities is of type float32: it must be int16",
        ),
        (lambda seen: scalars(seen, mmr=3), "observation.scalars.mmr is of type int64: it must be int16"),
        (
            lambda seen: scalars(seen, upgrades=seen.scalars.upgrades.astype(np.uint8)),
            "observation.scalars.upgrades is of type uint8: it must be bool",
        ),
        (
            lambda seen: seen._replace(planes=seen.planes[None]),
            "observation.planes is of 1 games, but observation.entities of one game without an axis of games",
        ),
        (
            lambda seen: {name: value for name, value in as_dict(seen).items() if name != "z"},
            "observation has no z: it needs entities, planes, scalars, z",
        ),
        (lambda seen: as_dict(seen) | {"minimap": 0}, "observation has an unknown field 'minimap'"),
    ],
)
def test_what_is_no_observation(policy, seen, spoil, expected):
    with pytest.raises(UserError, match=expected):
        policy.act(spoil(seen))


def test_values_need_both_players(policy, seen):
    with pytest.raises(UserError, match="values need what both players own: give privileged, which only the embedded"):
        policy.act(seen, values=True)
    own = random_privileged(np.random.default_rng(0), policy.game.description, policy.game.size)
    with pytest.raises(UserError, match=r"privileged.score has shape \(\): it must be \(2,\)"):
        policy.act(seen, own._replace(score=own.score[0]), values=True)
    with pytest.raises(UserError, match="privileged is of 3 games, the observation of one game"):
        policy.act(seen, stack([own] * 3), values=True)


def test_another_number_of_games_than_before(saved, seen):
    policy = Policy.load(saved)
    policy.reset(np.ones(5, bool))  # nothing was seen: nothing to forget
    policy._games, policy._carry = 3, policy.initial_carry(3)
    for other, count in ((seen, "one game"), (stack([seen] * 2), "2 games")):
        with pytest.raises(UserError, match=f"observation is of {count}, the memory of 3 games: call reset"):
            policy.act(other)
    with pytest.raises(UserError, match=r"shape \(2,\): it must be one flag for each of 3"):
        policy.reset(np.ones(2, bool))
