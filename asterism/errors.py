"""The one exception that a user may see, and checks of settings that raise it."""

from collections.abc import Iterable


class UserError(Exception):
    """Bad input or a full disk: one line: what is wrong, where, what to do. The command line exits with code 2."""


def require_at_least(settings: object, kind: str, bound: float, names: Iterable[str]) -> None:
    """Raises UserError if one of these settings, of a `kind` that the message names, is below the bound."""
    for name in names:
        if not getattr(settings, name) >= bound:
            raise UserError(f"{kind} setting {name} is {getattr(settings, name)}: it must be at least {bound}")


def require_positive(settings: object, kind: str, names: Iterable[str]) -> None:
    """The same, if one is not above 0."""
    for name in names:
        if not getattr(settings, name) > 0:
            raise UserError(f"{kind} setting {name} is {getattr(settings, name)}: it must be above 0")


def require_fraction(settings: object, kind: str, names: Iterable[str]) -> None:
    """The same, if one does not lie between 0 and 1."""
    for name in names:
        if not 0 <= getattr(settings, name) <= 1:
            raise UserError(f"{kind} setting {name} is {getattr(settings, name)}: it must lie between 0 and 1")


def require_choice(what: str, value: str, choices: Iterable[str]) -> str:
    """`value`; raises UserError if it is not one of the choices of `what`."""
    if value not in choices:
        raise UserError(f"{what} is {value!r}: choose one of {', '.join(choices)}")
    return value
