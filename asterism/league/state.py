"""What the league knows at a moment: the mirror in memory of what is in the store."""

import math
from array import array
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from asterism.league.payoff import Outcome, Payoff
from asterism.league.player import Player, PlayerKind


class Group(Sequence[str]):
    """Ids of some players in order of entry, and their places in the payoff."""

    def __init__(self):
        self._ids: list[str] = []
        self._places = array("q")

    def add(self, player: str, place: int) -> None:
        """Let a player in, which stands at `place` in the payoff."""
        self._ids.append(player)
        self._places.append(place)

    @property
    def places(self) -> Int[np.ndarray, " n"]:
        """Where each is among all players."""
        return np.array(self._places, int)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index):
        return self._ids[index]


class LeagueState:
    """Players in order of entry, their steps and resets, and the payoff.

    `payoff` counts old games less, and those before a learner's reset not at all; `totals` holds plain counts of all
    games. `steps` has the agent steps of each learner, `resets` how often each was set back to the supervised weights.
    """

    def __init__(self, decay: float = 0.99):
        self.players: dict[str, Player] = {}
        self.ids: list[str] = []
        """Of the players, by their places in the payoff."""
        self.steps: dict[str, int] = {}
        self.resets: dict[str, int] = {}
        self._reset_at: dict[str, int] = {}
        self.payoff = Payoff(decay)
        self.totals = Payoff(decay=1.0)
        self._kinds: defaultdict[PlayerKind, Group] = defaultdict(Group)
        self._copied: defaultdict[PlayerKind, Group] = defaultdict(Group)
        """Frozen copies, by the kind of their learner."""
        self._lines: dict[str, Group] = {}
        """Each learner's past selves."""

    def add(self, player: Player) -> None:
        """Let a player in. Raises ValueError if the id is taken or the parent unknown."""
        if player.parent is not None and player.parent not in self.players:
            raise ValueError(f"parent {player.parent!r} of player {player.id!r} is not in the league")
        self.payoff.add(player.id)
        self.totals.add(player.id)
        place = len(self.ids)
        self.players[player.id] = player
        self.ids.append(player.id)
        self._kinds[player.kind].add(player.id, place)
        if player.is_learner:
            self.steps[player.id] = player.steps
            self.resets[player.id] = 0
            line = self._lines[player.id] = Group()
            if player.parent is not None:
                line.add(player.parent, self.ids.index(player.parent))
        elif player.parent is not None:
            self._copied[player.of_kind].add(player.id, place)
            self._lines[player.parent].add(player.id, place)

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

    def of_kind(self, kind: PlayerKind) -> Group:
        """The players of a kind."""
        return self._kinds[kind]

    def copies(self, learner: str) -> Sequence[str]:
        """Ids of the frozen copies of a learner, oldest first."""
        return self._lines[learner][self.players[learner].parent is not None :]

    def past_selves(self, learner: str) -> Group:
        """What a learner once was, oldest first: the teacher that it started from, then its copies.

        In the pseudocode the supervised weights are the first copy of every main agent; here all learners share them.
        """
        return self._lines[learner]

    def past_main_exploiters(self) -> Group:
        """The frozen copies of main exploiters."""
        return self._copied[PlayerKind.MAIN_EXPLOITER]

    def reset(self, learner: str, steps: int) -> None:
        """Note that a learner went back to the supervised weights after so many agent steps: what it won with others
        says nothing of it now."""
        self.resets[learner] += 1
        self.payoff.forget(learner)
        self._reset_at[learner] = steps

    def steps_since_reset(self, learner: str) -> float:
        """Agent steps of a learner since it last went back to the supervised weights; infinite if it never did."""
        return self.steps[learner] - self._reset_at.get(learner, -math.inf)

    def steps_since_copy(self, learner: str) -> int:
        """Agent steps of a learner since its last copy, or since its start."""
        copies = self.copies(learner)
        last = copies[-1] if copies else learner
        return self.steps[learner] - self.players[last].steps
