"""Asterism: AlphaStar that anyone can run. `asterism.Policy` is a trained agent for programs."""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when it is asked for, since JAX and the game come with it.
    if name == "Policy":
        from asterism.runtime.policy import Policy

        return Policy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
