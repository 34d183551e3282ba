"""Writes the tables of `asterism/game/data` from the folder `tech` of the project's data.

Times of units_5.0.14.json are in Normal seconds (16 loops each), those of abilities_5.0.14.json in loops.

Costs: the tech files state for each unit what was spent on it from the start (Orbital Command 550, Baneling 50/25,
Hatchery 325 with the Drone). The tables hold that as `total_*`, and as `minerals`, `vespene` what the step itself
costs: the total less that of the unit that morphs or is used up. Units paid for with energy, and units that no ability
makes, cost nothing.
"""

import re
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import tyro
from rows import write_rows
from spells import buff_rows, spell_rows
from tech import LOOPS, Tech, made_by, unit_makers

from asterism.game.tables import AbilityRow, Economy, Resource, Splash, UnitRow, UpgradeEffect, UpgradeRow, Weapon

OUT = Path(__file__).parents[1] / "asterism" / "game" / "data"
RACES = {"Terr": "terran", "Zerg": "zerg", "Prot": "protoss"}
# Requirements whose names do not say the unit: units, then the upgrade.
REQUIREMENTS: dict[str, tuple[list[str], str]] = {
    "HaveAttachedTechLab": ([], ""),
    "HaveAttachedBarrTechLabAndShadowOps": (["GhostAcademy"], ""),
    "HaveArmoryAndAttachedTechLab": (["Armory"], ""),
    "HaveAttachedStarportTechLabAndFusionCore": (["FusionCore"], ""),
    "HaveBanelingNest2": (["RoachWarren"], ""),
    "HaveRoboticsFa": (["RoboticsFacility"], ""),
    "HaveTemplarArchives": (["TemplarArchive"], ""),
    "HaveLurkerDen": (["LurkerDenMP"], ""),
    "MothershipRequirements": (["FleetBeacon"], ""),
    "UseOverseerMorph": (["Lair"], ""),
    "UseBurrow": ([], "Burrow"),
    "UseWarpGate": ([], "WarpGateResearch"),
}
ADDON_REQUIREMENTS = {name for name in REQUIREMENTS if "TechLab" in name}
# Known in play: units walk over these.
WALKED_OVER = {"SupplyDepotLowered", "CreepTumor", "CreepTumorBurrowed", "CreepTumorQueen", "OracleStasisTrap"}


def main(tech: Path, out: Path = OUT) -> None:
    """Makes units.json, upgrades.json, abilities.json, economy.json, buffs.json and spells.json.

    Args:
      tech: folder with data_5.0.11.json, units_5.0.14.json, abilities_5.0.14.json and stableid.json.
      out: folder to write to.
    """
    data = Tech(tech)
    makers = {name: unit_makers(data, name) for name in data.units}
    # One ability builds on any geyser.
    units = [unit_row(data, name, makers[name.removesuffix("Rich")]) for name in data.units]
    # Interference Matrix is left out: no file names its upgrade id.
    names = [name for name, row in data.more["upgrade_effects"].items() if row["researchable_in_1v1"]]
    upgrades = [upgrade_row(data, name) for name in names if name in data.upgrades]
    abilities = [row for rows in makers.values() for row in rows] + [research(data, row) for row in upgrades]
    for name, rows in (("units", units), ("upgrades", upgrades), ("abilities", abilities)):
        write_rows(out / f"{name}.json", [compact(row) for row in sorted(rows, key=lambda row: row.id)])
    write_rows(out / "economy.json", [asdict(economy(data))])
    for name, rows in (("buffs", buff_rows(data)), ("spells", spell_rows(data))):
        write_rows(out / f"{name}.json", map(compact, rows))


def compact(row: Any) -> Any:
    """`row` without the fields that equal their defaults. Splash and effects become plain lists, as there are many."""
    if isinstance(row, Splash | UpgradeEffect):
        values = [getattr(row, f.name) for f in fields(row)]
        return values if values[-1] != fields(row)[-1].default else values[:-1]
    kept = {f.name: getattr(row, f.name) for f in fields(row) if getattr(row, f.name) != f.default}
    return {
        key: [compact(v) if is_dataclass(v) else v for v in value] if isinstance(value, tuple) else value
        for key, value in kept.items()
    }


# ---------------------------------------------------------------------------------------------------------------- units


def unit_row(data: Tech, name: str, makers: list[AbilityRow]) -> UnitRow:
    row, old = data.units[name], data.old[name]
    structure, flying = "Structure" in row["attributes"], row["planes"] == ["Air"]
    maker = makers[0] if makers else AbilityRow(0, "", "", old["id"], (), 0)
    count = made_by(data, name).get(maker.id, {}).get("count") or 1
    total = row["cost"].get("Minerals", 0), row["cost"].get("Vespene", 0)
    minerals, vespene = step_cost(data, total, maker)
    requires, upgrade, addon = requirements(data, name, maker)
    return UnitRow(
        id=old["id"], name=name, race=RACES[row["Race"]],
        attributes=tuple(sorted(a.lower() for a in row["attributes"])),
        minerals=minerals, vespene=vespene, total_minerals=total[0], total_vespene=total[1],
        supply=float(max(0, -row.get("Food", 0))), supply_provided=max(0, row.get("Food", 0)),
        count=count, build_time=maker.time, ability_id=maker.id, general_id=maker.general_id,
        producers=maker.producers, requires=requires, requires_upgrade=upgrade, needs_addon=addon,
        normal_mode=old.get("normal_mode", 0), tech_alias=tech_alias(data, name),
        max_health=float(row["LifeMax"]), max_shield=float(row.get("ShieldsMax", 0)),
        start_energy=float(row.get("EnergyStart", 0)), max_energy=float(row.get("EnergyMax", 0)),
        health_regen=per_loop(row.get("LifeRegenRate", 0)), shield_regen=per_loop(row.get("ShieldRegenRate", 0)),
        energy_regen=per_loop(row.get("EnergyRegenRate", 0)), armor=float(row.get("LifeArmor", 0)),
        speed=per_loop(row.get("Speed", 0)), creep_speed=float(row.get("SpeedMultiplierCreep", 1)),
        acceleration=per_loop(row.get("Acceleration", 0) / LOOPS), radius=float(row["Radius"]),
        separation_radius=float(row["SeparationRadius"]), sight=float(row.get("Sight", 0)),
        detection_range=float(old.get("detection_range", 0)),
        power_radius=float(old.get("power_radius", 0)) if not old["needs_power"] else 0.0,
        creep_radius=creep_radius(data, name), **placement(data, name), is_addon=old["is_addon"],
        cargo_size=row.get("CargoSize", 0), cargo_capacity=old.get("cargo_capacity", 0),
        plane={(): "none", ("Ground",): "ground", ("Air",): "air", ("Ground", "Air"): "any"}[tuple(row["planes"])],
        is_flying=flying, is_structure=structure, is_worker=old["is_worker"], is_townhall=old["is_townhall"],
        repair_time=round(row.get("RepairTime", 0) * LOOPS), weapons=weapons(data, name),
    )  # fmt: skip


def creep_radius(data: Tech, name: str) -> float:
    """Cells that the creep of a structure reaches; the circle has the area of the game's shape."""
    creep = data.more["footprints"]["rules"]["creep"]
    sources = {name: "hatchery_lair_hive" for name in ("Hatchery", "Lair", "Hive")}
    sources |= {name: "creep_tumor" for name in ("CreepTumor", "CreepTumorQueen", "CreepTumorBurrowed")}
    source = (sources | {"NydusCanal": "nydus_worm"}).get(name)
    return float(creep[source]["equal_area_radius"]) if source else 0.0


def per_loop(value: float) -> float:
    """A rate a Normal second as a rate a loop."""
    return round(value / LOOPS, 8)


def step_cost(data: Tech, total: tuple[int, int], maker: AbilityRow) -> tuple[int, int]:
    """Minerals and vespene of the step `maker` itself, where `total` counts what it uses up too."""
    if maker.kind in ("", "summon", "merge"):
        return 0, 0
    xml = f"Abil/{data.stable.get(maker.id, {}).get('name')}"
    stated = (row["cost"] for row in data.more["abilities"].values() if row.get("xml") == xml and "cost" in row)
    for cost in stated:
        if cost.get("source") == "Abil.Cost":
            return cost["minerals"], cost["gas"]
    used_up = data.units[data.names[maker.producers[0]]]
    if maker.kind == "morph" or used_up["Race"] == "Zerg" and "Worker" in used_up["flags"]:
        return total[0] - used_up["cost"].get("Minerals", 0), total[1] - used_up["cost"].get("Vespene", 0)
    return total


def requirements(data: Tech, name: str, maker: AbilityRow) -> tuple[tuple[int, ...], int, bool]:
    """Unit ids and the upgrade id that the usual way to make the unit requires, and whether it needs a tech lab."""
    stated = made_by(data, name).get(maker.id)
    if name == "Nuke":  # "Factory or flying Factory", in abilities_5.0.14.json
        return (data.ids["Factory"],), 0, False
    if not stated or not stated["requirements"]:
        return (), 0, False
    text = stated["requirements"]
    units, upgrade = REQUIREMENTS.get(text, ([text.removeprefix("Have")], ""))
    return tuple(data.ids[u] for u in units), data.upgrades[upgrade]["id"] if upgrade else 0, text in ADDON_REQUIREMENTS


def tech_alias(data: Tech, name: str) -> tuple[int, ...]:
    """The structures that this one once was: a Hive counts as Lair and Hatchery, a flying Barracks as Barracks."""
    base = data.old[name].get("normal_mode")
    if "Structure" not in data.units[name]["attributes"] or not base:
        return ()
    between = {"Hive": (data.ids["Lair"],), "OrbitalCommandFlying": (data.ids["CommandCenter"],)}.get(name, ())
    return (*between, base)


def placement(data: Tech, name: str) -> dict[str, Any]:
    """The fields of `UnitRow` about where the unit `name` may be placed."""
    row = data.more["footprints"]["structures"].get(name)
    if row is None:
        return {}
    flags = ("needs_power", "needs_creep", "blocked_by_creep", "needs_geyser", "needs_distance_to_resources")
    return {
        "footprint": (row["w"], row["h"]),
        "blocks_pathing": name not in WALKED_OVER,
        "placement": row["placement_footprint"] or "",
        **{flag: row[flag] for flag in flags},
    }


# -------------------------------------------------------------------------------------------------------------- weapons


def weapons(data: Tech, name: str) -> tuple[Weapon, ...]:
    """The weapons of the unit `name`; the Nova skin of the Ghost has the Ghost's."""
    name = "Ghost" if name == "GhostNova" else name
    return tuple(weapon(data, name, row) for row in data.more["weapons"].get(name, []) if "damage" in row)


def weapon(data: Tech, unit: str, row: dict[str, Any]) -> Weapon:
    name = row["weapon"] or f"{unit}Attack"
    ((attribute, bonus),) = row["bonus"].items() if row.get("bonus") else (("", 0),)
    sides = [side for side in row["targets"] if side in ("ground", "air")]
    targets = "units" if "no structures" in row["targets"] or row.get("mode") == "units" else ""
    shape, length, rings = splash(row)
    return Weapon(
        name=name, target="any" if len(sides) == 2 else sides[0],
        damage=float(row["damage"]), attacks=row.get("attacks", 1), cooldown=float(row["period_loops"] or 0),
        range=float(row["range"]), min_range=float(row.get("min_range", 0)),
        bonus_attribute=attribute.lower(), bonus_damage=float(bonus),
        bonus_shield_damage=float(row.get("bonus_vs_shields", 0)),
        damage_point=float(row.get("damage_point_loops", row.get("aim_loops", 0))),
        backswing=float(row.get("backswing_loops", 0)),
        targets="structures" if row.get("mode") == "structures (toggle)" else targets,
        ignores_armor=not row.get("armor_applies", unit != "WidowMineBurrowed"), melee=row.get("melee", False),
        projectile=row["delivery"] == "projectile", suicide=row.get("suicide", False),
        upgrade_damage=upgrade_step(data, unit, name, "damage"),
        upgrade_bonus_damage=upgrade_step(data, unit, name, f"damage_bonus:{attribute}"),
        splash_shape=shape, splash_length=length, splash=rings,
        friendly_fire=shape != "none" and row.get("friendly_fire", "Player" not in row["splash"].get("filter", "")),
    )  # fmt: skip


def splash(row: dict[str, Any]) -> tuple[str, float, tuple[Splash, ...]]:
    """Shape, length in cells and rings of the area that a weapon damages."""
    area = row.get("splash")
    if not area:
        return "none", 0.0, ()
    part = area["damage"] / row["damage"] if "damage" in area else area.get("fraction", 1)
    if "rings" in area:
        rings = [(ring["radius"], ring.get("fraction", part), ring.get("arc_deg", 360)) for ring in area["rings"]]
        shape = "cone" if rings[0][2] < 360 else "circle"
        return shape, 0.0, tuple(Splash(*map(float, ring)) for ring in rings)
    across = "half_length" in area
    length = 2 * area["half_length"] if across else area.get("length", area["search_points"] * area.get("step", 0))
    return "across" if across else "line", float(length), (Splash(float(area["search_radius"]), float(part)),)


def upgrade_step(data: Tech, unit: str, weapon_name: str, field: str) -> float:
    """What the first level of the weapon upgrade adds to `field` of a weapon."""
    for name, row in data.more["upgrade_effects"].items():
        if name.endswith("WeaponsLevel1"):
            for effect in row["effects"]:
                if (effect["unit"], effect["field"], effect.get("of")) == (unit, field, f"weapon:{weapon_name}"):
                    return float(effect["value"])
    return 0.0


# ------------------------------------------------------------------------------------------------------------- upgrades


def research(data: Tech, row: UpgradeRow) -> AbilityRow:
    """The ability that researches an upgrade."""
    name = data.ability_name(row.ability_id)
    return AbilityRow(row.ability_id, name, "research", row.id, row.producers, row.time, row.general_id)


def upgrade_row(data: Tech, name: str) -> UpgradeRow:
    row = data.more["upgrade_effects"][name]
    first = row["research"][0]
    ability = data.ability_id(*first["ability"].split(","))
    # A Hive counts as a Lair by its `tech_alias`.
    text = (first["requires"] or "").replace("Alias_", "").replace("or(unit:Lair,unit:Hive)", "unit:Lair")
    upgrade = re.search(r"upgrade:(\w+)", text)
    return UpgradeRow(
        id=data.upgrades[name]["id"], name=name, race=RACES[data.units[first["building"]]["Race"]],
        minerals=first["minerals"], vespene=first["gas"], time=first["time_loops"],
        ability_id=ability, general_id=data.general_id(ability),
        producers=tuple(data.ids[r["building"]] for r in row["research"]),
        requires=tuple(data.ids[u] for u in re.findall(r"unit:(\w+)", text)),
        requires_upgrade=data.upgrades[upgrade[1]]["id"] if upgrade else 0,
        effects=tuple(UpgradeEffect(data.ids.get(e["unit"], 0), e["field"], e["operation"], e["value"], e.get("of", ""))
                      for e in row["effects"]),
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- economy


def economy(data: Tech) -> Economy:
    mining, larva, abilities = data.more["mining"], data.more["larva"], data.more["abilities"]
    rules, regeneration = data.more["footprints"]["rules"], data.more["regeneration"]
    field, refinery = mining["mineral_fields"]["MineralField"], mining["gas_buildings"]["Refinery"]
    mule, start, burn = mining["MULE"], mining["start"]["Terr"], regeneration["terran_burn_down"]
    return Economy(
        start_minerals=start["minerals"], start_workers=start["units"][1]["count"], supply_cap=larva["supply_cap"],
        mineral_time=field["harvest_loops"], mineral_return_delay=field["return_delay_loops"],
        vespene_time=refinery["harvest_loops"],
        workers_per_field=field["ideal_workers"], workers_per_geyser=refinery["ideal_workers"],
        townhall_gap=rules["town_hall_resource_exclusion"]["gap_cells"],
        mule_per_trip=mule["per_trip_request"], mule_time=mule["harvest_loops"], mule_life=mule["duration_loops"],
        mule_energy=abilities["MULE"]["energy"],
        supply_drop_bonus=larva["supply_drop_bonus"], supply_drop_energy=abilities["ExtraSupplies"]["energy"],
        larva_time=larva["spawn_interval_loops"], larva_natural=larva["max_natural"], larva_most=larva["max_total"],
        creep_period=data.more["footprints"]["rules"]["creep"]["creep_tumor"]["growth_period_loops"],
        power_fast_radius=data.more["footprints"]["rules"]["fast_warp_in"]["pylon_becomes_fast_if_within"]["WarpGate"],
        larva_start=larva["start_larvae_observed"]["value"], inject_energy=larva["inject"]["energy"],
        inject_larvae=larva["inject"]["larvae"], inject_time=larva["inject"]["delay_loops"],
        regen_delay=regeneration["shield"]["delay_loops"],
        burn_below=burn["below_life_fraction"], burn_rate=burn["per_loop"],
        bunker_range=abilities["BunkerLoad"]["passenger_buff"]["weapon_range_add"],
        addon_offset=(rules["addon_offset"]["x"], rules["addon_offset"]["y"]),
        salvage_fraction=abilities["Salvage"]["refund_fraction"],
        repair_cost=abilities["Repair"]["resource_cost_fraction_of_unit_cost"], resources=resources(data),
    )  # fmt: skip


def resources(data: Tech) -> tuple[Resource, ...]:
    """Mineral fields and geysers of every look; all looks hold what the plain ones do."""
    fields_, geysers = data.more["mining"]["mineral_fields"], data.more["mining"]["geysers"]
    rows = []
    for unit in data.unit_names:
        plain = re.search(r"(Rich)?MineralField(750|450)?$", unit["name"])
        if plain:
            row = fields_[plain[0]]
            rows.append(Resource(unit["id"], unit["name"], "minerals", row["contents"], row["per_trip"]))
        elif unit["name"].endswith(("VespeneGeyser", "PlatformGeyser")):
            row = geysers["RichVespeneGeyser" if "Rich" in unit["name"] else "VespeneGeyser"]
            rows.append(Resource(unit["id"], unit["name"], "vespene", row["contents"], row["per_trip"]))
    return tuple(sorted(rows, key=lambda row: row.id))


if __name__ == "__main__":
    tyro.cli(main)
