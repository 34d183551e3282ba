"""A stage of a run in a process of its own, to be killed: python run_to_kill.py supervised|league FOLDER.

It says `update N` as it goes, and at the end `weights HASH`.
"""

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS), str(TESTS / "demos")]

import jax  # noqa: E402
import numpy as np  # noqa: E402
from linear import linear_network  # noqa: E402
from toy_demos import GAME, SIZE, record  # noqa: E402
from toy_duel import ToyDuel  # noqa: E402

from asterism.demos import open_demos, strategy_library  # noqa: E402
from asterism.interface.network import Params  # noqa: E402
from asterism.interface.spec import strategy_spec, zeros  # noqa: E402
from asterism.league import LeagueSettings  # noqa: E402
from asterism.league.settings import CheckpointRule  # noqa: E402
from asterism.runtime.league import LeagueStage  # noqa: E402
from asterism.runtime.league_settings import LeagueTraining  # noqa: E402
from asterism.runtime.run_folder import RunFolder  # noqa: E402
from asterism.runtime.setup import Tools  # noqa: E402
from asterism.runtime.supervised import SupervisedSettings, train_supervised  # noqa: E402

RULE = {
    f"{kind}_checkpoint": CheckpointRule(300, 600, reset)
    for kind, reset in (("main_agent", 0.0), ("main_exploiter", 1.0), ("league_exploiter", 0.25))
}
LEAGUE = LeagueTraining(
    burn_in=2, value_updates=3, updates=80, lanes=8, groups=2, unroll=8, steps=8, match_games=4, cohort=3,
    learn=(), checkpoint_seconds=0.2, log_every=1, league=LeagueSettings(**RULE),
)  # fmt: skip
IMITATION = SupervisedSettings(steps=400, batch=4, window=4, measure_every=100, held_out=0.3, checkpoint_seconds=0.1)


def supervised(run: RunFolder) -> Params:
    """Imitation of toy games."""
    record(run.path / "demos", 40)
    demos = open_demos(run.path / "demos")
    network = linear_network(GAME, SIZE)
    tools = Tools(SimpleNamespace(description=GAME, size=SIZE), network, network)
    return train_supervised(run, tools, demos, IMITATION, seed=0)


def league(run: RunFolder) -> Params:
    """Three learners of a toy game."""
    game = ToyDuel()
    network = linear_network(game.description, game.size)
    library = strategy_library([zeros(strategy_spec(game.description, game.size))])
    teacher = network.init(jax.random.key(7))
    return LeagueStage(run, Tools(game, network, network), teacher, library, LEAGUE, seed=0).train()


def main(stage: str, folder: Path) -> None:
    """Runs a stage to its end, in RUN of the folder."""
    with RunFolder.create_or_resume("run", {}, root=folder) as run:
        log = run.log

        def told(name, step, scalars):
            log(name, step, scalars)
            print(f"update {step}", flush=True)

        run.log = told
        params = {"supervised": supervised, "league": league}[stage](run)
    content = b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(params))
    print(f"weights {hashlib.sha256(content).hexdigest()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
