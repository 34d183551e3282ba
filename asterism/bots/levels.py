"""Ten levels of scripted players, named as in StarCraft II's API (`Difficulty`). The last three cheat, as there."""

from dataclasses import dataclass
from enum import IntEnum

from asterism.bots.styles import KINDS


class Difficulty(IntEnum):
    """StarCraft II's own numbers."""

    VeryEasy = 1
    Easy = 2
    Medium = 3
    MediumHard = 4
    Hard = 5
    Harder = 6
    VeryHard = 7
    CheatVision = 8
    CheatMoney = 9
    CheatInsane = 10


@dataclass(frozen=True)
class Level:
    """What a level can do; its style says what it does. Times in game loops."""

    delay: int
    """From one look at the game to the next; each look is one action at most."""
    pace: float
    """Its opening comes so many times as late as that of the real player."""
    workers: int
    """Most workers."""
    growth: float
    """Workers that it adds to its first twelve in a minute, at most."""
    bases: int
    """Most bases."""
    idle: float
    """Minerals that it leaves lying about, more by so many each minute."""
    groups: bool
    """Soldiers wait for others before they follow an attack."""
    caution: float
    """An attack is called off once what is there of it is worth less than so many times the enemies there; 0: never."""
    spells: bool
    """Stimpack, cloak and such in a fight."""
    militia: bool
    """Workers fight when the enemy is among them and there are no soldiers."""
    styles: tuple[str, ...] = KINDS
    """Which styles it may draw."""
    vision: bool = False
    """It sees the whole map."""
    income: float = 1.0
    """Its workers bring back so many times as much."""


CALM = ("timing", "macro")
LEVELS = {
    Difficulty.VeryEasy: Level(112, 2.0, 14, 0.4, 1, 480, False, 0.0, False, False, CALM),
    Difficulty.Easy: Level(96, 1.8, 16, 0.7, 1, 430, False, 0.0, False, False, CALM),
    Difficulty.Medium: Level(80, 1.5, 20, 1.2, 2, 360, False, 0.0, False, False, CALM),
    Difficulty.MediumHard: Level(72, 1.4, 23, 1.45, 2, 320, False, 0.0, False, True, (*CALM, "rush")),
    Difficulty.Hard: Level(48, 1.2, 34, 2.1, 2, 230, True, 0.0, False, True),
    Difficulty.Harder: Level(32, 1.1, 44, 2.4, 3, 180, True, 0.5, True, True),
    Difficulty.VeryHard: Level(16, 1.0, 66, 20.0, 4, 0, True, 0.5, True, True),
    Difficulty.CheatVision: Level(16, 1.0, 66, 20.0, 4, 0, True, 0.5, True, True, vision=True),
    Difficulty.CheatMoney: Level(16, 1.0, 66, 20.0, 4, 0, True, 0.5, True, True, vision=True, income=1.5),
    Difficulty.CheatInsane: Level(16, 1.0, 66, 20.0, 4, 0, True, 0.5, True, True, vision=True, income=2.0),
}
