"""What a layout is, the layouts by name, and the door for layouts from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reid.data.dataset import BenchmarkDataset
from reid.registry import Registry


@dataclass(frozen=True)
class Counts:
    """What a split is known to hold; None where nobody counted."""

    identities: int
    images: int
    cameras: int | None


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk. `read` takes what reports call it and its folder.

    `known` gives the counts by split. Where the layout is `shared` with data of other people they are those of the data
    set that goes by the layout's own name only.
    """

    name: str
    title: str
    read: Callable[[str, Path], BenchmarkDataset]
    source: str
    known: Mapping[str, Counts] = field(default_factory=dict)
    shared: bool = False

    def differences(self, dataset: BenchmarkDataset) -> list[str]:
        """A line for every count of `dataset` that is not the known one, with both numbers; none for an absent part."""
        if self.shared and dataset.name != self.name:
            return []
        lines = []
        for split, known in self.known.items():
            found = dataset.splits[split].counts()
            if not found["images"]:
                continue
            for what, expected in vars(known).items():
                if expected is not None and found[what] != expected:
                    lines.append(f"{split}: {found[what]} {what} found, {self.title} has {expected}")
        return lines


LAYOUTS: Registry[Layout] = Registry("layout")


def register_layout(
    name: str, title: str = "", source: str = ""
) -> Callable[[Callable[[str, Path], BenchmarkDataset]], Callable[[str, Path], BenchmarkDataset]]:
    """Decorator: a function from (what reports call the data set, its folder) to a data set becomes a layout.

    Image paths must lie under the folder. Raises InputError where the name is taken.
    """

    def register(read: Callable[[str, Path], BenchmarkDataset]) -> Callable[[str, Path], BenchmarkDataset]:
        LAYOUTS.register(name, Layout(name, title or name, read, source))
        return read

    return register
