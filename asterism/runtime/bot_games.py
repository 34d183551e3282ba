"""Many games of scripted players of any race, level and style, in one compiled program. B games ("lanes") side by side.

A lane that is done takes the next game, so that long games hold up no short ones. What happens in a game depends on its
own seed alone.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asterism.bots.levels import LEVELS, Difficulty
from asterism.bots.names import BotName
from asterism.bots.plans import Plan, Playbook
from asterism.game.game import EmbeddedGame
from asterism.interface.observation import Race
from asterism.runtime.arena import Keys, Lanes, advance, split_keys
from asterism.runtime.players import Controller, scripted, select, spread, strong

STEPS = 84
"""Steps between two moments at which lanes are filled anew: a minute of the game at 16 game loops a step."""


class Casting(NamedTuple):
    """Who plays, by side: [..., 2]."""

    race: Int[Array, "*b 2"]
    """`Race`."""
    level: Int[Array, "*b 2"]
    """`Difficulty`."""
    kind: Int[Array, "*b 2"]
    """Index into `ALL_KINDS`; -1 for a style that the level draws."""


class Bout(NamedTuple):
    """One game."""

    players: tuple[BotName, BotName]
    """Both with a race."""
    seed: int


class Ended(NamedTuple):
    """How a game ended."""

    index: int
    """Place among the bouts."""
    reward: float
    """For the first player: 1, 0 or -1."""
    loops: int


class Stage(NamedTuple):
    """B games in progress."""

    lanes: Lanes
    plans: tuple[Plan, Plan]
    keys: Keys
    done: Bool[Array, " B"]
    reward: Float[Array, " B"]
    loops: Int[Array, " B"]


def cast_names(players: Sequence[BotName]) -> Casting:
    """Names with races as numbers."""
    rows = [(Race.named(name.race), name.level, name.number) for name in players]
    return Casting(*np.array(rows, np.int32).T)


def begin(game: EmbeddedGame, book: Playbook, player: Controller, casting: Casting, keys: Keys) -> Stage:
    """New games of drawn plans, with the cheats of their levels. Call it in compiled code."""
    count = len(keys)
    vision = jnp.array([LEVELS[level].vision for level in Difficulty])[casting.level - 1]
    income = jnp.array([LEVELS[level].income for level in Difficulty], jnp.float32)[casting.level - 1]
    own, first, second = split_keys(keys, 3)
    draw = jax.vmap(book.draw)
    plans = tuple(
        draw(key, casting.race[:, side], casting.level[:, side], casting.kind[:, side])
        for side, key in enumerate((first, second))
    )
    state, timestep = jax.vmap(game.start)(casting.race, spread(game.no_strategy(), count), vision, income)
    memory = spread(player.initial_memory(), count)
    lanes = Lanes(state, timestep, memory, memory, jnp.zeros(count, jnp.int32))
    none = jnp.zeros(count)
    return strong(Stage(lanes, plans, own, none > 0, none, none.astype(jnp.int32)))


class BotGames:
    """Plays games of scripted players; compiled once for all."""

    def __init__(self, game: EmbeddedGame, lanes: int = 8):
        self.game, self.count = game, lanes
        self.player, self.book = scripted(game), Playbook(game.rules, game.settings.slots)
        self._begin = jax.jit(partial(begin, game, self.book, self.player))
        self._refill = jax.jit(lambda which, new, old: jax.tree.map(partial(_mix, which), new, old), donate_argnums=2)
        self._play = jax.jit(self._steps, donate_argnums=0)

    def _steps(self, stage: Stage) -> Stage:
        def step(stage, _):
            keys, own = split_keys(stage.keys, 2)
            lanes, _ = advance(self.game, self.player, self.player, stage.plans, stage.lanes, own)
            reward = select(stage.done, stage.reward, lanes.timestep.reward[:, 0])
            loops = select(stage.done, stage.loops, lanes.state.loop)
            return Stage(lanes, stage.plans, keys, stage.done | lanes.timestep.done, reward, loops), None

        return jax.lax.scan(step, stage, None, STEPS)[0]

    def _new(self, bouts: Sequence[Bout]) -> Stage:
        rows = [cast_names(bout.players) for bout in bouts]
        casting = jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *rows)
        return self._begin(casting, jnp.stack([jax.random.key(bout.seed) for bout in bouts]))

    def play(self, bouts: Sequence[Bout]) -> Iterator[Ended]:
        """Plays all bouts, and yields each game as it ends."""
        size = self.count
        queue = list(range(len(bouts)))
        running = [queue.pop(0) if queue else -1 for _ in range(size)]
        stage = self._new([bouts[max(index, 0)] for index in running])
        while any(index >= 0 for index in running):
            stage = self._play(stage)
            done, reward, loops = (np.asarray(x) for x in (stage.done, stage.reward, stage.loops))
            free = [lane for lane in range(size) if done[lane] and running[lane] >= 0]
            for lane in free:
                yield Ended(running[lane], float(reward[lane]), int(loops[lane]))
                running[lane] = queue.pop(0) if queue else -1
            if any(running[lane] >= 0 for lane in free):
                new = self._new([bouts[max(index, 0)] for index in running])
                stage = self._refill(jnp.isin(jnp.arange(size), jnp.array(free)), new, stage)


def _mix(which: Bool[Array, " B"], new: Array, old: Array) -> Array:
    return jnp.where(which.reshape(which.shape + (1,) * (old.ndim - 1)), new, old)
