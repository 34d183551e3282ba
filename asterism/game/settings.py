"""Settings of one game."""

from dataclasses import dataclass

from asterism.errors import UserError, require_at_least, require_choice, require_fraction
from asterism.game.tables import RACES


@dataclass(frozen=True)
class GameSettings:
    """How a game is played. Times in game loops (22.4 a second)."""

    map: str = "first_light"
    """Name of a built-in map (docs/maps.md), seed:NUMBER for a generated one, or the path of an .npz file."""
    rules: str = "terran_v1"
    """Units of the game: terran_v1 (15 Terran types) or full (the three races of 5.0.14)."""
    races: tuple[str, str] = ("terran", "terran")
    """Race of each player: terran, zerg, protoss, or random."""
    slots: int = 64
    """Most units and structures that one player can own at a time."""
    tick: int = 8
    """Game loops that one tick of the simulation covers."""
    step: int = 32
    """Game loops between two moments at which players may act; delays are rounded up to them. A multiple of tick."""
    time_limit: int = 13440
    """Game loops after which the game is a tie (13440 = 10 minutes)."""
    reveal_after: int = 224
    """Game loops without a town hall after which a player's structures are shown to the enemy (224 = 10 seconds)."""
    queue: int = 5
    """Orders that a unit or structure can hold."""
    placement_snap: int = 4
    """A structure is placed on the nearest free ground within this many cells of where it was asked for."""
    vision: tuple[bool, bool] = (False, False)
    """Players who see the whole map, as StarCraft II's cheating levels do."""
    income: tuple[float, float] = (1.0, 1.0)
    """How many times what they take each player's workers bring back."""
    interface: str = "map"
    """map: all that is in sight is shown in full, and targets can be anywhere. camera: enemies outside the camera are
    shown as dots, and some actions need their target inside it (docs/interface.md)."""
    rate_limit: int = 22
    """Actions that a player can give in any `rate_window`, camera moves included; 0 for no limit."""
    rate_window: int = 112
    """Game loops (112 = 5 seconds)."""
    latency: int = 0
    """Game loops between an action's decision and its execution (AlphaStar, against humans: 110 ms, 2.5 loops), rounded
    up to whole ticks; a step at most."""
    hidden_race: float = 0.1
    """Share of games in which a player is not told the enemy's race until it sees a unit of it."""
    mmr: tuple[int, int] = (0, 0)
    """Rating that each player is told to play at (`Scalars.mmr`); 0 for none."""
    blocking: bool = False
    """Structures and resources stand in the way of who walks: walls can be built. Rules full only; it doubles the time
    of a tick."""

    def __post_init__(self):
        require_at_least(self, "game", 1, ("slots", "tick", "step", "time_limit", "reveal_after", "queue"))
        if self.step % self.tick:
            raise UserError(f"game setting step ({self.step}) must be a multiple of tick ({self.tick})")
        for race in self.races:
            require_choice("game setting races", race, (*RACES, "random"))
        if self.blocking and self.rules != "full":
            raise UserError(f"game setting blocking needs rules full, not {self.rules}")
        if min(self.income) < 0:
            raise UserError(f"game setting income is {self.income}: it must be at least 0")
        if self.slots < 20:
            raise UserError(f"game setting slots is {self.slots}: a game starts with 13 units, so give it at least 20")
        require_choice("game setting interface", self.interface, ("map", "camera"))
        require_at_least(self, "game", 0, ("rate_limit", "latency"))
        require_at_least(self, "game", 1, ("rate_window",))
        require_fraction(self, "game", ("hidden_race",))
        if self.latency_ticks * self.tick > self.step:
            raise UserError(f"game setting latency ({self.latency}) must not be above step ({self.step})")
        if not all(0 <= rating <= 32767 for rating in self.mmr):
            raise UserError(f"game setting mmr is {self.mmr}: ratings lie between 0 and 32767")

    @property
    def latency_ticks(self) -> int:
        """Ticks between an action's decision and its execution."""
        return -(-self.latency // self.tick)

    @property
    def limits_rate(self) -> bool:
        """Whether players could act more often than the limit allows: they act once a step at most."""
        return 0 < self.rate_limit < -(-self.rate_window // self.step)
