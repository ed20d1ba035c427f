"""The run folder: the truth about one training. docs/run-folder.md says what each file holds.

Everything that trains writes here, everything that shows or counts reads from here.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STATES = ("planned", "running", "finished", "diverged", "failed", "stopped")
ENDED = ("finished", "diverged")  # results: never trained again


@dataclass(frozen=True)
class RunFolder:
    """Paths and readers of one run's folder. A file that is absent reads as None."""

    path: Path

    @property
    def signature(self) -> str:
        return self.path.name

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.pt"

    @property
    def previous_checkpoint(self) -> Path:
        return self.path / "checkpoint.previous.pt"

    @property
    def model(self) -> Path:
        return self.path / "model.pt"

    @property
    def stop_request(self) -> Path:
        """While this file is there, whoever trains the run ends it after the epoch in flight."""
        return self.path / "stop"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    def read(self, name: str) -> Any:
        """The JSON file `name` ("run", "state", "evaluations", "result" or "mlflow"), or None if absent."""
        try:
            return json.loads((self.path / f"{name}.json").read_text())
        except FileNotFoundError:
            return None

    def write(self, name: str, value: Any) -> None:
        write_json(self.path / f"{name}.json", value)

    def state(self) -> str:
        """One of STATES; a folder without a state file is planned."""
        state = self.read("state")
        return str(state["state"]) if state else "planned"

    def curves(self) -> pd.DataFrame | None:
        """Per-iteration curves, one row an iteration, or None if there are none yet."""
        path = self.path / "curves.parquet"
        return pd.read_parquet(path) if path.exists() else None

    def write_curves(self, curves: pd.DataFrame) -> None:
        with atomic(self.path / "curves.parquet") as temporary:
            curves.to_parquet(temporary, index=False)

    def query_ap(self) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """Average precision per query, NaN where a query has no match, or None if not evaluated yet."""
        path = self.path / "query_ap.npy"
        return np.load(path) if path.exists() else None


class atomic:  # noqa: N801 - a context manager used as a verb
    """``with atomic(path) as temporary: write(temporary)``: `path` appears whole, on disk, or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.temporary.unlink(missing_ok=True)
            return
        with self.temporary.open("rb") as file:
            os.fsync(file.fileno())
        self.temporary.replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def write_json(path: Path, value: Any) -> None:
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
