"""Why a run failed, and whether it deserves another try. docs/decisions/0015 says what is retried and what is held."""

import errno
import hashlib
import random
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch

from reid.errors import InputError
from reid.shown import hide
from reid.store.run_records import StateRecord

FIRST_DELAY = 1.0  # seconds before the first retry; doubled for each that follows
LONGEST_DELAY = 300.0
ATTEMPTS = 8  # tries of a run that makes no progress between them: 127 s of waiting

# The place failed, not the run: disk full or read-only, connection lost, memory taken.
TRANSIENT_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EMFILE, errno.ENFILE,
    errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPIPE, errno.ETIMEDOUT, errno.ENETDOWN,
    errno.ENETUNREACH, errno.EHOSTUNREACH,
}  # fmt: skip
TRANSIENT_WORDS = ("busy or unavailable", "can't allocate memory")  # CUDA's, and torch's on the CPU


@dataclass(frozen=True)
class Failure:
    """What state.json says of a run that raised.

    Quarantined, so that no launch tries the run again: bad input at once, anything else that is not transient when it
    has raised with the same trace before.
    """

    reason: str
    error: str
    trace: str
    quarantined: bool

    @classmethod
    def of(cls, error: Exception, before: StateRecord, transient: bool) -> Self:
        """The failure that `error` is; `before` is the state when the attempt began."""
        trace, bad_input = trace_digest(error), isinstance(error, InputError)
        return cls(
            reason=hide(str(error) if bad_input else f"{type(error).__name__}: {error}"),
            error=hide("".join(traceback.format_exception(error))),
            trace=trace,
            quarantined=bad_input or (not transient and before.trace == trace),
        )


def is_transient(error: BaseException) -> bool:
    """Whether the same run may succeed later. Of GPU memory reid.execution.gpu_memory says that."""
    return any(
        isinstance(cause, MemoryError)
        or (isinstance(cause, OSError) and (cause.errno in TRANSIENT_ERRORS or _is_short_write(cause)))
        or (isinstance(cause, RuntimeError) and any(words in str(cause) for words in TRANSIENT_WORDS))
        for cause in _causes(error)
    )


def is_out_of_gpu_memory(error: BaseException) -> bool:
    return any(isinstance(cause, torch.OutOfMemoryError) for cause in _causes(error))


def trace_digest(error: BaseException) -> str:
    """12 digits that are equal where the same thing was raised at the same place, whatever numbers its words hold."""
    frames = [
        f"{type(cause).__name__} {frame.name} {frame.lineno}"
        for cause in _causes(error)
        for frame in traceback.extract_tb(cause.__traceback__)
    ]
    return hashlib.sha256("\n".join(frames).encode()).hexdigest()[:12]


def delay_before(signature: str, attempt: int) -> float:
    """Seconds to wait before the `attempt`-th retry (from 1): doubling, capped, and other for every run."""
    jitter = random.Random(f"{signature} {attempt}").uniform(0.5, 1.5)
    return min(FIRST_DELAY * 2.0 ** (attempt - 1), LONGEST_DELAY) * jitter


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_short_write(error: OSError) -> bool:
    """numpy tells a full disk without a number: "200000 requested and 38384 written"."""
    return error.errno is None and " requested and " in str(error)
