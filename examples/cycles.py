"""Plain self-play chases cycles; a league of exploiters finds what every strategy loses to, and mixes against it.

A game with a rock-paper-scissors core: both players choose one of three techs, each of which beats the next, and a
build order of five rounds, in each of which they make workers or soldiers. Learners know nothing at first, learn from
won and lost games alone, and play whom the league's own matchmaking (`asterism.league`) gives them.

Drawn is how much the best answer wins against what a league would send to a tournament: self-play its latest agent,
a league the Nash distribution of its players, from which AlphaStar's final agent is drawn.

python examples/cycles.py --out cycles.svg
"""

import itertools
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import tyro

from asterism.league import CheckpointRule, League, LeagueSettings, Outcome, Result, Snapshot, Store, Weighting, nash
from asterism.runtime.progress import stage
from asterism.web.figures import curves

ROUNDS, TECHS = 5, 3
PLANS = np.array(list(itertools.product((0, 1), repeat=ROUNDS)))
"""Build orders: 1 makes a worker, 0 as many soldiers as there are workers."""
MATCHES = 4
"""Opponents in an update."""
EVERY = 5
"""Updates after which a learner may add a copy; after twice as many it must."""
RULE = {f"{kind}_checkpoint": CheckpointRule(EVERY, 2 * EVERY, reset)
        for kind, reset in (("main_agent", 0.0), ("main_exploiter", 1.0), ("league_exploiter", 0.25))}  # fmt: skip
ALONE = {"main_exploiters": 0, "league_exploiters": 0, "verification_share": 0.0} | RULE
VARIANTS = {
    "self-play": LeagueSettings(self_play_share=1.0, pfsp_share=0.0, main_agent_floor=0.0, **ALONE),
    "fsp": LeagueSettings(self_play_share=0.0, pfsp_share=1.0, pfsp_weighting=Weighting.UNIFORM, **ALONE),
    "pfsp": LeagueSettings(self_play_share=0.0, pfsp_share=1.0, **ALONE),
    "pfsp-self-play": LeagueSettings(self_play_share=0.5, pfsp_share=0.5, **ALONE),
    "main-exploiters": LeagueSettings(league_exploiters=0, **RULE),
    "league": LeagueSettings(**RULE),
}
"""AlphaStar's ablations of matchmaking and composition on this game, as settings of the league."""


def payoff() -> np.ndarray:
    """How much each tech and plan (row) wins against each other, in -1..1; 96 strategies, tech by tech."""
    workers = 2 + np.cumsum(PLANS, 1) - PLANS
    soldiers = np.maximum((workers * (PLANS == 0)).sum(1), 0.5)
    strength = np.tile(1.5 * np.log(soldiers), TECHS)
    tech = np.repeat(np.arange(TECHS), len(PLANS))
    ahead = (tech[None] - tech[:, None]) % TECHS
    counters = (ahead == 1).astype(float) - (ahead == 2)
    return np.tanh(0.6 * counters + strength[:, None] - strength[None])


PAYOFF = payoff()


@dataclass
class Policy:
    """Logits of the tech, and of a worker in each round."""

    tech: np.ndarray = field(default_factory=lambda: np.zeros(TECHS))
    plan: np.ndarray = field(default_factory=lambda: np.zeros(ROUNDS))

    def copy(self) -> "Policy":
        """As it is now."""
        return Policy(self.tech.copy(), self.plan.copy())

    def snapshot(self, name: str) -> Snapshot:
        """As the league has it on record; here the weights themselves stay in memory."""
        return Snapshot(name, sha256(self.tech.tobytes() + self.plan.tobytes()).hexdigest())

    def heads(self) -> tuple[np.ndarray, np.ndarray]:
        """Chance of each tech, and of a worker in each round."""
        tech = np.exp(self.tech - self.tech.max())
        return tech / tech.sum(), 1 / (1 + np.exp(-self.plan))

    def strategy(self) -> np.ndarray:
        """Chance of each of the 96 strategies."""
        tech, worker = self.heads()
        return np.outer(tech, np.prod(np.where(PLANS == 1, worker, 1 - worker), 1)).ravel()

    def learn(self, strategies: np.ndarray, won: np.ndarray, rate: float) -> None:
        """One step of the policy gradient (REINFORCE with the mean as baseline) from games of 1 or -1."""
        advantage = (won - won.mean())[:, None]
        tech, worker = self.heads()
        self.tech += rate * (advantage * (np.eye(TECHS)[strategies // len(PLANS)] - tech)).mean(0)
        self.plan += rate * (advantage * (PLANS[strategies % len(PLANS)] - worker)).mean(0)


def exploitability(strategy: np.ndarray) -> float:
    """What the best answer wins against a strategy, in -1..1; 0 for an equilibrium."""
    return float((PAYOFF @ strategy).max())


class Training:
    """A league that learns the game."""

    def __init__(self, settings: LeagueSettings, seed: int, games: int, rate: float):
        self.rng, self.games, self.rate = np.random.default_rng(seed), games, rate
        self.league = League(Store("sqlite://"), settings)
        self.frozen = {"teacher": Policy(self.rng.normal(size=TECHS) / 2)}
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
        mine = self.rng.choice(len(PAYOFF), MATCHES * each, p=self.learners[name].strategy())
        theirs = [self.rng.choice(len(PAYOFF), each, p=self.policy(one).strategy()) for one in away]
        chance = (PAYOFF[mine, np.concatenate(theirs)] + 1) / 2
        won = np.where(self.rng.random(len(mine)) < chance, 1, -1)
        self.learners[name].learn(mine, won, self.rate)
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

    def latest(self) -> float:
        """Exploitability of the main agent as it is."""
        return exploitability(next(iter(self.learners.values())).strategy())

    def mixture(self) -> float:
        """Exploitability of the Nash distribution of the frozen players, by the games that they would play."""
        strategies = np.array([policy.strategy() for policy in self.frozen.values()])
        return exploitability(nash((strategies @ PAYOFF @ strategies.T + 1) / 2) @ strategies)


def main(
    out: Path = Path("cycles.svg"),
    variants: tuple[str, ...] = ("self-play", "league"),
    updates: int = 600,
    games: int = 32,
    rate: float = 1.0,
    seeds: int = 3,
    measures: int = 30,
) -> None:
    """Trains each variant with seeds 0, 1, ... and draws exploitability over the games that were played.

    Args:
      out: the picture, an SVG.
      variants: self-play, fsp, pfsp, pfsp-self-play, main-exploiters, league.
      updates: of each learner, from `games` games each, with step size `rate`.
      measures: how often exploitability is measured.
    """
    lines: dict[str, list[np.ndarray]] = {}
    at = np.unique(np.linspace(0, updates, measures + 1).round().astype(int)[1:])
    with stage("cycles", len(variants) * seeds * updates, "updates") as bar:
        for variant, seed in itertools.product(variants, range(seeds)):
            training, found = Training(VARIANTS[variant], seed, games, rate), {"latest agent": [], "Nash": []}
            for update in range(1, updates + 1):
                training.update(update)
                bar.advance()
                if update in at:
                    found["latest agent"].append(training.latest())
                    found["Nash"].append(training.mixture())
            for what, values in found.items():
                lines.setdefault(f"{variant}, {what}", []).append(np.array(values))
    shown = {name: (at * games, np.mean(values, 0)) for name, values in lines.items()}
    title = f"What the best answer wins, mean of {seeds} seeds"
    out.write_text(curves(shown, title=title, x="games of each learner", y="exploitability", limits=(0, None)))
    print("exploitability, second half of training: mean (least to most of the seeds)")
    for name, values in lines.items():
        late = [one[len(at) // 2 :].mean() for one in values]
        print(f"  {name:32} {np.mean(late):.3f} ({min(late):.3f} to {max(late):.3f})")
    print(f"picture: {out}")


if __name__ == "__main__":
    tyro.cli(main)
