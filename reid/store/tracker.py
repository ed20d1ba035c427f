"""What shows runs elsewhere while they are trained, as grids and studies are handed it."""

from pathlib import Path
from typing import Protocol, Self


class Tracker(Protocol):
    """Projects folders of runs and studies into a store of experiments, in the background.

    A context manager: leaving it projects what is still queued. It never raises and never delays a training.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def project(self, folder: Path) -> None:
        """Queue a folder that changed."""


class NoTracker:
    """A tracker that shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def project(self, folder: Path) -> None: ...
