"""One environment in Gymnasium form, as an actor sees it: observations that are checked, and what values may see."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool

from asterism.errors import UserError
from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.observation import Observation, Privileged, Strategy
from asterism.interface.reading import read
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import observation_spec, privileged_spec
from asterism.learning.pseudo_rewards import StrategyValues

START, STEP = "start", "step"
"""The two kinds of calls into an environment, which may take differently long."""

Watch = Callable[[str], AbstractContextManager]
"""Kind of a call -> what it is made in; leaving it may raise `Stopped`."""


class Asked(NamedTuple):
    """What the player is asked to do in a game."""

    z: Strategy
    """One player's, without a batch axis."""
    enabled: StrategyValues
    """Which pseudo-rewards the game has: four flags."""


class Seen(NamedTuple):
    """A moment in which an action is due."""

    observation: Observation
    privileged: Privileged
    """[2, ...], the player first."""
    reset: Bool[np.ndarray, ""]
    """The first of a game."""
    enabled: StrategyValues


class GameResult(NamedTuple):
    """A game that came to its end."""

    slot: int
    """Number of the environment."""
    reward: float
    """Sum of the rewards of its steps; for most games 1 won, 0 tied, -1 lost."""
    steps: int
    """Decisions of the player."""
    truncated: bool
    """It was cut off, as by a limit of time."""
    info: dict[str, Any]
    """Of the last step."""


class Outcome(NamedTuple):
    """What came of an action."""

    reward: float
    seen: Seen | None
    """What to act on next; None after the end of the game: `reset` begins another."""
    result: GameResult | None
    """Of a game that ended."""


def own_view(observation: Observation) -> Privileged:
    """What the value networks see where nobody can tell what both players own, [2, ...].

    Of the player itself what it sees of its own: statistics, numbers of units, upgrades. Zeros for the rest: its score,
    what it has built so far, and all of the opponent. Values then know no more than the policy does. A value network
    that compares the two players (`ValueConfig.balanced`) takes the opponent for one who owns nothing.
    """
    scalars = observation.scalars
    executed = jax.tree.map(np.zeros_like, observation.z)
    score = np.zeros((), np.int32)
    own = Privileged(scalars.statistics, scalars.unit_counts, scalars.upgrades, score, executed)
    return jax.tree.map(lambda leaf: np.stack([leaf, np.zeros_like(leaf)]), own)


class Environment:
    """An environment with its game in progress.

    `env` has Gymnasium's `reset(seed=...)` and `step(action)`: observations are those of the interface, as dictionaries
    or named tuples, actions are dictionaries of arrays; a step lasts until the next action is due. It may have
    `privileged()`, which tells what both players own, the player first, as `asterism.envs.AgainstBot` does; otherwise
    see `own_view`. A game that is truncated ends like any other: what would have come counts for nothing.

    Args:
      slot: number of the environment.
      watch: calls into the environment are made within it.
      asked: (generator, info of a reset) -> what the player is asked to do in the game; the z takes the place of the
        observation's. None: z is as the environment gives it, without pseudo-rewards.
    """

    def __init__(
        self,
        env: Any,
        slot: int,
        game: GameDescription,
        size: InterfaceSize,
        watch: Watch,
        asked: Callable[[np.random.Generator, dict[str, Any]], Asked] | None,
        rng: np.random.Generator,
    ):
        self._env, self._slot, self._watch, self._draw, self._rng = env, slot, watch, asked, rng
        self._observation_spec, self._privileged_spec = observation_spec(game, size), privileged_spec(game, size)
        self._privileged = getattr(getattr(env, "unwrapped", env), "privileged", None)
        if asked is not None and self._privileged is None:
            raise UserError(
                f"environment {slot} has no privileged(), which tells what was built: without it there are no "
                "pseudo-rewards; leave asked out"
            )
        self._asked: Asked | None = None
        self._reward, self._steps = 0.0, 0

    def reset(self, seed: int | None = None) -> Seen:
        """Begins a game. Raises UserError for an observation that does not fit the interface."""
        with self._watch(START):
            observation, info = self._env.reset(seed=seed)
            both = self._both()
        self._asked = self._draw and self._ask(info)
        self._reward, self._steps = 0.0, 0
        return self._read(observation, both, True)

    def step(self, action: Action) -> Outcome:
        """Carries out an action. Raises UserError as `reset` does."""
        with self._watch(STEP):
            observation, reward, terminated, truncated, info = self._env.step(action._asdict())
            both = self._both()
        self._reward, self._steps = self._reward + float(reward), self._steps + 1
        if terminated or truncated:
            result = GameResult(self._slot, self._reward, self._steps, not terminated, info)
            return Outcome(float(reward), None, result)
        return Outcome(float(reward), self._read(observation, both, False), None)

    def _ask(self, info: dict[str, Any]) -> Asked:
        z, enabled = self._draw(self._rng, info)
        z, _ = read(self._observation_spec.z, z, "asked.z")
        return Asked(*jax.tree.map(np.array, (z, enabled)))

    def _both(self) -> Any:
        return None if self._privileged is None else self._privileged()

    def _read(self, observation: Any, both: Any, reset: bool) -> Seen:
        seen, games = read(self._observation_spec, observation, "observation")
        if games is not None:
            raise UserError(f"environment {self._slot} gives observations of {games} games: it must be of one")
        # An environment may write into the arrays that it gave.
        seen = jax.tree.map(np.array, seen)
        enabled = StrategyValues(*np.zeros(4, bool))
        if self._asked is not None:
            seen, enabled = seen._replace(z=self._asked.z), self._asked.enabled
        if both is None:
            return Seen(seen, own_view(seen), np.bool_(reset), enabled)
        privileged, _ = read(self._privileged_spec, both, "privileged")
        return Seen(seen, jax.tree.map(np.array, privileged), np.bool_(reset), enabled)
