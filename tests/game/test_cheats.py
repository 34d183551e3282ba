"""What players who cheat have more than others: sight of the whole map, and income."""

import jax.numpy as jnp
import numpy as np
import pytest

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.observation import Alliance, EntityField, MapPlane


def test_income_is_a_multiple_of_what_workers_take(scenario):
    """Both players' workers do the same; what the fields lose is the same, too."""
    scenario.state.players.income[:] = (2.0, 1.0)
    before = scenario.state.amounts.sum()
    scenario.until(lambda: scenario.minerals(1) >= 250, 300)
    mined = scenario.minerals(0) - 50, scenario.minerals(1) - 50
    assert mined[0] == 2 * mined[1] > 0
    # Some workers still carry what they have taken.
    carried = scenario.units.load.sum()
    assert before - scenario.state.amounts.sum() == 2 * mined[1] + carried


def test_without_the_cheat_both_have_the_same(scenario):
    scenario.until(lambda: scenario.minerals(1) >= 150, 200)
    assert scenario.minerals(0) == scenario.minerals(1)


def test_who_has_vision_sees_all_and_the_other_nothing_more(scenario):
    scenario.state.players.vision[:] = (True, False)
    observation, _ = scenario.see()
    enemies = [
        (np.asarray(observation.entities[player])[:, EntityField.ALLIANCE] == Alliance.ENEMY).sum()
        for player in range(2)
    ]
    assert enemies == [(scenario.units.type[scenario.slots :] > 0).sum(), 0]
    visibility = np.asarray(observation.planes)[:, MapPlane.VISIBILITY]
    assert (visibility[0] == 2).all() and (visibility[1] == 0).any()


def test_vision_does_not_show_what_is_cloaked(full):
    hidden = full.put("DarkTemplar", 40, 40, player=1)
    shown = full.put("Zealot", 42, 40, player=1)
    full.state.players.vision[:] = (True, False)
    full.see()
    listed = set(full.state.turn.entities[0].tolist())
    assert shown in listed and hidden not in listed


def test_settings_say_who_cheats():
    game = EmbeddedGame(GameSettings(vision=(False, True), income=(1.5, 1.0)))
    players = game.opening(jnp.array([1, 1]), game.no_strategy()).players
    assert players.vision.tolist() == [False, True] and players.income.tolist() == [1.5, 1.0]
    with pytest.raises(UserError, match="income is .*: it must be at least 0"):
        GameSettings(income=(-1.0, 1.0))
