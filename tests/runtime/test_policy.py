"""A trained agent for programs: what it does is what its network does, for one game and for many, from a file."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import random_observation, random_privileged, stack

from asterism import Policy
from asterism.envs.spaces import as_dict
from asterism.game.settings import GameSettings
from asterism.interface.spec import action_spec, validate
from asterism.runtime.agents import save_agent
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, make_tools
from asterism.runtime.train import TrainConfig, Training

SETUP = Setup(temperature=0.8, game=GameSettings(slots=20, time_limit=640))
SEED = 3
GAMES = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run's folder, as far as its agents are concerned."""
    folder, network = tmp_path_factory.mktemp("run"), make_tools(SETUP).network
    for seed, name in enumerate(("agent", "teacher")):
        save_agent(folder, name, network.init(jax.random.key(seed)), SETUP)
    return folder


@pytest.fixture
def policy(folder):
    return Policy.load(folder, seed=SEED)


@pytest.fixture(scope="module")
def seen(folder):
    """Two moments of three games: [[Observation]]."""
    rng, game = np.random.default_rng(0), make_tools(SETUP).game
    return [[random_observation(rng, game.description, game.size) for _ in range(GAMES)] for _ in range(2)]


@pytest.fixture(scope="module")
def both_players(folder):
    game = make_tools(SETUP).game
    return random_privileged(np.random.default_rng(1), game.description, game.size)


@pytest.fixture(scope="module")
def step(folder):
    """The network's own step: (params, carry, observation, key) -> (carry, action, log_probs)."""
    network = make_tools(SETUP).network
    compiled = jax.jit(network.step)

    def run(params, carry, observation, key):
        return compiled(params.policy, network.initial_carry() if carry is None else carry, observation, key)

    return run


def equal(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def close(one, other):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), one, other)


def test_it_does_what_its_network_does_and_remembers(policy, step, seen):
    key, carry = jax.random.key(SEED), None
    for moment in seen:
        key, now = jax.random.split(key)
        carry, action, log_probs = step(policy.params, carry, moment[0], now)
        decision = policy.act(moment[0])
        equal(decision.action, action)
        close(decision.log_probs, log_probs)
        validate(action_spec(policy.game.description, policy.game.size), decision.action)
        assert decision.values is None and decision.probabilities is None
    _, _, forgetful = step(policy.params, None, moment[0], now)
    assert forgetful.action_type != log_probs.action_type, "it would think otherwise without its memory"


def test_many_games_are_each_played_alone(policy, step, seen):
    """The third begins anew after the first moment."""
    key, carries = jax.random.key(SEED), [None] * GAMES
    for moment in seen:
        decision = policy.act(stack(moment))
        key, now = jax.random.split(key)
        for game, own in enumerate(jax.random.split(now, GAMES)):
            carries[game], action, log_probs = step(policy.params, carries[game], moment[game], own)
            mine = jax.tree.map(lambda leaf, game=game: leaf[game], (decision.action, decision.log_probs))
            close(mine, (action, log_probs))
        policy.reset(np.array([False, False, True]))
        carries[2] = None


def test_the_seed_decides(folder, seen):
    first, again, other = (Policy.load(folder, seed=seed) for seed in (1, 1, 2))
    plays = [[policy.act(moment[0]).action for moment in seen] for policy in (first, again, other)]
    equal(plays[0], plays[1])
    assert any(not np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, plays[1:]), strict=True))
    first.reset(seed=1)
    equal([first.act(moment[0]).action for moment in seen], plays[0])


def test_observations_are_taken_in_every_form(folder, seen):
    """As named tuples of NumPy's or JAX's arrays, and as the dictionaries that Gymnasium has."""
    forms = [lambda one: one, lambda one: jax.tree.map(jnp.asarray, one), as_dict]
    decisions = [Policy.load(folder, seed=SEED).act(form(seen[0][0])) for form in forms]
    equal(decisions[0], decisions[1])
    equal(decisions[0], decisions[2])


def test_it_compiles_once(policy, seen, caplog):
    policy.act(seen[0][0])
    with jax.log_compiles():
        for moment in seen:
            policy.act(moment[1])
            policy.act(as_dict(moment[2]))
        policy.reset()
        policy.act(seen[0][0])
        assert "ompil" not in caplog.text
        jax.jit(lambda x: x + 1)(1)
        assert "ompil" in caplog.text, "this is how it would be seen"


@pytest.fixture(scope="module")
def told(folder, seen, both_players):
    """Decisions with all that can be asked for, and the same without."""
    told, plain = (Policy.load(folder, seed=SEED) for _ in range(2))
    wanted = {"values": True, "probabilities": True}
    return [(told.act(moment[0], both_players, **wanted), plain.act(moment[0])) for moment in seen * 4]


def test_what_is_told_changes_nothing(told):
    for full, plain in told:
        equal(full.action, plain.action)
        close(full.log_probs, plain.log_probs)


def test_probabilities_are_those_of_the_choices_made(told, policy):
    """They sum to 1 where there was something to choose, and the logarithm of the chosen one's is what acted."""
    uses = policy.game.description.uses
    for decision, _ in told:
        action, chances = decision.action, decision.probabilities
        for part in ("action_type", "delay", "queued", "repeat", "target_unit", "location"):
            used, chosen = getattr(uses, part)[action.action_type], getattr(chances, part)
            np.testing.assert_allclose(chosen.sum(), used, atol=1e-5)
            if used:
                expected = np.exp(getattr(decision.log_probs, part))
                np.testing.assert_allclose(chosen[getattr(action, part)], expected, rtol=1e-3)
        count = int((action.units >= 0).sum())
        ends = uses.units[action.action_type] and count < len(action.units)
        rounds = chances.units.sum(1)
        np.testing.assert_allclose(rounds, np.arange(len(rounds)) < count + ends, atol=1e-5)
        choices = np.where(action.units >= 0, action.units, chances.units.shape[1] - 1)[: count + ends]
        chosen = chances.units[np.arange(len(choices)), choices]
        np.testing.assert_allclose(np.log(chosen).sum(), decision.log_probs.units, atol=1e-3)
    assert {bool((decision.action.units >= 0).any()) for decision, _ in told} == {True, False}, "both kinds were seen"


def test_the_win_of_one_is_the_loss_of_the_other(folder, seen, both_players, told):
    swapped = jax.tree.map(lambda leaf: leaf[::-1], both_players)
    decision = Policy.load(folder, seed=SEED).act(seen[0][0], swapped, values=True, probabilities=True)
    values = told[0][0].values
    assert values.shape == (5,) and (abs(values) < 1).all() and abs(values[0]) > 1e-3
    np.testing.assert_allclose(decision.values[0], -values[0], atol=1e-5)
    assert (decision.values[1:] != values[1:]).all()


def test_the_pure_form_is_for_one_game_and_vmap_makes_it_many(policy, seen, both_players):
    """Its shapes; what it computes is what `act` compiles."""
    keys = jax.random.split(jax.random.key(0), GAMES)
    inputs = (policy.params, policy.initial_carry(GAMES), stack(seen[0]), keys, stack([both_players] * GAMES))

    def step(*inputs):
        return policy.step(*inputs, values=True, probabilities=True)

    carry, decision = jax.eval_shape(jax.vmap(step, (None, 0, 0, 0, 0)), *inputs)
    assert jax.tree.map(jnp.shape, carry) == jax.tree.map(jnp.shape, policy.initial_carry(GAMES))
    size = policy.game.size
    assert decision.values.shape == (GAMES, 5)
    assert decision.probabilities.units.shape == (GAMES, size.selected, size.entities + 1)
    assert decision.probabilities.location.shape == (GAMES, size.location**2)


def test_a_file_or_a_folder_and_either_agent(folder, policy):
    teacher = Policy.load(folder, "teacher")
    equal(Policy.load(folder / "agent.safetensors").params, policy.params)
    equal(Policy.load(str(folder / "teacher.safetensors"), device="cpu").params, teacher.params)
    first, second = jax.tree.leaves(policy.params.policy)[0], jax.tree.leaves(teacher.params.policy)[0]
    assert not np.array_equal(first, second)
    assert policy.game.settings == SETUP.game and policy.game.size.name == "tiny"


def test_what_training_leaves_can_be_used(tmp_path, policy):
    config = TrainConfig(name="toy", setup=SETUP)
    with RunFolder.create_or_resume("toy", config, root=tmp_path) as run:
        Training(run, make_tools(SETUP), config).learned("agent", lambda: policy.params)
    used = Policy.load(tmp_path / "toy")
    equal(used.params, policy.params)
    assert used.game.settings == SETUP.game


def test_asterism_alone_imports_nothing():
    code = "import asterism, sys; print({'jax', 'numpy'} & set(sys.modules)); print(hasattr(asterism, 'Polizei'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["set()", "False"]
