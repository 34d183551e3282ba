"""Every number of the league, by name."""

import math
from dataclasses import dataclass, fields

from asterism.errors import UserError, require_fraction
from asterism.league.pfsp import Weighting
from asterism.league.player import PlayerKind


@dataclass(frozen=True)
class CheckpointRule:
    """When a learner puts a frozen copy of itself into the league. Raises UserError for numbers that make no sense."""

    min_steps: int
    """Agent steps since its last copy before a learner may add one for its win rates."""
    timeout_steps: int
    """Agent steps since its last copy after which it adds one whatever its win rates."""
    reset_probability: float
    """Chance to go back to the supervised weights after adding a copy."""

    def __post_init__(self):
        if not 0 <= self.min_steps <= self.timeout_steps or self.timeout_steps == 0:
            raise UserError(
                f"league: min_steps {self.min_steps} and timeout_steps {self.timeout_steps} must keep "
                "0 <= min_steps <= timeout_steps, with timeout_steps above 0"
            )
        require_fraction(self, "league", ("reset_probability",))


@dataclass(frozen=True)
class LeagueSettings:
    """Composition, matchmaking and checkpoints; the defaults are the paper's but for the steps and `retry_share`, which
    fit a small run.

    Source: Vinyals et al. 2019, Methods, "Multi-agent learning", and the supplementary pseudocode.
    Raises UserError for a value that makes no sense.
    """

    main_agents: int = 1
    """Main agents of each race."""
    main_exploiters: int = 1
    """Main exploiters of each race."""
    league_exploiters: int = 1
    """League exploiters of each race."""

    self_play_share: float = 0.35
    """Share of a main agent's games that are self-play."""
    pfsp_share: float = 0.50
    """Share of a main agent's games against past players, the hard ones first."""
    verification_share: float = 0.15
    """Share of a main agent's games against past main exploiters that beat it and forgotten past selves."""

    main_agent_floor: float = 0.30
    """Win rate against a main agent under which a main agent meets that agent's past copies instead."""
    main_exploiter_floor: float = 0.10
    """The same for a main exploiter (the paper's text: 0.20)."""
    exploited_below: float = 0.30
    """Win rate under which a past main exploiter counts as one that beats the main agent."""
    forgotten_below: float = 0.70
    """Win rate under which a past copy of a main agent counts as forgotten."""

    pfsp_weighting: Weighting = Weighting.HARD
    """Weighting of a main agent over past players."""
    curriculum_weighting: Weighting = Weighting.VARIANCE
    """Weighting over the past copies of a main agent that is too strong still."""
    verification_weighting: Weighting = Weighting.HARD
    """Weighting over exploiters and forgotten copies."""
    league_exploiter_weighting: Weighting = Weighting.CAPPED
    """Weighting of a league exploiter over past players."""

    retry_share: float = 0.1
    """Share of the draws by win rate that are even ones, and of those in which a main agent is met although it is too
    strong: a win rate changes by games alone, so that who has been passed over for it once, be it by a few games' luck,
    would be passed over for good. (The pseudocode has none; AlphaStar plays thousands of games where a small run plays
    eight.)"""

    decay: float = 0.99
    """Factor on a pair's counts at each new game of the pair."""
    checkpoint_win_rate: float = 0.70
    """Win rate above which an opponent counts as beaten when a learner asks whether to add a copy."""
    main_agent_checkpoint: CheckpointRule = CheckpointRule(20_000, 40_000, 0.0)
    """When a main agent adds a copy."""
    main_exploiter_checkpoint: CheckpointRule = CheckpointRule(5_000, 10_000, 1.0)
    """When a main exploiter adds a copy. Of a small run's turns it has few."""
    league_exploiter_checkpoint: CheckpointRule = CheckpointRule(5_000, 10_000, 0.25)
    """When a league exploiter adds a copy."""

    def __post_init__(self):
        if self.main_agents < 1 or self.main_exploiters < 0 or self.league_exploiters < 0:
            raise UserError("league: main_agents must be at least 1, main_exploiters and league_exploiters at least 0")
        require_fraction(self, "league", (field.name for field in fields(self) if field.type is float))
        shares = (self.self_play_share, self.pfsp_share, self.verification_share)
        if not math.isclose(sum(shares), 1, abs_tol=1e-6):
            raise UserError(
                f"league: self_play_share {shares[0]}, pfsp_share {shares[1]} and verification_share {shares[2]} "
                f"must sum to 1, not {sum(shares):g}"
            )
        if self.decay == 0:
            raise UserError("league: decay must be above 0, or every pair would know its last game alone")

    @classmethod
    def paper(cls) -> "LeagueSettings":
        """The paper's league, a dozen learners for three races.

        Steps are those of the pseudocode, 2e9 to 4e9 for every kind. (The text gives exploiters no minimum, and a
        league exploiter a time-out of 2e9; without a minimum an exploiter that has just joined would at once join
        again.)
        """
        return cls(
            league_exploiters=2,
            retry_share=0.0,
            main_agent_checkpoint=CheckpointRule(2_000_000_000, 4_000_000_000, 0.0),
            main_exploiter_checkpoint=CheckpointRule(2_000_000_000, 4_000_000_000, 1.0),
            league_exploiter_checkpoint=CheckpointRule(2_000_000_000, 4_000_000_000, 0.25),
        )

    def checkpoint_rule(self, kind: PlayerKind) -> CheckpointRule:
        """The rule of a kind of learner. Raises ValueError for historical players, which add no copies."""
        if kind is PlayerKind.HISTORICAL:
            raise ValueError("a historical player adds no copies")
        return getattr(self, f"{kind.value}_checkpoint")

    def learners_per_race(self) -> dict[PlayerKind, int]:
        """How many learners of each kind a race has."""
        return {
            PlayerKind.MAIN_AGENT: self.main_agents,
            PlayerKind.MAIN_EXPLOITER: self.main_exploiters,
            PlayerKind.LEAGUE_EXPLOITER: self.league_exploiters,
        }
