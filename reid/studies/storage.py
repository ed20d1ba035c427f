"""Where a study's trials are kept: a SQLite file, a journal file, or PostgreSQL, each with a lock.

The lock dies with its holder. Every step that reads and then writes (take a trial, end one, release those of the dead)
happens under it, so any number of processes and machines share a study: docs/decisions/0018-storage-and-liveness.md.
"""

import hashlib
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import optuna
import sqlalchemy
from filelock import FileLock
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError

from reid.errors import InputError, missing_extra
from reid.shown import hide, hide_uri

Answer = TypeVar("Answer")
CONNECT_SECONDS = 10
OUTAGE_SECONDS = 300.0  # for which a server that is away is waited for
RETRY_SECONDS = 1.0
# A server that is gone without a word is noticed in a minute; the server notices a holder of the lock that is.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
LOCK_SETTINGS = {
    "lock_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
BUSY_SECONDS = 60  # for which a writer of a SQLite file waits for another
FORMS = "sqlite, journal, sqlite:///FILE, journal:///FILE or postgresql://USER@HOST/DATABASE"


class Storage:
    """The opened storage of the study in `folder`.

    `url` opens it again, from anywhere; `shown` is that without its password. `warn` is told of outages, and
    `interrupted` says that nobody wants to wait for their end.
    """

    def __init__(self, asked: str, folder: Path, warn: Callable[[str], None] = lambda _: None) -> None:
        """`asked` is one of FORMS, the plain words files in `folder`. Raises InputError where it cannot be opened."""
        self.folder, self.warn = folder, warn
        self.interrupted: Callable[[], bool] = bool
        self._patience = OUTAGE_SECONDS
        self._is_riding = False
        url = _url(asked, folder)
        self._url = url
        self.shown = hide_uri(self.url)
        self._file = Path(url.database or "") if url.drivername in ("sqlite", "journal") else None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            with self.lock():
                self.backend = self._open()
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise self.unreachable(error) from error

    @property
    def url(self) -> str:
        return self._url.render_as_string(hide_password=False)

    def unreachable(self, error: Exception) -> InputError:
        """One line about a failure of the storage; it may carry the server's words, never the password."""
        words = hide(" ".join(str(getattr(error, "orig", None) or error).split()), self.url) or type(error).__name__
        if isinstance(error, ImportError):
            words = missing_extra("its driver is not installed", "postgresql")
        return InputError(
            f"storage {self.shown}: cannot be used ({words[:300]}); see that it is there and may be written"
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Alone among all processes of this storage. Let go of when the holder dies, by the kernel or by the server."""
        if self._file is not None:
            with FileLock(self._file.with_name(f"{self._file.name}.lock")):
                yield
            return
        with self._engine().connect() as connection:
            settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in LOCK_SETTINGS.items())
            connection.execute(sqlalchemy.text(f"SELECT {settings}"))
            connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK_KEY})
            try:
                yield
            finally:
                connection.execute(sqlalchemy.text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})

    def ride_out(self, work: Callable[[], Answer]) -> Answer:
        """What `work` returns, done again while the server is away, for up to OUTAGE_SECONDS.

        The lock is lost with its connection, so `work` takes it itself, and may find done what it did before. Within
        another `ride_out` it is done once: the outer one does all of it again.
        """
        if self._is_riding:
            return work()
        began: float | None = None
        self._is_riding = True
        try:
            while True:
                try:
                    answer = work()
                except (SQLAlchemyError, StorageInternalError) as error:
                    cause = error if isinstance(error, SQLAlchemyError) else error.__cause__
                    if not isinstance(cause, OperationalError | InterfaceError):
                        raise
                    if self._file is not None or not self._patience:
                        raise
                    if began is None:
                        began = time.monotonic()
                        waits = f"waiting up to {self._patience:.0f} s for it"
                        self.warn(f"{str(self.unreachable(cause)).partition(';')[0]}; {waits}")
                    if time.monotonic() - began >= self._patience or self.interrupted():
                        self._patience = 0.0  # what is still to be let go of does not wait anew
                        raise
                    time.sleep(RETRY_SECONDS)
                else:
                    if began is not None:
                        self.warn(f"storage {self.shown}: is back after {time.monotonic() - began:.0f} s")
                    return answer
        finally:
            self._is_riding = False

    def _engine(self) -> sqlalchemy.Engine:
        if not hasattr(self, "_locks"):
            # A connection of its own for the lock; outside a transaction, so that none stays open while it is held.
            self._locks = sqlalchemy.create_engine(
                self._url, isolation_level="AUTOCOMMIT", pool_pre_ping=True, connect_args=_patience(self._url)
            )
        return self._locks

    def _open(self) -> BaseStorage:
        if self._url.drivername == "journal":
            assert self._file is not None
            return JournalStorage(JournalFileBackend(str(self._file), lock_obj=_KernelLock(self._file)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # SQLAlchemy 2.1's, of what Optuna does with it
            return RDBStorage(self.url, {"connect_args": _patience(self._url), "pool_pre_ping": True})

    def __enter__(self) -> "Storage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of every connection. A failure of the storage inside the block becomes one line."""
        self._close()
        if isinstance(error, SQLAlchemyError | StorageInternalError):
            raise self.unreachable(error.__cause__ if isinstance(error.__cause__, Exception) else error) from error

    def _close(self) -> None:
        if isinstance(self.backend, RDBStorage):
            self.backend.remove_session()
            self.backend.engine.dispose()
        if hasattr(self, "_locks"):
            self._locks.dispose()


_LOCK_KEY = int.from_bytes(hashlib.sha256(b"reid studies").digest()[:7], "big")


class _KernelLock(BaseJournalFileLock):
    """The journal's lock between appending processes. Optuna's own outlives a killed holder for half a minute."""

    def __init__(self, file: Path) -> None:
        self.lock = FileLock(file.with_name(f"{file.name}.append.lock"))

    def acquire(self) -> bool:
        self.lock.acquire()
        return True

    def release(self) -> None:
        self.lock.release()


def _url(asked: str, folder: Path) -> URL:
    files = {"sqlite": "study.db", "journal": "journal.log"}
    if asked in files:  # whatever its path is: in a URL a question mark would end it
        return URL.create(asked, database=str(folder.resolve() / files[asked]))
    try:
        url = make_url(asked)
    except ArgumentError:
        raise InputError(f"storage: must be {FORMS}, found {hide_uri(asked)!r}") from None
    kind = url.drivername.partition("+")[0]
    if kind in ("postgresql", "postgres") and url.database:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in files and url.database:
        return url
    raise InputError(f"storage: must be {FORMS}, found {hide_uri(asked)!r}")


def _patience(url: URL) -> dict[str, int]:
    return (
        {"timeout": BUSY_SECONDS} if url.drivername == "sqlite" else {"connect_timeout": CONNECT_SECONDS, **KEEPALIVES}
    )
