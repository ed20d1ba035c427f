"""Data sets that stay open between runs."""

from pathlib import Path

from reid.data import DatasetSource, DecodedDataset, open_dataset
from reid.data.run_data import ASKED, Domains, RunData, assemble
from reid.errors import InputError
from reid.store.run_records import DatasetRecord

Key = tuple[str, tuple[int, int]]  # fingerprint of the content, image size


class DatasetPool:
    """Opens the data of runs, each set once at each size."""

    def __init__(self, cache: Path, skip_unreadable: bool) -> None:
        self.cache = cache
        self.skip_unreadable = skip_unreadable
        self.sets: dict[Key, DecodedDataset] = {}
        self.joined: dict[Key, RunData] = {}

    def open(self, record: DatasetRecord, size: tuple[int, int]) -> RunData:
        """The data of a run at `size`.

        Raises InputError where their content is no longer what the run was planned on.
        """
        key = (record.fingerprint, size)
        if key not in self.joined:
            records = record.sets or {record.name: record}
            domains = Domains(record.train_on or tuple(records), record.evaluate_on or tuple(records))
            self.joined[key] = assemble(domains, {name: self._open(one, size) for name, one in records.items()})
        return self.joined[key]

    def _open(self, record: DatasetRecord, size: tuple[int, int]) -> DecodedDataset:
        key = (record.fingerprint, size)
        if key not in self.sets:
            asked = record.model_dump(include=ASKED)
            data = open_dataset(DatasetSource.model_validate(asked).open(), size, self.cache, self.skip_unreadable)
            if data.fingerprint != record.fingerprint:
                raise InputError(f"{record.root}: the images changed since the run was planned; launch the grid again")
            self.sets[key] = data
        return self.sets[key]
