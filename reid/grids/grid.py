"""A grid as YAML describes it, and the plan made of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reid.data import DecodedDataset
from reid.data.run_data import Domains
from reid.errors import InputError
from reid.grids.datasets import TRAIN_ON, check_names, named_sets
from reid.grids.design import (
    Arm,
    Factor,
    Level,
    field_factor,
    full_factorial,
    launch_order,
    select,
    training_factor,
    trick_factor,
)
from reid.grids.grid_file import Change, GridFile, Setting
from reid.grids.halving import problem
from reid.recipe import Recipe
from reid.recipe.overrides import set_fields
from reid.recipe.yaml import describe, load, read_text
from reid.registry import nearest
from reid.store.dataset_record import domains_record
from reid.store.run_folder import RunFolder
from reid.store.shared_training import run_signature, shared_trainings
from reid.tricks import TRICKS


class Grid:
    """A design over factors x seeds on data sets: arms that differ in recipe or in what they are trained on."""

    def __init__(self, file: Path, overrides: dict[str, Any]) -> None:
        self.file = file
        self.spec = load(file, GridFile)
        if len(set(self.spec.seeds)) < len(self.spec.seeds):
            raise InputError(f"{file}: seeds: each seed once, found {list(self.spec.seeds)}")
        base = set_fields(self.spec.recipe, overrides, "--set")
        self.factors = [self._factor(name, setting, base) for name, setting in self.spec.factors.items()]
        if self.spec.arms:
            self.factors = [Factor("variant", "variant", "Variant", self._levels("arms", self.spec.arms, base))]
        try:
            every = full_factorial(base, self.factors, self.spec.trained)
            self.arms = self._excluded(select(every, self.factors, self.spec.design))
        except ValidationError as error:
            raise InputError(f"{file}: factors: {describe(error, Recipe)}") from error
        except ValueError as error:
            raise InputError(f"{file}: design: {error}") from error
        self._distinct()
        halving = self.spec.budget.get("halving")
        if halving and (why := problem(halving, [(arm.name, arm.recipe) for arm in self.arms])):
            raise InputError(f"{file}: budget.halving: {why}")
        self.sources = self.spec.sources
        check_names(file, self.sources, [self.domains(arm) for arm in self.arms])

    def domains(self, arm: Arm) -> Domains:
        """What an arm is trained and evaluated on."""
        return Domains(arm.train_on, self.spec.evaluated)

    def _factor(self, name: str, setting: Setting, base: Recipe) -> Factor:
        fields = list(base.flat())
        if name == TRAIN_ON:
            return training_factor(named_sets(self.file, setting))
        if name in fields:
            if not isinstance(setting, list) or len(setting) < 2:
                raise InputError(
                    f"{self.file}: factors.{name}: a recipe field needs a list of two or more levels, found {setting!r}"
                )
            return field_factor(name, setting)
        changes = (
            {level: to for level, to in setting.items() if isinstance(to, Change)} if isinstance(setting, dict) else {}
        )
        if len(changes) > 1:
            title = name.replace("_", " ").capitalize()
            return Factor(name, name, title, self._levels(f"factors.{name}", changes, base))
        if name not in TRICKS:
            known = [*TRICKS, *fields, TRAIN_ON]
            raise InputError(f"{self.file}: factors.{name}: no such trick or recipe field{nearest(name, known)}")
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

    def _levels(self, key: str, changes: Mapping[str, Change], base: Recipe) -> tuple[Level, ...]:
        """A level for each of the changes written under `key`."""
        known = list(base.flat())
        levels = []
        for label, change in changes.items():
            where = f"{self.file}: {key}.{label}"
            recipe = base
            for name, knobs in change.tricks.items():
                if name not in TRICKS:
                    raise InputError(f"{where}.tricks.{name}: no such trick{nearest(name, list(TRICKS))}")
                try:
                    recipe = TRICKS[name].apply(recipe, **(knobs or {}))
                except KeyError as error:
                    raise InputError(f"{where}.tricks.{name}.{error.args[0]}: unknown knob") from error
                except ValidationError as error:
                    raise InputError(f"{where}.tricks.{name}: {describe(error, Recipe)}") from error
            for field in change.fields_:
                if field not in known:
                    raise InputError(f"{where}.fields.{field}: unknown recipe field{nearest(field, known)}")
            recipe = set_fields(recipe, change.fields_, f"{where}.fields:")
            changed = {field: value for field, value in recipe.flat().items() if value != base.flat()[field]}
            levels.append(Level(label, changed))
        return tuple(levels)

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
        seen: dict[tuple[str, tuple[str, ...]], Arm] = {}
        for arm in self.arms:
            twin = seen.setdefault((arm.recipe.signature(), arm.train_on), arm)
            if twin is not arm:
                same = [name for name in arm.levels if arm.levels[name] != twin.levels[name]]
                raise InputError(
                    f"{self.file}: factors: every arm needs a recipe of its own, "
                    f"but {', '.join(same)} changes nothing in arm {arm.name}; "
                    "check that the base recipe has it off"
                )

    def runs(self, fingerprints: Mapping[str, str]) -> list[tuple[str, Arm, int]]:
        """(signature, arm, seed) of every run, in launch order, from the fingerprint of each data set by name."""
        content = {arm.train_on: self.domains(arm).fingerprint(fingerprints) for arm in self.arms}
        ordered = launch_order(self.arms, self.spec.seeds)
        return [(run_signature(arm.recipe, seed, content[arm.train_on]), arm, seed) for arm, seed in ordered]

    def record(self, arm: Arm, opened: Mapping[str, DecodedDataset]) -> dict[str, Any]:
        """What the run.json of an arm's runs says of their data."""
        return domains_record(self.domains(arm), self.sources, opened)

    def shares(self, opened: Mapping[str, DecodedDataset], folder_of: Callable[[str], RunFolder]) -> dict[str, str]:
        """By signature, the run whose training a run shares, see `shared_trainings`."""
        fingerprints = {name: data.fingerprint for name, data in opened.items()}
        return shared_trainings(
            (
                (signature, arm.recipe, seed, self.domains(arm).fingerprint(fingerprints))
                for signature, arm, seed in self.runs(fingerprints)
            ),
            folder_of,
        )

    def plan(self, opened: Mapping[str, DecodedDataset], shares: Mapping[str, str], command: str) -> dict[str, Any]:
        """What plan.json says (see docs/run-folder.md). `opened` are the data sets by name, `shares` the runs whose
        training others share."""
        fingerprints = {name: data.fingerprint for name, data in opened.items()}
        dataset = self.record(self.arms[0], opened)
        if TRAIN_ON in self.spec.factors:
            dataset["name"] = ", ".join(opened)
        return {
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
            "budget": {kind: halving.model_dump() for kind, halving in self.spec.budget.items()},
            "dataset": dataset,
            "arms": [
                {"arm": a.name, "levels": a.levels, "recipe": a.recipe.model_dump(mode="json")} for a in self.arms
            ],
            "runs": [
                {"signature": signature, "arm": arm.name, "seed": seed}
                | ({"shares": shares[signature]} if signature in shares else {})
                for signature, arm, seed in self.runs(fingerprints)
            ],
        }
