"""Speed of the embedded game alone: both players do nothing. Arrays are of fixed size, so the cost is that of any game.
Games are shared out among all cores.

python benchmarks/game.py --batches 1 64
python benchmarks/game.py --batches 16 --slots 64 128 256 512 --rules full
"""

import itertools
import statistics
import time
from dataclasses import dataclass

import jax
import tyro

from asterism.game.game import EmbeddedGame
from asterism.game.settings import GameSettings
from asterism.interface.sizes import interface_size
from asterism.interface.spec import no_op
from asterism.runtime.devices import EACH, games_mesh, over_games, use_every_core
from asterism.runtime.players import spread


@dataclass(frozen=True)
class Settings:
    """Prints game steps and ticks a second, of all games together, for each batch size and number of unit slots."""

    batches: tuple[int, ...] = (1, 16, 64, 256)
    """Games side by side."""
    slots: tuple[int, ...] = (64,)
    """Most units and structures of a player."""
    rules: str = "terran_v1"
    """Units of the game: terran_v1 or full."""
    step: int = 32
    """Game loops in a step; a tick is 8."""
    steps: int = 50
    """Steps in one measurement."""
    repeats: int = 5
    """Measurements, of which the median is printed."""
    size: str = "tiny"
    """Interface size."""


def steps_per_second(game: EmbeddedGame, batch: int, steps: int, repeats: int) -> float:
    """Median rate of `batch` games side by side, observations included, compilation not."""
    action = spread(no_op(game.size, delay=0), 2)
    actions = spread(action, batch)

    def play(state, actions):
        def body(state, _):
            state, timestep = jax.vmap(game.step)(state, actions)
            # One number of every observation, so that none of it is optimised away.
            return state, sum(leaf.sum().astype(float) for leaf in jax.tree.leaves(timestep))

        state, sums = jax.lax.scan(body, state, None, steps)
        return state, sums[None]

    run = over_games(play, games_mesh(batch), (EACH, EACH), (EACH, EACH))
    state, _ = jax.jit(jax.vmap(game.reset))(
        jax.random.split(jax.random.key(0), batch), spread(game.no_strategy(), batch)
    )
    jax.block_until_ready(run(state, actions))
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(run(state, actions))
        seconds.append(time.perf_counter() - began)
    return batch * steps / statistics.median(seconds)


def main(settings: Settings) -> None:
    """Measures and prints `name: value unit` lines."""
    use_every_core()
    for slots, batch in itertools.product(settings.slots, settings.batches):
        game = EmbeddedGame(
            GameSettings(step=settings.step, slots=slots, rules=settings.rules), interface_size(settings.size)
        )
        rate = steps_per_second(game, batch, settings.steps, settings.repeats)
        name = f"{settings.rules}_slots_{slots}_batch_{batch}"
        print(f"game_steps_{name}: {rate:.0f} steps/s")
        print(f"game_ticks_{name}: {rate * settings.step / game.settings.tick:.0f} ticks/s", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Settings))
