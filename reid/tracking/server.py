"""`reid ui`: the MLflow server on this machine, with links to the views that answer."""

import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

from reid.errors import InputError
from reid.shown import hide
from reid.store.plan import planned_grids
from reid.store.study import planned_studies
from reid.tracking.grid_tracker import Tracker
from reid.tracking.grid_views import TESTED, untested, view_links
from reid.tracking.mlflow_store import QUIET, Store, TrackingError
from reid.tracking.study.tracker import study_tracker
from reid.tracking.study.views import study_links

HOST = "127.0.0.1"
Links = Callable[[str, str], dict[str, str]]
START_SECONDS = 120  # it starts in 8 to 40


def serve(output: Path, uri: str | None, port: int, open_browser: bool) -> None:
    """Serve the tracking store until Ctrl-C or SIGTERM; port 0 picks a free one.

    A `uri` that is a server already is linked to, not started. Raises InputError if the port is taken or no grid is
    planned, TrackingError if the server does not start.
    """
    grids, studies = planned_grids(output), planned_studies(output)
    if not grids and not studies:
        raise InputError(f"{output}: holds no grid or study to show; run one with `reid ablate` or `reid tune` first")
    tracker = Tracker(uri, output)
    pages: list[tuple[str, str, Links]]
    pages = [(f"study {folder.name}", study_tracker(uri, output, folder).open(), study_links) for folder in studies]
    pages += [(grid.plan.name, tracker.open_grid(grid.path), view_links) for grid in grids]
    for notice in tracker.notices:
        print(f"note: {notice}", flush=True)
    if tracker.store.uri.startswith("http"):
        _show(tracker.store.uri, pages, open_browser)
        return
    try:
        with _terminated_as_interrupt(), running_server(tracker.store, free_port(port)) as base:
            _show(base, pages, open_browser)
            print("Ctrl-C ends it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("The MLflow server has ended.", flush=True)


def _show(base: str, pages: list[tuple[str, str, Links]], open_browser: bool) -> None:
    """Print the address of every view, the newest grid last, and open that one's first view if asked."""
    if found := untested():
        print(f"MLflow {found} is shown without saved views, which are tested with {' and '.join(TESTED)}.", flush=True)
    for name, experiment, links in pages:
        addresses = links(base, experiment)
        print(name, *(f"  {view:<12} {link}" for view, link in addresses.items()), sep="\n", flush=True)
    if open_browser:
        webbrowser.open(next(iter(addresses.values())))


def free_port(port: int) -> int:
    """`port` if nobody listens there, any free one for 0. Raises InputError if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InputError(f"--port {port}: {error.strerror}; choose another, or 0 for any free one") from None
        return int(probe.getsockname()[1])


@contextmanager
def running_server(store: Store, port: int) -> Iterator[str]:
    """Address of an MLflow server on `store`, up and answering; it ends with the block. Its log: mlflow-server.log."""
    log = store.output / "mlflow-server.log"
    artifacts = ["--default-artifact-root", (store.output / "mlartifacts").as_uri(), "--no-serve-artifacts"]
    command = [sys.executable, "-m", "mlflow", "server", *artifacts]
    command += ["--host", HOST, "--port", str(port), "--workers", "1"]
    # Not as an option: everybody on this machine may read those.
    environment = {**os.environ, **QUIET, "MLFLOW_BACKEND_STORE_URI": store.uri}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    with log.open("w", encoding="utf-8") as file:
        # A session of its own: the server is two processes, and they end together.
        server = subprocess.Popen(
            command, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_healthy(server, port, log, store.uri)
        yield f"http://{HOST}:{port}"
    finally:
        _end(server)


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int, log: Path, uri: str) -> None:
    for _ in range(START_SECONDS * 5):
        if server.poll() is not None:
            break
        try:
            with urlopen(f"http://{HOST}:{port}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    end = hide(log.read_text("utf-8", "replace"), uri)[-500:].strip()
    raise TrackingError(f"the MLflow server did not start; the end of {log}: {end}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the server's process group, and SIGKILL to whatever of it is left after at most 10 s."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
