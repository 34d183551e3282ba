"""A game of two players that compiles in a second, for tests of what is built around games."""

from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int
from toys import toy_game

from asterism.interface.description import TimeStep
from asterism.interface.observation import Alliance, EntityField, Observation, Race, Strategy
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import observation_spec, privileged_spec, strategy_spec, zeros

SIZE = InterfaceSize("toy", entities=4, map=4, location=4, selected=2, delays=4, build_order=3)
LOOPS = 32
"""Game loops of a step."""


class State(NamedTuple):
    """A game in progress. By player, but for the loop."""

    loop: Int[Array, ""]
    points: Int[Array, " 2"]
    due: Int[Array, " 2"]
    """Loop at which each acts again."""
    races: Int[Array, " 2"]
    z: Strategy


class ToyDuel:
    """Action types 1, 4, 7 earn a point; who has more after `length` steps wins. With an odd delay a player pauses for
    a step. The players see their own points as minerals, and their races."""

    def __init__(self, length: int = 8, races: tuple[str, str] = ("terran", "terran")):
        self.description, self.size, self.length = toy_game(), SIZE, length
        self.settings = SimpleNamespace(races=races)

    def no_strategy(self) -> Strategy:
        """z that asks for nothing, for both players."""
        return jax.tree.map(lambda leaf: jnp.stack([leaf] * 2), zeros(strategy_spec(self.description, self.size)))

    def draw_races(self, key) -> Int[Array, " 2"]:
        """Those that were given; nothing is drawn."""
        return jnp.array([Race.named(race) for race in self.settings.races])

    def reset(self, key, z, races=None):
        """A new game, whose players begin with a point by chance."""
        races = self.draw_races(key) if races is None else races
        points = jax.random.randint(key, (2,), 0, 2)
        state = State(jnp.int32(0), points, jnp.zeros(2, jnp.int32), races, z)
        return state, self._look(state, jnp.zeros(2), jnp.bool_(False))

    def step(self, state: State, action):
        """Counts the points of those who are due."""
        acts = state.loop >= state.due
        points = state.points + (acts & (action.action_type % 3 == 1))
        loop = state.loop + LOOPS
        due = jnp.where(acts, loop + LOOPS * (action.delay % 2), state.due)
        done = loop >= self.length * LOOPS
        ahead = jnp.sign(points - points[::-1]).astype(jnp.float32)
        state = state._replace(loop=loop, points=points, due=due)
        return state, self._look(state, jnp.where(done, ahead, 0.0), done)

    def _look(self, state: State, reward, done) -> TimeStep:
        seen = jax.vmap(self._observe, (None, 0))(state, jnp.arange(2))
        shown = zeros(privileged_spec(self.description, self.size))
        privileged = shown._replace(score=state.points.astype(shown.score.dtype))
        acting = (state.loop >= state.due) | done
        return TimeStep(seen, privileged, reward, done, acting, jnp.zeros(2, jnp.int32))

    def _observe(self, state: State, player) -> Observation:
        blank = zeros(observation_spec(self.description, self.size))
        races = jnp.stack([state.races[player], state.races[1 - player]])
        scalars = blank.scalars._replace(
            game_loop=state.loop,
            statistics=blank.scalars.statistics.at[0].set(1000 * state.points[player]),
            races=races.astype(blank.scalars.races.dtype),
            available_actions=jnp.ones_like(blank.scalars.available_actions),
        )
        entities = blank.entities.at[0, EntityField.ALLIANCE].set(Alliance.SELF).at[0, EntityField.UNIT_TYPE].set(3)
        return blank._replace(entities=entities, scalars=scalars, z=jax.tree.map(lambda leaf: leaf[player], state.z))
