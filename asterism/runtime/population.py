"""The league's iteration in compiled code, for K learners along a population axis.

Every array has that axis first: weights are [K, ...], games [K, lanes, ...]. On a CPU the learners of a device come one
after the other, as do the games of a lane; elsewhere all are computed at once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from asterism.interface.network import Params
from asterism.learning.reinforcement import Factors, LearnerState, Scale, Trajectory, reinforcement_update
from asterism.runtime.devices import ALL, EACH, EACH_STEP, GAMES, games_mesh, gathered, over_games
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.players import spread, strong
from asterism.runtime.rollout import Collected, Conditioning, RolloutSizes, collect, fresh_workers
from asterism.runtime.setup import Tools


class Layout(NamedTuple):
    """How a population lies on the devices: each has some of the learners, or if these cannot be shared out evenly,
    some of the groups of games of every learner."""

    mesh: Mesh
    learners: PartitionSpec
    """Of what each learner has once: [K, ...]."""
    games: PartitionSpec
    """Of what each game or group has: [K, lanes or groups, ...]."""
    steps: PartitionSpec
    """Of what each game has at each step: [K, N, lanes]."""

    @property
    def by_learner(self) -> bool:
        """Whether each device has learners of its own."""
        return self.learners == EACH

    def put(self, tree: Any, spec: PartitionSpec) -> Any:
        """The arrays, laid out so."""
        return jax.device_put(tree, NamedSharding(self.mesh, spec))


def make_layout(learners: int, groups: int) -> Layout:
    """The layout of K learners with so many groups of games each."""
    if learners % jax.device_count() == 0:
        return Layout(games_mesh(learners), EACH, EACH, EACH)
    return Layout(games_mesh(groups), ALL, EACH_STEP, PartitionSpec(None, None, GAMES))


def over_learners(function: Callable) -> Callable:
    """`function`, whose arguments and results get the population axis."""

    def along(*arguments):
        if len(jax.tree.leaves(arguments)[0]) == 1:
            alone = function(*jax.tree.map(lambda leaf: leaf[0], arguments))
            return jax.tree.map(lambda leaf: leaf[None], alone)
        if jax.default_backend() == "cpu":
            return jax.lax.map(lambda row: function(*row), arguments)
        return jax.vmap(function)(*arguments)

    return along


def make_optimizer(settings: LeagueTraining) -> optax.GradientTransformation:
    """Adam without momentum (AlphaStar: beta1 0, beta2 0.99, epsilon 1e-5)."""
    rates = {"policy": settings.learning_rate, "value": settings.value_learning_rate}
    adams = {part: optax.adam(rate, *settings.adam) for part, rate in rates.items()}
    return optax.chain(
        optax.clip_by_global_norm(settings.clip), optax.multi_transform(adams, Params(policy="policy", value="value"))
    )


class Population(NamedTuple):
    """What K learners do together; compiled when first called.

    New games, and the two halves of an iteration: apart, since compiling them as one takes twice the memory. Then what
    moves weights in and out.
    """

    layout: Layout
    start: Any
    """(races, keys [K, lanes]) -> workers."""
    collect: Any
    """(policies [K, N], versions [K], opponents' policies [K, groups, N], workers, races, restart [K, lanes], keys) ->
    `Collected`. A policy is one vector: hundreds of small arrays would take long to move."""
    update: Any
    """(learner states, teacher, trajectories, factors [K]) -> (learner states, the teacher's memories, metrics [K])."""
    together: Any
    """Arrays laid out over the devices -> the same, whole on each."""
    flat: Any
    """policy -> vector [N]"""
    policies: Any
    """learner states -> vectors [K, N]"""
    take: Any
    """(arrays [K, ...], k) -> those of learner k."""
    put: Any
    """(arrays [K, ...], k, arrays of a learner) -> the former with the latter as those of learner k."""
    put_opponent: Any
    """(opponents, k, group, vector) -> opponents."""

    def stacked(self, state: LearnerState, learners: int) -> LearnerState:
        """K learners that are the same, where `update` wants them."""
        return self.placed(strong(spread(state, learners)))

    def placed(self, states: LearnerState) -> LearnerState:
        """Learners' weights where `update` wants them."""
        return self.layout.put(states, EACH) if self.layout.by_learner else gathered(states)

    def batch(self, trajectories: Trajectory) -> Trajectory:
        """Trajectories that were collected, where `update` wants them."""
        if self.layout.by_learner:
            return trajectories
        # In compiled code: `device_put` would take them through the host, a tenth of an iteration.
        return jax.tree.map(lambda leaf: leaf.addressable_data(0), self.together(trajectories))

    def beside_states(self, state: LearnerState) -> LearnerState:
        """One learner's weights where `put` wants them."""
        return self.layout.put(state, ALL) if self.layout.by_learner else gathered(state)

    def opponents(self, policy: Float[Array, " N"], learners: int, groups: int) -> Float[Array, "K groups N"]:
        """The same policy for all opponents, where `collect` wants them."""
        return self.layout.put(spread(spread(policy, groups), learners), self.layout.games)


def make_population(
    tools: Tools, settings: LeagueTraining, conditioning: Conditioning, optimizer: optax.GradientTransformation
) -> Population:
    """The compiled functions of `settings.cohort` learners."""
    game, network = tools.game, tools.network
    description = game.description
    scale = Scale(game.size.location, description.map_cells, description.loops_per_second)
    one_update = reinforcement_update(network, description.uses, settings.losses, scale, optimizer, settings.learn)
    sizes = RolloutSizes(settings.unroll, settings.steps)
    layout = make_layout(settings.cohort, settings.groups)
    mesh, learners, games = layout.mesh, layout.learners, layout.games

    def start(races, keys):
        return strong(over_learners(lambda *row: fresh_workers(game, network, conditioning, *row))(races, keys))

    example = jax.eval_shape(network.init, jax.random.key(0)).policy
    _, unravel = ravel_pytree(jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), example))
    ravel = lambda policy: ravel_pytree(policy)[0]  # noqa: E731

    def gather(*arguments):
        def of_one(policy, version, opponents, *rest):
            weights = unravel(policy), version, jax.vmap(unravel)(opponents)
            return collect(game, network, sizes, conditioning, *weights, *rest)

        return strong(over_learners(of_one)(*arguments))

    def update(states: LearnerState, teacher: Params, batch: Trajectory, factors: Factors):
        def of_one(state, trajectories, factors):
            for _ in range(settings.reuse):
                state, carries, metrics = one_update(state, teacher, trajectories, factors)
            temperature = network.temperature(state.params.policy)
            return state, carries, metrics | {"steps": trajectories.mask.sum(), "temperature": temperature}

        return strong(over_learners(of_one)(states, batch, factors))

    inputs = (learners, learners, games, games, games, games, games)
    by_learner = over_games(update, mesh, (EACH, ALL, EACH, EACH), EACH, donate=0) if layout.by_learner else None
    alone = jax.jit(update, donate_argnums=0)
    rows = jax.jit(lambda tree, k: jax.tree.map(lambda leaf: leaf[k], tree))
    row = lambda tree, k, new: jax.tree.map(lambda leaf, one: leaf.at[k].set(one), tree, new)  # noqa: E731
    return Population(
        layout,
        start=over_games(start, mesh, (games, games), games),
        collect=over_games(gather, mesh, inputs, Collected(games, games, layout.steps, games), donate=3),
        update=by_learner or alone,
        together=jax.jit(lambda tree: tree, out_shardings=NamedSharding(mesh, ALL)),
        flat=jax.jit(ravel),
        policies=jax.jit(lambda states: jax.vmap(ravel)(states.params.policy)),
        take=rows,
        put=jax.jit(row, donate_argnums=0),
        put_opponent=jax.jit(lambda opponents, k, g, new: opponents.at[k, g].set(new), donate_argnums=0),
    )
