"""What tells one scripted player from another: numbers, drawn anew for each game."""

from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from asterism.bots.build_orders import load_build_orders
from asterism.errors import UserError
from asterism.interface.description import GameDescription

ORDER_LENGTH = 20
NEVER = 1 << 30
"""A game loop that no game reaches."""


class BotParameters(NamedTuple):
    """One scripted player in one game. U unit types; times in game loops."""

    order: Int[Array, " 20"]
    """Structures to build, in this order; 0 ends it."""
    goal: Int[Array, " U"]
    """How many of each structure to have at most; those still missing are built once the order is done."""
    workers: Int[Array, ""]
    """Most workers."""
    army: Float[Array, " U"]
    """Preference for each unit type among those that can be trained; 0 never."""
    attack_supply: Int[Array, ""]
    """Army supply with which an attack begins."""
    attack_loop: Int[Array, ""]
    """Game loop before which no attack begins."""
    retreat_share: Float[Array, ""]
    """An attack ends when the army falls below this share of `attack_supply`."""
    delay: Int[Array, ""]
    """Game loops between two actions."""
    rest: Int[Array, ""]
    """Game loops to the next look when there was nothing to do."""
    upgrades: Bool[Array, ""]
    guard: Float[Array, ""]
    """Army supply to have for each 1000 game loops after the first 2400; below it idle structures train before others
    are built."""
    expand_army: Int[Array, ""]
    """Army supply before another town hall is built."""
    worker_attack: Int[Array, ""]
    """Game loop from which all workers attack."""
    random: Bool[Array, ""]
    """It does not follow the script but takes a random valid action each time."""


@dataclass(frozen=True)
class BotStyle:
    """A family of scripted players; pairs are ranges from which each game draws."""

    delay: tuple[int, int]
    rest: tuple[int, int]
    follows: tuple[str, ...] = ()
    """Structures of the real build order that are built; the others are skipped."""
    goal: dict[str, int] = field(default_factory=dict)
    workers: tuple[int, int] = (0, 0)
    army: dict[str, float] = field(default_factory=dict)
    attack_supply: tuple[int, int] = (0, 0)
    attack_loop: tuple[int, int] = (0, 0)
    retreat_share: float = 0.0
    upgrades: bool = False
    guard: float = 0.0
    expand_army: tuple[int, int] = (0, 0)
    worker_attack: tuple[int, int] = (NEVER, NEVER)
    random: bool = False


STYLES = {
    "random": BotStyle(delay=(1, 127), rest=(1, 127), random=True),
    "worker-rush": BotStyle(delay=(32, 64), rest=(32, 64), workers=(14, 18), worker_attack=(0, 2400)),
    "easy": BotStyle(
        follows=("Barracks", "Refinery"),
        goal={"Barracks": 2, "Refinery": 1},
        workers=(13, 15),
        army={"Marine": 1.0},
        attack_supply=(6, 9),
        attack_loop=(4200, 5200),
        delay=(80, 112),
        rest=(80, 112),
    ),
    "rush": BotStyle(
        follows=("Barracks",),
        goal={"Barracks": 3},
        workers=(15, 17),
        army={"Marine": 1.0},
        attack_supply=(8, 11),
        attack_loop=(3600, 4300),
        delay=(16, 32),
        rest=(33, 64),
        retreat_share=0.3,
    ),
    "macro": BotStyle(
        follows=("Barracks", "CommandCenter", "EngineeringBay"),
        goal={
            "Barracks": 6,
            "Refinery": 1,
            "CommandCenter": 2,
            "EngineeringBay": 1,
            "Factory": 1,
            "BarracksTechLab": 2,
            "FactoryTechLab": 1,
        },
        workers=(20, 22),
        army={"Marine": 1.0, "Marauder": 0.8, "SiegeTank": 2.0, "Hellion": 0.3},
        attack_supply=(18, 24),
        attack_loop=(4600, 5600),
        delay=(8, 16),
        rest=(16, 32),
        retreat_share=0.3,
        upgrades=True,
        guard=9.0,
        expand_army=(20, 24),
    ),
}


SPARRING = ("random", "worker-rush")
"""Players that are there to be beaten: nobody imitates them."""


def bot_style(name: str) -> BotStyle:
    """The style called `name`; raises UserError when there is none."""
    if name not in STYLES:
        raise UserError(f"unknown bot {name!r}: choose one of {', '.join(STYLES)}")
    return STYLES[name]


def real_structures(game: GameDescription, style: BotStyle) -> Int[np.ndarray, "n 20"]:
    """The structures of real Terran build orders that a style follows, one row a game; not the first town hall."""
    rows = []
    for order in load_build_orders("terran"):
        kinds = [game.unit_index[i.unit] for i in order.items if i.unit in style.follows and i.unit in game.unit_index]
        rows.append((kinds + [0] * ORDER_LENGTH)[:ORDER_LENGTH])
    return np.array(rows, np.int32)


def draw_parameters(key: PRNGKeyArray, game: GameDescription, style: BotStyle) -> BotParameters:
    """A scripted player for one game: a real build order, and the rest from the style's ranges."""
    keys = iter(jax.random.split(key, 9))
    orders = jnp.asarray(real_structures(game, style))

    def table(values, dtype):
        row = np.zeros(len(game.unit_types), dtype)
        for name, value in values.items():
            row[game.unit_index[name]] = value
        return jnp.asarray(row)

    def between(pair):
        return jax.random.randint(next(keys), (), pair[0], pair[1] + 1)

    army = table(style.army, np.float32)
    return BotParameters(
        order=orders[jax.random.randint(next(keys), (), 0, len(orders))],
        goal=table(style.goal, np.int32),
        workers=between(style.workers),
        army=army * jax.random.uniform(next(keys), army.shape, minval=0.5, maxval=1.5),
        attack_supply=between(style.attack_supply),
        attack_loop=between(style.attack_loop),
        retreat_share=jnp.float32(style.retreat_share),
        delay=between(style.delay),
        rest=between(style.rest),
        upgrades=jnp.array(style.upgrades),
        guard=jnp.float32(style.guard),
        expand_army=between(style.expand_army),
        worker_attack=between(style.worker_attack),
        random=jnp.array(style.random),
    )
