"""A launch without a terminal, for tests that prepare grids and train their runs in this process."""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import torch

from reid.execution.worker import Worker
from reid.grids.launch import Progress
from reid.grids.status import GridStatus, RunStatusRow
from reid.store.run_folder import RunFolder


class Silent:
    """A view that shows nothing."""

    def preparing(self, what: str) -> nullcontext[Progress]:  # noqa: ARG002 - the protocol's
        return nullcontext(lambda done, total: None)  # noqa: ARG005 - the protocol's

    def show(self, board: GridStatus, changed: RunStatusRow | None) -> None:
        pass

    def warn(self, text: str) -> None:
        pass


def execute(runs: Iterable[RunFolder], cache: Path) -> list[str]:
    """Train runs one after another in one worker; their states."""
    worker = Worker(cache, torch.device("cpu"), skip_unreadable=False)
    return [worker.execute(run.path, lambda *_: None, lambda: False) for run in runs]
