"""What scripted players can do and play, as tables; as in `tables.py`."""

from tables import table

from asterism.bots.levels import LEVELS, Level
from asterism.bots.styles import KINDS, RACES, STYLES

HEAD = (
    *("", "number", "a look each", "opening", "most workers", "workers a minute", "bases", "idle minerals a minute"),
    *("groups", "retreat", "spells", "militia", "styles", "cheats"),
)


def level_table() -> str:
    """What each level can do, from the lowest to the highest."""

    def row(level: Level) -> tuple:
        cheats = ["vision"] * level.vision + [f"income x{level.income:g}"] * (level.income > 1)
        said = {True: "yes", False: ""}
        return (
            level.delay,
            f"x{level.pace:g}",
            level.workers,
            f"{level.growth:g}",
            level.bases,
            level.idle,
            said[level.groups],
            f"{level.caution:g}" if level.caution else "",
            said[level.spells],
            said[level.militia],
            "all" if level.styles == KINDS else ", ".join(level.styles),
            ", ".join(cheats),
        )

    return table(HEAD, [(name.name, int(name), *row(level)) for name, level in LEVELS.items()])


def style_table() -> str:
    """What each race plays in each style."""
    return table(("", *KINDS), [(race.capitalize(), *(STYLES[race, kind].about for kind in KINDS)) for race in RACES])


def substitutions() -> dict[str, str]:
    """Every table by its name in the pages."""
    return {"levels": level_table(), "styles": style_table()}
