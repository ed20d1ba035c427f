import errno
from pathlib import Path

import numpy as np
import pytest
import torch

from reid.errors import InputError
from reid.execution import failures
from reid.execution.failures import (
    ATTEMPTS,
    LONGEST_DELAY,
    Failure,
    delay_before,
    is_out_of_gpu_memory,
    is_transient,
    trace_digest,
)
from reid.store.run_records import StateRecord


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EROFS, "Read-only file system"), True),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
        (ValueError("shapes do not match"), False),
        (ZeroDivisionError(), False),
    ],
)
def test_what_may_pass_by_itself(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient
    assert is_transient(raised(RuntimeError("unexpected pos 768 vs 662"), cause=error)) is transient


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_in_numpys_words() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError) as error:  # noqa: PT011
        np.save(full, np.zeros(200_000))
    assert is_transient(error.value)


def test_out_of_gpu_memory_is_told_apart() -> None:
    assert is_out_of_gpu_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert not is_out_of_gpu_memory(MemoryError())


def fail(number: int) -> None:
    raise ValueError(f"{number} at {object()}")


def fail_elsewhere() -> None:
    raise ValueError("1")


def test_a_trace_is_the_place_not_the_words() -> None:
    def digest(number: int, elsewhere: bool = False) -> str:
        try:
            fail_elsewhere() if elsewhere else fail(number)
        except ValueError as error:
            return trace_digest(error)
        raise AssertionError

    assert digest(1) == digest(2)
    assert digest(1) != digest(1, elsewhere=True)


def test_the_same_trace_twice_is_held_and_bad_input_at_once() -> None:
    error = raised(ValueError("bad"))
    first = Failure.of(error, StateRecord(), transient=False)
    assert (first.quarantined, first.reason) == (False, "ValueError: bad")
    assert "Traceback" in first.error
    again = StateRecord(trace=first.trace)
    assert Failure.of(error, again, transient=False).quarantined
    assert not Failure.of(error, StateRecord(trace="another"), transient=False).quarantined
    assert not Failure.of(error, again, transient=True).quarantined, "what passes by itself is never quarantined"
    bad_input = Failure.of(raised(InputError("a file is gone")), StateRecord(), transient=False)
    assert bad_input.quarantined
    assert bad_input.reason == "a file is gone"


def test_delays_double_are_capped_and_are_a_runs_own() -> None:
    for attempt in range(1, 20):
        expected = min(failures.FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY)
        assert 0.5 * expected <= delay_before("abc", attempt) <= 1.5 * expected
    assert delay_before("abc", 3) == delay_before("abc", 3)
    assert len({delay_before(f"run {number}", 1) for number in range(20)}) == 20
    assert sum(delay_before("abc", attempt) for attempt in range(1, ATTEMPTS)) < 200
