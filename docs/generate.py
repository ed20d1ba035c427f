"""Fills the generated parts of the pages beside this file from the code, and docs/schemas; `--check` only compares.

A part stands between `<!-- NAME -->` and `<!-- end -->`. What is outside is written by hand.
"""

import json
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, RootModel

import reid
from reid.cli.views.catalogue import fields
from reid.cli.views.schemas import FILES, file_schema
from reid.metrics.scores import Scores
from reid.recipe import Recipe
from reid.store import looks, plan, run_folder, run_records, run_store, study
from reid.store.run_records import Record

DOCS = Path(__file__).parent
PART = re.compile(r"<!-- (?P<name>[\w.-]+) -->\n.*?<!-- end -->", re.S)
FILES_ON_DISK: dict[str, type[BaseModel]] = {
    "run.json": run_records.RunRecord,
    "state.json": run_records.StateRecord,
    "progress.json": run_records.ProgressRecord,
    "evaluations.json": run_records.EvaluationRecord,
    "result.json": run_records.ResultRecord,
    "ranklists.json": run_records.RankListRecord,
    "claim.json": run_records.ClaimRecord,
    "mlflow.json": run_folder.ProjectionsRecord,
    "plan.json": plan.Plan,
    "looks.json": looks.LooksRecord,
    "study.json": study.StudyRecord,
    "trials.json": study.TrialRecord,
    "comparison.json": study.ComparisonRecord,
    "importances.json": study.ImportanceRecord,
    "output.json": run_store.OutputRecord,
}


def record_table(model: type[BaseModel], told: set[str]) -> str:
    """What a file holds: its docstring, a row a key, and below it the records within that were not `told` yet."""
    inner: dict[str, type[BaseModel]] = {}
    _collect(model, inner)
    parts = [_docstring(model), _rows(model)]
    parts += [f"**{name}.** {_docstring(part)}\n\n{_rows(part)}" for name, part in inner.items() if name not in told]
    told.update(inner)
    return "\n\n".join(parts)


def _rows(model: type[BaseModel]) -> str:
    lines = ["| key | value | |", "|---|---|---|"]
    for name, info in model.model_fields.items():
        required = "" if not info.is_required() else "always there"
        words = "; ".join(part for part in (info.description or "", required) if part)
        lines.append(f"| `{info.alias or name}` | {_kind(info.annotation)} | {words} |")
    return "\n".join(lines)


def _kind(annotation: Any) -> str:
    """A type in words."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(parts[0])
    if origin is typing.Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (tuple, list):
        return f"list of {_kind(parts[0])}"
    if origin is dict:
        return f"by name: {_kind(parts[1])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(part) for part in parts))
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            return " or ".join(f"`{member.value}`" for member in annotation)
        words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "NoneType": "null"}
        return words.get(annotation.__name__, annotation.__name__)
    return "any JSON"


def _collect(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> None:
    """The records that `model` is made of, but scores and recipes, which have a page."""
    for info in model.model_fields.values():
        for part in _models(info.annotation):
            if part not in (model, *found.values()) and issubclass(part, Record | Scores) and part is not Scores:
                found[part.__name__] = part
                _collect(part, found)


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not issubclass(annotation, RootModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def _docstring(model: type[BaseModel]) -> str:
    text = re.sub(r"^[a-z]+\.json: ", "", " ".join((model.__doc__ or "").split()))
    return text[0].upper() + text[1:]


def recipe_reference() -> str:
    """Every section of a recipe, with its fields."""
    rows: dict[str, list[str]] = {}
    for row in fields():
        section, _, name = row["field"].rpartition(".")
        values = row["values"].replace("|", "or")
        rows.setdefault(section, []).append(f"| `{name}` | {values} | `{row['default']}` |")
    parts = []
    for name, kind in Recipe.sections().items():
        words = " ".join((kind.__doc__ or "").split())
        table = "\n".join(["| field | values | default |", "|---|---|---|", *rows[name]])
        parts.append(f"## {name}\n\n{words}\n\n{table}")
    return "\n\n".join(parts)


def library() -> str:
    """The names of `import reid`, each with the first line of what it is."""
    lines = ["| name | what it is |", "|---|---|"]
    for name in reid.__all__:
        words = (getattr(getattr(reid, name), "__doc__", "") or "").strip().split("\n\n")[0]
        lines.append(f"| `{name}` | {' '.join(words.split())} |")
    return "\n".join(lines)


def filled(page: str) -> str:
    """A page with its generated parts made anew."""
    told: set[str] = set()
    made: dict[str, Callable[[], str]] = {"recipe": recipe_reference, "library": library}

    def part(found: re.Match[str]) -> str:
        name = found["name"]
        text = made[name]() if name in made else record_table(FILES_ON_DISK[name], told)
        return f"<!-- {name} -->\n\n{text}\n\n<!-- end -->"

    return PART.sub(part, page)


def generated() -> dict[Path, str]:
    """What each generated file should say."""
    pages = {path: filled(path.read_text(encoding="utf-8")) for path in sorted(DOCS.glob("*.md"))}
    schemas = {DOCS / "schemas" / f"{kind}.json": json.dumps(file_schema(kind), indent=1) + "\n" for kind in FILES}
    return pages | schemas


def main() -> int:
    stale = [path for path, text in generated().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name}: not what the code says; run `make docs`")
        return bool(stale)
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(generated()[path], encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
