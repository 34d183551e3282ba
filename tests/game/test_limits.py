"""The camera, the rate limit and latency: one game with all of them (`view`), in ticks of 1 game loop, steps of 4."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from asterism.errors import UserError
from asterism.game.commands import _without_changed
from asterism.game.limits import seen_through_camera
from asterism.game.rules import full
from asterism.game.settings import GameSettings
from asterism.interface.action import ActionResult
from asterism.interface.observation import Alliance, DisplayType, MapPlane, Race
from asterism.interface.observation import EntityField as F
from asterism.interface.spec import random_action, targetable_cells, targetable_entities, through_camera

MIDDLE = (32.0, 32.0)


def result(game):
    return ActionResult(int(game.timestep.result[0]))


def observed(game, player=0):
    return jax.tree.map(lambda leaf: leaf[player], game.see()[0])


def test_enemies_outside_the_camera_are_dots(view):
    """It shows 16 cells to each side of its middle, 10 up and down."""
    view.learn("TerranInfantryWeaponsLevel1", player=1)
    for x, y, inside in ((48, 32, True), (48.125, 32, False), (45, 42, True), (45, 42.125, False), (44, 22, True)):
        watcher, enemy = view.put("Marine", x, y), view.put("Marine", x, y, player=1)
        row = view.row(enemy)
        assert (row[F.ALLIANCE], row[F.DISPLAY_TYPE]) == (Alliance.ENEMY, DisplayType.VISIBLE)
        assert (row[F.X], row[F.Y], row[F.ON_SCREEN]) == (8 * x, 8 * y, inside)
        rest = {f: v for f, v in row.items() if f not in (F.ALLIANCE, F.DISPLAY_TYPE, F.X, F.Y, F.ON_SCREEN)}
        if inside:
            assert (row[F.UNIT_TYPE], row[F.HEALTH], row[F.WEAPON_UPGRADE]) == (view.kinds["Marine"], 45, 1)
        else:
            assert not any(rest.values())
        view.units.type[[watcher, enemy]] = 0


def test_own_units_are_shown_in_full_wherever_they_are(view):
    row = view.row(view.put("Marine", 6, 60, health=30))
    assert (row[F.UNIT_TYPE], row[F.HEALTH], row[F.ON_SCREEN]) == (view.kinds["Marine"], 30, 0)


def test_a_dot_does_not_tell_its_race_or_upgrades(view):
    view.state.players.knows_race[0] = False
    view.learn("TerranInfantryWeaponsLevel1", player=1).put("Marine", 47, 32)
    enemy = view.put("Marine", 50, 32, player=1)
    seen = observed(view).scalars
    assert seen.races.tolist() == [Race.TERRAN, Race.UNKNOWN] and not seen.enemy_upgrades.any()
    view.units.position[enemy] = (46, 32)
    seen = observed(view).scalars
    assert seen.races.tolist() == [Race.TERRAN, Race.TERRAN] and seen.enemy_upgrades.sum() == 1


def test_players_are_told_a_rating(view):
    assert [int(observed(view, player).scalars.mmr) for player in range(2)] == [4000, 5200]


def test_the_camera_moves_as_an_action_and_its_plane_with_it(view):
    view.order("raw_move_camera", place=(20, 40))
    assert result(view) == ActionResult.SUCCESS
    assert view.state.players.camera[0].tolist() == [20.5, 40.5]
    plane = np.array(observed(view).planes[MapPlane.CAMERA])
    # Cells of 4 x 4 whose middle is within (4.5 .. 36.5, 30.5 .. 50.5)
    rows, columns = np.flatnonzero(plane.any(1)), np.flatnonzero(plane.any(0))
    assert (columns.min(), columns.max()) == (1, 8) and (rows.min(), rows.max()) == (8, 12)
    assert plane.sum() == 8 * 5


def test_places_to_build_are_inside_the_camera(view):
    scv = view.put("SCV", 40, 40)
    view.money(1000).order("Build_SupplyDepot_pt", scv, place=(52, 40))
    assert result(view) == ActionResult.MUST_TARGET_VISIBLE_LOCATION and view.orders(scv) == []
    view.order("Build_SupplyDepot_pt", scv, place=(44, 40))
    assert result(view) == ActionResult.SUCCESS and view.orders(scv) == ["Build_SupplyDepot_pt"]
    view.order("Attack_pt", view.put("Marine", 30, 30), place=(60, 60))
    assert result(view) == ActionResult.SUCCESS


def test_units_to_attack_are_inside_the_camera(view):
    marine, near = view.put("Marine", 47, 32), view.put("Marine", 46, 35, player=1)
    view.units.cooldown[[marine, near]] = 1e6
    away = view.put("Marine", 50, 35, player=1)
    view.units.cooldown[away] = 1e6
    view.order("Attack_unit", marine, target=away)
    assert result(view) == ActionResult.MUST_TARGET_VISIBLE_UNIT and view.orders(marine) == []
    view.order("Smart_unit", marine, target=away)
    assert result(view) == ActionResult.SUCCESS
    view.order("Attack_unit", marine, target=near)
    assert result(view) == ActionResult.SUCCESS and view.units.order_target[marine, 0] == near


def test_masks_say_where_targets_may_be(view):
    """What random players do in the middle of a fight is never refused for the camera, whatever the camera shows."""
    game = view.game.description
    for i in range(6):
        view.put("Marine", 30 + i, 32), view.put("Marine", 40 + i, 40, player=1), view.put("SCV", 30 + i, 26)
    view.money(1000)
    size = view.game.size
    draw = jax.jit(lambda key, seen: random_action(key, seen, game, size))
    rng, shown = np.random.default_rng(0), set()
    for seed in range(60):
        view.state.players.camera[0] = rng.uniform(0, 64, 2)
        view.state.turn.next_loop[0] = view.state.loop
        action = jax.tree.map(np.asarray, draw(jax.random.key(seed), observed(view)))
        view.play(action)
        assert result(view) not in (ActionResult.MUST_TARGET_VISIBLE_UNIT, ActionResult.MUST_TARGET_VISIBLE_LOCATION)
        shown.add(game.actions[int(action.action_type)].name)
    assert {"Build_SupplyDepot_pt", "Attack_pt", "Harvest_Gather_unit"} <= shown


def test_what_needs_a_target_on_screen_is_available_only_if_there_is_one(view):
    marine, game = view.put("Marine", 6, 56), view.game.description
    seen, attack = observed(view), view.actions["Attack_unit"]
    near = targetable_entities(game, seen, attack)
    assert seen.scalars.available_actions[attack] == near.any() == (seen.entities[:, F.ON_SCREEN] > 0).any()
    view.state.players.camera[0] = (62, 2)  # nothing but ground
    seen = observed(view)
    assert not (seen.entities[:, F.ON_SCREEN] > 0).any()
    assert not seen.scalars.available_actions[attack] and seen.scalars.available_actions[view.actions["Attack_pt"]]
    view.state.players.camera[0] = view.units.position[marine]
    seen = observed(view)
    there = targetable_entities(game, seen, attack)
    assert seen.scalars.available_actions[attack] and there.sum() == (seen.entities[:, F.ON_SCREEN] > 0).sum() > 0
    cells = np.array(targetable_cells(game, seen, view.actions["Build_Barracks_pt"], view.game.size)).reshape(64, 64)
    np.testing.assert_array_equal(cells[::4, ::4], np.array(seen.planes[MapPlane.CAMERA]) > 0)
    assert targetable_cells(game, seen, view.actions["Move_pt"], view.game.size).all()


def test_who_knows_nothing_of_the_camera_moves_it_first(view):
    scv, marine = view.put("SCV", 40, 40), view.put("Marine", 48, 50)
    foe = view.put("Marine", 50, 52, player=1)
    view.units.cooldown[[marine, foe]] = 1e6
    view.money(1000)
    for name, unit, target in (
        ("Build_SupplyDepot_pt", scv, {"place": (54, 40)}),
        ("Attack_unit", marine, {"target": foe}),
    ):
        view.state.players.camera[0] = MIDDLE
        done = []
        for _ in range(2):
            seen = observed(view)
            action = through_camera(view.game.description, view.game.size, seen, view.action(name, [unit], **target))
            view.play(jax.tree.map(np.asarray, action))
            done.append(view.game.description.actions[int(action.action_type)].name)
            assert result(view) == ActionResult.SUCCESS
        assert done == ["raw_move_camera", name] and view.orders(unit) == [name]


def test_which_actions_need_the_camera():
    game = seen_through_camera(full().description)
    flags = {action.name: action.on_screen for action in game.actions}
    for name in ("Build_Pylon_pt", "TrainWarp_Zealot_pt", "Land_pt", "Effect_PsiStorm_pt", "Attack_unit", "Load_unit"):
        assert flags[name], name
    for name in ("Smart_unit", "Move_pt", "Attack_pt", "Effect_Scan_pt", "Effect_Blink_pt", "Train_SCV_quick"):
        assert not flags[name], name
    assert flags["Build_Refinery_pt"] and not flags["raw_move_camera"] and not full().description.on_screen.any()


def test_an_action_waits_its_latency_to_the_loop(view):
    """Decided at loop 0, carried out at loop 3: a unit has gone for one loop at loop 4, for five at loop 8."""
    marine = view.put("Marine", 30, 32)
    speed = float(view.rules.units.speed[view.kinds["Marine"]])
    view.order("Move_pt", marine, place=(42, 32), delay=5)
    assert view.state.loop == 4 and np.hypot(*(view.units.position[marine] - (30, 32))) == pytest.approx(
        speed, rel=1e-3
    )
    assert not view.timestep.acting[0]  # the delay counts from the decision
    view.wait(1)
    assert np.hypot(*(view.units.position[marine] - (30, 32))) == pytest.approx(5 * speed, rel=1e-3)
    assert view.timestep.acting[0]


def test_who_changes_while_an_action_waits_is_not_meant():
    """A unit that died, whose slot may be another's by now."""
    turn = SimpleNamespace(entities=jnp.array([[0, 1, 2, 6, -1]] * 2))
    turn._replace = lambda entities: entities
    state = lambda *kinds: SimpleNamespace(  # noqa: E731
        units=SimpleNamespace(type=jnp.array(kinds)), turn=turn, _replace=lambda turn: turn
    )
    left = _without_changed.__wrapped__(state(5, 0, 7, 1), state(5, 5, 5, 1))
    assert left[0].tolist() == [0, -1, -1, 6, -1]


def camera_moves(view, count, start=0):
    for i in range(start, start + count):
        view.order("raw_move_camera", place=(10 + i, 30))


def test_22_actions_in_112_loops_and_no_more(view):
    camera_moves(view, 22)  # at loops 0, 4, ..., 84
    assert result(view) == ActionResult.SUCCESS
    available = np.array(observed(view).scalars.available_actions)
    assert available[0] and not available[1:].any()
    camera_moves(view, 1, 22)
    assert result(view) == ActionResult.RETRY and view.state.players.camera[0, 0] == 31.5
    while view.state.loop < 108:
        view.wait(1)
    camera_moves(view, 1, 23)
    assert result(view) == ActionResult.RETRY and view.state.loop == 112
    assert observed(view).scalars.available_actions[1:].any()
    camera_moves(view, 1, 24)  # at loop 112 the action of loop 0 is out of the window
    assert result(view) == ActionResult.SUCCESS and view.state.players.camera[0, 0] == 34.5
    camera_moves(view, 1, 25)
    assert result(view) == ActionResult.SUCCESS  # that of loop 4
    assert view.state.turn.pace.loops[0, [0, -1]].tolist() == [8, 116]


def test_equal_actions_and_doing_nothing_do_not_count(view):
    marine = view.put("Marine", 30, 32)
    for _ in range(24):
        view.order("Move_pt", marine, place=(60, 60))
        assert result(view) == ActionResult.SUCCESS
        view.wait(1)
    assert (view.state.turn.pace.loops[0] >= 0).sum() == 1
    view.order("Move_pt", marine, place=(60, 59))
    assert (view.state.turn.pace.loops[0] >= 0).sum() == 2
    assert (view.state.turn.pace.loops[1] < 0).all()


@pytest.mark.parametrize(
    ("tick", "step", "latency", "ticks"), [(8, 32, 0, 0), (8, 32, 3, 1), (8, 32, 9, 2), (1, 4, 3, 3), (8, 8, 8, 1)]
)
def test_latency_is_rounded_up_to_ticks(tick, step, latency, ticks):
    assert GameSettings(tick=tick, step=step, latency=latency).latency_ticks == ticks


def test_the_rate_limit_is_kept_only_where_it_can_be_reached():
    """A player acts once a step: 14 times in 112 loops at a step of 8."""
    for step, limits in ((32, False), (16, False), (8, False), (5, True), (4, True)):
        assert GameSettings(tick=1, step=step).limits_rate == limits
    assert not GameSettings(tick=1, step=1, rate_limit=0).limits_rate
    assert GameSettings(rate_limit=3).limits_rate


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"interface": "screen"}, "interface.*map, camera"),
        ({"latency": 40}, "latency.*40.*step.*32"),
        ({"rate_limit": -1}, "rate_limit.*-1"),
        ({"hidden_race": 1.5}, "hidden_race.*1.5"),
        ({"mmr": (-5, 0)}, "mmr"),
    ],
)
def test_settings_refuse_nonsense(setting, words):
    with pytest.raises(UserError, match=words):
        GameSettings(**setting)
