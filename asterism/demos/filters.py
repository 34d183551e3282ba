"""What is left out of recorded games when they are read (AlphaStar, Methods: repeated camera moves are filtered)."""

import jax
import numpy as np

from asterism.demos.format import Steps
from asterism.interface.description import GameDescription
from asterism.interface.sizes import InterfaceSize

CAMERA_MOVE = "raw_move_camera"


def drop_repeated_camera_moves(steps: Steps, game: GameDescription, size: InterfaceSize) -> Steps:
    """Makes one camera move of several in a row: seen at the first, to where the last went, with their delays added.

    A sum above the largest delay is cut to it. The observation after it shows the joined delay as its last delay.
    T shrinks by the moves dropped; a game without camera moves is returned as it is.
    """
    camera = game.action_index.get(CAMERA_MOVE)
    moves = steps.action.action_type == camera if camera is not None else np.zeros(1, bool)
    repeated = np.concatenate([[False], moves[1:] & moves[:-1]])
    if not repeated.any():
        return steps
    first = np.flatnonzero(~repeated)
    last = np.append(first[1:], len(repeated)) - 1
    kept = jax.tree.map(lambda values: values[first], steps)
    delays = np.minimum(np.add.reduceat(steps.action.delay, first), size.delays - 1)
    action = kept.action._replace(location=steps.action.location[last], delay=delays.astype(steps.action.delay.dtype))
    scalars, joined = kept.observation.scalars, np.flatnonzero(last > first)
    joined = joined[joined + 1 < len(first)]
    last_delay = scalars.last_delay.copy()
    last_delay[joined + 1] = delays[joined]
    observation = kept.observation._replace(scalars=scalars._replace(last_delay=last_delay))
    return kept._replace(observation=observation, action=action)
