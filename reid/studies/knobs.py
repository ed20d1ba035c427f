"""The knobs of a study: what each is called, which recipe field it turns, and over what range."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reid.errors import InputError
from reid.recipe import Recipe
from reid.recipe.overrides import set_fields
from reid.recipe.yaml import describe
from reid.registry import nearest
from reid.tricks import TRICKS

GRID_POINTS = 5  # of a range, for the sampler "grid"
Setting = dict[str, Any] | list[Any] | None  # of a knob in YAML: a range, choices, or nothing for the declared range


class Range(BaseModel):
    """Numbers from `low` to `high`, both included; `or` is one value besides, such as 0 for off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Annotated[float, Field(allow_inf_nan=False)]
    high: Annotated[float, Field(allow_inf_nan=False)]
    log: bool = False
    other: Annotated[float | str | None, Field(alias="or", union_mode="left_to_right")] = None

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"an empty range: low must be under high, found {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(
                f"a log range through zero: low must be over 0, found {self.low:g}; add `or: 0` if 0 is meant"
            )
        if isinstance(self.other, float) and self.low <= self.other <= self.high:
            raise ValueError(f"`or` must be outside the range, found {self.other:g}")
        return self


# What the recipe's own fields are worth searching over; a trick's knobs declare theirs.
FIELDS: dict[str, dict[str, Any]] = {"triplet.margin": {"low": 0.0, "high": 1.0, "or": "soft"}}


@dataclass(frozen=True)
class StudyKnob:
    """One knob: a range of numbers with perhaps one value besides (`other`), or a few choices."""

    name: str
    path: str
    title: str
    kind: Literal["float", "int", "choice"]
    low: float = 0.0  # no meaning where there are choices
    high: float = 0.0
    log: bool = False
    other: float | str | None = None
    choices: tuple[Any, ...] = ()
    default: Any = None

    def record(self) -> dict[str, Any]:
        """What study.json says of it."""
        return {
            "name": self.name,
            "path": self.path,
            "title": self.title,
            "kind": self.kind,
            "low": self.low,
            "high": self.high,
            "log": self.log,
            "zero_is_off": self.other == 0,
            "or": self.other,
            "choices": list(self.choices),
            "default": self.default,
        }

    @classmethod
    def of(cls, record: dict[str, Any]) -> "StudyKnob":
        """The knob of a study.json."""
        same = {key: record[key] for key in ("name", "path", "title", "kind", "low", "high", "log", "default")}
        return cls(**same, other=record["or"], choices=tuple(record["choices"]))

    def points(self) -> "StudyKnob":
        """The same knob with nothing but a few choices: points of its range, evenly spaced, and its other value."""
        if self.kind == "choice":
            return self
        shares = [number / (GRID_POINTS - 1) for number in range(1, GRID_POINTS - 1)]
        inner = [
            self.low * (self.high / self.low) ** share if self.log else self.low + (self.high - self.low) * share
            for share in shares
        ]
        if self.kind == "int":
            inner = [round(point) for point in inner]
        points = sorted({self.low, *inner, self.high})
        besides = [] if self.other is None else [self.other]
        return replace(self, kind="choice", other=None, choices=(*points, *besides))


def make_knobs(
    asked: Mapping[str, Setting] | None, tricks: Mapping[str, dict[str, float] | None], defaults: Recipe, origin: str
) -> list[StudyKnob]:
    """The knobs that a study file asks for; None asks for all that the tricks which are on declare and do not fix.

    Raises InputError, beginning with `origin`, for an unknown knob, two of one field, a range that holds nothing, and
    values that the recipe refuses.
    """
    if asked is None:
        free = [
            (name, knob) for name, fixed in tricks.items() for knob in TRICKS[name].knobs if knob not in (fixed or {})
        ]
        asked = {f"{name}.{knob}": None for name, knob in free}
    knobs = [_knob(name, setting, tricks, defaults, f"{origin}: knobs.{name}") for name, setting in asked.items()]
    if not knobs:
        raise InputError(f"{origin}: knobs: a study needs one or more; name some, or tricks that declare some")
    for number, knob in enumerate(knobs):
        for other in knobs[:number]:
            if other.path == knob.path:
                raise InputError(
                    f"{origin}: knobs.{knob.name}: turns {knob.path}, as {other.name} does; keep one of the two"
                )
    return knobs


def _knob(
    name: str, setting: Setting, tricks: Mapping[str, dict[str, float] | None], defaults: Recipe, where: str
) -> StudyKnob:
    fields = defaults.flat()
    trick, _, short = name.partition(".")
    if name in fields:
        path, title, declared = name, name, FIELDS.get(name)
    elif trick in TRICKS and short in TRICKS[trick].knobs:
        if trick not in tricks:
            raise InputError(f"{where}: its trick is off; add {trick} to `tricks`, or leave the knob out")
        knob = TRICKS[trick].knobs[short]
        path, title = knob.path, f"{TRICKS[trick].title}: {short}"
        off = {"or": 0} if knob.zero_is_off else {}
        declared = {"low": knob.low, "high": knob.high, "log": knob.log, **off}
    else:
        known = [f"{trick.name}.{knob}" for trick in TRICKS.values() for knob in trick.knobs] + list(fields)
        raise InputError(f"{where}: no such knob{nearest(name, known)}")
    chosen = declared if setting is None else setting
    if chosen is None:
        raise InputError(f"{where}: no trick declares its range; give {{low: …, high: …}} or a list of choices")
    if isinstance(chosen, list):
        made = StudyKnob(name, path, title, "choice", choices=_choices(chosen, where), default=fields[path])
    else:
        made = _ranged(name, path, title, chosen, fields[path], where)
    for value in made.choices or [made.low, made.high, *([] if made.other is None else [made.other])]:
        set_fields(defaults, {path: value}, f"{where}:")
    return made


def _choices(found: list[Any], where: str) -> tuple[Any, ...]:
    if not all(isinstance(choice, bool | int | float | str) for choice in found):
        raise InputError(f"{where}: a choice must be a number, a word, true or false, found {found}")
    if len(found) < 2 or len({(type(choice), choice) for choice in found}) < len(found):
        raise InputError(f"{where}: must have two or more choices, each once, found {found}")
    return tuple(found)


def _ranged(name: str, path: str, title: str, setting: dict[str, Any], default: Any, where: str) -> StudyKnob:
    """The knob with a range of numbers of the field's own kind, whole or not."""
    try:
        chosen = Range.model_validate(setting)
    except ValidationError as error:
        raise InputError(f"{where}: {describe(error, Range).removeprefix('value: ')}") from error
    other = chosen.other
    if isinstance(default, bool) or not (isinstance(default, int | float) or default == other):
        raise InputError(f"{where}: {path} is not a number; give a list of choices")
    if isinstance(default, float | str):
        return StudyKnob(name, path, title, "float", chosen.low, chosen.high, chosen.log, other, default=default)
    low, high = round(chosen.low), round(chosen.high)
    if (low, high) != (chosen.low, chosen.high):
        raise InputError(f"{where}: {path} is a whole number; so low and high must be, found {setting}")
    return StudyKnob(name, path, title, "int", low, high, chosen.log, other, default=default)
