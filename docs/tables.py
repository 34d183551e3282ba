"""The tables of the rules as Markdown, made from the package's own data whenever the site is built.

A page shows the table `name` where it says `{{ name }}`: `conf.py` hands `substitutions()` to MyST.
"""

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from typing import Any

from asterism.game import coverage, rosters
from asterism.game.tables import (
    RACES,
    BuffRow,
    Economy,
    SpellRow,
    UnitRow,
    UpgradeEffect,
    UpgradeRow,
    Weapon,
    load_buffs,
    load_economy,
    load_spells,
    load_units,
    load_upgrades,
)

LOOPS = 22.4
"""Game loops a second."""
SPEEDS = LOOPS / 16
"""Upgrades state speeds in cells a second of the speed "Normal", which has 16 loops."""
NO_BREAK = "\N{NO-BREAK SPACE}"
SIGNS = {"add": "+", "subtract": "-", "multiply": "× ", "set": "= "}
SHOWN_UNITS = 6
FOR_EVER = 1_000_000
"""Loops of a buff that ends only when it is called off."""
ANYWHERE = 500
"""Range of a spell that is cast at any place of the map."""
SPELL_COLUMNS = (
    *("name", "functions", "casters", "subject", "whose", "plane", "needs", "bars"),
    *("energy", "health", "minerals", "vespene", "cooldown", "range", "upgrade", "consumes"),
)
"""Fields of a spell that have a column of their own, or a part in one; all others are under "what it does"."""


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def number(value: float) -> str:
    """At most three digits after the point, and none that say nothing; nothing at all for zero."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if value else ""


def time(loops: float) -> str:
    """Game loops, and seconds in brackets, on one line."""
    return f"{number(loops)} ({loops / LOOPS:.1f} s)".replace(" ", NO_BREAK) if loops else ""


def cost(minerals: float, vespene: float) -> str:
    """Minerals, and vespene after a stroke, on one line."""
    return stroked(minerals, vespene) if vespene else number(minerals)


def stroked(*values: float) -> str:
    """Numbers with strokes between them, on one line."""
    return f"{NO_BREAK}/{NO_BREAK}".join(number(value) or "0" for value in values)


def commented(kind: type) -> dict[str, str]:
    """What the source of a class or enum says of each field: in the comment behind it, or the string below it."""
    field = r"^ {4}(\w+)(?::[^=#\n]*)?(?: = [^#\n]*)?"
    pattern = re.compile(field + r'(?:  # (.*))?$(?:\n {4}"""([\s\S]*?)""")?', re.MULTILINE)
    found = pattern.findall(inspect.getsource(kind))
    return {name: " ".join((comment or text).split()) for name, comment, text in found}


def unit_names() -> dict[int, str]:
    """Name of each unit type by id."""
    return {row.id: row.name for row in load_units()} | {0: ""}


def upgrade_names() -> dict[int, str]:
    """Name of each upgrade by id."""
    return {row.id: row.name for row in load_upgrades()} | {0: ""}


def listed(ids: Iterable[int], *more: str) -> str:
    """Names of unit types, and what else there is to say."""
    return ", ".join(dict.fromkeys(text for text in (*map(unit_names().get, ids), *more) if text))


def units(race: str, structures: bool) -> list[UnitRow]:
    """Unit types of the rules `full`, by name."""
    have = set(rosters.full_units())
    rows = [row for row in load_units() if row.race == race and row.name in have and row.is_structure == structures]
    return sorted(rows, key=lambda row: row.name.lower())


def unit_table(race: str, structures: bool) -> str:
    """What units cost, where they come from, and how they are."""

    def row(unit: UnitRow) -> tuple[str, ...]:
        size = "{} × {}".format(*unit.footprint) if unit.footprint[0] else ""
        return (
            unit.name,
            cost(unit.minerals, unit.vespene),
            number(unit.supply) if not unit.supply_provided else f"+{unit.supply_provided}",
            time(unit.build_time),
            listed(unit.producers, "with a tech lab" if unit.needs_addon else ""),
            listed(unit.requires, upgrade_names()[unit.requires_upgrade]),
            stroked(unit.max_health, unit.max_shield, unit.armor),
            number(unit.max_energy),
            size if structures else number(unit.speed * LOOPS),
            number(unit.sight),
            f",{NO_BREAK}".join(name for name in unit.attributes if name != "structure"),
        )

    head = ("", "cost", "supply", "time", "made by", "requires", "health / shields / armour", "energy")
    return table(
        (*head, "footprint" if structures else "speed", "sight", "attributes"), map(row, units(race, structures))
    )


def weapon_damage(weapon: Weapon) -> str:
    """Damage of an attack against each kind of target, and what a weapon level adds."""
    times = f" × {weapon.attacks}" if weapon.attacks > 1 else ""
    level = f" (+{number(weapon.upgrade_damage)})" if weapon.upgrade_damage else ""
    text = f"{number(weapon.damage) or 0}{level}{times}"
    if weapon.bonus_damage:
        more = f" (+{number(weapon.upgrade_bonus_damage)})" if weapon.upgrade_bonus_damage else ""
        text += f", +{number(weapon.bonus_damage)}{more} to {weapon.bonus_attribute}"
    return text + (f", +{number(weapon.bonus_shield_damage)} to shields" if weapon.bonus_shield_damage else "")


def weapon_splash(weapon: Weapon) -> str:
    """Area of an attack: shape, and of each ring its radius and part of the damage."""
    rings = ", ".join(f"{number(ring.radius)}: {ring.fraction:.0%}" for ring in weapon.splash)
    long = f" {number(weapon.splash_length)} long" if weapon.splash_length else ""
    return f"{weapon.splash_shape}{long} {rings}" if weapon.splash else ""


def weapon_table(race: str) -> str:
    """Every weapon of the rules `full`."""

    def row(unit: UnitRow, weapon: Weapon) -> tuple[str, ...]:
        against = (
            "ground and air" if weapon.target == "any" else weapon.target,
            weapon.targets and f"{weapon.targets} only",
        )
        reach = f"{number(weapon.min_range)} to {number(weapon.range)}" if weapon.min_range else number(weapon.range)
        notes = ("ignores armour" * weapon.ignores_armor, "the attacker dies" * weapon.suicide)
        return (
            unit.name,
            weapon.name,
            weapon_damage(weapon),
            ", ".join(filter(None, against)),
            "melee" if weapon.melee else reach,
            time(weapon.cooldown),
            ", ".join(filter(None, (weapon_splash(weapon), *notes))),
        )

    owners = [*units(race, False), *units(race, True)]
    head = ("", "weapon", "damage", "against", "range", "cooldown", "area")
    return table(head, [row(unit, weapon) for unit in owners for weapon in unit.weapons])


def effect_text(effect: UpgradeEffect) -> str:
    """What an upgrade does to a unit; nothing for what the game does not apply (docs/coverage.md)."""
    field, _, of = effect.field.partition(":")
    if field in coverage.EFFECTS_MISSING or field == "other" or effect.operation == "text":
        return ""
    if effect.operation == "enable":
        return f"enables {effect.value}"
    value = effect.value * (SPEEDS if field == "speed_per_normal_s" else 1)
    name = field.removesuffix("_per_normal_s").replace("_", " ").replace(" bonus", "") + (
        f" to {of.lower()}" if of else ""
    )
    return f"{name} {SIGNS[effect.operation]}{number(value) or 0}"


def upgrade_table(race: str) -> str:
    """Every upgrade of the rules `full`, with what it changes."""

    def row(upgrade: UpgradeRow) -> tuple[str, ...]:
        said: dict[str, list[str]] = {}
        for effect in upgrade.effects:
            said.setdefault(effect_text(effect), []).append(unit_names().get(effect.unit, ""))
        said.pop("", None)
        texts = [f"{text}: {shortened(dict.fromkeys(filter(None, names)))}" for text, names in said.items()]
        return (
            upgrade.name,
            cost(upgrade.minerals, upgrade.vespene),
            time(upgrade.time),
            "; ".join(texts),
            listed(upgrade.producers),
            listed(upgrade.requires, upgrade_names()[upgrade.requires_upgrade]),
        )

    rows = sorted((row for row in load_upgrades() if row.race == race), key=lambda row: row.name.lower())
    return table(("", "cost", "time", "changes", "researched by", "requires"), map(row, rows))


def shortened(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = len(names) - SHOWN_UNITS
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:SHOWN_UNITS])} and {more} more"


def features(row: SpellRow | BuffRow, apart: Sequence[str]) -> str:
    """All fields of a row that differ from their default, but for those that are shown apart."""
    texts = []
    for field in fields(row):
        value = getattr(row, field.name)
        if field.name in apart or value == field.default or field.default is MISSING:
            continue
        if field.name == "summon":
            value = unit_names()[value]
        if field.name == "buff_time" and value >= FOR_EVER:
            value = "until it is ended"
        if field.name == "rings":
            value = ", ".join(f"{number(radius)}: {part:.0%}" for radius, part in value)
        name = field.name.replace("_", " ")
        texts.append(name if value is True else f"{name} {value if isinstance(value, str) else number(value) or 0}")
    return ", ".join(texts)


def spell_table() -> str:
    """Every ability that makes nothing, by the first unit that casts it."""

    def row(spell: SpellRow) -> tuple[str, ...]:
        costs = [f"{number(getattr(spell, what))} {what}" for what in ("energy", "health") if getattr(spell, what)]
        costs += [cost(spell.minerals, spell.vespene)] * (spell.minerals + spell.vespene > 0)
        costs += [f"a {unit_names()[spell.consumes]}"] * (spell.consumes > 0)
        whom = [spell.whose, spell.plane] if spell.subject != "caster" else []
        about = [
            spell.subject,
            *(text for text in whom if text != "any"),
            *spell.needs,
            *(f"not {n}" for n in spell.bars),
        ]
        return (
            spell.name,
            listed(spell.casters) or "by itself",
            ", ".join(costs),
            time(spell.cooldown),
            "anywhere" if spell.range >= ANYWHERE else number(spell.range),
            ", ".join(about),
            upgrade_names()[spell.upgrade],
            features(spell, SPELL_COLUMNS),
            ", ".join(f"`{name}`" for name in spell.functions),
        )

    head = ("", "cast by", "cost", "cooldown", "range", "on", "requires", "what it does", "actions")
    return table(head, map(row, load_spells()))


def buff_table() -> str:
    """Every buff that a spell gives."""
    return table(
        ("", "id", "what it does"), [(row.name, row.id or "", features(row, ("name", "id"))) for row in load_buffs()]
    )


def legend(kind: type, apart: Sequence[str]) -> str:
    """What the words of `features` mean, where they do not say it themselves."""
    said = commented(kind)
    rows = [(name.replace("_", " "), text) for name, text in said.items() if text and name not in apart]
    return table(("", ""), rows)


def economy_table() -> str:
    """The constants of mining, larvae and the rest."""
    said, values = commented(Economy), vars(load_economy())
    rows = [(f"`{name}`", _plain(value), said.get(name, "")) for name, value in values.items() if name != "resources"]
    return table(("", "", ""), rows)


def resource_table() -> str:
    """Mineral fields and geysers: types that differ by their look only share a row."""
    groups: dict[tuple, list[str]] = {}
    for row in load_economy().resources:
        groups.setdefault((row.kind, row.contents, row.per_trip), []).append(row.name)
    return table(("", "holds", "a trip", "types"), [(*key, ", ".join(names)) for key, names in groups.items()])


def _plain(value: Any) -> str:
    return ", ".join(map(number, value)) if isinstance(value, tuple) else number(value)


def substitutions() -> dict[str, str]:
    """Every table by its name in the pages."""
    found = {
        "spells": spell_table(),
        "buffs": buff_table(),
        "spell_words": legend(SpellRow, SPELL_COLUMNS),
        "buff_words": legend(BuffRow, ("name", "id")),
    }
    found |= {"economy": economy_table(), "resources": resource_table()}
    for race in RACES:
        found |= {f"units_{race}": unit_table(race, False), f"structures_{race}": unit_table(race, True)}
        found |= {f"weapons_{race}": weapon_table(race), f"upgrades_{race}": upgrade_table(race)}
    return found
