"""What a recorded game holds, and its bytes: records of safetensors, data only, checked against the interface's spec.

A shard is a list of records: for each game and each of its players the steps in chunks, and last a manifest with
everything that is stored once (z, outcome, how many steps, who played).
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
import safetensors.numpy
from dm_env.specs import BoundedArray
from jaxtyping import Int, Int8
from safetensors import SafetensorError

from asterism.demos.typed_json import from_json
from asterism.interface.action import Action
from asterism.interface.description import GameDescription
from asterism.interface.observation import Observation, Privileged, Strategy
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import action_spec, observation_spec, privileged_spec, strategy_spec


class Steps(NamedTuple):
    """T steps of one player: those at which it acted. All arrays are numpy with time first."""

    observation: Observation
    """`observation.z` is what the player executed in the whole game, the same at each step."""
    action: Action
    privileged: Privileged
    """[T, 2, ...], the player itself first."""


class Trajectory(NamedTuple):
    """One player's whole game."""

    steps: Steps
    z: Strategy
    """What the player executed in the whole game (hindsight), unbatched."""
    outcome: int
    """+1 won, 0 tie, -1 lost."""


class RecordedPlayer(NamedTuple):
    """Whoever plays: with two races it is two players."""

    race: str
    """terran, zerg or protoss."""
    name: str
    """Of a bot for example."""


@dataclass(frozen=True)
class GameInfo:
    """Who played what; pairs are of players 0 and 1."""

    seed: int
    map: str
    game_loops: int
    players: tuple[str, str]
    """Their names."""
    races: tuple[str, str]
    parameters: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    """Settings of the players; whatever JSON holds."""
    mmr: tuple[int, int] = (0, 0)

    def player(self, index: int) -> RecordedPlayer:
        """Player 0 or 1."""
        return RecordedPlayer(self.races[index], self.players[index])


class RecordedGame(NamedTuple):
    """One game, seen by both players."""

    info: GameInfo
    trajectories: tuple[Trajectory, Trajectory]


class Manifest(NamedTuple):
    """Last record of a shard of G games."""

    games: tuple[GameInfo, ...]
    steps: Int[np.ndarray, "G 2"]
    outcome: Int8[np.ndarray, "G 2"]
    z: Strategy
    """[G, 2, ...]"""


def steps_spec(game: GameDescription, size: InterfaceSize) -> Steps:
    """Spec of one step."""
    return Steps(observation_spec(game, size), action_spec(game, size), privileged_spec(game, size))


def with_z(steps: Steps, z: Strategy) -> Steps:
    """The steps with one z at each of them, without copying it."""
    length = len(steps.action.action_type)
    z = jax.tree.map(lambda value: np.broadcast_to(value, (length, *np.shape(value))), z)
    return steps._replace(observation=steps.observation._replace(z=z))


def _without_z(steps: Steps) -> Steps:
    return steps._replace(observation=steps.observation._replace(z=None))


def encode_steps(steps: Steps, spec: Steps) -> bytes:
    """T steps as bytes, without `observation.z`; raises ValueError where they do not fit `steps_spec`."""
    # safetensors writes memory as it lies, so that a transposed view must be copied first.
    arrays = {name: np.ascontiguousarray(value) for name, value in _flatten(_without_z(steps)).items()}
    _check(arrays, _flatten(_without_z(spec)), len(arrays["action.action_type"]))
    return safetensors.numpy.save(arrays)


def decode_steps(data: bytes, spec: Steps, length: int) -> Steps:
    """The inverse of `encode_steps` for `length` steps; z is None. Raises ValueError for anything else than that."""
    arrays, stored = _load(data), _without_z(spec)
    specs = _flatten(stored)
    _check(arrays, specs, length)
    return jax.tree.structure(stored).unflatten([arrays[name] for name in specs])


def encode_manifest(manifest: Manifest, game: GameDescription, size: InterfaceSize) -> bytes:
    """A manifest as bytes; raises ValueError where z does not fit the game."""
    specs = _manifest_specs(game, size)
    stored = {"steps": manifest.steps, "outcome": manifest.outcome, "z": manifest.z}
    arrays = {name: np.ascontiguousarray(value) for name, value in _flatten(stored).items()}
    _check(arrays, specs, len(manifest.games))
    text = json.dumps([asdict(info) for info in manifest.games]).encode()
    return safetensors.numpy.save({"games": np.frombuffer(text, np.uint8), **arrays})


def decode_manifest(data: bytes, game: GameDescription, size: InterfaceSize) -> Manifest:
    """The inverse of `encode_manifest`; raises ValueError for anything that is no manifest of this game."""
    arrays = _load(data)
    if "games" not in arrays:
        raise ValueError("the last record is no manifest")
    try:
        games = from_json(tuple[GameInfo, ...], json.loads(arrays.pop("games").tobytes()), "games")
    except RecursionError as error:
        raise ValueError("games is nested too deeply") from error
    _check(arrays, _manifest_specs(game, size), len(games))
    z = Strategy(**{field: arrays[f"z.{field}"] for field in Strategy._fields})
    return Manifest(games, arrays["steps"], arrays["outcome"], z)


def _manifest_specs(game, size):
    z = jax.tree.map(lambda spec: spec.replace(shape=(2, *spec.shape)), strategy_spec(game, size))
    return _flatten(
        {
            "steps": BoundedArray((2,), np.int32, 1, np.iinfo(np.int32).max, "steps"),
            "outcome": BoundedArray((2,), np.int8, -1, 1, "outcome"),
            "z": z,
        }
    )


def _flatten(tree) -> dict[str, Any]:
    """Leaves by their key path: "observation.scalars.mmr"."""
    leaves, _ = jax.tree.flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def _load(data):
    try:
        return safetensors.numpy.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"not in safetensors format: {error}") from error


def _check(arrays: dict[str, np.ndarray], specs: dict[str, BoundedArray], length: int) -> None:
    """Raises ValueError, naming the array, unless each has its spec's type, shape (after the length) and bounds."""
    if wrong := sorted(arrays.keys() ^ specs.keys()):
        raise ValueError(f"{wrong[0]} is {'missing' if wrong[0] in specs else 'unknown'}")
    for name, spec in specs.items():
        value, shape = arrays[name], (length, *spec.shape)
        if value.dtype != spec.dtype or value.shape != shape:
            found = f"{value.dtype} {list(value.shape)}"
            raise ValueError(f"{name} is {found}, not {spec.dtype} {list(shape)}")
        if spec.dtype != bool and ((value < spec.minimum).any() or (value > spec.maximum).any()):
            raise ValueError(f"{name} has values outside {np.min(spec.minimum)} to {np.max(spec.maximum)}")
