"""The supervised stage: imitates recorded games, keeps checkpoints, resumes exactly."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from asterism.bots.names import parse_bot
from asterism.bots.styles import SPARRING
from asterism.demos import Batches, BatchSettings, Demos, RecordedPlayer, split
from asterism.demos.reader import Entry
from asterism.errors import UserError, require_at_least, require_positive
from asterism.files import write_atomic
from asterism.interface.network import Params
from asterism.league import elo
from asterism.learning.confusion import Confusion, most_frequent, type_scores
from asterism.learning.supervised import Imitation, Learner, SupervisedWeights, imitation_update, measure
from asterism.runtime.checkpoints import Checkpoints
from asterism.runtime.players import spread
from asterism.runtime.progress import stage
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools

NAME = "supervised"
CONFUSION = "confusion.json"
"""File of a run: which action types its teacher takes for which, in games held out."""
MOST_CONFUSED = 16
"""Action types in that table."""
STREAM_BYTES = 1 << 17
"""Room for the state of the stream of batches in a checkpoint."""


@dataclass(frozen=True)
class SupervisedSettings:
    """Imitation of recorded games."""

    steps: int = 800
    """Updates; 0 for a teacher that has learned nothing."""
    batch: int = 32
    """Windows in an update."""
    window: int = 16
    """Agent steps in a window."""
    winners_from: float = 0.3
    """Share of the updates after which only winners are imitated (AlphaStar: fine-tuning on games that were won)..."""
    winners_within: float = 100.0
    """...by players rated at most so much below the best, in Elo from all recorded games (AlphaStar: by MMR)."""
    learning_rate: float = 1e-3
    """Of Adam, at the start; it falls to a twentieth along a cosine."""
    clip: float = 10.0
    """Largest norm of a gradient."""
    keep_build_order: float = 0.5
    """Probability that the build order of z is shown (AlphaStar: 0.8)."""
    keep_statistics: float = 0.5
    """Probability that the units, effects and upgrades of z are shown."""
    held_out: float = 0.05
    """Share of the games kept for measuring."""
    memory_mb: int = 300
    """Memory for decoded games, for each of the two streams (all games, winners), in megabytes."""
    measure_every: int = 300
    """Updates between two measurements on held-out games."""
    checkpoint_seconds: float = 40.0
    """Most seconds between two checkpoints."""
    weights: SupervisedWeights = field(default_factory=SupervisedWeights)

    def __post_init__(self):
        require_at_least(self, "supervised", 0, ("steps",))
        require_positive(self, "supervised", ("batch", "window", "learning_rate", "clip", "measure_every"))


def pack(state: Any) -> np.ndarray:
    """A JSON value as bytes of a fixed length, for a checkpoint."""
    text = json.dumps(state).encode()
    if len(text) > STREAM_BYTES:
        raise ValueError(f"state of {len(text)} bytes does not fit into {STREAM_BYTES}")
    return np.frombuffer(text.ljust(STREAM_BYTES), np.uint8).copy()


def unpack(data: np.ndarray) -> Any:
    """The inverse of `pack`."""
    return json.loads(np.asarray(data, np.uint8).tobytes())


def select_entries(demos: Demos, wanted: Callable[[Entry], bool]) -> Demos:
    """Some of the trajectories."""
    return Demos(demos.folder, demos.header, tuple(entry for entry in demos.entries if wanted(entry)))


def has_a_plan(name: str) -> bool:
    """Whether a scripted player is more than a sparring partner."""
    return parse_bot(name).kind not in SPARRING


def with_a_plan(entry: Entry) -> bool:
    """Whether the player is worth imitating at all."""
    return has_a_plan(entry.info.players[entry.player])


def best_players(entries: Sequence[Entry], within: float) -> set[RecordedPlayer]:
    """Of each race the players rated at most `within` Elo below its best of those worth imitating, from all recorded
    games."""
    players = sorted({entry.info.player(entry.player) for entry in entries})
    number = {player: index for index, player in enumerate(players)}
    score, games = np.zeros((2, len(players), len(players)))
    for entry in entries:
        own, other = (number[entry.info.player(player)] for player in (entry.player, 1 - entry.player))
        score[own, other] += (entry.outcome + 1) / 2
        games[own, other] += 1
    ratings = elo(score / np.maximum(games, 1), games)
    imitable = {player: rating for player, rating in zip(players, ratings, strict=True) if has_a_plan(player.name)}
    best = {race: max(rating for player, rating in imitable.items() if player.race == race) for race, _ in imitable}
    return {player for player, rating in imitable.items() if rating >= best[player.race] - within}


def wins(demos: Demos, players: set[RecordedPlayer]) -> Demos:
    """The trajectories of these players in games that they won."""
    return select_entries(demos, lambda entry: entry.outcome > 0 and entry.info.player(entry.player) in players)


def _stream(demos: Demos, settings: SupervisedSettings, seed: int) -> Batches:
    shown = BatchSettings(
        settings.batch,
        settings.window,
        settings.keep_build_order,
        settings.keep_statistics,
        memory_mb=settings.memory_mb,
    )
    return Batches(demos, shown, seed)


def _imitation(batch: Any) -> Imitation:
    batch = jax.tree.map(jnp.asarray, batch)
    return Imitation(batch.observation, batch.action, batch.privileged, batch.outcome, batch.reset)


def make_optimizer(settings: SupervisedSettings) -> optax.GradientTransformation:
    """Adam with a cosine schedule and clipping (AlphaStar: Adam(1e-3, 0.9, 0.999, 1e-8))."""
    schedule = optax.cosine_decay_schedule(settings.learning_rate, settings.steps, 0.05)
    return optax.chain(optax.clip_by_global_norm(settings.clip), optax.adam(schedule))


def held_out_measures(
    tools: Tools, settings: SupervisedSettings, evaluate, params: Params, demos: Demos
) -> tuple[dict[str, float], Confusion]:
    """Loss and accuracy of each part on one pass over the start of the held-out games, and the confusion of types."""
    stream = _stream(demos, settings, 0)
    carry = spread(tools.imitator.initial_carry(), settings.batch)
    passes = max(1, min(demos.steps // (settings.batch * settings.window), 20))
    rows, tables = [], []
    for _ in range(passes):
        carry, metrics, table = evaluate(params, carry, _imitation(next(stream)))
        rows.append(metrics)
        tables.append(table)
    means = jax.tree.map(lambda *values: float(np.mean(values)), *rows)
    total = jax.tree.map(lambda *values: np.sum(values, 0), *tables)
    return {f"held_out_{name}": value for name, value in means.items()}, total


def save_confusion(path: Path, table: Confusion, names: Sequence[str]) -> None:
    """Writes what the report shows of a confusion: a row for each action type that was recorded, and how often the most
    frequent were taken for each other."""
    kinds, shares = most_frequent(table.counts, MOST_CONFUSED)
    text = {
        "types": [score._asdict() for score in type_scores(table, names)],
        "names": [names[kind] for kind in kinds],
        "shares": shares.tolist(),
    }
    write_atomic(path, json.dumps(text))


def train_supervised(run: RunFolder, tools: Tools, demos: Demos, settings: SupervisedSettings, seed: int) -> Params:
    """Trains to the end, going on from the newest checkpoint, and returns the weights."""
    demos.require(tools.game.description, tools.game.size)
    network = tools.imitator
    params = network.init(jax.random.fold_in(jax.random.key(seed), 1))
    if not settings.steps:
        return params
    train, held_out = split(select_entries(demos, with_a_plan), settings.held_out)
    optimizer = make_optimizer(settings)
    uses = tools.game.description.uses
    update = jax.jit(imitation_update(network, uses, settings.weights, optimizer), donate_argnums=0)
    evaluate = jax.jit(lambda p, c, b: measure(network, uses, p, c, b))
    learner = Learner(params, optimizer.init(params), spread(network.initial_carry(), settings.batch))
    best = best_players(demos.entries, settings.winners_within)
    won = wins(train, best)
    turn = round(settings.winners_from * settings.steps)
    if turn < settings.steps and not won.entries:
        raise UserError(
            f"{demos.folder}: {' and '.join(map(' '.join, sorted(best)))} won none of the games to learn from: "
            "record more games, or set winners-from to 1 to imitate everybody to the end"
        )
    streams = _stream(train, settings, seed), _stream(won if won.entries else train, settings, seed)
    with Checkpoints(run.checkpoints(NAME)) as checkpoints:
        step = checkpoints.latest() or 0
        run.truncate_after(NAME, step)
        if step:
            learner, states = checkpoints.restore((learner, pack([stream.state() for stream in streams])))
            for stream, state in zip(streams, unpack(states), strict=True):
                stream.restore(state)
        saved = time.monotonic()
        per_update = settings.batch * settings.window
        with stage(NAME, settings.steps * per_update, "steps", start=step * per_update) as bar:
            while step < settings.steps:
                everybody = step < turn
                learner, metrics = update(learner, _imitation(next(streams[not everybody])), everybody)
                step += 1
                if step % 20 == 0 or step == settings.steps:
                    scalars = {name: float(value) for name, value in metrics.items()}
                    run.log(NAME, step, scalars)
                    bar.advance(0, loss=round(scalars["loss/total"], 3))
                bar.advance(per_update)
                last = step == settings.steps
                if step % settings.measure_every == 0 or last:
                    measured, table = held_out_measures(tools, settings, evaluate, learner.params, held_out)
                    run.log(NAME, step, measured)
                    save_confusion(run.path / CONFUSION, table, [a.name for a in tools.game.description.actions])
                if last or time.monotonic() - saved > settings.checkpoint_seconds:
                    run.flush()
                    checkpoints.save(step, (learner, pack([stream.state() for stream in streams])))
                    saved = time.monotonic()
    return learner.params
