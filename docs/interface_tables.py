"""The interface's tables as Markdown: actions, sizes, and the numbers of every enum; as in `tables.py`."""

import inspect
from dataclasses import fields
from enum import IntEnum
from types import ModuleType
from typing import Any

from tables import commented, shortened, table

from asterism.game.rules import load_rules
from asterism.interface import observation
from asterism.interface.action import ActionResult
from asterism.interface.description import ActionType
from asterism.interface.sizes import SIZES


def enum_table(kind: type[IntEnum]) -> str:
    """Number and name of each member, and what its source says of it, if it says anything."""
    said = commented(kind)
    width = 3 if any(said.get(member.name) for member in kind) else 2
    rows = [(member.value, f"`{member.name}`", said.get(member.name, ""))[:width] for member in kind]
    return table(("", "name", "")[:width], rows)


def action_table(rules: str) -> str:
    """Every action that the rules have, in the order of their numbers."""

    def row(index: int, kind: ActionType) -> tuple[Any, ...]:
        parts = ("queued", "selects", "target_unit", "location", "repeat")
        takes = [("units" if part == "selects" else part) for part in parts if getattr(kind, part)]
        return index, f"`{kind.name}`", kind.id, kind.ability_id or "", ", ".join(takes), shortened(kind.units)

    kinds = load_rules(rules, 64).description.actions
    head = ("", "name", "function", "ability", "uses", "taken by")
    return table(head, [row(index, kind) for index, kind in enumerate(kinds)])


def size_table() -> str:
    """The interface's sizes."""
    head = [field.name for field in fields(next(iter(SIZES.values())))]
    return table(head, [[getattr(size, name) for name in head] for size in SIZES.values()])


def enums(module: ModuleType) -> list[type[IntEnum]]:
    """Enums of a module, in the order of its source."""
    found = [kind for kind in vars(module).values() if inspect.isclass(kind) and issubclass(kind, IntEnum)]
    return [kind for kind in found if kind.__module__ == module.__name__]


def enum_tables(module: ModuleType) -> str:
    """Each enum of a module with what is said of it, and its table."""
    parts = [f"**`{kind.__name__}`**: {inspect.getdoc(kind)}\n\n{enum_table(kind)}" for kind in enums(module)]
    return "\n\n".join(parts)


def substitutions() -> dict[str, str]:
    """Every table by its name in the pages."""
    found = {f"actions_{rules}": action_table(rules) for rules in ("terran_v1", "full")}
    return found | {"results": enum_table(ActionResult), "sizes": size_table(), "numbers": enum_tables(observation)}
