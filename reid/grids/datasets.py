"""The data sets of a grid file: one under `dataset`, or several by name under `datasets` with what each is for."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from reid.data import DatasetSource
from reid.data.run_data import Domains
from reid.errors import InputError
from reid.registry import nearest

TRAIN_ON = "train_on"


def _called_by_their_keys(sets: Any) -> Any:
    """Each set's mapping with its key as its name."""
    if not isinstance(sets, dict):
        return sets
    for key, source in sets.items():
        if isinstance(source, dict) and "name" in source:
            raise ValueError(f"{key}: a set is called by its key; remove `name`")
    return {key: {"name": key, **source} if isinstance(source, dict) else source for key, source in sets.items()}


Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class GridData(BaseModel):
    """`dataset`, one set to train and evaluate on; or `datasets`, several by name, with the names of those to train
    on, as one, in `train_on` and of those to evaluate on, each for itself, in `evaluate_on`. A single name may stand
    for a list of one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: DatasetSource | None = None
    datasets: Annotated[dict[str, DatasetSource], BeforeValidator(_called_by_their_keys)] = {}
    train_on: Names = ()
    evaluate_on: Names = ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.dataset is None) == (not self.datasets):
            raise ValueError("a grid needs either `dataset` or `datasets`: give one of the two")
        if self.dataset and (self.train_on or self.evaluate_on):
            raise ValueError("`train_on` and `evaluate_on` choose among `datasets`, and there is one `dataset`")
        if self.datasets and not self.evaluate_on:
            raise ValueError(f"`datasets` need `evaluate_on`, of {', '.join(self.datasets)}")
        return self

    @property
    def sources(self) -> dict[str, DatasetSource]:
        """The data sets by name."""
        return {self.dataset.name: self.dataset} if self.dataset else dict(self.datasets)

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the sets to train on, none where that is a factor."""
        return (self.dataset.name,) if self.dataset else self.train_on

    @property
    def evaluated(self) -> tuple[str, ...]:
        return (self.dataset.name,) if self.dataset else self.evaluate_on


def named_sets(levels: object) -> list[tuple[str, ...]]:
    """The levels of the factor train_on, each a name or a list of names."""
    choices = [[level] if isinstance(level, str) else level for level in levels] if isinstance(levels, list) else []
    wrong = [c for c in choices if not (isinstance(c, list) and c and all(isinstance(name, str) for name in c))]
    if len(choices) < 2 or wrong:
        raise InputError(
            f"factors.{TRAIN_ON}: needs two or more levels, each the name of a set or a list of names, "
            f"found {wrong[0] if wrong else levels!r}"
        )
    return [tuple(choice) for choice in choices]


def check_names(sources: Mapping[str, DatasetSource], every: Sequence[Domains]) -> None:
    """Raise InputError for a set that is not there or is named twice, and for a test set beside a validation split."""
    for domains in every:
        for key, names in ((TRAIN_ON, domains.train_on), ("evaluate_on", domains.evaluate_on)):
            for name in names:
                if name not in sources:
                    raise InputError(f"{key}: no such data set {name!r}{nearest(name, list(sources))}")
                if names.count(name) > 1:
                    raise InputError(f"{key}: each set once, found {name} {names.count(name)} times")
    used = {name: sources[name] for domains in every for name in domains.names}
    tuned = [name for name, source in used.items() if source.split is not None]
    if tuned and len(tuned) < len(used):
        whole = next(name for name in used if name not in tuned)
        raise InputError(
            f"datasets.{whole}.split: {tuned[0]} has a validation split and {whole} has none; "
            "give all sets one or none: tuning never sees a test set"
        )
