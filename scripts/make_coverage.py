"""Writes `docs/coverage.md` from the tables: each unit, upgrade and ability, and whether it works.

python scripts/make_coverage.py
"""

from collections.abc import Iterable
from pathlib import Path

from asterism.game import coverage, rosters
from asterism.game.tables import RACES, UpgradeRow, load_spells, load_units, load_upgrades

OUT = Path(__file__).parents[1] / "docs" / "coverage.md"
HEAD = """# What the rules `full` have of StarCraft II 5.0.14

`python scripts/make_coverage.py` writes this page from the tables of the game. **Works** means: with the numbers of
the game's own data, and without a difference that is known beyond those of [game.md](game.md). Simplified things
say how, what is left out says why: {count} names in all.
"""


def status(name: str, simplified: dict[str, str], left_out: dict[str, str]) -> str:
    """What the page says of `name`."""
    if name in left_out:
        return f"left out: {left_out[name]}"
    return f"simplified: {simplified[name]}" if name in simplified else "works"


def table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """A heading and its table."""
    lines = "\n".join(f"| {name} | {said} |" for name, said in rows)
    return f"\n## {title}\n\n| | |\n|---|---|\n{lines}\n"


def upgrade_status(row: UpgradeRow) -> str:
    """What of an upgrade's effects the game does not apply."""
    missing = dict.fromkeys(coverage.EFFECTS_MISSING.get(effect.field.partition(":")[0], "") for effect in row.effects)
    how = [text for text in missing if text]
    return f"simplified: {'; '.join(how)}" if how else "works"


def main() -> None:
    """Writes the page."""
    parts = [HEAD.format(count=len(rosters.LEFT_OUT) + len(coverage.LEFT_OUT))]
    for race in RACES:
        names = [row.name for row in load_units() if row.race == race and row.name not in rosters.NOT_1V1]
        rows = ((name, status(name, rosters.SIMPLIFIED, rosters.LEFT_OUT)) for name in names)
        parts.append(table(f"Units and structures: {race.title()}", rows))
    for race in RACES:
        rows = ((row.name, upgrade_status(row)) for row in load_upgrades() if row.race == race)
        parts.append(table(f"Upgrades: {race.title()}", rows))
    abilities = sorted({*(row.name for row in load_spells()), *coverage.SIMPLIFIED, *coverage.LEFT_OUT})
    rows = ((name, status(name, coverage.SIMPLIFIED, coverage.LEFT_OUT)) for name in abilities)
    parts.append(table("Abilities beside production, morphs and modes", rows))
    OUT.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
