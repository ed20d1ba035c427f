"""What others may see of this process: its command line, which `ps` shows to everybody, and a traceback."""

import ctypes
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from reid.shown import hide, hide_uri

ARGUMENTS = slice(45, 47)  # of /proc/self/stat after the program's name: where the command line begins and ends


def hide_passwords() -> None:
    """Keep the passwords of URIs out of this process's command line, where the system has one to write to (Linux).

    Until the process has come here they are seen: the environment is the better place.
    """
    sys.excepthook = _show_traceback
    if all(hide_uri(word) == word for word in sys.argv):
        return
    with suppress(OSError, ValueError):
        start, end = map(int, Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[ARGUMENTS])
        memory = (ctypes.c_char * (end - start)).from_address(start)
        memory.raw = b"\0".join(_hidden(word) for word in memory.raw.split(b"\0"))


def _hidden(word: bytes) -> bytes:
    """A word of as many bytes without the passwords in it."""
    shown = hide_uri(word.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return word if shown == word else shown[: len(word)].ljust(len(word))


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(hide("".join(traceback.format_exception(kind, error, trace))))
