"""Reinforcement learning on an environment of one's own that is not JAX: here a few lines of NumPy.

Each environment is stepped in a thread of its own; actions are chosen in batches on the device. Some environments
crash now and then, as servers of games do; they are replaced.

python examples/host_games.py --seeds 3
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro

from asterism.interface.action import Action, ActionParts
from asterism.interface.description import ActionType, GameDescription, UnitType
from asterism.interface.network import Network, Params, UnrollOutput
from asterism.interface.observation import Alliance, EntityField, Statistic
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import observation_spec, zeros
from asterism.learning.losses import MASKED_LOGIT, LossWeights
from asterism.learning.reinforcement import Scale, fresh_learner, reinforcement_update
from asterism.runtime.host import HostGames, HostLearner, HostSettings

KINDS = ("spear", "horse", "bow")
ROUNDS = 5
GAME = GameDescription(
    name="skirmish",
    unit_types=tuple(UnitType(i, name) for i, name in enumerate(("none", *KINDS))),
    actions=tuple(
        ActionType(i, name, ability_id=i, general_id=i, queued=False, selects=False, target_unit=False, location=False)
        for i, name in enumerate(("no_op", *(f"train_{kind}" for kind in KINDS)))
    ),
    upgrades=("none",),
    effects=("none",),
    map_cells=8,
)
SIZE = InterfaceSize("skirmish", entities=1, map=1, location=1, selected=1, delays=1, repeats=1, build_order=1)


class Skirmish:
    """Rounds in which a unit of the enemy is seen, and one kind of own beats it. Who wins most of them wins the game.

    The environment has Gymnasium's form; nothing of JAX is in it.
    """

    blank = jax.device_get(zeros(observation_spec(GAME, SIZE)))

    def __init__(self, seed: int, crashes: float):
        self.rng, self.crashes = np.random.default_rng(seed), crashes

    def reset(self, *, seed: int | None = None):
        self.round = self.won = 0
        return self.look(), {}

    def step(self, action):
        if self.rng.random() < self.crashes:
            raise ConnectionError("the server is gone")
        self.won += int(action["action_type"]) - 1 == self.enemy % len(KINDS)
        self.round += 1
        over = self.round == ROUNDS
        reward = (1.0 if 2 * self.won > ROUNDS else -1.0) if over else 0.0
        return self.look(), reward, over, False, {}

    def look(self):
        self.enemy = self.rng.integers(1, len(KINDS) + 1)
        entities = np.zeros_like(self.blank.entities)
        entities[0, [EntityField.UNIT_TYPE, EntityField.ALLIANCE]] = self.enemy, Alliance.ENEMY
        statistics, available = np.zeros_like(self.blank.scalars.statistics), np.arange(len(GAME.actions)) > 0
        statistics[[Statistic.ARMY_COUNT, Statistic.FOOD_USED]] = self.won, self.round
        scalars = self.blank.scalars._replace(statistics=statistics, available_actions=available)
        return self.blank._replace(entities=entities, scalars=scalars)


def linear_network() -> Network:
    """Action type and value are linear in what is seen. `asterism.agent.make_network` makes AlphaStar's instead."""
    features = len(GAME.unit_types) + 3

    def see(observation):
        kind = jax.nn.one_hot(observation.entities[..., 0, EntityField.UNIT_TYPE], len(GAME.unit_types))
        numbers = observation.scalars.statistics[..., jnp.array([Statistic.ARMY_COUNT, Statistic.FOOD_USED])] / ROUNDS
        return jnp.concatenate([kind, numbers, jnp.ones((*kind.shape[:-1], 1))], -1)

    def score(policy, observation):
        available = observation.scalars.available_actions
        return jnp.where(available, see(observation) @ policy, MASKED_LOGIT)

    def log_prob(logits, action):
        none = jnp.zeros(logits.shape[:-1])
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), action.action_type[..., None], -1)[..., 0]
        return ActionParts(chosen, *[none] * 6)

    def step(policy, carry, observation, key):
        logits, zero = score(policy, observation), jnp.zeros((), jnp.int32)
        kind = jax.random.categorical(key, logits).astype(jnp.int32)
        action = Action(kind, zero, zero, zero, jnp.full(1, -1), zero, zero)
        return carry, action, log_prob(logits, action)

    def unroll(params, carry, observation, privileged, action, reset, mask=None):
        logits, steps = score(params.policy, observation), len(reset)
        one, two = jnp.zeros((steps, 1)), jnp.zeros((steps, 2))
        parts = ActionParts(logits, one, two, one, jnp.zeros((steps, 1, 2)), one, one)
        values = jnp.tanh(see(observation) @ params.value)
        return carry, UnrollOutput(parts, log_prob(logits, action), jnp.zeros((steps, 1), bool), values)

    def init(key):
        return Params(jnp.zeros((features, len(GAME.actions))), jnp.zeros((features, 5)))

    same = lambda params, _: params  # noqa: E731
    return Network(init, lambda: jnp.zeros(()), step, unroll, same, lambda policy: jnp.ones(()), same)


def learn(seed: int, updates: int, settings: HostSettings, crashes: float, rate: float) -> None:
    """Trains one agent, and says how it did."""
    network, optimizer = linear_network(), optax.adam(rate)
    losses = LossWeights(entropy=1e-3, kl=0.0, kl_action_type_early=0.0)
    scale = Scale(SIZE.location, GAME.map_cells, GAME.loops_per_second)
    update = reinforcement_update(network, GAME.uses, losses, scale, optimizer)
    params = network.init(jax.random.key(seed))
    rewards = []

    make_env = lambda slot, env_seed: Skirmish(env_seed, crashes)  # noqa: E731
    on_result = lambda result: rewards.append(result.reward)  # noqa: E731
    with HostGames(make_env, network, params.policy, GAME, SIZE, settings, on_result) as games:
        learner = HostLearner(games, network, update, fresh_learner(params, optimizer), teacher=params)
        for _ in range(updates):
            learner.step()
        log = learner.log()

    first, last = (np.mean(np.array(some) > 0) for some in (rewards[:100], rewards[-200:]))
    print(f"seed {seed}: won {first:.0%} of the first 100 games, {last:.0%} of the last 200")
    print(f"  {len(rewards)} games, {log['host/crashed']:.0f} environments crashed and were replaced")
    print(
        f"  {log['host/batch']:.1f} actions chosen at once; weights were {log['lag/mean']:.1f} updates old in the mean"
    )


def main(seeds: int = 1, updates: int = 120, crashes: float = 0.003, rate: float = 0.02) -> None:
    """Trains `seeds` agents, one after the other. `crashes`: chance that a step of an environment does."""
    for seed in range(seeds):
        settings = HostSettings(actors=8, batch=6, unroll=10, reuse=2, refresh_seconds=0.05, seed=seed)
        learn(seed, updates, settings, crashes, rate)


if __name__ == "__main__":
    tyro.cli(main)
