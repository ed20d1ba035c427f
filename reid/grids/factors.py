"""The factors of a grid file: what each switches, and in which levels."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

from reid.errors import InputError
from reid.grids.datasets import TRAIN_ON, named_sets
from reid.grids.designs.design import DIGITS, Factor, Level, field_factor, training_factor, trick_factor
from reid.grids.designs.placebo import PLACEBO, STREAMS
from reid.grids.grid_file import Change, GridFile, Setting
from reid.recipe import Recipe
from reid.recipe.overrides import set_fields
from reid.registry import nearest
from reid.store.plan import LISTED
from reid.tricks import TRICKS
from reid.tricks.named import switch_on

MOST_ARMS = 100_000  # more are never trained, and listing them takes all memory


def make_factors(spec: GridFile, base: Recipe) -> list[Factor]:
    """The factors of a grid over the recipe `base`, in the file's order.

    Raises InputError that begins with the key for one that cannot be, and where two of them set one recipe field.
    """
    if spec.arms:
        return [Factor(LISTED, LISTED, LISTED.capitalize(), _levels("arms", spec.arms, base))]
    factors = [_factor(name, setting, base) for name, setting in spec.factors.items() if name != PLACEBO]
    for factor in factors:
        if len(factor.levels) > len(DIGITS):
            raise InputError(f"factors.{factor.name}: at most {len(DIGITS)} levels, found {len(factor.levels)}")
    combined = math.prod(len(factor.levels) for factor in factors)
    if combined > MOST_ARMS:
        raise InputError(
            f"factors: at most {MOST_ARMS:,} combinations, found {combined:,}; name fewer factors, or write out `arms`"
        )
    if PLACEBO in spec.factors:
        _check_placebo(spec.factors[PLACEBO], factors)
    for one, other in combinations(factors, 2):
        if shared := sorted(one.fields & other.fields):
            raise InputError(
                f"factors.{one.name} and factors.{other.name}: both set {shared[0]}, so neither has an effect of its "
                "own; leave one of them out, or write out the levels of one factor"
            )
    return factors


def _check_placebo(setting: Setting, others: Sequence[Factor]) -> None:
    if setting is not None:
        raise InputError(
            f"factors.{PLACEBO}: takes nothing, as it changes nothing but random streams, found {setting!r}"
        )
    if not others:
        raise InputError(f"factors.{PLACEBO}: needs other factors to stand beside, found none")
    if streams := next((factor.name for factor in others if STREAMS in factor.fields), ""):
        raise InputError(f"factors.{PLACEBO} and factors.{streams}: both set {STREAMS}; leave one of them out")


def _factor(name: str, setting: Setting, base: Recipe) -> Factor:
    where = f"factors.{name}"
    fields = Recipe.paths()
    if name == TRAIN_ON:
        return training_factor(named_sets(setting))
    if name in fields:
        if not isinstance(setting, list) or len(setting) < 2:
            raise InputError(f"{where}: a recipe field needs a list of two or more levels, found {setting!r}")
        for number, level in enumerate(setting):
            if level in setting[:number]:
                raise InputError(f"{where}: each level once, found {level!r} again in place {number + 1}")
        return field_factor(name, setting)
    if isinstance(setting, dict):
        changes = {level: to for level, to in setting.items() if isinstance(to, Change)}
        if len(changes) > 1:
            return Factor(name, name, name.replace("_", " ").capitalize(), _levels(where, changes, base))
    if name not in TRICKS:
        hint = nearest(name, [*TRICKS, TRAIN_ON, PLACEBO], among=fields)
        raise InputError(f"{where}: no such trick or recipe field{hint}")
    if isinstance(setting, list):
        raise InputError(f"{where}: a trick takes knobs (a mapping) or nothing, found a list")
    knobs = {knob: value for knob, value in (setting or {}).items() if not isinstance(value, Change)}
    return trick_factor(TRICKS[name], switch_on(base, name, knobs, where))


def _levels(key: str, changes: Mapping[str, Change], base: Recipe) -> tuple[Level, ...]:
    """A level for each of the changes written under `key`."""
    known = base.flat()
    levels = []
    for label, change in changes.items():
        where = f"{key}.{label}"
        recipe = base
        for name, knobs in change.tricks.items():
            recipe = switch_on(recipe, name, knobs, f"{where}.tricks.{name}")
        for field in change.fields_:
            if field not in known:
                raise InputError(f"{where}.fields.{field}: unknown recipe field{nearest(field, list(known))}")
        recipe = set_fields(recipe, change.fields_, f"{where}.fields:")
        changed = {field: value for field, value in recipe.flat().items() if value != known.get(field)}
        levels.append(Level(label, changed, tricks=tuple(change.tricks)))
    return tuple(levels)
