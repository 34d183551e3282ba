"""Recurrent core: an LSTM with layer norm on the gates (Hochreiter & Schmidhuber 1997; Ba et al. 2016)."""

from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from asterism.agent.config import CoreConfig
from asterism.agent.initializer import Initializer
from asterism.agent.layers import LayerNorm, Linear, product

FORGET_BIAS = 1.0
"""Remember at first (Jozefowicz et al. 2015)."""


class LSTMState(NamedTuple):
    """State of one layer."""

    hidden: Float[Array, "*b w"]
    cell: Float[Array, "*b w"]


class LSTMCell(eqx.Module):
    """One layer. The share of the gates that comes from the input is apart, so that a sequence projects it at once."""

    input: Linear
    recurrent: Float[Array, "w 4*w"]
    input_norm: LayerNorm
    recurrent_norm: LayerNorm
    cell_norm: LayerNorm

    def __init__(self, init: Initializer, inputs: int, width: int):
        self.input = Linear(init, inputs, 4 * width)
        self.recurrent = init.uniform((width, 4 * width), width)
        self.input_norm = LayerNorm(4 * width)
        self.recurrent_norm = LayerNorm(4 * width)
        self.cell_norm = LayerNorm(width)

    def zeros(self) -> LSTMState:
        """The state before the first step."""
        return LSTMState(*jnp.zeros((2, len(self.recurrent))))

    def project(self, x: Float[Array, "*b i"]) -> Float[Array, "*b gates"]:
        """The input's share of the gates."""
        return self.input_norm(self.input(x))

    def step(self, state: LSTMState, projected: Float[Array, "*b gates"]) -> LSTMState:
        """The next state; its `hidden` is the output."""
        gates = projected + self.recurrent_norm(product(state.hidden, self.recurrent))
        write, forget, candidate, output = jnp.split(gates, 4, -1)
        kept = jax.nn.sigmoid(forget + FORGET_BIAS) * state.cell
        cell = kept + jax.nn.sigmoid(write) * jnp.tanh(candidate)
        return LSTMState(jax.nn.sigmoid(output) * jnp.tanh(self.cell_norm(cell)), cell)


class Core(eqx.Module):
    """A stack of LSTM layers; the carry is a tuple with the state of each."""

    layers: tuple[LSTMCell, ...]

    def __init__(self, init: Initializer, inputs: int, config: CoreConfig):
        widths = (inputs, *[config.width] * config.layers)
        self.layers = tuple(LSTMCell(init, *pair) for pair in pairwise(widths))

    def step(
        self, carry: tuple[LSTMState, ...], x: Float[Array, " i"]
    ) -> tuple[tuple[LSTMState, ...], Float[Array, " w"]]:
        """One moment."""
        states = []
        for layer, state in zip(self.layers, carry, strict=True):
            states.append(layer.step(state, layer.project(x)))
            x = states[-1].hidden
        return tuple(states), x

    def unroll(
        self,
        carry: tuple[LSTMState, ...],
        x: Float[Array, "T i"],
        reset: Bool[Array, " T"],
        mask: Bool[Array, " T"] | None = None,
    ) -> tuple[tuple[LSTMState, ...], Float[Array, "T w"]]:
        """T moments; the state is zero before those with `reset`, and passes by those that `mask` rules out."""
        mask = jnp.ones_like(reset) if mask is None else mask
        states = []
        for layer, state in zip(self.layers, carry, strict=True):

            def advance(state, inputs, layer=layer):
                projected, fresh, counts = inputs
                new = layer.step(jax.tree.map(lambda s: jnp.where(fresh, 0.0, s), state), projected)
                return jax.tree.map(lambda n, s: jnp.where(counts, n, s), new, state), new.hidden

            state, x = jax.lax.scan(advance, state, (layer.project(x), reset, mask))
            states.append(state)
        return tuple(states), x
