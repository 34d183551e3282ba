"""Abilities of the real game, 5.0.14, that the embedded game does not have as they are there. Names are those of the
project's data; what is in neither list works."""

SIMPLIFIED = {
    "Stimpack": "a Marauder's stim is the same buff as a Marine's",
    "KD8Charge": "does not knock units back",
    "SteadyTargeting": "the shot hits at once when the aim is done, and its energy is spent then",
    "EMP": "strikes at once: missiles have no flight time",
    "Nuke": "a calldown that is broken off uses up the missile, and its place is not shown before it falls",
    "WidowMineAttack": "is the weapon of a burrowed mine",
    "LockOn": "by order only, not by itself; damage flows evenly instead of every 16 loops",
    "MedivacHeal": "by itself only; also while it moves; several may heal one unit",
    "MedivacTransport": "passengers get out round the transport, wherever there is ground within 3 cells",
    "BunkerLoad": "passengers shoot from the bunker's edge with 1 more range; they get out one a tick",
    "CommandCenterLoad": "SCVs get in when told to, the hall does not call those nearby",
    "InterferenceMatrix": "needs no upgrade: no file names its id",
    "AntiArmorMissile": "strikes at once: missiles have no flight time",
    "AutoTurret": "stands on the ground nearest to its place, over whatever structure is there",
    "LiberatorAG": "fires at what is within its range of itself, not only in the zone it was given",
    "Yamato": "strikes at once when it is charged",
    "TacticalJump": "the ship is at its goal at once, out of play for the 96 loops of the jump",
    "Repair": "by order only, not by itself",
    "MULE": "lives 1440 loops exactly",
    "ScannerSweep": "lasts to the tick",
    "Salvage": "damage does not break it off",
    "NexusMassRecall": "each Nexus has a cooldown of its own",
    "EnergyRecharge": "each Nexus has a cooldown of its own, and the unit may be anywhere; its raw function is that of "
    "the old Chrono Boost",
    "ShieldBatteryRestore": "by itself only; starts with no more energy beside a Nexus",
    "ForceField": "lasts 240 loops exactly",
    "AdeptShade": "cannot be called off",
    "PsiStorm": "its 80 damage flows evenly over its 64 loops",
    "ArchonMerge": "templars merge by twos in the order of their slots",
    "PurificationNova": "the nova goes to its place and cannot be steered; it bursts on ground units at any level",
    "OracleStasisWard": "springs for ground units within 3 cells, wherever it was activated",
    "GravitonBeam": "the target is stunned but stays within reach of weapons against the ground",
    "CarrierInterceptors": "the Carrier attacks with its interceptors' weapons itself",
    "MothershipMassRecall": "units appear round the Mothership where it is then",
    "Charge": "begins by itself for Zealots that go after an enemy; not by order",
    "ImmortalBarrier": "absorbs weapons' damage, not that of spells",
    "Transfusion": "its three parts of casting are one",
    "CreepTumorQueen": "the tumour burrows the moment it is grown",
    "CreepTumorSpread": "the tumour burrows the moment it is grown",
    "BanelingExplode": "by order; on death only through its weapon",
    "CorrosiveBile": "falls after 40 loops, its flight included",
    "FungalGrowth": "strikes at once; its damage flows evenly",
    "NeuralParasite": "the target is stunned: a unit's owner is its slot",
    "MicrobialShroud": "halves damage of all weapons, not only that of air units; its raw function is that of the old "
    "Infested Terrans",
    "Abduct": "the target is beside the Viper at once",
    "BlindingCloud": "detection of structures inside goes on",
    "ParasiticBomb": "its damage flows evenly, and clouds do not add up",
    "Consume": "its energy flows evenly",
    "SpawnLocusts": "locusts hatch on the ground and do not fly first",
    "BroodlingStrike": "each shot of a Brood Lord leaves a broodling at its target",
    "CausticSpray": "its damage flows evenly",
    "SpawnChangeling": "keeps its own shape",
    "Contaminate": "stops production and research of its target, not its larvae",
    "OverlordTransport": "passengers get out round the transport, wherever there is ground within 3 cells",
    "WarpPrismTransport": "passengers get out round the transport, wherever there is ground within 3 cells",
    "NydusWorm": "may be placed where nobody looks, on the ground nearest to its place",
    "NydusTransport": "all passengers come out at the first end that lets out",
    "UltraliskFrenzied": "immune to concussive slow only",
}
"""Name -> how."""

LEFT_OUT = {
    "ReaperCliffJump": "walls are walls for every unit on the ground",
    "MothershipCloakingField": "pysc2's list has no raw function for it",
    "HydraliskFrenzy": "no file has its upgrade, and pysc2's list no raw function",
    "GenerateCreep": "creep comes of structures only",
    "LurkerHoldFire": "units have no such toggle",
    "BanelingAttackStructures": "units have no such toggle",
}
"""Name -> why."""

EFFECTS_MISSING = {
    "ability_time_loops": "burrowing and changes of mode take as long as before",
    "ability_range": "the range of the ability stays",
    "cargo_count": "transports hold as much as before",
    "acceleration": "",
    "text": "",
}
"""Field of an upgrade's effect (`tables.UpgradeEffect`) that is not applied -> what that means, if anything."""
