"""dataset.json, the first file of a folder of recorded games: which game they are of, and how they are laid out."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from asterism.demos.typed_json import from_json
from asterism.errors import UserError
from asterism.interface.description import GameDescription
from asterism.interface.sizes import InterfaceSize

FORMAT_VERSION = 1
"""Of the folder's layout and of the records; a reader refuses any other."""

FILE_NAME = "dataset.json"


@dataclass(frozen=True)
class Header:
    """What all shards of a folder share; the game's description is in it, so that a folder is readable on its own."""

    game: GameDescription
    size: InterfaceSize
    games_per_shard: int = 16
    """Games in a shard; a kill loses at most so many."""
    chunk_steps: int = 64
    """Steps of one player in a record: what a reader holds in memory for each lane of a batch."""

    def __post_init__(self):
        if self.games_per_shard < 1 or self.chunk_steps < 1:
            raise UserError(
                f"recorded games: games_per_shard ({self.games_per_shard}) and chunk_steps ({self.chunk_steps}) "
                "must be at least 1"
            )


def shard_name(number: int) -> str:
    """File name of a shard; shard k holds games k * games_per_shard and up."""
    return f"shard-{number:05d}.array_record"


def differences(a: Header, b: Header) -> list[str]:
    """Where two headers differ, as names: "game.actions", "size.map", "chunk_steps"."""
    names = []
    for field in fields(Header):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if field.name in ("game", "size"):
            inner = (f.name for f in fields(one) if getattr(one, f.name) != getattr(other, f.name))
            names += [f"{field.name}.{name}" for name in inner]
        elif one != other:
            names.append(field.name)
    return names


def write_header(folder: Path, header: Header) -> None:
    """Writes dataset.json, whole or not at all; raises UserError where the folder cannot be written."""
    text = json.dumps({"format_version": FORMAT_VERSION, **asdict(header)}, indent=1)
    temporary = folder / f"{FILE_NAME}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, folder / FILE_NAME)
    except OSError as error:
        raise UserError(f"{folder}: cannot write {FILE_NAME}: {error.strerror or error}") from error


def read_header(folder: Path) -> Header:
    """Reads dataset.json; raises UserError when the folder has none, or one that this version cannot read."""
    path = folder / FILE_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is not a folder of recorded games (it has no {FILE_NAME}): make one with `asterism record`"
        ) from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error}): record the games anew") from error
    version = data.pop("format_version", None) if isinstance(data, dict) else None
    if version != FORMAT_VERSION:
        raise UserError(f"{path}: format version {version!r}, not {FORMAT_VERSION}: record the games anew")
    try:
        return from_json(Header, data, FILE_NAME)
    except (ValueError, IndexError) as error:
        raise UserError(f"{path}: {error}: record the games anew") from error
