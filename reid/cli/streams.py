"""Standard output and error that nothing ends by: a full device, a reader who has left, a closed descriptor, a letter
that the terminal's encoding lacks."""

import errno
import io
import os
import select
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import cast

NAMES = {1: "stdout", 2: "stderr"}


class Lossy(io.RawIOBase):
    """Writes to a descriptor for as long as that takes what is written; `lost` says why it does not any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.lost: OSError | None = None

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: "memoryview | bytes") -> int:  # type: ignore[override]
        while self.lost is None:
            try:
                return os.write(self.descriptor, data)
            except BlockingIOError:
                select.select([], [self.descriptor], [])
            except OSError as error:
                self.lost = error
        return len(data)


GUARDED: dict[str, tuple[io.TextIOWrapper, Lossy]] = {}


def guard_streams() -> None:
    """Make this process's streams lossy. One that was closed is /dev/null: the next file opened would be it."""
    for descriptor in (0, *NAMES):
        with suppress(OSError):
            os.fstat(descriptor)
            continue
        os.open(os.devnull, os.O_RDWR)
    for descriptor, name in NAMES.items():
        now = getattr(sys, name)
        if now is not None and now is not getattr(sys, f"__{name}__"):
            continue  # somebody has put another in its place, who knows why
        encoding = "utf-8" if now is None else now.encoding
        lossy = Lossy(descriptor)
        lines = now is None or now.line_buffering or descriptor == 2
        stream = io.TextIOWrapper(
            io.BufferedWriter(cast(io.RawIOBase, lossy)), encoding, "backslashreplace", line_buffering=lines
        )
        GUARDED[name] = stream, lossy
        setattr(sys, name, stream)


def have_a_home() -> None:
    """Give this process a home folder where its user has none, as in many a container: libraries look into it."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = tempfile.gettempdir()


def lost_output() -> OSError | None:
    """Why what is printed gets nowhere; None where it does."""
    out = GUARDED.get("stdout")
    if out is None or sys.stdout is not out[0]:
        return None
    out[0].flush()
    return out[1].lost


def incomplete_output() -> str | None:
    """What to say in the end of output that is not whole. A reader who has left knows it: `| head` is no failure."""
    lost = lost_output()
    if lost is None or lost.errno == errno.EPIPE:
        return None
    return f"standard output: {lost.strerror}; what was to be printed is incomplete, what was written to folders is not"
