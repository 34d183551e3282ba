"""The league: who plays whom, who has beaten whom, and what is kept of it. It knows no network and no game."""

from asterism.league.checkpoints import ready_to_checkpoint, resets_after_checkpoint
from asterism.league.coordinator import Coordinator
from asterism.league.league import Checkpoint, League, LeagueReport, Match, founding_players
from asterism.league.matchmaking import choose_opponent
from asterism.league.payoff import Outcome, Payoff, Result
from asterism.league.pbt import PopulationBasedTraining
from asterism.league.pfsp import Weighting, pfsp
from asterism.league.player import Player, PlayerKind, Snapshot, first_main_agents
from asterism.league.ratings import Interval, elo, elo_error, nash, relative_performance, wilson
from asterism.league.settings import CheckpointRule, LeagueSettings
from asterism.league.state import LeagueState
from asterism.league.store import Store

__all__ = [
    "Checkpoint",
    "CheckpointRule",
    "Coordinator",
    "Interval",
    "League",
    "LeagueReport",
    "LeagueSettings",
    "LeagueState",
    "Match",
    "Outcome",
    "Payoff",
    "Player",
    "PlayerKind",
    "PopulationBasedTraining",
    "Result",
    "Snapshot",
    "Store",
    "Weighting",
    "choose_opponent",
    "elo",
    "elo_error",
    "first_main_agents",
    "founding_players",
    "nash",
    "pfsp",
    "ready_to_checkpoint",
    "relative_performance",
    "resets_after_checkpoint",
    "wilson",
]
