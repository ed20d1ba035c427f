"""Where runs train: the one seam between those who want runs trained and the machines that train them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, Self

from reid.execution.events import ExecutorEvent


class Executor(Protocol):
    """Trains the runs it is given in as many slots as it has; a context manager: leaving it ends every worker.

    A run that ends writes its own folder; a run that is lost, because its worker was, is left as the worker left it.
    To end a run after its epoch in flight, put a stop request into its folder (see RunFolder).
    """

    @property
    def slots(self) -> int:
        """Runs that can train at a time."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def busy(self) -> int:
        """Runs submitted whose end or loss has not been told yet."""

    def submit(self, run: Path, until: int | None) -> None:
        """Train the run in folder `run` up to epoch `until` and the evaluation due there, or to its end (None).

        Only while a slot is free.
        """

    def events(self, timeout: float) -> Iterator[ExecutorEvent]:
        """What has been said within `timeout` seconds; returns early once something was."""

    def kill(self, signature: str) -> None:
        """End the worker of a run at once; the run is then told as lost."""
