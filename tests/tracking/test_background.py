"""MLflow goes away and comes back; the mirror knows what it owes."""

import threading
from pathlib import Path

import pytest

from reid.tracking import TrackingError
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
        self.closed = False

    def open(self, _uri: str | None, _output: Path, _folder: Path) -> "Store":
        self._use()
        return self

    def project(self, folder: Path) -> None:
        self._use()
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
