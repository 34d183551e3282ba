"""Who can sit opposite: scripted players, and the agents of runs."""

import jax
import numpy as np
import pytest

from asterism.envs import AgainstBot, Duel, find_opponent
from asterism.errors import UserError
from asterism.game.settings import GameSettings
from asterism.interface.observation import EntityField, Race
from asterism.interface.spec import no_op
from asterism.runtime.agents import save_agent
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Setup, make_tools
from asterism.runtime.train import TrainConfig

FULL = GameSettings(rules="full", races=("terran", "terran"), slots=32)


@pytest.fixture(scope="module")
def run(short, tmp_path_factory):
    """The folder of a run that has come as far as a teacher, of ones, and its agent, of zeros."""
    root = tmp_path_factory.mktemp("runs")
    setup = Setup(game=short)
    example = make_tools(setup).example_params()
    with RunFolder.create_or_resume("toy", TrainConfig(name="toy", setup=setup), root=root) as folder:
        for name, value in (("agent", 0), ("teacher", 1)):
            full = jax.tree.map(lambda leaf, value=value: np.full(leaf.shape, value, leaf.dtype), example)
            save_agent(folder.path, name, full, setup)
    return root / "toy"


def traced(game, opponent):
    """Shapes of what a first decision gives: all that can be checked without a minute of compilation."""
    duel = Duel(game, opponent.player)

    def play(key):
        match, _ = duel.new(opponent.draw(key), 0, key)
        return duel.decide(match, no_op(game.size, 0), opponent.weights)[1]

    return jax.eval_shape(play, jax.random.key(0))


@pytest.mark.parametrize("kind, value", [("", 0), (":agent", 0), (":teacher", 1)])
def test_the_agents_of_a_run(run, short, kind, value):
    """With the run's own game and weights."""
    game, opponent = find_opponent(f"{run}{kind}")
    assert game.settings == short and game.size.name == "tiny"
    assert all((leaf == value).all() for leaf in jax.tree.leaves(opponent.weights))
    assert opponent.player is find_opponent(str(run))[1].player, "compiled once"


def test_agents_and_bots_of_other_rules_fit_the_loop(run):
    for game, opponent in (find_opponent(str(run)), find_opponent("Hard", FULL)):
        assert traced(game, opponent).observation.entities.shape == (game.size.entities, len(EntityField))


def test_a_run_of_another_game_is_refused(run, short, tmp_path):
    with pytest.raises(UserError, match="was trained with other rules"):
        AgainstBot(str(run), GameSettings(rules="full"))
    with pytest.raises(UserError, match="was trained with other rules"):
        AgainstBot(str(run), size="small")
    with pytest.raises(UserError, match="unknown agent 'pupil'"):
        AgainstBot(f"{run}:pupil")
    with pytest.raises(UserError, match="is not a run folder"):
        AgainstBot(str(tmp_path))
    assert AgainstBot("rush", short).game is AgainstBot(str(run)).game


@pytest.mark.parametrize("race", ["zerg", "protoss"])
def test_user_and_bot_keep_their_races_on_either_side(monkeypatch, race):
    game, opponent = find_opponent("Easy", GameSettings(rules="full", races=("terran", race), slots=32))
    duel = Duel(game, opponent.player)
    seen = []

    def start(races, z):
        seen.append(races)
        raise StopIteration

    monkeypatch.setattr(game, "start", start)
    for side in (0, 1):
        with pytest.raises(StopIteration):
            duel.new(opponent.draw(jax.random.key(0)), side, jax.random.key(0))
    other = Race.named(race)
    assert [tuple(map(int, races)) for races in seen] == [(Race.TERRAN, other), (other, Race.TERRAN)]
    worker = game.rules.tasks.product[opponent.draw(jax.random.key(0)).worker]
    assert game.description.unit_types[worker].name == {"zerg": "Drone", "protoss": "Probe"}[race]


def test_who_is_no_opponent_is_refused():
    with pytest.raises(UserError, match="unknown opponent 'easyy': choose from .*folder of a run .*mean Easy"):
        find_opponent("easyy")
    with pytest.raises(UserError, match="unknown opponent 'CheatInsane'.*cheats"):
        find_opponent("CheatInsane", FULL)
    with pytest.raises(UserError, match="unknown opponent 'terran:Hard'.*gives a race"):
        find_opponent("terran:Hard")
