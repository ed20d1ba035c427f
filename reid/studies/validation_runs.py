"""What a trial is worth: runs of its recipe on validation identities. The test set is out of reach here, by type."""

from dataclasses import dataclass

from reid.data import DatasetSource, DecodedDataset, TuningDataset
from reid.recipe import Recipe
from reid.store.dataset_record import dataset_record
from reid.store.measured import metric_values
from reid.store.run_folder import RunFolder
from reid.store.run_records import RecipeRecord, ResultRecord
from reid.store.run_store import RunStore, asked_now
from reid.store.shared_training import run_signature, training_of


@dataclass(frozen=True)
class ValidationRun:
    """A run that is scored on validation identities. Only SearchRuns makes them, and only these are scored."""

    folder: RunFolder
    seed: int

    @property
    def signature(self) -> str:
        return self.folder.signature


class SearchRuns:
    """The runs of a search. They are given no data set but one without its test set."""

    def __init__(self, run_store: RunStore, source: DatasetSource, data: DecodedDataset[TuningDataset]) -> None:
        self.run_store, self.data = run_store, data
        self.record = dataset_record(source, data)
        assert self.record.split is not None, "a tuning data set comes from a split"

    def enter(self, recipe: Recipe, seed: int, training: ValidationRun | None = None) -> ValidationRun:
        """The run of a recipe with a seed, new if there is none; with `training`, evaluated from that run's weights."""
        signature = run_signature(recipe, seed, self.data.fingerprint)
        shares = None if training is None or training.signature == signature else training.signature
        asked = asked_now(signature, RecipeRecord.of(recipe), seed, self.record, shares)
        return ValidationRun(self.run_store.enter(asked), seed)

    def training(self, recipe: Recipe, seed: int) -> ValidationRun:
        """The run that trains for all recipes which differ from this one in evaluation only."""
        return self.enter(training_of(recipe), seed)


def score(run: ValidationRun, metric: str) -> float | None:
    """What a finished run of the search is worth: a metric of its result, None where it has no value."""
    return metric_of(run.folder.require_result(), metric)


def metric_of(result: ResultRecord, metric: str) -> float | None:
    """A metric of a result by its name in METRICS, None where the run has no such number."""
    return metric_values(result, space="").get("train_seconds" if metric == "seconds" else metric)


def evaluations(run: ValidationRun, metric: str) -> list[tuple[int, float]]:
    """(epoch, value) of every evaluation of a run so far."""
    return [(evaluation.epoch, float(getattr(evaluation, metric))) for evaluation in run.folder.read_evaluations()]
