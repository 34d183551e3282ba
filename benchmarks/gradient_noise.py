"""How much of a policy gradient is signal: a run's teacher plays itself, and blocks of games are compared.

python benchmarks/gradient_noise.py runs/first-light     (about 12 minutes and 4 GB of memory on two cores)

The mean gradient of n collections is g + noise. Products of different collections estimate |g|^2 without bias, those
of a collection with itself add the noise. Printed is |g|^2 over the noise of the mean: below 1, learning from so many
games goes astray.
"""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jax.flatten_util import ravel_pytree

from asterism.agent.policy import SHARPNESS_SPEED
from asterism.demos import open_demos, recorded_strategies, strategy_library
from asterism.interface.network import Network, Params
from asterism.learning.losses import split_log_probs
from asterism.learning.reinforcement import Factors, Trajectory
from asterism.learning.returns import segment, td_lambda_targets, upgo_returns
from asterism.learning.supervised import used_parts
from asterism.runtime.agents import load_agent
from asterism.runtime.arena import Races
from asterism.runtime.devices import gathered
from asterism.runtime.league import LeagueStage
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.progress import stage
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, Tools, make_tools, start_jax

LEAGUE = LeagueTraining(groups=2, unroll=64, steps=64, z_probability=0.0)
LAMBDAS = {"lambda_1": 1.0, "lambda_0.95": 0.95, "lambda_0.8": 0.8, "lambda_0": 0.0}
ESTIMATORS = (*LAMBDAS, "upgo")
BLOCKS = ("action_type", "delay", "sharpness")


@dataclass(frozen=True)
class Settings:
    """Prints how much of the gradient is signal, for each block of the policy and each estimate of the advantage."""

    run: tyro.conf.Positional[Path]
    """Folder of a trained run, of which demos and teacher are used."""
    collections: int = 100
    """Collections of 32 x 64 steps, some 7 games each, in which the gradient is measured."""
    value_collections: int = 50
    """Collections before them, from which the values learn."""
    seed: int = 0


def score(network: Network, uses, params: Params, trajectory: Trajectory):
    """Sum over a trajectory of advantage times log-probability, by estimator: its gradient is the policy gradient."""
    steps = lambda tree: jax.tree.map(lambda leaf: leaf[:-1], tree)  # noqa: E731
    t = trajectory
    _, output = network.unroll(params, t.carry, t.observation, t.privileged, t.action, t.reset)
    values = jax.lax.stop_gradient(output.values[:, 0])
    s = segment(values[:-1], values[t.mask.sum()], t.reward, jnp.where(t.ended, 0.0, 1.0), t.mask)
    returns = jnp.stack([*(td_lambda_targets(s, x) for x in LAMBDAS.values()), upgo_returns(s)])
    advantages = jnp.where(t.mask, returns - s.values_tm1, 0.0)
    log_probs = split_log_probs(steps(output.log_probs), used_parts(uses, steps(t.action)), t.mask)
    return advantages @ log_probs.sum(0)


def gradients(network: Network, uses, params: Params, batch: Trajectory):
    """The gradient of each block's weights, by block: [estimators, weights]."""

    def of_blocks(blocks):
        policy = eqx.tree_at(lambda p: [getattr(p, name) for name in BLOCKS], params.policy, blocks)
        return jax.vmap(partial(score, network, uses, params._replace(policy=policy)))(batch).sum(0)

    blocks = [getattr(params.policy, name) for name in BLOCKS]
    _, pull = jax.vjp(of_blocks, blocks)
    rows = [pull(row)[0] for row in jnp.eye(len(ESTIMATORS))]
    return {name: jnp.stack([ravel_pytree(row[i])[0] for row in rows]) for i, name in enumerate(BLOCKS)}


def signal_to_noise(samples: np.ndarray) -> np.ndarray:
    """|g|^2 over the noise of the mean of n gradients [n, estimators, weights]; by estimator."""
    n = len(samples)
    alone = (samples**2).sum((0, 2)) / n
    together = ((samples.sum(0) ** 2).sum(-1) - n * alone) / (n * (n - 1))
    return together / ((alone - together) / n)


def measure(tools: Tools, league: LeagueStage, settings: Settings) -> tuple[dict[str, np.ndarray], int]:
    """Gradients [n, estimators, weights] by block, and the games in which they were taken."""
    cohort, teacher = league.cohorts[0], league.founder
    of_batch = jax.jit(partial(gradients, tools.network, tools.game.description.uses))
    races = Races(*np.zeros((2, 1, LEAGUE.lanes), np.int32))
    of_one = partial(jax.tree.map, lambda leaf: leaf[0])
    samples, games = [], 0
    with stage("gradients", settings.value_collections + settings.collections, "collections") as bar:
        for number in range(settings.value_collections + settings.collections):
            keys = jax.random.split(jax.random.fold_in(jax.random.key(settings.seed), number), (1, LEAGUE.lanes))
            # Lanes begin anew one after the other, within the length of a game.
            restart = np.arange(LEAGUE.lanes)[None] % 7 == number
            weights = league.population.flat(teacher.policy)[None], cohort.versions, cohort.opponents
            cohort.workers, batch, finished, _ = league.population.collect(
                *weights, cohort.workers, races, restart, keys
            )
            batch = gathered(batch)
            if number < settings.value_collections:
                factors = cohort.factors(Factors(0.0, float(number >= 7)))
                cohort.states, _, _ = league.population.update(cohort.states, teacher, batch, factors)
            else:
                params = Params(teacher.policy, of_one(cohort.states.params.value))
                samples.append(jax.tree.map(np.asarray, of_batch(params, of_one(batch))))
                games += int(np.asarray(finished.done).sum())
            bar.advance()
    return {name: np.stack([sample[name] for sample in samples]) for name in BLOCKS}, games


def main(settings: Settings) -> None:
    """Measures and prints."""
    start_jax()
    tools = make_tools(Setup())
    library = strategy_library(recorded_strategies(open_demos(settings.run / "demos")))
    teacher = load_agent(settings.run, "teacher", tools)
    with tempfile.TemporaryDirectory() as folder, RunFolder.create_or_resume("n", {}, root=Path(folder)) as run:
        league = LeagueStage(run, tools, teacher, library, LEAGUE, settings.seed)
        league.prepare()
        samples, games = measure(tools, league, settings)
    print(f"gradient.games: {games} games")
    for name, block in samples.items():
        for estimator, ratio in zip(ESTIMATORS, signal_to_noise(block), strict=True):
            print(f"gradient.signal_to_noise.{name}.{estimator}: {ratio:.2f} ratio")
    slope = samples["sharpness"][..., 0] / SHARPNESS_SPEED * settings.collections / games
    for estimator, mean, error in zip(ESTIMATORS, slope.mean(0), slope.std(0) / len(slope) ** 0.5, strict=True):
        print(f"gradient.reward_for_sharpness.{estimator}: {mean:.2f} +- {error:.2f} a game and unit of log")


if __name__ == "__main__":
    main(tyro.cli(Settings))
