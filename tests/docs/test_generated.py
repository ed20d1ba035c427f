"""Pages and schemas that are made from the code say what the code says."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest
import yaml

from reid.registry import activate

ROOT = Path(__file__).parents[2]
GENERATE = ROOT / "docs" / "generate.py"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_and_schemas_are_current() -> None:
    activate([])
    stale = [path.name for path, text in generator().generated().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs`"


@pytest.mark.parametrize("file", sorted([*ROOT.glob("experiments/**/*.yaml"), *ROOT.glob("studies/*.yaml")]), ids=str)
def test_shipped_files_name_their_schema_and_follow_it(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = (file.parent / first.partition("=")[2]).resolve()
    tree = yaml.safe_load(file.read_text(encoding="utf-8").replace(": on\n", ": 'on'\n"))
    jsonschema.validate(tree, json.loads(schema.read_text(encoding="utf-8")))
