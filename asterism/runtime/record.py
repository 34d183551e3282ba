"""`asterism record`: scripted players play each other and every game is written down."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from asterism.demos import GameInfo, Header, RecordedGame, ShardWriter, Steps, Trajectory
from asterism.errors import UserError, require_at_least, require_fraction
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.action import Action
from asterism.interface.observation import Observation, Race
from asterism.interface.sizes import interface_size
from asterism.interface.spec import random_arguments
from asterism.runtime.arena import Keys, Lanes, act_both, join, new_lanes, split_keys
from asterism.runtime.devices import EACH, EACH_STEP, games_mesh, over_games
from asterism.runtime.players import bot_drawer, check_bot, scripted, spread
from asterism.runtime.progress import stage
from asterism.runtime.setup import start_jax

PAIRS = (
    ("harder:rush", "easy"),
    ("harder:rush", "medium"),
    ("harder:rush", "hard:rush"),
    ("harder:rush", "harder:timing"),
    ("harder:rush", "random"),
    ("harder:rush", "random"),
)
CHUNK = 32
"""Steps of all games between two transfers to the host."""


@dataclass(frozen=True)
class RecordSettings:
    """What is recorded."""

    games: int = 288
    """Games; each gives the trajectories of both players."""
    pairs: tuple[tuple[str, str], ...] = PAIRS
    """Who plays whom, each pair equally often and from both sides: scripted players (docs/bots.md)."""
    lanes: int = 48
    """Games side by side."""
    noise: float = 0.1
    """Probability that an argument of an action (units, target, place) is carried out at random, while the action that
    was meant is written down: so the games show how to go on after a mistake (Laskey et al. 2017, "DART")."""

    def __post_init__(self):
        require_at_least(self, "record", 1, ("games", "lanes"))
        require_fraction(self, "record", ("noise",))
        if not self.pairs:
            raise UserError("record setting pairs is empty: name at least one pair of bots")
        for name in self.bots:
            check_bot(name)

    @property
    def bots(self) -> tuple[str, ...]:
        """All players that take part."""
        return tuple(sorted({name for pair in self.pairs for name in pair}))

    def pair(self, index: int) -> tuple[str, str]:
        """The two bots of a game; sides change from game to game."""
        first, second = self.pairs[index % len(self.pairs)]
        return (first, second) if (index // len(self.pairs)) % 2 == 0 else (second, first)


class Recorder(NamedTuple):
    """The compiled parts of a recording."""

    game: EmbeddedGame
    settings: RecordSettings
    races: Any
    draw: Any
    start: Any
    chunk: Any


def make_recorder(game: EmbeddedGame, settings: RecordSettings) -> Recorder:
    """Compiles what `play_wave` needs, when it is first called."""
    player, mesh = scripted(game), games_mesh(settings.lanes)

    def start(keys, races):
        z = spread(game.no_strategy(), len(keys))
        return new_lanes(game, player, player, jnp.zeros(len(keys), jnp.int32), z, keys, races)

    chunk = over_games(_chunk(game, settings.noise), mesh, (EACH, EACH, EACH, EACH), (EACH, EACH, EACH_STEP, EACH))
    draw, races = bot_drawer(game, settings.bots), jax.jit(jax.vmap(game.draw_races))
    return Recorder(game, settings, races, draw, over_games(start, mesh, (EACH, EACH), EACH), chunk)


def _parameters(recorder: Recorder, indices: list[int], races: Int[Array, "B 2"], keys: Keys) -> tuple[Any, Any]:
    """Parameters of both players of each game, drawn from the game's own key."""
    pairs = np.array([[recorder.settings.bots.index(bot) for bot in recorder.settings.pair(i)] for i in indices])
    own = split_keys(keys, 2)
    return tuple(recorder.draw(jnp.asarray(pairs[:, player]), own[player], races[:, player]) for player in range(2))


def with_mistakes(game: EmbeddedGame, noise: float, observation: Observation, action: Action, key) -> Action:
    """The action with each argument wrong, that is random, by chance. Unbatched."""
    slips, chance = jax.random.split(key)
    wrong = random_arguments(chance, observation, action.action_type, game.description, game.size)
    units, target, place = jax.random.bernoulli(slips, noise, (3,))
    return action._replace(
        units=jnp.where(units, wrong.units, action.units),
        target_unit=jnp.where(target, wrong.target_unit, action.target_unit),
        location=jnp.where(place, wrong.location, action.location),
    )


def _chunk(game: EmbeddedGame, noise: float):
    """CHUNK steps of all lanes; returns what each player saw and meant to do, time first."""
    player = scripted(game)
    slip = jax.vmap(jax.vmap(partial(with_mistakes, game, noise)))

    def body(carry, keys):
        lanes, parameters, done = carry
        before = lanes.timestep
        keys, slips = split_keys(keys, 2)
        (home, away), (home_action, away_action) = zip(*act_both(player, player, parameters, lanes, keys), strict=True)
        action = join(home_action, away_action, lanes.seat)
        carried_out = slip(before.observation, action, split_keys(slips, 2).T)
        lanes = Lanes(*jax.vmap(game.step)(lanes.state, carried_out), home, away, lanes.seat)
        acted = before.acting & ~done[:, None]
        reward = jnp.where(done[:, None], 0.0, lanes.timestep.reward)
        loops = jnp.where(done, 0, lanes.state.loop)
        out = (before.observation, action, before.privileged, acted, reward, loops, lanes.timestep.privileged.executed)
        return (lanes, parameters, done | lanes.timestep.done), out

    def chunk(lanes: Lanes, parameters, done, keys):
        carry, out = jax.lax.scan(body, (lanes, parameters, done), split_keys(keys, CHUNK))
        *steps, executed = out
        last = jax.tree.map(lambda x: x[-1], executed)
        return carry[0], carry[2], steps, last

    return chunk


def _compact(observation, action, privileged, acted) -> list[list[Steps]]:
    """For each lane and player the steps at which it acted, numpy."""
    lanes = acted.shape[1]
    result = []
    for lane in range(lanes):
        players = []
        for p in range(2):
            rows = np.nonzero(acted[:, lane, p])[0]
            own = lambda x, rows=rows, lane=lane, p=p: x[rows, lane, p]  # noqa: E731
            both = lambda x, rows=rows, lane=lane, p=p: x[rows, lane][:, [p, 1 - p]]  # noqa: E731
            players.append(
                Steps(*(jax.tree.map(own, part) for part in (observation, action)), jax.tree.map(both, privileged))
            )
        result.append(players)
    return result


def _concatenate(parts: list[Steps]) -> Steps:
    return jax.tree.map(lambda *xs: np.concatenate(xs), *parts)


def play_wave(recorder: Recorder, indices: list[int], seed: int) -> list[RecordedGame]:
    """Plays the games with the given numbers side by side and returns them in that order."""
    game, settings = recorder.game, recorder.settings
    padded = (indices + [indices[-1]] * settings.lanes)[: settings.lanes]
    keys = jnp.stack([jax.random.fold_in(jax.random.key(seed), index) for index in padded])
    keys, start, drawing = split_keys(keys, 3)
    races = recorder.races(start)
    parameters = _parameters(recorder, padded, races, drawing)
    lanes = recorder.start(start, races)
    done = jnp.zeros(settings.lanes, bool)
    parts, rewards, loops = [], 0.0, 0
    while not bool(done.all()):
        keys, own = split_keys(keys, 2)
        lanes, done, (*steps, reward, loop), executed = recorder.chunk(lanes, parameters, done, own)
        steps = jax.tree.map(np.asarray, steps)
        parts.append(_compact(*steps))
        rewards = rewards + np.asarray(reward).sum(0)
        loops = np.maximum(loops, np.asarray(loop).max(0))
    executed = jax.tree.map(np.asarray, executed)
    games = []
    for lane, index in enumerate(indices):
        trajectories = tuple(
            Trajectory(
                _concatenate([part[lane][p] for part in parts]),
                jax.tree.map(lambda x, lane=lane, p=p: x[lane, p], executed),
                int(rewards[lane, p]),
            )
            for p in range(2)
        )
        names = tuple(Race(race).name.lower() for race in races[lane].tolist())
        info = GameInfo(index, game.settings.map, int(loops[lane]), settings.pair(index), names)
        games.append(RecordedGame(info, trajectories))
    return games


def record_games(folder: Path, game: EmbeddedGame, settings: RecordSettings, seed: int) -> None:
    """Records games 0..games-1 into a folder, going on where an earlier recording stopped."""
    recorder = make_recorder(game, settings)
    with ShardWriter(folder, Header(game.description, game.size), games=settings.games) as writer:
        if not writer.pending:
            return
        with stage("record", settings.games, "games", start=writer.games_done) as bar:
            while writer.pending:
                # A wave always holds the same games, whatever was done before, so that each game is always the same.
                first = writer.pending[0] // settings.lanes * settings.lanes
                wave = list(range(first, min(first + settings.lanes, settings.games)))
                wanted = set(writer.pending)
                for index, played in zip(wave, play_wave(recorder, wave, seed), strict=True):
                    if index in wanted:
                        writer.write(index, played)
                        bar.advance(1)


@dataclass(frozen=True)
class RecordConfig:
    """Plays scripted players against each other and records every game."""

    folder: Path = Path("runs/demos")
    """Folder for the recorded games; the same command goes on where it stopped."""
    size: str = "tiny"
    """Interface size: tiny, small or full."""
    seed: int = 0
    """Seed of all randomness."""
    record: RecordSettings = field(default_factory=RecordSettings)
    game: GameSettings = field(default_factory=GameSettings)

    def run(self) -> None:
        """Records, with a progress bar."""
        start_jax()
        game = EmbeddedGame(self.game, interface_size(self.size))
        record_games(self.folder, game, self.record, self.seed)
        print(f"{self.record.games} games in {self.folder}; look inside with: asterism demos info {self.folder}")
