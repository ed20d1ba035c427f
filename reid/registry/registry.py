"""Names that are registered, and the nearest to one that is not."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from reid.errors import InputError

Item = TypeVar("Item")

BUILT_IN = "reid"
LONGEST_WORD = 100  # that is compared with known ones
_origin: ContextVar[str] = ContextVar("origin", default=BUILT_IN)
_registries: "list[Registry[Any]]" = []


class Registry(Mapping[str, Item], Generic[Item]):
    """Items by name, in the order of their registration, each with its origin: this package or a plugin.

    `kind` is what an item is called in an error, such as "trick".
    """

    def __init__(self, kind: str, built_in: Mapping[str, Item] | None = None) -> None:
        self.kind = kind
        self._items: dict[str, Item] = {}
        self._origins: dict[str, str] = {}
        _registries.append(self)
        for name, item in (built_in or {}).items():
            self.register(name, item)

    def register(self, name: str, item: Item) -> Item:
        """Add an item; InputError where the name is taken by another origin, or is no name.

        The same origin may register a name again: its file was read a second time.
        """
        if not re.fullmatch(r"\w[\w:-]*", name, re.ASCII):
            raise InputError(
                f"{_origin.get()}: the name of a {self.kind} must be letters, digits, _, - and :, found {name!r}"
            )
        taken = self._origins.get(name, _origin.get())
        if taken != _origin.get():
            raise InputError(
                f"{_origin.get()}: {self.kind} {name!r} is registered already, by {taken}; give yours another name"
            )
        self._items[name] = item
        self._origins[name] = _origin.get()
        return item

    def find(self, name: str, where: str) -> Item:
        """The item of that name; InputError that begins with `where` and names the nearest where there is none."""
        if name not in self._items:
            raise InputError(f"{where}: no such {self.kind} {name!r}{nearest(name, list(self._items))}")
        return self._items[name]

    def forget(self, origin: str) -> None:
        """Remove what `origin` registered."""
        for name in [name for name, found in self._origins.items() if found == origin]:
            del self._items[name], self._origins[name]

    def origin(self, name: str) -> str:
        """Who registered an item: "reid", or a plugin's name."""
        return self._origins[name]

    def __getitem__(self, name: str) -> Item:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def forget_all(origin: str) -> None:
    """Remove what `origin` registered, anywhere."""
    for registry in _registries:
        registry.forget(origin)


@contextmanager
def registering(origin: str) -> Iterator[None]:
    """What is registered within belongs to `origin`."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def nearest(word: str, known: Sequence[str], among: Sequence[str] = ()) -> str:
    """ "; did you mean …?", or the list of what is known, to end an error with.

    The nearest is also looked for `among` names that are too many to be listed.
    """
    close = difflib.get_close_matches(word[:LONGEST_WORD], [*known, *among], 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
