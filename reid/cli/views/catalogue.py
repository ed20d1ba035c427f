"""What is registered, as rows of text for `reid list`."""

import typing
from collections.abc import Callable
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from reid.data.layouts import LAYOUTS
from reid.losses import LOSSES
from reid.metrics.spec import METRICS
from reid.models.backbones.registry import BUILDERS
from reid.recipe import BACKBONES, LOSS_SECTIONS, LOSS_TITLES, Recipe
from reid.registry import BUILT_IN, Registry
from reid.tricks import TRICKS, Trick

Row = dict[str, str]


def catalogue(kind: str) -> list[Row]:
    """Rows of one kind, each with the same columns; the first is the name."""
    made: dict[str, Callable[[], list[Row]]] = {
        "tricks": tricks,
        "fields": fields,
        "backbones": backbones,
        "losses": losses,
        "metrics": metrics,
        "layouts": layouts,
    }
    return made[kind]()


def tricks() -> list[Row]:
    return [
        {
            "trick": name,
            "short": trick.short,
            "title": trick.title,
            "sets": _settings(trick),
            "source": trick.card.source,
            "from": _origin(TRICKS, name),
        }
        for name, trick in TRICKS.items()
    ]


def fields() -> list[Row]:
    """Every field of a recipe; the section's docstring says what it is."""
    rows = []
    for name, section in Recipe.sections().items():
        for field, info in section.model_fields.items():
            rows.append(
                {
                    "field": f"{name}.{field}",
                    "values": values_of(info),
                    "default": _yaml(info.get_default(call_default_factory=True)),
                    "section": (section.__doc__ or "").strip().splitlines()[0],
                }
            )
    return rows


def backbones() -> list[Row]:
    rows = [{"backbone": name, "title": title, "from": _origin(BUILDERS, name)} for name, title in BACKBONES.items()]
    return [*rows, {"backbone": "timm:NAME", "title": "any convolutional network of timm", "from": "timm"}]


def losses() -> list[Row]:
    return [
        {
            "loss": name,
            "title": LOSS_TITLES[name],
            "recipe": f"losses.{name}" if name in LOSS_SECTIONS else {"id": "id_loss"}.get(name, name),
            "source": loss.source,
            "from": _origin(LOSSES, name),
        }
        for name, loss in LOSSES.items()
    ]


def metrics() -> list[Row]:
    return [
        {
            "metric": name,
            "title": spec.title,
            "unit": spec.unit,
            "better": "higher" if spec.higher_is_better else "lower",
            "from": _origin(METRICS, name),
        }
        for name, spec in METRICS.items()
    ]


def layouts() -> list[Row]:
    return [
        {"layout": name, "data set": layout.title, "source": layout.source, "from": _origin(LAYOUTS, name)}
        for name, layout in LAYOUTS.items()
    ]


def values_of(info: FieldInfo) -> str:
    """What a field may hold, in words: a type with its bounds, or the choices."""
    bounds = [text for rule in info.metadata if (text := _bound(rule))]
    return " ".join([_type(info.annotation), *bounds])


def _type(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        bounds = [text for part in parts[1:] for rule in _rules(part) if (text := _bound(rule))]
        return " ".join([_type(parts[0]), *bounds])
    if origin is typing.Literal:
        return " | ".join(map(str, parts))
    if origin is tuple:
        return "list of " + ("; ".join(dict.fromkeys(_type(part) for part in parts if part is not Ellipsis)))
    if parts:
        return " | ".join(_type(part) for part in parts)
    return {"int": "whole number", "float": "number", "bool": "true | false", "str": "text"}.get(
        getattr(annotation, "__name__", ""), str(annotation)
    )


def _rules(part: Any) -> list[Any]:
    return list(part.metadata) if isinstance(part, FieldInfo) else [part]


def _bound(rule: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return " ".join(f"{sign} {getattr(rule, name):g}" for name, sign in signs.items() if hasattr(rule, name))


def _settings(trick: Trick) -> str:
    values = dict(trick.settings) | {knob.path: knob.default for knob in trick.knobs.values()}
    return ", ".join(f"{path} = {_yaml(value)}" for path, value in values.items())


def _yaml(value: Any) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True).strip().removesuffix("...").strip()


def _origin(registry: Registry[Any], name: str) -> str:
    origin = registry.origin(name)
    return "" if origin == BUILT_IN else origin
