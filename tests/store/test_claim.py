import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reid.store import claim as claims
from reid.store.claim import ClaimLostError, ClaimMonitor, Holder, claim, machine, process_began, read_holder, take
from reid.store.run_folder import RunFolder
from reid.store.run_records import ClaimRecord

HOLD = """
import sys
from pathlib import Path
from reid.store.claim import claim
from reid.store.run_folder import RunFolder
from reid.store.run_records import ClaimRecord
with claim(RunFolder(Path(sys.argv[1]))) as mine:
    print(mine is not None, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "abc").mkdir()
    return RunFolder(tmp_path / "abc")


class Clock:
    """A monotonic clock set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def write_claim(folder: RunFolder, generation: int, **about: object) -> Path:
    """A claim of another machine."""
    record = {"host": "elsewhere", "machine": "another boot", "pid": os.getpid(), "began": 1.0, **about}
    file = folder.path / f"claim.{generation}.json"
    file.write_text(json.dumps(record))
    return file


def test_a_claim_is_exclusive_says_who_and_dies_with_its_holder(folder: RunFolder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with claim(folder) as mine:
            assert mine is None
        found = ClaimMonitor().holder(folder)
        assert found is not None
        assert found.claim.pid == holder.pid
        assert str(found).endswith(f", process {holder.pid}")
        holder.kill()
        holder.wait()
    assert ClaimMonitor().holder(folder) is None
    with claim(folder) as mine:
        assert mine is not None
        assert mine.generation == 2


def test_a_zombie_holds_nothing(folder: RunFolder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended and nobody has asked how
        assert process_began(holder.pid) is None
        assert ClaimMonitor().holder(folder) is None


def test_released_it_is_free_for_one_of_many(folder: RunFolder) -> None:
    with claim(folder) as mine:
        assert mine is not None
    for generation in range(2, 30):
        barrier = threading.Barrier(4)

        def race(_: int, barrier: threading.Barrier = barrier) -> claims.Claim | None:
            barrier.wait()
            return take(folder)

        with ThreadPoolExecutor(4) as pool:
            won = [taken for taken in pool.map(race, range(4)) if taken]
        assert [taken.generation for taken in won] == [generation]
        won[0].release()
    assert sorted(path.name for path in folder.path.iterdir()) == ["claim.29.json"], "older ones are gone"


def test_a_pid_that_is_used_again_is_another_process(folder: RunFolder) -> None:
    began = process_began(os.getpid())
    assert began is not None
    write_claim(folder, 1, machine=machine(), began=began)
    assert take(folder) is None
    write_claim(folder, 1, machine=machine(), began=began - 1)
    assert take(folder) is not None


def test_another_machine_is_dead_once_it_was_seen_not_to_beat(folder: RunFolder) -> None:
    file, clock = write_claim(folder, 7), Clock()
    watch = ClaimMonitor(clock)
    for seconds in (0.0, 100.0):  # it beats before it is too late, and by clocks of its own
        clock.now = seconds
        os.utime(file, (1e9 - seconds, 1e9 - seconds))
        theirs = ClaimRecord(host="elsewhere", machine="another boot", pid=os.getpid(), began=1.0)
        assert watch.holder(folder) == Holder(7, file.stat().st_mtime_ns, theirs)
    clock.now = 219.0
    assert watch.holder(folder)
    assert take(folder) is None, "only who has watched it may tell"
    clock.now = 221.0
    assert watch.holder(folder) is None
    assert take(folder) is not None


@pytest.mark.parametrize("year", [1e6, 4e9])
def test_clocks_far_off_change_nothing(folder: RunFolder, year: float) -> None:
    with claim(folder) as mine:
        assert mine is not None
        os.utime(folder.path / "claim.1.json", (year, year))
        assert ClaimMonitor().holder(folder) is not None
        assert take(folder) is None
    assert ClaimMonitor().holder(folder) is None


def test_who_was_taken_for_dead_learns_it(folder: RunFolder) -> None:
    mine = take(folder)
    assert mine is not None
    mine.require()
    theirs = take(folder, dead=mine.generation)
    assert theirs is not None
    with pytest.raises(ClaimLostError):
        mine.require()
    mine.release()
    theirs.require()
    assert take(folder) is None, "a late release frees nothing"


def test_what_was_seen_long_ago_cannot_be_taken(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process stands still between looking and taking, while others come, go and come."""
    for _ in range(2):
        with claim(folder) as mine:
            assert mine is not None
    with claim(folder) as mine:
        monkeypatch.setattr(claims, "read_holder", lambda _: Holder(1, 0, released=True))
        assert take(folder) is None
        monkeypatch.undo()
        assert mine is not None
        mine.require()
    assert take(folder) is not None


def test_a_damaged_claim_is_watched_like_any_other(folder: RunFolder) -> None:
    (folder.path / "claim.1.json").write_text('{"host": "els')
    clock = Clock()
    watch = ClaimMonitor(clock)
    assert str(watch.holder(folder)) == "an unreadable claim"
    clock.now = 200.0
    assert watch.holder(folder) is None


def test_a_holder_beats_until_it_is_done(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.01)
    with claim(folder):
        before = read_holder(folder)
        changed = threading.Event()
        for _ in range(1000):
            if read_holder(folder) != before:
                changed.set()
                break
            changed.wait(0.01)
        assert changed.is_set()
    assert (folder.path / "claim.1.json").read_text() == ""
