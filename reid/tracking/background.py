"""Keeps MLflow up to date from a thread of its own, so that no training waits for it or ends with it."""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from reid.errors import InputError
from reid.tracking import RefusedError, Tracker, TrackingError

FIRST_DELAY = 5.0  # seconds until a store that failed is tried again; doubled each time
LONGEST_DELAY = 300.0
SILENT_SECONDS = 5.0  # at the end, until the user is told what is waited for
STALLED_SECONDS = 60.0
END_SECONDS = 600.0


class Projector(Protocol):
    """What makes MLflow say what a folder says. Its methods may raise TrackingError.

    `notices` are lines for the user that came up.
    """

    notices: list[str]

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
    next try; the delay between tries doubles. A folder that the store refuses, or that cannot be read, is told and set
    aside. The last try is when the context is left; it is given up once nothing has come of it for STALLED_SECONDS.
    What was not projected by then is in the folders, and `reid sync` makes it good. `failed` says that something went
    wrong that is no failure of the store: a command must not end as if nothing had.
    """

    def __init__(
        self,
        uri: str | None,
        output: Path,
        folder: Path,
        warn: Callable[[str], None],
        opened: Callable[[str | None, Path, Path], Projector] = grid_tracker,
    ) -> None:
        self.failed = False
        self._uri, self._output, self._folder, self._warn, self._opened = uri, output, folder, warn, opened
        self._queue: queue.Queue[Path | None] = queue.Queue()
        self._left: dict[Path, None] = {}  # folders to project, in the order they changed
        self._aside: set[Path] = set()
        self._steps = 0  # folders that are done with
        self._projection: Projector | None = None
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)

    def __enter__(self) -> "BackgroundTracker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        try:
            why = self._wait()
        except KeyboardInterrupt:
            why = "interrupted"
        if why:
            self._warn(f"MLflow: {why}, given up; `reid sync` repairs MLflow later")
            self._warn = lambda _: None  # whatever the thread still finds
        elif len(self._aside) > 1:
            self._warn(f"MLflow: {len(self._aside)} folders could not be shown; `reid sync` says why")

    def _wait(self) -> str | None:
        """Wait for the thread to end; returns why that is given up, if it is."""
        self._thread.join(SILENT_SECONDS)
        if self._thread.is_alive():
            self._warn(f"MLflow: folders still to be shown: {len(self._left)}; Ctrl-C leaves them to `reid sync`")
        since = begin = time.monotonic()
        steps = self._steps
        while self._thread.is_alive():
            self._thread.join(0.2)
            now = time.monotonic()
            if self._steps != steps:
                steps, since = self._steps, now
            if now - since > STALLED_SECONDS or now - begin > END_SECONDS:
                return f"nothing came of it for {now - since:.0f} s"
        return None

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
            except Exception as error:  # whatever it is, training goes on and this thread lives
                if not delay:
                    self._warn(f"MLflow: {self._words(error)}; training goes on, `reid sync` repairs MLflow later")
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
        """Project what is left, each folder once however often it changed. Raises what opening the store raises, and
        TrackingError where it cannot be used now.
        """
        if self._projection is None:
            self._projection = self._opened(self._uri, self._output, self._folder)
        while self._left:
            folder = next(iter(self._left))
            try:
                self._projection.project(folder)
            except Exception as error:
                if isinstance(error, TrackingError) and not isinstance(error, RefusedError):
                    raise
                self._set_aside(folder, error)
            del self._left[folder]
            self._steps += 1
            self._tell_notices(self._projection)
        self._tell_notices(self._projection)
        if leaving:
            self._projection.close()

    def _set_aside(self, folder: Path, error: Exception) -> None:
        """Leave a folder until it changes, or for `reid sync`; the first is told, the others are counted."""
        words = self._words(error)
        if not self._aside:
            self._warn(f"MLflow: {folder.name} is not shown: {words}; training goes on")
        self._aside.add(folder)

    def _tell_notices(self, projection: Projector) -> None:
        while projection.notices:
            self._warn(f"MLflow: {projection.notices.pop(0)}")

    def _words(self, error: Exception) -> str:
        """One line about an error. One that nobody foresaw says where it came up, and is a failure of the command."""
        if isinstance(error, TrackingError | InputError):
            return str(error)
        self.failed = True
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"
