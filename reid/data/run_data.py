"""Which data sets a run is trained and evaluated on, and how plans and run folders say so."""

from collections.abc import Mapping
from dataclasses import dataclass

from reid.data import DecodedDataset, join
from reid.recipe import digest

ASKED = {"name", "layout", "root", "split", "cameras"}  # of a record: what opens the data set again


@dataclass(frozen=True)
class Domains:
    """Names of the sets that a run is trained on, as one, and of those that it is evaluated on, each for itself."""

    train_on: tuple[str, ...]
    evaluate_on: tuple[str, ...]

    @property
    def primary(self) -> str:
        """The set whose numbers stand for the run: the first it was trained on, else the first."""
        return next((name for name in self.evaluate_on if name in self.train_on), self.evaluate_on[0])

    @property
    def names(self) -> tuple[str, ...]:
        """Every set once."""
        return tuple(dict.fromkeys((*self.train_on, *self.evaluate_on)))

    @property
    def title(self) -> str:
        return self.primary if self.alone else f"{' + '.join(self.train_on)} → {', '.join(self.evaluate_on)}"

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
            return fingerprints[self.primary]
        roles = {"train_on": self.train_on, "evaluate_on": self.evaluate_on}
        return digest({role: [[name, fingerprints[name]] for name in names] for role, names in roles.items()})


@dataclass(frozen=True)
class RunData:
    """The open data of a run: `training` has what is trained on and the test images of the primary set; `sets` every
    set that is evaluated on, by name, the primary first."""

    domains: Domains
    training: DecodedDataset
    sets: Mapping[str, DecodedDataset]


def assemble(domains: Domains, opened: Mapping[str, DecodedDataset]) -> RunData:
    """A run's data from its open sets by name. Raises InputError as `join` does."""
    training = join([opened[name] for name in domains.train_on], opened[domains.primary])
    order = dict.fromkeys((domains.primary, *domains.evaluate_on))
    return RunData(domains, training, {name: opened[name] for name in order})
