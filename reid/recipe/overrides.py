"""Recipe fields set from elsewhere: `--set field=value`, a grid file."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue, ValidationError

from reid.errors import InputError
from reid.recipe import Recipe
from reid.recipe.yaml import describe, parse
from reid.registry import nearest


def parse_assignments(assignments: Sequence[str]) -> dict[str, JsonValue]:
    """`field=value` words of the command line as recipe fields; the value is YAML. InputError for an unknown field."""
    known = Recipe.paths()
    fields: dict[str, JsonValue] = {}
    for assignment in assignments:
        field, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--set {assignment}: must be FIELD=VALUE, e.g. --set schedule.epochs=60")
        if field not in known:
            raise InputError(f"--set {field}: unknown recipe field{nearest(field, known)}")
        fields[field] = parse(value, f"--set {field}")
    return fields


def set_fields(recipe: Recipe, fields: Mapping[str, JsonValue], origin: str) -> Recipe:
    """`recipe` with fields replaced; a value that breaks a rule raises InputError that begins with `origin`."""
    try:
        return recipe.set(fields)
    except ValidationError as error:
        raise InputError(f"{origin} {describe(error, Recipe)}") from error
