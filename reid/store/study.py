"""What the files of a study folder hold, each read in this one place. docs/run-folder.md is made from these classes."""

from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from reid.files import DamagedFileError, read_record, read_records, require_record
from reid.registry import Plugin
from reid.store.run_records import DatasetRecord, FileRecord, RecipeRecord, Record, Shown, SplitRecord

Direction = Literal["maximize", "minimize"]
KnobValue = bool | int | float | str | None
KnobValues = dict[str, KnobValue]  # by the name of the knob


class TrialState(StrEnum):
    """What became of a trial."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"

    @property
    def is_over(self) -> bool:
        return self in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)


class KnobRange(Record):
    """Values of a recipe field: numbers from `low` to `high`, both included, or a few choices."""

    path: Annotated[str, Field(description="the recipe field")]
    kind: Literal["float", "int", "choice"]
    low: Annotated[int | float, Field(description="without meaning where there are choices")] = 0.0
    high: int | float = 0.0
    log: bool = False
    other: Annotated[int | float | str | None, Field(alias="or", description="besides the range: 0 for off")] = None
    choices: tuple[KnobValue, ...] = ()

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.choices))}]" if self.choices else f"{self.low:g} to {self.high:g}"


class KnobRecord(KnobRange):
    """A recipe field that a study turns, and over which values."""

    name: str
    title: str
    default: Annotated[KnobValue, Field(description="the paper's value")] = None


class ObjectiveRecord(Record):
    """What a study looks for: a metric, and whether more or less of it is better."""

    metric: str
    direction: Direction

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.direction == "maximize" else -1


class SamplerRecord(Record):
    """Who proposes values, and its seed."""

    name: str
    seed: int = 0


class TrialRun(Record):
    """A run of a trial, or of the comparison."""

    seed: int
    signature: str


class IntermediateValue(Record):
    """The first objective on the way: after an epoch of the first seed, or after so many seeds."""

    step: int
    value: float


class TrialRecord(Record):
    """An entry of trials.json. `values` are the means over seeds by objective, None unless complete."""

    number: int
    state: TrialState
    values: tuple[float, ...] | None = None
    params: KnobValues = Field({})
    runs: tuple[TrialRun, ...] = ()
    intermediate: tuple[IntermediateValue, ...] = ()
    reason: str | None = None
    seconds: Annotated[float | None, Field(description="of training, over all runs and attempts")] = None
    started: Annotated[str | None, Field(description="ISO 8601 with a zone")] = None
    ended: str | None = None


class StudyRecord(FileRecord):
    """study.json: the study as asked. `recipe` has the tricks on, at the paper's values."""

    name: str
    title: str = ""
    question: str = ""
    command: Shown = ""
    created: Annotated[str, Field(description="ISO 8601 with a zone")] = "1970-01-01T00:00:00+00:00"
    yaml: Annotated[Shown, Field(description="the study file as it was")] = ""
    dataset: DatasetRecord
    recipe: RecipeRecord
    tricks: tuple[str, ...] = ()
    knobs: tuple[KnobRecord, ...]
    objectives: Annotated[tuple[ObjectiveRecord, ...], Field(min_length=1, max_length=2)]
    sampler: SamplerRecord
    pruner: str = "none"
    trials: Annotated[int, Field(description="trials in all")]
    seeds: tuple[int, ...]
    fresh_seeds: Annotated[tuple[int, ...], Field(description="of the comparison; no trial is trained with them")] = ()
    split: SplitRecord
    storage: Annotated[Shown, Field(description="without its password")] = ""
    identity: Annotated[str | None, Field(description="drawn once, where the trials are kept")] = None
    plugins: tuple[Plugin, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(objective.metric for objective in self.objectives)

    @property
    def directions(self) -> tuple[Direction, ...]:
        return tuple(objective.direction for objective in self.objectives)

    def ranked(self, trials: Iterable[TrialRecord]) -> list[TrialRecord]:
        """Complete trials, the best by the first objective first, the earlier first of equals."""
        sign = self.objectives[0].sign
        complete = [
            (-sign * trial.values[0], trial.number, trial)
            for trial in trials
            if trial.state == TrialState.COMPLETE and trial.values
        ]
        return [trial for *_, trial in sorted(complete, key=lambda entry: entry[:2])]

    def best(self, trials: Iterable[TrialRecord]) -> TrialRecord | None:
        """The complete trial with the best first objective, the earliest of equals; None where none is complete."""
        return next(iter(self.ranked(trials)), None)


class ComparedRuns(Record):
    """One side of a comparison: a run a fresh seed, and its value, None where the run diverged."""

    runs: tuple[TrialRun, ...] = ()
    values: tuple[float | None, ...] = ()

    @property
    def diverged(self) -> str:
        """How many of its runs diverged, in words."""
        return f"{self.values.count(None)} of {len(self.values)}"


class DefaultsRecord(ComparedRuns):
    """The side of the paper's values."""

    params: KnobValues = Field({})


class WinnerRecord(DefaultsRecord):
    """The side of the best trial."""

    trial: int


class ComparisonRecord(FileRecord):
    """comparison.json: the winner of the search against the paper's values, on the test set, with fresh seeds.

    `rerun` is the winner with the same seeds on validation identities. `optimism` is validation_best minus the mean of
    `rerun`, or its negative where less is better: positive where the search flattered its winner.
    """

    metric: str
    direction: Direction = "maximize"
    created: Annotated[str, Field(description="ISO 8601 with a zone")] = "1970-01-01T00:00:00+00:00"
    seeds: tuple[int, ...]
    winner: WinnerRecord
    defaults: DefaultsRecord
    rerun: ComparedRuns = ComparedRuns()
    difference: Annotated[float | None, Field(description="mean of winner minus defaults over the pairs")] = None
    low: Annotated[float | None, Field(description="end of the 95 % interval of the difference")] = None
    high: float | None = None
    p: float | None = None
    pairs: Annotated[int, Field(description="seeds with which neither diverged")] = 0
    by_ranks: Annotated[bool, Field(description="whether p is of ranks, as runs diverged or nothing varies")] = False
    looks: Annotated[int, Field(description="comparisons of the study so far; p is multiplied by it")] = 1
    validation_best: float
    optimism: float | None = None

    @property
    def divergence(self) -> str:
        """How many runs of either side diverged, in words; empty where none did."""
        if None not in (*self.winner.values, *self.defaults.values):
            return ""
        winner, defaults = self.winner.diverged, self.defaults.diverged
        return f"The winner diverged in {winner} fresh seeds, the paper's defaults in {defaults}"


class KnobImportance(Record):
    """The share of a knob, with its 95 % percentile interval over bootstrap samples of the trials."""

    importance: float
    low: float
    high: float
    p: Annotated[float | None, Field(description="of noise, for all knobs and both methods; null: not tested")] = None

    @property
    def is_told(self) -> bool:
        """Whether it is told from what noise has."""
        return self.p is not None and self.p <= 0.05


class ObjectiveImportance(Record):
    """Shares by knob that sum to 1, by two methods."""

    fanova: dict[str, KnobImportance] = Field({})
    ped_anova: dict[str, KnobImportance] = Field({})


class ImportanceRecord(FileRecord, ObjectiveImportance):
    """importances.json: which knob matters for the first objective, and in `others` for every further one."""

    n_trials: Annotated[int, Field(description="complete trials")]
    refused: Annotated[str | None, Field(description="why there are no shares")] = None
    others: tuple[ObjectiveImportance, ...] = ()

    @property
    def by_objective(self) -> tuple[ObjectiveImportance, ...]:
        return (self, *self.others)


def read_study(folder: Path) -> StudyRecord:
    """The study as asked. Raises InputError where there is none, or it is not one."""
    path = folder / "study.json"
    absent = "a study folder holds a study.json, found none; give the folder of a study"
    return require_record(path, StudyRecord, absent)


def planned_studies(output: Path) -> list[Path]:
    """Folders of all studies under an output folder whose study.json can be read, oldest first."""
    created = {}
    for path in (output / "studies").glob("*/study.json"):
        with suppress(DamagedFileError):  # `reid.store.lookup.damaged_plans` tells of it
            created[path.parent] = read_study(path.parent).created
    return sorted(created, key=lambda folder: (created[folder], folder.name))


def read_trials(folder: Path) -> list[TrialRecord]:
    """Every trial by its number; empty before the first one begins."""
    return read_records(folder / "trials.json", TrialRecord)


def read_comparison(folder: Path) -> ComparisonRecord | None:
    """The winner against the defaults; None before the search is over."""
    return read_record(folder / "comparison.json", ComparisonRecord)


def read_importances(folder: Path) -> ImportanceRecord | None:
    """Which knob matters; None before the search is over."""
    return read_record(folder / "importances.json", ImportanceRecord)
