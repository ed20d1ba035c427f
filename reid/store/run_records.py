"""What the files of a run folder hold, one record a file. docs/run-folder.md is made from these classes.

A record is what is on disk, read in one place and frozen; unknown keys are passed over when it is read, so that a newer
version's folders can be looked at. Fractions are 0..1, times are seconds, points in time are seconds since 1970 unless
a field says otherwise.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self, TypedDict, Unpack

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, JsonValue, RootModel

from reid.metrics.scores import Scores
from reid.metrics.signs import Sign
from reid.recipe import RECORDED, Recipe
from reid.registry import Plugin
from reid.shown import hide

Shown = Annotated[str, AfterValidator(hide)]  # what a user wrote, without the passwords of URIs


class Record(BaseModel):
    """A file on disk, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)


class FileRecord(Record):
    """A whole file, with the version of its form."""

    form: Annotated[int, Field(alias="schema", description="version of this file's form")] = 1


class RunState(StrEnum):
    """What became of a run."""

    PLANNED = "planned"
    RUNNING = "running"
    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"
    STOPPED = "stopped"
    UNREADABLE = "unreadable"  # what a folder shows whose records are damaged; nobody writes it

    @property
    def has_result(self) -> bool:
        """Whether the run has its outcome: it is never trained again."""
        return self in (RunState.FINISHED, RunState.DIVERGED)


class RecipeRecord(RootModel[dict[str, dict[str, JsonValue]]]):
    """A recipe as it was recorded: fields by section. It is kept as it is, for folders of other versions too."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        return cls.model_validate(recipe.model_dump(mode="json"))

    def load(self) -> Recipe:
        """The recipe itself. Raises pydantic's ValidationError where this version does not know it."""
        return Recipe.model_validate(self.root, context=RECORDED)

    def flat(self) -> dict[str, JsonValue]:
        """Every field by its dotted path."""
        return dict(_paths("", self.root))

    def field(self, path: str) -> JsonValue:
        """One field by its dotted path; None where the recipe has no such field."""
        return self.flat().get(path)

    @property
    def epochs(self) -> int:
        """Epochs asked for, 0 where the recipe does not say."""
        epochs = self.root.get("schedule", {}).get("epochs")
        return epochs if isinstance(epochs, int) else 0


def _paths(
    prefix: str, tree: dict[str, JsonValue] | dict[str, dict[str, JsonValue]]
) -> Iterator[tuple[str, JsonValue]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _paths(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


class Counts(Record):
    """What a split of a data set holds."""

    images: int
    identities: int
    cameras: int


class SplitRecord(Record):
    """Training identities that stand in for the test set, as ValidationSplit has them."""

    model_config = ConfigDict(frozen=True, extra="allow")

    validation_identities: Annotated[float | None, Field(description="share of the training identities")] = None


class DatasetRecord(Record):
    """The data of a run. Of several sets `sets` has each; layout, root, split and test counts are the primary set's."""

    name: str
    layout: str = "market1501"
    root: str = ""
    split: SplitRecord | None = None
    cameras: Annotated[str, Field(description='"none" where the data have none')] = "labelled"
    fingerprint: str = ""
    counts: dict[str, Counts] = {}
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    train_on: tuple[str, ...] = ()
    evaluate_on: tuple[str, ...] = ()
    sets: "dict[str, DatasetRecord]" = {}


class Environment(Record):
    """The machine and the packages a run used."""

    python: str = ""
    packages: dict[str, str] = {}
    device: str = ""
    processor: str = ""
    threads: int | None = None
    cores: int | None = None
    host: str = ""
    reid: str = ""


class RunRecord(FileRecord):
    """run.json: what was asked, and with which code."""

    signature: str
    recipe: RecipeRecord
    seed: int
    dataset: DatasetRecord
    code: Annotated[str, Field(description="fingerprint of the code that trains and measures")]
    created: Annotated[str, Field(description="ISO 8601 with a zone")] = "1970-01-01T00:00:00+00:00"
    environment: Environment | None = None
    shares: Annotated[str | None, Field(description="the run whose training it shares")] = None
    plugins: tuple[Plugin, ...] = ()


class StateChanges(TypedDict, total=False):
    """Fields of a StateRecord to change."""

    state: RunState
    epoch: int
    epochs: int
    reason: str | None
    error: str | None
    attempts: int
    started: float
    updated: float
    seconds: float
    host: str
    pid: int
    slot: str
    early_stopped: bool
    quarantined: bool
    transient: bool
    trace: str | None
    hung: int | None


class StateRecord(FileRecord):
    """state.json: how far a run is, and why it ended. A run without the file is planned."""

    state: RunState = RunState.PLANNED
    epoch: int = 0
    epochs: int = 0
    reason: str | None = None
    error: Annotated[str | None, Field(description="traceback")] = None
    attempts: int = 0
    started: Annotated[float | None, Field(description="begin of the last attempt")] = None
    updated: float | None = None
    seconds: Annotated[float | None, Field(description="over all attempts")] = None
    host: str | None = None
    pid: int | None = None
    slot: str | None = None
    early_stopped: Annotated[
        bool,
        Field(
            validation_alias=AliasChoices("early_stopped", "censored"),
            description="ended for good by a budget or a pruner",
        ),
    ] = False
    quarantined: Annotated[
        bool,
        Field(
            validation_alias=AliasChoices("quarantined", "held"),
            description="no launch tries it again until `reid retry`",
        ),
    ] = False
    transient: Annotated[bool, Field(description="of a failure or a stop: the place was to blame, not the run")] = False
    trace: Annotated[str | None, Field(description="digest of the types and places of what was raised")] = None
    hung: Annotated[int | None, Field(description="the epoch after which it hung")] = None

    def changed(self, **changes: Unpack[StateChanges]) -> Self:
        """The record with other values of some fields."""
        return self.model_copy(update=dict(changes))

    @property
    def is_settled(self) -> bool:
        """Whether no launch trains the run: it has its result, was stopped for good, is quarantined or damaged."""
        unreadable = self.state == RunState.UNREADABLE
        return self.state.has_result or self.early_stopped or self.quarantined or unreadable


class EvaluationRecord(Scores):
    """An entry of evaluations.json: scores on the primary set after an epoch."""

    epoch: int


class ProgressRecord(FileRecord):
    """progress.json: while a run trains, at most once a second. `eta` in seconds, `images_per_second` of training."""

    epoch: int
    iteration: int | None = None
    loss: float | None = None
    scores: Scores | None = None
    images_per_second: float | None = None
    eta: float | None = None
    slot: str | None = None
    updated: float | None = None


class Cost(Record):
    """What a run cost. Where a training is shared, `shares` says with which run, `shared` which of these are its."""

    train_seconds: float
    evaluation_seconds: float
    images_per_second: float
    peak_memory_bytes: int | None = None
    shares: str | None = None
    shared: tuple[str, ...] = ()

    @property
    def peak_memory_mb(self) -> float | None:
        """Megabytes of 10^6 bytes; None where it was not measured."""
        return self.peak_memory_bytes / 1e6 if self.peak_memory_bytes else None


class DomainScores(Scores):
    """Scores on one of several data sets."""

    trained_on: bool


class ResultRecord(FileRecord):
    """result.json: what the trained network is worth. All but `domains` is of the primary set."""

    scores: Annotated[Scores, Field(alias="metrics")]
    cmc: Annotated[tuple[float, ...], Field(description="rank-k for k = 1 …")] = ()
    queries: int = 0
    valid_queries: Annotated[int, Field(description="queries that have a match")] = 0
    cost: Cost
    dynamics: Annotated[dict[str, float | None], Field(description="indices of the loss curves, null without one")] = {}
    spaces: Annotated[dict[str, Scores], Field(description="by feature space, before|after_euclidean|cosine")] = {}
    clusters: Annotated[dict[str, dict[str, float | None]], Field(description="by feature space")] = {}
    domains: Annotated[dict[str, DomainScores], Field(description="by data set, where there are several")] = {}
    custom: Annotated[dict[str, float | None], Field(description="metrics that plugins registered")] = {}
    signs: Annotated[tuple[Sign, ...], Field(description="that it learnt nothing; it counts all the same")] = ()

    @property
    def warning(self) -> str | None:
        """The signs in words; None where there is none."""
        return "; ".join(sign.words for sign in self.signs) or None


class RankedImage(Record):
    """A gallery image of a rank list, relative to the data set's root."""

    file: str
    right: bool


class RankListRecord(Record):
    """An entry of ranklists.json: a query, and what is ranked first for it."""

    query: str
    top: tuple[RankedImage, ...]


class ClaimRecord(Record):
    """claim.<n>.json: who trains a run. The highest number counts; its time stamp is the heartbeat; empty: released."""

    host: str = ""
    machine: Annotated[str, Field(description="boot and pid namespace")] = ""
    pid: int = 0
    began: Annotated[float | None, Field(description="of that process")] = None
