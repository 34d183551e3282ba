"""The one exception that a user may see."""


class UserError(Exception):
    """Bad input or a full disk: one line: what is wrong, where, what to do. The command line exits with code 2."""
