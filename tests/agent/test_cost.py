"""Counted floating-point operations, and the tables of `asterism agent describe`."""

import jax
import jax.numpy as jnp
import pytest

from asterism.agent.cost import OTHER, products
from asterism.cli import main
from asterism.errors import UserError
from asterism.runtime.describe_agent import DescribeConfig, block_weights, step_cost


def ones(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


@pytest.mark.parametrize("shapes, form", [(((5, 7), (7, 3)), "ij,jk->ik"), (((2, 5, 7), (2, 7, 3)), "bij,bjk->bik")])
def test_a_product_counts_as_the_compiler_counts_it(shapes, form):
    product = lambda a, b: jnp.einsum(form, a, b)  # noqa: E731
    arguments = [ones(*shape) for shape in shapes]
    expected = jax.jit(product).lower(*arguments).cost_analysis()["flops"]
    assert sum(products(product, *arguments).values()) == expected


def test_a_convolution_counts_each_weight_for_each_place():
    """Kernel 3 x 3, 4 channels to 8, on 6 x 6 places of which all are kept: 2 * 36 * 8 * (3 * 3 * 4)."""
    convolve = lambda x, w: jax.lax.conv_general_dilated(  # noqa: E731
        x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    assert products(convolve, ones(1, 6, 6, 4), ones(3, 3, 4, 8)) == {OTHER: 2 * 36 * 8 * 36}


def test_turns_of_a_loop_lanes_and_scopes_are_counted():
    """A product of 2 * 4 * 4 in a scope, three turns of it, for five lanes; and one product without a scope."""

    def turn(x, _):
        with jax.named_scope("inner"):
            return x @ jnp.ones((4, 4)), None

    def function(x):
        with jax.named_scope("outer"):
            y = jax.lax.scan(turn, x, None, 3)[0]
        return y @ jnp.ones((4, 1))

    assert products(function, ones(4)) == {"outer": 3 * 32, OTHER: 8}
    assert sum(products(jax.vmap(function), ones(5, 4)).values()) == 5 * (3 * 32 + 8)


def test_a_product_in_a_loop_of_unknown_length_is_refused_unless_one_says_it():
    grow = lambda x: jax.lax.while_loop(lambda x: x.sum() < 9, lambda x: x @ jnp.ones((4, 4)), x)  # noqa: E731
    with pytest.raises(ValueError, match="length is not known"):
        products(grow, ones(4))
    assert products(grow, ones(4), turns=3) == {OTHER: 3 * 32}


def test_every_block_of_the_policy_has_its_share_of_a_step(game, size, network, params):
    """Sharpness aside, which is one number, and nothing is outside the blocks."""
    cost = step_cost(network, game, size)
    blocks = {name.removeprefix("policy.") for name in block_weights(params) if name.startswith("policy")}
    assert set(cost) == blocks - {"sharpness"} and all(cost.values())


def test_a_core_step_costs_its_weights_twice(game, size, network, params):
    """Each weight of its matrices is multiplied and added once."""
    matrices = sum(leaf.size for leaf in jax.tree.leaves(params.policy.core) if leaf.ndim == 2)
    assert step_cost(network, game, size)["core"] == 2 * matrices


def test_what_the_command_prints(capsys):
    assert main(["agent", "describe", "tiny", "--rules", "terran_v1", "--shapes"]) == 0
    text = capsys.readouterr().out
    assert "policy.core" in text and "recurrent" in text and "128x512" in text and "weights to act: 0.9 million" in text


def test_a_size_that_is_none_is_refused():
    for wrong in ({"size": "huge"}, {"size": "tiny", "rules": "chess"}):
        with pytest.raises(UserError, match="huge|chess"):
            DescribeConfig(**wrong)
