"""Files that appear whole or not at all."""

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reid.errors import InputError
from reid.shown import hide, printable

Model = TypeVar("Model", bound=BaseModel)
# What text of JSON has that has control characters, or halves of characters.
UNPRINTABLE = re.compile(r"\\u(?:00[01789]|20[26]|[dD][89a-fA-F])|\\[bfr]|[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class atomic:  # noqa: N801 - a context manager used as a verb
    """``with atomic(path) as temporary: write(temporary)``: `path` appears whole, on disk, or not at all.

    Not `durable`, it costs a tenth, and may be gone or empty after a power failure: for what can be made again.
    """

    def __init__(self, path: Path, durable: bool = True) -> None:
        self.path = path
        self.durable = durable
        # A name that nobody can know: two containers may have one process number, and a link may be planted.
        self.temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")

    def __enter__(self) -> Path:
        os.close(os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
        return self.temporary

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.temporary.unlink(missing_ok=True)
            return
        if not self.durable:
            self.temporary.replace(self.path)
            return
        with self.temporary.open("rb") as file:
            os.fsync(file.fileno())
        self.temporary.replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def write_json(path: Path, value: Any, durable: bool = True) -> None:
    """Write `value` as `atomic` does."""
    with atomic(path, durable) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_record(path: Path, record: BaseModel, durable: bool = True) -> None:
    """Write a record as `atomic` does."""
    write_json(path, record.model_dump(mode="json", by_alias=True), durable)


REPAIR = "`reid doctor --repair` sets it aside"


class DamagedFileError(InputError, ValueError):
    """A file of ours that cannot be read: the line names the file, the rule and what was found."""


def read_json(path: Path) -> object:
    """The value of a JSON file; None where it is absent, or empty after a power failure.

    Its text is printable, for it may be a stranger's: no terminal obeys it, and no page breaks by it. Raises
    DamagedFileError where it is not JSON, or cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if text else None
        return _printable(value) if UNPRINTABLE.search(text) else value
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path}: must be JSON, found {_reason(error)}; {REPAIR}") from None


def require_record(path: Path, kind: type[Model], absent: str) -> Model:
    """A JSON file as a record. Raises InputError that says `absent` of it where there is none, DamagedFileError where
    it is another or empty.
    """
    if (record := read_record(path, kind)) is not None:
        return record
    if path.exists():
        raise DamagedFileError(f"{path}: must be JSON, found an empty file; {REPAIR}")
    raise InputError(f"{path}: {absent}")


def read_record(path: Path, kind: type[Model]) -> Model | None:
    """A JSON file as a record, None where it is absent or empty. Raises DamagedFileError where it is neither."""
    return _validated(path, kind, read_json(path))


def read_records(path: Path, kind: type[Model]) -> list[Model]:
    """A JSON file that is a list, each entry as a record; empty where it is absent."""
    values = read_json(path)
    if not isinstance(values, list | None):
        raise DamagedFileError(f"{path}: must be a list, found {type(values).__name__}; {REPAIR}")
    return [entry for value in values or () if (entry := _validated(path, kind, value)) is not None]


def _printable(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case list():
            return [_printable(one) for one in value]
        case dict():
            return {printable(key): _printable(one) for key, one in value.items()}
        case _:
            return value


def _validated(path: Path, kind: type[Model], value: object) -> Model | None:
    try:
        return None if value is None else kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "value"
        found = "" if first["type"] == "missing" else f", found {hide(str(first['input']))[:80]!r}"
        raise DamagedFileError(f"{path}: {key}: {first['msg']}{found}; {REPAIR}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
