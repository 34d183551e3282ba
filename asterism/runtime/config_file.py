"""Typed config dataclasses as JSON: every key and every type is checked on the way back."""

import dataclasses
import json
import types
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import asterism
from asterism.errors import UserError
from asterism.files import write_atomic

T = TypeVar("T")
Keys = tuple[str, ...]


def to_json(value: Any) -> Any:
    """A config as JSON's own types: dataclasses become objects, tuples lists, paths text, enums their names."""
    if dataclasses.is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a config cannot hold a {type(value).__name__}: {value!r}")


def from_json(kind: type[T], data: Any, where: str = "config") -> T:
    """The config of type `kind` that `to_json` wrote; `where` (a path) goes before the name of the setting in errors.

    Raises UserError for an unknown or missing setting and for a value of another type.
    """
    return _read(kind, data, (), where)


def write_config(path: Path, config: Any, version: int) -> None:
    """Writes a config, with the versions of its format and of the program, atomically. UserError where it cannot."""
    header = {"format": version, "asterism": asterism.__version__, "config": to_json(config)}
    write_atomic(path, json.dumps(header, indent=2) + "\n")


def read_config_json(path: Path, version: int, remedy: str) -> dict[str, Any]:
    """The config that `write_config` wrote, in JSON's types.

    Raises UserError when it is of another format, or corrupt; the message then ends with the `remedy`.
    """
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        found, by = header["format"], header["asterism"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path} is corrupt: {remedy}") from None
    if found != version:
        this = f"this is {asterism.__version__}, which reads format {version}"
        raise UserError(f"{path} is of format {found!r}, written by asterism {by}; {this}")
    if header.keys() != {"format", "asterism", "config"} or not isinstance(header["config"], dict):
        raise UserError(f"{path} is corrupt: {remedy}")
    return header["config"]


def differences(saved: Mapping, given: Mapping) -> dict[str, tuple[Any, Any]]:
    """Settings (dotted names as on the command line) that two configs in JSON's types do not share: (saved, given)."""
    one, other = _flat(saved), _flat(given)
    return {
        name: (one.get(name), other.get(name))
        for name in {**one, **other}
        if (name in one) != (name in other) or one.get(name) != other.get(name)
    }


def setting(keys: Keys) -> str:
    """The name of a setting as the command line has it: ("league", "learning_rate") is league.learning-rate."""
    return ".".join(key.replace("_", "-") for key in keys)


def _flat(data: Any, keys: Keys = ()) -> dict[str, Any]:
    if isinstance(data, Mapping) and data:
        return {name: value for key in data for name, value in _flat(data[key], (*keys, key)).items()}
    return {setting(keys): data}


def _read(kind: Any, data: Any, keys: Keys, where: str) -> Any:
    """One value of the annotated type `kind`; `keys` lead to it."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return data
    if origin is Annotated:
        return _read(args[0], data, keys, where)
    if origin in (Union, types.UnionType):
        return _read_union(args, data, keys, where)
    if origin is Literal:
        return data if data in args else _refuse(data, "one of " + ", ".join(map(str, args)), keys, where)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data, keys, where)
    if origin in (tuple, list) or kind in (tuple, list):
        return _read_sequence(origin or kind, args, data, keys, where)
    if origin in (dict, Mapping) and isinstance(data, dict):
        return {key: _read(args[1], value, (*keys, key), where) for key, value in data.items()}
    return _read_scalar(kind, data, keys, where)


def _read_scalar(kind: type, data: Any, keys: Keys, where: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum):
        names = list(kind.__members__)
        return kind[data] if data in names else _refuse(data, "one of " + ", ".join(names), keys, where)
    readers: dict[type, tuple[tuple[type, ...], Callable, str]] = {
        bool: ((bool,), bool, "true or false"),
        int: ((int,), int, "a whole number"),
        float: ((int, float), float, "a number"),
        str: ((str,), str, "text"),
        Path: ((str,), Path, "a path"),
        types.NoneType: ((types.NoneType,), lambda _: None, "null"),
    }
    if kind not in readers:
        raise TypeError(f"{setting(keys)}: a config cannot hold a {kind}")
    accepted, make, name = readers[kind]
    # bool is a subclass of int, but `true` is no number.
    if not isinstance(data, accepted) or (isinstance(data, bool) and kind is not bool):
        _refuse(data, name, keys, where)
    return make(data)


def _read_union(options: tuple, data: Any, keys: Keys, where: str) -> Any:
    # An exact match first, so that 3 stays an int where the type is `float | int`.
    for option in sorted(options, key=lambda option: option is not type(data)):
        try:
            return _read(option, data, keys, where)
        except UserError as error:
            refusal = error
    raise refusal


def _read_dataclass(kind: type, data: Any, keys: Keys, where: str) -> Any:
    if not isinstance(data, dict):
        _refuse(data, "a group of settings", keys, where)
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    for name in [*data, *names]:
        if name not in data or name not in names:
            problem = "missing" if name in names else "unknown"
            raise UserError(f"{where}: {problem} setting {setting((*keys, name))}: another version's, or made by hand")
    values = {name: _read(hints[name], data[name], (*keys, name), where) for name in names}
    try:
        return kind(**values)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def _read_sequence(kind: type, items: tuple, data: Any, keys: Keys, where: str) -> Any:
    if not isinstance(data, list):
        _refuse(data, "a list", keys, where)
    if not items:
        return kind(data)
    if kind is list or items[-1] is Ellipsis:
        items = (items[0],) * len(data)
    if len(items) != len(data):
        _refuse(data, f"a list of {len(items)}", keys, where)
    return kind(_read(item, data[i], (*keys, str(i)), where) for i, item in enumerate(items))


def _refuse(data: Any, expected: str, keys: Keys, where: str):
    raise UserError(f"{where}: setting {setting(keys)} must be {expected}, not {data!r}")
