"""Observations as users have them (named tuples or dictionaries, one or many), in the one form that networks take."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from dm_env.specs import BoundedArray

from asterism.errors import UserError


def read(spec: Any, value: Any, what: str) -> tuple[Any, int | None]:
    """A nested value in the form of its nested spec, and of how many games it is: None for one without a batch axis.

    Bounds are not looked at (`asterism.interface.spec.validate` does).

    Args:
      spec: nested named tuples of specs (`asterism.interface.spec`).
      value: the same fields, as named tuples or dictionaries, of arrays of NumPy or JAX. A first axis, the same in all
        fields, is that of games. Flags may be int8, as Gymnasium has them.
      what: name of the value in errors.
    Raises:
      UserError: a field is missing, unknown, or of another shape or type; it names the field.
    """
    fields = list(_fields(spec, value, what))
    (first, batch), *others = [(name, array.shape[: array.ndim - len(due.shape)]) for name, due, array in fields]
    for name, own in others:
        if own != batch:
            raise UserError(f"{name} is of {_games(own)}, but {first} of {_games(batch)}: give all fields alike")
    return jax.tree.structure(spec).unflatten(array for _, _, array in fields), (batch[0] if batch else None)


def _fields(spec: Any, value: Any, name: str) -> Iterator[tuple[str, BoundedArray, Any]]:
    """(name, spec, array) of each field, checked."""
    if isinstance(spec, BoundedArray):
        yield name, spec, _array(spec, value, name)
        return
    given = value._asdict() if hasattr(value, "_asdict") else value
    if not isinstance(given, Mapping):
        kind = type(spec).__name__
        raise UserError(f"{name} is a {type(value).__name__}: it must be {kind}, or a dictionary of its fields")
    for field in (*spec._fields, *given):
        if field not in given:
            raise UserError(f"{name} has no {field}: it needs {', '.join(spec._fields)}")
        if field not in spec._fields:
            raise UserError(f"{name} has an unknown field {field!r}: it has {', '.join(spec._fields)}")
    for field in spec._fields:
        yield from _fields(getattr(spec, field), given[field], f"{name}.{field}")


def _array(spec: BoundedArray, value: Any, name: str) -> Any:
    array = value if isinstance(value, jax.Array) else np.asarray(value)
    extra = array.ndim - len(spec.shape)
    if extra not in (0, 1) or array.shape[extra:] != spec.shape:
        raise UserError(
            f"{name} has shape {array.shape}: it must be {spec.shape}, with an axis of games before or none"
        )
    if spec.dtype == bool and array.dtype == np.int8:
        return array.astype(bool)
    if array.dtype != spec.dtype:
        raise UserError(f"{name} is of type {array.dtype}: it must be {spec.dtype}")
    return array


def _games(batch: tuple[int, ...]) -> str:
    return f"{batch[0]} games" if batch else "one game without an axis of games"
