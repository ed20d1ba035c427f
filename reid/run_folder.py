"""The run folder: the truth about one training. docs/run-folder.md says what each file holds.

Everything that trains writes here, everything that shows or counts reads from here.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STATES = ("planned", "running", "finished", "diverged", "failed", "stopped")
ENDED = ("finished", "diverged")  # results: never trained again


@dataclass(frozen=True)
class RunFolder:
    """Paths and readers of one run's folder. A file that is absent, or empty after a power failure, is None."""

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
    def progress(self) -> Path:
        """While the run trains, how far it is and how fast; see docs/run-folder.md."""
        return self.path / "progress.json"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    def read(self, name: str) -> Any:
        """The JSON file `name` ("run", "state", "progress", "evaluations", "result", "mlflow"), or None if absent."""
        try:
            text = (self.path / f"{name}.json").read_text()
        except FileNotFoundError:
            return None
        return json.loads(text) if text else None

    def write(self, name: str, value: Any) -> None:
        write_json(self.path / f"{name}.json", value)

    def state(self) -> str:
        """One of STATES; a folder without a state file is planned."""
        state = self.read("state")
        return str(state["state"]) if state else "planned"

    def curves(self) -> pd.DataFrame | None:
        """Per-iteration curves, one row an iteration, or None if there are none yet."""
        path = self.path / "curves.parquet"
        if not path.exists():
            return None
        with path.open("rb") as file:  # opened once: by its path it is opened twice, and may be replaced in between
            return pd.read_parquet(file)

    def write_curves(self, curves: pd.DataFrame) -> None:
        with atomic(self.path / "curves.parquet") as temporary:
            curves.to_parquet(temporary, index=False)

    def query_ap(self) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """Average precision per query, NaN where a query has no match, or None if not evaluated yet."""
        path = self.path / "query_ap.npy"
        return np.load(path) if path.exists() else None


def domain_scores(result: Mapping[str, Any]) -> dict[str, float]:
    """Of a result on several data sets the mAP on each, as `mAP@day`, and under `mAP_cross` the mean over those that
    the run was not trained on, if there are any. Nothing of a result on one set.
    """
    domains = result.get("domains", {})
    scores = {f"mAP@{name}": float(scores["mAP"]) for name, scores in domains.items()}
    across = [float(scores["mAP"]) for scores in domains.values() if not scores["trained_on"]]
    return scores | ({"mAP_cross": sum(across) / len(across)} if across else {})


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
