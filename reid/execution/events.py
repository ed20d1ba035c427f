"""What happens to a run, as those who train it tell those who asked for it."""

from dataclasses import dataclass

from reid.store.run_records import ProgressRecord, RunState


@dataclass(frozen=True)
class Started:
    """A worker has begun to train the run."""

    signature: str


@dataclass(frozen=True)
class Progressed:
    """The run has gone on; `evaluated` says whether `progress.scores` are new."""

    signature: str
    progress: ProgressRecord
    evaluated: bool = False


@dataclass(frozen=True)
class Retrying:
    """The run is tried again later, or is waited for while another process trains it."""

    signature: str
    reason: str


@dataclass(frozen=True)
class Ended:
    """The run is over for now, in `state`."""

    signature: str
    state: RunState


@dataclass(frozen=True)
class Lost:
    """The worker of the run is gone, `how` says in which way; the run's folder is as the worker left it."""

    signature: str
    how: str


ExecutorEvent = Progressed | Ended | Lost  # what an executor tells a dispatch
RunEvent = Started | Progressed | Retrying | Ended  # what a dispatch tells a grid or a study
