"""Settings of the league stage."""

from dataclasses import dataclass, field
from typing import Literal

from asterism.agent.network import check_blocks
from asterism.errors import UserError, require_at_least, require_choice, require_fraction, require_positive
from asterism.game.tables import RACES
from asterism.interface.observation import Race
from asterism.league import LeagueSettings, PopulationBasedTraining
from asterism.league.store import parse_url
from asterism.learning.losses import LossWeights, RewardWeights

StrategySource = Literal["recorded", "real", "both"]

SMALL_RUN = LossWeights(policy=RewardWeights(win_loss=1.0, build_order=0.02, units=0.02, upgrades=0.02, effects=0.02))
"""AlphaStar's weights, but for batches of a few hundred steps: there its pseudo-rewards (4 and 6) drown the result of
the game, and even at 0.2 they change games that follow no z."""


@dataclass(frozen=True)
class LeagueTraining:
    """Reinforcement learning in a league."""

    burn_in: int = 20
    """Updates before all others in which nothing learns: as long as no game has ended, values would learn from nothing
    but themselves. Games begin anew in them, a few in each, or else all openings and all ends would be learned from
    together."""
    value_updates: int = 25
    """Updates after these in which only values learn, from games of the teacher against itself: imitation leaves them
    to describe other players' games, and a policy led by wrong values gets worse."""
    updates: int = 300
    """Updates of the cohorts together."""
    races: tuple[str, ...] = ()
    """Races that have learners of their own, as AlphaStar's three: each learner plays its race, whoever it
    meets. None named: one set of learners, which play what the game's settings give to their side."""
    cohort: int = 1
    """Learners that play and learn together, along an axis of the compiled program; the other cohorts wait for their
    turn. Best a multiple of the number of devices, all learners where there is memory. Main agents come together."""
    lanes: int = 32
    """Games side by side for each learner."""
    groups: int = 4
    """Opponents that a learner meets at a time; the lanes are split among them."""
    unroll: int = 16
    """Agent steps in a trajectory."""
    steps: int = 16
    """Steps of the games in one collection; a learner is due at nearly each."""
    match_games: int = 8
    """Games of a match, after which a group gets a new opponent: as many in each of its lanes, at least one."""
    main_turns: int = 8
    """Updates of a main agent for each update of an exploiter, if they are in different cohorts."""
    learning_rate: float = 5e-5
    """Of Adam, at the start; the policy's falls to zero along a line (AlphaStar: 3e-5, batches of 512 x 16)."""
    value_learning_rate: float = 5e-4
    """The same for the value networks alone."""
    temperature: float = 0.6
    """Of the learners at the start, and of the teacher that they are held to, for all parts but the delay (AlphaStar:
    0.8, and 1 in imitation). The block sharpness, if it learns, moves it."""
    learn: tuple[str, ...] = ("action_type",)
    """Blocks of the policy that learn (AlphaStar: all; so here if none is named). What to do can be learned from a few
    hundred games; where, and with which units, stays as it was imitated, but for what those heads read of the block's
    embedding of the type."""
    adam: tuple[float, float, float] = (0.0, 0.99, 1e-5)
    """Beta 1, beta 2 and epsilon of Adam."""
    clip: float = 10.0
    """Largest norm of a gradient."""
    reuse: int = 1
    """How often each trajectory is learned from (AlphaStar: 2)."""
    z_probability: float = 0.1
    """Share of games in which the learner is asked to follow a strategy z (AlphaStar: most). Few, since the games that
    are evaluated have none."""
    strategies: StrategySource = "recorded"
    """Where those strategies come from: the games that were recorded, the 125 real games of the package (of the same
    match-up), or both (AlphaStar: real games)."""
    reward_probability: float = 0.25
    """Probability of each pseudo-reward in a game with a z."""
    playoff_games: int = 40
    """Games of each candidate in a round of the playoff at the end, in which the main agent and its frozen copies play
    the teacher; its winner is the agent. 0: the main agent as it is at the end."""
    checkpoint_seconds: float = 40.0
    """Most seconds between two checkpoints."""
    log_every: int = 10
    """Iterations of a learner between two entries in the metrics."""
    records: str = ""
    """Database of the league's records, as an SQLAlchemy URL: postgresql+psycopg://USER@HOST/DATABASE, with the extra
    `postgres`. Empty: league.sqlite in the run's folder. A database holds one run's league; other runs are refused."""
    opponents_mib: int = 1024
    """Memory for the policies of frozen opponents; those not met for longest are read again from their files.
    (Processes of a cluster keep a fixed number.)"""
    losses: LossWeights = SMALL_RUN
    pbt: PopulationBasedTraining = field(default_factory=PopulationBasedTraining)
    """Changes, in a run, the factors of learning rates, UPGO, entropy and KL."""
    league: LeagueSettings = field(default_factory=LeagueSettings)

    def __post_init__(self):
        counts = ("updates", "lanes", "groups", "unroll", "steps", "match_games", "main_turns", "reuse")
        counts += ("log_every", "cohort", "opponents_mib")
        require_at_least(self, "league", 0, ("burn_in", "value_updates", "playoff_games"))
        require_at_least(self, "league", 1, counts)
        require_fraction(self, "league", ("z_probability", "reward_probability"))
        require_positive(self, "league", ("learning_rate", "value_learning_rate", "temperature", "clip"))
        if not (all(0 <= beta < 1 for beta in self.adam[:2]) and self.adam[2] > 0):
            raise UserError(f"league setting adam is {self.adam}: two numbers from 0 to below 1, then one above 0")
        check_blocks(self.learn)
        if self.records:
            parse_url(self.records)
        for race in self.races:
            require_choice("league setting races", race, RACES)
        if len(set(self.races)) < len(self.races):
            raise UserError(f"league setting races is {self.races}: name each race once")
        learners = max(len(self.races), 1) * sum(self.league.learners_per_race().values())
        if learners % self.cohort:
            raise UserError(f"league setting cohort ({self.cohort}) must divide the number of learners ({learners})")
        if self.lanes % (2 * self.groups):
            raise UserError(f"league setting lanes ({self.lanes}) must be a multiple of twice groups ({self.groups})")

    def race_number(self, race: str) -> int:
        """`Race` that a player of the league plays, whoever it meets; without `races` 0: that of its side."""
        return int(Race.named(race)) if self.races else 0
