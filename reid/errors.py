"""The one exception that a user is meant to read, and a line that several of them say."""

from reid.shown import hide


def missing_extra(what: str, extra: str) -> str:
    """That a package is not installed, and how it is: this project is on no package index, so from its folder."""
    return f"{what}; in the folder of this repository: pip install '.[{extra}]'"


class InputError(Exception):
    """Bad input: one line that names the file or key, the rule, the value found and what to do.

    The command line prints it without a traceback and exits with code 2. Passwords of URIs are not in it.
    """

    def __init__(self, line: str) -> None:
        super().__init__(hide(line))
