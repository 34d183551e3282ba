"""Buffs and spells of the tables, from abilities_5.0.14.json: which raw functions cast each, and what it does.

Figures are that file's; what a row states here is what the file leaves to words, or what the game is known to do.
"""

from typing import Any

from tech import LOOPS, Tech

from asterism.game.tables import BuffRow, SpellRow

EVERYWHERE = 500.0
FOREVER = 1e6
ATTRIBUTES = ("Biological", "Mechanical", "Psionic", "Structure", "Massive", "Heroic", "Light", "Armored")

# Buff -> the ability that states it, and what its figures do not say.
BUFFS: dict[str, tuple[str, dict[str, Any]]] = {
    "Stimpack": ("Stimpack", {}),
    "Slow": ("ConcussiveShells", {}),
    "EMPDecloak": ("EMP", {"reveals": True}),
    "GhostCloak": ("GhostCloak", {"cloaks": True, "toggle": True}),
    "BansheeCloak": ("BansheeCloak", {"cloaks": True, "toggle": True}),
    "LockOn": ("LockOn", {}),
    "MedivacSpeedBoost": ("MedivacBoost", {}),
    "RavenScramblerMissile": ("InterferenceMatrix", {"disarms": True, "silences": True, "reveals": True}),
    "RavenShredderMissileArmorReduction": ("AntiArmorMissile", {}),
    "Hyperjump": ("TacticalJump", {"stuns": True, "shields": True}),
    "SupplyDrop": ("ExtraSupplies", {}),
    "ChronoBoostEnergyCost": ("ChronoBoost", {}),
    "Recalled": ("NexusMassRecall", {"stuns": True}),
    "EnergyRecharge": ("EnergyRecharge", {}),
    "GuardianShield": ("GuardianShield", {}),
    "Hallucination": ("Hallucination", {"dealt": 0.0, "silences": True}),
    "PsiStorm": ("PsiStorm", {}),
    "PurificationNova": ("PurificationNova", {}),
    "OracleRevelation": ("OracleRevelation", {"reveals": True}),
    "OracleStasisTrapTarget": ("OracleStasisWard", {"stuns": True, "shields": True, "reveals": True, "rate": 0.001}),
    "OracleWeapon": ("OraclePulsar", {"toggle": True}),
    "GravitonBeam": ("GravitonBeam", {"stuns": True, "lifts": True}),
    "VoidRaySwarmDamageBoost": ("PrismaticAlignment", {}),
    "TemporalField": ("TimeWarp", {}),
    "Charging": ("Charge", {}),
    "ImmortalOverload": ("ImmortalBarrier", {}),
    "Transfusion": ("Transfusion", {}),
    "FungalGrowth": ("FungalGrowth", {"reveals": True}),
    "NeuralParasite": ("NeuralParasite", {"stuns": True}),
    "AmorphousArmorcloud": ("MicrobialShroud", {"taken": 0.5}),
    "Yoink": ("Abduct", {"stuns": True, "reveals": True}),
    "BlindingCloud": ("BlindingCloud", {}),
    "ParasiticBomb": ("ParasiticBomb", {}),
    "ViperConsumeStructure": ("Consume", {}),
    "Consuming": ("Consume", {}),
    "CausticSpray": ("CausticSpray", {}),
    "CausticSprayLater": ("CausticSpray", {}),
    "Contaminated": ("Contaminate", {"rate": 0.0}),
}

HALLUCINATED = (
    *("Archon", "Colossus", "HighTemplar", "Immortal", "Phoenix", "Probe", "Stalker", "VoidRay", "WarpPrism"),
    *("Zealot", "Oracle", "Disruptor", "Adept"),
)
PARTS = ("damage", "buff", "stun_buff", "effect", "resource_cost")
CASTER, TARGET, AREA = "caster", "target", "area"
UNITS = {"bars": ("structure",)}

# Ability -> its raw functions, what it acts on, and what its figures do not say.
SPELLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Stimpack": ("Effect_Stim_quick", CASTER, {"buff": "Stimpack", "every": True}),
    "StimpackMarauder": ("Effect_Stim_quick", CASTER, {"buff": "Stimpack", "every": True}),
    "KD8Charge": ("Effect_KD8Charge_pt Effect_KD8Charge_unit", AREA, {"plane": "ground", "bars": ()}),
    "SteadyTargeting": ("Effect_GhostSnipe_unit", TARGET, {"prep": 32.0, "shakes": True}),
    "EMP": ("Effect_EMP_pt Effect_EMP_unit", AREA, {"buff": "EMPDecloak"}),
    "GhostCloak": ("Behavior_CloakOn_quick", CASTER, {"buff": "GhostCloak", "buff_time": FOREVER, "every": True}),
    "BansheeCloak": ("Behavior_CloakOn_quick", CASTER, {"buff": "BansheeCloak", "buff_time": FOREVER, "every": True}),
    "Nuke": ("Effect_NukeCalldown_pt", AREA, {"consumes": "Nuke", "effect": "Nuke", "bond": 320.0, "roots": True}),
    "LockOn": ("Effect_LockOn_unit", TARGET, {"bond": 320.0, "buff": "LockOn"}),
    "MedivacBoost": ("Effect_MedivacIgniteAfterburners_quick", CASTER, {"buff": "MedivacSpeedBoost", "every": True}),
    "InterferenceMatrix": (
        "Effect_InterferenceMatrix_unit",
        TARGET,
        {"buff": "RavenScramblerMissile", "needs": ("mechanical", "psionic")},
    ),
    "AntiArmorMissile": (
        "Effect_AntiArmorMissile_unit",
        AREA,
        {"buff": "RavenShredderMissileArmorReduction", "whose": "any", **UNITS},
    ),
    "AutoTurret": ("Effect_AutoTurret_pt", AREA, {"summon": "AutoTurret"}),
    "Yamato": ("Effect_YamatoGun_unit", TARGET, {"whose": "enemy"}),
    "TacticalJump": (
        "Effect_TacticalJump_pt",
        CASTER,
        {"prep": 22.4, "teleport": "caster", "buff": "Hyperjump", "buff_time": 96.0, "every": True},
    ),
    "MULE": ("Effect_CalldownMULE_unit Effect_CalldownMULE_pt", AREA, {"summon": "MULE", "goal": "gather"}),
    "ScannerSweep": ("Effect_Scan_pt", AREA, {"effect": "ScannerSweep", "detects": True}),
    "ExtraSupplies": (
        "Effect_SupplyDrop_unit",
        AREA,
        {"buff": "SupplyDrop", "buff_time": FOREVER, "radius": 0.5, "whose": "own", "needs": ("structure",)},
    ),
    "Salvage": ("Effect_Salvage_quick", CASTER, {"prep": 80.0, "salvages": True, "every": True}),
    "ChronoBoost": (
        "Effect_ChronoBoostEnergyCost_unit",
        TARGET,
        {"buff": "ChronoBoostEnergyCost", "whose": "own", "transient": True},
    ),
    "NexusMassRecall": (
        "Effect_MassRecall_pt",
        AREA,
        {"teleport": "recall", "buff": "Recalled", "buff_time": 16.0, "whose": "own", "transient": True, **UNITS},
    ),
    "EnergyRecharge": (
        "Effect_ChronoBoost_unit",
        TARGET,
        {"buff": "EnergyRecharge", "buff_time": 30.464, "whose": "own", "transient": True},
    ),
    "GuardianShield": (
        "Effect_GuardianShield_quick",
        AREA,
        {"follows": "caster", "buff": "GuardianShield", "whose": "own", "extends": True, "effect": "GuardianShield"},
    ),
    "ForceField": ("Effect_ForceField_pt", AREA, {"blocks": True, "effect": "ForceField"}),
    "Blink": ("Effect_Blink_pt", CASTER, {"teleport": "caster", "every": True}),
    "ShadowStride": ("Effect_Blink_pt", CASTER, {"teleport": "caster", "every": True}),
    "AdeptShade": (
        "Effect_AdeptPhaseShift_pt",
        AREA,
        {"summon": "AdeptPhaseShift", "goal": "move", "every": True, "range": EVERYWHERE},
    ),
    "PsiStorm": ("Effect_PsiStorm_pt", AREA, {"buff": "PsiStorm", "effect": "PsiStorm", **UNITS}),
    "Feedback": ("Effect_Feedback_unit", TARGET, {"whose": "enemy"}),
    "PurificationNova": (
        "Effect_PurificationNova_pt",
        AREA,
        {"summon": "DisruptorPhased", "goal": "move", "caster_buff": "PurificationNova", "range": EVERYWHERE},
    ),
    "OracleRevelation": (
        "Effect_OracleRevelation_pt",
        AREA,
        {"buff": "OracleRevelation", "buff_time": 448.0, "duration": 0.0, "whose": "enemy"},
    ),
    "OracleStasisWard": ("Build_StasisTrap_pt", AREA, {"summon": "OracleStasisTrap"}),
    "OraclePulsar": ("Behavior_PulsarBeamOn_quick", CASTER, {"buff": "OracleWeapon", "buff_time": FOREVER}),
    "GravitonBeam": ("Effect_GravitonBeam_unit", TARGET, {"buff": "GravitonBeam", "whose": "enemy", "bond": 160.0,
                                                         "break_range": 8.0, "roots": True}),
    "PrismaticAlignment": (
        "Effect_VoidRayPrismaticAlignment_quick",
        CASTER,
        {"buff": "VoidRaySwarmDamageBoost", "every": True},
    ),
    "TimeWarp": (
        "Effect_TimeWarp_pt",
        AREA,
        {"buff": "TemporalField", "whose": "enemy", "effect": "TemporalField", "delay": 16.0},
    ),
    "MothershipMassRecall": (
        "Effect_MassRecall_pt",
        AREA,
        {"teleport": "recall", "buff": "Recalled", "buff_time": 16.0, "whose": "own", **UNITS},
    ),
    "SpawnLarva": ("Effect_InjectLarva_unit", TARGET, {"whose": "own", "needs": ("structure",), "injects": True}),
    "Transfusion": (
        "Effect_Transfusion_unit",
        TARGET,
        {"buff": "Transfusion", "buff_time": 160.0, "prep": 16.0, "stands_on_creep": True},
    ),
    "CreepTumorQueen": (
        "Build_CreepTumor_pt",
        AREA,
        {"summon": "CreepTumorQueen", "prep": 32.0, "range": 0.5, "delay": 0.0, "on_creep": True},
    ),
    "CreepTumorSpread": (
        "Build_CreepTumor_pt",
        AREA,
        {"summon": "CreepTumor", "on_creep": True, "transient": True, "cooldown": FOREVER},
    ),
    "NydusWorm": ("Build_NydusWorm_pt", AREA, {"summon": "NydusCanal", "transient": True}),
    "BanelingExplode": (
        "Effect_Explode_quick",
        AREA,
        {"whose": "enemy", "plane": "ground", "damage": 16.0, "bonus_attribute": "light", "bonus": 19.0, "dies": True,
         "structure_damage": 80.0, "every": True},
    ),
    "CorrosiveBile": ("Effect_CorrosiveBile_pt", AREA, {"delay": 40.0, "shatters": True, "effect": "CorrosiveBile"}),
    "FungalGrowth": (
        "Effect_FungalGrowth_pt Effect_FungalGrowth_unit",
        AREA,
        {"buff": "FungalGrowth", "buff_time": 64.0, "whose": "enemy", "effect": "FungalGrowth", **UNITS},
    ),
    "NeuralParasite": (
        "Effect_NeuralParasite_unit",
        TARGET,
        {"buff": "NeuralParasite", "bond": 240.0, "break_range": 13.0, "roots": True},
    ),
    "MicrobialShroud": (
        "Effect_InfestedTerrans_pt",
        AREA,
        {"buff": "AmorphousArmorcloud", "plane": "ground", **UNITS},
    ),
    "Abduct": ("Effect_Abduct_unit", TARGET, {"buff": "Yoink", "teleport": "pull"}),
    "BlindingCloud": ("Effect_BlindingCloud_pt", AREA, {"buff": "BlindingCloud", "plane": "ground",
                                                       "effect": "BlindingCloud"}),
    "ParasiticBomb": (
        "Effect_ParasiticBomb_unit",
        AREA,
        {"buff": "ParasiticBomb", "whose": "enemy", "plane": "air", "follows": "target", "delay": 16.0,
         "duration": 144.0},
    ),
    "Consume": (
        "Effect_ViperConsume_unit",
        TARGET,
        {"buff": "ViperConsumeStructure", "caster_buff": "Consuming", "bond": 320.0, "break_range": 12.0,
         "roots": True},
    ),
    "SpawnLocusts": (
        "Effect_SpawnLocusts_pt Effect_SpawnLocusts_unit",
        AREA,
        {"summon": "LocustMP", "goal": "attack", "every": True},
    ),
    "CausticSpray": (
        "Effect_CausticSpray_unit",
        TARGET,
        {"buff": "CausticSpray", "bond": FOREVER, "break_range": 8.0, "roots": True, "later": 96.0,
         "later_buff": "CausticSprayLater"},
    ),
    "SpawnChangeling": ("Effect_SpawnChangeling_quick", AREA, {"summon": "Changeling"}),
    "Contaminate": ("Effect_Contaminate_unit", TARGET, {"buff": "Contaminated"}),
}  # fmt: skip

# What no raw function casts: name, its ability, what it does.
TRIGGERED: dict[str, tuple[str, dict[str, Any]]] = {
    "StasisTrapTrigger": (
        "OracleStasisWard",
        {"buff": "OracleStasisTrapTarget", "buff_time": 480.0, "whose": "enemy", "plane": "ground", "radius": 5.0,
         "delay": 8.0, **UNITS},
    ),
    "PurificationNovaBurst": ("PurificationNova", {"plane": "ground"}),
    "Charge": ("Charge", {"subject": CASTER, "buff": "Charging", "radius": 4.0}),
    "ImmortalBarrier": ("ImmortalBarrier", {"subject": CASTER, "buff": "ImmortalOverload", "buff_time": 48.0}),
}  # fmt: skip
ENDS = {  # function -> ability and the buff that it takes off
    "Behavior_CloakOff_quick": [("GhostCloak", "GhostCloak"), ("BansheeCloak", "BansheeCloak")],
    "Behavior_PulsarBeamOff_quick": [("OraclePulsar", "OracleWeapon")],
}


def buff_rows(data: Tech) -> list[BuffRow]:
    """Every buff, in the order of `BUFFS`."""
    ids = {row["name"]: row["id"] for row in data.buffs}
    return [BuffRow(name=name, id=ids.get(name, 0), **_buff(data.more["abilities"][ability], name) | more)
            for name, (ability, more) in BUFFS.items()]  # fmt: skip


def _buff(row: dict[str, Any], name: str) -> dict[str, Any]:
    """Figures of one buff: factors, and rates a loop."""
    buff = row.get("stun_buff") or row.get("slow") or row.get("buff") or {}
    found = {
        "speed": buff.get("move_speed_x", 1.0),
        "attack": buff.get("attack_speed_x", 1.0),
        "armor": float(buff.get("armor_add", 0)),
        "shield_armor": float(buff.get("shield_armor_add", 0)),
        "range": float(buff.get("ranged_weapon_range_add", 0)),
        "rate": buff.get("rate_x", {}).get("Progress", 1.0),
        "energy": buff.get("vital_regen_per_normal_s", {}).get("Energy", 0) / LOOPS,
        "armored_bonus": float(buff.get("damage_dealt_add_vs", {}).get("Armored", 0)),
    }
    special = {
        "LockOn": lambda: {"damage": row["damage_per_tick"]["amount"] / row["tick_period_loops"]},
        "PsiStorm": lambda: {"damage": row["total_damage"] / row["duration_loops"]},
        "FungalGrowth": lambda: {"damage": row["total_damage"] / row["dot"]["duration_loops"]},
        "ParasiticBomb": lambda: {"damage": row["damage_tick"]["amount"] / row["tick_period_loops"]},
        "CausticSpray": lambda: {"damage": row["phase1"]["damage_per_tick"] / row["phase1"]["tick_period_loops"]},
        "CausticSprayLater": lambda: {"damage": row["phase2"]["damage_per_tick"] / row["phase2"]["tick_period_loops"]},
        "ViperConsumeStructure": lambda: {"damage": -row["structure_health_per_tick"] / row["tick_period_loops"]},
        "Consuming": lambda: {"energy": row["energy_per_tick"] / row["tick_period_loops"]},
        "EnergyRecharge": lambda: {"energy": row["energy_given_per_tick"] / row["tick_period_loops"]},
        "Transfusion": lambda: {"heal": row["heal_over_time"]["per_loop"]},
        "GuardianShield": lambda: {"ranged_armor": float(-row["buff"]["damage_taken_ModifyAmount"])},
        "Hallucination": lambda: {"taken": float(row["damage_taken_x"])},
        "ImmortalOverload": lambda: {"absorbs": float(row["absorbs"])},
        "SupplyDrop": lambda: {"supply": row["supply_add"]},
        "PurificationNova": lambda: {"speed": round(1 + row["caster_slow"]["move_speed_add"] / 2.25, 4)},
    }
    found |= special[name]() if name in special else {}
    return {key: round(value, 8) for key, value in found.items()}


def spell_rows(data: Tech) -> list[SpellRow]:
    """Every spell, in the order of the tables above."""
    rows = [_spell(data, name, functions.split(), subject, more) for name, (functions, subject, more) in SPELLS.items()]
    rows += [_hallucination(data, unit) for unit in HALLUCINATED]
    rows += [
        SpellRow(name=f"{ability}Off", functions=(function,), casters=_casters(data, ability), subject=CASTER,
                 transient=True, every=True, ends=buff)
        for function, pairs in ENDS.items() for ability, buff in pairs
    ]  # fmt: skip
    for name, (ability, more) in TRIGGERED.items():
        known = _figures(data.more["abilities"][ability], data)
        keys = ("radius", "damage", "shield_damage", "cooldown", "buff_time", "upgrade")
        kept = {key: known[key] for key in keys if key != "cooldown" or "subject" in more}
        rows.append(SpellRow(**{"name": name, "functions": (), "casters": (), "subject": AREA} | kept | more))
    return rows


def _casters(data: Tech, ability: str) -> tuple[int, ...]:
    return tuple(data.ids[name] for name in data.more["abilities"][ability]["units"] if name in data.ids)


def _hallucination(data: Tech, unit: str) -> SpellRow:
    row = data.more["abilities"]["Hallucination"]
    return SpellRow(
        name=f"Hallucination{unit}", functions=(f"Hallucination_{unit}_quick",), subject=AREA,
        casters=_casters(data, "Hallucination"), energy=float(row["energy"]), summon=data.ids[unit],
        count=row["variants"][f"Hallucination{unit}"]["count"], life=float(row["duration_loops"]),
        summon_buff="Hallucination",
    )  # fmt: skip


def _spell(data: Tech, name: str, functions: list[str], subject: str, more: dict[str, Any]) -> SpellRow:
    row = data.more["abilities"][name]
    figures = _figures(row, data) | _filters(row)
    if subject == TARGET:
        figures |= {"delay": 0.0, "duration": 0.0, "radius": 0.0}
    if more.get("summon") == "DisruptorPhased":
        figures |= {"life": figures["delay"], "delay": 0.0, "damage": 0.0, "shield_damage": 0.0, "radius": 0.0}
    elif more.get("summon"):
        lives = row.get("duration_loops", row.get("locust_duration_loops", row.get("ward", {}).get("lifetime_loops")))
        figures |= {"life": float(lives or 0), "duration": 0.0, "build_time": float(row.get("build_loops", 0))}
        figures |= {"count": row.get("count", 1), "radius": 0.0}
    units = {key: data.ids[more[key]] for key in ("summon", "consumes") if key in more}
    return SpellRow(name=name, functions=tuple(functions), casters=_casters(data, name), subject=subject,
                    **figures | more | units)  # fmt: skip


def _figures(row: dict[str, Any], data: Tech) -> dict[str, Any]:
    """What the data state in numbers."""
    part = {key: row[key] if isinstance(row.get(key), dict) else {} for key in PARTS}
    damage, buff, effect = part["damage"], part["buff"] or part["stun_buff"], part["effect"]
    upgrade = (row.get("requires") or "").partition("upgrade:")[2]
    attribute, bonus = next(iter(damage.get("bonus", {}).items()), ("", 0))
    reach = row.get("range") or 0
    figures = {
        "energy": row.get("energy", 0),
        "health": row.get("health_cost", 0),
        "minerals": part["resource_cost"].get("minerals", 0),
        "vespene": part["resource_cost"].get("gas", 0),
        "cooldown": row.get("cooldown_after_lock_loops", row.get("cooldown_loops", 0)),
        "range": EVERYWHERE if isinstance(reach, str) else reach,
        "radius": row.get("radius", 0),
        "delay": row.get("launch_to_impact_loops", row.get("hatch_delay_loops", row.get("delay_loops", 0))),
        "duration": row.get("cloud_duration_loops", row.get("duration_loops", 0)),
        "prep": row.get("prep_loops", 0),
        "damage": damage.get("amount", 0),
        "bonus": bonus,
        "shield_damage": effect.get("shield_damage", damage.get("bonus_vs_shields", 0)),
        "energy_change": effect.get("energy_change", 0),
        "per_energy": row.get("damage_per_energy", 0),
        "heal": row.get("heal_instant", row.get("heal", 0)),
        "buff_time": buff.get("duration_loops", effect.get("decloak", {}).get("duration_loops", 0)),
        "break_range": row.get("break_range", 0),
    }
    found: dict[str, Any] = {key: float(value) for key, value in figures.items()}
    if isinstance(row.get("splash"), list):
        found["rings"] = tuple((float(ring["radius"]), float(ring["fraction"])) for ring in row["splash"])
        found["radius"] = max(radius for radius, _ in found["rings"])
    found |= {"bonus_attribute": attribute.lower(), "transient": bool(row.get("transient"))}
    return found | {"upgrade": data.upgrades[upgrade]["id"] if upgrade in data.upgrades else 0}


def _filters(row: dict[str, Any]) -> dict[str, Any]:
    """What the game's target filters ask for and bar."""
    asked, _, barred = row.get("target_filters", "").partition(";")
    asked, barred = asked.split(","), barred.split(",")
    return {
        "whose": "enemy" if "Player" in barred else "own" if "Enemy" in barred else "any",
        "needs": tuple(a.lower() for a in ATTRIBUTES if a in asked),
        "bars": tuple(a.lower() for a in ATTRIBUTES if a in barred),
        "plane": "ground" if "Ground" in asked else "air" if "Air" in asked else "any",
    }
