"""The one exception that a user is meant to read."""


class InputError(Exception):
    """Bad input: one line that names the file or key, the rule, the value found and what to do.

    The command line prints it without a traceback and exits with code 2.
    """
