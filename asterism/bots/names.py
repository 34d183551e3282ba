"""Names of scripted players: a race, a level and a style, each of which may be left out, in any order, as in
`zerg:Hard:rush`, `VeryHard`, `macro`, `random` or `terran`."""

import difflib
from typing import NamedTuple

from asterism.bots.levels import Difficulty
from asterism.bots.styles import ALL_KINDS, RACES
from asterism.errors import UserError

DEFAULT = Difficulty.VeryHard
"""The level of a name that has none: the highest that does not cheat."""


class BotName(NamedTuple):
    """A scripted player as it was asked for."""

    level: Difficulty = DEFAULT
    kind: str = ""
    """Its style, or one of `SPARRING`; empty for a style that its level draws."""
    race: str = ""
    """Empty for the one that the game gives it."""

    @property
    def number(self) -> int:
        """Of its kind: an index into `ALL_KINDS`, or -1 for a style that its level draws."""
        return ALL_KINDS.index(self.kind) if self.kind else -1


def parse_bot(name: str) -> BotName:
    """Reads a name; capitals do not matter. Raises UserError in one line for one that is none."""
    levels = {level.name.lower(): level for level in Difficulty}
    found: dict[str, object] = {}
    for part in name.lower().split(":"):
        field, value = "level", levels.get(part)
        if part in ALL_KINDS:
            field, value = "kind", part
        elif part in RACES:
            field, value = "race", part
        if value is None:
            raise UserError(f"unknown bot {name!r}: {_advice(part)}")
        if field in found:
            raise UserError(f"unknown bot {name!r}: it names two {'styles' if field == 'kind' else field + 's'}")
        found[field] = value
    return BotName(**found)


def _advice(part: str) -> str:
    known = [level.name for level in Difficulty] + list(ALL_KINDS)
    close = difflib.get_close_matches(part, [*map(str.lower, known), *RACES], n=1)
    hint = f"did you mean {next((k for k in known if k.lower() == close[0]), close[0])}? " if close else ""
    return f"{hint}name a level ({', '.join(known[:10])}), a style ({', '.join(ALL_KINDS)}), or both, as in Hard:rush"
