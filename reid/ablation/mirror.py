"""Keeps MLflow up to date from a thread of its own, so that no training waits for it or ends with it."""

import queue
import threading
from collections.abc import Callable
from pathlib import Path

from reid.tracking import Tracker, TrackingError


class Mirror:
    """Projects run folders into MLflow in the background; leaving the context projects what is still queued.

    When the store cannot be reached, `warn` is told once and projecting ends: the folders keep everything, and `reid
    sync` makes it good.
    """

    def __init__(self, uri: str | None, output: Path, grid_folder: Path, warn: Callable[[str], None]) -> None:
        self._uri, self._output, self._grid_folder, self._warn = uri, output, grid_folder, warn
        self._queue: queue.Queue[Path | None] = queue.Queue()
        self._waiting: set[Path] = set()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)

    def __enter__(self) -> "Mirror":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def project(self, run_folder: Path) -> None:
        """Queue a run folder that changed; one that is queued already is not queued twice."""
        with self._guard:
            if run_folder not in self._waiting:
                self._waiting.add(run_folder)
                self._queue.put(run_folder)

    def _work(self) -> None:
        try:
            tracker = Tracker(self._uri, self._output)
            tracker.open_grid(self._grid_folder)
            while (run_folder := self._queue.get()) is not None:
                with self._guard:
                    self._waiting.discard(run_folder)
                tracker.project(run_folder)
            tracker.close()
        except TrackingError as error:
            self._warn(f"MLflow: {error}; training goes on, `reid sync` repairs MLflow later")
            while self._queue.get() is not None:
                pass
