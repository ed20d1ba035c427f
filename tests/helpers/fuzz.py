"""What fuzzing has in common: how much of it, a command run as a user would, and what may come of it."""

import io
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, settings

from reid.cli.app import main

MOST_SECONDS = 10
CODES = (0, 1, 2)  # whole, runs failed, bad input


def examples(count: int) -> int:
    """How many: `count` in the suite, REID_FUZZ in a nightly run, where that is more."""
    return max(count, int(os.environ.get("REID_FUZZ", "0")))


def few(count: int) -> settings:
    """Hypothesis's settings of that many."""
    return settings(max_examples=examples(count), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rounds(count: int) -> Iterator[random.Random]:
    """A source of random numbers for each example; REID_FUZZ_SEED begins elsewhere."""
    begin = int(os.environ.get("REID_FUZZ_SEED", "0")) * 1_000_000
    return (random.Random(begin + number) for number in range(examples(count)))


@dataclass(frozen=True)
class Ended:
    """What came of a command; `wrong` says what must not."""

    words: Sequence[str]
    code: object
    error: str
    seconds: float
    wrong: str


def run_reid(words: Sequence[str]) -> Ended:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    began, code, wrong = _clocks(), None, "it did not end by itself"
    try:
        with redirect_stdout(out), redirect_stderr(err), patch("sys.argv", ["reid", *words]):
            main()
    except SystemExit as ended:
        code = ended.code
        wrong = "" if code in CODES else f"exit code {code}"
    except BaseException as raised:
        wrong = f"{type(raised).__name__}: {str(raised)[:300]} at {_place(raised)}"
    (computed, passed), error = _clocks() - began, err.getvalue()
    if not wrong and "Traceback" in error:
        wrong = "a traceback"
    if not wrong and code == 2 and not error.strip():
        wrong = "refused without a word"
    if not wrong and (computed > MOST_SECONDS or passed > 6 * MOST_SECONDS):
        wrong = f"{computed:.0f} s computed, {passed:.0f} s in all"
    return Ended(words, code, error, float(passed), wrong)


def _clocks() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Seconds that this process computed, and seconds: tests share a machine, so the first is what is limited."""
    return np.array([time.process_time(), time.monotonic()])


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "/reid/" in code.co_filename:
            place = f"{code.co_filename.rpartition('/reid/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A file after something happened to it: cut, bits turned, a part doubled, lost or overwritten."""
    if not content:
        return chance.randbytes(chance.randrange(40))
    place, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    kinds: list[Callable[[], bytes]] = [
        lambda: content[:place],
        lambda: content[:place] + content[end:],
        lambda: content[:end] + content[place:end] + content[end:],
        lambda: content[:place] + chance.randbytes(chance.randrange(1, 9)) + content[place:],
        lambda: content[:place] + b"\0" * (end - place) + content[end:],
        lambda: b"".join(
            bytes([byte ^ (1 << chance.randrange(8)) if chance.random() < 0.01 else byte]) for byte in content
        ),
        lambda: chance.randbytes(chance.randrange(200)),
        lambda: b"",
    ]
    return chance.choice(kinds)()
