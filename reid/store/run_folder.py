"""The run folder: the truth about one training. docs/run-folder.md says what each file holds.

Everything that trains writes here, everything that shows or counts reads from here.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from reid.files import REPAIR, DamagedFileError, atomic, read_record, read_records, write_json, write_record
from reid.store.run_records import (
    EvaluationRecord,
    FileRecord,
    ProgressRecord,
    RankListRecord,
    ResultRecord,
    RunRecord,
    RunState,
    StateRecord,
)

# Written by nobody but who holds the run, and large.
HOLDERS_FILES = ("checkpoint.pt", "model.pt", "curves.parquet", "embeddings.npz", "query_*.npy")

Identities = NDArray[np.int64]


EMBEDDED = "mlflow.db"  # the store of an output folder itself, wherever that lies


class ProjectionsRecord(FileRecord):
    """mlflow.json: the MLflow runs that show the run; of a copy of its folder only those in the store beside it."""

    folder: Annotated[int, Field(description="inode of the run folder: a copy has another")] = 0
    runs: dict[str, str] = Field({}, description="ids by STORE|GRID; a store is a URI, or mlflow.db")

    @model_validator(mode="before")
    @classmethod
    def _of_older_folders(cls, found: object) -> object:
        """These were the runs alone; whose they are, they do not say."""
        return {"runs": found} if isinstance(found, dict) and "schema" not in found and "runs" not in found else found

    @property
    def embedded(self) -> dict[str, str]:
        """Those in the store of the output folder itself."""
        return {key: run for key, run in self.runs.items() if key.startswith(f"{EMBEDDED}|")}


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

    def read_run(self) -> RunRecord | None:
        """What was asked; None where the run was never planned."""
        return read_record(self.path / "run.json", RunRecord)

    def require_run(self) -> RunRecord:
        """What was asked. Raises DamagedFileError where run.json is absent."""
        record = self.read_run()
        if record is None:
            raise DamagedFileError(f"{self.path / 'run.json'}: a run folder holds one, found none; plan the grid again")
        return record

    def read_state(self) -> StateRecord:
        """How far the run is; planned where there is no state file, unreadable where a record of it is damaged."""
        try:
            state = self.recorded_state()
            for read in (self.read_run, self.read_result, self.read_evaluations):
                read()
        except DamagedFileError as error:
            return StateRecord(state=RunState.UNREADABLE, reason=f"unreadable: {self._inside(error)}")
        return state

    def recorded_state(self) -> StateRecord:
        """What state.json says, whatever became of the rest of the folder. Raises DamagedFileError."""
        return read_record(self.path / "state.json", StateRecord) or StateRecord()

    def state_to_change(self) -> StateRecord:
        """What state.json says, for who holds the run and is about to write over it; a new one where it is damaged."""
        try:
            return self.recorded_state()
        except DamagedFileError:
            return StateRecord()

    def _inside(self, error: DamagedFileError) -> str:
        """What an error of a file in this folder says, without the folder."""
        return str(error).removeprefix(f"{self.path}/")

    def read_progress(self) -> ProgressRecord | None:
        """How far it is and how fast, while it trains; None where that cannot be read, for it is soon written anew."""
        try:
            return read_record(self.progress, ProgressRecord)
        except DamagedFileError:
            return None

    def read_evaluations(self) -> list[EvaluationRecord]:
        """Scores after epochs, in their order."""
        return read_records(self.path / "evaluations.json", EvaluationRecord)

    def read_result(self) -> ResultRecord | None:
        """What the trained network is worth; None before it is known."""
        return read_record(self.path / "result.json", ResultRecord)

    def require_result(self) -> ResultRecord:
        """What the trained network is worth. Raises DamagedFileError where result.json is absent."""
        record = self.read_result()
        if record is None:
            raise DamagedFileError(f"{self.path / 'result.json'}: a finished run has one, found none; forget the run")
        return record

    def read_rank_lists(self) -> list[RankListRecord]:
        """Rank lists of a few fixed queries; empty where none were kept."""
        return read_records(self.path / "ranklists.json", RankListRecord)

    def remove_leftovers(self) -> None:
        """Remove what a holder that was killed left half-written; only for whoever holds the run now."""
        for name in HOLDERS_FILES:
            for path in self.path.glob(f".{name}.*.tmp"):
                path.unlink(missing_ok=True)

    def read_projections(self) -> dict[str, str]:
        """The MLflow runs that show this one: their ids by `STORE|GRID`.

        What a copy of the folder says of a server is its original's, and not among them. Raises DamagedFileError.
        """
        record = self._projections()
        return record.runs if record.folder == self._inode() else record.embedded

    def read_originals_projections(self) -> dict[str, str]:
        """The MLflow runs that show the folder which this one was copied from, or was before it was moved."""
        record = self._projections()
        return {key: run for key, run in record.runs.items() if key not in self.read_projections()}

    def write_projections(self, runs: Mapping[str, str]) -> None:
        write_record(self.path / "mlflow.json", ProjectionsRecord(folder=self._inode(), runs=dict(runs)))

    def _projections(self) -> ProjectionsRecord:
        return read_record(self.path / "mlflow.json", ProjectionsRecord) or ProjectionsRecord()

    def _inode(self) -> int:
        return self.path.stat().st_ino

    def write_run(self, record: RunRecord, durable: bool = True) -> None:
        write_record(self.path / "run.json", record, durable)

    def write_state(self, record: StateRecord, durable: bool = True) -> None:
        """What is durable is there after a power failure; an end must be."""
        write_record(self.path / "state.json", record, durable)

    def write_progress(self, record: ProgressRecord) -> None:
        write_record(self.progress, record, durable=False)

    def write_evaluations(self, records: Sequence[EvaluationRecord]) -> None:
        write_json(self.path / "evaluations.json", [record.model_dump(mode="json") for record in records])

    def write_result(self, record: ResultRecord) -> None:
        write_record(self.path / "result.json", record)

    def write_rank_lists(self, records: Sequence[RankListRecord]) -> None:
        write_json(self.path / "ranklists.json", [record.model_dump(mode="json") for record in records])

    def curves(self) -> pd.DataFrame | None:
        """Per-iteration curves, one row an iteration, or None if there are none yet."""
        path = self.path / "curves.parquet"
        if not path.exists():
            return None
        with _reading(path, "a Parquet file"), path.open("rb") as file:  # by its path it would be opened twice,
            return pd.read_parquet(file)  # and may be replaced in between

    def write_curves(self, curves: pd.DataFrame) -> None:
        with atomic(self.path / "curves.parquet") as temporary:
            curves.to_parquet(temporary, index=False)

    def query_ap(self) -> NDArray[np.float64] | None:
        """Average precision per query, NaN where a query has no match, or None if not evaluated yet."""
        return self._per_query("query_ap.npy", "f")

    def query_identities(self) -> Identities | None:
        """Whom each of these queries shows; None of a run of before this was kept."""
        return self._per_query("query_identities.npy", "i")

    def _per_query(self, name: str, kind: str) -> NDArray[Any] | None:
        """A number a query. Raises DamagedFileError where the file holds something else."""
        path = self.path / name
        if not path.exists():
            return None
        with _reading(path, "an array of numpy"):
            found = np.load(path)
        if found.ndim != 1 or found.dtype.kind != kind:
            what = f"an array {found.shape} of {found.dtype}"
            raise DamagedFileError(f"{path}: must hold a number a query, found {what}; {REPAIR}")
        return np.asarray(found)

    def embeddings(self) -> dict[str, NDArray[np.float64]] | None:
        """Features of a few identities, to draw them, or None if there are none."""
        path = self.path / "embeddings.npz"
        if not path.exists():
            return None
        with _reading(path, "an archive of numpy"), np.load(path) as stored:
            return {name: stored[name] for name in stored.files}


@contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    """Raise DamagedFileError for whatever a parser of bytes raises: of damaged ones, anything at all."""
    try:
        yield
    except Exception as error:
        found = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DamagedFileError(f"{path}: must be {what}, found {found}; {REPAIR}") from None
