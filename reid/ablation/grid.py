"""A grid as YAML describes it, and the plan made of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reid.ablation.design import Arm, Factor, field_factor, full_factorial, launch_order, trick_factor
from reid.config import describe, load, nearest, read_text, set_fields
from reid.data import DatasetSource, DecodedDataset
from reid.errors import InputError
from reid.recipe import Recipe, digest
from reid.run_folder import write_json
from reid.tricks import TRICKS


class GridFile(BaseModel):
    """A grid file. `factors` maps a trick to its knobs (or nothing), or a recipe field to a list of levels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    title: str = ""
    question: str = ""
    dataset: DatasetSource
    recipe: Recipe = Recipe()
    factors: Annotated[dict[str, dict[str, float] | list[Any] | None], Field(min_length=1)]
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0,)


class Grid:
    """A design over factors x seeds on a data set: arms with distinct recipes."""

    def __init__(self, file: Path, overrides: dict[str, Any]) -> None:
        self.file = file
        self.spec = load(file, GridFile)
        if len(set(self.spec.seeds)) < len(self.spec.seeds):
            raise InputError(f"{file}: seeds: each seed once, found {list(self.spec.seeds)}")
        base = set_fields(self.spec.recipe, overrides, "--set")
        self.factors = [self._factor(name, setting, base) for name, setting in self.spec.factors.items()]
        try:
            self.arms = full_factorial(base, self.factors)
        except ValidationError as error:
            raise InputError(f"{file}: factors: {describe(error, Recipe)}") from error
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
        "fingerprint": data.fingerprint,
        "counts": {name: split.counts() for name, split in data.dataset.splits.items()},
        "skipped": list(data.dataset.skipped),
    }
