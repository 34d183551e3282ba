"""What an action did not do, and why: reported in the real game's own numbers."""

import numpy as np
import pytest

from asterism.interface.action import ActionResult

OFFICIAL = {  # s2clientprotocol/error.proto
    "Success": 1,
    "NotSupported": 2,
    "Error": 3,
    "Retry": 5,
    "Cooldown": 6,
    "QueueIsFull": 7,
    "NotEnoughMinerals": 9,
    "NotEnoughVespene": 10,
    "NotEnoughFood": 13,
    "NotEnoughLife": 15,
    "NotEnoughEnergy": 17,
    "CantTargetThatUnit": 36,
    "BuildTechRequirementsNotMet": 40,
    "CantBuildLocationInvalid": 44,
    "CantBuildTooCloseToCreepSource": 46,
    "CantBuildTooFarFromCreepSource": 49,
    "CantBuildTooFarFromBuildPowerSource": 50,
    "CantTrainTooFarFromTrainPowerSource": 52,
    "CantLandLocationInvalid": 53,
    "CantWarpInUnitsThere": 69,
    "TechRequirementsNotMet": 79,
    "MustTargetVisibleUnit": 83,
    "MustTargetVisibleLocation": 84,
    "OrderQueueIsFull": 203,
}


def result(game, player=0):
    return ActionResult(int(game.timestep.result[player]))


def larvae(game):
    return [int(s) for s in np.flatnonzero(game.units.type[: game.slots] == game.kinds["Larva"])]


def start(game, player):
    return np.array(game.game.world.terrain.starts[player])


def test_every_result_has_the_number_of_the_real_games_interface():
    short = {
        name.upper().replace("BUILDPOWER", "POWER").replace("TRAINPOWER", "POWER"): number
        for name, number in OFFICIAL.items()
    }
    assert {result.name.replace("_", ""): result.value for result in ActionResult} == short


def test_what_training_lacks(full):
    larva = larvae(full)
    full.order("Train_Roach_quick", larva[0])
    assert result(full) is ActionResult.TECH_REQUIREMENTS_NOT_MET
    full.money(20).order("Train_Drone_quick", larva[0])
    assert result(full) is ActionResult.NOT_ENOUGH_MINERALS
    full.put("RoachWarren", 18, 18)
    full.money(1000).order("Train_Roach_quick", larva[0])
    assert result(full) is ActionResult.NOT_ENOUGH_VESPENE
    full.order("Train_Overlord_quick", larva[0])
    assert result(full) is ActionResult.SUCCESS
    for i in range(14):
        full.put("Drone", 20 + i % 4, 36 + i // 4)
    full.order("Train_Drone_quick", larva[1])
    assert result(full) is ActionResult.NOT_ENOUGH_FOOD


def test_what_a_site_lacks(full):
    x, y = start(full, 0)
    drone = full.put("Drone", x + 5, y + 5)
    full.money(1000)
    full.order("Build_RoachWarren_pt", drone, place=(x + 5, y + 5))
    assert result(full) is ActionResult.BUILD_TECH_REQUIREMENTS_NOT_MET
    full.order("Build_SpawningPool_pt", drone, place=(40, 40))
    assert result(full) is ActionResult.CANT_BUILD_TOO_FAR_FROM_CREEP_SOURCE
    scv = full.put("SCV", x + 5, y - 5)
    full.order("Build_SupplyDepot_pt", scv, place=(x + 7, y))
    assert result(full) is ActionResult.CANT_BUILD_TOO_CLOSE_TO_CREEP_SOURCE
    for i in range(9):
        full.put("CommandCenter", 38.5 + 5 * (i % 3), 34.5 + 5 * (i // 3))
    full.order("Build_SupplyDepot_pt", scv, place=(43, 39))
    assert result(full) is ActionResult.CANT_BUILD_LOCATION_INVALID
    full.money(30).order("Build_SupplyDepot_pt", scv, place=(30, 50))
    assert result(full) is ActionResult.NOT_ENOUGH_MINERALS
    probe = full.put("Probe", 40, 42, player=1)
    full.money(1000, player=1).order("Build_Gateway_pt", probe, place=(24, 32), player=1)
    assert result(full, 1) is ActionResult.CANT_BUILD_TOO_FAR_FROM_POWER_SOURCE


def test_a_structure_without_power_takes_no_orders_to_train(arena):
    gateway = arena.put("Gateway", 30.5, 26.5)
    arena.money(1000).order("Train_Zealot_quick", gateway)
    assert (result(arena), arena.minerals()) == (ActionResult.CANT_TRAIN_TOO_FAR_FROM_POWER_SOURCE, 1000)
    arena.put("Pylon", 33, 29)
    arena.order("Train_Zealot_quick", gateway)
    assert (result(arena), arena.minerals()) == (ActionResult.SUCCESS, 900)


def test_warp_ins_need_power_where_they_are_to_be_and_a_gate_that_is_ready(arena):
    gate = arena.put("WarpGate", 30.5, 26.5)
    arena.put("Pylon", 33, 29)
    arena.money(1000).order("TrainWarp_Zealot_pt", gate, place=(30, 50))
    assert result(arena) is ActionResult.CANT_WARP_IN_UNITS_THERE
    arena.order("TrainWarp_Zealot_pt", gate, place=(33, 31))
    assert result(arena) is ActionResult.SUCCESS
    arena.order("TrainWarp_Zealot_pt", gate, place=(33, 31))
    assert result(arena) is ActionResult.COOLDOWN


def test_a_full_queue_takes_nothing_more(arena):
    marine, centre = arena.put("Marine", 26, 26), arena.put("CommandCenter", 34.5, 22.5)
    arena.money(1000)
    for x in range(5):
        arena.order("Move_pt", marine, place=(40 + x, 40), queued=1)
        assert result(arena) is ActionResult.SUCCESS
        arena.order("Train_SCV_quick", centre)
    assert result(arena) is ActionResult.SUCCESS
    arena.order("Train_SCV_quick", centre)
    assert (result(arena), arena.minerals()) == (ActionResult.QUEUE_IS_FULL, 750)
    arena.order("Move_pt", marine, place=(20, 20), queued=1)
    assert (result(arena), len(arena.orders(marine))) == (ActionResult.ORDER_QUEUE_IS_FULL, 5)
    arena.order("Move_pt", marine, place=(20, 20))
    assert (result(arena), len(arena.orders(marine))) == (ActionResult.SUCCESS, 1)


def test_what_a_spell_lacks(arena):
    stalker, marine = arena.put("Stalker", 26, 20), arena.put("Marine", 30, 20)
    templar, foe = arena.put("HighTemplar", 26, 26), arena.put("Infestor", 29, 26, player=1)
    arena.units.cooldown[[stalker, marine]] = 1e6
    arena.order("Effect_Blink_pt", stalker, place=(26, 16))
    assert result(arena) is ActionResult.TECH_REQUIREMENTS_NOT_MET
    arena.learn("BlinkTech").learn("Stimpack").order("Effect_Blink_pt", stalker, place=(26, 16))
    assert result(arena) is ActionResult.SUCCESS
    arena.order("Effect_Blink_pt", stalker, place=(26, 20))
    assert result(arena) is ActionResult.COOLDOWN
    arena.units.energy[templar] = 20
    arena.order("Effect_Feedback_unit", templar, target=foe)
    assert result(arena) is ActionResult.NOT_ENOUGH_ENERGY
    other = arena.put("HighTemplar", 28, 22)
    arena.units.energy[[templar, other]] = 20, 200
    arena.order("Effect_Feedback_unit", templar, target=foe)  # the action is available, of another
    assert result(arena) is ActionResult.NOT_ENOUGH_ENERGY
    arena.order("Effect_Feedback_unit", other, target=marine)
    assert result(arena) is ActionResult.CANT_TARGET_THAT_UNIT
    arena.units.health[marine] = 10
    arena.order("Effect_Stim_quick", marine)
    assert result(arena) is ActionResult.NOT_ENOUGH_LIFE


@pytest.mark.parametrize(
    ("name", "code"), [("Move_pt", ActionResult.SUCCESS), ("Train_SCV_quick", ActionResult.NOT_SUPPORTED)]
)
def test_units_that_cannot_are_told_apart_from_those_that_can(arena, name, code):
    marine = arena.put("Marine", 26, 26)
    arena.put("CommandCenter", 34.5, 22.5)
    arena.money(1000).order(name, marine, place=(30, 30))
    assert result(arena) is code


def test_a_structure_that_finds_no_ground_to_land_on_says_so(arena):
    barracks = arena.put("BarracksFlying", 46.5, 40.5)
    for i in range(9):
        arena.put("CommandCenter", 38.5 + 5 * (i % 3), 34.5 + 5 * (i // 3))
    arena.order("Land_pt", barracks, place=(43, 39))
    assert result(arena) is ActionResult.CANT_LAND_LOCATION_INVALID


def test_a_worker_that_finds_its_money_gone_reports_it_on_arrival(full):
    scv = full.put("SCV", 44, 24)
    full.money(100).order("Build_SupplyDepot_pt", scv, place=(24, 40))
    assert result(full) is ActionResult.SUCCESS
    full.money(30)
    full.until(lambda: result(full) is not ActionResult.SUCCESS, 200)
    assert result(full) is ActionResult.NOT_ENOUGH_MINERALS
