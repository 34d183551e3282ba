"""A small, short game, whose compiled functions all tests of the environments share."""

import jax
import numpy as np
import pytest

from asterism.game.settings import GameSettings
from asterism.interface.spec import no_op


@pytest.fixture(scope="session")
def short():
    return GameSettings(slots=20, time_limit=640)


@pytest.fixture(scope="session")
def idle():
    """An action that waits: (env, delay) -> a dictionary."""

    def wait(env, delay):
        return {name: np.asarray(part) for name, part in no_op(env.game.size, delay)._asdict().items()}

    return wait


@pytest.fixture(scope="session")
def same():
    """Whether two nested values hold the same arrays."""

    def equal(a, b):
        assert jax.tree.structure(a) == jax.tree.structure(b)
        return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))

    return equal
