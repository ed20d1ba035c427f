"""A grid as YAML describes it, and the plan made of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reid.ablation.design import (
    DIGITS,
    Arm,
    Design,
    Factor,
    Level,
    field_factor,
    full_factorial,
    launch_order,
    select,
    trick_factor,
)
from reid.config import describe, load, nearest, read_text, set_fields
from reid.data import DatasetSource, DecodedDataset
from reid.errors import InputError
from reid.recipe import Recipe, digest
from reid.run_folder import write_json
from reid.tricks import TRICKS


class ListedArm(BaseModel):
    """An arm of a list: tricks with their knobs (or nothing), and recipe fields by dotted path, set after them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tricks: dict[str, dict[str, float] | None] = {}
    fields_: Annotated[dict[str, Any], Field(alias="fields")] = {}


class GridFile(BaseModel):
    """A grid file.

    `factors` maps a trick to its knobs (or nothing), or a recipe field to a list of levels; `design` says which of
    their combinations are trained, `exclude` which are not (each entry maps factors to levels). `arms`, instead of
    factors, lists by title what is trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    title: str = ""
    question: str = ""
    dataset: DatasetSource
    recipe: Recipe = Recipe()
    factors: dict[str, dict[str, float] | list[Any] | None] = {}
    arms: Annotated[dict[str, ListedArm], Field(max_length=len(DIGITS))] = {}
    design: Design = "full"
    exclude: tuple[dict[str, Any], ...] = ()
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0,)

    @model_validator(mode="after")
    def _factors_or_arms(self) -> Self:
        if bool(self.factors) == (len(self.arms) > 1):
            raise ValueError("a grid needs either `factors` or `arms`, two or more: give one of the two")
        return self


class Grid:
    """A design over factors x seeds on a data set: arms with distinct recipes."""

    def __init__(self, file: Path, overrides: dict[str, Any]) -> None:
        self.file = file
        self.spec = load(file, GridFile)
        if len(set(self.spec.seeds)) < len(self.spec.seeds):
            raise InputError(f"{file}: seeds: each seed once, found {list(self.spec.seeds)}")
        base = set_fields(self.spec.recipe, overrides, "--set")
        self.factors = [self._factor(name, setting, base) for name, setting in self.spec.factors.items()]
        if self.spec.arms:
            self.factors = [self._listed(base)]
        try:
            self.arms = self._excluded(select(full_factorial(base, self.factors), self.factors, self.spec.design))
        except ValidationError as error:
            raise InputError(f"{file}: factors: {describe(error, Recipe)}") from error
        except ValueError as error:
            raise InputError(f"{file}: design: {error}") from error
        self._distinct()

    def _factor(self, name: str, setting: dict[str, float] | list[Any] | None, base: Recipe) -> Factor:
        fields = list(base.flat())
        if name in fields:
            if not isinstance(setting, list) or len(setting) < 2:
                raise InputError(
                    f"{self.file}: factors.{name}: a recipe field needs a list of two or more levels, found {setting!r}"
                )
            return field_factor(name, setting)
        if name not in TRICKS:
            raise InputError(
                f"{self.file}: factors.{name}: no such trick or recipe field{nearest(name, [*TRICKS, *fields])}"
            )
        if isinstance(setting, list):
            raise InputError(f"{self.file}: factors.{name}: a trick takes knobs (a mapping) or nothing, found a list")
        trick = TRICKS[name]
        for knob in setting or {}:
            if knob not in trick.knobs:
                raise InputError(f"{self.file}: factors.{name}.{knob}: unknown knob{nearest(knob, list(trick.knobs))}")
        try:
            return trick_factor(trick, base, setting or {})
        except ValidationError as error:
            raise InputError(f"{self.file}: factors.{name}: {describe(error, Recipe)}") from error

    def _listed(self, base: Recipe) -> Factor:
        """The listed arms as one factor, a level each."""
        known = list(base.flat())
        levels = []
        for title, arm in self.spec.arms.items():
            where = f"{self.file}: arms.{title}"
            recipe = base
            for name, knobs in arm.tricks.items():
                if name not in TRICKS:
                    raise InputError(f"{where}.tricks.{name}: no such trick{nearest(name, list(TRICKS))}")
                try:
                    recipe = TRICKS[name].apply(recipe, **(knobs or {}))
                except KeyError as error:
                    raise InputError(f"{where}.tricks.{name}.{error.args[0]}: unknown knob") from error
                except ValidationError as error:
                    raise InputError(f"{where}.tricks.{name}: {describe(error, Recipe)}") from error
            for field in arm.fields_:
                if field not in known:
                    raise InputError(f"{where}.fields.{field}: unknown recipe field{nearest(field, known)}")
            recipe = set_fields(recipe, arm.fields_, f"{where}.fields:")
            changed = {field: value for field, value in recipe.flat().items() if value != base.flat()[field]}
            levels.append(Level(title, changed))
        return Factor("variant", "variant", "Variant", tuple(levels))

    def _excluded(self, arms: list[Arm]) -> list[Arm]:
        """The arms that no entry of `exclude` matches."""
        levels = {factor.name: [level.label for level in factor.levels] for factor in self.factors}
        for number, entry in enumerate(self.spec.exclude):
            where = f"{self.file}: exclude.{number}"
            for name, level in entry.items():
                if name not in levels:
                    raise InputError(f"{where}: no such factor{nearest(name, list(levels))}")
                if str(level) not in levels[name]:
                    raise InputError(f"{where}.{name}: no such level{nearest(str(level), levels[name])}")
        left = [
            arm
            for arm in arms
            if not any(entry and all(arm.levels[f] == str(v) for f, v in entry.items()) for entry in self.spec.exclude)
        ]
        if len(left) < 2:
            raise InputError(
                f"{self.file}: exclude: a grid needs two or more arms, {len(left)} of {len(arms)} are left"
            )
        return left

    def _distinct(self) -> None:
        seen: dict[str, Arm] = {}
        for arm in self.arms:
            twin = seen.setdefault(arm.recipe.signature(), arm)
            if twin is not arm:
                same = [name for name in arm.levels if arm.levels[name] != twin.levels[name]]
                raise InputError(
                    f"{self.file}: factors: every arm needs a recipe of its own, "
                    f"but {', '.join(same)} changes nothing in arm {arm.name}; "
                    "check that the base recipe has it off"
                )

    def runs(self, fingerprint: str) -> list[tuple[str, Arm, int]]:
        """(signature, arm, seed) of every run on the data set with that fingerprint, in launch order."""
        ordered = launch_order(self.arms, self.spec.seeds)
        return [(run_signature(arm.recipe, seed, fingerprint), arm, seed) for arm, seed in ordered]

    def write_plan(self, folder: Path, data: DecodedDataset, command: str) -> dict[str, Any]:
        """Write plan.json (see docs/run-folder.md) and return it."""
        plan = {
            "name": self.spec.name,
            "title": self.spec.title or self.spec.name,
            "question": self.spec.question,
            "command": command,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "yaml": read_text(self.file),
            "factors": [
                {"name": f.name, "short": f.short, "title": f.title, "levels": [level.label for level in f.levels]}
                for f in self.factors
            ],
            "seeds": list(self.spec.seeds),
            "dataset": dataset_record(self.spec.dataset, data),
            "arms": [
                {"arm": a.name, "levels": a.levels, "recipe": a.recipe.model_dump(mode="json")} for a in self.arms
            ],
            "runs": [{"signature": s, "arm": a.name, "seed": seed} for s, a, seed in self.runs(data.fingerprint)],
        }
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "plan.json", plan)
        return plan


def run_signature(recipe: Recipe, seed: int, fingerprint: str) -> str:
    """16 hexadecimal digits that name one training: a recipe, a seed and the content of a data set."""
    return digest({"recipe": recipe.model_dump(mode="json"), "seed": seed, "dataset": fingerprint})


def dataset_record(source: DatasetSource, data: DecodedDataset) -> dict[str, Any]:
    """What plan.json and run.json say of a data set."""
    return {
        "name": source.name,
        "layout": source.layout,
        "root": str(source.root.resolve()),
        "split": source.split.model_dump() if source.split else None,
        "fingerprint": data.fingerprint,
        "counts": {name: split.counts() for name, split in data.dataset.splits.items()},
        "skipped": list(data.dataset.skipped),
        "notes": list(data.dataset.notes),
    }
