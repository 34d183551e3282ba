"""Many games against one opponent, in one compiled program, as a Gymnasium VectorEnv."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from asterism.envs.duel import compiled
from asterism.envs.gym_env import new_key, side_of
from asterism.envs.masks import mask_arrays
from asterism.envs.opponents import find_opponent
from asterism.envs.pictures import METADATA, Pictures
from asterism.envs.spaces import action_space, as_dict, observation_space, read_action
from asterism.game.settings import GameSettings
from asterism.interface.action import Action
from asterism.interface.sizes import InterfaceSize
from asterism.interface.spec import action_spec
from asterism.runtime.players import select


class VectorAgainstBot(gymnasium.vector.VectorEnv):
    """`AgainstBot` `num_envs` (B) times: game i is what the single environment plays with the seed of game i.

    A game that has ended begins anew with the next step, whose action for it is ignored and whose reward is 0
    (Gymnasium's autoreset mode NEXT_STEP). A step lasts until a decision is due in every game, so it takes as long as
    the longest of the delays that were chosen.

    Infos are as in `AgainstBot`, B of each; `action_mask` holds plain arrays (`asterism.envs.masks.mask_arrays`):
    `action_type` [B, A], `units` [B, E], `target_unit` [B, E].
    """

    metadata = METADATA | {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        opponent: str = "easy",
        settings: GameSettings | None = None,
        size: str | InterfaceSize | None = None,
        render_mode: str | None = None,
    ):
        self.num_envs = num_envs
        self.game, self._opponent = find_opponent(opponent, settings, size)
        self.render_mode, self._pictures = render_mode, Pictures(self.game, render_mode)
        self._new, self._decide = compiled(self.game, self._opponent.player, many=True)
        self.single_observation_space = observation_space(self.game.description, self.game.size)
        self.single_action_space = action_space(self.game.description, self.game.size)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._spec = action_spec(self.game.description, self.game.size)
        self._generators, self._seeds = zip(*(seeding.np_random() for _ in range(num_envs)), strict=True)
        self._over = np.zeros(num_envs, bool)
        self._matches = None

    @property
    def np_random(self) -> tuple[np.random.Generator, ...]:
        """The generator of each game."""
        return self._generators

    @property
    def np_random_seed(self) -> tuple[int, ...]:
        """The seed of each game's generator."""
        return self._seeds

    def reset(self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None):
        """New games.

        Args:
          seed: of game 0, and game i has `seed + i`; or one for each game, None to go on with its generator.
          options: `side`, 0 or 1, of the user in all games; otherwise the seeds draw it.
        """
        seeds = [None] * self.num_envs if seed is None else seed
        seeds = [seeds + i for i in range(self.num_envs)] if isinstance(seeds, int | np.integer) else list(seeds)
        if len(seeds) != self.num_envs:
            raise ValueError(f"there are {len(seeds)} seeds for {self.num_envs} games: give one each")
        fresh = [None if own is None else seeding.np_random(own) for own in seeds]
        kept = zip(self._generators, self._seeds, strict=True)
        pairs = [new or old for new, old in zip(fresh, kept, strict=True)]
        self._generators, self._seeds = zip(*pairs, strict=True)
        self._over = np.zeros(self.num_envs, bool)
        everywhere = np.ones(self.num_envs, bool)
        return self._look(*self._begin(everywhere, side_of(options)))[::4]

    def step(self, actions: dict[str, Any] | Action):
        """One decision of each game. ValueError for actions that are not of the space."""
        if self._matches is None:
            raise gymnasium.error.ResetNeeded("no games have begun: call reset before step")
        action = read_action(actions, self._spec, (self.num_envs,))
        played = self._decide(self._matches, action, self._opponent.weights)
        if self._over.any():
            played = _select(self._over, self._begin(self._over), played)
        return self._look(*played)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """A picture of each game, [height, width, 3] of 0..255; None without a render mode."""
        return self._pictures.draw_many(self._matches and self._matches.state, self.num_envs)

    def _begin(self, where: np.ndarray, side: int = -1):
        """New games in all places; the generators of those `where` are used, the others' are left alone."""
        keys = [new_key(g) if new else jax.random.key(0) for g, new in zip(self._generators, where, strict=True)]
        drawing, playing = jax.vmap(jax.random.split, out_axes=1)(jax.numpy.stack(keys))
        params = self._opponent.draw_many(drawing)
        return self._new(params, np.full(self.num_envs, side), playing)

    def _look(self, matches, outcome):
        """What `step` returns."""
        outcome = jax.tree.map(np.asarray, outcome)
        self._matches = matches
        terminated, truncated = np.array(outcome.terminated), np.array(outcome.truncated)
        self._over = terminated | truncated
        all_of_them = np.ones(self.num_envs, bool)
        mask = mask_arrays(self.game.description, outcome.observation)
        infos = {
            "action_mask": mask | {f"_{name}": all_of_them for name in mask},
            "result": np.array(outcome.result),
            "side": np.array(matches.side),
            "game_loop": np.array(matches.state.loop),
        }
        infos |= {f"_{name}": all_of_them for name in list(infos)}
        return as_dict(outcome.observation), outcome.reward.astype(np.float64), terminated, truncated, infos


_select = jax.jit(select)
