"""One run, from its folder back into its folder."""

import os
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from reid.evaluation.evaluator import Evaluator
from reid.execution.dataset_pool import DatasetPool
from reid.execution.failures import Failure, is_out_of_gpu_memory, is_transient
from reid.execution.gpu_memory import Shortage, explain_batch
from reid.execution.memory import forget_peak_memory, peak_memory
from reid.execution.progress import Report, RunProgress
from reid.execution.recorder import RunRecorder, load_checkpoint, load_weights, save_result, save_tensors, write_log
from reid.files import atomic
from reid.recipe import Recipe, digest
from reid.registry import activate
from reid.store.claim import Claim, ClaimLostError, ClaimMonitor, claim
from reid.store.environment import current_environment
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder
from reid.store.run_records import Cost, EvaluationRecord, RunRecord, RunState
from reid.store.run_store import set_state
from reid.store.shared_training import inherited, shared_cost, source_of
from reid.training import Checkpoint, Diverged, Evaluated, Event, train

Outcome = tuple[RunState, str | None]  # a state, and why


@dataclass(frozen=True)
class StopRule:
    """When a run is left before its end: whoever trains it is asked to, or it has come to the epoch `until`."""

    folder: RunFolder
    recipe: Recipe
    asked: Callable[[], bool]
    until: int | None

    def reason(self, event: Event) -> str | None:
        """Why the run stops after `event`, None where it goes on."""
        if isinstance(event, Evaluated) and event.epoch == self.until and event.epoch < self.recipe.schedule.epochs:
            return f"paused after epoch {self.until}"
        if not isinstance(event, Checkpoint) or event.epoch == self.recipe.schedule.epochs:
            return None
        if self.asked() or self.folder.stop_request.exists():
            self.folder.stop_request.unlink(missing_ok=True)
            return f"asked to stop after epoch {event.epoch}"
        return self.pause(event.epoch)

    def pause(self, epoch: int) -> str | None:
        """Why a run with a checkpoint of `epoch` goes no further: it is at `until`, and no evaluation is due there."""
        due = self.until is not None and self.until % self.recipe.evaluation.every == 0
        there = self.until is not None and (epoch > self.until or (epoch == self.until and not due))
        return f"paused after epoch {epoch}" if there else None


class Worker:
    """Trains one run after another on one device; data sets stay open between them. `slot` is its place's name."""

    def __init__(self, cache: Path, device: torch.device, skip_unreadable: bool, slot: str | None = None) -> None:
        self.device = device
        self.slot = slot or socket.gethostname()
        self.pool = DatasetPool(cache, skip_unreadable)
        self.evaluator = Evaluator(device)
        self.monitor = ClaimMonitor()

    def execute(self, path: Path, report: Report, stopping: Callable[[], bool], until: int | None = None) -> RunState:
        """Train the run in folder `path` to its end, from its last checkpoint if it has one; returns its state.

        RUNNING says that another process has it, UNREADABLE that its records are damaged. What raises is written to
        the folder: state failed, traceback in state.json and log.txt. After every checkpoint `stopping` and the
        folder's stop request are asked, and `until`, an epoch, is looked at, after the evaluation that is due there;
        any of them leaves the run as stopped. Raises OSError where it cannot write the folder.
        """
        folder = RunFolder(path)
        if self.monitor.holder(folder):
            return RunState.RUNNING
        with claim(folder) as mine:
            if mine is None:
                return RunState.RUNNING
            if (state := folder.read_state().state).has_result or state == RunState.UNREADABLE:
                return state
            folder.remove_leftovers()
            try:
                return self._attempt(folder, mine, report, stopping, until)
            except ClaimLostError:
                return RunState.RUNNING

    def _attempt(
        self, folder: RunFolder, mine: Claim, report: Report, stopping: Callable[[], bool], until: int | None
    ) -> RunState:
        before, clock = folder.read_state(), time.monotonic()
        set_state(
            folder, durable=False, state=RunState.RUNNING, attempts=before.attempts + 1, started=time.time(),
            host=socket.gethostname(), pid=os.getpid(), slot=self.slot,
            reason=None, error=None, transient=False, quarantined=False, early_stopped=False,
        )  # fmt: skip
        write_log(folder, f"attempt {before.attempts + 1} on {self.device}")
        failure: Failure | None = None
        too_large = transient = False
        try:
            activate(folder.require_run().plugins)
            state, reason = self._train(folder, mine, report, stopping, until)
            transient = state == RunState.STOPPED and stopping()
        except ClaimLostError:
            raise
        except Exception as error:
            transient = is_transient(error)
            if is_out_of_gpu_memory(error):
                transient = Shortage.of(error, self.device).is_a_neighbours()
                too_large = not transient
            failure = Failure.of(error, before, transient)
            state, reason = RunState.FAILED, failure.reason
            mine.require()
            write_log(folder, traceback.format_exc())
        if too_large:  # only here, where the traceback does not keep the tensors of the run any more
            reason = self._which_batch_fits(folder)
        seconds = (before.seconds or 0.0) + time.monotonic() - clock
        if failure is None:
            set_state(folder, state=state, reason=reason, transient=transient, seconds=seconds)
        else:
            set_state(
                folder, state=state, reason=reason, transient=transient, seconds=seconds,
                error=failure.error, trace=failure.trace, quarantined=too_large or failure.quarantined,
            )  # fmt: skip
        folder.progress.unlink(missing_ok=True)
        write_log(folder, f"{state}: {reason}" if reason else state)
        if state.has_result:
            folder.checkpoint.unlink(missing_ok=True)
            folder.previous_checkpoint.unlink(missing_ok=True)
        return state

    def _which_batch_fits(self, folder: RunFolder) -> str:
        asked = folder.require_run()
        recipe = asked.recipe.load()
        data = self.pool.open(asked.dataset, recipe.image.size).training
        return explain_batch(recipe, data.dataset.num_classes, data.pixels["train"].nbytes, self.device)

    def _train(
        self, folder: RunFolder, mine: Claim, report: Report, stopping: Callable[[], bool], until: int | None
    ) -> Outcome:
        """Train from the last checkpoint on until the end, or until something stops the run."""
        asked = folder.require_run()
        recipe = asked.recipe.load()
        progress = RunProgress(folder, recipe, self.slot, report)
        if (source := source_of(folder)) != folder:
            return self._share(folder, source, asked, progress)
        data = self.pool.open(asked.dataset, recipe.image.size)
        self._sign(folder, asked, training_code())
        saved, stop = load_checkpoint(folder), StopRule(folder, recipe, stopping, until)
        if saved and (reason := stop.pause(saved.training.epoch)):
            return RunState.STOPPED, reason
        forget_peak_memory(self.device)
        recorder = RunRecorder(folder, recipe.schedule.epochs, mine, progress, saved)
        for event in train(recipe, data.training, asked.seed, self.device, saved.training if saved else None):
            recorder.take(event)
            if isinstance(event, Diverged):
                return RunState.DIVERGED, event.reason
            if reason := stop.reason(event):
                return RunState.STOPPED, reason
        return self._finish(recorder, asked, recipe)

    def _finish(self, recorder: RunRecorder, asked: RunRecord, recipe: Recipe) -> Outcome:
        """Say what the trained network is worth."""
        folder, weights = recorder.folder, recorder.weights
        assert weights is not None, "a training has at least one epoch"
        data = self.pool.open(asked.dataset, recipe.image.size)
        try:
            found = self.evaluator.evaluate(folder.signature, lambda: weights, data, recipe)
        except FloatingPointError as error:
            return RunState.DIVERGED, str(error)
        recorder.claim.require()
        recorder.charge_evaluation()
        curves, seconds = recorder.curves, recorder.seconds
        cost = Cost(
            train_seconds=seconds.train,
            evaluation_seconds=seconds.evaluation,
            images_per_second=len(curves) * recipe.batch.identities * recipe.batch.images / seconds.train,
            peak_memory_bytes=peak_memory(self.device),
        )
        result = save_result(folder, found, data, curves, cost)
        with atomic(folder.model) as temporary:
            save_tensors(weights, temporary)
        return RunState.FINISHED, result.warning

    def _share(self, folder: RunFolder, source: RunFolder, asked: RunRecord, progress: RunProgress) -> Outcome:
        """Evaluate the weights of `source`, whose training this run shares; curves and cost are taken over from it."""
        curves = source.curves()
        if curves is not None:
            folder.write_curves(curves)
        if outcome := inherited(source):
            if source.read_state().early_stopped:
                set_state(folder, early_stopped=True)
            return outcome
        assert curves is not None, "a finished run has curves"
        codes = sorted({source.require_run().code, training_code()})
        self._sign(folder, asked, codes[0] if len(codes) == 1 else digest(codes))  # trained and evaluated by two codes
        clock, recipe = time.perf_counter(), asked.recipe.load()
        data = self.pool.open(asked.dataset, recipe.image.size)
        found = self.evaluator.evaluate(source.signature, lambda: load_weights(source), data, recipe)
        epochs, scores = recipe.schedule.epochs, found.primary.scores()
        folder.write_evaluations([EvaluationRecord(epoch=epochs, **scores.model_dump())])
        result = save_result(folder, found, data, curves, shared_cost(source, time.perf_counter() - clock))
        set_state(folder, epoch=epochs, epochs=epochs)
        progress.evaluated(epochs, scores)
        write_log(folder, f"evaluated with the weights of run {source.signature}: mAP {scores.mAP:.4g}")
        return RunState.FINISHED, result.warning

    def _sign(self, folder: RunFolder, asked: RunRecord, code: str) -> None:
        """Say in the folder by which code and on which machine the run is trained."""
        environment = current_environment(self.device)
        folder.write_run(asked.model_copy(update={"code": code, "environment": environment}))
