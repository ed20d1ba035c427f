"""YAML in, validated value out, and one clear line where it is wrong."""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from reid.errors import InputError
from reid.recipe.losses import LOSS_SECTIONS, LossSection
from reid.registry import load_plugins, nearest
from reid.shown import hide, printable

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]


MOST_BYTES = 256 * 1024
MOST_NODES = 20_000  # with aliases written out
DEEPEST = 50
MOST_DIGITS = 18
LONGEST_VALUE = 80  # of a value that an error shows
FORMS = {
    "tuple_type": "must be a list, such as [1, 2]",
    "list_type": "must be a list, such as [1, 2]",
    "dict_type": "must be keys with values",
    "model_type": "must be keys with values",
    "model_attributes_type": "must be keys with values",
}  # by pydantic's name of an error: what a YAML file calls it


class Loader(yaml.SafeLoader):
    """YAML 1.2's plain scalars: 1e-4 is a number, `on` and `no` are words, 010 is ten. A repeated key is an error.

    So is what no recipe needs and a machine chokes on: deep nesting, aliases that multiply, endless numbers, halves of
    characters.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = self.nodes = 0
        self.sizes: dict[int, int] = {}  # of nodes, by their id

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            alias: yaml.Node | None = super().compose_node(parent, index)
            self._count(self.sizes.get(id(alias), MOST_NODES), mark)
            return alias
        self.depth += 1
        before = self.nodes
        if self.depth > DEEPEST:
            raise yaml.composer.ComposerError(None, None, f"nested more than {DEEPEST} deep", mark)
        self._count(1, mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.sizes[id(node)] = self.nodes - before
        self.depth -= 1
        return node

    def _count(self, nodes: int, mark: yaml.Mark) -> None:
        self.nodes += nodes
        if self.nodes > MOST_NODES:
            raise yaml.composer.ComposerError(None, None, f"more than {MOST_NODES:,} values, aliases counted in", mark)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", node.value[number][0].start_mark
                )
        return super().construct_mapping(node, deep)


def _plain(tag: str, pattern: str, first: Iterable[str]) -> None:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_plain("bool", r"^(?:true|false)$", "tf")
_plain("null", r"^(?:~|null|)$", ["~", "n", ""])
_plain("int", r"^[-+]?[0-9]+$", "-+0123456789")
_plain("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")


def _refuse(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _whole_number(_: Loader, node: yaml.Node) -> int:
    if not re.fullmatch(rf"[-+]?[0-9]{{1,{MOST_DIGITS}}}", str(node.value)):
        raise _refuse(node, f"a whole number has at most {MOST_DIGITS} digits, found {_short(node.value)}")
    return int(node.value)


def _number(_: Loader, node: yaml.Node) -> float:
    try:
        value = float(node.value)
    except ValueError:
        raise _refuse(node, f"not a number: {_short(node.value)}") from None
    if not math.isfinite(value):
        raise _refuse(node, f"a number must be finite, found {_short(node.value)}")
    return value


def _text(_: Loader, node: yaml.Node) -> str:
    if re.search("[\ud800-\udfff]", node.value):
        raise _refuse(node, "text holds half of a character (a lone surrogate)")
    if printable(node.value) != node.value:
        raise _refuse(node, "text holds a control character, which no name and no file here has")
    return str(node.value)


Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)
Loader.add_constructor("tag:yaml.org,2002:float", _number)
Loader.add_constructor("tag:yaml.org,2002:str", _text)


def parse(text: str, file: str = "value") -> Any:
    """The value of a YAML text; InputError with file and line where it is not YAML."""
    try:
        return yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{file}:{line}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{file}: not valid YAML: {_short(str(error).splitlines()[0])}") from error


def read_text(file: Path) -> str:
    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise InputError(f"{file}: must be at most {MOST_BYTES // 1024} kB, found {size // 1024} kB")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"{file}: cannot be read ({reason}); give a YAML file") from error


def load(file: Path, model: type[Model]) -> Model:
    """The YAML file as `model`, after the plugins that it names, if `model` has a field of them, are loaded.

    The first thing wrong raises InputError with file, line, key, rule and value found.
    """
    text = read_text(file)
    tree = parse(text, str(file))
    if not isinstance(tree, dict):
        raise InputError(f"{file}: must be a mapping of keys to values, found {type(tree).__name__}")
    _require_kind(tree, model, file)
    if "plugins" in model.model_fields:  # first, for the other keys may speak of what they register
        load_plugins(_plugins_named(tree, file), f"{file}: plugins")
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        line = _line(yaml.compose(text, Loader), first["loc"])
        raise InputError(f"{file}:{line}: {describe(error, model)}") from error


KINDS = {"factors": "grid", "arms": "grid", "knobs": "study", "trials": "study", "tricks": "study"}
USES = {"grid": "`reid ablate` trains it", "study": "`reid tune` searches it"}


def _require_kind(tree: dict[Any, Any], model: type[BaseModel], file: Path) -> None:
    """InputError where a file is whole, and meant for another command: a grid, a study or a recipe."""
    known = model.model_fields
    found = {KINDS[key] for key in KINDS if key in tree and key not in known}
    if len(found) == 1 and not any(key in tree for key in KINDS if key in known):
        kind = found.pop()
        raise InputError(f"{file}: is the file of a {kind}; {USES[kind]}")
    recipes = _models_in(known["recipe"].annotation) if "recipe" in known else ()
    if tree and any(set(tree) <= set(recipe.model_fields) for recipe in recipes):
        raise InputError(f"{file}: is a recipe; the file of a grid or study holds it under `recipe`, with the rest")


def _plugins_named(tree: dict[Any, Any], file: Path) -> list[Path]:
    """The plugin files under `plugins`, relative to the YAML file's folder; what is no list is pydantic's."""
    named = tree.get("plugins")
    return [file.parent / name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """The first of a validation's errors in one line: key, rule, value found, and the nearest key to an unknown one."""
    problems = error.errors()
    first = problems[0]
    # A part in angle brackets says which of several forms a value was taken for, and is no key.
    location = tuple(part for part in first["loc"] if not str(part).startswith("<"))
    key = ".".join(str(part)[:LONGEST_VALUE] for part in location) or "value"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, first["loc"][:-1])
        return f"{key}: unknown key{nearest(str(first['loc'][-1]), known)}{more}"
    rule = FORMS.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] in ("missing", "value_error") and isinstance(first["input"], dict | BaseModel):
        return f"{key}: {rule}{more}"
    return f"{key}: {rule}, found {_short(first['input'])}{more}"


def _short(value: object) -> str:
    """A value as an error shows it, cut where it is long."""
    text = hide(repr(value))
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _fields_at(model: type[BaseModel], location: Location) -> list[str]:
    """Names of the fields of the model found by following `location` through nested models."""
    for part in location:
        if model is LossSection:  # of any registered loss; `part` says which
            model = LOSS_SECTIONS[str(part)]
        elif field := model.model_fields.get(str(part)):
            model = next(_models_in(field.annotation), model)
    return [info.alias or name for name, info in model.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation speaks of, itself or within containers and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _line(node: yaml.Node | None, location: Location) -> int:
    """The line on which `location` stands, or its deepest ancestor that does."""
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            key, node = found[0]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
