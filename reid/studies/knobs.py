"""The knobs of a study: what each is called, which recipe field it turns, and over what range."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from reid.errors import InputError
from reid.recipe import Recipe
from reid.recipe.overrides import set_fields
from reid.recipe.yaml import describe
from reid.registry import nearest
from reid.store.study import KnobRecord, KnobValue
from reid.tricks import TRICKS

GRID_POINTS = 5  # of a range, for the sampler "grid"
# Of a knob in YAML: a range, choices, or nothing for the declared range.
Setting = dict[str, JsonValue] | list[JsonValue] | None


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
FIELDS: dict[str, dict[str, JsonValue]] = {"triplet.margin": {"low": 0.0, "high": 1.0, "or": "soft"}}


def points(knob: KnobRecord) -> KnobRecord:
    """The same knob with nothing but a few choices: points of its range, evenly spaced, and its other value."""
    if knob.kind == "choice":
        return knob
    shares = [number / (GRID_POINTS - 1) for number in range(1, GRID_POINTS - 1)]
    inner = [
        knob.low * (knob.high / knob.low) ** share if knob.log else knob.low + (knob.high - knob.low) * share
        for share in shares
    ]
    if knob.kind == "int":
        inner = [round(point) for point in inner]
    besides = [] if knob.other is None else [knob.other]
    choices = (*sorted({knob.low, *inner, knob.high}), *besides)
    return knob.model_copy(update={"kind": "choice", "other": None, "choices": choices})


def make_knobs(
    asked: Mapping[str, Setting] | None, tricks: Mapping[str, dict[str, float] | None], defaults: Recipe, origin: str
) -> list[KnobRecord]:
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
) -> KnobRecord:
    fields = defaults.flat()
    trick, _, short = name.partition(".")
    if name in fields:
        path, title, declared = name, name, FIELDS.get(name)
    elif trick in TRICKS and short in TRICKS[trick].knobs:
        if trick not in tricks:
            raise InputError(f"{where}: its trick is off; add {trick} to `tricks`, or leave the knob out")
        known = TRICKS[trick].knobs[short]
        path, title = known.path, f"{TRICKS[trick].title}: {short}"
        off = {"or": 0} if known.zero_is_off else {}
        declared = {"low": known.low, "high": known.high, "log": known.log, **off}
    else:
        names = [f"{trick.name}.{knob}" for trick in TRICKS.values() for knob in trick.knobs] + list(fields)
        raise InputError(f"{where}: no such knob{nearest(name, names)}")
    chosen = declared if setting is None else setting
    if chosen is None:
        raise InputError(f"{where}: no trick declares its range; give {{low: …, high: …}} or a list of choices")
    if isinstance(chosen, list):
        choices = _choices(chosen, where)
        _require_accepted(choices, path, defaults, where)
        return KnobRecord(name=name, path=path, title=title, kind="choice", choices=choices, default=fields[path])
    knob = _ranged(KnobRecord(name=name, path=path, title=title, kind="float"), chosen, fields[path], where)
    _require_accepted((knob.low, knob.high, *([] if knob.other is None else [knob.other])), path, defaults, where)
    return knob


def _require_accepted(values: Sequence[KnobValue], path: str, defaults: Recipe, where: str) -> None:
    for value in values:
        set_fields(defaults, {path: value}, f"{where}:")


def _choices(found: list[JsonValue], where: str) -> tuple[KnobValue, ...]:
    choices = tuple(choice for choice in found if isinstance(choice, bool | int | float | str))
    if len(choices) < len(found):
        raise InputError(f"{where}: a choice must be a number, a word, true or false, found {found}")
    if len(choices) < 2 or len({(type(choice), choice) for choice in choices}) < len(choices):
        raise InputError(f"{where}: must have two or more choices, each once, found {found}")
    return choices


def _ranged(knob: KnobRecord, setting: dict[str, JsonValue], default: JsonValue, where: str) -> KnobRecord:
    """The knob with a range of numbers of the field's own kind, whole or not."""
    try:
        chosen = Range.model_validate(setting)
    except ValidationError as error:
        raise InputError(f"{where}: {describe(error, Range).removeprefix('value: ')}") from error
    if isinstance(default, bool) or not (isinstance(default, int | float) or default == chosen.other):
        raise InputError(f"{where}: {knob.path} is not a number; give a list of choices")
    found = {"low": chosen.low, "high": chosen.high, "log": chosen.log, "other": chosen.other, "default": default}
    if isinstance(default, float | str):
        return knob.model_copy(update=found)
    low, high = round(chosen.low), round(chosen.high)
    if (low, high) != (chosen.low, chosen.high):
        raise InputError(f"{where}: {knob.path} is a whole number; so low and high must be, found {setting}")
    return knob.model_copy(update={**found, "kind": "int", "low": low, "high": high})
