"""JSON Schemas of grid files, study files and recipes, with the registered names, for editors."""

from typing import Any

from pydantic import BaseModel

from reid.data.layouts import LAYOUTS
from reid.grids.grid_file import GridFile
from reid.recipe import BACKBONES, LOSS_SECTIONS, Recipe
from reid.studies.study_file import StudyFile
from reid.tricks import TRICKS

FILES: dict[str, type[BaseModel]] = {"grid": GridFile, "study": StudyFile, "recipe": Recipe}
Schema = dict[str, Any]


def file_schema(kind: str) -> Schema:
    """The schema of one of FILES. Names that are registered are offered, and known tricks have their knobs."""
    schema = FILES[kind].model_json_schema(by_alias=True)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    parts = schema.get("$defs", {})
    if "DatasetSource" in parts:
        parts["DatasetSource"]["properties"]["layout"]["enum"] = list(LAYOUTS)
    parts["Backbone"]["properties"]["name"]["examples"] = list(BACKBONES)
    recipe = schema if kind == "recipe" else parts["Recipe"]
    recipe["properties"]["losses"] = _own_losses()
    for place in (schema, parts.get("Change", {})):
        if "tricks" in place.get("properties", {}):
            _offer(place["properties"]["tricks"], _tricks())
    if kind == "grid":
        named = parts["DatasetSource"]
        required = [key for key in named["required"] if key != "name"]  # under `datasets` the key is the name
        schema["properties"]["datasets"]["additionalProperties"] = {**named, "required": required}
        levels = {"type": "array", "minItems": 2}
        _offer(schema["properties"]["factors"], _tricks() | dict.fromkeys(Recipe.paths(), levels))
    if kind == "study":
        knobs: dict[str, Schema] = {f"{trick.name}.{knob}": {} for trick in TRICKS.values() for knob in trick.knobs}
        _offer(schema["properties"]["knobs"], knobs | {path: {} for path in Recipe.paths()})
    return schema


def _own_losses() -> Schema:
    """`losses`: a section for each registered loss, and no other."""
    sections = {name: section.model_json_schema() for name, section in LOSS_SECTIONS.items()}
    return {"type": "object", "properties": sections, "additionalProperties": False}


def _tricks() -> dict[str, Schema]:
    """Each trick with its knobs; a trick without a value is at the paper's."""
    return {
        name: {
            "description": f"{trick.title}. {trick.card.idea}",
            "type": ["object", "null"],
            "properties": {knob: {"type": "number", "default": known.default} for knob, known in trick.knobs.items()},
        }
        for name, trick in TRICKS.items()
    }


def _offer(place: Schema, properties: dict[str, Schema]) -> None:
    """Name properties in a mapping, or in the mapping that is one of the choices."""
    for choice in place.get("anyOf", [place]):
        if choice.get("type") == "object":
            choice["properties"] = properties
