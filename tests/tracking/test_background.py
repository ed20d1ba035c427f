"""MLflow goes away and comes back; the mirror knows what it owes."""

import threading
import time
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.tracking import RefusedError, TrackingError
from reid.tracking import background as mirrors
from reid.tracking.background import BackgroundTracker

pytestmark = pytest.mark.slow


class Store:
    """A projection that can be down."""

    def __init__(self) -> None:
        self.down = threading.Event()
        self.tries = 0
        self.tried = threading.Condition()
        self.projected: list[str] = []
        self.notices: list[str] = []
        self.closed = False
        self.hangs = threading.Event()
        self.raising: dict[str, Exception] = {}  # by the folder's name

    def open(self, _uri: str | None, _output: Path, _folder: Path) -> "Store":
        self._use()
        return self

    def project(self, folder: Path) -> None:
        self._use()
        if self.hangs.is_set():
            time.sleep(30)
        if error := self.raising.get(folder.name):
            raise error
        self.projected.append(folder.name)

    def close(self) -> None:
        self.closed = True

    def _use(self) -> None:
        with self.tried:
            self.tries += 1
            self.tried.notify_all()
        if self.down.is_set():
            raise TrackingError("tracking store http://nowhere: Connection refused")

    def wait_for_tries(self, number: int) -> None:
        with self.tried:
            assert self.tried.wait_for(lambda: self.tries >= number, timeout=60)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(mirrors, "FIRST_DELAY", 0.01)
    return Store()


def mirror(store: Store, warnings: list[str]) -> BackgroundTracker:
    return BackgroundTracker(None, Path("output"), Path("grid"), warnings.append, store.open)


def test_down_from_the_start_is_one_line_and_all_is_projected_when_it_is_back(store: Store) -> None:
    warnings: list[str] = []
    store.down.set()
    with mirror(store, warnings) as mirrored:
        for name in ("a", "b", "a"):
            mirrored.project(Path(name))
        store.wait_for_tries(4)
        assert len(warnings) == 1
        store.down.clear()
    assert sorted(store.projected) == ["a", "b"]
    assert store.closed
    assert warnings == [
        "MLflow: tracking store http://nowhere: Connection refused; training goes on, `reid sync` repairs MLflow later"
    ]


def test_each_time_it_goes_away_is_a_line(store: Store) -> None:
    warnings: list[str] = []
    with mirror(store, warnings) as mirrored:
        for number in range(3):
            store.down.set()
            tries = store.tries
            mirrored.project(Path(str(number)))
            store.wait_for_tries(tries + 3)
            store.down.clear()
            tries = store.tries
            store.wait_for_tries(tries + 1)
            while str(number) not in store.projected:
                store.tried.acquire()
                store.tried.wait(0.05)
                store.tried.release()
    assert store.projected == ["0", "1", "2"]
    assert 1 <= len(warnings) <= 3


def test_down_to_the_end_ends_all_the_same(store: Store) -> None:
    warnings: list[str] = []
    store.down.set()
    with mirror(store, warnings) as mirrored:
        mirrored.project(Path("a"))
        store.wait_for_tries(2)
    assert store.projected == []
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("error", "words", "failed"),
    [
        (RefusedError("tracking store x: invalid name"), "tracking store x: invalid name", False),
        (InputError("state.json: must be JSON"), "state.json: must be JSON", False),
        (KeyError("reid.kind"), r"KeyError: 'reid.kind' (test_background.py, line ", True),
    ],
)
def test_a_folder_that_cannot_be_shown_is_told_and_holds_nothing_up(
    store: Store, error: Exception, words: str, failed: bool
) -> None:
    warnings: list[str] = []
    store.raising = {"bad": error, "worse": error}
    with mirror(store, warnings) as mirrored:
        for name in ("bad", "a", "worse", "b"):
            mirrored.project(Path(name))
    assert store.projected == ["a", "b"]
    assert store.closed
    assert warnings[0].startswith(f"MLflow: bad is not shown: {words}")
    assert warnings[1:] == ["MLflow: 2 folders could not be shown; `reid sync` says why"]
    assert mirrored.failed is failed


def test_an_error_that_nobody_foresaw_at_the_opening_is_told_and_fails() -> None:
    warnings: list[str] = []

    def opened(*_: object) -> Store:
        raise ZeroDivisionError("division by zero")

    with BackgroundTracker(None, Path("output"), Path("grid"), warnings.append, opened) as mirrored:
        mirrored.project(Path("a"))
    assert mirrored.failed
    (line,) = warnings
    assert line.startswith("MLflow: ZeroDivisionError: division by zero (test_background.py, line ")


def test_a_store_that_never_answers_does_not_keep_the_end_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "SILENT_SECONDS", 0.1)
    monkeypatch.setattr(mirrors, "STALLED_SECONDS", 0.3)
    warnings: list[str] = []
    store.hangs.set()
    began = time.monotonic()
    with mirror(store, warnings) as mirrored:
        mirrored.project(Path("a"))
    assert time.monotonic() - began < 10
    assert warnings == [
        "MLflow: folders still to be shown: 1; Ctrl-C leaves them to `reid sync`",
        "MLflow: nothing came of it for 0 s, given up; `reid sync` repairs MLflow later",
    ]


def test_what_the_projection_has_to_say_is_said(store: Store) -> None:
    warnings: list[str] = []
    store.notices = ["grid demo is shown in the experiment 'demo-1'"]
    with mirror(store, warnings) as mirrored:
        mirrored.project(Path("a"))
    assert warnings == ["MLflow: grid demo is shown in the experiment 'demo-1'"]
