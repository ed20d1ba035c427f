"""Labels of any kind as the levels of a factor, the base level first."""

from collections.abc import Sequence
from dataclasses import dataclass

from reid.analysis.any_trainer.numbers import number
from reid.errors import InputError

OFF = ("off", "false", "no", "0", "none", "null", "-", "−", "without")
ON = ("on", "true", "yes", "1", "+", "with")
MISSING = frozenset({"", "nan", "n/a"})
MOST = 36  # levels of a factor
LONGEST = 40  # characters of a label in a title
Key = str | float


@dataclass(frozen=True)
class Levels:
    """The levels of a factor, the base first, and the level of every row: None where its cell says nothing.

    `merged` are spellings that were read as one level.
    """

    levels: tuple[str, ...]
    rows: tuple[str | None, ...]
    merged: tuple[tuple[str, ...], ...]

    @property
    def is_switch(self) -> bool:
        """Whether its levels are words for off and on."""
        return len(self.levels) == 2 and _key(self.levels[0]) in _OFF and _key(self.levels[1]) in _ON

    def title(self, name: str, level: int) -> str:
        """What goes from the base level to another, in words."""
        return name if self.is_switch else f"{name}: {_short(self.levels[0])} → {_short(self.levels[level])}"


def levels_of(cells: Sequence[str], name: str, where: str, base: str | None) -> Levels:
    """The levels of a column.

    Spellings of one number, and words that differ in capitals only, are one level; where all are words for off and on,
    so are those for each. First is `base`; else a word for off; else of numbers the smallest; else what comes first in
    the table. Raises InputError for a column that is no factor: one level, or more than MOST; and where `base` is no
    level of it.
    """
    keys = [None if cell.casefold() in MISSING else _key(cell) for cell in cells]
    known = dict.fromkeys(key for key in keys if key is not None)
    if len(known) > 2 and all(key in _OFF or key in _ON for key in known):
        keys = [key if key is None else _key("off") if key in _OFF else _key("on") for key in keys]
        known = dict.fromkeys(key for key in keys if key is not None)
    if len(known) < 2:
        found = f"{_spelling(cells, keys, next(iter(known)))!r} only" if known else "empty cells only"
        raise InputError(
            f"{where}: factor {name} must have two levels or more, found {found}; leave it out of --factors"
        )
    if len(known) > MOST:
        raise InputError(
            f"{where}: factor {name} must be a choice of few, at most {MOST} levels, found {len(known)} in "
            f"{len(cells)} rows; leave it out of --factors, or round it to a few values"
        )
    ordered = _ordered(list(known))
    spelled = {key: _spelling(cells, keys, key) for key in ordered}
    if base is not None:
        first = next((key for key in ordered if key == _key(base)), None)
        if first is None:
            levels = ", ".join(spelled.values())
            raise InputError(f"--base {name}={base}: must be a level of {name}, which are {levels}")
        ordered = [first, *(key for key in ordered if key != first)]
    spellings = {key: dict.fromkeys(c for c, k in zip(cells, keys, strict=True) if k == key) for key in ordered}
    return Levels(
        tuple(spelled[key] for key in ordered),
        tuple(None if key is None else spelled[key] for key in keys),
        tuple(tuple(each) for each in spellings.values() if len(each) > 1),
    )


def _short(label: str) -> str:
    """A label that fits a line; the middle goes first."""
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 11]}…{label[-10:]}"


def label(cell: str) -> str:
    """One spelling of a label: 1.0 as 1."""
    key = _key(cell)
    return cell if isinstance(key, str) else f"{key:.15g}"


def _key(cell: str) -> Key:
    """What two spellings of one label have in common."""
    value = number(cell)
    return cell.casefold() if value is None or value != value else value


_OFF, _ON = {_key(word) for word in OFF}, {_key(word) for word in ON}


def _ordered(keys: list[Key]) -> list[Key]:
    values = sorted(key for key in keys if isinstance(key, float))
    ordered: list[Key] = [*values] if len(values) == len(keys) else keys
    return sorted(ordered, key=lambda key: key not in _OFF)  # stable


def _spelling(cells: Sequence[str], keys: Sequence[Key | None], key: Key) -> str:
    return cells[keys.index(key)]
