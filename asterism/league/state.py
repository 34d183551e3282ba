"""What the league knows at a moment: the mirror in memory of what is in the store."""

from asterism.league.payoff import Outcome, Payoff
from asterism.league.player import Player, PlayerKind


class LeagueState:
    """Players in order of entry, their steps and resets, and the payoff.

    `payoff` counts old games less; `totals` holds plain counts of the same games. `steps` has the agent steps of each
    learner, `resets` how often each was set back to the supervised weights.
    """

    def __init__(self, decay: float = 0.99):
        self.players: dict[str, Player] = {}
        self.steps: dict[str, int] = {}
        self.resets: dict[str, int] = {}
        self.payoff = Payoff(decay)
        self.totals = Payoff(decay=1.0)

    def add(self, player: Player) -> None:
        """Let a player in. Raises ValueError if the id is taken or the parent unknown."""
        if player.parent is not None and player.parent not in self.players:
            raise ValueError(f"parent {player.parent!r} of player {player.id!r} is not in the league")
        self.payoff.add(player.id)
        self.totals.add(player.id)
        self.players[player.id] = player
        if player.is_learner:
            self.steps[player.id] = player.steps
            self.resets[player.id] = 0

    def record(self, home: str, away: str, outcome: Outcome) -> None:
        """Count one game. Raises KeyError for an unknown player."""
        self.payoff.record(home, away, outcome)
        self.totals.record(home, away, outcome)

    def learner(self, player_id: str) -> Player:
        """The learner of this id. Raises ValueError if there is none."""
        player = self.players.get(player_id)
        if player is None or not player.is_learner:
            raise ValueError(f"{player_id!r} is not a learner of this league")
        return player

    def of_kind(self, kind: PlayerKind) -> list[str]:
        """Ids of the players of a kind, in order of entry."""
        return [player.id for player in self.players.values() if player.kind is kind]

    def copies(self, learner: str) -> list[str]:
        """Ids of the frozen copies of a learner, oldest first."""
        return [player.id for player in self.players.values() if not player.is_learner and player.parent == learner]

    def past_selves(self, learner: str) -> list[str]:
        """What a learner once was, oldest first: the teacher that it started from, then its copies.

        In the pseudocode the supervised weights are the first copy of every main agent; here all learners share them.
        """
        start = self.players[learner].parent
        return ([] if start is None else [start]) + self.copies(learner)

    def past_main_exploiters(self) -> list[str]:
        """Ids of the frozen copies of main exploiters, in order of entry."""
        return [player.id for player in self.players.values() if player.of_kind is PlayerKind.MAIN_EXPLOITER]

    def steps_since_copy(self, learner: str) -> int:
        """Agent steps of a learner since its last copy, or since its start."""
        copies = self.copies(learner)
        last = copies[-1] if copies else learner
        return self.steps[learner] - self.players[last].steps
