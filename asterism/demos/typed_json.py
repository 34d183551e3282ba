"""JSON to dataclasses, every type checked: what a stranger wrote is data, and wrong data is refused."""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints


def from_json(hint: Any, data: Any, where: str) -> Any:
    """`data` (of json.loads) as the type `hint`: a dataclass, tuple, dict, int, float, str or bool, nested.

    `where` names the value in errors. Raises ValueError for another type, a missing field or an unknown one.
    """
    if is_dataclass(hint):
        return _dataclass(hint, data, where)
    if get_origin(hint) is tuple:
        return _tuple(get_args(hint), data, where)
    expected = get_origin(hint) or hint
    if expected is float and type(data) is int:
        return float(data)
    if type(data) is not expected:
        raise ValueError(f"{where} is not of type {expected.__name__}")
    return data


def _dataclass(hint, data, where):
    if type(data) is not dict:
        raise ValueError(f"{where} is not an object")
    known = {field.name: field for field in fields(hint)}
    if unknown := data.keys() - known.keys():
        raise ValueError(f"{where} has unknown fields: {', '.join(sorted(unknown))}")
    required = {name for name, field in known.items() if field.default is MISSING}
    if missing := required - data.keys():
        raise ValueError(f"{where} lacks {', '.join(sorted(missing))}")
    hints = get_type_hints(hint)
    return hint(**{name: from_json(hints[name], value, f"{where}.{name}") for name, value in data.items()})


def _tuple(items, data, where):
    if type(data) is not list:
        raise ValueError(f"{where} is not a list")
    if items[-1] is Ellipsis:
        items = (items[0],) * len(data)
    if len(items) != len(data):
        raise ValueError(f"{where} has {len(data)} entries, not {len(items)}")
    pairs = enumerate(zip(items, data, strict=True))
    return tuple(from_json(item, value, f"{where}[{index}]") for index, (item, value) in pairs)
