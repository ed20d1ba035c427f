"""A table of texts as another program exported it, and its columns by the names that a user gives them."""

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reid.errors import InputError

SHOWN = 12  # columns named in an error
AGGREGATE = re.compile(r"[\s(\[]+(last|min|max|mean)[)\]]?$", re.IGNORECASE)  # ClearML: "validation > acc (Last)"
PARTS = re.compile(r"\s*[./>:]\s*")
INPUTS = frozenset({"config", "params", "param", "hyperparameters", "hyperparams", "args", "general"})
OUTPUTS = frozenset({"summary", "metrics", "metric", "scalars"})


@dataclass(frozen=True)
class Sheet:
    """Columns of texts under their heads, "" where nothing was written.

    `where` says where it is from, `name` what to call it; `rows` are its rows in words ("line 7"), `created` is the ISO
    date of the newest content. `decimal_comma` says that numbers are written as 0,93.
    """

    where: str
    name: str
    heads: Sequence[str]
    columns: Sequence[Sequence[str]]
    rows: Sequence[str]
    created: str
    decimal_comma: bool = False

    def column(self, place: int) -> Sequence[str]:
        return self.columns[place]

    def find(self, name: str, what: str, prefer: frozenset[str] = INPUTS) -> int:
        """The place of the column that a user calls `name`; `what` says what it is for.

        It is the column of that head, else the one of that head in other letters, else the one whose head ends in the
        name as exports nest them ("config.lr", "Args/lr", "validation > acc (Last)"). Where several do, it is the one
        that is under words of `prefer` alone: "params.lr", not "tags.lr", not "params.encoder.lr". Raises InputError
        where there is none, or more than one.
        """
        for same in (_exact, _folded, _ending):
            found = [place for place, head in enumerate(self.heads) if same(head, name)]
            if len(found) > 1:
                above = {place: _parts(self.heads[place])[: -len(_parts(name))] for place in found}
                preferred = [place for place, parts in above.items() if prefer.issuperset(parts)]
                found = preferred if len(preferred) == 1 else found
            if len(found) > 1:
                heads = ", ".join(repr(self.heads[place]) for place in found[:SHOWN])
                raise InputError(
                    f"{self.where}: {what} {name!r} must be one column, found {heads}; give its whole head"
                )
            if found:
                return found[0]
        near = difflib.get_close_matches(name, [*self.heads, *(_parts(head)[-1] for head in self.heads)], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        more = "" if len(self.heads) <= SHOWN else f" and {len(self.heads) - SHOWN} more"
        heads = ", ".join(self.heads[:SHOWN])
        raise InputError(f"{self.where}: {what} {name!r} must be a column{hint}; the columns are {heads}{more}")


def _exact(head: str, name: str) -> bool:
    return head == name


def _folded(head: str, name: str) -> bool:
    return head.casefold() == name.casefold()


def _ending(head: str, name: str) -> bool:
    asked = _parts(name)
    return any(_parts(text)[-len(asked) :] == asked for text in (head, AGGREGATE.sub("", head)))


def _parts(head: str) -> list[str]:
    return [part.casefold() for part in PARTS.split(head.strip())]


def last_part(head: str) -> str:
    """What a nested head ends in, in small letters."""
    return _parts(head)[-1]


def clean(cell: str) -> str:
    """A cell as it may be shown: what a terminal would obey is a space."""
    return (cell if cell.isprintable() else "".join(one if one.isprintable() else " " for one in cell)).strip()


def names_in(text: str, option: str) -> tuple[str, ...]:
    """The names in a list with commas; one that has a comma itself stands in double quotes."""
    names = tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), []))
    if not names or not all(names):
        raise InputError(f"{option}: must be names with commas between them, found {text!r}")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{option}: each name once, found {twice!r} more than once")
    return names
