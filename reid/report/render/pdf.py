"""The report as a PDF, set by Typst from assets/template.typ."""

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from shutil import copyfile

import typst
from pydantic import JsonValue

from reid.report.elements import Document
from reid.report.render.assets import ASSETS
from reid.report.style import FONTS, drawable


def to_pdf(document: Document, folder: Path) -> bytes:
    """The PDF; `folder` holds the files that the document's elements name. Its date is the document's."""
    copyfile(ASSETS / "template.typ", folder / "template.typ")
    data = json.dumps(to_plain(document), ensure_ascii=False)
    (folder / "data.json").write_text(data, encoding="utf-8")
    return bytes(
        typst.compile(
            folder / "template.typ",
            root=folder,
            font_paths=[FONTS],
            ignore_system_fonts=True,
            timestamp=int(datetime.fromisoformat(document.created).timestamp()),
            format="pdf",
        )
    )


def to_plain(value: object) -> JsonValue:
    """`value` as assets/template.typ takes it: a class as its fields and, under `kind`, its name.

    A character that no font has is written as its code point. Raises TypeError for what is no part of a document.
    """
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, int):
        return value
    if isinstance(value, Sequence):
        return [to_plain(item) for item in value]
    if is_dataclass(value):
        plain = {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **plain}
    raise TypeError(f"a document holds no {type(value).__name__}, found {value!r}")
