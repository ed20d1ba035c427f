"""Which data sets a run is trained and evaluated on, and how plans and run folders say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid.data import DatasetSource, DecodedDataset, join, open_dataset
from reid.errors import InputError
from reid.recipe import digest

ASKED = ("name", "layout", "root", "split")  # of a record: what opens the data set again


@dataclass(frozen=True)
class Domains:
    """Names of the sets that a run is trained on, as one, and of those that it is evaluated on, each for itself."""

    train_on: tuple[str, ...]
    evaluate_on: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The set whose numbers stand for the run: the first it was trained on, else the first."""
        return next((name for name in self.evaluate_on if name in self.train_on), self.evaluate_on[0])

    @property
    def names(self) -> tuple[str, ...]:
        """Every set once."""
        return tuple(dict.fromkeys((*self.train_on, *self.evaluate_on)))

    @property
    def title(self) -> str:
        return self.headline if self.alone else f"{' + '.join(self.train_on)} → {', '.join(self.evaluate_on)}"

    @property
    def alone(self) -> bool:
        """Whether one set is all there is: the simple form, which `dataset:` alone gives."""
        return len(self.names) == 1

    def fingerprint(self, fingerprints: Mapping[str, str]) -> str:
        """16 hexadecimal digits of what is trained and evaluated on, from the fingerprint of each set.

        One set alone has its own. Among several their order counts, as it numbers the identities to train on, and their
        names do, as results are kept by them.
        """
        if self.alone:
            return fingerprints[self.headline]
        roles = {"train_on": self.train_on, "evaluate_on": self.evaluate_on}
        return digest({role: [[name, fingerprints[name]] for name in names] for role, names in roles.items()})


@dataclass(frozen=True)
class RunData:
    """The open data of a run: `training` has what is trained on and the test images of the headline set; `sets` every
    set that is evaluated on, by name, the headline first."""

    domains: Domains
    training: DecodedDataset
    sets: Mapping[str, DecodedDataset]


def assemble(domains: Domains, opened: Mapping[str, DecodedDataset]) -> RunData:
    """A run's data from its open sets by name. Raises InputError as `join` does."""
    training = join([opened[name] for name in domains.train_on], opened[domains.headline])
    order = dict.fromkeys((domains.headline, *domains.evaluate_on))
    return RunData(domains, training, {name: opened[name] for name in order})


class Shelf:
    """Data sets that stay open between runs."""

    def __init__(self, cache: Path, skip_unreadable: bool) -> None:
        self.cache = cache
        self.skip_unreadable = skip_unreadable
        self.sets: dict[tuple[str, tuple[int, int]], DecodedDataset] = {}
        self.joined: dict[tuple[str, tuple[int, int]], RunData] = {}

    def open(self, record: dict[str, Any], size: tuple[int, int]) -> RunData:
        """The data of a run.json at `size`.

        Raises InputError where their content is no longer what the run was planned on.
        """
        key = (record["fingerprint"], size)
        if key not in self.joined:
            records: dict[str, Any] = record.get("sets", {record["name"]: record})
            names: Sequence[str] = tuple(records)
            domains = Domains(tuple(record.get("train_on", names)), tuple(record.get("evaluate_on", names)))
            self.joined[key] = assemble(domains, {name: self._open(one, size) for name, one in records.items()})
        return self.joined[key]

    def _open(self, record: dict[str, Any], size: tuple[int, int]) -> DecodedDataset:
        key = (record["fingerprint"], size)
        if key not in self.sets:
            source = DatasetSource.model_validate({name: record[name] for name in ASKED})
            data = open_dataset(source.open(), size, self.cache, self.skip_unreadable)
            if data.fingerprint != record["fingerprint"]:
                raise InputError(
                    f"{record['root']}: the images changed since the run was planned; launch the grid again"
                )
            self.sets[key] = data
        return self.sets[key]
