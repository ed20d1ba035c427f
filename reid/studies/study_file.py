"""A study as YAML describes it, and the search made of it."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from reid.data import DatasetSource, ValidationSplit
from reid.errors import InputError
from reid.metrics.scores import Scores
from reid.metrics.spec import METRICS
from reid.recipe import FileName, Recipe, Seeds
from reid.recipe.overrides import set_fields
from reid.recipe.yaml import load, read_text
from reid.registry import active_plugins, nearest
from reid.shown import hide
from reid.store.run_records import DatasetRecord, RecipeRecord, SplitRecord
from reid.store.shared_training import EVALUATION_ONLY
from reid.store.study import KnobRecord, KnobValues, ObjectiveRecord, SamplerRecord, StudyRecord
from reid.studies.knobs import Setting, make_knobs, points
from reid.tricks.named import switch_on

EVALUATED = tuple(Scores.model_fields)
Pruner = Literal["none", "median", "hyperband", "halving", "wilcoxon"]
OF_EPOCHS = ("median", "hyperband", "halving")


def _known_metric(name: str) -> str:
    known = [spec.name for spec in METRICS.values() if spec.higher_is_better is not None]
    if name not in known:
        raise ValueError(f"no such metric{nearest(name, known)}")
    return name


Metric = Annotated[str, AfterValidator(_known_metric)]


class Sampler(BaseModel):
    """Who proposes values: Optuna's TPE, Gaussian process, random, grid (5 points a range) or CMA-ES; and its seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["tpe", "gp", "random", "grid", "cmaes"] = "tpe"
    seed: Annotated[int, Field(ge=0)] = 0


class StudyFile(BaseModel):
    """A study file.

    `tricks` are on, with the values given to their knobs; `knobs` are searched over, by default all that those tricks
    declare and that have no value there. `trials` is the number of trials in all, `seeds` are trained for each of them
    in turn, and `fresh_seeds` is how many others the winner and the defaults are compared with in the end. `plugins`
    are files of your own, relative to the study file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: FileName
    title: str = ""
    question: str = ""
    plugins: tuple[str, ...] = ()
    dataset: DatasetSource
    recipe: Recipe = Recipe()
    tricks: dict[str, dict[str, float] | None] = {}
    knobs: dict[str, Setting] | None = None
    sampler: Sampler = Sampler()
    pruner: Pruner = "none"
    objectives: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=2)] = ("mAP",)
    trials: Annotated[int, Field(ge=1)]
    seeds: Seeds = (0,)
    fresh_seeds: Annotated[int, Field(ge=1)] = 5
    storage: str = "sqlite"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: each seed once, found {list(self.seeds)}")
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"objectives: each once, found {list(self.objectives)}")
        if self.pruner != "none" and len(self.objectives) > 1:
            raise ValueError(f"pruner: a study of two objectives cannot prune, found {self.pruner!r}; take none")
        if self.pruner in OF_EPOCHS and self.objectives[0] not in EVALUATED:
            raise ValueError(f"pruner: {self.pruner} needs an objective measured at epochs; take none")
        if self.pruner == "wilcoxon" and len(self.seeds) < 4:
            raise ValueError(f"pruner: wilcoxon compares seeds and needs four or more, found {len(self.seeds)}")
        return self


class StudyPlan:
    """A checked study file: the base recipe with its tricks at the paper's values, and the knobs to turn in it.

    `overrides` replace fields of the base recipe. Raises InputError for whatever cannot be searched.
    """

    def __init__(self, file: Path, overrides: Mapping[str, JsonValue] | None = None) -> None:
        self.file = file
        self.spec = load(file, StudyFile)
        self.defaults = set_fields(self.spec.recipe, overrides or {}, "--set")
        for name, values in self.spec.tricks.items():
            self.defaults = switch_on(self.defaults, name, values, f"{file}: tricks.{name}")
        self.knobs = make_knobs(self.spec.knobs, self.spec.tricks, self.defaults, str(file))
        if self.evaluates_only and self.spec.pruner in OF_EPOCHS:
            raise InputError(f"{file}: pruner: knobs of evaluation share one training, so no epoch is saved; take none")
        if self.spec.sampler.name == "grid":
            self.knobs = [points(knob) for knob in self.knobs]
            asked = math.prod(len(knob.choices) for knob in self.knobs)
            if self.spec.trials > asked:
                raise InputError(
                    f"{file}: trials: the grid has {asked} points, found {self.spec.trials}; ask for fewer"
                )

    @property
    def split(self) -> ValidationSplit:
        """The training identities that stand in for the test set during the search; there is no way to have none."""
        return self.spec.dataset.split or ValidationSplit(validation_identities=0.2)

    @property
    def objectives(self) -> tuple[ObjectiveRecord, ...]:
        return tuple(
            ObjectiveRecord(metric=metric, direction="maximize" if METRICS[metric].higher_is_better else "minimize")
            for metric in self.spec.objectives
        )

    @property
    def fresh_seeds(self) -> tuple[int, ...]:
        """Seeds that no trial is trained with."""
        return tuple(max(self.spec.seeds) + 1 + number for number in range(self.spec.fresh_seeds))

    @property
    def evaluates_only(self) -> bool:
        """Whether a knob turns evaluation alone, so that trials share trainings."""
        return any(_is_of_evaluation(knob) for knob in self.knobs)

    @property
    def trains_once(self) -> bool:
        """Whether every knob turns evaluation alone, so that there is one training a seed."""
        return all(_is_of_evaluation(knob) for knob in self.knobs)

    def recipe(self, values: KnobValues) -> Recipe:
        """The recipe with knobs at these values. Raises pydantic's ValidationError where they do not go together."""
        return self.defaults.set({knob.path: values[knob.name] for knob in self.knobs})

    def default_values(self) -> KnobValues:
        """The paper's value of every knob."""
        return {knob.name: knob.default for knob in self.knobs}

    def record(self, dataset: DatasetRecord, storage: str, command: str) -> StudyRecord:
        """What study.json says of the study, made now."""
        spec = self.spec
        return StudyRecord(
            name=spec.name,
            title=spec.title or spec.name,
            question=spec.question,
            command=command,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            yaml=hide(read_text(self.file), spec.storage),
            dataset=dataset,
            recipe=RecipeRecord.of(self.defaults),
            tricks=tuple(spec.tricks),
            knobs=tuple(self.knobs),
            objectives=self.objectives,
            sampler=SamplerRecord(name=spec.sampler.name, seed=spec.sampler.seed),
            pruner=spec.pruner,
            trials=spec.trials,
            seeds=spec.seeds,
            fresh_seeds=self.fresh_seeds,
            split=SplitRecord.model_validate(self.split.model_dump()),
            storage=storage,
            plugins=active_plugins(),
        )


def _is_of_evaluation(knob: KnobRecord) -> bool:
    section, _, field = knob.path.partition(".")
    return section == "evaluation" and field in EVALUATION_ONLY
