"""The playoff: the strongest wins it, each half plays on, and nothing that was played is played again."""

import json

import pytest

from asterism.runtime.matches import Matches, Score
from asterism.runtime.playoff import playoff, rounds


class Rigged(Matches):
    """Candidates are numbers: how many of each ten games they win."""

    def __init__(self, cut_after=99):
        self.played, self.cut_after = [], cut_after

    def score(self, home, away, games, seed, progress, races):
        if len(self.played) == self.cut_after:
            raise KeyboardInterrupt
        self.played.append((home, seed))
        progress.advance(games)
        wins = games * home // 10
        return Score(wins, 0, games - wins)


CANDIDATES = {"now": 4, "third": 5, "second": 8, "first": 6, "zeroth": 3}


def test_the_better_half_plays_on_until_one_is_left(tmp_path):
    matches = Rigged()
    name, scores = playoff(tmp_path / "playoff.json", matches, CANDIDATES, None, 10, seed=0)
    assert name == "second"
    assert {key: score.games for key, score in scores.items()} == dict(now=10, third=20, second=30, first=30, zeroth=10)
    assert rounds(5) == [5, 3, 2] and len(matches.played) == 10
    assert len({seed for _, seed in matches.played}) == 3, "each round has games of its own, the same for all"


def test_of_equals_the_first_is_preferred(tmp_path):
    equal = {"now": 5, "old": 5}
    assert playoff(tmp_path / "playoff.json", Rigged(), equal, None, 10, seed=0)[0] == "now"


def test_one_candidate_need_not_play(tmp_path):
    assert playoff(tmp_path / "playoff.json", Rigged(0), {"now": 5}, None, 10, seed=0)[0] == "now"


@pytest.mark.parametrize("cut_after", [0, 1, 6, 9])
def test_cut_off_it_goes_on_where_it_was(tmp_path, cut_after):
    path = tmp_path / "playoff.json"
    cut, rest = Rigged(cut_after), Rigged()
    with pytest.raises(KeyboardInterrupt):
        playoff(path, cut, CANDIDATES, None, 10, seed=0)
    assert playoff(path, rest, CANDIDATES, None, 10, seed=0) == playoff(
        tmp_path / "whole.json", Rigged(), CANDIDATES, None, 10, seed=0
    )
    assert len(rest.played) == 10 - cut_after
    assert len(json.loads(path.read_text())) == 10
