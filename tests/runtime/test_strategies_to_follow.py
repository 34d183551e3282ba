"""Which of the recorded strategies the league's learners are asked to follow."""

from pathlib import Path

import numpy as np
import pytest

from asterism.demos import Demos, GameInfo
from asterism.demos.header import Header
from asterism.demos.reader import Entry
from asterism.game.rules import terran_v1
from asterism.interface.observation import Strategy
from asterism.interface.sizes import interface_size
from asterism.runtime.supervised import strategies_to_follow

NAMES = ("macro", "random")


def demos(*outcomes) -> Demos:
    """Recorded games of `NAMES`; strategy number 2 i + player is that of game i. Outcomes are those of player 0."""
    entries = []
    for game, outcome in enumerate(outcomes):
        info = GameInfo(game, "first_light", 1, NAMES if game % 2 == 0 else NAMES[::-1])
        for player in range(2):
            z = Strategy(*[np.full(2, 2 * game + player)] * 5)
            entries.append(Entry(Path(), 0, 1, game, player, outcome * (1 - 2 * player), z, info))
    return Demos(Path(), Header(terran_v1().description, interface_size("tiny")), tuple(entries))


def asked(library, side: int) -> set[int]:
    """Numbers of the strategies that the player on a side may be asked for."""
    return set(np.asarray(library.strategies.units)[np.asarray(library.fits[side]), 0].tolist())


@pytest.mark.parametrize("side", [0, 1])
def test_players_of_one_race_are_asked_for_what_the_best_won_with(side):
    """The macro players won games 0 and 1, from both sides."""
    library = strategies_to_follow(demos(1, -1, -1), {"macro"}, ("terran", "terran"))
    assert asked(library, side) == {0, 3}


def test_players_of_two_races_are_asked_for_those_of_their_own_side():
    library = strategies_to_follow(demos(1, -1, -1), {"macro"}, ("zerg", "protoss"))
    assert (asked(library, 0), asked(library, 1)) == ({0}, {3})


def test_a_side_that_won_nothing_is_asked_for_what_was_played_there():
    """By those who are worth imitating, if any: game 1 has such a player on side 1, the only other game has none."""
    library = strategies_to_follow(demos(1, 0), {"macro"}, ("zerg", "protoss"))
    assert (asked(library, 0), asked(library, 1)) == ({0}, {3})
    library = strategies_to_follow(demos(1), {"macro"}, ("zerg", "protoss"))
    assert (asked(library, 0), asked(library, 1)) == ({0}, {1})
