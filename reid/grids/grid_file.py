"""A grid as YAML describes it."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag, model_validator

from reid.grids.datasets import TRAIN_ON, GridData
from reid.grids.designs.batches import Points, Until
from reid.grids.designs.design import DIGITS, Design
from reid.grids.halving import Halving
from reid.recipe import FileName, Recipe, Seeds


class Change(BaseModel):
    """What changes in a recipe: tricks with their knobs (or nothing), then recipe fields by dotted path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tricks: dict[str, dict[str, float] | None] = {}
    fields_: Annotated[dict[str, JsonValue], Field(alias="fields")] = {}


def _kind(setting: object) -> str:
    """Which of the kinds of Setting a factor's value is meant as, so that an error speaks of that kind alone."""
    if isinstance(setting, dict):
        return "levels" if any(isinstance(value, dict) for value in setting.values()) else "knobs"
    return "values"


Setting = Annotated[
    Annotated[dict[str, float], Tag("knobs")]
    | Annotated[dict[str, Change], Tag("levels")]
    | Annotated[list[JsonValue] | None, Tag("values")],
    Discriminator(_kind),
]


class GridFile(GridData):
    """A grid file: its data sets, and the design.

    `factors` maps a trick to its knobs (or nothing), a recipe field to a list of levels, or a name of your own to
    levels that each change what they like; `placebo` is one that changes random streams only. `design` says which of
    their combinations are trained, or when a grid that grows by batches has enough, `exclude` which are not (each entry
    maps factors to levels). `pairs: nil` takes interactions of two factors to be nil, which a small fraction needs.
    `matters` is from how many points of mAP on an effect matters to you: without it no factor is said to have no
    effect. `sd` is how much mAP varies from seed to seed, in points, as far as you know: `--dry-run` then speaks of
    points. `arms`, instead of factors, lists by title what is trained. `budget` ends arms that are clearly behind.
    `plugins` are files of your own, relative to the grid file, that register tricks, losses, backbones, layouts or
    metrics.
    """

    name: FileName
    title: str = ""
    question: str = ""
    plugins: tuple[str, ...] = ()
    recipe: Recipe = Recipe()
    factors: dict[str, Setting] = Field({})
    arms: Annotated[dict[str, Change], Field({}, max_length=len(DIGITS))]
    design: Annotated[
        Annotated[Design, Tag("<name>")] | Annotated[Until, Tag("<rule>")],
        Discriminator(lambda value: "<rule>" if isinstance(value, dict | Until) else "<name>"),
    ] = "full"
    pairs: Literal["estimated", "nil"] = "estimated"
    matters: Points | None = None
    sd: Points | None = None
    exclude: tuple[dict[str, JsonValue], ...] = ()
    seeds: Seeds = (0,)
    budget: dict[Literal["halving"], Halving] = Field({})

    @model_validator(mode="after")
    def _factors_or_arms(self) -> Self:
        if bool(self.factors) == (len(self.arms) > 1):
            raise ValueError("a grid needs either `factors` or `arms`, two or more: give one of the two")
        if bool(self.train_on) == (TRAIN_ON in self.factors) and not self.dataset:
            raise ValueError("`datasets` need `train_on`, as a key or as a factor: give one of the two")
        return self

    @model_validator(mode="after")
    def _batches_are_whole(self) -> Self:
        if self.in_batches and (
            wrong := next((key for key in ("arms", "exclude", "budget") if getattr(self, key)), "")
        ):
            raise ValueError(
                f"design: batches are fractions of every combination, trained to their end; remove `{wrong}`, or take "
                "another design"
            )
        if self.until and self.until.half_width is None and self.smallest is None:
            raise ValueError(
                "design.matters: verdicts need the smallest effect that matters, in points of mAP; give it"
            )
        if self.until and self.until.matters is not None and self.matters not in (None, self.until.matters):
            raise ValueError(f"matters: is {self.matters:g}, and {self.until.matters:g} in `design`; give it once")
        return self

    @property
    def until(self) -> Until | None:
        """When a grid that grows has enough; None for one that is planned as a whole."""
        return self.design if isinstance(self.design, Until) else None

    @property
    def design_name(self) -> str:
        """The design in one word."""
        return "until" if isinstance(self.design, Until) else self.design

    @property
    def in_batches(self) -> bool:
        return self.design_name in ("blocks", "until")

    @property
    def smallest(self) -> float | None:
        """The smallest effect that matters, in points of mAP, wherever it is said."""
        return self.matters if self.matters is not None or self.until is None else self.until.matters
