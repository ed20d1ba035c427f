"""Ctrl-C and SIGTERM, counted: the first asks for an orderly end, the second for one at once."""

import signal
from types import TracebackType


class Interrupts:
    """A context manager whose `count` says how often the process was asked to end.

    A handler, as KeyboardInterrupt could fall between reading a message and acting on it.
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Interrupts":
        self._before = {number: signal.signal(number, self._heard) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, *_: object) -> None:
        self.count += 1
