"""The claim on a run: a numbered file in its folder, taken by one process, kept alive by beats, seen by all.

`claim.<n>.json` names its holder and the highest number is the current claim. It is taken by linking a whole file to
the next number, which one process alone can do, on NFS too; released by emptying it, which no full disk can prevent.
The number never falls, so a slow process cannot take what it saw long ago. docs/decisions/0002 says why.
"""

import os
import re
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from reid.store.run_folder import RunFolder
from reid.store.run_records import ClaimRecord

BEAT_SECONDS = 5.0  # a holder touches its claim this often
DEAD_SECONDS = 120.0  # a claim of another machine that was not touched for so long is dead; NFS may hide a minute
NAME = re.compile(r"claim\.(\d+)\.json")


NOBODY = ClaimRecord()


@dataclass(frozen=True)
class Holder:
    """Who a claim says trains the run: the claim's number, its last beat, and what it says of its process."""

    generation: int
    beat: int
    claim: ClaimRecord = NOBODY
    released: bool = False

    def is_over(self) -> bool:
        """Whether the claim is released, or its process on this machine is gone."""
        return self.released or (self.is_here() and process_began(self.claim.pid) != self.claim.began)

    def is_here(self) -> bool:
        return self.claim.machine == machine()

    def __str__(self) -> str:
        return f"{self.claim.host}, process {self.claim.pid}" if self.claim.pid else "an unreadable claim"


@cache
def machine() -> str:
    """Names where a pid means the same process: one boot of one machine, one pid namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def process_began(pid: int) -> float | None:
    """When a process began, None if there is none; on Linux in ticks since boot, which no change of the clock moves."""
    if not Path("/proc/self/stat").exists():
        words = ["ps", "-o", "lstart=", "-p", str(pid)]
        shown = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
        return time.mktime(time.strptime(shown.stdout.strip())) if shown.stdout.strip() else None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else float(fields[19])


def generations(folder: RunFolder) -> list[int]:
    """Numbers of the claims in a folder, lowest first; none where the run was forgotten."""
    if not folder.path.exists():
        return []
    return sorted(int(match[1]) for path in folder.path.iterdir() if (match := NAME.fullmatch(path.name)))


def claim_file(folder: RunFolder, generation: int) -> Path:
    return folder.path / f"claim.{generation}.json"


def read_holder(folder: RunFolder) -> Holder | None:
    """The current claim, over or not; None where the run was never claimed."""
    while found := generations(folder):
        try:
            with claim_file(folder, found[-1]).open(encoding="utf-8", errors="replace") as file:
                text, beat = file.read(), os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:  # a newer one has just taken its place
            continue
        if not text:
            return Holder(found[-1], beat, released=True)
        try:
            return Holder(found[-1], beat, ClaimRecord.model_validate_json(text))
        except ValidationError:  # left by a crash of its machine: dead once it was watched long enough
            return Holder(found[-1], beat)
    return None


class ClaimLostError(Exception):
    """Another machine has taken the run over; what this one still knows of it must not be written."""


@dataclass(frozen=True)
class Claim:
    """A claim that this process holds."""

    folder: RunFolder
    generation: int

    def require(self) -> None:
        """Raise ClaimLostError where this is not the current claim any more: no beat of it was seen for too long."""
        if generations(self.folder)[-1:] != [self.generation]:
            raise ClaimLostError(self.folder.signature)

    def keep(self, done: threading.Event) -> None:
        """Touch the claim until `done`. A beat needs no space on the disk, and revives no claim that was removed."""
        while not done.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(claim_file(self.folder, self.generation))

    def release(self) -> None:
        with suppress(FileNotFoundError):
            os.truncate(claim_file(self.folder, self.generation), 0)


def take(folder: RunFolder, dead: int = 0) -> Claim | None:
    """Take a run whose claim is over, or is of generation `dead`; None where another process has it, or was quicker."""
    before = read_holder(folder)
    if before is not None and not before.is_over() and before.generation != dead:
        return None
    mine = Claim(folder, before.generation + 1 if before else 1)
    file = claim_file(folder, mine.generation)
    temporary = folder.path / f".claim.{uuid.uuid4().hex}.tmp"
    pid = os.getpid()
    record = ClaimRecord(host=socket.gethostname(), machine=machine(), pid=pid, began=process_began(pid))
    try:
        temporary.write_text(record.model_dump_json(), encoding="utf-8")
        os.link(temporary, file)
    except FileExistsError:
        return None
    finally:
        temporary.unlink(missing_ok=True)
    *older, newest = generations(folder)
    if newest != mine.generation:  # what was seen above was old: others have come and gone since
        file.unlink()
        return None
    for generation in older:
        claim_file(folder, generation).unlink(missing_ok=True)
    return mine


@contextmanager
def claim(folder: RunFolder) -> Iterator[Claim | None]:
    """Hold a run for as long as the block lasts; yields None where another process holds it."""
    mine = take(folder)
    if mine is None:
        yield None
        return
    done = threading.Event()
    keeper = threading.Thread(target=mine.keep, args=(done,), name=f"claim {folder.signature}", daemon=True)
    keeper.start()
    try:
        yield mine
    finally:
        done.set()
        keeper.join()
        mine.release()


class ClaimMonitor:
    """Tells who holds a run, and sees claims of other machines die: by its own clock, so that no clock need agree."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.seen: dict[str, tuple[Holder, float]] = {}

    def holder(self, folder: RunFolder) -> Holder | None:
        """Who holds the run; None where nobody does. A claim seen to be dead is taken out of the way."""
        holder = read_holder(folder)
        if holder is None or holder.is_over():
            self.seen.pop(folder.signature, None)
            return None
        if holder.is_here():
            return holder
        before, since = self.seen.get(folder.signature, (None, 0.0))
        if holder != before:
            self.seen[folder.signature] = holder, self.clock()
            return holder
        if self.clock() - since < DEAD_SECONDS:
            return holder
        with suppress(OSError):  # a full disk: it stays for now
            if retired := take(folder, dead=holder.generation):
                retired.release()
            return None
        return holder
