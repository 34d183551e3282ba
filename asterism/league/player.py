"""The players of a league: learners, which change, and historical players, which do not."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class PlayerKind(Enum):
    """What a player is in the league for (Vinyals et al. 2019, Methods, "Multi-agent learning")."""

    MAIN_AGENT = "main_agent"
    MAIN_EXPLOITER = "main_exploiter"
    LEAGUE_EXPLOITER = "league_exploiter"
    HISTORICAL = "historical"


class Snapshot(NamedTuple):
    """Frozen weights, which never change."""

    file: str
    """Name of their file, in the folder of the league's weights."""
    sha256: str
    """Hash of what is in it: a file with another one is not this snapshot."""


def learner_id(kind: PlayerKind, race: str, number: int) -> str:
    """Id of one of a race's learners of a kind; the first has the number 0."""
    return f"{kind.value}_{race}_{number}"


def first_main_agents(races: Iterable[str]) -> dict[str, str]:
    """By race the id of its first main agent."""
    return {race: learner_id(PlayerKind.MAIN_AGENT, race, 0) for race in races}


@dataclass(frozen=True)
class Player:
    """One player. A learner's weights live in the training loop; a historical player's are its snapshot `weights`.

    The supervised teacher is a historical player without parent. A learner's parent is the teacher from which it starts
    and to which it is reset; a copy's parent is the learner that it is a copy of.
    """

    id: str
    kind: PlayerKind
    race: str
    parent: str | None = None
    weights: Snapshot | None = None
    """The frozen weights; None for a learner."""
    steps: int = 0
    """Agent steps that had gone into the weights when the player entered the league."""
    of_kind: PlayerKind | None = None
    """The kind of the learner that a historical player is a copy of; None for a learner and for a teacher."""

    @property
    def is_learner(self) -> bool:
        """Whether the player still learns."""
        return self.kind is not PlayerKind.HISTORICAL
