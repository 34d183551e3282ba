"""Other ways to compute the same network: bfloat16 products, and learning that keeps less in memory."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from asterism.agent import AGENT_SIZES, make_network
from asterism.agent.computation import Computation
from asterism.errors import UserError

RESET = jnp.arange(6) == 3


class Computed:
    """Outputs, gradient and memory of a window, computed in one way."""

    def __init__(self, game, size, params, batch, compute):
        network = make_network(game, size, AGENT_SIZES["tiny"], temperature=0.8, compute=compute)
        self.network, self.inputs = network, (network.initial_carry(), *batch, RESET)

        def loss(params):
            _, output = network.unroll(params, *self.inputs)
            return -sum(part.mean() for part in output.log_probs) + (output.values**2).mean(), output

        compiled = jax.jit(jax.grad(loss, has_aux=True)).lower(params).compile()
        self.gradient, self.output = compiled(params)
        self.memory = compiled.memory_analysis().temp_size_in_bytes


@pytest.fixture(scope="module")
def exact(game, size, params, batch):
    return Computed(game, size, params, batch, Computation())


@pytest.fixture(scope="module")
def rounded(game, size, params, batch):
    return Computed(game, size, params, batch, Computation(products="bfloat16"))


@pytest.fixture(scope="module")
def unkept(game, size, params, batch):
    return Computed(game, size, params, batch, Computation(rematerialise=True))


def relative(tree, other):
    """Distance of two trees over the length of the latter."""
    flat = [np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(t)]) for t in (tree, other)]
    return np.linalg.norm(flat[0] - flat[1]) / np.linalg.norm(flat[1])


def test_rounded_products_give_nearly_the_same(exact, rounded):
    """bfloat16 has 8 bits: a factor is off by up to 0.4 %. Nothing that comes out is in bfloat16."""
    for part, log_prob in exact.output.log_probs._asdict().items():
        np.testing.assert_allclose(getattr(rounded.output.log_probs, part), log_prob, atol=0.1, err_msg=part)
    np.testing.assert_allclose(rounded.output.values, exact.output.values, atol=0.02)
    assert all(leaf.dtype in (jnp.float32, bool) for leaf in jax.tree.leaves(rounded.output))
    assert relative(rounded.output.logits.delay, exact.output.logits.delay) > 1e-5


def test_rounded_products_learn_weights_that_are_not(params, exact, rounded):
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(rounded.gradient))
    assert relative(rounded.gradient, exact.gradient) < 0.05
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(rounded.gradient))
    optimizer = optax.adam(1e-3)

    def update(gradient):
        updates, state = optimizer.update(gradient, optimizer.init(params), params)
        return optax.apply_updates(params, updates), state[0].mu, state[0].nu

    learned = jax.eval_shape(update, rounded.gradient)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(learned))


def test_acting_and_scoring_round_alike(rounded, params, batch):
    observation = jax.tree.map(lambda leaf: leaf[0], batch[0])
    network = rounded.network
    carry, action, log_probs = jax.jit(network.step)(
        params.policy, network.initial_carry(), observation, jax.random.key(2)
    )
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves((carry, log_probs)))
    one = jax.tree.map(lambda leaf: leaf[:1], batch)
    action = jax.tree.map(lambda leaf: leaf[None], action)
    _, output = jax.jit(network.unroll)(params, network.initial_carry(), *one[:2], action, RESET[:1])
    for part, acted in log_probs._asdict().items():
        np.testing.assert_allclose(acted, getattr(output.log_probs, part)[0], atol=0.1, err_msg=part)


def test_most_weights_are_rounded_but_not_those_of_pointers_and_logits(params):
    lowered = jax.eval_shape(Computation(products="bfloat16").lowered, params.policy)
    leaves = jax.tree.leaves(lowered)
    assert sum(leaf.size for leaf in leaves if leaf.dtype == jnp.bfloat16) > sum(leaf.size for leaf in leaves) / 2
    pointers = lowered.units, lowered.target_unit, lowered.location.upsample[-1], lowered.delay.output
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(pointers))


def test_by_default_the_weights_are_used_as_they_are(params):
    assert Computation().lowered(params) is params


def test_what_is_not_kept_is_computed_again_to_the_same(exact, unkept):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), unkept.output, exact.output)
    assert relative(unkept.gradient, exact.gradient) < 1e-4
    assert unkept.memory < 0.6 * exact.memory


def test_a_number_format_that_is_none_is_refused():
    with pytest.raises(UserError, match="float32, bfloat16"):
        Computation(products="int8")
