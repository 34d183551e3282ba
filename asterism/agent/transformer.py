"""Self-attention over a set with absent members (Vaswani et al. 2017)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from asterism.agent.config import TransformerConfig
from asterism.agent.initializer import Initializer
from asterism.agent.layers import LayerNorm, Linear, product

ABSENT_BIAS = -1e9
"""Added to the attention paid to absent members."""


class Attention(eqx.Module):
    """Multi-head attention; the heads are projected back and summed."""

    projection: Linear
    output: Linear
    heads: int = eqx.field(static=True)

    def __init__(self, init: Initializer, config: TransformerConfig):
        self.heads = config.heads
        self.projection = Linear(init, config.width, 3 * config.heads * config.key)
        self.output = Linear(init, config.heads * config.key, config.width)

    def __call__(self, x: Float[Array, "n w"], bias: Float[Array, " n"]) -> Float[Array, "n w"]:
        projected = self.projection(x).astype(self.projection.weight.dtype).reshape(len(x), 3, self.heads, -1)
        query, key, value = projected.transpose(1, 2, 0, 3)
        logits = product(query, key.mT) / key.shape[-1] ** 0.5 + bias
        # The softmax's division comes after the sum over values: fewer passes over n x n numbers.
        weight = jnp.exp(logits - jax.lax.stop_gradient(logits.max(-1, keepdims=True)))
        summed = product(weight, value) / weight.sum(-1, keepdims=True)
        return self.output(summed.transpose(1, 0, 2).reshape(len(x), -1))


class TransformerLayer(eqx.Module):
    """Attention, then an MLP on each member; both residual, with layer norm before."""

    attention: Attention | None
    """None: each member for itself."""
    hidden: Linear
    output: Linear
    norms: tuple[LayerNorm, LayerNorm]

    def __init__(self, init: Initializer, config: TransformerConfig, attention: bool):
        self.attention = Attention(init, config) if attention else None
        self.hidden = Linear(init, config.width, config.mlp, gain=2.0)
        self.output = Linear(init, config.mlp, config.width)
        self.norms = (LayerNorm(config.width), LayerNorm(config.width))

    def __call__(self, x: Float[Array, "n w"], bias: Float[Array, " n"]) -> Float[Array, "n w"]:
        if self.attention is not None:
            x = x + self.attention(self.norms[0](x), bias)
        return x + self.output(jax.nn.relu(self.hidden(self.norms[1](x))))


class Transformer(eqx.Module):
    """A stack of layers."""

    layers: tuple[TransformerLayer, ...]

    def __init__(self, init: Initializer, config: TransformerConfig, attention: bool = True):
        """`attention`: whether the members see each other."""
        self.layers = tuple(TransformerLayer(init, config, attention) for _ in range(config.layers))

    def __call__(self, x: Float[Array, "n w"], present: Bool[Array, " n"]) -> Float[Array, "n w"]:
        bias = jnp.where(present, 0.0, ABSENT_BIAS)
        for layer in self.layers:
            x = layer(x, bias)
        return x


def masked_mean(x: Float[Array, "n w"], present: Bool[Array, " n"]) -> Float[Array, " w"]:
    """Mean of the members that are present; zero when there are none."""
    total = jnp.where(present[:, None], x, 0.0).sum(0)
    return total / jnp.maximum(present.sum(), 1)
