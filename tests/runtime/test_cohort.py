"""Who takes a turn when, and what is kept of a learner."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterism.errors import UserError
from asterism.league import LeagueSettings, PlayerKind
from asterism.learning.reinforcement import Factors
from asterism.runtime.cohort import Group, Member, staggered, turns
from asterism.runtime.curves import entry, shortened
from asterism.runtime.league import learners_in_order
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.quota import Quota
from asterism.runtime.supervised import pack, unpack
from asterism.runtime.tally import Tally

QUOTA = Quota(2, (1, 0, 3))


def test_a_round_of_turns_by_hand():
    assert turns([4, 1, 1]) == [0, 0, 1, 2, 0, 0]
    assert turns([1]) == [0]
    assert turns([1, 1, 1]) == [0, 1, 2]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_turns_are_shared_out_and_spread(shares):
    """Everybody has its share, and between two turns never waits longer than twice as long as it would on average."""
    order = turns(shares)
    assert Counter(order) == dict(enumerate(shares))
    for index, share in enumerate(shares):
        places = [place for place, owner in enumerate(order * 2) if owner == index]
        assert max(np.diff(places)) <= 2 * len(order) / share + len(shares)


def test_games_begin_one_after_the_other():
    """As many in each round as can be."""
    rounds = staggered(32, 20)
    assert set(Counter(rounds.tolist()).values()) == {1, 2} and rounds.min() == 0 and rounds.max() == 19
    assert (np.diff(rounds) >= 0).all()


def test_a_member_comes_back_from_a_checkpoint():
    member = Member("main_agent_terran_0", 1, [Group("teacher_terran", 1, QUOTA, 7), None], 5, 4, Factors(upgo=2.0))
    for opponent, reward in (("teacher_terran", 1.0), (member.name, -1.0), ("teacher_terran", 0.0)):
        member.tally.count(opponent, reward)
    again = Member(member.name, member.race, [None, None])
    again.unpack(unpack(pack(member.pack())))
    assert again.groups == [Group("teacher_terran", 1, QUOTA), None], "weights of opponents are put in anew"
    again.groups = member.groups
    assert again == member


def test_a_tally_is_by_line_and_begins_anew():
    tally = Tally("main_agent_terran_0")
    games = [("zerg_1.12", 1.0), ("main_agent_terran_0", -1.0), ("zerg_1", 0.0), ("main_agent_terran_0.1", 1.0)]
    for opponent, reward in games:
        tally.count(opponent, reward)
    assert tally.win_rates() == {"zerg_1": 0.75, "self": 0.0, "main_agent_terran_0": 1.0}
    assert tally.win_rates() == {}


def test_curves_leave_out_what_names_have_in_common():
    main, rival = "main_agent_terran_0", "main_exploiter_terran_1"
    row = entry(main, {"loss/upgo": 1.0, "lag": 2.0, "apm": float("nan")}, {"self": 0.5, rival: 0.25})
    assert shortened(row, "terran") == {
        "main_agent/loss/upgo": 1.0,
        "lag/main_agent": 2.0,
        "win_rate/main_agent against self": 0.5,
        "win_rate/main_agent against main_exploiter_1": 0.25,
    }
    assert list(shortened(row, None)) == [
        "main_agent_terran/loss/upgo",
        "lag/main_agent_terran",
        "win_rate/main_agent_terran against self",
        "win_rate/main_agent_terran against main_exploiter_terran_1",
    ]


def test_main_agents_come_first_and_races_in_turn():
    learners = learners_in_order(("terran", "zerg", "protoss"), LeagueSettings(main_agents=2, league_exploiters=2))
    assert len(learners) == 15
    assert [player.id for player in learners[:6]] == [
        f"main_agent_{race}_{number}" for number in (0, 1) for race in ("terran", "zerg", "protoss")
    ]
    kinds = [player.kind for player in learners]
    assert kinds == sorted(kinds, key=list(PlayerKind).index)


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"cohort": 2}, "must divide the number of learners .3."),
        ({"cohort": 5, "races": ("terran", "zerg")}, "must divide the number of learners .6."),
        ({"races": ("human",)}, "races"),
        ({"races": ("zerg", "zerg")}, "name each race once"),
    ],
)
def test_cohorts_that_do_not_come_out_are_refused(settings, says):
    with pytest.raises(UserError, match=says):
        LeagueTraining(**settings)
