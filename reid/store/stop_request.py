"""A file `stop` in the folder of a grid asks those who train it, on whatever machine, to stop."""

import time
from pathlib import Path

from reid.files import write_json

LOOK_SECONDS = 0.5


class StopRequest:
    """Sees a request made after this was: each of several that listen obeys it, and who comes later does not."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stop"
        self.before = self._stamp()
        self.looked = time.monotonic()

    def make(self) -> None:
        """Ask everyone who listens now to stop."""
        write_json(self.file, {"asked": time.time()})

    def is_new(self) -> bool:
        """Whether one was made since; looks at the folder twice a second at most."""
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return False
        self.looked = time.monotonic()
        return self._stamp() not in (None, self.before)

    def _stamp(self) -> tuple[int, int] | None:
        """Tells one request from the next by the file itself, as clocks of machines differ."""
        try:
            found = self.file.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns
