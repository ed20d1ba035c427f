"""A server that is down, hangs or answers a byte at a time ends no command late: every call of it is given up."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from mlflow.store.entities import PagedList

from reid.tracking import RefusedError, Tracker, TrackingError, download
from reid.tracking import mlflow_store as stores
from reid.tracking import patience as waits
from reid.tracking.patience import Patience, Patient
from tests.tracking.conftest import Fabric

DRIP_SECONDS = 0.2


@contextmanager
def dripping() -> Iterator[str]:
    """URI of a server that begins an answer to everybody and goes on with it, a byte at a time, for ever."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(DRIP_SECONDS):
                connection.sendall(b" ")

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


def test_a_call_that_ends_returns_or_raises_as_it_would() -> None:
    patience = Patience()
    assert patience.call(5, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        patience.call(5, divmod, 7, 0)
    text = Patient("a b", patience)
    assert text.split() == ["a", "b"]


def test_a_call_that_hangs_is_given_up_and_no_other_begun_until_it_ends() -> None:
    patience, ends = Patience(), threading.Event()
    with pytest.raises(TimeoutError, match=r"no whole answer within 0\.05 s"):
        patience.call(0.05, ends.wait)
    with pytest.raises(TimeoutError, match="an earlier call still waits for its answer"):
        patience.call(5, int)
    ends.set()
    for _ in range(100):
        with suppress(TimeoutError):
            assert patience.call(5, int) == 0
            return
        time.sleep(0.05)
    pytest.fail("its answer came, and is still waited for")


@pytest.mark.slow
def test_a_server_that_drips_is_given_up(fabric: Fabric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "CALL_SECONDS", 1.0)
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    with dripping() as uri:
        began = time.monotonic()
        with pytest.raises(TrackingError, match="no whole answer within 1 s"):
            Tracker(uri, fabric.output).open_grid(grid)
        with pytest.raises(TrackingError, match="no whole answer within 1 s"):
            download(uri, "demo", tmp_path / "there")
        assert time.monotonic() - began < 30


@pytest.mark.faults
def test_a_command_ends_though_the_server_drips(tmp_path: Path) -> None:
    """Threads that still wait for the server do not keep the process."""
    code = (
        "import sys; from reid.tracking import patience; patience.CALL_SECONDS = 1.0\n"
        "from reid.cli.app import main; sys.argv[:] = ['reid', 'report', 'demo', '--from-mlflow', sys.argv[1]]; main()"
    )
    with dripping() as uri:
        ended = subprocess.run(
            [sys.executable, "-c", code, uri], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
        )
    assert ended.returncode == 2
    assert "no whole answer within 1 s" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql", "mysql"])
def test_a_database_that_is_down_or_has_no_driver_is_told_at_once(driver: str, fabric: Fabric, tmp_path: Path) -> None:
    grid = fabric.grid(tricks=("bnneck",), seeds=(0,))
    began = time.monotonic()
    with pytest.raises(TrackingError, match=r"(?i)connection refused|no module named|can't connect"):
        Tracker(f"{driver}://me:word@127.0.0.1:1/db", fabric.output).open_grid(grid)
    with pytest.raises(TrackingError):
        download(f"{driver}://me:word@127.0.0.1:1/db", "demo", tmp_path)
    assert time.monotonic() - began < stores.CONNECT_SECONDS


def test_a_search_that_never_ends_is_refused() -> None:
    """A server that always names another page."""
    asked = 0

    def page(_: str | None) -> PagedList[int]:
        nonlocal asked
        asked += 1
        return PagedList([asked], token="more")

    with pytest.raises(RefusedError, match="a search did not end after 1000 pages"):
        stores._all_pages(page)
    assert asked == stores.MOST_PAGES
