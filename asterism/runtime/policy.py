"""A trained agent for programs: `Policy.load(path)`, then `policy.act(observation)`."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.interface.action import Action, ActionParts
from asterism.interface.network import Carry, Network, Params
from asterism.interface.observation import Observation, Privileged
from asterism.interface.reading import read
from asterism.interface.spec import observation_spec, privileged_spec, zeros
from asterism.learning.supervised import used_parts
from asterism.runtime.agents import read_agent
from asterism.runtime.players import select, spread, strong
from asterism.runtime.setup import Setup, make_tools


class Decision(NamedTuple):
    """What an agent does, and on request what it thinks. `*b`: the axis of games, where there is one."""

    action: Action
    log_probs: ActionParts
    """`[*b]` each: log-probability of the part that was chosen, given those before it (their order is that of
    `Action`); 0 for parts that the action type does not use. The sum is that of the whole action."""
    probabilities: ActionParts | None = None
    """Of all choices of each part, given the parts before it that were chosen: `[*b, A]`, `[*b, D]`, `[*b, 2]`,
    `[*b, R]`, units `[*b, S, E + 1]` (a row for each unit selected; last: end of selection), `[*b, E]`, `[*b, N]`.

    All 0 for parts that the action type does not use, and for units after the end of the selection."""
    values: Float[Array, "*b 5"] | Float[np.ndarray, "*b 5"] | None = None
    """Estimates of the five rewards to come, between -1 and 1: win/loss (1: surely won), build order, units, upgrades,
    effects. The latter four mean something for an agent that was asked to follow a z."""


class Policy:
    """A trained agent.

    `act` is for programs that play: it keeps the network's memory and draws its own random numbers. `step` is the pure
    function below it, for `jax.jit` and `jax.vmap`. Both are of the same distribution; weights do not change.

    A policy plays one game at a time, or many side by side: then all arrays have a first axis of games.
    """

    game: EmbeddedGame
    """The game that the agent was trained on: its `settings`, `description` and `size` (of the interface)."""
    params: Params
    """Weights, for `step`."""

    def __init__(self, setup: Setup, params: Params, seed: int = 0, device: str | None = None):
        """From weights at hand; `load` reads them."""
        self.game, self._network, self._act, self._act_in_many = _compiled(setup)
        self._observation_spec = observation_spec(self.game.description, self.game.size)
        self._privileged_spec = privileged_spec(self.game.description, self.game.size)
        self._device = _find_device(device)
        self.params = jax.device_put(params, self._device)
        self.reset(seed=seed)

    @classmethod
    def load(cls, path: str | Path, agent: str | None = None, *, seed: int = 0, device: str | None = None) -> "Policy":
        """Reads an agent.

        Args:
          path: the folder of a run, such as runs/first-light, or the .safetensors file of an agent, with its config
            (.json) beside it.
          agent: which agent of a run: `agent` (from the league; also None) or `teacher` (which only imitates).
          seed: of what `act` draws: with the same seed and observations it does the same.
          device: where it computes, cpu or gpu; None: where JAX does by default.
        Raises:
          UserError: a file is missing, corrupt, no agent of this version, or not of the size that its config says; or
            there is no such device.
        """
        return cls(*read_agent(Path(path), agent), seed, device)

    def act(
        self,
        observation: Observation | dict[str, Any],
        privileged: Privileged | dict[str, Any] | None = None,
        *,
        values: bool = False,
        probabilities: bool = False,
    ) -> Decision:
        """Decides on an action, and remembers what it has seen. The first call compiles.

        Args:
          observation: of one game, or [B, ...] of as many games as before; as a game or an environment of
            `asterism.envs` gives it: named tuples, or dictionaries, of arrays of NumPy or JAX.
          privileged: what both players own, [2, ...] or [B, 2, ...], the player itself first, for `values`. Only the
            embedded game can tell it (`TimeStep.privileged`, `AgainstBot.privileged()`): in a real match nobody could.
          values: whether to estimate the rewards to come.
          probabilities: whether to tell those of all choices. Another pass through the network gives either.
        Returns:
          A `Decision` of NumPy arrays.
        Raises:
          UserError: a field is missing or of another shape or type, there are other games than before, or `values` are
            asked for without `privileged`.
        """
        seen, games = read(self._observation_spec, observation, "observation")
        both = None
        if values and privileged is not None:
            both, count = read(self._privileged_spec, privileged, "privileged")
            _check_games("privileged", count, "the observation", games)
        if self._carry is None:
            self._games, self._carry = games, jax.device_put(self.initial_carry(games), self._device)
        _check_games("the observation", games, "the memory", self._games, ": call reset() first")
        act = self._act if games is None else self._act_in_many
        if self._device is not None:
            seen, both = jax.device_put((seen, both), self._device)
        self._carry, self._key, decision = act(
            self.params, self._carry, self._key, seen, both, values=values, probabilities=probabilities
        )
        return jax.device_get(decision)

    def reset(self, games: Bool[Any, " B"] | None = None, *, seed: int | None = None) -> None:
        """Forgets what was seen: call it before each new game.

        Args:
          games: which of many games begin anew; None: all, and the next may be of another number.
          seed: of what is drawn from now on; None: it goes on.
        Raises:
          UserError: `games` is not one flag for each game.
        """
        if seed is not None:
            self._key = jax.device_put(jax.random.key(seed), self._device)
        if games is None:
            self._games = self._carry = None
        elif self._carry is not None:
            if np.shape(games) != (self._games,):
                raise UserError(
                    f"reset of games of shape {np.shape(games)}: it must be one flag for each of {self._games}"
                )
            self._carry = select(np.asarray(games, bool), self.initial_carry(self._games), self._carry)

    def initial_carry(self, games: int | None = None) -> Carry:
        """The memory with which a game begins, for `step`; of many games with a first axis."""
        carry = strong(self._network.initial_carry())
        return carry if games is None else spread(carry, games)

    def step(
        self,
        params: Params,
        carry: Carry,
        observation: Observation,
        key: PRNGKeyArray,
        privileged: Privileged | None = None,
        *,
        values: bool = False,
        probabilities: bool = False,
    ) -> tuple[Carry, Decision]:
        """What `act` does, as a pure function for one game: `jax.vmap` makes it many, `jax.jit` compiles it.

        Args are as in `act`, in named tuples; `params` are `policy.params`. Raises UserError where `values` are asked
        for without `privileged`.
        """
        wanted = {"values": values, "probabilities": probabilities}
        return _decide(self.game, self._network, params, carry, observation, key, privileged, **wanted)


def _decide(
    game: EmbeddedGame, network: Network, params, carry, observation, key, privileged, *, values, probabilities
):
    """`Policy.step`."""
    if values and privileged is None:
        raise UserError("values need what both players own: give privileged, which only the embedded game can tell")
    after, action, log_probs = network.step(params.policy, carry, observation, key)
    decision = Decision(action, log_probs)
    if not values and not probabilities:
        return after, decision
    if privileged is None:
        privileged = zeros(privileged_spec(game.description, game.size))
    one_step = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], (observation, privileged, action))
    scored = jax.tree.map(lambda leaf: leaf[0], network.unroll(params, carry, *one_step, jnp.zeros(1, bool))[1])
    if probabilities:
        used = used_parts(game.description.uses, action)._replace(units=scored.unit_rounds[:, None])
        softmax = lambda use, logits: jnp.where(use, jax.nn.softmax(logits), 0.0)  # noqa: E731
        decision = decision._replace(probabilities=jax.tree.map(softmax, used, scored.logits))
    return after, decision._replace(values=scored.values if values else None)


@lru_cache(maxsize=16)
def _compiled(setup: Setup) -> tuple[EmbeddedGame, Network, Callable, Callable]:
    """The game, its network, and what `Policy.act` runs for one game and for many: compiled once for equal setups."""
    game, _, network = make_tools(setup)

    def act(params, carry, key, observation, privileged, **wanted):
        key, now = jax.random.split(key)
        carry, decision = _decide(game, network, params, carry, observation, now, privileged, **wanted)
        return carry, key, decision

    def act_in_many(params, carry, key, observation, privileged, **wanted):
        key, now = jax.random.split(key)
        keys = jax.random.split(now, len(observation.entities))
        decide = jax.vmap(partial(_decide, game, network, **wanted), (None, 0, 0, 0, 0))
        carry, decision = decide(params, carry, observation, keys, privileged)
        return carry, key, decision

    compile = partial(jax.jit, static_argnames=("values", "probabilities"))  # noqa: A001
    return game, network, compile(act), compile(act_in_many)


def _find_device(name: str | None) -> jax.Device | None:
    """The first device of a kind; raises UserError where there is none."""
    try:
        return None if name is None else jax.devices(name)[0]
    except RuntimeError:
        known = ", ".join(sorted({device.platform for device in jax.devices()}))
        raise UserError(f"there is no device {name!r} here: JAX knows {known}") from None


def _check_games(what: str, games: int | None, other: str, due: int | None, remedy: str = "") -> None:
    """Raises UserError where the two are not of as many games."""
    if games != due:
        one, two = ("one game" if count is None else f"{count} games" for count in (games, due))
        raise UserError(f"{what} is of {one}, {other} of {two}{remedy}")
