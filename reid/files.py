"""Files that appear whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any


class atomic:  # noqa: N801 - a context manager used as a verb
    """``with atomic(path) as temporary: write(temporary)``: `path` appears whole, on disk, or not at all.

    Not `durable`, it costs a tenth, and may be gone or empty after a power failure: for what can be made again.
    """

    def __init__(self, path: Path, durable: bool = True) -> None:
        self.path = path
        self.durable = durable
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")

    def __enter__(self) -> Path:
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
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
