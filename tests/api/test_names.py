"""The names of the library: there, typed, and imported only when they are used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import reid


@pytest.mark.parametrize("name", reid.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(reid, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = reid.nothing  # type: ignore[attr-defined]


def test_the_type_checker_sees_the_names_that_are_imported_lazily() -> None:
    block = next(node for node in ast.parse(Path(reid.__file__).read_text()).body if isinstance(node, ast.If))
    typed = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == reid._MODULES
    assert sorted(typed) == sorted(reid.__all__) == sorted(name for name in dir(reid) if not name.startswith("_"))


def test_importing_it_imports_neither_torch_nor_pandas() -> None:
    code = "import sys, reid; sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
