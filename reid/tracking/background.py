"""Keeps MLflow up to date from a thread of its own, so that no training waits for it or ends with it."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from reid.tracking import Tracker, TrackingError

FIRST_DELAY = 5.0  # seconds until a store that failed is tried again; doubled each time
LONGEST_DELAY = 300.0


class Projector(Protocol):
    """What makes MLflow say what a folder says. Both may raise TrackingError."""

    def project(self, run_folder: Path) -> None: ...

    def close(self) -> None: ...


def grid_tracker(uri: str | None, output: Path, grid_folder: Path) -> Tracker:
    """The projection of a grid and its runs."""
    tracker = Tracker(uri, output)
    tracker.open_grid(grid_folder)
    return tracker


class BackgroundTracker:
    """Projects folders into MLflow in the background; leaving the context projects what is still queued.

    When the store cannot be reached, `warn` is told, once until it is reached again, and what changed is kept for the
    next try; the delay between tries doubles. The last try is when the context is left. What was not projected by then
    is in the folders, and `reid sync` makes it good.
    """

    def __init__(
        self,
        uri: str | None,
        output: Path,
        folder: Path,
        warn: Callable[[str], None],
        opened: Callable[[str | None, Path, Path], Projector] = grid_tracker,
    ) -> None:
        self._uri, self._output, self._folder, self._warn, self._opened = uri, output, folder, warn, opened
        self._queue: queue.Queue[Path | None] = queue.Queue()
        self._left: dict[Path, None] = {}  # folders to project, in the order they changed
        self._projection: Projector | None = None
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)

    def __enter__(self) -> "BackgroundTracker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def project(self, run_folder: Path) -> None:
        """Queue a folder that changed."""
        self._queue.put(run_folder)

    def _work(self) -> None:
        delay, due, leaving = 0.0, time.monotonic(), False
        while not leaving:
            leaving = self._collect(None if not self._left else max(0.0, due - time.monotonic()))
            if time.monotonic() < due and not leaving:
                continue
            try:
                self._project(leaving)
                delay = 0.0
            except TrackingError as error:
                if not delay:
                    self._warn(f"MLflow: {error}; training goes on, `reid sync` repairs MLflow later")
                delay = min(max(FIRST_DELAY, 2 * delay), LONGEST_DELAY)
                due = time.monotonic() + delay

    def _collect(self, timeout: float | None) -> bool:
        """Take what is queued, waiting up to `timeout` seconds for it; returns whether the context is left."""
        try:
            folder = self._queue.get(timeout=timeout)
            while folder is not None:
                self._left[folder] = None
                folder = self._queue.get_nowait()
        except queue.Empty:
            return False
        return True

    def _project(self, leaving: bool) -> None:
        """Project what is left, each folder once however often it changed. Raises TrackingError."""
        if self._projection is None:
            self._projection = self._opened(self._uri, self._output, self._folder)
        while self._left:
            folder = next(iter(self._left))
            self._projection.project(folder)
            del self._left[folder]
        if leaving:
            self._projection.close()
