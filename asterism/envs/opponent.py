"""A game against a scripted player, as compiled functions from one own decision to the next. Unbatched."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.bots.parameters import bot_style, draw_parameters
from asterism.game.game import EmbeddedGame
from asterism.interface.action import Action
from asterism.interface.description import TimeStep
from asterism.interface.observation import Observation
from asterism.interface.spec import no_op
from asterism.runtime.players import scripted


class Match(NamedTuple):
    """A game between the environment's user and a scripted player."""

    state: Any
    timestep: TimeStep
    seat: Int[Array, ""]
    """The side of the user."""
    bot: Any
    """Parameters and memory of the scripted player."""
    key: PRNGKeyArray


class Outcome(NamedTuple):
    """What a user sees after a decision."""

    observation: Observation
    reward: Float[Array, ""]
    """1 won, -1 lost, else 0."""
    terminated: Bool[Array, ""]
    """Somebody lost the last structure."""
    truncated: Bool[Array, ""]
    """Time is up."""


class Opponent:
    """Compiles `new` and `decide` for a game and a bot. UserError for an unknown bot."""

    def __init__(self, game: EmbeddedGame, bot: str):
        self.game, self.style, self.player = game, bot_style(bot), scripted(game)

    def new(self, key: PRNGKeyArray) -> tuple[Match, Outcome]:
        """A new game; the side of the user is drawn."""
        sides, bots, games, rest = jax.random.split(key, 4)
        seat = jax.random.randint(sides, (), 0, 2)
        params = draw_parameters(bots, self.game.description, self.style)
        state, timestep = self.game.reset(games, self.game.no_strategy())
        match = Match(state, timestep, seat, (params, self.player.initial_memory()), rest)
        return match, self._outcome(match)

    def decide(self, match: Match, action: Action) -> tuple[Match, Outcome]:
        """Carries out the user's action, and plays on until the next decision is due or the game is over."""
        idle = no_op(self.game.size, 0)

        def waits(carry):
            match, first = carry
            return first | (~match.timestep.acting[match.seat] & ~match.timestep.done)

        def body(carry):
            match, first = carry
            return self._step(match, jax.tree.map(partial(jnp.where, first), action, idle)), False

        match, _ = jax.lax.while_loop(waits, body, (match, True))
        return match, self._outcome(match)

    def _step(self, match: Match, action: Action) -> Match:
        key, now = jax.random.split(match.key)
        mine, theirs = match.seat, 1 - match.seat
        params, memory = match.bot
        look = jax.tree.map(lambda leaf: leaf[theirs], match.timestep.observation)
        new, answer = self.player.act(params, memory, look, now)
        due = match.timestep.acting[theirs]
        memory = jax.tree.map(lambda a, b: jnp.where(due, a, b), new, memory)
        both = jax.tree.map(
            lambda a, b: jnp.where(mine == 0, jnp.stack([jnp.asarray(a), b]), jnp.stack([b, jnp.asarray(a)])),
            action,
            answer,
        )
        state, timestep = self.game.step(match.state, both)
        return Match(state, timestep, match.seat, (params, memory), key)

    def _outcome(self, match: Match) -> Outcome:
        timestep, seat = match.timestep, match.seat
        won = timestep.reward[seat]
        fallen = timestep.done & (match.state.loop < self.game.settings.time_limit)
        return Outcome(
            observation=jax.tree.map(lambda leaf: leaf[seat], timestep.observation),
            reward=won,
            terminated=fallen | (won != 0),
            truncated=timestep.done & ~fallen & (won == 0),
        )
