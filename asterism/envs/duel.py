"""One player against a fixed opponent, as pure functions from one of its own decisions to the next. Unbatched."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.envs.episodes import ending
from asterism.game.game import EmbeddedGame, draw_races
from asterism.interface.action import Action
from asterism.interface.description import TimeStep
from asterism.interface.observation import Observation
from asterism.interface.spec import no_op
from asterism.runtime.players import Controller, strong


class Match(NamedTuple):
    """A game in progress between the user of an environment and an opponent."""

    state: Any
    timestep: TimeStep
    side: Int[Array, ""]
    """That of the user."""
    params: Any
    """Of the opponent, where each game has its own."""
    memory: Any
    """What the opponent remembers."""
    key: PRNGKeyArray


class Outcome(NamedTuple):
    """What the user sees when a decision is due, or the game is over."""

    observation: Observation
    reward: Float[Array, ""]
    """1 won, -1 lost, else 0."""
    terminated: Bool[Array, ""]
    """Somebody has lost the last structure."""
    truncated: Bool[Array, ""]
    """Time is up."""
    result: Int[Array, ""]
    """`ActionResult` of the user's last action."""

    @property
    def done(self) -> Bool[Array, ""]:
        """The game is over."""
        return self.terminated | self.truncated


class Duel:
    """`new` and `decide`: the pair of reset and step of a game against players of one kind."""

    def __init__(self, game: EmbeddedGame, player: Controller):
        self.game, self.player = game, player

    def new(self, params: Any, side: int | Int[Array, ""], key: PRNGKeyArray) -> tuple[Match, Outcome]:
        """A new game. The user's race is the first of the game's settings, the opponent's the second.

        Args:
          params: of the opponent, from `Opponent.draw`.
          side: the user's, 0 or 1; -1 has it drawn.
        """
        sides, races, rest = jax.random.split(key, 3)
        side = jnp.where(side < 0, jax.random.randint(sides, (), 0, 2), side)
        own, theirs = draw_races(races, self.game.settings.races)
        state, timestep = self.game.start(_by_side(side, own, theirs), self.game.no_strategy())
        match = strong(Match(state, timestep, side, params, self.player.initial_memory(), rest))
        return match, self._outcome(match)

    def decide(self, match: Match, action: Action, weights: Any = ()) -> tuple[Match, Outcome]:
        """Carries out the user's action, and plays on until the next decision is due or the game is over.

        `weights`: of the opponent, where it is an agent (`Opponent.weights`).
        """
        idle = no_op(self.game.size, 0)

        def goes_on(carry):
            match, first = carry
            return first | (~match.timestep.acting[match.side] & ~match.timestep.done)

        def body(carry):
            match, first = carry
            now = jax.tree.map(partial(jnp.where, first), action, idle)
            return self._step(match, now, weights), jnp.bool_(False)

        match, _ = jax.lax.while_loop(goes_on, body, (match, jnp.bool_(True)))
        return match, self._outcome(match)

    def _step(self, match: Match, action: Action, weights: Any) -> Match:
        key, now = jax.random.split(match.key)
        theirs = 1 - match.side
        seen = jax.tree.map(lambda leaf: leaf[theirs], match.timestep.observation)
        params = match.params if self.player.own_params else weights

        def acts(memory):
            return self.player.act(params, memory, seen, now)

        def waits(memory):
            return memory, no_op(self.game.size, 0)

        memory, reply = jax.lax.cond(match.timestep.acting[theirs], lambda m: strong(acts(m)), waits, match.memory)
        state, timestep = self.game.step(match.state, jax.tree.map(partial(_by_side, match.side), action, reply))
        return match._replace(state=state, timestep=timestep, memory=memory, key=key)

    def _outcome(self, match: Match) -> Outcome:
        timestep, side = match.timestep, match.side
        terminated, truncated = ending(timestep, self.game.settings.time_limit)
        observation = jax.tree.map(lambda leaf: leaf[side], timestep.observation)
        return Outcome(observation, timestep.reward[side], terminated, truncated, timestep.result[side])


def _by_side(side: Int[Array, ""], own: Any, theirs: Any) -> Any:
    """[2, ...] from what belongs to the user and to the opponent."""
    return jnp.where(side == 0, jnp.stack([own, theirs]), jnp.stack([theirs, own]))


@lru_cache(maxsize=16)
def compiled(game: EmbeddedGame, player: Controller, many: bool = False) -> tuple[Callable, Callable]:
    """`Duel.new` and `Duel.decide` compiled, for one game or for many that share `weights`: the same functions for the
    same arguments, so that environments of one configuration compile them once."""
    duel = Duel(game, player)
    if many:
        return jax.jit(jax.vmap(duel.new)), jax.jit(jax.vmap(duel.decide, (0, 0, None)))
    return jax.jit(duel.new), jax.jit(duel.decide)
