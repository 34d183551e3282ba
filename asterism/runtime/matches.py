"""Matches: games of agents and bots against each other, from both sides equally often."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from asterism.errors import UserError
from asterism.league import Outcome, wilson
from asterism.runtime.agents import TEACHER
from asterism.runtime.arena import Races, play_games, seats, side
from asterism.runtime.devices import ALL, EACH, games_mesh, over_games
from asterism.runtime.players import BOTS, Controller, agent, bot_drawer, check_bot, scripted, spread
from asterism.runtime.progress import stage
from asterism.runtime.setup import Tools

MOST_LANES = 50
"""Games side by side, at most."""


def check_opponents(names: tuple[str, ...]) -> None:
    """Raises UserError in one line for a name that is neither a bot nor the teacher."""
    for name in names:
        try:
            name == TEACHER or check_bot(name)
        except UserError as error:
            known = ", ".join((*BOTS, TEACHER))
            raise UserError(f"unknown opponent {name!r}: choose from {known} ({error})") from None


class Score(NamedTuple):
    """Games of one player against one opponent."""

    wins: int
    draws: int
    losses: int

    @property
    def games(self) -> int:
        """How many games."""
        return self.wins + self.draws + self.losses

    def shuffled(self, rng: np.random.Generator) -> list[Outcome]:
        """The games in an order of chance. Old games count less in the payoff: in order of their outcome, the losses
        would count most."""
        ordered = [Outcome.WIN] * self.wins + [Outcome.DRAW] * self.draws + [Outcome.LOSS] * self.losses
        return [Outcome(int(one)) for one in rng.permutation(ordered)]

    def line(self, opponent: str) -> str:
        """One line of a table: wins, draws, losses, and the win rate with its 95% Wilson interval (a draw is half)."""
        rate, low, high = wilson(*self)
        return (
            f"{opponent:>11}: {self.wins:4} wins {self.draws:4} draws {self.losses:4} losses   "
            f"{rate:6.1%}  (95%: {low:.1%} to {high:.1%})"
        )


def table(scores: dict[str, Score]) -> str:
    """Scores by opponent's name, one line each."""
    return "\n".join(score.line(opponent) for opponent, score in scores.items())


def lanes_for(games: int) -> int:
    """How many games to play side by side so that their number comes out, an even one, for both sides are played."""
    waves = -(-games // MOST_LANES)
    return 2 * -(-games // (2 * waves))


class Guest(NamedTuple):
    """An agent whose network is not that of the others, and its weights."""

    controller: Controller
    policy: Any


class Matches:
    """Plays matches between kinds of players; each pair of kinds is compiled once."""

    def __init__(self, tools: Tools, games: int):
        """`games`: how many each match will have, at most or as a rule."""
        self.tools, self.lanes = tools, lanes_for(games)
        self.agent = agent(tools.network)
        self._drawers: dict[str, Any] = {}
        self._compiled: dict[tuple[Controller, Controller], Any] = {}

    @cached_property
    def bot(self) -> Controller:
        """Scripted players; a game that has none has matches of agents all the same."""
        return scripted(self.tools.game)

    def _play(self, home: Controller, away: Controller):
        if (home, away) not in self._compiled:
            play = partial(play_games, self.tools.game, home, away)
            params = tuple(EACH if player.own_params else ALL for player in (home, away))
            self._compiled[home, away] = over_games(play, games_mesh(self.lanes), (params, EACH, EACH, EACH), EACH)
        return self._compiled[home, away]

    def _controller(self, player: Any) -> Controller:
        if isinstance(player, Guest):
            return player.controller
        return self.bot if isinstance(player, str) else self.agent

    def _params(self, player: Any, key, race: Int[Array, " B"]) -> Any:
        """Parameters of a bot in every lane, or the weights themselves."""
        if isinstance(player, Guest):
            return player.policy
        if not isinstance(player, str):
            return player
        if player not in self._drawers:
            self._drawers[player] = bot_drawer(self.tools.game, (player,))
        return self._drawers[player](jnp.zeros(self.lanes, int), jax.random.split(key, self.lanes), race)

    def score(
        self, home: Any, away: Any, games: int, seed: int, progress=None, races: tuple[int, int] = (0, 0)
    ) -> Score:
        """Plays `games` games (rounded up to whole waves of lanes, then cut).

        A player is a bot's name, a policy's weights or a guest. `races`: `Race` of home and away; 0: that of its side
        in the game's settings, drawn for each game if it is random there. UserError for an unknown bot.
        """
        play = self._play(self._controller(home), self._controller(away))
        rewards = []
        for wave in range(-(-games // self.lanes)):
            keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), wave), 3)
            seat, own = seats(self.lanes), jax.random.split(keys[2], self.lanes)
            sides = Races(*spread(jnp.array(races), self.lanes).T).by_side(self.tools.game, seat, own)
            params = self._params(home, keys[0], side(sides, seat)), self._params(away, keys[1], side(sides, 1 - seat))
            rewards.append(np.asarray(play(params, seat, own, sides).reward))
            if progress:
                progress.advance(min(self.lanes, games - wave * self.lanes))
        rewards = np.concatenate(rewards)[:games]
        return Score(int((rewards > 0).sum()), int((rewards == 0).sum()), int((rewards < 0).sum()))


def evaluate_agent(
    matches: Matches,
    policy: Any,
    others: dict[str, Any],
    games: int,
    seed: int,
    bots: tuple[str, ...] = BOTS,
    played: dict[str, Any] | None = None,
    keep: Callable[[], None] = lambda: None,
    races: tuple[int, int] = (0, 0),
) -> dict[str, Score]:
    """Scores of a policy against `bots` and the other policies, by opponent's name.

    `played`: scores that are known already; each new one is put in and `keep` called. `races`: as in `Matches.score`.
    """
    opponents = {**{name: name for name in bots}, **others}
    played = {} if played is None else played
    with stage("evaluate", games * len(opponents), "games") as bar:
        for name, player in opponents.items():
            if name in played:
                bar.advance(games)
            else:
                played[name] = matches.score(policy, player, games, seed, bar, races)
                keep()
    return {name: Score(*played[name]) for name in opponents}
