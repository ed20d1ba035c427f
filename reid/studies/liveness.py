"""Who is alive: every process that works on a study writes down which process it is, and counts up in the storage.

Optuna's heartbeats beat inside `optimize()` only, and the trials here are asked for and told one by one.
"""

import os
import socket
import time
import uuid
from collections.abc import Callable

import optuna

from reid.store.claim import machine, process_began

BEAT_SECONDS = 10.0
LEASE_SECONDS = 60.0  # after so long without a beat, by the observer's own clock, a process elsewhere counts as dead
WATCH_SECONDS = 30.0  # an observer that did not look for so long begins anew: the storage may have been away


class WorkerHeartbeat:
    """This process as the others see it, and the others as this one sees them.

    Whether a process of this machine is alive is known at once. Of one elsewhere only the beats are seen, and no clock
    but the observer's is trusted: it is dead when its count stood still for LEASE_SECONDS while it was watched.
    """

    def __init__(self, study: optuna.Study, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex[:6]}"
        self._study, self._clock = study, clock
        self._beats, self._beaten = 0, float("-inf")
        self._seen: dict[str, tuple[int, float, float]] = {}  # beats, since when, and when they were last looked at

    def beat(self) -> None:
        """Count up, if it is time; the first beat says who this is."""
        if self._clock() - self._beaten >= BEAT_SECONDS:
            now, pid = self._clock(), os.getpid()
            record = {"machine": machine(), "pid": pid, "began": process_began(pid), "beats": self._beats + 1}
            self._study.set_user_attr(f"worker {self.name}", record)
            self._beaten, self._beats = now, self._beats + 1

    def is_dead(self, other: str | None) -> bool | None:
        """Whether that process has ended; None where it has not been watched for long enough to know.

        No name at all, of a trial whose taker ended before it wrote its own, is a process that has.
        """
        if other == self.name:
            return False
        found = None if other is None else self._study.user_attrs.get(f"worker {other}")
        if other is None or found is None:
            return True
        if found["machine"] == machine():
            return bool(process_began(found["pid"]) != found["began"])
        now = self._clock()
        before, since, looked = self._seen.get(other, (None, now, now))
        stands_still = found["beats"] == before
        if not stands_still or now - looked > WATCH_SECONDS:
            since = now
        self._seen[other] = found["beats"], since, now
        if before is not None and not stands_still:
            return False
        return True if now - since >= LEASE_SECONDS else None
