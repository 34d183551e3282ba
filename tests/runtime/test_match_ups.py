"""`--race`: any match-up, with the units, bots and recordings that go with it."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_duel import ToyDuel

from asterism.errors import UserError
from asterism.game.game import EmbeddedGame, draw_races
from asterism.game.settings import GameSettings
from asterism.interface.observation import Race
from asterism.interface.sizes import interface_size
from asterism.runtime import matches
from asterism.runtime.arena import Outcomes, Races, seats, side
from asterism.runtime.matches import check_opponents
from asterism.runtime.players import BOTS, bot_drawer, check_bot
from asterism.runtime.record import RecordSettings
from asterism.runtime.setup import Setup, make_tools
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


class DrawnRaces(ToyDuel):
    """A quick game whose races are drawn as the embedded game's are."""

    def draw_races(self, key):
        return draw_races(key, self.settings.races)


def test_all_match_ups_at_once():
    """Each race meets each, equally often; who is asked for plays what it was asked for, from either side."""
    keys, seat, here = jax.random.split(jax.random.key(0), 900), seats(900), DrawnRaces(races=("random", "random"))
    drawn = Races(*jnp.zeros((2, 900), jnp.int32)).by_side(here, seat, keys)
    counts = np.bincount(np.asarray(3 * drawn[:, 0] + drawn[:, 1] - 4), minlength=9)
    assert len(counts) == 9 and 70 < counts.min() and counts.max() < 130
    zergs = Races(jnp.full(900, int(Race.ZERG)), jnp.zeros(900, jnp.int32)).by_side(here, seat, keys)
    assert (side(zergs, seat) == Race.ZERG).all()
    np.testing.assert_array_equal(side(zergs, 1 - seat), side(drawn, 1 - seat))


def test_the_players_of_a_match_have_the_races_asked_for(monkeypatch):
    """Bots play their race's workers; what is left open is drawn, and both sides are played."""
    tools, seen = make_tools(TrainConfig(race=("random", "protoss")).setup), []

    def play(game, home, away, params, seat, keys, races):
        seen.append((*params, side(races, seat), side(races, 1 - seat)))
        return Outcomes(jnp.zeros(len(seat)), seat)

    monkeypatch.setattr(matches, "play_games", play)
    monkeypatch.setattr(matches, "over_games", lambda function, *rest: function)
    matches.Matches(tools, 8).score("easy", "easy", 8, 0, races=(Race.ZERG, 0))
    ((home, away, own, others),) = seen
    kinds = tools.game.description.unit_types
    workers = lambda plan: [kinds[kind].name for kind in tools.game.rules.tasks.product[plan.worker]]  # noqa: E731
    assert own.tolist() == [Race.ZERG] * 8 and workers(home) == ["Drone"] * 8
    assert workers(away) == [{1: "SCV", 2: "Drone", 3: "Probe"}[race] for race in others.tolist()]
    assert others[::2].tolist() == [Race.PROTOSS] * 4 and set(others[1::2].tolist()) > {Race.PROTOSS}


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


def test_a_bot_plays_its_race():
    game = EmbeddedGame(GameSettings(rules="full", races=("protoss", "zerg"), slots=32), interface_size("tiny"))
    plans = bot_drawer(game, ("Easy", "Hard:rush"))(
        jnp.array([0, 1]), jax.random.split(jax.random.key(0)), jnp.array([Race.PROTOSS, Race.ZERG])
    )
    made = [game.description.unit_types[kind].name for kind in game.rules.tasks.product[plans.worker]]
    assert made == ["Probe", "Drone"]


def test_a_recording_of_nobody_is_refused():
    with pytest.raises(UserError, match="pairs is empty"):
        RecordSettings(pairs=())
