"""What a stage needs to go on after a kill (Orbax), and the weights of league players (safetensors)."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import safetensors
import safetensors.numpy

from asterism.errors import UserError
from asterism.files import write_atomic, writing

T = TypeVar("T")
DATA = "data"
"""Name of the one array in a checkpoint: the bytes of all leaves, in the manifest's order."""
MANIFEST = "manifest.json"
"""Written into a checkpoint's folder last: without it the checkpoint is unfinished."""
HEADER = "asterism"
"""Name of the entry of a weights file that says what is in it."""
REMEDY = "use its run's settings"
"""Where something saved does not fit what it is loaded for."""


class Checkpoints:
    """The checkpoints of one stage, `DIRECTORY/STEP/`; the newest `keep` (at least 2) are kept.

    What is saved of a pytree: arrays, PRNG keys and Python numbers. Other leaves (functions, text) and empty arrays
    come back from the example given to `restore`. A kill at any moment leaves the earlier checkpoints whole.
    """

    def __init__(self, directory: Path, keep: int = 2):
        self.directory = Path(directory).resolve()
        # Two, since a new checkpoint is not finished until its manifest is written, when Orbax has deleted the oldest.
        self.keep = max(keep, 2)
        self._manager: Any = None
        self._tidy = False

    def steps(self) -> list[int]:
        """Steps of the finished checkpoints, oldest first."""
        if not self.directory.is_dir():
            return []
        return sorted(int(p.name) for p in self.directory.iterdir() if p.name.isdigit() and (p / MANIFEST).exists())

    def latest(self) -> int | None:
        """The newest finished step, or None."""
        return max(self.steps(), default=None)

    def save(self, step: int, tree: Any) -> None:
        """Saves and waits until it is on the disk. Raises UserError when that is full."""
        from orbax.checkpoint import args

        folder = self.directory / str(step)
        leaves = saved_leaves(tree)
        if not self._tidy:
            self._remove_unfinished()
            self._tidy = True
        with writing(folder), _quiet():
            try:
                # One array, since Orbax takes milliseconds for each, and there are thousands.
                data = b"".join(np.asarray(_encode(leaf)).tobytes() for leaf in leaves.values())
                self._open().save(step, args=args.PyTreeSave({DATA: np.frombuffer(data, np.uint8)}))
                files = {str(file.relative_to(folder)): _sha256(file) for file in _files(folder)}
                manifest = {"leaves": _specs(leaves), "sha256": files}
                write_atomic(folder / MANIFEST, json.dumps(manifest, indent=1))
            except BaseException:
                self._remove_unfinished()
                raise

    def restore(self, like: T, step: int | None = None) -> T:
        """The pytree saved at `step` (default: the newest), in the structure and on the devices of `like`.

        Leaves of `like` may be `jax.ShapeDtypeStruct`. Raises UserError when it is missing, corrupt or does not fit.
        """
        from orbax.checkpoint import RestoreArgs, args

        step = self.latest() if step is None else step
        folder = self.directory / str(step)
        if step is None or not folder.is_dir():
            raise UserError(f"no checkpoint {'in ' + str(self.directory) if step is None else 'at ' + str(folder)}")
        manifest = self._verified(folder)
        leaves = saved_leaves(like)
        _check_fits(manifest["leaves"], leaves, folder)
        as_numpy = {DATA: RestoreArgs(restore_type=np.ndarray)}
        with _quiet():
            data = self._open().restore(step, args=args.PyTreeRestore(restore_args=as_numpy))[DATA]
        return _fill(like, _split(data.tobytes(), {name: _encoded_shape(leaves[name]) for name in manifest["leaves"]}))

    def close(self) -> None:
        """Lets go of Orbax's threads."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Any:
        """Orbax's manager, made when first needed: the import takes a second."""
        if self._manager is None:
            from orbax.checkpoint import CheckpointManager, CheckpointManagerOptions

            with _quiet():
                options = CheckpointManagerOptions(max_to_keep=self.keep, enable_async_checkpointing=False)
                self._manager = CheckpointManager(self.directory, options=options)
        return self._manager

    def _remove_unfinished(self) -> None:
        """Deletes what a kill or a full disk left of unfinished checkpoints, and lets Orbax look again."""
        self.close()
        for folder in self.directory.iterdir() if self.directory.is_dir() else ():
            if folder.is_dir() and not (folder / MANIFEST).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def _verified(self, folder: Path) -> dict[str, Any]:
        """The manifest of a checkpoint whose files are as they were written."""
        manifest = None
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            digests = manifest["sha256"].items()
            reason = next((name for name, digest in digests if _sha256(folder / name) != digest), None)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            reason = MANIFEST if manifest is None else "a file is missing"
        if reason is not None:
            raise UserError(
                f"checkpoint {folder} is corrupt ({reason}): remove that folder and run the same command again; "
                + self._fallback(folder)
            )
        return manifest

    def _fallback(self, folder: Path) -> str:
        earlier = [step for step in self.steps() if step < int(folder.name)]
        return f"it goes on from step {earlier[-1]}" if earlier else "this stage starts again"


def save_weights(path: Path, tree: Any, metadata: Mapping[str, Any] | None = None) -> str:
    """Writes the arrays of a pytree as safetensors, atomically, and returns their SHA-256, which the file holds too.

    `metadata` is anything that JSON can hold. Raises UserError when the disk is full.
    """
    leaves = saved_leaves(tree)
    arrays = {name: np.array(_encode(leaf), order="C") for name, leaf in leaves.items()}
    header = {"leaves": _specs(leaves), "metadata": dict(metadata or {})}
    digest = _digest(header, {name: _content(array.shape, array.tobytes()) for name, array in arrays.items()})
    # One entry, since safetensors writes several in an order of chance: equal weights shall be equal files.
    entry = {HEADER: json.dumps({**header, "sha256": digest})}
    write_atomic(Path(path), safetensors.numpy.save(arrays, entry))
    return digest


def load_weights(path: Path, like: T, remedy: str = REMEDY, sha256: str | None = None) -> T:
    """The pytree that `save_weights` wrote, in the structure of `like` (leaves may be `jax.ShapeDtypeStruct`).

    Raises UserError when the file is missing, corrupt, has not the hash `sha256` (if that is known), or is of a network
    of another shape; the last message ends with the `remedy`.
    """
    header, content = _read_weights(Path(path))
    if sha256 not in (None, header["sha256"]):
        raise UserError(f"weights {path} are not those on record, their hash is another: put the file back from a copy")
    leaves = saved_leaves(like)
    _check_fits(header["leaves"], leaves, path, remedy)
    shapes = {name: _encoded_shape(leaf) for name, leaf in leaves.items()}
    return _fill(like, {n: np.frombuffer(content[n], shape.dtype).reshape(shape.shape) for n, shape in shapes.items()})


def weights_metadata(path: Path) -> dict[str, Any]:
    """The `metadata` given to `save_weights`, and the weights' `sha256`. Raises UserError as `load_weights`."""
    header, _ = _read_weights(Path(path))
    return {**header["metadata"], "sha256": header["sha256"]}


def saved_leaves(tree: Any) -> dict[str, Any]:
    """The leaves that are saved, by name ("policy.core.weight"): arrays, PRNG keys and numbers, none of them empty."""
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    leaves = [(jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in paths if _is_saved(leaf)]
    if len(dict(leaves)) < len(leaves):
        raise ValueError("two leaves of the pytree have the same name: a dictionary key holds a '.'")
    return dict(leaves)


def _is_saved(leaf: Any) -> bool:
    if isinstance(leaf, bool | int | float):
        return True
    return isinstance(leaf, jax.Array | jax.ShapeDtypeStruct | np.ndarray | np.generic) and 0 not in leaf.shape


def _is_key(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _encode(leaf: Any) -> Any:
    """A leaf as a plain array."""
    if _is_key(leaf):
        return jax.random.key_data(leaf)
    return leaf if isinstance(leaf, jax.Array) else np.asarray(leaf)


def _encoded_shape(leaf: Any) -> jax.ShapeDtypeStruct:
    """Shape and dtype of a leaf as a plain array."""
    if _is_key(leaf):
        return jax.eval_shape(jax.random.key_data, leaf)
    array = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def _decode(array: np.ndarray, like: Any) -> Any:
    """The array as a leaf of the kind, and on the device, of `like`."""
    if isinstance(like, bool | int | float):
        return type(like)(array.item())
    if isinstance(like, np.generic):
        return like.dtype.type(array)
    if isinstance(like, np.ndarray):
        return np.array(array)
    if _is_key(like):
        # The name of a key's generator is to be had from a key alone, not from a ShapeDtypeStruct.
        implementation = jax.random.key_impl(jnp.empty((), like.dtype))
        return jax.random.wrap_key_data(jax.device_put(array), impl=implementation)
    return jax.device_put(array, like.sharding)


def _specs(leaves: Mapping[str, Any]) -> dict[str, str]:
    """What each leaf is: float32[3,4], int."""
    return {
        name: f"{leaf.dtype}[{','.join(map(str, leaf.shape))}]" if hasattr(leaf, "dtype") else type(leaf).__name__
        for name, leaf in leaves.items()
    }


def _check_fits(saved: Mapping[str, str], leaves: Mapping[str, Any], path: Path, remedy: str = REMEDY) -> None:
    """Raises UserError naming the first leaf that the file lacks, has too many, or has in another shape."""
    wanted = _specs(leaves)
    for name in {**wanted, **saved}:
        if saved.get(name) != wanted.get(name):
            found, due = saved.get(name, "nothing"), wanted.get(name, "nothing")
            raise UserError(f"{path} does not fit: {name} is {found} there and {due} here: {remedy}")


def _split(data: bytes, shapes: Mapping[str, jax.ShapeDtypeStruct]) -> dict[str, np.ndarray]:
    """Arrays of these shapes from their bytes one after the other."""
    arrays, start = {}, 0
    for name, shape in shapes.items():
        arrays[name] = np.frombuffer(data, shape.dtype, shape.size, start).reshape(shape.shape)
        start += arrays[name].nbytes
    return arrays


def _fill(like: T, arrays: Mapping[str, np.ndarray]) -> T:
    """`like` with its saved leaves replaced."""
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    named = ((jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in paths)
    return structure.unflatten(_decode(arrays[name], leaf) if _is_saved(leaf) else leaf for name, leaf in named)


def _read_weights(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Header and raw bytes of a weights file whose digest is right."""
    if not path.is_file():
        raise UserError(f"no weights at {path}")
    data, reason = path.read_bytes(), "cut off, or no safetensors at all"
    try:
        tensors = {name: (tensor["shape"], bytes(tensor["data"])) for name, tensor in safetensors.deserialize(data)}
        reason = "no header of Asterism's: another program's file?"
        size = int.from_bytes(data[:8], "little")
        header = json.loads(json.loads(data[8 : 8 + size])["__metadata__"][HEADER])
        content = {name: _content(*tensor) for name, tensor in tensors.items()}
        if header["sha256"] != _digest({key: header[key] for key in ("leaves", "metadata")}, content):
            reason = "the checksum is another"
            raise ValueError(reason)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError):
        raise UserError(f"weights {path} are corrupt ({reason}): put the file back from a copy, or remove it") from None
    return header, {name: data for name, (_, data) in tensors.items()}


def _content(shape: Iterable[int], data: bytes) -> bytes:
    """What the digest covers of a tensor."""
    return f"{list(shape)}".encode() + data


def _digest(header: Mapping[str, Any], content: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode())
    for name in sorted(content):
        digest.update(name.encode() + b"\0" + content[name])
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


@contextmanager
def _quiet() -> Iterator[None]:
    """Orbax logs pages of traceback beside the exception that it raises; the exception is enough."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
