"""A fingerprint of the code that can change a trained weight or a metric, whatever files it stands in.

The code is found by following imports from where a run is trained and measured, and read as statements: comments,
docstrings, method cards, imports within this package and the names of files and folders do not count.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from reid.registry import Plugin, active_plugins

PACKAGE = Path(__file__).parents[1]
ROOTS = (
    "reid.execution.worker",
    "reid.execution.recorder",
    "reid.execution.dataset_pool",
    "reid.store.shared_training",
)
# Imported by the roots, but unable to change a number: who holds a run, where its files lie, what a failure is called.
# Drawn data are left out because what is drawn is in the data's own fingerprint.
NOT_ENTERED = ("reid.store", "reid.execution", "reid.errors", "reid.files", "reid.recipe.yaml", "reid.data.synthetic")
CARDS = ("MethodCard",)


def training_code() -> str:
    """16 hexadecimal digits of the code that trains and measures, the plugins that are loaded included."""
    return _digest_with(active_plugins())


@cache
def _digest_with(plugins: tuple[Plugin, ...]) -> str:
    return code_digest([*imported_files(ROOTS), *(file for plugin in plugins if (file := plugin.file))])


def code_digest(files: Iterable[Path]) -> str:
    """16 hexadecimal digits of the statements in `files`: which there are, not where they stand."""
    statements = {statement for file in files for statement in _statements(file.read_text(encoding="utf-8"))}
    return hashlib.sha256("\n".join(sorted(statements)).encode()).hexdigest()[:16]


def imported_files(roots: Iterable[str]) -> list[Path]:
    """The files of the modules `roots` and of all modules of this package that they import, on and on."""
    found: dict[str, Path] = {}
    open_modules = list(roots)
    while open_modules:
        module = open_modules.pop()
        file = _file_of(module)
        if file is None or module in found:
            continue
        found[module] = file
        tree = ast.parse(file.read_text(encoding="utf-8"))
        open_modules += [name for name in _imports(tree) if not _is_left_out(name)]
    return [found[module] for module in sorted(found)]


def _is_left_out(module: str) -> bool:
    return any(module == left or module.startswith(f"{left}.") for left in NOT_ENTERED)


def _file_of(module: str) -> Path | None:
    """The source of a module of this package; None for a name within a module."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    """Every module of this package that a file may import, wherever it does, and the names it takes from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _is_ours(node):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("reid."))


def _is_ours(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "reid"


def _statements(source: str) -> Iterator[str]:
    """The top-level statements of a module in a form that does not depend on Python's version or the layout."""
    for node in ast.parse(source).body:
        if not (_is_ours(node) or _is_docstring(node)):
            yield repr(_canonical(node))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _canonical(node: object) -> object:
    """A syntax tree as nested tuples: what is absent is left out, as versions of Python differ in what they add."""
    if isinstance(node, list):
        return tuple(_canonical(part) for part in node if not (_is_docstring(part) or _is_ours(part)))
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, ast.Call) and _name_of(node.func) in CARDS:
        return "card"
    fields = ((name, getattr(node, name, None)) for name in node._fields)
    return type(node).__name__, *((name, _canonical(value)) for name, value in fields if value not in (None, []))


def _name_of(called: ast.expr) -> str | None:
    """The last name of what is called: MethodCard(…) or reid.MethodCard(…)."""
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else None
