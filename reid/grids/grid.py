"""A grid: the factors and arms that its file asks for, on which data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError

from reid.data.run_data import Domains
from reid.errors import InputError
from reid.grids.datasets import check_names
from reid.grids.designs.batches import FIRST_LOOK, Batches, Until, check_at_most, fractions
from reid.grids.designs.design import Arm, Factor, full_factorial, launch_order, select
from reid.grids.designs.fractions import HALVINGS, aliases, defining_words
from reid.grids.designs.placebo import PLACEBO, with_placebo
from reid.grids.factors import make_factors
from reid.grids.grid_file import GridFile
from reid.grids.halving import problem
from reid.recipe import Recipe
from reid.recipe.overrides import set_fields
from reid.recipe.yaml import describe, load
from reid.registry import nearest
from reid.store.shared_training import run_signature
from reid.tricks import TRICKS
from reid.tricks.registry import broken_rule


@dataclass(frozen=True)
class Grid:
    """A design over factors x seeds on data sets: arms that differ in recipe or in what they are trained on.

    `batches` are those of a grid that spreads its arms over seeds.
    """

    file: Path
    spec: GridFile
    factors: Sequence[Factor]
    arms: Sequence[Arm]
    left_out: Mapping[str, str]  # arms that break a rule of a trick, and which
    batches: Batches | None = None
    follow_up: tuple[str, ...] = ()  # names of the arms that follow a fraction up

    def domains(self, arm: Arm) -> Domains:
        """What an arm is trained and evaluated on."""
        return Domains(arm.train_on, self.spec.evaluated)

    @property
    def least_batches(self) -> int:
        """Batches that are trained in any case: before the first look, or all of a grid that never looks."""
        return 0 if self.batches is None else FIRST_LOOK if self.spec.until else self.batches.whole

    def runs(self, fingerprints: Mapping[str, str], batches: int = 0) -> list[tuple[str, Arm, int]]:
        """(signature, arm, seed) of every run, in launch order, from the fingerprint of each data set by name.

        Of a grid in batches those of the first `batches`, and at least those that are trained in any case.
        """
        content = {arm.train_on: self.domains(arm).fingerprint(fingerprints) for arm in self.arms}
        if self.batches is None:
            ordered = launch_order(self.arms, self.spec.seeds)
        else:
            ordered = self.batches.runs(max(batches, self.least_batches))
        return [(run_signature(arm.recipe, seed, content[arm.train_on]), arm, seed) for arm, seed in ordered]


def read_grid(file: Path, overrides: Mapping[str, JsonValue]) -> Grid:
    """The grid of a file, with fields of its base recipe replaced. Raises InputError for whatever cannot be trained."""
    spec = load(file, GridFile)
    base = set_fields(spec.recipe, overrides, "--set")
    try:
        factors = make_factors(spec, base)
        arms, left_out = make_arms(spec, factors, base)
        batches = make_batches(spec, factors, arms, left_out)
        if PLACEBO in spec.factors:
            arms = add_placebo(factors, arms, batches)
            batches = make_batches(spec, factors, arms, left_out)
        grid = Grid(file, spec, factors, arms, left_out, batches)
        halving = spec.budget.get("halving")
        if halving and (why := problem(halving, [(arm.name, arm.recipe) for arm in grid.arms])):
            raise InputError(f"budget.halving: {why}")
        check_names(spec.sources, [grid.domains(arm) for arm in grid.arms])
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    return grid


def make_arms(spec: GridFile, factors: Sequence[Factor], base: Recipe) -> tuple[list[Arm], dict[str, str]]:
    """The arms that the design asks for, each with a recipe or training data of its own; and by name those left out
    because a trick requires or conflicts with something there, with the rule.
    """
    if len(set(spec.seeds)) < len(spec.seeds):
        raise InputError(f"seeds: each seed once, found {list(spec.seeds)}")
    try:
        every = full_factorial(base, factors, spec.trained)
        chosen = every if isinstance(spec.design, Until) else select(every, factors, spec.design)
    except ValidationError as error:
        raise InputError(f"factors: {describe(error, Recipe)}") from error
    except ValueError as error:
        raise InputError(f"design: {error}") from error
    if spec.pairs != "nil" and spec.design_name in HALVINGS:
        _require_told_apart(factors, spec.design_name)
    arms = _without_excluded(chosen, factors, spec.exclude)
    left_out = {arm.name: rule for arm in arms if (rule := _broken_rule(arm, factors))}
    arms = [arm for arm in arms if arm.name not in left_out]
    if len(arms) < 2:
        rules = ", ".join(dict.fromkeys(left_out.values()))
        raise InputError(f"factors: a grid needs two or more arms, {len(arms)} is left: {rules}")
    _require_distinct(arms)
    return arms, left_out


def _require_told_apart(factors: Sequence[Factor], design: str) -> None:
    """Raise InputError where a fraction confounds every main effect with an interaction of two factors."""
    two = sum(len(factor.levels) == 2 for factor in factors)
    confounded = aliases(defining_words(two, HALVINGS[design]), two)
    if all(any(other.bit_count() == 2 for other in confounded[1 << factor]) for factor in range(two)):
        raise InputError(
            f"design: a {design} of {two} factors confounds every main effect with an interaction of two, so it "
            "can say nothing of any; take a larger design, or say `pairs: nil` if you take these interactions to be nil"
        )


def add_placebo(factors: Sequence[Factor], arms: Sequence[Arm], batches: Batches | None) -> list[Arm]:
    """The arms with a placebo among them. Raises InputError where it would cost runs."""
    try:
        return with_placebo(arms, factors, batches.fractions[0] if batches else arms)
    except ValueError as error:
        raise InputError(f"factors.{PLACEBO}: {error}") from error


def make_batches(
    spec: GridFile, factors: Sequence[Factor], arms: Sequence[Arm], left_out: Mapping[str, str]
) -> Batches | None:
    """The batches that the design asks for, if any. Raises InputError where the factors do not admit them."""
    if not spec.in_batches:
        return None
    if left_out:
        arm, rule = next(iter(left_out.items()))
        raise InputError(
            f"design: batches are fractions of every combination, and {len(left_out)} break a rule, such as {arm}: "
            f"{rule}; take another design, or leave out one of the factors"
        )
    try:
        batches = Batches(fractions(arms, factors), spec.seeds)
    except ValueError as error:
        raise InputError(f"design: {error}; take another design") from error
    if spec.until:
        check_at_most(spec.until, batches)
    return batches


def _broken_rule(arm: Arm, factors: Sequence[Factor]) -> str | None:
    """The first rule that a trick switched on in `arm` breaks there."""
    levels = (level for factor in factors for level in factor.levels if level.label == arm.levels[factor.name])
    rules = (broken_rule(TRICKS[trick], arm.recipe) for level in levels for trick in level.tricks)
    return next((rule for rule in rules if rule), None)


def _without_excluded(
    arms: Sequence[Arm], factors: Sequence[Factor], exclude: Sequence[Mapping[str, JsonValue]]
) -> list[Arm]:
    """The arms that no entry of `exclude` matches."""
    levels = {factor.name: [level.label for level in factor.levels] for factor in factors}
    for number, entry in enumerate(exclude):
        for name, level in entry.items():
            if name not in levels:
                raise InputError(f"exclude.{number}: no such factor{nearest(name, list(levels))}")
            if str(level) not in levels[name]:
                raise InputError(f"exclude.{number}.{name}: no such level{nearest(str(level), levels[name])}")
    left = [
        arm
        for arm in arms
        if not any(entry and all(arm.levels[f] == str(v) for f, v in entry.items()) for entry in exclude)
    ]
    if len(left) < 2:
        raise InputError(f"exclude: a grid needs two or more arms, {len(left)} of {len(arms)} are left")
    return left


def _require_distinct(arms: Sequence[Arm]) -> None:
    seen: dict[tuple[str, tuple[str, ...]], Arm] = {}
    for arm in arms:
        twin = seen.setdefault((arm.recipe.signature(), arm.train_on), arm)
        if twin is not arm:
            same = [name for name in arm.levels if arm.levels[name] != twin.levels[name]]
            raise InputError(
                f"factors: every arm needs a recipe of its own, but {', '.join(same)} changes nothing in arm "
                f"{arm.name}; check that the base recipe has it off"
            )
