"""`--race`: any match-up, with the units, bots and recordings that go with it."""

from itertools import product

import jax
import jax.numpy as jnp
import pytest

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.sizes import interface_size
from asterism.runtime.matches import check_opponents
from asterism.runtime.players import BOTS, bot_drawer, check_bot
from asterism.runtime.record import RecordSettings
from asterism.runtime.setup import Setup
from asterism.runtime.train import TrainConfig

RACES = ("terran", "zerg", "protoss")


@pytest.mark.parametrize("race", list(product(RACES, RACES)))
def test_a_match_up_has_all_units(race):
    setup = TrainConfig(race=race, setup=Setup(game=GameSettings(slots=32))).setup
    assert (setup.game.rules, setup.game.races, setup.game.slots) == ("full", race, 32)


def test_without_one_it_is_terrans_of_the_first_rules():
    game = TrainConfig().setup.game
    assert (game.rules, game.races) == ("terran_v1", ("terran", "terran"))


def test_a_race_that_is_none_is_refused():
    with pytest.raises(UserError, match="races is 'zerk'"):
        TrainConfig(race=("terran", "zerk"))
    with pytest.raises(UserError, match="scripted players need to know their race"):
        TrainConfig(race=("terran", "random"))


def test_bots_whose_race_is_not_known_yet_are_refused():
    game = EmbeddedGame(GameSettings(rules="full", races=("terran", "random"), slots=32), interface_size("tiny"))
    with pytest.raises(UserError, match="scripted players need to know their race"):
        bot_drawer(game, ("easy",))


def test_recordings_and_evaluations_have_bots_that_all_rules_have():
    for name in (*RecordSettings().bots, *BOTS):
        check_bot(name)
    assert len(set(BOTS)) == len(BOTS) > 1


def test_who_cheats_or_brings_a_race_plays_no_matches():
    for name, why in (("CheatInsane", "cheats"), ("zerg:Hard", "gives a race"), ("nobody", "unknown bot 'nobody'")):
        with pytest.raises(UserError, match=why):
            check_bot(name)
    with pytest.raises(UserError, match="unknown opponent 'worker-rsh': choose from .*did you mean worker-rush"):
        check_opponents(("teacher", "worker-rsh"))
    with pytest.raises(UserError, match="bot 'CheatVision' cheats"):
        RecordSettings(pairs=(("Hard", "CheatVision"),))


def test_a_bot_plays_the_race_of_its_side():
    game = EmbeddedGame(GameSettings(rules="full", races=("protoss", "zerg"), slots=32), interface_size("tiny"))
    plans = bot_drawer(game, ("Easy", "Hard:rush"))(
        jnp.array([0, 1]), jax.random.split(jax.random.key(0)), jnp.arange(2)
    )
    made = [game.description.unit_types[kind].name for kind in game.rules.tasks.product[plans.worker]]
    assert made == ["Probe", "Drone"]


def test_a_recording_of_nobody_is_refused():
    with pytest.raises(UserError, match="pairs is empty"):
        RecordSettings(pairs=())
