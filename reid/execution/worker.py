"""One run, from its folder back into its folder."""

import os
import socket
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from reid.data.run_data import Shelf
from reid.evaluation import chance_mAP
from reid.evaluation.evaluator import Measurer
from reid.evaluation.ranking import headline
from reid.execution.failures import describe_failure, is_out_of_gpu_memory, is_transient
from reid.execution.gpu_memory import Shortage, explain_batch
from reid.execution.memory import forget_peak_memory, peak_memory
from reid.execution.progress import Progress
from reid.execution.recorder import Executed, load_checkpoint, load_weights, save_result, save_tensors, write_log
from reid.files import atomic
from reid.models import Loaded
from reid.recipe import Recipe, digest
from reid.store.claim import Claim, ClaimLostError, Watch, claim
from reid.store.environment import environment
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder
from reid.store.run_records import ENDED
from reid.store.run_store import set_state
from reid.store.shared_training import inherited, shared_cost, source_of
from reid.training import Checkpoint, Diverged, Evaluated, Steps, learnt_nothing, train

Report = Callable[[dict[str, Any]], None]


class Worker:
    """Trains one run after another on one device; data sets stay open between them. `slot` is its place's name."""

    def __init__(self, cache: Path, device: torch.device, skip_unreadable: bool, slot: str | None = None) -> None:
        self.device = device
        self.slot = slot or socket.gethostname()
        self.shelf = Shelf(cache, skip_unreadable)
        self.measurer = Measurer(device)
        self.watch = Watch()

    def execute(self, path: Path, report: Report, stopping: Callable[[], bool], until: int | None = None) -> str:
        """Train the run in folder `path` to its end, from its last checkpoint if it has one; returns its state.

        "running" says that another process has it. What raises is written to the folder: state failed, traceback in
        state.json and log.txt. After every checkpoint `stopping` and the folder's stop request are asked, and `until`,
        an epoch, is looked at, after the evaluation that is due there; any of them leaves the run as stopped. Raises
        OSError where it cannot write the folder.
        """
        folder = RunFolder(path)
        if self.watch.holder(folder):
            return "running"
        with claim(folder) as mine:
            if mine is None:
                return "running"
            if folder.state() in ENDED:
                return folder.state()
            try:
                return self._attempt(folder, mine, report, stopping, until)
            except ClaimLostError:
                return "running"

    def _attempt(
        self, folder: RunFolder, mine: Claim, report: Report, stopping: Callable[[], bool], until: int | None
    ) -> str:
        before, clock = folder.read("state") or {}, time.monotonic()
        attempts = before.get("attempts", 0) + 1
        fresh: dict[str, Any] = {"reason": None, "error": None, "transient": False, "held": False, "censored": False}
        set_state(
            folder, durable=False, **fresh, state="running", attempts=attempts, started=time.time(),
            host=socket.gethostname(), pid=os.getpid(), slot=self.slot,
        )  # fmt: skip
        write_log(folder, f"attempt {attempts} on {self.device}")
        too_large = False
        try:
            state, reason = self._train(folder, mine, report, stopping, until)
            outcome: dict[str, Any] = {"state": state, "reason": reason}
            outcome["transient"] = state == "stopped" and stopping()
        except ClaimLostError:
            raise
        except Exception as error:
            transient = is_transient(error)
            if is_out_of_gpu_memory(error):
                transient = Shortage.of(error, self.device).is_a_neighbours()
                too_large = not transient
            outcome = describe_failure(error, before, transient)
            mine.require()
            write_log(folder, traceback.format_exc())
        if too_large:  # only here, where the traceback does not keep the tensors of the run any more
            outcome |= {"reason": self._which_batch_fits(folder), "held": True}
        set_state(folder, **outcome, seconds=before.get("seconds", 0.0) + time.monotonic() - clock)
        folder.progress.unlink(missing_ok=True)
        write_log(folder, f"{outcome['state']}: {outcome['reason']}" if outcome["reason"] else str(outcome["state"]))
        if outcome["state"] in ENDED:
            folder.checkpoint.unlink(missing_ok=True)
            folder.previous_checkpoint.unlink(missing_ok=True)
        return str(outcome["state"])

    def _which_batch_fits(self, folder: RunFolder) -> str:
        described = folder.read("run")
        recipe = Recipe.model_validate(described["recipe"])
        data = self.shelf.open(described["dataset"], recipe.image.size).training
        return explain_batch(recipe, data.dataset.num_classes, data.pixels["train"].nbytes, self.device)

    def _train(
        self, folder: RunFolder, mine: Claim, report: Report, stopping: Callable[[], bool], until: int | None
    ) -> tuple[str, str | None]:
        described = folder.read("run")
        recipe = Recipe.model_validate(described["recipe"])
        report = Progress(folder, recipe, self.slot, report)
        if (source := source_of(folder)) != folder:
            return self._share(folder, source, recipe, report)
        data = self.shelf.open(described["dataset"], recipe.image.size)
        folder.write("run", {**described, "code": training_code(), "environment": environment(self.device)})
        resume = load_checkpoint(folder)
        if resume and _is_there(resume["training"]["epoch"], until, recipe):
            return "stopped", f"paused after epoch {resume['training']['epoch']}"
        executed = Executed(folder, resume)
        state = resume["training"] if resume else None
        final = state["model"] if state else None
        forget_peak_memory(self.device)
        clock = time.perf_counter()
        for event in train(recipe, data.training, described["seed"], self.device, state):
            kind = "evaluation" if isinstance(event, Evaluated) else "train"
            executed.seconds[kind] += time.perf_counter() - clock
            if not isinstance(event, Steps):
                mine.require()
            match event:
                case Loaded():
                    write_log(folder, f"pretrained weights: {event}")
                case Steps(rows):
                    executed.curves.append(rows)
                    last = rows.iloc[-1]
                    report(
                        {
                            "epoch": int(last["epoch"]),
                            "iteration": int(last["iteration"]),
                            "loss": float(last["total_loss"]),
                        }
                    )
                case Evaluated():
                    executed.save_evaluation(event)
                    report(executed.evaluations[-1])
                    write_log(
                        folder, " ".join(f"{name} {value:.4g}" for name, value in executed.evaluations[-1].items())
                    )
                    if event.epoch == until and event.epoch < recipe.schedule.epochs:
                        return "stopped", f"paused after epoch {until}"
                case Checkpoint(epoch):
                    executed.save_checkpoint(event)
                    set_state(folder, durable=False, epoch=epoch, epochs=recipe.schedule.epochs)
                    if epoch < recipe.schedule.epochs:
                        if stopping() or folder.stop_request.exists():
                            folder.stop_request.unlink(missing_ok=True)
                            return "stopped", f"asked to stop after epoch {epoch}"
                        if _is_there(epoch, until, recipe):
                            return "stopped", f"paused after epoch {epoch}"
                    final = event.state["model"]
                case Diverged(_, reason):
                    executed.save_curves()
                    return "diverged", reason
            clock = time.perf_counter()
        assert final is not None, "a training has at least one epoch"
        try:
            measured = self.measurer.measure(folder.signature, lambda: final, data, recipe)
        except FloatingPointError as error:
            return "diverged", str(error)
        mine.require()
        executed.seconds["evaluation"] += time.perf_counter() - clock
        curves = executed.curves[0]
        images = len(curves) * recipe.batch.identities * recipe.batch.images
        cost = {
            "train_seconds": executed.seconds["train"],
            "evaluation_seconds": executed.seconds["evaluation"],
            "images_per_second": images / executed.seconds["train"],
            "peak_memory_bytes": peak_memory(self.device),
        }
        save_result(folder, measured, data, curves, cost)
        with atomic(folder.model) as temporary:
            save_tensors(final, temporary)
        dataset = data.training.dataset
        failure = learnt_nothing(curves, dataset.num_classes, measured.headline.mAP, chance_mAP(dataset))
        return ("diverged", failure) if failure else ("finished", None)

    def _share(self, folder: RunFolder, source: RunFolder, recipe: Recipe, report: Report) -> tuple[str, str | None]:
        """Evaluate the weights of `source`, whose training this run shares; curves and cost are taken over from it."""
        curves = source.curves()
        if curves is not None:
            folder.write_curves(curves)
        if outcome := inherited(source):
            if (source.read("state") or {}).get("censored"):
                set_state(folder, censored=True)
            return outcome
        assert curves is not None, "a finished run has curves"
        described = folder.read("run")
        codes = sorted({source.read("run")["code"], training_code()})
        code = codes[0] if len(codes) == 1 else digest(codes)  # trained by one code and evaluated by another: neither
        folder.write("run", {**described, "code": code, "environment": environment(self.device)})
        clock = time.perf_counter()
        data = self.shelf.open(described["dataset"], recipe.image.size)
        measured = self.measurer.measure(source.signature, lambda: load_weights(source), data, recipe)
        final = {"epoch": recipe.schedule.epochs, **headline(measured.headline)}
        folder.write("evaluations", [final])
        save_result(folder, measured, data, curves, shared_cost(source, time.perf_counter() - clock))
        set_state(folder, epoch=recipe.schedule.epochs, epochs=recipe.schedule.epochs)
        report(final)
        write_log(folder, f"evaluated with the weights of run {source.signature}: mAP {measured.headline.mAP:.4g}")
        return "finished", None


def _is_there(epoch: int, until: int | None, recipe: Recipe) -> bool:
    """Whether a run with a checkpoint of `epoch` pauses there: at `until`, once the evaluation due there is made."""
    return until is not None and (epoch > until or (epoch == until and until % recipe.evaluation.every != 0))
