"""The Slurm executor: a job a run, submitted by submitit. The output folder is seen by every node under one path.

Slurm without accounting forgets jobs that ended, and submitit then never hears of one that was killed. So a job tells
its own end by a file, and `squeue` tells of those that cannot.
"""

import os
import pickle
import shlex
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid.errors import InputError, missing_extra
from reid.execution.events import Ended, ExecutorEvent, Lost
from reid.execution.executors.remote import Follower, RunRequest, carry_out, first_line
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState

QUEUED = 16  # jobs in Slurm's queue at a time where --slots does not say it
LOOK_SECONDS = 5.0  # between two looks at the queue
ENDING_SECONDS = 20.0  # that jobs which were cancelled are given to be gone
RESULT_SECONDS = 90.0  # a shared folder may show a file of another machine so much later
OVER = {
    "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE",
    "REVOKED", "GONE",
}  # fmt: skip
OURS = ("array", "error", "output", "nodes", "ntasks")  # options of sbatch that are not the user's to give
PICKLES = "with --executor slurm only you may write there, for who writes there runs code as you"
Options = dict[str, str]


@dataclass
class Job:
    """A run that Slurm has; `over` says since when its job is known to have ended without a result."""

    number: str
    run: RunFolder
    follower: Follower
    files: Any
    over: float | None = None


class SlurmExecutor:
    """An Executor on a Slurm cluster; `words` are options of sbatch as KEY=VALUE, e.g. partition=gpu.

    `slots` limits the jobs in the queue. A run trains on a GPU where the options ask for one or `device` is "cuda".
    Raises InputError where Slurm or submitit is not installed, Slurm refuses the options, or others may write where
    the orders and ends of jobs lie.
    """

    def __init__(
        self, words: tuple[str, ...], device: str, slots: int | None, output: Path, skip_unreadable: bool
    ) -> None:
        options = {"cpus-per-task": "1", **parse_options(words)}
        orders = output.resolve() / "slurm"
        self.submitter = _make_submitter(options, orders)
        require_private(orders)
        asks_gpu = any(key.startswith("gpu") or key == "gres" for key in options)
        self.device = "cuda" if device == "cuda" or (device == "auto" and asks_gpu) else "cpu"
        self.threads = int(options["cpus-per-task"])
        self.slots = slots or QUEUED
        self.cache = output.resolve() / "cache"
        self.skip_unreadable = skip_unreadable
        self.jobs: list[Job] = []
        self.refused: list[Lost] = []
        self.looked = float("-inf")

    def __enter__(self) -> "SlurmExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        for job in self.jobs:
            _run("scancel", "--signal=KILL", "--full", job.number)
            _run("scancel", job.number)  # one that waits hears no signal
        waits_until = time.monotonic() + ENDING_SECONDS
        while time.monotonic() < waits_until and any(state not in OVER for state in self._look().values()):
            time.sleep(0.5)

    def busy(self) -> int:
        return len(self.jobs) + len(self.refused)

    def submit(self, run: Path, until: int | None) -> None:
        run = run.resolve()
        request = RunRequest(run, until, self.cache, self.device, self.skip_unreadable, self.threads, training_code())
        try:
            job = self.submitter.submit(train_in_job, request)
        except Exception as error:  # whatever submitit makes of a controller that does not answer now
            self.refused.append(Lost(run.name, f"sbatch: {_last_line(str(error))}"))
            return
        self.jobs.append(Job(job.job_id, RunFolder(run), Follower(run), job.paths))

    def kill(self, signature: str) -> None:
        for job in self.jobs:
            if job.run.signature == signature:
                _run("scancel", "--signal=KILL", "--full", job.number)

    def events(self, timeout: float) -> Iterator[ExecutorEvent]:
        told = [*self._news()]
        if not told:
            time.sleep(timeout)
            told = [*self._news()]
        yield from told

    def _news(self) -> Iterator[ExecutorEvent]:
        yield from self.refused
        self.refused.clear()
        states = self._look() if time.monotonic() - self.looked >= LOOK_SECONDS else {}
        for job in list(self.jobs):
            if progressed := job.follower.progress():
                yield progressed
            if outcome := self._outcome(job, states.get(job.number, "")):
                self.jobs.remove(job)
                yield outcome

    def _look(self) -> Options:
        """The state of every job that is still ours, by its number; empty where Slurm does not answer."""
        self.looked = time.monotonic()
        listed = _run("squeue", "--me", "--states=all", "--noheader", "--format=%i %T")
        if listed.returncode != 0:
            return {}
        states = dict(line.split(maxsplit=1) for line in listed.stdout.splitlines())
        return {job.number: states.get(job.number, "GONE") for job in self.jobs}

    def _outcome(self, job: Job, state: str) -> ExecutorEvent | None:
        """How a job ended, None while it has not. Raises InputError for what is wrong with a node, so with all runs."""
        if job.files.result_pickle.exists():
            kind, content = pickle.loads(job.files.result_pickle.read_bytes())
            if kind == "success":
                for file in job.files.folder.glob(f"{job.number}_*"):
                    file.unlink(missing_ok=True)
                if isinstance(content, InputError):
                    raise content
                return Ended(job.run.signature, content)
            return Lost(job.run.signature, f"Slurm job {job.number}: {_last_line(content)}")
        if state == "PENDING" and job.run.stop_request.exists():
            _run("scancel", job.number)
        if state in OVER and job.over is None:
            job.over = time.monotonic()
        late = 0.0 if job.over is None else time.monotonic() - job.over
        if state in OVER and (state != "COMPLETED" or late > RESULT_SECONDS):
            how = f"Slurm job {job.number} is {state}; its log is in {job.files.folder}"
            return Lost(job.run.signature, how)
        return None


def train_in_job(request: RunRequest) -> RunState | InputError:
    """What a job runs. The signals of preemption and of the time limit end it after its epoch in flight."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda *_: stopping.set())
    try:
        return carry_out(request, stopping.is_set)
    except InputError as error:  # what is wrong with a node: submitit would hand it back as text
        return error


def parse_options(words: tuple[str, ...]) -> Options:
    """Options of sbatch without their dashes; `gpus_per_node=1` and `gpus-per-node=1` are one."""
    options = {}
    for word in words:
        key, equals, value = word.partition("=")
        key = key.strip().removeprefix("--").replace("_", "-")
        if not (key and equals and value):
            raise InputError(f"--slurm {word}: give an option of sbatch as KEY=VALUE, e.g. partition=gpu")
        if key in OURS:
            raise InputError(f"--slurm {word}: a run is one job on one node with files of its own; leave {key} out")
        if key == "cpus-per-task" and not value.isdigit():
            raise InputError(f"--slurm {word}: cpus-per-task must be a whole number, found {value}")
        options[key] = value
    return options


def require_private(orders: Path) -> None:
    """See that nobody else may write in the folder of orders, made here if need be, nor put another in its place.

    Orders and ends of jobs are pickles: whoever writes one runs code as the user. Raises InputError.
    """
    orders.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    orders.mkdir(mode=0o700, exist_ok=True)
    if orders.stat().st_uid != os.getuid():
        raise InputError(f"{orders}: {PICKLES}; found that it is another user's: give another --output")
    for folder in (orders, *orders.parents):
        mode = folder.stat().st_mode
        others = stat.S_IWOTH | (stat.S_IWGRP if folder in (orders, orders.parent) else 0)
        if mode & others and (folder == orders or not mode & stat.S_ISVTX):
            found = f"found mode {stat.S_IMODE(mode):o}: chmod go-w it, or give another --output"
            raise InputError(f"{folder}: {PICKLES}; {found}")


def _make_submitter(options: Options, folder: Path) -> Any:
    """submitit's executor, once sbatch has said that it takes the options."""
    if shutil.which("sbatch") is None:
        raise InputError("--executor slurm: no sbatch here; launch on a machine that can submit Slurm jobs")
    try:
        import submitit
    except ImportError as error:
        raise InputError(missing_extra("--executor slurm: submitit is not installed", "slurm")) from error
    flags = [f"--{key}={value}" for key, value in options.items()]
    answer = _run("sbatch", "--test-only", *flags, "--wrap", "true")
    if answer.returncode != 0:
        raise InputError(f"--slurm: sbatch does not take {shlex.join(flags)}: {first_line(answer.stderr)}")
    submitter = submitit.SlurmExecutor(folder)
    submitter.update_parameters(
        job_name="reid",
        time=None,  # the partition's own limit, where the options set none
        srun_args=[f"--cpus-per-task={options['cpus-per-task']}"],  # srun does not take it over from sbatch
        additional_parameters=options,
    )
    return submitter


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace", check=False)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
