"""Plain self-play chases cycles; a league of exploiters finds what its agents have forgotten, and learns to answer it.

A game with a rock-paper-scissors core, twice. Both players choose one of three techs, each of which beats the next, and
what to do in each of five rounds: make workers, make soldiers, build towards invisible soldiers, or build detectors.
Three rounds make soldiers invisible, and those win against whoever has no detector. But for them detectors are a waste,
and so is half a way to them: who meets strong players alone gives both up, though they beat all that it then does.

Learners know nothing at first, learn from won and lost games alone, and play whom the league's own matchmaking
(`asterism.league`) gives them. All variants play the same number of games, those of exploiters included.

Drawn is how much the best answer wins against the main agent as it is, and against the Nash distribution of the frozen
players, from which AlphaStar's final agent is drawn.

python examples/cycles.py --out cycles.svg
"""

import itertools
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import tyro

from asterism.league import CheckpointRule, League, LeagueSettings, Outcome, Result, Snapshot, Store, Weighting, nash
from asterism.runtime.progress import StageBar, stage
from asterism.web.figures import curves

TECHS, ROUNDS, ACTIONS = 3, 5, 4
WORKERS, SOLDIERS, INVISIBLE, DETECTOR = range(ACTIONS)
ORDERS = np.array(list(itertools.product(range(ACTIONS), repeat=ROUNDS)))
"""Build orders: the action of each round."""
MATCHES = 4
"""Opponents in an update."""
EVERY = 5
"""Updates after which a learner may add a copy; after twice as many it must."""
RULE = {f"{kind}_checkpoint": CheckpointRule(EVERY, 2 * EVERY, reset)
        for kind, reset in (("main_agent", 0.0), ("main_exploiter", 1.0), ("league_exploiter", 0.25))}  # fmt: skip
ALONE = {"main_exploiters": 0, "league_exploiters": 0} | RULE
NOTHING_ELSE = {"verification_share": 0.0, "main_agent_floor": 0.0} | ALONE
VARIANTS = {
    "self-play": LeagueSettings(self_play_share=1.0, pfsp_share=0.0, **NOTHING_ELSE),
    "fsp": LeagueSettings(self_play_share=0.0, pfsp_share=1.0, pfsp_weighting=Weighting.UNIFORM, **NOTHING_ELSE),
    "pfsp": LeagueSettings(self_play_share=0.0, pfsp_share=1.0, **NOTHING_ELSE),
    "pfsp-self-play": LeagueSettings(self_play_share=0.5, pfsp_share=0.5, **NOTHING_ELSE),
    "main-agents": LeagueSettings(**ALONE),
    "main-exploiters": LeagueSettings(league_exploiters=0, **RULE),
    "league": LeagueSettings(**RULE),
}
"""AlphaStar's ablations of matchmaking and composition on this game, as settings of the league."""


def payoff() -> tuple[np.ndarray, np.ndarray]:
    """How much each strategy (row) wins against each other, in -1..1, and which one each tech and build order is.

    A strategy is a tech and what build orders come to: so many soldiers, visible or not, with detectors or without.
    """
    workers = 2 * 1.5 ** (np.cumsum(ORDERS == WORKERS, 1) - (ORDERS == WORKERS))
    made = 1 + (workers * (ORDERS == SOLDIERS)).sum(1)
    invisible, detectors = (ORDERS == INVISIBLE).sum(1) >= 3, (ORDERS == DETECTOR).any(1)
    ways, way = np.unique(np.stack((made, invisible, detectors), 1), axis=0, return_inverse=True)
    soldiers, invisible, detectors = np.tile(ways, (TECHS, 1)).T
    tech = np.repeat(np.arange(TECHS), len(ways))
    army = soldiers[:, None] * np.where((tech[None] - tech[:, None]) % TECHS == 1, 1.3, 1.0)
    won = army**3 / (army**3 + army.T**3)
    unseen = (invisible[:, None] > detectors[None]).astype(float)
    won = np.where(unseen == unseen.T, won, unseen)
    return 2 * won - 1, np.arange(TECHS)[:, None] * len(ways) + way.reshape(-1)


PAYOFF, STRATEGY = payoff()


@dataclass
class Policy:
    """Logits of the tech, and of the action in each round."""

    tech: np.ndarray
    rounds: np.ndarray

    def copy(self) -> "Policy":
        """As it is now."""
        return Policy(self.tech.copy(), self.rounds.copy())

    def snapshot(self, name: str) -> Snapshot:
        """As the league has it on record; here the weights themselves stay in memory."""
        return Snapshot(name, sha256(self.tech.tobytes() + self.rounds.tobytes()).hexdigest())

    def strategy(self) -> np.ndarray:
        """Chance of each strategy."""
        chance = softmax(self.tech)
        for one in softmax(self.rounds):
            chance = np.multiply.outer(chance, one)
        return np.bincount(STRATEGY.ravel(), chance.ravel(), len(PAYOFF))

    def sample(self, rng: np.random.Generator, games: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tech and actions of each game, and the strategy that they are."""
        tech, rounds = draw(softmax(self.tech), rng, games), draw(softmax(self.rounds), rng, games)
        return tech, rounds, STRATEGY[tech, rounds @ ACTIONS ** np.arange(ROUNDS)[::-1]]

    def learn(self, tech: np.ndarray, rounds: np.ndarray, won: np.ndarray, rate: float) -> None:
        """One step of the policy gradient (REINFORCE with the mean as baseline) from games of 1 or -1."""
        advantage = rate * (won - won.mean()) / len(won)
        self.tech += advantage @ (np.eye(TECHS)[tech] - softmax(self.tech))
        self.rounds += np.tensordot(advantage, np.eye(ACTIONS)[rounds] - softmax(self.rounds), 1)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Chances, along the last axis."""
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def draw(chances: np.ndarray, rng: np.random.Generator, games: int) -> np.ndarray:
    """What happens in each game, by chances along the last axis."""
    up_to = chances.cumsum(-1)[..., :-1]
    return (rng.random((games, *chances.shape[:-1], 1)) > up_to).sum(-1)


def exploitability(strategy: np.ndarray) -> float:
    """What the best answer wins against a strategy, in -1..1; 0 for an equilibrium."""
    return float((PAYOFF @ strategy).max())


class Training:
    """A league that learns the game."""

    def __init__(self, settings: LeagueSettings, seed: int, games: int, rate: float):
        self.rng, self.games, self.rate = np.random.default_rng(seed), games, rate
        self.league = League(Store("sqlite://"), settings)
        self.frozen = {"teacher": Policy(self.rng.normal(size=TECHS) / 2, np.zeros((ROUNDS, ACTIONS)))}
        self.league.populate({"any": self.frozen["teacher"].snapshot("teacher")})
        players = self.league.state.players.values()
        self.learners = {one.id: self.frozen["teacher"].copy() for one in players if one.is_learner}
        self.steps = dict.fromkeys(self.learners, 0)

    def policy(self, player: str) -> Policy:
        """Of a learner as it is, or of a frozen player."""
        return self.learners.get(player) or self.frozen[self.league.state.players[player].weights.file]

    def play(self, name: str, update: int) -> list[Result]:
        """A learner's games of an update, from which it learns."""
        away = [self.league.match(name, self.rng).away for _ in range(MATCHES)]
        each = self.games // MATCHES
        tech, rounds, mine = self.learners[name].sample(self.rng, MATCHES * each)
        theirs = [self.policy(one).sample(self.rng, each)[-1] for one in away]
        chance = (PAYOFF[mine, np.concatenate(theirs)] + 1) / 2
        won = np.where(self.rng.random(len(mine)) < chance, 1, -1)
        self.learners[name].learn(tech, rounds, won, self.rate)
        self.steps[name] += 1
        outcomes = enumerate(zip(np.repeat(away, each).tolist(), won.tolist(), strict=True))
        return [Result(f"{update}/{name}/{i}", name, one, Outcome(won), update) for i, (one, won) in outcomes]

    def update(self, update: int) -> None:
        """An update of every learner, and what the league makes of it."""
        self.league.record_results([result for name in self.learners for result in self.play(name, update)])
        self.league.record_steps(self.steps, update)
        for name in self.learners:
            if self.league.ready_to_checkpoint(name):
                weights = f"{name} {update}"
                self.frozen[weights] = self.learners[name].copy()
                snapshot = self.frozen[weights].snapshot(weights)
                made = self.league.checkpoint(name, snapshot, self.steps[name], update, self.rng)
                if made.reset_to is not None:
                    self.learners[name] = self.frozen[made.reset_to.file].copy()

    def measure(self) -> dict[str, float]:
        """Of the main agent and of the Nash distribution of the frozen players what the best answer wins, and what the
        best of the main agent's own past wins against it."""
        main = next(iter(self.learners))
        latest = self.learners[main].strategy()
        past = np.array([self.policy(one).strategy() for one in self.league.state.past_selves(main)])
        frozen = np.array([policy.strategy() for policy in self.frozen.values()])
        mixture = nash((frozen @ PAYOFF @ frozen.T + 1) / 2) @ frozen
        return {
            "latest agent": exploitability(latest),
            "by its own past": float((past @ PAYOFF @ latest).max()),
            "Nash": exploitability(mixture),
        }


def train(
    settings: LeagueSettings, seed: int, updates: int, games: int, rate: float, measures: int, bar: StageBar
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Games of all learners until each measure, and what was measured."""
    training, found = Training(settings, seed, games, rate), []
    learners = len(training.learners)
    at = np.unique(np.ceil(np.linspace(0, max(updates // learners, 1), measures + 1)[1:]).astype(int))
    for update in range(1, at[-1] + 1):
        training.update(update)
        bar.advance(learners)
        if update in at:
            found.append(training.measure())
    return at * learners * games, {what: np.array([one[what] for one in found]) for what in found[0]}


def main(
    out: Path = Path("cycles.svg"),
    variants: tuple[str, ...] = ("self-play", "league"),
    updates: int = 600,
    games: int = 128,
    rate: float = 3.0,
    seeds: int = 3,
    measures: int = 30,
) -> None:
    """Trains each variant with seeds 0, 1, ... and draws exploitability over the games that were played.

    Args:
      out: the picture, an SVG.
      variants: self-play, fsp, pfsp, pfsp-self-play, main-agents, main-exploiters, league.
      updates: of all learners together, from `games` games each, with step size `rate`.
      measures: how often exploitability is measured.
    """
    lines, rows = {}, []
    with stage("cycles", len(variants) * seeds * updates, "updates") as bar:
        for variant in variants:
            runs = [train(VARIANTS[variant], seed, updates, games, rate, measures, bar) for seed in range(seeds)]
            for what in runs[0][1]:
                values = np.array([found[what] for _, found in runs])
                lines[f"{variant}, {what}"] = runs[0][0], values.mean(0)
                late = values[:, values.shape[1] // 2 :].mean(1)
                rows.append(f"{variant + ', ' + what:32} {late.mean():.3f} ({late.min():.3f} to {late.max():.3f})")
    title = f"What the best answer wins, mean of {seeds} seeds"
    out.write_text(curves(lines, title=title, x="games of all learners", y="exploitability", limits=(0, None)))
    print("exploitability, second half of training: mean (least to most of the seeds)", *rows, sep="\n  ")
    print(f"picture: {out}")


if __name__ == "__main__":
    tyro.cli(main)
