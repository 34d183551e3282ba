"""What each field of an observation says, in hand-made games of all races."""

import jax
import numpy as np
import pytest

from asterism.game.game import draw_told
from asterism.interface.observation import Alliance, Cloak, DisplayType, MapPlane, Race, Statistic
from asterism.interface.observation import EntityField as F

STIMPACK = 27
"""StarCraft II's id of the buff."""
FAR = (10, 55)
"""Where neither player sees anything."""


def give_buff(game, slot, name, loops=100):
    game.state.spells.buffs[slot, game.game.world.magic.buff_index[name]] = loops


def order(game, slot, *names, timer=0.0, working=False):
    for place, name in enumerate(names):
        game.units.order_action[slot, place] = game.actions[name]
    game.units.timer[slot], game.units.working[slot] = timer, working


def plane(game, which, player=0):
    return np.array(game.see()[0].planes[player, which])


def scalars(game, player=0):
    return jax.tree.map(lambda leaf: np.array(leaf[player]), game.see()[0].scalars)


def test_what_units_are(arena):
    for name in ("TerranInfantryWeaponsLevel1", "TerranInfantryWeaponsLevel2", "TerranInfantryArmorsLevel1"):
        arena.learn(name)
    marine, rider = arena.put("Marine", 26, 26, health=22), arena.put("Marine", 30, 30)
    medivac, banshee, zealot = (arena.put(n, 30, 26 + i) for i, n in enumerate(("Medivac", "Banshee", "Zealot")))
    arena.learn("ProtossShieldsLevel1").learn("ChitinousPlating")
    arena.state.spells.inside[rider] = medivac
    give_buff(arena, marine, "Stimpack")
    give_buff(arena, banshee, "BansheeCloak")
    give_buff(arena, zealot, "Hallucination")
    arena.units.energy[medivac], arena.units.cooldown[marine] = 50, 7
    row = arena.row(marine)
    assert row[F.ALLIANCE] == Alliance.SELF and row[F.DISPLAY_TYPE] == DisplayType.VISIBLE
    assert (row[F.HEALTH], row[F.HEALTH_RATIO]) == (22, 22 * 255 // 45)
    assert (row[F.WEAPON_UPGRADE], row[F.ARMOR_UPGRADE], row[F.SHIELD_UPGRADE]) == (2, 1, 0)
    assert (row[F.BUFF_0], row[F.BUFF_1], row[F.CLOAK], row[F.WEAPON_COOLDOWN]) == (STIMPACK, 0, Cloak.NONE, 7)
    assert arena.row(rider)[F.IN_CARGO] == 1 and row[F.IN_CARGO] == 0
    row = arena.row(medivac)
    assert (row[F.CARGO_USED], row[F.CARGO_MAX]) == (1, 8)
    assert (row[F.ENERGY], row[F.ENERGY_RATIO]) == (50, 50 * 255 // 200)
    assert arena.row(banshee)[F.CLOAK] == Cloak.ALLIED
    row = arena.row(zealot)
    assert (row[F.SHIELD_UPGRADE], row[F.HALLUCINATION], row[F.SHIELD]) == (1, 1, 50)


def test_levels_are_of_upgrades_by_levels_only(arena):
    ultralisk = arena.learn("ChitinousPlating").learn("ZergGroundArmorsLevel1").put("Ultralisk", 26, 26)
    assert arena.row(ultralisk)[F.ARMOR_UPGRADE] == 1


def test_a_cloaked_unit_does_not_learn_that_it_is_detected(arena):
    """The detector may be one that its player does not see."""
    banshee = arena.put("Banshee", 26, 26)
    give_buff(arena, banshee, "BansheeCloak")
    arena.put("Observer", 26, 30, player=1)
    assert arena.row(banshee)[F.CLOAK] == Cloak.ALLIED
    assert arena.row(banshee, player=1)[F.CLOAK] == Cloak.DETECTED


def test_what_units_are_told(arena):
    marine, hall = arena.put("Marine", 26, 26), arena.put("CommandCenter", 34.5, 22.5)
    names = ("Move_pt", "Attack_pt", "Patrol_pt", "HoldPosition_quick")
    order(arena, marine, *names)
    time = float(
        arena.rules.tasks.time[arena.rules.task[arena.actions["Train_SCV_quick"], arena.kinds["CommandCenter"]]]
    )
    order(arena, hall, "Train_SCV_quick", timer=time / 4, working=True)
    row = arena.row(marine)
    assert [row[field] - 1 for field in (F.ORDER_0, F.ORDER_1, F.ORDER_2, F.ORDER_3)] == [
        arena.actions[n] for n in names
    ]
    assert (row[F.ORDER_LENGTH], row[F.ACTIVE], row[F.ORDER_PROGRESS_0]) == (4, 0, 0)
    row = arena.row(hall)
    assert (row[F.ORDER_LENGTH], row[F.ACTIVE], row[F.ORDER_PROGRESS_0]) == (1, 1, 255 * 3 // 4)


def test_a_reactor_s_order_is_its_structure_s_second(arena):
    barracks = arena.put("Barracks", 26.5, 38.5)
    arena.units.addon[barracks] = reactor = arena.put("BarracksReactor", 29, 38)
    time = float(arena.rules.tasks.time[arena.rules.task[arena.actions["Train_Reaper_quick"], arena.kinds["Barracks"]]])
    order(arena, barracks, "Train_Marine_quick", "Train_Marine_quick")
    order(arena, reactor, "Train_Reaper_quick", timer=time / 2, working=True)
    row, marine, reaper = arena.row(barracks), *(1 + arena.actions[f"Train_{n}_quick"] for n in ("Marine", "Reaper"))
    assert [row[field] for field in (F.ORDER_0, F.ORDER_1, F.ORDER_2, F.ORDER_3)] == [marine, reaper, marine, 0]
    assert (row[F.ORDER_LENGTH], row[F.ORDER_PROGRESS_0], row[F.ORDER_PROGRESS_1]) == (3, 0, 127)
    assert row[F.ADDON] == arena.kinds["BarracksReactor"]


def test_loads_are_buffs(arena):
    for name, carrying, load, buff in (
        *(("SCV", 1, 5, 271), ("SCV", 1, 7, 272), ("SCV", 2, 4, 273)),
        *(("Probe", 2, 4, 274), ("Drone", 2, 4, 275), ("Drone", 0, 0, 0)),
    ):
        slot = arena.put(name, 26, 26)
        arena.units.carrying[slot], arena.units.load[slot] = carrying, load
        assert arena.row(slot)[F.BUFF_0] == buff


def test_power_harvesters_and_statistics(arena):
    gate, dark = arena.put("WarpGate", 30.5, 26.5), arena.put("Gateway", 45.5, 20.5)
    arena.put("Pylon", 33, 29)
    arena.put("Larva", 20, 20)
    assert arena.row(gate)[F.POWERED] == 1 and arena.row(dark)[F.POWERED] == 0
    stats = scalars(arena).statistics
    assert (stats[Statistic.WARP_GATES], stats[Statistic.LARVA]) == (1, 1)
    hall = arena.row(0)
    assert (hall[F.ASSIGNED_HARVESTERS], hall[F.IDEAL_HARVESTERS]) == (0, 16)
    drone = arena.put("Drone", *arena.units.position[0])
    order(arena, drone, "Harvest_Gather_unit")
    field = int(np.hypot(*(np.array(arena.game.world.terrain.resources) - arena.units.position[0]).T).argmin())
    arena.units.order_target[drone, 0] = 2 * arena.slots + field
    assert arena.row(0)[F.ASSIGNED_HARVESTERS] == 1


def test_an_enemy_shows_what_it_looks_like_and_hides_what_it_is_told(arena):
    arena.put("Marine", 26, 26)
    medivac, hall = arena.put("Medivac", 28, 26, player=1), arena.put("Barracks", 30.5, 22.5, player=1)
    arena.units.addon[hall] = arena.put("BarracksReactor", 33, 22, player=1)
    arena.units.energy[medivac], arena.units.cooldown[medivac] = 50, 9
    arena.state.spells.inside[arena.put("Marine", 28, 26, player=1)] = medivac
    give_buff(arena, hall, "ChronoBoostEnergyCost")
    order(arena, hall, "Train_Marine_quick", timer=1.0, working=True)
    arena.learn("TerranVehicleAndShipArmorsLevel1", player=1)
    row = arena.row(medivac)
    assert (row[F.ENERGY], row[F.HEALTH], row[F.ARMOR_UPGRADE]) == (50, 150, 1)
    assert row[F.CARGO_USED] == row[F.CARGO_MAX] == row[F.WEAPON_COOLDOWN] == 0
    row = arena.row(hall)
    assert row[F.BUFF_0] > 0 and row[F.ACTIVE] == 1
    assert row[F.ADDON] == row[F.ORDER_LENGTH] == row[F.ORDER_0] == row[F.ORDER_PROGRESS_0] == 0


def test_resources_are_as_they_were_last_seen(arena):
    world, scout = arena.game.world, arena.put("Zergling", *FAR)
    place = np.array(world.terrain.resources)
    away = np.hypot(*(place - world.terrain.starts[0]).T)
    field = int(np.where(np.array(world.terrain.is_geyser), 0, away).argmax())  # beside the enemy
    code, full = 2 * arena.slots + field, float(world.terrain.contents[field])
    shown = lambda: [arena.row(code)[f] for f in (F.DISPLAY_TYPE, F.MINERALS, F.MINED_MINERALS)]  # noqa: E731
    arena.state.amounts[field] = full - 300
    assert shown() == [DisplayType.SNAPSHOT, full, 0]
    arena.units.position[scout] = place[field] + (1, 0)
    assert shown() == [DisplayType.VISIBLE, full - 300, 300]
    arena.units.position[scout] = FAR
    arena.state.amounts[field] = 0
    assert shown() == [DisplayType.SNAPSHOT, full - 300, 300]
    arena.units.position[scout] = place[field] + (1, 0)
    assert arena.row(code) is None


def test_a_structure_that_is_to_be_built_is_a_placeholder(arena):
    scv = arena.put("SCV", 26, 26)
    arena.money(1000).order("Build_SupplyDepot_pt", scv, place=(40, 40))

    def listed(player=0):
        rows = np.array(arena.see()[0].entities[player])
        return rows[rows[:, F.DISPLAY_TYPE] == DisplayType.PLACEHOLDER]

    (row,) = listed()
    assert (row[F.UNIT_TYPE], row[F.ALLIANCE]) == (arena.kinds["SupplyDepot"], Alliance.SELF)
    np.testing.assert_allclose(row[[F.X, F.Y]] / 8, arena.units.order_position[scv, 0])
    assert row[F.BUILD_PROGRESS] == row[F.HEALTH] == 0
    assert len(listed(1)) == 0
    # Nothing can be done to it: no code of it is in the list by which actions are read.
    assert (arena.state.turn.entities[0] < 2 * arena.slots + len(arena.state.amounts)).all()
    arena.until(lambda: arena.count("SupplyDepot") == 1, 40)
    assert len(listed()) == 0


def test_alerts_are_where_own_units_were_hit_since_their_player_last_acted(arena):
    alerts = lambda player=0: np.argwhere(plane(arena, MapPlane.ALERTS, player)).tolist()  # noqa: E731
    marine = arena.put("Marine", 26, 26)
    arena.put("Marine", 40, 40)
    assert alerts() == []
    zealot = arena.put("Zealot", 27, 26, player=1)
    arena.units.cooldown[marine] = 1e6
    arena.wait(2)
    assert arena.units.health[marine] < 45
    assert alerts() == [[6, 6]] and alerts(1) == []
    arena.units.type[zealot] = 0
    arena.wait(1)
    assert alerts() == []
    zealot = arena.put("Zealot", 27, 26, player=1)
    arena.play(arena.action(delay=32))
    arena.wait(1)
    arena.units.type[zealot] = 0
    arena.wait(1)
    assert alerts() == [[6, 6]]  # the player has not looked since
    arena.wait(3)
    assert alerts() == []


def test_creep_is_as_it_was_last_seen(arena):
    arena.state.zerg.creep[0] = 10
    x, y = (np.array(arena.game.world.terrain.starts[0]) // 4).astype(int)
    creep = lambda player: plane(arena, MapPlane.CREEP, player)[y, x]  # noqa: E731
    assert creep(0) == 1 and creep(1) == 0
    scout = arena.put("Zealot", *arena.game.world.terrain.starts[0], player=1)
    assert creep(1) == 1
    arena.units.position[scout] = FAR
    arena.state.zerg.creep[0] = 0
    assert creep(0) == 0 and creep(1) == 1
    arena.units.position[scout] = arena.game.world.terrain.starts[0]
    assert creep(1) == 0


def test_the_enemy_s_upgrades_are_those_that_its_units_in_sight_show(arena):
    upgrades = ("ZergMeleeWeaponsLevel1", "ZergGroundArmorsLevel1", "ZergMissileWeaponsLevel1", "overlordspeed")
    for name in upgrades:
        arena.learn(name)
    known = lambda: {  # noqa: E731
        arena.game.description.upgrades[i] for i in np.flatnonzero(scalars(arena, 1).enemy_upgrades)
    }
    arena.put("Zealot", 26, 26, player=1)
    assert known() == set()
    zergling = arena.put("Zergling", 28, 26)
    assert known() == set(upgrades[:2])
    assert arena.row(zergling, player=1)[F.WEAPON_UPGRADE] == 1
    arena.units.position[zergling] = FAR
    arena.put("Overlord", 27, 26)
    assert known() == set(upgrades[:2])
    arena.put("Roach", 28, 26)
    assert known() == set(upgrades[:3])
    assert not scalars(arena, 0).enemy_upgrades.any()


def test_the_enemy_s_race_may_be_hidden_until_it_is_seen(arena):
    races = lambda player: scalars(arena, player).races.tolist()  # noqa: E731
    assert races(0) == [Race.ZERG, Race.PROTOSS] and races(1) == [Race.PROTOSS, Race.ZERG]
    arena.state.players.knows_race[0] = False
    assert races(0) == [Race.ZERG, Race.UNKNOWN] and races(1) == [Race.PROTOSS, Race.ZERG]
    probe = arena.put("Probe", *arena.units.position[0], player=1)
    assert races(0) == [Race.ZERG, Race.PROTOSS]
    arena.units.position[probe] = FAR
    assert races(0) == [Race.ZERG, Race.PROTOSS]


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_in_how_many_games_it_is_hidden(share):
    told = jax.vmap(lambda key: draw_told(key, share))(jax.random.split(jax.random.key(0), 2000))
    hidden = 1 - np.array(told).mean(0)
    assert (abs(hidden - share) < 0.03 * (0 < share < 1) + 1e-9).all()
