"""The standings of a league: what is printed and drawn is what was played, and thin pairs are filled."""

from dataclasses import replace

import pytest
from snapshots import snapshot

from asterism.cli import main
from asterism.league import League, Outcome, Result, Store
from asterism.runtime import league_match
from asterism.runtime import standings as module
from asterism.runtime.matches import Score
from asterism.runtime.report import payoff_map
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.standings import StandingsConfig, standings, table, thin_pairs
from asterism.runtime.train import TrainConfig
from asterism.web.standings import lines_of_descent

MAIN, TEACHER = "main_agent_terran_0", "teacher_terran"


@pytest.fixture
def run(tmp_path):
    """A run with a league of a teacher, three learners and two copies of the main agent."""
    with RunFolder.create_or_resume("played", TrainConfig(name="played"), root=tmp_path) as run:
        league = League(Store(run.league_path))
        league.populate({"terran": snapshot("founder.safetensors")})
        for number in (1, 2):
            league.add_historical(MAIN, snapshot(f"{number}.safetensors"), 100 * number, update=number)
        won = [Result(f"a/{i}", MAIN, TEACHER, Outcome.WIN, 3) for i in range(6)]
        lost = [Result(f"b/{i}", MAIN, f"{MAIN}.2", Outcome.LOSS, 3) for i in range(2)]
        league.record_results(won + lost)
        league.store.close()
    return run


def test_the_table_ranks_players_and_names_their_worst_case(run):
    rows = standings(League(Store(run.league_path)).report())
    by_name = {row.name: row for row in rows}
    assert by_name[TEACHER].elo == by_name[TEACHER].elo_error == 0
    assert by_name[MAIN].worst == f"{MAIN}.2" and by_name[MAIN].worst_rate[0] == 0
    assert by_name[f"{MAIN}.1"].worst == ""
    first, best, *_, last = table(rows).splitlines()
    assert best.split()[0] == f"{MAIN}.2" and "no games" in best
    assert f"0% (0% to 66%) against {MAIN}.2" in table(rows) and MAIN + "*" in table(rows)


def test_the_payoff_names_races_where_there_are_several(run, tmp_path):
    names = payoff_map(League(Store(run.league_path)).report()).names
    assert names[:3] == ["teacher", "main_agent", "main_exploiter"] and names[-1] == "main_agent.2"
    league = League(Store(tmp_path / "races.sqlite"))
    league.populate({race: snapshot(f"{race}.safetensors") for race in ("terran", "zerg")})
    names = payoff_map(league.report()).names
    assert {"teacher_terran", "main_agent_terran", "main_agent_zerg"} <= set(names)


def test_lines_of_descent_go_from_the_teacher_to_the_learner(run):
    rows = standings(League(Store(run.league_path)).report())
    lines = lines_of_descent(rows)
    assert [steps for steps, *_ in lines[MAIN]] == [0, 100, 200, 200]
    assert len(lines) == 3 and all(line[0] == (0, 0.0, 0.0) for line in lines.values())


class FakeMatches:
    """Every game is a win of the home player, but for one draw."""

    seeds = []

    def __init__(self, tools, games):
        pass

    def score(self, home, away, games, seed, progress=None, races=(0, 0)):
        self.seeds.append(seed)
        return Score(games - 1, 1, 0)


class Tools:
    def example_params(self):
        return None


class Weights:
    policy = None


def test_thin_pairs_are_filled_once_and_the_payoff_knows(run, monkeypatch, capsys):
    monkeypatch.setattr(module, "Matches", FakeMatches)
    monkeypatch.setattr(FakeMatches, "seeds", [])
    monkeypatch.setattr(module, "make_tools", lambda setup: Tools())
    monkeypatch.setattr(module, "load_snapshot", lambda folder, snapshot, example: Weights())
    league = League(Store(run.league_path))
    assert [missing for *_, missing in thin_pairs(league, 4)] == [4, 4, 4]
    StandingsConfig(run.path).run()
    hint = "3 of 3 pairs of frozen players have not met, and pass for even"
    assert hint in capsys.readouterr().out and hint in (run.path / "league.html").read_text()
    StandingsConfig(run.path, games=4).run()
    assert "have not met" not in capsys.readouterr().out
    after = League(Store(run.league_path))
    assert thin_pairs(after, 4) == [] and after.state.totals.counts(TEACHER, f"{MAIN}.1") == (3, 1, 0)
    assert [missing for *_, missing in thin_pairs(after, 6)] == [2, 2, 2]
    StandingsConfig(run.path, games=6).run()
    assert len(set(FakeMatches.seeds)) == 6, "or games would be played and counted again"
    page = (run.path / "league.html").read_text()
    assert page.count("<svg") == 2 and f"{MAIN}.2" in page
    assert "done: open" in capsys.readouterr().out
    # What was filled in goes with the update at which it was: nothing is left of it in a run taken back before that.
    after.truncate_after(2)
    assert thin_pairs(after, 4) == thin_pairs(league, 4)


def test_games_are_not_added_to_a_run_that_is_training(run, capsys, monkeypatch):
    with RunFolder.create_or_resume("played", TrainConfig(name="played"), root=run.path.parent):
        assert main(["league", str(run.path), "--games", "4"]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "in use" in said
        assert main(["league", str(run.path)]) == 0


def test_a_run_without_a_league_is_named_in_one_line(tmp_path, capsys):
    with RunFolder.create_or_resume("young", TrainConfig(name="young"), root=tmp_path):
        pass
    assert main(["league", str(tmp_path / "young")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "no league yet" in said
    assert main(["league", str(tmp_path / "young"), "--games", "-1"]) == 2


def test_two_leagues_meet_once_and_the_better_mixture_counts(run, monkeypatch, capsys):
    """All games but one of a pair are won: each league's value is that of its best answer. The same command plays
    nothing again; another network is refused."""
    asked = []

    class Meeting(FakeMatches):
        def score(self, home, away, games, seed, progress=None, races=(0, 0)):
            asked.append((home, away))
            # Home players: the teacher loses all, the first copy wins half, the second three of four.
            return Score(games * home // 4, 0, games - games * home // 4)

    strengths = {"founder.safetensors": 0, "1.safetensors": 2, "2.safetensors": 3}

    def load(folder, snapshot, example):
        weights = Weights()
        weights.policy = strengths[snapshot.file]
        return weights

    for name, value in (("Matches", Meeting), ("make_tools", lambda setup: Tools()), ("load_snapshot", load)):
        monkeypatch.setattr(league_match, name, value)
    for _ in range(2):
        StandingsConfig(run.path, games=8, against=run.path).run()
        assert len(asked) == 9
    assert "Against played: 75.0% with the best mixtures of both." in capsys.readouterr().out
    assert (run.path / "league.html").read_text().count("<svg") == 3
    young = TrainConfig(name="young")
    with RunFolder.create_or_resume("young", young, root=run.path.parent) as made:
        Store(made.league_path).close()
    assert main(["league", str(run.path), "--games", "8", "--against", str(made.path)]) == 2
    assert "has no players yet" in capsys.readouterr().err
    other = TrainConfig(name="other", setup=replace(TrainConfig().setup, size="small"))
    with RunFolder.create_or_resume("other", other, root=run.path.parent) as made:
        League(Store(made.league_path)).populate({"terran": snapshot("founder.safetensors")})
    assert main(["league", str(run.path), "--games", "8", "--against", str(made.path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "has another setup" in said
