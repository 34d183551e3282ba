"""Heads that point at entities: selected units and target unit (Vinyals et al. 2015; AlphaStar, Methods)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray

from asterism.agent.choice import masked
from asterism.agent.config import PointerConfig
from asterism.agent.core import LSTMCell, LSTMState
from asterism.agent.initializer import Initializer
from asterism.agent.layers import Linear


class Query(eqx.Module):
    """The autoregressive embedding, with an offset, to the width of the keys."""

    hidden: Linear
    output: Linear

    def __init__(self, init: Initializer, embedding: int, config: PointerConfig):
        self.hidden = Linear(init, embedding, config.width)
        self.output = Linear(init, config.width, config.key)

    def __call__(
        self, embedding: Float[Array, "*b e"], offset: Float[Array, " w"] | float = 0.0
    ) -> Float[Array, "*b k"]:
        return self.output(jax.nn.relu(self.hidden(embedding) + offset))


class SlotKeys(eqx.Module):
    """Keys of the places in the list of entities, whatever is there: what is left of the heads without pointers."""

    each: Float[Array, "E k"]

    def __init__(self, init: Initializer, entities: int, key: int):
        self.each = init.uniform((entities, key), key)

    def __call__(self, entities: Float[Array, "E w"]) -> Float[Array, "E k"]:
        return self.each


class Selection(NamedTuple):
    """A selection of units and how likely it was. S rounds at most, E entities; index E ends the selection."""

    units: Int[Array, " S"]
    logits: Float[Array, "S E+1"]
    """Of rounds that did not take place: without meaning."""
    rounds: Bool[Array, " S"]
    """The rounds that took place, the end of selection included."""
    log_prob: Float[Array, ""]
    embedding: Float[Array, " e"]
    """The autoregressive embedding with the selection added."""


class Drawing(NamedTuple):
    """A selection while it is drawn."""

    round: Int[Array, ""]
    """The round that comes next."""
    ended: Bool[Array, ""]
    lstm: LSTMState
    total: Float[Array, " k"]
    """Sum of the chosen keys."""
    count: Int[Array, ""]
    allowed: Bool[Array, " E+1"]
    units: Int[Array, " S"]
    logits: Float[Array, "S E+1"]
    log_prob: Float[Array, ""]

    def take(self, token: Int[Array, ""], logits: Float[Array, " n"], keys: Float[Array, "n k"], lstm: LSTMState):
        """After a round in which `token` was chosen: an entity, or the end."""
        end = len(keys) - 1
        selects = token != end
        return Drawing(
            round=self.round + 1,
            ended=~selects,
            lstm=lstm,
            total=self.total + jnp.where(selects, keys[token], 0.0),
            count=self.count + selects,
            # From the second round on, one may stop.
            allowed=(self.allowed & (jnp.arange(end + 1) != token)).at[end].set(True),
            units=self.units.at[self.round].set(jnp.where(selects, token, -1).astype(jnp.int32)),
            logits=self.logits.at[self.round].set(logits),
            log_prob=self.log_prob + logits[token] - jax.nn.logsumexp(logits),
        )


class SelectedUnitsHead(eqx.Module):
    """A recurrent pointer network: one entity a round, each at most once, until the end key is chosen."""

    keys: Linear | SlotKeys
    end_key: Float[Array, " k"]
    unit_types: Linear
    query: Query
    cell: LSTMCell
    chosen: Linear

    def __init__(
        self,
        init: Initializer,
        entity: int,
        unit_types: int,
        embedding: int,
        config: PointerConfig,
        slots: int | None = None,
    ):
        """`slots`: how many entities a list holds, if they are to be chosen by their place in it."""
        self.keys = Linear(init, entity, config.key) if slots is None else SlotKeys(init, slots, config.key)
        self.end_key = init.uniform((config.key,), config.key)
        self.unit_types = Linear(init, unit_types, config.width)
        self.query = Query(init, embedding, config)
        self.cell = LSTMCell(init, config.key, config.key)
        self.chosen = Linear(init, config.key, embedding)

    def sample(
        self,
        key: PRNGKeyArray,
        embedding: Float[Array, " e"],
        keys: Float[Array, "E k"],
        selectable: Bool[Array, " E"],
        unit_types: Float[Array, " U"],
        used: Bool[Array, ""],
        rounds: int,
        temperature: Float[ArrayLike, ""],
    ) -> Selection:
        """Selects round by round; nothing where `used` is false. Logits of rounds that did not take place are 0.

        `keys`: of each entity; `unit_types`: which types can take the action.
        """
        offset = self.unit_types(unit_types)
        keys = jnp.append(keys, self.end_key[None], 0)
        noise = jax.random.gumbel(key, (rounds, len(keys)))

        def advance(state: Drawing):
            embedded = self._add(embedding, state.total, state.count)
            lstm = self.cell.step(state.lstm, self.cell.project(self.query(embedded, offset)))
            logits = masked(keys @ lstm.hidden / temperature, state.allowed)
            return state.take(jnp.argmax(logits + noise[state.round]), logits, keys, lstm)

        start = Drawing(
            round=jnp.zeros((), jnp.int32),
            ended=~used,
            lstm=self.cell.zeros(),
            total=jnp.zeros(len(self.end_key)),
            count=jnp.zeros((), jnp.int32),
            allowed=self._first(selectable),
            units=jnp.full(rounds, -1, jnp.int32),
            logits=jnp.zeros((rounds, len(keys))),
            log_prob=jnp.zeros(()),
        )
        # Most selections are short; side by side, the longest says when the loop ends.
        drawn = jax.lax.while_loop(lambda state: (state.round < rounds) & ~state.ended, advance, start)
        embedding = self._add(embedding, drawn.total, drawn.count)
        return Selection(drawn.units, drawn.logits, jnp.arange(rounds) < drawn.round, drawn.log_prob, embedding)

    def score(
        self,
        units: Int[Array, " S"],
        embedding: Float[Array, " e"],
        keys: Float[Array, "E k"],
        selectable: Bool[Array, " E"],
        unit_types: Float[Array, " U"],
        used: Bool[Array, ""],
        temperature: Float[ArrayLike, ""],
    ) -> Selection:
        """The same for given units (teacher forcing): only the LSTM runs round by round."""
        rounds, end = len(units), len(selectable)
        keys = jnp.append(keys, self.end_key[None], 0)
        count = jnp.cumprod(units >= 0).sum() * used
        index = jnp.arange(rounds)
        selects, took_place = index < count, (index <= count) & used
        tokens = jnp.where(selects, units, end)
        before = jnp.tril(jnp.ones((rounds, rounds)), -1)
        totals = before @ jnp.where(selects[:, None], keys[tokens], 0.0)
        counts = jnp.minimum(index, count)[:, None]
        queries = self.query(self._add(embedding, totals, counts), self.unit_types(unit_types))

        def advance(state: LSTMState, projected):
            state = self.cell.step(state, projected)
            return state, state.hidden

        _, hidden = jax.lax.scan(advance, self.cell.zeros(), self.cell.project(queries))
        # The round in which each entity is taken: from then on it is masked.
        taken = jnp.full(end + 1, rounds).at[tokens].min(jnp.where(selects, index, rounds))
        allowed = (index[:, None] <= taken) & jnp.append(selectable, True)
        allowed = allowed.at[0].set(self._first(selectable))
        logits = masked(hidden @ keys.T / temperature, allowed)
        log_probs = jnp.take_along_axis(logits, tokens[:, None], 1)[:, 0] - jax.nn.logsumexp(logits, 1)
        total = jnp.where(selects[:, None], keys[tokens], 0.0).sum(0)
        return Selection(
            units=jnp.where(selects, units, -1),
            logits=logits,
            rounds=took_place,
            log_prob=jnp.where(took_place, log_probs, 0.0).sum(),
            embedding=self._add(embedding, total, count),
        )

    def _add(self, embedding, total, count) -> Float[Array, "*b e"]:
        """Adds the mean of the chosen keys to the autoregressive embedding."""
        mean = total / jnp.maximum(count, 1)
        return embedding + self.chosen(mean) * (count > 0)

    @staticmethod
    def _first(selectable: Bool[Array, " E"]) -> Bool[Array, " E+1"]:
        """What is allowed in the first round: to end only if there is nothing to select."""
        return jnp.append(selectable, ~selectable.any())


class TargetUnitHead(eqx.Module):
    """One entity, by the same keys."""

    query: Query

    def __init__(self, init: Initializer, embedding: int, config: PointerConfig):
        self.query = Query(init, embedding, config)

    def logits(
        self, embedding: Float[Array, " e"], keys: Float[Array, "E k"], present: Bool[Array, " E"]
    ) -> Float[Array, " E"]:
        """One for each entity, absent ones ruled out."""
        return masked(keys @ self.query(embedding), present)
