"""Cells that hold whole dictionaries, as W&B's own export recipe writes them, taken apart into columns."""

import ast
import json
from collections.abc import Sequence

from pydantic import JsonValue

MOST_CHARACTERS = 200_000  # of a cell that is taken apart
WORDS = {"nan": "nan", "inf": "inf", "NaN": "nan", "Infinity": "inf"}


def unnested(heads: Sequence[str], columns: Sequence[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Heads and columns where a column of dictionaries is replaced by one an entry, "config.model.depth"."""
    flat_heads, flat = [], []
    for head, column in zip(heads, columns, strict=True):
        taken = [_leaves(head, cell) for cell in column] if _may_be_nested(column) else []
        if not taken or any(leaves is None for leaves in taken):
            flat_heads.append(head)
            flat.append(column)
            continue
        for name in dict.fromkeys(name for leaves in taken for name in leaves or ()):
            flat_heads.append(name)
            flat.append([(leaves or {}).get(name, "") for leaves in taken])
    return flat_heads, flat


def _may_be_nested(column: Sequence[str]) -> bool:
    written = [cell for cell in column if cell]
    return bool(written) and all(cell.startswith("{") and len(cell) <= MOST_CHARACTERS for cell in written)


def _leaves(head: str, cell: str) -> dict[str, str] | None:
    """The entries of a cell by their paths; None where it is no dictionary."""
    if not cell:
        return {}
    try:
        found = _parsed(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return dict(_walk(head, found)) if isinstance(found, dict) else None


def _parsed(cell: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(cell)
    except ValueError:
        return _literal(ast.parse(cell, mode="eval").body)
    return value


def _literal(node: ast.expr) -> JsonValue:
    """As ast.literal_eval, with nan and inf, which Python writes and does not read. Raises ValueError for all else."""
    match node:
        case ast.Dict(keys=keys, values=values):
            return {str(_literal(key)): _literal(value) for key, value in zip(keys, values, strict=True) if key}
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_literal(item) for item in items]
        case ast.Constant(value=value) if value is None or isinstance(value, str | bool | int | float):
            return value
        case ast.Name(id=name) if name in WORDS:
            return float(WORDS[name])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = _literal(operand)
            if isinstance(number, int | float):
                return -number
    raise ValueError(ast.dump(node)[:80])


def _walk(path: str, value: JsonValue) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _walk(f"{path}.{key}", inner)]
    if isinstance(value, str):
        return [(path, value.strip())]
    return [(path, "none" if value is None else json.dumps(value) if isinstance(value, list) else str(value))]
