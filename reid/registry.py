"""Names that are registered, and the nearest to one that is not."""

import difflib
from collections.abc import Sequence


def nearest(word: str, known: Sequence[str], among: Sequence[str] = ()) -> str:
    """ "; did you mean …?", or the list of what is known, to end an error with.

    The nearest is also looked for `among` names that are too many to be listed.
    """
    close = difflib.get_close_matches(word, [*known, *among], 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
