"""What is each race's own: larvae and creep, power and warp gates, add-ons and structures that fly."""

import numpy as np
import pytest

TICK = 8
HATCHERY = 0


def slots_of(game, name, player=0):
    first = player * game.slots
    return [first + int(s) for s in np.flatnonzero(game.units.type[first : first + game.slots] == game.kinds[name])]


def start(game, player):
    return np.array(game.game.world.terrain.starts[player])


# ---------------------------------------------------------------------------------------------------------------- Zerg


def test_a_hatchery_has_three_larvae_and_gets_the_next_eleven_seconds_after_one_is_used(full):
    assert full.count("Larva") == 3
    full.wait(60)
    assert full.count("Larva") == 3
    full.money(50).order("Train_Drone_quick", slots_of(full, "Larva")[0])
    assert (full.count("Larva"), full.count("Egg"), full.minerals()) == (2, 1, 0)
    assert abs(full.until(lambda: full.count("Larva") == 3, 40) * TICK - 240) <= 2 * TICK


@pytest.mark.parametrize(
    ("action", "name", "count", "loops"),
    [("Train_Drone_quick", "Drone", 1, 272), ("Train_Zergling_quick", "Zergling", 2, 384)],
)
def test_eggs_hatch_what_was_paid_for(full, action, name, count, loops):
    full.put("SpawningPool", 18, 18)
    full.money(1000).order(action, slots_of(full, "Larva")[0])
    assert full.minerals() == 950
    stats = full.see()[0].scalars.statistics[0]
    assert stats[2] == 1  # the egg takes the supply of what is in it
    taken = full.until(lambda: full.count(name) > 0, 60) + 1
    assert full.count(name) == count and full.count("Egg") == 0
    assert abs(taken * TICK - loops) <= TICK


def test_a_drone_becomes_the_structure_and_comes_back_when_that_is_called_off(full):
    drone = full.put("Drone", *(start(full, 0) + (5, 5)))
    site = np.floor(start(full, 0)) + (6.5, 0.5)
    full.money(250).order("Build_SpawningPool_pt", drone, place=site)
    full.until(lambda: full.count("SpawningPool") == 1, 60)
    assert full.minerals() == 50 and full.count("Drone") == 0
    assert full.units.type[drone] == full.kinds["SpawningPool"]
    full.wait(10)
    assert 0 < full.units.build_left[drone] < 1040 and full.units.health[drone] > 100
    full.order("Cancel_quick", drone)
    assert full.units.type[drone] == full.kinds["Drone"]
    assert full.minerals() == 50 + 150


def test_structures_of_zerg_need_creep_and_those_of_others_its_absence(full):
    x, y = start(full, 0)
    drone = full.put("Drone", x + 5, y + 5)
    full.money(2000)
    far = (40.5, 40.5)  # no creep in the middle of the map
    full.order("Build_EvolutionChamber_pt", drone, place=far)
    assert full.orders(drone) == []
    scv = full.put("SCV", x + 5, y - 5)
    full.order("Build_SupplyDepot_pt", scv, place=(x + 7, y))
    assert full.orders(scv) == []
    full.order("Build_SupplyDepot_pt", scv, place=(40, 40))
    assert full.orders(scv) == ["Build_SupplyDepot_pt"]


def test_a_hatchery_becomes_a_lair_which_counts_as_a_hatchery(full):
    full.put("SpawningPool", 18, 18)
    full.money(150, 100).order("Morph_Lair_quick", HATCHERY)
    assert (full.minerals(), full.vespene()) == (0, 0)
    assert abs((full.until(lambda: full.count("Lair") == 1, 170) + 1) * TICK - 1280) <= TICK
    assert full.units.health[HATCHERY] == 2000
    full.put("RoachWarren", 24, 18)
    full.money(1000, 1000).see()
    available = full.state.turn.available[0]
    assert available[full.actions["Research_GlialRegeneration_quick"]] and available[full.actions["Train_Queen_quick"]]


def test_a_morph_that_is_called_off_is_paid_back(full):
    full.put("SpawningPool", 18, 18)
    full.money(150, 100).order("Morph_Lair_quick", HATCHERY).wait(5)
    full.order("Cancel_quick", HATCHERY)
    assert (full.minerals(), full.vespene()) == (150, 100) and full.orders(HATCHERY) == []


def test_zerglings_become_banelings_in_cocoons(full):
    full.put("BanelingNest", 18, 18)
    pair = [full.put("Zergling", 20 + i, 20) for i in range(2)]
    full.money(25, 25).order("Train_Baneling_quick", *pair)
    assert full.count("BanelingCocoon") == 1  # the money is there for one
    assert (full.minerals(), full.vespene()) == (0, 0)
    full.until(lambda: full.count("Baneling") == 1, 45)
    assert full.count("Zergling") == 1


@pytest.mark.parametrize("order", ["Stop_quick", "HoldPosition_quick", "Move_pt"])
def test_nothing_but_its_end_takes_a_change_of_form_from_who_is_at_it(full, order):
    """A cocoon hatches whatever it is told, a tank goes on to dig in; told for later, they do it later."""
    full.put("BanelingNest", 18, 18)
    ling, tank = full.put("Zergling", 20, 20), full.put("SiegeTank", 30, 38)
    full.money(25, 25).order("Train_Baneling_quick", ling).order("Morph_SiegeMode_quick", tank)
    full.order(order, ling, tank, place=(26, 26))
    assert (full.first_order(ling), full.first_order(tank)) == ("Train_Baneling_quick", "Morph_SiegeMode_quick")
    full.order("Patrol_pt", ling, place=(26, 26), queued=1)
    full.until(lambda: full.count("Baneling") == 1, 45)
    assert full.count("SiegeTankSieged") == 1 and full.first_order(ling) == "Patrol_pt"


def test_creep_of_a_new_tumour_grows_to_its_full_radius(full):
    tumour = full.put("CreepTumor", 32, 40)
    full.state.zerg.creep[tumour] = 0
    full.wait(5)
    assert abs(full.state.zerg.creep[tumour] - 40 / 10.08) < 0.1
    full.wait(20)
    np.testing.assert_allclose(full.state.zerg.creep[tumour], 10.3, atol=0.1)


# ------------------------------------------------------------------------------------------------------------- Protoss


def protoss_base(full):
    """A pylon, a cybernetics core and money; the place of the pylon."""
    x, y = np.floor(start(full, 1)) - (7, 0)
    full.put("Pylon", x, y, player=1)
    full.put("CyberneticsCore", x + 2.5, y + 3.5, player=1)
    full.money(2000, 2000, player=1)
    return x, y


def test_a_probe_leaves_what_it_warps_in_where_there_is_power(full):
    x, y = protoss_base(full)
    probe = full.put("Probe", x, y - 3, player=1)
    full.order("Build_Gateway_pt", probe, place=(20.5, 30.5), player=1)
    assert full.orders(probe) == []
    full.order("Build_Gateway_pt", probe, place=(x - 3.5, y + 0.5), player=1)
    full.until(lambda: full.count("Gateway", 1) == 1, 60)
    gateway = slots_of(full, "Gateway", 1)[0]
    left = full.units.build_left[gateway]
    full.wait(10)
    assert full.first_order(probe) != "Build_Gateway_pt"
    np.testing.assert_allclose(full.units.build_left[gateway], left - 80)
    assert 50 < full.units.shield[gateway] < 500


def test_without_its_pylon_a_gateway_stands_still(full):
    x, y = protoss_base(full)
    gateway = full.put("Gateway", x - 3.5, y + 0.5, player=1)
    full.order("Train_Zealot_quick", gateway, player=1).wait(5)
    left = full.units.timer[gateway]
    full.units.type[slots_of(full, "Pylon", 1)[0]] = 0
    full.wait(5)
    assert full.units.timer[gateway] == left < 608


def test_gateways_become_warp_gates_that_warp_in_where_there_is_power(full):
    x, y = protoss_base(full)
    gate = full.put("Gateway", x - 3.5, y + 0.5, player=1)
    full.state.players.upgrades[1, full.game.description.upgrades.index("WarpGateResearch")] = True
    full.wait(22)
    assert full.units.type[gate] == full.kinds["WarpGate"]
    away = full.put("Pylon", 40, 24, player=1)
    full.order("TrainWarp_Stalker_pt", gate, place=(42, 24), player=1)
    stalker = slots_of(full, "Stalker", 1)[0]
    assert (full.minerals(1), full.vespene(1)) == (2000 - 125, 2000 - 50)
    assert 240 < full.units.build_left[stalker] <= 256  # slow: the pylon stands alone
    assert np.abs(full.units.position[stalker] - full.units.position[away]).max() < 6.5
    assert 500 < full.units.cooldown[gate] <= 512
    full.order("TrainWarp_Stalker_pt", gate, place=(42, 24), player=1)
    assert full.count("Stalker", 1) == 1  # the gate is not ready
    full.units.cooldown[gate] = 0
    full.order("TrainWarp_Zealot_pt", gate, place=(x, y - 2), player=1)
    zealot = slots_of(full, "Zealot", 1)[0]
    assert 70 < full.units.build_left[zealot] <= 81  # fast: the pylon stands beside the gate and the nexus
    full.units.cooldown[gate] = 0
    full.order("TrainWarp_Zealot_pt", gate, place=(32, 50), player=1)
    assert full.count("Zealot", 1) == 1  # no power there


def test_shields_come_back_ten_seconds_after_the_last_damage(full):
    zealot = full.put("Zealot", 40, 40, player=1)
    full.units.shield[zealot], full.units.quiet[zealot] = 10, 0
    full.wait(20)
    assert full.units.shield[zealot] == 10
    full.wait(10)
    np.testing.assert_allclose(full.units.shield[zealot], 10 + 80 * 0.125)


def test_zerg_mend_and_casters_gain_energy(full):
    roach, queen = full.put("Roach", 30, 38), full.put("Queen", 33, 38)
    full.units.health[roach] = 100
    full.wait(100)
    np.testing.assert_allclose(full.units.health[roach], 100 + 800 * 0.0170875, rtol=1e-4)
    np.testing.assert_allclose(full.units.energy[queen], 25 + 800 * 0.03515625, rtol=1e-4)


# -------------------------------------------------------------------------------------------------------------- Terran


def test_a_reactor_trains_beside_its_barracks(full):
    barracks = full.put("Barracks", 26.5, 38.5)
    full.units.addon[barracks] = full.put("BarracksReactor", 29, 38)
    full.money(200)
    for _ in range(2):
        full.order("Train_Marine_quick", barracks)
    full.until(lambda: full.count("Marine") == 2, 60)
    assert full.minerals() == 100
    full.order("Train_Reaper_quick", barracks)
    full.order("Train_Marauder_quick", barracks)
    assert full.orders(barracks) == []  # no vespene, and no tech lab


def test_nothing_is_trained_behind_a_lift_off(full):
    barracks = full.put("Barracks", 26.5, 38.5)
    full.money(200).order("Lift_quick", barracks).order("Train_Marine_quick", barracks)
    assert full.orders(barracks) == ["Lift_quick"] and full.minerals() == 200


def test_a_barracks_flies_off_and_a_factory_takes_its_tech_lab(full):
    barracks, factory = full.put("Barracks", 26.5, 38.5), full.put("Factory", 36.5, 38.5)
    lab = full.put("BarracksTechLab", 29, 38)
    full.units.addon[barracks] = lab
    full.order("Lift_quick", barracks).wait(6)
    assert full.units.type[barracks] == full.kinds["BarracksFlying"] and full.units.addon[barracks] == -1
    full.order("Move_pt", barracks, place=(30, 48)).wait(60)
    full.order("Lift_quick", factory).wait(6)
    full.order("Land_pt", factory, place=(26.5, 38.5))
    full.until(lambda: full.units.type[factory] == full.kinds["Factory"], 200)
    np.testing.assert_allclose(full.units.position[factory], (26.5, 38.5))
    full.wait(6)
    assert full.units.addon[factory] == lab and full.units.type[lab] == full.kinds["FactoryTechLab"]
    full.money(1000, 1000).order("Train_SiegeTank_quick", factory)
    assert full.orders(factory) == ["Train_SiegeTank_quick"]


def test_modes_cost_nothing_and_take_their_time(full):
    tank = full.put("SiegeTank", 30, 38)
    full.order("Morph_SiegeMode_quick", tank)
    assert abs((full.until(lambda: full.count("SiegeTankSieged") == 1, 12) + 1) * TICK - 65) <= TICK
    full.order("Morph_Unsiege_quick", tank)
    full.until(lambda: full.count("SiegeTank") == 1, 12)
    assert full.minerals() == 50


def test_an_orbital_command_is_a_command_center_with_energy(full):
    full.put("Barracks", 36.5, 38.5)
    centre = full.put("CommandCenter", 27.5, 38.5)
    full.money(150).order("Morph_OrbitalCommand_quick", centre)
    full.until(lambda: full.count("OrbitalCommand") == 1, 75)
    assert 50 <= full.units.energy[centre] < 51 and full.minerals() == 0
    assert full.units.health[centre] == 1500


def test_a_command_center_at_work_lets_nobody_out_and_loses_nothing_it_was_paid_for(full):
    centre = full.put("CommandCenter", 27.5, 38.5)
    rider = full.put("SCV", 27.5, 38.5)
    full.state.spells.inside[rider] = centre
    full.money(100).order("Train_SCV_quick", centre).order("UnloadAll_quick", centre)
    assert (full.orders(centre), full.minerals()) == (["Train_SCV_quick"], 50)
    full.until(lambda: full.orders(centre) == [], 40)
    full.order("UnloadAll_quick", centre).wait(2)
    assert full.state.spells.inside[rider] == -1


def test_a_bunker_calls_in_those_alone_who_fit(full):
    bunker, barracks = full.put("Bunker", 26.5, 26.5), full.put("Barracks", 26.5, 38.5)
    marine = full.put("Marine", 29, 27)
    full.money(50).order("Train_Marine_quick", barracks).order("Load_unit", bunker, target=barracks)
    assert full.orders(barracks) == ["Train_Marine_quick"]
    full.order("Load_unit", bunker, target=marine)
    full.until(lambda: full.state.spells.inside[marine] == bunker, 20)


def test_levels_of_an_upgrade_come_one_after_the_other(full):
    bay = full.put("EngineeringBay", 26.5, 38.5)
    names = full.game.description.upgrades
    first, second = (names.index(f"TerranInfantryWeaponsLevel{level}") for level in (1, 2))
    full.money(1000, 1000).order("Research_TerranInfantryWeapons_quick", bay)
    assert full.minerals() == 900
    full.units.timer[bay] = 1
    full.wait(2)
    assert full.state.players.upgrades[0, first]
    full.order("Research_TerranInfantryWeapons_quick", bay)
    assert full.orders(bay) == []  # the second level needs an armory
    full.put("Armory", 36.5, 38.5)
    full.order("Research_TerranInfantryWeapons_quick", bay)
    assert full.minerals() == 750
    full.units.timer[bay] = 1
    full.wait(2)
    assert full.state.players.upgrades[0, second]
