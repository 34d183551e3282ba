"""The tech files of the project's data, indexed, and which abilities make which unit.

units_5.0.14.json and abilities_5.0.14.json state the numbers. data_5.0.11.json states what 5.0.14's files leave out:
which unit's command card holds which ability, general abilities, cargo, detection.
"""

import json
import re
from pathlib import Path
from typing import Any

from asterism.game.tables import AbilityRow

LOOPS = 16  # in a Normal second

# What both files leave out: (ability, kind, producer, product). Paid with energy, but for the Nuke and the Interceptor.
UNLISTED = [
    (171, "summon", "OrbitalCommand", "MULE"),
    (710, "train", "GhostAcademy", "Nuke"),
    (1042, "train", "Carrier", "Interceptor"),
]
SUMMONS = {171, 181, 1764, 2505, 2704}  # abilities paid with energy or a cooldown
TIMED_AS = {  # stableid.json's name -> that of abilities_5.0.14.json
    "ArmSiloWithNuke": "ArmNuke",
    "CarrierHangar": "CarrierInterceptors",
    "ArchonWarp": "ArchonMerge",
    "CalldownMULE": "MULE",
    "LiberatorAATarget": "LiberatorAA",
}
ABILITY_NAMES = {"MorphToBaneling": 4119}  # stableid.json is older than this one
ARCHON = 1766


class Tech:
    """The tech files, indexed."""

    def __init__(self, folder: Path) -> None:
        def read(name: str) -> Any:
            return json.loads((folder / name).read_text(encoding="utf-8"))

        old, new, more, names = (
            read(f"{n}.json") for n in ("data_5.0.11", "units_5.0.14", "abilities_5.0.14", "stableid")
        )
        self.old = {row["name"]: row for row in old["Unit"]}
        self.units, self.upgrades = new["Unit"], new["Upgrade"]
        self.more = more
        self.unit_names, self.buffs = names["Units"], names["Buffs"]
        self.ids = {name: row["id"] for name, row in self.old.items()}
        self.names = {i: name for name, i in self.ids.items()}
        self.abilities = {row["id"]: row for row in old["Ability"]}
        self.stable = {row["id"]: row for row in names["Abilities"]}
        self.by_slot = {(row["name"], row["index"]): row["id"] for row in names["Abilities"]}
        self.users: dict[int, list[str]] = {}
        for name, row in self.old.items():
            for ability in row["abilities"]:
                users = self.users.setdefault(ability["ability"], [])
                users.extend([name] if name not in users else [])

    def ability_id(self, name: str, slot: str | None) -> int:
        """Stable id of the ability `name`, of its `slot` ("Train3") if it has several; 0 if it has none."""
        if name in ABILITY_NAMES:
            return ABILITY_NAMES[name]
        return self.by_slot.get((name, int(re.sub(r"\D", "", slot)) - 1 if slot else 0), 0)

    def general_id(self, ability: int) -> int:
        """The general ability that stands for `ability`; 0 if none does."""
        new, old = self.stable.get(ability, {}), self.abilities.get(ability, {})
        return new.get("remapid") or old.get("remaps_to_ability_id") or 0

    def ability_name(self, ability: int) -> str:
        row = self.stable.get(ability)
        if row is None:
            return self.abilities[ability]["name"].title().replace("_", " ")
        return row.get("friendlyname") or " ".join(dict.fromkeys((row["name"], row["buttonname"])))


def unit_makers(data: Tech, name: str) -> list[AbilityRow]:
    """Every ability on a command card that makes the unit `name`, the usual one first."""
    made, stated = [], made_by(data, name)
    general = {row.get("remaps_to_ability_id") for row in data.abilities.values()}
    for ability, row in data.abilities.items():
        if ability in general or ability not in data.users or not isinstance(row["target"], dict):
            continue
        ((kind, target),) = row["target"].items()
        if target.get("produces") == data.ids[name]:
            made.append((ability, ability_kind(ability, kind, stated), data.users[ability]))
    made += [(ability, kind, [user]) for ability, kind, user, product in UNLISTED if product == name]
    rows = [
        AbilityRow(i, data.ability_name(i), kind, data.ids[name], tuple(sorted(data.ids[user] for user in users)),
                   make_time(data, name, i, stated), data.general_id(i), *warp_times(data, name, kind))
        for i, kind, users in made
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (is_way_back(data, name, row), row.kind == "warp", row.id))


def warp_times(data: Tech, name: str, kind: str) -> tuple[int, int]:
    """Loops of a fast warp-in, and until the warp gate can warp in another; zeros for other ways to make a unit."""
    if kind != "warp":
        return 0, 0
    row = data.more["abilities"]["WarpIn"]["units_trained"][name]
    # Replays have a loop more between its start and its end (slow ones take what the data say).
    return row["warp_in_fast_loops"] + 1, row["cooldown_loops"]


def is_way_back(data: Tech, name: str, row: AbilityRow) -> bool:
    """Whether `row` only turns a mode of the unit, such as its burrowed or sieged one, into the unit again."""
    modes = {data.old[data.names[i]].get("normal_mode") for i in row.producers}
    return row.kind == "morph" and modes == {data.ids[name]}


def made_by(data: Tech, name: str) -> dict[int, dict[str, Any]]:
    """Ability id -> what 5.0.14's file says of that way to make the unit `name`."""
    return {data.ability_id(row["ability"], row.get("slot")): row for row in data.units[name]["made_by"]}


def ability_kind(ability: int, old_kind: str, stated: dict[int, dict[str, Any]]) -> str:
    if ability in SUMMONS:
        return "summon"
    if ability == ARCHON:
        return "merge"
    kind = stated[ability]["kind"] if ability in stated else old_kind
    kinds = {"Train": "train", "TrainPlace": "warp", "WarpTrain": "warp", "Morph": "morph", "MorphPlace": "morph"}
    return {**kinds, "MorphPlacement": "morph"}.get(kind, "build")


def make_time(data: Tech, name: str, ability: int, stated: dict[int, dict[str, Any]]) -> int:
    """Loops that `ability` takes: of a morph, until the unit has its new stats."""
    row = stated.get(ability)
    if row is not None and "time" in row:
        return round(row["time"] * LOOPS)
    if row is not None:
        parts = row["durations"]
        stats = parts.get("Stats.Delay", 0) + parts.get("Stats.Duration", 0)
        return round((stats or parts.get("Abils.Delay", 0)) * LOOPS)
    title = TIMED_AS.get(data.stable.get(ability, {}).get("name", ""), "")
    other = data.more["abilities"].get(title, {})
    if "morph" in other:
        return round(other["morph"]["stages"][0]["stats_done_loops"])
    times = [other[key] for key in ("time_loops", "build_loops", "delay_loops") if key in other]
    return round(times[0] if times else data.old[name]["time"])
