"""Rock, paper, scissors as a program: what it costs to compile and play is next to nothing, so that a cluster can be
tried out, and its processes killed, in seconds."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from asterism.learning.reinforcement import Factors
from asterism.runtime.cluster.program import Entrant, Games

PAYOFF = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32)
"""Of the row's move (rock, paper, scissors) against the column's."""
FOUNDER = np.array([1.5, 0.0, 0.0], np.float32)
"""Logits of the moves: it likes rock, so that there is something to beat."""


class State(NamedTuple):
    """What an update changes."""

    weights: Float[Array, " 3"]
    """Logits, the policy itself."""
    optimizer: Any


class Batch(NamedTuple):
    """Moves of the learner, and what they won."""

    move: Int[Array, " B"]
    reward: Float[Array, " B"]


def expected(home: Float[np.ndarray, " 3"], away: Float[np.ndarray, " 3"]) -> float:
    """What the logits `home` win against `away` in the mean, in -1..1."""
    home, away = (np.exp(logits) / np.exp(logits).sum() for logits in (home, away))
    return float(home @ PAYOFF @ away)


@partial(jax.jit, static_argnames="lanes")
def play_lanes(home: Float[Array, " 3"], away: Float[Array, "g 3"], key: Any, lanes: int) -> Batch:
    """A game in each lane against its group's opponent."""
    one, other = jax.random.split(key)
    move = jax.random.categorical(one, home, shape=(lanes,))
    reply = jax.random.categorical(other, jnp.repeat(away, lanes // len(away), 0))
    return Batch(move, jnp.asarray(PAYOFF)[move, reply])


@dataclass(frozen=True)
class MatrixGame:
    """The program. Each collection is one game in each lane."""

    lanes: int = 32
    groups: int = 4
    rate: float = 0.03
    """Step size."""
    pause: float = 0.0
    """Seconds that a collection takes at least."""

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """Has a memory, so that a lost one is noticed."""
        return optax.sgd(self.rate, momentum=0.5)

    def init(self, weights: Any = None) -> State:
        """See `Program`."""
        weights = jnp.array(FOUNDER if weights is None else weights)
        return State(weights, self.optimizer.init(weights))

    def weights(self, state: State) -> Any:
        """See `Program`."""
        return state.weights

    def policy(self, weights: Any) -> Any:
        """See `Program`."""
        return weights

    def start(self, keys: Any) -> Int[Array, " B"]:
        """Games that each lane has played."""
        return jnp.zeros(len(keys), int)

    def collect(self, own: Entrant, opponents: list[Entrant], workers: Any, restart: Any, keys: Any):
        """See `Program`."""
        time.sleep(self.pause)
        batch = play_lanes(own.policy, jnp.stack([one.policy for one in opponents]), keys[0], self.lanes)
        games = Games(np.ones((1, self.lanes), bool), np.asarray(batch.reward)[None])
        return jnp.where(restart, 0, workers) + 1, batch, games

    def update(self, state: State, memory: Any, batch: Batch, factors: Factors):
        """A step of the policy gradient (REINFORCE, the mean being the baseline)."""
        state = _update(self, state, batch, factors.policy_rate)
        return state, (memory or 0) + 1, {"steps": self.lanes, "reward": batch.reward.mean()}

    def play(self, home: Entrant, away: Entrant, games: int, seed: int) -> list[int]:
        """See `Program`."""
        time.sleep(self.pause)
        batch = play_lanes(home.policy, jnp.asarray(away.policy)[None], jax.random.key(seed), games)
        return np.asarray(batch.reward).astype(int).tolist()


@partial(jax.jit, static_argnums=0)
def _update(game: MatrixGame, state: State, batch: Batch, rate: Any) -> State:
    def loss(weights):
        chosen = jax.nn.log_softmax(weights)[batch.move]
        return -(chosen * (batch.reward - batch.reward.mean())).mean()

    change, optimizer = game.optimizer.update(jax.grad(loss)(state.weights), state.optimizer)
    return State(state.weights + rate * change, optimizer)
