"""The server of a study's storage goes away: it is waited for, and said; for so long and no longer."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError

from reid.errors import InputError
from reid.execution.events import RunEvent
from reid.store.study import TrialState
from reid.studies import storage as storages
from reid.studies.storage import Storage
from reid.studies.study_file import StudyPlan
from reid.studies.trials import TrialOutcome, Trials
from tests.helpers.grids import wait_for
from tests.helpers.postgresql import Server
from tests.studies.synthetic import Imagined, search, write_study
from tests.studies.test_workers import require_whole

pytestmark = pytest.mark.slow

TRIALS = 8


class Slow(Imagined):
    """Takes its time over an epoch."""

    def advance(self, timeout: float) -> list[RunEvent]:
        time.sleep(0.2)
        return super().advance(timeout)


def test_a_server_that_is_killed_twice_costs_no_trial(
    mortal_postgresql: Server, tiny_root: Path, tmp_path: Path
) -> None:
    warnings: list[str] = []
    trials = tmp_path / "studies" / "toy" / "trials.json"

    def has_ended(number: int) -> bool:
        return trials.exists() and trials.read_text().count('"complete"') >= number

    def is_told(number: int) -> bool:
        return len(warnings) >= number

    def kill_and_start() -> None:
        for ended, told in ((1, 1), (3, 3)):
            wait_for(partial(has_ended, ended))
            mortal_postgresql.kill()
            wait_for(partial(is_told, told))
            mortal_postgresql.start()

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_and_start)
        file = write_study(tmp_path, tiny_root, TRIALS)
        over, _, _ = search(file, tmp_path, Slow, mortal_postgresql.url, warn=warnings.append)
        killed.result(timeout=60)
    assert over
    require_whole(tmp_path, TRIALS)
    assert len(warnings) == 4
    assert "no%20secret" not in "".join(warnings)
    for away, back in (warnings[:2], warnings[2:]):
        assert "cannot be used (" in away
        assert away.endswith("); waiting up to 300 s for it")
        assert "is back after" in back


def test_a_server_that_stays_away_ends_the_study_in_one_line(
    mortal_postgresql: Server, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storages, "OUTAGE_SECONDS", 2.0)
    warnings: list[str] = []

    began = time.monotonic()
    with pytest.raises(InputError, match=r"storage postgresql\+psycopg://reid@.*: cannot be used"):
        search(
            write_study(tmp_path, tiny_root, TRIALS),
            tmp_path,
            Slow,
            mortal_postgresql.url,
            warn=warnings.append,
            begun=mortal_postgresql.kill,
        )
    assert time.monotonic() - began < 60
    assert len(warnings) == 1, "what is let go of at the end does not wait again"


@pytest.fixture
def trials(tiny_root: Path, tmp_path: Path) -> Trials:
    return Trials(StudyPlan(write_study(tmp_path, tiny_root, 2)), Storage("sqlite", tmp_path / "study"), "data")


class LostLock:
    """A lock whose connection is lost before it is let go of, once: what was done under it is done, and not known."""

    def __init__(self) -> None:
        self.times = 1

    def __enter__(self) -> None: ...

    def __exit__(self, *about: object) -> None:
        self.times -= 1
        if self.times >= 0:
            raise OperationalError("SELECT pg_advisory_unlock", {}, Exception("server closed the connection"))


def lose(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next answer of the storage be lost."""
    lock = LostLock()
    monkeypatch.setattr(trials.storage, "_file", None)  # as of a server
    monkeypatch.setattr(trials.storage, "lock", lambda: lock)


def test_a_trial_whose_claim_was_not_answered_is_claimed_once(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(trials, monkeypatch)
    first, second = trials.claim(), trials.claim()
    assert first is not None
    assert second is not None
    assert {first.number, second.number} == {0, 1}
    assert trials.claim() is None, "there are never more than were asked for"


def test_a_trial_whose_end_was_not_answered_has_ended(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = trials.claim()
    assert trial is not None
    lose(trials, monkeypatch)
    assert trials.end(trial, TrialOutcome(TrialState.COMPLETE, [0.9]))
    assert trials.count_over() == 1


def test_what_is_no_outage_is_not_waited_for(trials: Trials) -> None:
    def wrong() -> None:
        with trials.storage.backend.engine.connect() as connection:  # type: ignore[attr-defined]
            connection.execute(sqlalchemy.text("SELECT nothing FROM nowhere"))

    trials.storage.warn = pytest.fail
    with pytest.raises(OperationalError):
        trials.storage.ride_out(wrong)
