"""Trajectories of a learner against its opponents, in compiled code.

Turns are asynchronous: in each step of the games only some learners are due. The steps at which they are due are packed
into trajectories of T steps; a lane that has its T steps waits for the others. The last step of a trajectory whose
successor is not due yet is kept back (`pending`) for the next one, so that every reward reaches the step that earned
it.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from asterism.demos.strategies import StrategyLibrary
from asterism.interface.action import Action, ActionParts
from asterism.interface.description import Game
from asterism.interface.network import Network
from asterism.interface.observation import Observation, Privileged
from asterism.learning.pseudo_rewards import StrategyValues
from asterism.learning.reinforcement import Trajectory
from asterism.runtime.arena import Keys, Lanes, Races, join, new_lanes, seats, side, split_keys
from asterism.runtime.players import agent, select


class Record(NamedTuple):
    """One moment of the learner in each lane. [B, ...]"""

    observation: Observation
    privileged: Privileged
    action: Action
    behaviour: ActionParts
    reset: Bool[Array, " B"]
    enabled: StrategyValues
    version: Int[Array, " B"]
    """Updates that the learner had made."""
    carry: Any
    """State of the core before the moment."""


class Workers(NamedTuple):
    """B games in progress between a learner (home) and its opponents (away), between two collections."""

    lanes: Lanes
    first: Bool[Array, " B"]
    """The learner has not acted in this game yet."""
    enabled: StrategyValues
    """Which pseudo-rewards the game has."""
    teacher_carry: Any
    pending: Record
    has_pending: Bool[Array, " B"]


class Finished(NamedTuple):
    """Games that ended, by step of the collection. [N, B]"""

    done: Bool[Array, "N B"]
    reward: Float[Array, "N B"]
    """For the learner."""
    loops: Int[Array, "N B"]


class Collected(NamedTuple):
    """What comes of a collection."""

    workers: Workers
    trajectories: Trajectory
    """[B]"""
    finished: Finished
    useful: Float[Array, " B"]
    """Share of the evaluations of the networks, learner's and opponent's, that were of a player whose turn it was."""


class RolloutSizes(NamedTuple):
    """Sizes of a collection."""

    unroll: int
    """Agent steps in a trajectory (T)."""
    steps: int
    """Steps of the games in one collection (N)."""


class Conditioning(NamedTuple):
    """How strategies are given to the learner."""

    library: StrategyLibrary
    z_probability: float
    """Share of games with a z."""
    reward_probability: float
    """Probability of each pseudo-reward in a game with a z."""


def fresh_workers(game: Game, network: Network, conditioning: Conditioning, races: Races, keys: Keys) -> Workers:
    """New games, one a key. The learner is asked to follow a z in some of them; its opponents are free."""
    count = len(keys)
    seat = seats(count)
    sides = races.by_side(game, seat, keys)
    keys, library, asking, rewarding = split_keys(keys, 4)
    z, there = jax.vmap(conditioning.library.sample)(library, seat, side(sides, seat))
    asked = there & jax.vmap(lambda key: jax.random.bernoulli(key, conditioning.z_probability))(asking)
    z = select(asked, z, jax.tree.map(jnp.zeros_like, z))
    on = jax.vmap(lambda key: jax.random.bernoulli(key, conditioning.reward_probability, (4,)), out_axes=1)(rewarding)
    both = join(z, jax.tree.map(jnp.zeros_like, z), seat)
    player = agent(network)
    lanes = new_lanes(game, player, player, seat, both, keys, sides)
    enabled = StrategyValues(*(on & asked))
    always = jnp.ones(count, bool)
    return Workers(lanes, always, enabled, lanes.home, _blank(network, lanes, enabled), ~always)


def _blank(network: Network, lanes: Lanes, enabled: StrategyValues) -> Record:
    """A record that stands for none."""
    observation, privileged = _home_view(lanes)
    row = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape[1:], leaf.dtype), observation)
    carry = network.initial_carry()
    count = len(lanes.seat)

    def zeros(tree):
        return jax.tree.map(lambda leaf: jnp.zeros((count, *leaf.shape), leaf.dtype), tree)

    # Only shapes are needed, so the weights are made of nothing too.
    policy = jax.eval_shape(network.init, jax.random.key(0)).policy
    _, action, log_probs = jax.eval_shape(network.step, policy, carry, row, jax.random.key(0))
    return Record(
        jax.tree.map(jnp.zeros_like, observation),
        jax.tree.map(jnp.zeros_like, privileged),
        zeros(action),
        zeros(log_probs),
        jnp.zeros(count, bool),
        jax.tree.map(jnp.zeros_like, enabled),
        jnp.zeros(count, jnp.int32),
        jax.tree.map(jnp.zeros_like, lanes.home),
    )


def _home_view(lanes: Lanes) -> tuple[Observation, Privileged]:
    """What the learner sees, and what its value networks see: both players, itself first."""
    timestep, seat = lanes.timestep, lanes.seat
    own, other = side(timestep.privileged, seat), side(timestep.privileged, 1 - seat)
    return side(timestep.observation, seat), jax.tree.map(lambda a, b: jnp.stack([a, b], 1), own, other)


def _act_groups(network: Network, opponents: Any, memory: Any, observation: Observation, keys: Keys):
    """Each group's lanes under the weights of its opponent; one group after the other."""
    groups = len(jax.tree.leaves(opponents)[0])
    split = lambda tree: jax.tree.map(lambda x: x.reshape(groups, -1, *x.shape[1:]), tree)  # noqa: E731

    def of_group(inputs):
        weights, carry, seen, group_keys = inputs
        carry, action, _ = jax.vmap(network.step, (None, 0, 0, 0))(weights, carry, seen, group_keys)
        return carry, action

    result = jax.lax.map(of_group, (opponents, split(memory), split(observation), split(keys)))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), result)


def collect(
    game: Game,
    network: Network,
    sizes: RolloutSizes,
    conditioning: Conditioning,
    policy: Any,
    version: Int[Array, ""],
    opponents: Any,
    workers: Workers,
    races: Races,
    restart: Bool[Array, " B"],
    keys: Keys,
) -> Collected:
    """Plays on and returns the learner's trajectories.

    Args:
      version: updates that the learner has made.
      opponents: weights of the policies of the groups' opponents, stacked.
      races: of the games that begin.
      restart: lanes whose games begin anew, as with a new opponent.
      keys: one a lane.
    """
    fresh_keys, keys = split_keys(keys, 2)
    fresh = fresh_workers(game, network, conditioning, races, fresh_keys)
    versions = jnp.broadcast_to(version, restart.shape)
    workers = select(restart, fresh, workers)

    def body(carry, step_keys):
        lanes, first, enabled, taken = carry
        own_keys, other_keys = split_keys(step_keys, 2)
        due, theirs = side(lanes.timestep.acting, lanes.seat), side(lanes.timestep.acting, 1 - lanes.seat)
        waits = due & (taken >= sizes.unroll)
        acts = due & ~waits
        observation, privileged = _home_view(lanes)
        home, action, log_probs = jax.vmap(network.step, (None, 0, 0, 0))(policy, lanes.home, observation, own_keys)
        record = Record(observation, privileged, action, log_probs, first, enabled, versions, lanes.home)
        seen = side(lanes.timestep.observation, 1 - lanes.seat)
        away, reply = _act_groups(network, opponents, lanes.away, seen, other_keys)
        state, timestep = jax.vmap(game.step)(lanes.state, join(action, reply, lanes.seat))
        reward, done = side(timestep.reward, lanes.seat), timestep.done & ~waits
        ended = Finished(done, jnp.where(done, reward, 0.0), state.loop)
        moved = Lanes(state, timestep, select(acts, home, lanes.home), select(theirs, away, lanes.away), lanes.seat)
        moved = select(waits, lanes, moved)
        lanes = select(done, fresh.lanes, moved)
        first = done | (first & ~acts)
        enabled = select(done, fresh.enabled, enabled)
        return (lanes, first, enabled, taken + acts), (record, acts, ended, (1.0 * acts + (theirs & ~waits)) / 2)

    start = (workers.lanes, workers.first, workers.enabled, workers.has_pending.astype(jnp.int32))
    (lanes, first, enabled, _), played = jax.lax.scan(body, start, split_keys(keys, sizes.steps))
    records, acts, ended, useful = played
    records = jax.tree.map(lambda p, r: jnp.concatenate([p[None], r]), workers.pending, records)
    acts = jnp.concatenate([workers.has_pending[None], acts])
    current = Record(*_home_view(lanes), *workers.pending[2:])._replace(reset=first, enabled=enabled)
    due = side(lanes.timestep.acting, lanes.seat)
    trajectory, pending, has_pending = jax.vmap(pack, (None, 1, 1, 1, 0, 0, 0), (0, 0, 0))(
        sizes.unroll, records, acts, ended, current, due, workers.teacher_carry
    )
    workers = Workers(lanes, first, enabled, workers.teacher_carry, pending, has_pending)
    return Collected(workers, trajectory, ended, useful.mean(0))


def pack(unroll: int, records: Record, acts, ended: Finished, current: Record, due, teacher_carry):
    """One lane's moments [N + 1, ...] as a trajectory of at most `unroll` steps, and the moment kept back.

    `acts` says at which moments the learner acted; moment 0 is the one kept back before. `current` is the moment after
    the last, with which values are bootstrapped if the learner is `due` in it. If not, the last action's outcome is
    still open: that moment is kept back, and values are bootstrapped with it.
    """
    moments = len(acts)
    index = jnp.nonzero(acts, size=unroll + 1, fill_value=moments)[0]
    number = acts.sum()
    keeps = ~due
    steps = number - keeps
    order = jnp.minimum(index, moments - 1)
    rows = jax.tree.map(lambda r, c: jnp.where(_like(index < moments, r), r[order], c), records, current)
    # What happens from one action to the next belongs to the first of the two; moment i + 1 leads to `ended` i.
    owner = jnp.cumsum(acts)[1:] - 1
    owned = owner[None] == jnp.arange(unroll)[:, None]
    mask = jnp.arange(unroll) < steps
    trajectory = Trajectory(
        observation=rows.observation,
        privileged=rows.privileged,
        action=rows.action,
        behaviour=rows.behaviour,
        reset=rows.reset,
        enabled=rows.enabled,
        reward=jnp.where(mask, (owned * ended.reward).sum(1), 0.0),
        ended=mask & (owned & ended.done).any(1),
        mask=mask,
        version=rows.version[:-1],
        carry=jax.tree.map(lambda leaf: leaf[0], rows.carry),
        teacher_carry=teacher_carry,
    )
    last = jnp.maximum(number - 1, 0)
    pending = jax.tree.map(lambda leaf: leaf[last], rows)
    return trajectory, pending, keeps & (number > 0)


def _like(flag, leaf):
    return flag.reshape(flag.shape + (1,) * (leaf.ndim - 1))
