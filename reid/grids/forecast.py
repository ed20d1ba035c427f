"""What a grid will cost and what it will be able to see, before anything is spent."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import torch

from reid.analysis.runs_table import read_runs
from reid.data import DecodedDataset
from reid.data.run_data import assemble
from reid.evaluation import evaluate
from reid.grids.designs.batches import FIRST_LOOK, batch_words, batches_due
from reid.grids.designs.fractions import HALVINGS, aliases, defining_words
from reid.grids.grid import Grid
from reid.grids.planning import fingerprints, shares_of
from reid.models import build_model
from reid.recipe import Recipe
from reid.statistics.linear_model import analyse
from reid.statistics.power import detectable_effect
from reid.store.looks import read_looks
from reid.store.plan import read_plan
from reid.store.run_records import RunState
from reid.store.run_store import RunStore
from reid.training import Checkpoint, train

FACTORIAL = ("full", "half", "quarter", "blocks", "until")  # designs whose effects average over the other factors
CURVE_BYTES = 60  # a row of curves.parquet on disk
KEPT_CHECKPOINTS = 2 * 3  # two checkpoints of weights and Adam's two moments


@dataclass(frozen=True)
class Forecast:
    """Runs to train, time, disk, and the smallest main effect the design can see.

    `seconds_a_run` comes from `source`. The `shared` of the runs still to do share another's training and cost
    `seconds_a_ranking` only. `detectable` is the effect that the verdict calls in 80 %, in standard deviations of a
    single run, NaN for one seed; `noise` is that deviation in points of mAP, None where neither runs nor the grid file
    tell it, and its source; `matters` is what was declared to matter, in points. At the epochs `rungs` a budget ends
    arms: at most `share` of all epochs is trained. A grid that grows by a `batch` after each look has the runs planned
    so far, at most `at_most`, and can see what is `detectable` with all of them.
    """

    arms: int
    states: Mapping[RunState, int]
    seconds_a_run: float
    shared: int
    seconds_a_ranking: float
    source: str
    slots: int
    disk_bytes: int
    detectable: float
    aliased: list[str]
    rungs: list[int]
    share: float
    noise: tuple[float | None, str] = (None, "")
    matters: float | None = None
    batch: int = 0
    at_most: int = 0

    @property
    def open_runs(self) -> int:
        over = (RunState.FINISHED, RunState.DIVERGED, RunState.UNREADABLE)
        return sum(count for state, count in self.states.items() if state not in over)

    @property
    def device_hours(self) -> float:
        """Hours of one slot; over the slots, hours on the clock."""
        trained = self.open_runs - self.shared
        return (trained * self.share * self.seconds_a_run + self.shared * self.seconds_a_ranking) / 3600

    @property
    def most_hours(self) -> float:
        """Hours of one slot where a grid that grows needs all its batches."""
        return self.device_hours + (self.at_most - sum(self.states.values())) * self.seconds_a_run / 3600


def forecast(
    grid: Grid, opened: Mapping[str, DecodedDataset], run_store: RunStore, device: torch.device, slots: int
) -> Forecast:
    """Forecast a grid from its design, from runs that exist, or else from one timed epoch of its first arm."""
    base, data = grid.arms[0].recipe, assemble(grid.domains(grid.arms[0]), opened).training
    due = batches_due(read_looks(run_store.output / "grids" / grid.spec.name)) if grid.spec.until else 0
    runs = grid.runs(fingerprints(opened), due)
    shared = shares_of(grid, opened, run_store.folder, due)
    folders = [run_store.folder(signature) for signature, _, _ in runs]
    found = {folder: folder.read_state().state for folder in folders}
    states = Counter(found.values())
    results = [folder.read_result() for folder, state in found.items() if state.has_result]
    costs = [result.cost for result in results if result is not None]
    trained = [cost for cost in costs if cost.shares is None]
    if trained:
        seconds = median(cost.train_seconds + cost.evaluation_seconds for cost in trained)
        source = f"{len(trained)} runs of this grid"
    else:
        seconds, source = timed_training(base, data, device), "one timed epoch of the first arm"
    ranked = [cost.evaluation_seconds for cost in costs if cost.shares is not None]
    ranking = median(ranked) if ranked else timed_ranking(base, data, device) if shared else 0.0
    halving, epochs = grid.spec.budget.get("halving"), grid.arms[0].recipe.schedule.epochs
    return Forecast(
        arms=len(grid.arms),
        states=states,
        seconds_a_run=seconds,
        shared=sum(signature in shared and not run_store.is_settled(signature) for signature, _, _ in runs),
        seconds_a_ranking=ranking,
        source=source,
        slots=slots,
        disk_bytes=_disk(grid, data, len(runs) - len(shared), slots),
        detectable=_detectable(grid),
        noise=_noise(grid, run_store),
        matters=grid.spec.smallest,
        aliased=_aliased(grid),
        rungs=halving.rungs(epochs) if halving else [],
        share=halving.share(len(grid.arms), epochs) if halving else 1.0,
        batch=grid.batches.size if grid.batches else 0,
        at_most=_most_batches(grid) * grid.batches.size if grid.batches and grid.spec.until else 0,
    )


def _detectable(grid: Grid) -> float:
    """One arm is behind a mean where the design changes one factor at a time."""
    arms = grid.batches.size if grid.batches else len(grid.arms)
    seeds = _most_batches(grid) if grid.batches else len(grid.spec.seeds)
    levels = max(len(factor.levels) for factor in grid.factors)
    a_level = arms // levels if grid.spec.design_name in FACTORIAL else 1
    terms = sum(len(factor.levels) - 1 for factor in grid.factors)
    looks = range(FIRST_LOOK, seeds + 1) if grid.spec.until and grid.spec.until.half_width is None else ()
    return detectable_effect(a_level * seeds, seeds, terms, tuple(count / seeds for count in looks))


def _noise(grid: Grid, run_store: RunStore) -> tuple[float | None, str]:
    """Standard deviation of a single run in points of mAP and where it is from: the grid's own runs, or its file."""
    folder = run_store.output / "grids" / grid.spec.name
    if (folder / "plan.json").exists():
        planned = read_plan(folder)
        noise = analyse(read_runs(planned), [factor.name for factor in planned.plan.factors], "mAP").noise
        if noise.df and noise.sd > 0:
            return 100 * float(noise.sd), "runs of this grid"
    return grid.spec.sd, "`sd` in the grid file"


def _most_batches(grid: Grid) -> int:
    if grid.batches is None:
        return 0
    return grid.spec.until.at_most // grid.batches.size if grid.spec.until else grid.batches.whole


def timed_training(recipe: Recipe, data: DecodedDataset, device: torch.device) -> float:
    """Seconds of a whole training, from its second epoch and the evaluation before it, if one is due."""
    epochs = recipe.schedule.epochs
    at_least_two = recipe.set({"schedule.epochs": max(epochs, 2)})
    checkpoints = (event for event in train(at_least_two, data, 0, device) if isinstance(event, Checkpoint))
    next(checkpoints)  # model built, kernels chosen
    started = time.perf_counter()
    next(checkpoints)
    return (time.perf_counter() - started) * epochs


def timed_ranking(recipe: Recipe, data: DecodedDataset, device: torch.device) -> float:
    """Seconds of one evaluation of a network that has learnt nothing."""
    model = build_model(recipe, data.dataset.num_classes).to(device)
    started = time.perf_counter()
    evaluate(model, data, recipe, device)
    return time.perf_counter() - started


def _disk(grid: Grid, data: DecodedDataset, runs: int, slots: int) -> int:
    """Bytes of final weights and curves of every training, and the checkpoints of those in flight."""
    recipe = grid.arms[0].recipe
    model = build_model(recipe, data.dataset.num_classes)
    weights: int = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    steps = recipe.schedule.epochs * len(data.dataset.train) // (recipe.batch.identities * recipe.batch.images)
    return runs * (weights + steps * CURVE_BYTES) + slots * KEPT_CHECKPOINTS * weights


def _aliased(grid: Grid) -> list[str]:
    """Main effects and pairs that a fraction cannot tell apart, a line each; at the first look of several."""
    design = grid.spec.design_name
    if design not in FACTORIAL:
        return ["every interaction with the steps it is part of: one factor changes at a time"]
    shorts = [factor.short for factor in grid.factors if len(factor.levels) == 2]
    words = batch_words(len(shorts))[:-1] if design == "until" else []  # two batches are twice a batch
    if design in HALVINGS:
        words = defining_words(len(shorts), HALVINGS[design])
    if not words:
        return []

    def name(effect: int) -> str:
        return " x ".join(short for bit, short in enumerate(shorts) if effect >> bit & 1)

    confounded = aliases(words, len(shorts))
    return [f"{name(effect)} = {' = '.join(map(name, others))}" for effect, others in confounded.items() if others]
