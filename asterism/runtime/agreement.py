"""How what the game made of a record (`produced`) agrees with that record. Times in game loops."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from asterism.game.rules import Rules
from asterism.game.tasks import Builder, Kind
from asterism.runtime.produced import Played
from asterism.runtime.productions import SUMMONED, GameProduction, Item, PlayerProduction
from asterism.runtime.recorded_orders import Help, Verdict
from asterism.runtime.tapes import NEVER, Tape, haste, is_interrupted, task_of


@dataclass(frozen=True)
class Product:
    """One item in the record and in the game."""

    game: str
    race: str
    item: Item | None
    """None for research, of which only the requirements are checked."""
    name: str
    start: int
    verdict: Verdict
    help: Help
    harmed: bool
    """Its player may have lost something when it began: then its supply is not what the game counts."""
    late: int | None
    """Loops that it began after its start."""
    took: int | None
    """Loops from its beginning to its end in the game."""
    recorded: int | None
    """The same in the record."""
    interrupted: bool
    """Its builder left it for a while: how long it took was its player's doing."""

    @property
    def is_timed(self) -> bool:
        """Whether its time can be compared."""
        exact = self.item is not None and self.item.exact
        return exact and not self.interrupted and self.took is not None and self.recorded is not None


@dataclass(frozen=True)
class Sample:
    """Supply of one player at one sample before its first loss."""

    game: str
    race: str
    loop: int
    used: float
    made: float
    recorded_used: float
    recorded_made: float
    low: float
    """Least supply used that the estimated starts leave open."""
    high: float
    complete: bool
    """The minerals in progress are those of the items: nothing was begun that the record leaves out."""

    @property
    def is_certain(self) -> bool:
        """Whether no estimate bears on it."""
        return self.low == self.high


def unknown_items(rules: Rules, games: list[GameProduction]) -> Counter[str]:
    """How many items of each type the game cannot make, those of spells left out."""
    items = (item for game in games for player in game.players for item in player.items)
    return Counter(item.kind for item in items if item.kind not in SUMMONED and not task_of(rules, item))


def products(rules: Rules, games: list[GameProduction], tapes: Tape, items: list, played: Played) -> list[Product]:
    """Every item of some games: see `make_tapes` and `producer`."""
    return [
        _product(rules, game, i, item, Played(*(leaf[g, i, k] for leaf in played[:-1]), None), tapes, (g, i, k))
        for g, game in enumerate(games)
        for i in range(2)
        for k, item in enumerate(items[g][i])
    ]


def _product(rules: Rules, game: GameProduction, i: int, item: Item | None, played: Played, tapes: Tape, at) -> Product:
    player, task = game.players[i], int(tapes.task[at])
    start = int(tapes.start[at])
    begun, done = (None if loop == NEVER else int(loop) for loop in (played.begun, played.done))
    return Product(
        game=f"{game.name} ({game.version})",
        race=player.race,
        item=item,
        name=item.kind if item else rules.description.upgrades[rules.tasks.upgrade[task]],
        start=start,
        verdict=Verdict(int(played.verdict)),
        help=Help(int(played.help)),
        harmed=bool(start > player.times[player.times < player.unharmed].max(initial=0)),
        late=None if begun is None else begun - start,
        took=None if done is None else done - begun,
        recorded=None if item is None or item.done is None else item.done - item.start,
        interrupted=item is not None and is_interrupted(rules, item, task),
    )


def samples(rules: Rules, games: list[GameProduction], tapes: Tape, items: list, played: Played) -> list[Sample]:
    """Every sample before the first loss, for games as in `products`."""
    found = []
    for g, game in enumerate(games):
        looked = {int(loop): k for k, loop in enumerate(tapes.samples[g])}
        for i, player in enumerate(game.players):
            bounds = _Bounds(rules, player, tapes.task[g, i], items[g][i], played.begun[g, i], played.done[g, i])
            rows = zip(player.times, player.used, player.made, player.in_progress, strict=True)
            for loop, recorded_used, recorded_made, progress in rows:
                if loop >= player.unharmed or loop not in looked:
                    continue
                used, made = (float(value) for value in played.supply[g, looked[int(loop)], :, i])
                less, more = bounds.open(loop)
                found.append(
                    Sample(
                        game=f"{game.name} ({game.version})",
                        race=player.race,
                        loop=int(loop),
                        used=used,
                        made=made,
                        recorded_used=float(recorded_used),
                        recorded_made=float(recorded_made),
                        low=used - less,
                        high=used + more,
                        complete=bool(progress == bounds.in_progress(loop)),
                    )
                )
    return found


class _Bounds:
    """What of a player's items was under way, and could have been, when a sample was taken. `begun`, `done`: loops."""

    def __init__(self, rules: Rules, player: PlayerProduction, task: np.ndarray, items: list, begun, done):
        count = len(items)
        tasks, task = rules.tasks, task[:count]
        self.begun = begun[:count]
        over = np.array([NEVER if item is None or item.over is None else item.over for item in items], int)
        self.until = np.minimum(done[:count], over)
        consumed = tasks.builder[task] == Builder.IS_CONSUMED
        worker = rules.units.minerals[tasks.user[task]]
        self.minerals = tasks.minerals[task] + np.where(consumed, worker, 0.0)
        self.supply = np.where(tasks.kind[task] == Kind.TRAIN, tasks.supply[task], 0.0)
        guessed = np.array([item is not None and not item.exact and item.done is not None for item in items], bool)
        ends = np.array([item.done if guess else 0 for item, guess in zip(items, guessed, strict=True)], int)
        guessed &= self.begun < NEVER
        self.earliest = np.where(guessed, ends - tasks.time[task], self.begun)
        self.latest = np.where(guessed, ends - tasks.time[task] / haste(player), self.begun)

    def open(self, loop: float) -> tuple[float, float]:
        """Supply that may have been used less, and more, than what had begun."""
        less = (self.begun < loop) & (self.latest >= loop)
        more = (self.begun >= loop) & (self.earliest < loop)
        return float(self.supply[less].sum()), float(self.supply[more].sum())

    def in_progress(self, loop: float) -> float:
        """Minerals spent on what was under way."""
        return float(self.minerals[(self.begun < loop) & (self.until >= loop)].sum())
