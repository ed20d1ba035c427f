"""The run folder: the truth about one training. docs/run-folder.md says what each file holds.

Everything that trains writes here, everything that shows or counts reads from here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reid.files import atomic, write_json


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
