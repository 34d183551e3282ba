"""The game behind standard interfaces: pure JAX, Gymnasium (one game, or many side by side) and PettingZoo.

The JAX forms (`auto_reset`, `ending`, `Duel`) need nothing more; the others need the extra `envs`. Nothing is imported
before it is asked for, and nothing is registered before `register()`.
"""

from importlib import import_module
from typing import Any

from asterism.errors import UserError

_HOMES = {
    "AgainstBot": "gym_env",
    "Duel": "duel",
    "TwoPlayers": "parallel_env",
    "VectorAgainstBot": "vector_env",
    "auto_reset": "episodes",
    "ending": "episodes",
    "find_opponent": "opponents",
}
ENV_ID = "Asterism-v0"
"""What `gymnasium.make` and `gymnasium.make_vec` call the game after `register()`."""

__all__ = [*_HOMES, "ENV_ID", "register"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        raise _missing(error, f"{__name__}.{name}") from error


def register() -> None:
    """Makes `gymnasium.make("Asterism-v0", ...)` and `gymnasium.make_vec` known; again, it does nothing.

    Raises UserError where Gymnasium is not installed.
    """
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        raise _missing(error, "asterism.envs.register()") from error
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(
            ENV_ID,
            entry_point=f"{__name__}.gym_env:AgainstBot",
            vector_entry_point=f"{__name__}.vector_env:VectorAgainstBot",
        )


def _missing(error: ModuleNotFoundError, what: str) -> Exception:
    package = (error.name or "").split(".")[0]
    if package not in ("gymnasium", "pettingzoo"):
        return error
    return UserError(f"{what} needs {package}, which is not installed: pip install -e '.[envs]'")
